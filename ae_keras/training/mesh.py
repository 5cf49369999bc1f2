"""Several devices with JAX, of this process or of several: `keras.distribution.DataParallel`.

JAX runs one program for all devices: a layer sees the whole batch, of which each device computes a
part. So noise, loss and metrics are those of one device by themselves. A last batch that the
devices cannot share evenly is computed whole by each.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import NamedSharding, PartitionSpec

from ae_keras.data.share import Share
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.training.devices import Devices
from ae_keras.training.processes import compare, disconnect


def local_devices() -> list[jax.Device]:
    """Return the devices of this process: GPUs, or CPUs if it has none."""
    return jax.local_devices()


def process_count() -> int:
    """Return how many processes are connected; 1 if none are."""
    return jax.process_count()


class Mesh(Devices):
    """Some devices of each process, each with a copy of all weights.

    Args:
        count: int. Devices of each process.
    """

    def __init__(self, count: int) -> None:
        self._processes, self._index = jax.process_count(), jax.process_index()
        super().__init__(count * self._processes)
        self.is_first = self._index == 0
        self.placement = self
        by_process = [
            [device for device in jax.devices() if device.process_index == process][:count]
            for process in range(self._processes)
        ]
        devices = [device for some in by_process for device in some]
        names = [f"{device.platform}:{device.id}" for device in devices]
        self._distribution = keras.distribution.DataParallel(
            devices=names, auto_shard_dataset=False
        )
        mesh = self._distribution.device_mesh.backend_mesh
        self._split = NamedSharding(mesh, PartitionSpec(*mesh.axis_names))
        self._whole = NamedSharding(mesh, PartitionSpec())

    def scope(self) -> contextlib.AbstractContextManager:
        """Return the distribution's context: variables that are made in it are on all devices."""
        return self._distribution.scope()

    def share(self, count: int) -> Share:
        """Return which of so many images of a batch this process makes."""
        if count % self.count:
            return Share(count)
        part = count // self._processes
        return Share(count, slice(self._index * part, (self._index + 1) * part))

    def place(self, batch: Any, share: Share) -> Any:
        """Return the arrays of a batch, spread over the devices of all processes."""
        layout = self._whole if share.images % self.count else self._split

        def spread(array: np.ndarray) -> jax.Array:
            shape = (share.images, *array.shape[1:])
            return jax.make_array_from_process_local_data(layout, array, shape)

        return jax.tree.map(spread, batch)

    @contextlib.contextmanager
    def run_folder(self, path: str | Path) -> Iterator[RunFolder]:
        """Yield the run folder; for the processes other than the first, one that goes away."""
        with contextlib.ExitStack() as stack:
            if not self.is_first:
                path = stack.enter_context(tempfile.TemporaryDirectory())
            yield RunFolder(path)

    def share_state(self, checkpoint: Path, recipe: Recipe, checksum: int) -> None:
        """Give all processes the checkpoint of the first, if it has one."""
        if self._processes == 1:
            return
        compare("the recipe or the images", f"{checksum} {recipe.to_json()}")
        state = _broadcast(checkpoint.read_bytes() if checkpoint.is_file() else b"")
        if state and not self.is_first:
            checkpoint.write_bytes(state)

    def agree(self, figures: dict[str, float]) -> dict[str, float]:
        """Return the figures of the first process."""
        if self._processes == 1:
            return figures
        # As bytes, because JAX would make float32 of float64.
        own = np.array(list(figures.values()), np.float64).view(np.uint8)
        first = np.asarray(multihost_utils.broadcast_one_to_all(own))
        return dict(zip(figures, first.view(np.float64).tolist(), strict=True))

    def part(self) -> None:
        """Wait for the others, and part from them: what comes now is for the first process."""
        if self._processes > 1:
            disconnect()


def _broadcast(data: bytes) -> bytes:
    """Return the bytes of the first process."""
    size = int(multihost_utils.broadcast_one_to_all(np.int32(len(data))))
    own = np.frombuffer(data.ljust(size, b"\0")[:size], np.uint8)
    return np.asarray(multihost_utils.broadcast_one_to_all(own)).tobytes() if size else b""
