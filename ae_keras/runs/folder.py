"""The run folder: what training leaves behind.

```
<run>/
  recipe.json           what was trained
  model.keras           the weights of the epoch with the lowest validation loss
  last.keras            the weights of the last epoch
  history.csv           one row an epoch
  entropy_tables.npz    what the codec knows of the model's latents
  metrics.json          quality on the test images; its presence says that the run is finished
  history.png  reconstructions.png
  samples.png           images drawn from the prior of a variational model
  augmentation.png      one image as training sees it, if the recipe moves images
  dataset.png           images of the data set, from `train.py --dry-run`
  tensorboard/          logs
  exports/              the model for other runtimes
  checkpoint.npz        the exact state of an unfinished run
```

A file is written under a temporary name and renamed, so a killed process never leaves a
half-written one under its own name.
"""

import contextlib
import csv
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from ae_keras.recipe import Recipe
from ae_keras.system.locks import LOCK_NAME, lock_folder
from ae_keras.system.safe_files import TEMPORARY_PREFIX, remove_leftovers, write_safely, write_text
from ae_keras.system.text_tables import to_csv


class RunFolder:
    """The files of a run.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.model = self.path / "model.keras"
        self.last_model = self.path / "last.keras"
        self.checkpoint = self.path / "checkpoint.npz"
        self.entropy_tables = self.path / "entropy_tables.npz"
        self.history_figure = self.path / "history.png"
        self.reconstructions_figure = self.path / "reconstructions.png"
        self.samples_figure = self.path / "samples.png"
        self.dataset_figure = self.path / "dataset.png"
        self.augmentation_figure = self.path / "augmentation.png"
        self.tensorboard = self.path / "tensorboard"
        self.exports = self.path / "exports"
        self._recipe = self.path / "recipe.json"
        self._history = self.path / "history.csv"
        self._metrics = self.path / "metrics.json"

    @property
    def is_finished(self) -> bool:
        """Whether training came to its end here."""
        return self._metrics.is_file()

    @property
    def recipe(self) -> Recipe | None:
        """The recipe of the run, or None where there is no run.

        Raises:
            ValueError: if it is damaged.
        """
        return Recipe.read(self._recipe) if self._recipe.is_file() else None

    def check(self, recipe: Recipe, overwrite: bool = False) -> None:
        """Find out, before any work is done, whether a recipe may be trained in this folder.

        Raises:
            FileExistsError: if the folder holds a finished run, or files that are not a run's.
            ValueError: if it holds an unfinished run of another recipe.
            OSError: if it cannot be written.
        """
        places = (self.path, *self.path.absolute().parents)
        place = next(place for place in places if place.exists())
        if not place.is_dir() or not os.access(place, os.W_OK):
            raise PermissionError(f"Cannot write in {str(place)!r}. Choose another --output.")
        if not self._recipe.is_file() and self._has_files():
            raise FileExistsError(
                f"{str(self.path)!r} holds files that are not of a run. Choose another --output."
            )
        if not overwrite and self.is_finished:
            raise FileExistsError(
                f"{str(self.path)!r} holds a finished run. Choose another folder with --output, "
                "or replace it with --overwrite."
            )
        if not overwrite and self._recipe.is_file():
            self._check_same(recipe)

    def _has_files(self) -> bool:
        known = (self.dataset_figure, self.augmentation_figure, self.path / LOCK_NAME)
        return self.path.is_dir() and any(
            path not in known and not path.name.startswith(TEMPORARY_PREFIX)
            for path in self.path.iterdir()
        )

    def _check_same(self, recipe: Recipe) -> None:
        found = self.recipe
        changes = [
            f"{name} (there {getattr(found, name)!r}, here {getattr(recipe, name)!r})"
            for name in found.differences(recipe)
        ]
        if changes:
            raise ValueError(
                f"{str(self.path)!r} holds an unfinished run of another recipe. It differs in "
                f"{', '.join(changes)}. Choose another folder with --output, or replace it with "
                "--overwrite."
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
            files = (self._metrics, self.checkpoint, self.model, self.last_model, self._history)
            files += (self.entropy_tables,)
            pictures = (self.history_figure, self.reconstructions_figure, self.samples_figure)
            # Without a recipe, these two are from a preview of this run.
            previews = (self.dataset_figure, self.augmentation_figure)
            for path in (*files, *pictures, *(previews if self._recipe.is_file() else ())):
                path.unlink(missing_ok=True)
            for folder in (self.tensorboard, self.exports):
                shutil.rmtree(folder, ignore_errors=True)
            write_text(self._recipe, recipe.to_json())
        remove_leftovers(self.path)

    def is_of(self, recipe: Recipe) -> bool:
        """Whether the folder holds a run of this recipe."""
        try:
            return self.recipe is not None and not self.recipe.differences(recipe)
        except ValueError:  # damaged
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
        """What `history.csv` holds: a dict for each epoch."""
        with open(self._history, newline="", encoding="utf-8") as rows:
            return [{key: float(row[key]) for key in row} for row in csv.DictReader(rows)]

    @property
    def metrics(self) -> dict:
        """What `metrics.json` holds, of a finished run."""
        return json.loads(self._metrics.read_text(encoding="utf-8"))

    def write_metrics(self, metrics: dict) -> None:
        """Write `metrics.json`, which marks the run as finished."""
        write_text(self._metrics, json.dumps(metrics, indent=2) + "\n")

    def write_model(self, model, path: Path) -> None:
        """Write a model, without its optimizer, as a `.keras` file."""
        bare = type(model).from_config(model.get_config())
        bare.set_weights(model.get_weights())
        with write_safely(path) as temporary:
            bare.save(temporary)
