"""The devices that train together: one, several of this machine, or those of several processes.

A step takes a batch of the recipe's size, whatever their number. TensorFlow's devices are
`ae_keras.training.mirrored`, JAX's, and those of several processes, `ae_keras.training.mesh`.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras

from ae_keras.data.share import Here, Placement
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder


class Devices:
    """One device: everything is as Keras does it by itself.

    Args:
        count: int. Of the devices.
    """

    is_first = True  # whether this process writes the run folder

    def __init__(self, count: int = 1) -> None:
        self.count = count
        self.placement: Placement = Here()

    def check(self, recipe: Recipe, images: dict[str, int]) -> None:
        """Find out whether the devices can train a recipe together.

        Args:
            recipe: Recipe.
            images: By split, how many images an epoch shows; of crops, none.

        Raises:
            ValueError: if they cannot.
        """
        if recipe.batch_size % self.count:
            raise ValueError(
                f"{self.count} devices cannot share batches of {recipe.batch_size} images. Choose "
                f"a --batch-size that is a multiple of {self.count}."
            )

    def scope(self) -> contextlib.AbstractContextManager:
        """Return the context in which a model for them is built and compiled."""
        return contextlib.nullcontext()

    def spread(self, batches: Any) -> Any:
        """Return what `fit` and `evaluate` take for batches of `ae_keras.data.batches`."""
        return batches

    def steps(self, batches: Any) -> int | None:
        """Return how many steps Keras is to make of such batches, if it has to be told."""
        return None

    def run(self, work: Callable[[], Any]) -> None:
        """Do something on each device, where it changes variables that each has of its own."""
        work()

    def prepare(self, model: keras.Model) -> None:
        """Have a compiled model train on them."""

    def local(self, model: keras.Model) -> keras.Model:
        """Return a model of the same weights for this process alone, on one device."""
        if self.count == 1:
            return model
        alone = type(model).from_config(model.get_config())
        alone.set_weights(model.get_weights())
        return alone

    @contextlib.contextmanager
    def run_folder(self, path: str | Path) -> Iterator[RunFolder]:
        """Yield the folder that this process writes a run into."""
        yield RunFolder(path)

    def agree(self, figures: dict[str, float]) -> dict[str, float]:
        """Return figures that are the same in all processes: those of the first."""
        return figures

    def share_state(self, checkpoint: Path, recipe: Recipe, checksum: int) -> None:
        """Have all processes begin where the first one does.

        Args:
            checkpoint: Path. Of the run, in this process's folder.
            recipe: Recipe.
            checksum: int. Of the training images.

        Raises:
            ValueError: if they have other recipes or images.
        """

    def part(self) -> None:
        """End what processes do together."""


def open_devices(wanted: int | str | None = None) -> Devices:
    """Return the devices to train on.

    Args:
        wanted: int, `"all"`, or None: one, but all where processes have been connected (see
            `ae_keras.training.processes`). Of each process.

    Raises:
        ValueError: if there are fewer, or the backend trains on one alone.
    """
    backend = keras.config.backend()
    if backend == "jax":
        from ae_keras.training.mesh import Mesh, local_devices, process_count

        names = local_devices()
        if wanted is None:
            wanted = "all" if process_count() > 1 else 1
        count = _count(wanted, len(names))
        return Mesh(count) if count > 1 or process_count() > 1 else Devices()
    if wanted in (None, 1):
        return Devices()
    if backend != "tensorflow":
        raise ValueError(f"The backend {backend!r} trains on one device. Leave --devices out.")
    from ae_keras.training.mirrored import Mirrored, device_names

    names = device_names()
    count = _count(wanted, len(names))
    return Mirrored(names[:count]) if count > 1 else Devices()


def _count(wanted: int | str | None, there: int) -> int:
    if wanted == "all":
        return there
    if not isinstance(wanted, int) or wanted < 1:
        raise ValueError(f"`devices` must be a number from 1 on, or 'all'. Received: {wanted!r}")
    if wanted > there:
        raise ValueError(
            f"This machine has {there} {'device' if there == 1 else 'devices'}, and {wanted} are "
            "asked for. Lower --devices."
        )
    return wanted
