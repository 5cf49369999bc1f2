"""The exact state of a training run, in one file, so that it can go on as if never stopped."""

import contextlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ae_keras.data.checks import is_whole
from ae_keras.recipe import Recipe
from ae_keras.system.safe_files import write_safely
from ae_keras.system.untrusted import check_unpacked, most_unpacked


@dataclass
class Progress:
    """How far a run has come.

    Args:
        epoch: int. Epochs that are complete.
        batch: int. Batches of the next epoch that are done.
        history: One dict of floats for each complete epoch.
        seconds: float. Time spent in training so far.
        checksum: int. Of the training images.
    """

    epoch: int = 0
    batch: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0
    checksum: int = 0

    @property
    def best_epoch(self) -> int:
        """The epoch (from 0) with the lowest validation loss, the first of equals; -1 if none."""
        losses = [row["val_loss"] for row in self.history]
        return losses.index(min(losses)) if losses else -1

    def is_over(self, recipe: Recipe) -> bool:
        """Whether no epoch of a recipe is left to train."""
        waited, patience = self.epoch - 1 - self.best_epoch, recipe.early_stopping
        return self.epoch >= recipe.epochs or (patience is not None and waited >= patience)


def _variables(model: keras.Model) -> dict[str, keras.Variable]:
    """Name everything that changes during training: weights, random states, optimizer, means."""
    groups = {
        "model": model.variables,
        "optimizer": model.optimizer.variables,
        "metrics": model.metrics_variables,
    }
    return {
        f"{group}/{number}": variable
        for group, variables in groups.items()
        for number, variable in enumerate(variables)
    }


def state_of(variable: keras.Variable) -> np.ndarray:
    """Return the value of a variable; of several ones on several devices, a stack of them.

    With TensorFlow, metrics and the moving means of layers are of each device's own images.
    """
    copies = _copies(variable)
    if len(copies) > 1:
        values = np.stack([np.asarray(copy) for copy in copies])
        if variable.synchronization == "on_read" or (values != values[0]).any():
            return values
    return np.asarray(variable)


def set_state(variable: keras.Variable, state: np.ndarray) -> None:
    """Set a variable to what `state_of` returned, with as many devices or others."""
    copies = _copies(variable)
    if state.ndim == len(variable.shape):
        variable.assign(state)
    elif len(copies) == len(state):
        for copy, value in zip(copies, state, strict=True):
            copy.assign(value)
    else:
        variable.assign(state.sum(0) if variable.aggregation == "sum" else state.mean(0))


def _copies(variable: keras.Variable) -> Sequence[Any]:
    """Return a variable's copies on several devices of TensorFlow, if it may differ on them."""
    if variable.trainable or keras.config.backend() != "tensorflow":
        return ()
    return getattr(variable.value, "values", ())


def write_checkpoint(path: Path, model: keras.Model, progress: Progress) -> None:
    """Write the state of a compiled model and its progress.

    Raises:
        OSError: if it cannot be written; an earlier checkpoint is then unharmed.
    """
    arrays: dict[str, Any] = {
        name: state_of(variable) for name, variable in _variables(model).items()
    }
    with write_safely(path) as temporary:
        np.savez(temporary, progress=json.dumps(asdict(progress)), **arrays)


@contextlib.contextmanager
def _open(path: Path) -> Iterator[Mapping[str, np.ndarray]]:
    """Give the arrays of a checkpoint, which may come from anyone."""
    with zipfile.ZipFile(path) as archive:
        check_unpacked(archive, most_unpacked(path.stat().st_size))
    with open(path, "rb") as file, np.load(file, allow_pickle=False) as state:
        yield state


def read_step(path: Path) -> int:
    """Return how many steps the optimizer of a checkpoint has taken.

    Raises:
        ValueError: if the checkpoint is damaged.
    """
    try:
        with _open(path) as state:
            return int(state["optimizer/0"])
    except Exception as error:
        raise _cannot_continue(path, error) from error


def read_checkpoint(path: Path, model: keras.Model) -> Progress:
    """Set a compiled model to the state in a checkpoint, and return its progress.

    Raises:
        ValueError: if the checkpoint is damaged or of another model.
    """
    try:
        with _open(path) as state:
            progress = Progress(**json.loads(str(state["progress"])))
            _check(progress)
            variables = _variables(model)
            if set(variables) != set(state) - {"progress"}:
                raise ValueError("it is of another model")
            for name, variable in variables.items():
                set_state(variable, state[name])
    except Exception as error:
        raise _cannot_continue(path, error) from error
    return progress


def _check(progress: Progress) -> None:
    """Raise `ValueError` if a progress is not of numbers."""
    counts = progress.epoch, progress.batch, progress.checksum
    rows = progress.history
    if not all(is_whole(count, 0) for count in counts) or not isinstance(rows, list):
        raise ValueError("its progress is damaged")
    for row in rows:
        if not isinstance(row, dict) or "val_loss" not in row:
            raise ValueError("its history is damaged")
    numbers = [progress.seconds, *(value for row in rows for value in row.values())]
    if not all(type(number) in (int, float) for number in numbers):
        raise ValueError("its history is damaged")


def _cannot_continue(path: Path, error: Exception) -> ValueError:
    return ValueError(f"Cannot continue from {str(path)!r}: {error}. Delete it to start again.")
