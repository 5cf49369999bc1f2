"""The run folder: what training leaves behind.

```
<run>/
  recipe.json           what was trained
  model.keras           the weights of the epoch with the lowest validation loss
  model.tflite          the same for LiteRT, if it was written, see `ae_keras.export.litert_form`
  last.keras            the weights of the last epoch
  history.csv           one row an epoch
  entropy_tables.npz    what the codec knows of the model's latents
  metrics.json          quality on the test images; its presence says that the run is finished
  history.png  reconstructions.png
  samples.png           images drawn from the prior of a variational model
  augmentation.png      one image as training sees it, if the recipe moves images
  dataset.png           images of the data set, from `ae-keras train --dry-run`
  tensorboard/          logs
  exports/              the model for other runtimes
  checkpoint.npz        the exact state of training, from which the run goes on or is extended
```

A file is written under a temporary name and renamed, so a killed process never leaves a
half-written one under its own name.
"""

import contextlib
import csv
import io
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ae_keras.recipe import Recipe
from ae_keras.runs.model_files import save_model
from ae_keras.runs.shipped import check_shipped
from ae_keras.system.locks import LOCK_NAME, lock_folder
from ae_keras.system.safe_files import TEMPORARY_PREFIX, remove_leftovers, write_text
from ae_keras.system.text_tables import to_csv
from ae_keras.system.untrusted import read_text

if TYPE_CHECKING:
    import keras


# What more of a run may change: training until now is the same with any number of epochs.
_EXTENDED = ("epochs", "early_stopping")
# What to do about a damaged file of a run.
REMEDY = "Take it from a copy, or train the run again with --overwrite."


class RunFolder:
    """The files of a run.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        # What a new run replaces; the recipe itself stays until the new one takes its place.
        self._replaced: list[Path] = []
        self._metrics = self._name("metrics.json")
        self.checkpoint = self._name("checkpoint.npz")
        self.model = self._name("model.keras")
        self.litert = self._name("model.tflite")
        self.last_model = self._name("last.keras")
        self._history = self._name("history.csv")
        self.entropy_tables = self._name("entropy_tables.npz")
        self.history_figure = self._name("history.png")
        self.reconstructions_figure = self._name("reconstructions.png")
        self.samples_figure = self._name("samples.png")
        self.tensorboard = self._name("tensorboard")
        self.exports = self._name("exports")
        # Without a recipe, these two are from a preview of the run that begins.
        self.dataset_figure = self.path / "dataset.png"
        self.augmentation_figure = self.path / "augmentation.png"
        self._recipe = self.path / "recipe.json"

    def _name(self, name: str) -> Path:
        """Return the path of a file or folder that belongs to one run alone."""
        path = self.path / name
        self._replaced.append(path)
        return path

    @property
    def exists(self) -> bool:
        """Whether there is a run, finished or not."""
        return self._recipe.is_file()

    @property
    def is_finished(self) -> bool:
        """Whether training came to its end here."""
        return self._metrics.is_file()

    @property
    def recipe(self) -> Recipe:
        """The recipe of the run.

        Raises:
            FileNotFoundError: if there is no run.
            ValueError: if it is damaged.
        """
        check_shipped(self._recipe)
        try:
            return Recipe.read(self._recipe)
        except ValueError as error:
            raise ValueError(f"{error} {REMEDY}") from error

    def check(self, recipe: Recipe, overwrite: bool = False, extend: bool = False) -> None:
        """Find out, before any work is done, whether a recipe may be trained in this folder.

        Raises:
            FileExistsError: if the folder holds a finished run, or files that are not a run's.
            FileNotFoundError: if a run is to be extended, and there is none, or not its state.
            ValueError: if it holds an unfinished run of another recipe, or one that is to be
                extended and differs in more than that.
            OSError: if it cannot be written.
        """
        places = (self.path, *self.path.absolute().parents)
        place = next(place for place in places if place.exists())
        if not place.is_dir() or not os.access(place, os.W_OK):
            raise PermissionError(f"Cannot write in {str(place)!r}. Choose another --output.")
        if not self.exists and self._has_files():
            raise FileExistsError(
                f"{str(self.path)!r} holds files that are not of a run. Choose another --output."
            )
        if extend:
            self._check_extension(recipe)
        elif self.is_finished and not overwrite:
            raise FileExistsError(
                f"{str(self.path)!r} holds a finished run. {self._advise(recipe)}Choose another "
                "folder with --output, or replace it with --overwrite."
            )
        elif self.exists and not overwrite:
            self._check_same(recipe)

    def _has_files(self) -> bool:
        known = (self.dataset_figure, self.augmentation_figure, self.path / LOCK_NAME)
        return self.path.is_dir() and any(
            path not in known and not path.name.startswith(TEMPORARY_PREFIX)
            for path in self.path.iterdir()
        )

    def _check_same(self, recipe: Recipe) -> None:
        changes = self._differences(recipe)
        if changes:
            raise ValueError(
                f"{str(self.path)!r} holds an unfinished run of another recipe. It differs in "
                f"{', '.join(changes.values())}. {self._advise(recipe)}Choose another folder with "
                "--output, or replace it with --overwrite."
            )

    def _differences(self, recipe: Recipe) -> dict[str, str]:
        """Return by name, with the values, what a recipe has otherwise than that of the run."""
        found = self.recipe
        return {
            name: f"{name} (there {getattr(found, name)!r}, here {getattr(recipe, name)!r})"
            for name in found.differences(recipe)
        }

    def _advise(self, recipe: Recipe) -> str:
        """Return a sentence, and a space, if a recipe is the run's own but longer."""
        try:
            self._check_extension(recipe)
        except (FileNotFoundError, ValueError):
            return ""
        return f"Train it for {recipe.epochs} epochs with --extend. "

    def _check_extension(self, recipe: Recipe) -> None:
        if not self.exists:
            raise FileNotFoundError(
                f"There is no run in {str(self.path)!r} to extend. Begin one without --extend."
            )
        changes = self._differences(recipe)
        others = [text for name, text in changes.items() if name not in _EXTENDED]
        if others:
            raise ValueError(
                f"The run in {str(self.path)!r} differs in {', '.join(others)}. --extend is for "
                "more --epochs, and another --early-stopping, alone."
            )
        epochs = self.recipe.epochs
        if recipe.epochs < epochs or (self.is_finished and not changes):
            raise ValueError(
                f"Say with --epochs how many epochs the run in {str(self.path)!r} is to have in "
                f"all: more than {epochs}."
            )
        if self.is_finished and not self.checkpoint.is_file():
            raise FileNotFoundError(
                f"The run in {str(self.path)!r} has no {self.checkpoint.name!r}, as one of an "
                f"earlier version. Train its model further with --start-from {self.path}."
            )

    def start(self, recipe: Recipe) -> None:
        """Make the folder ready for a run that is new, or goes on if it is of the same recipe.

        The folder must exist. What is there of another run, or of a finished one, is removed;
        `check` asks before.

        Raises:
            OSError: if the folder cannot be written.
        """
        if self.is_finished or not self.is_of(recipe):
            # The recipe goes last, and by replacement: with it, the folder is a run's throughout.
            previews = (self.dataset_figure, self.augmentation_figure) if self.exists else ()
            for path in (*self._replaced, *previews):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(
                    missing_ok=True
                )
            write_text(self._recipe, recipe.to_json())
        remove_leftovers(self.path)

    def extend(self, recipe: Recipe) -> None:
        """Make the run in the folder an unfinished one of more epochs; `check` asks before.

        Raises:
            OSError: if the folder cannot be written.
        """
        # First: a process that dies in between leaves an unfinished run, which can be extended.
        self._metrics.unlink(missing_ok=True)
        self.litert.unlink(missing_ok=True)
        write_text(self._recipe, recipe.to_json())
        remove_leftovers(self.path)

    def is_of(self, recipe: Recipe) -> bool:
        """Whether the folder holds a run of this recipe."""
        try:
            return not self.recipe.differences(recipe)
        except (FileNotFoundError, ValueError):  # there is none, or it is damaged
            return False

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Make the folder if need be, and keep other processes from training in it.

        Raises:
            BlockingIOError: if another process does.
            OSError: if the folder cannot be made.
        """
        refusal = f"Another process is training in {str(self.path)!r}. Choose another --output."
        with lock_folder(self.path, refusal):
            yield

    def write_history(self, history: list[dict[str, float]]) -> None:
        """Write `history.csv`; numbers are written exactly."""
        header = list(history[0])
        rows = [[row[name] for name in header] for row in history]
        write_text(self._history, to_csv(header, rows))

    @property
    def history(self) -> list[dict[str, float]]:
        """What `history.csv` holds: a dict for each epoch; none before the first has ended.

        Raises:
            ValueError: if it is damaged.
        """
        if not self._history.is_file():
            return []
        try:
            text = self._history.read_text(encoding="utf-8")
            rows = [
                {key: float(row[key]) for key in row} for row in csv.DictReader(io.StringIO(text))
            ]
        except (TypeError, ValueError, csv.Error) as error:
            raise _damaged(self._history) from error
        if not rows or not text.endswith("\n"):
            raise _damaged(self._history)
        return rows

    @property
    def metrics(self) -> dict[str, Any]:
        """What `metrics.json` holds, of a finished run.

        Raises:
            FileNotFoundError: if the run is not finished.
            ValueError: if it is damaged.
        """
        try:
            metrics = json.loads(read_text(self._metrics))
        except (ValueError, RecursionError) as error:
            raise _damaged(self._metrics) from error
        if not isinstance(metrics, dict) or not {"test", "training"} <= set(metrics):
            raise _damaged(self._metrics)
        return metrics

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write `metrics.json`, which marks the run as finished."""
        write_text(self._metrics, json.dumps(metrics, indent=2) + "\n")

    def write_model(self, model: "keras.Model", path: Path) -> None:
        """Write a model, without its optimizer, as a `.keras` file."""
        bare = type(model).from_config(model.get_config())
        bare.set_weights(model.get_weights())
        save_model(bare, path)


def _damaged(path: Path) -> ValueError:
    return ValueError(f"{str(path)!r} is damaged. {REMEDY}")
