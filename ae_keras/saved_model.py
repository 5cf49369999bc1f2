"""The run folder: what training leaves behind, and how to load a model from it.

```
<run>/
  recipe.json           what was trained
  model.keras           the weights of the epoch with the lowest validation loss
  last.keras            the weights of the last epoch
  history.csv           one row an epoch
  metrics.json          quality on the test images; its presence says that the run is finished
  history.png  reconstructions.png
  tensorboard/          logs
  checkpoint.npz        the exact state of an unfinished run
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

from ae_keras.recipe import Recipe

_TEMPORARY = ".partial-"


@contextlib.contextmanager
def write_safely(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to, which takes the place of `path` if all goes well.

    Raises:
        OSError: if the file cannot be written; what stood at `path` is unharmed.
    """
    path = Path(path)
    # The ending stays: Keras and Matplotlib tell the format by it.
    temporary = path.with_name(_TEMPORARY + path.name)
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OSError(f"Cannot write {str(path)!r}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


class RunFolder:
    """The files of a run.

    Args:
        path: The folder; it need not exist.
    """

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.checkpoint = self.path / "checkpoint.npz"
        self.model = self.path / "model.keras"
        self.last_model = self.path / "last.keras"
        self.history_figure = self.path / "history.png"
        self.reconstructions_figure = self.path / "reconstructions.png"
        self._recipe = self.path / "recipe.json"
        self._history = self.path / "history.csv"
        self._metrics = self.path / "metrics.json"
        self._files = [path for path in vars(self).values() if path.parent == self.path]
        self.tensorboard = self.path / "tensorboard"

    @property
    def is_finished(self) -> bool:
        """Whether training came to its end here."""
        return self._metrics.is_file()

    @property
    def recipe(self) -> Recipe | None:
        """The recipe of the run, or None where there is no run."""
        if not self._recipe.is_file():
            return None
        return Recipe.from_json(self._recipe.read_text(encoding="utf-8"))

    def check(self, recipe: Recipe, overwrite: bool = False) -> None:
        """Find out, before any work is done, whether a recipe may be trained in this folder.

        Raises:
            FileExistsError: if the folder holds a finished run, or files that are not a run's.
            ValueError: if it holds an unfinished run of another recipe.
            OSError: if it cannot be written.
        """
        found = self.recipe
        if found is None and self.path.exists() and not self._is_empty():
            raise FileExistsError(
                f"{str(self.path)!r} holds files that are not of a run. Choose another folder."
            )
        if found is not None and not overwrite:
            self._check_same(found, recipe)
        place = next(
            place for place in (self.path, *self.path.absolute().parents) if place.exists()
        )
        if not place.is_dir() or not os.access(place, os.W_OK):
            raise PermissionError(f"Cannot write in {str(place)!r}. Choose another --output.")

    def start(self, recipe: Recipe, overwrite: bool = False) -> None:
        """Write down the recipe of a run, new or to be continued; remove what is to go.

        Raises:
            OSError: if the folder cannot be written.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        if overwrite:
            for path in self._files:
                path.unlink(missing_ok=True)
            shutil.rmtree(self.tensorboard, ignore_errors=True)
        for leftover in self.path.glob(_TEMPORARY + "*"):
            leftover.unlink()
        self._write_text(self._recipe, recipe.to_json())

    def _is_empty(self) -> bool:
        return self.path.is_dir() and all(
            path.name.startswith(_TEMPORARY) for path in self.path.iterdir()
        )

    def _check_same(self, found: Recipe, recipe: Recipe) -> None:
        if self.is_finished:
            raise FileExistsError(
                f"{str(self.path)!r} holds a finished run. Choose another folder with --output, "
                "or replace it with --overwrite."
            )
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

    def _write_text(self, path: Path, text: str) -> None:
        with write_safely(path) as temporary:
            temporary.write_text(text, encoding="utf-8")

    def write_history(self, history: list[dict[str, float]]) -> None:
        """Write `history.csv`; numbers are written exactly."""
        text = io.StringIO()
        writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
        self._write_text(self._history, text.getvalue())

    def write_metrics(self, metrics: dict) -> None:
        """Write `metrics.json`, which marks the run as finished."""
        self._write_text(self._metrics, json.dumps(metrics, indent=2) + "\n")

    def write_model(self, model, path: Path) -> None:
        """Write a model, without its optimizer, as a `.keras` file."""
        bare = type(model).from_config(model.get_config())
        bare.set_weights(model.get_weights())
        with write_safely(path) as temporary:
            bare.save(temporary)


def find_run(name_or_path: str | Path) -> RunFolder:
    """Return the run of a name or path.

    A name is looked for among the user's own runs (`saved_models/NAME`), then among the trained
    models that ship with the project (`saved_models/pretrained/NAME`).

    Raises:
        FileNotFoundError: if there is no such run.
    """
    here, project = Path("saved_models"), Path(__file__).parents[1] / "saved_models"
    places = [Path(name_or_path)]
    if Path(name_or_path).name == str(name_or_path):
        places += [
            root / kind / name_or_path for root in (here, project) for kind in ("", "pretrained")
        ]
    for place in places:
        run = RunFolder(place)
        if run.model.is_file() and run.recipe is not None:
            return run
    raise FileNotFoundError(
        f"No trained model at {str(name_or_path)!r}. Expected a run folder with 'model.keras' and "
        "'recipe.json', as scripts/train.py writes it, or the name of one in 'saved_models'."
    )


def load(name_or_path: str | Path):
    """Load a trained autoencoder.

    Args:
        name_or_path: The name of a run in `saved_models`, or a run folder.

    Returns:
        An `Autoencoder` with the weights of the best epoch.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if the model file is damaged.

    Example:
        >>> model = ae_keras.load("cae-cifar10")
        >>> latents = model.encode(images)
    """
    return load_model(find_run(name_or_path).model)


def load_model(path: str | Path):
    """Load a `.keras` file of this library.

    Raises:
        ValueError: if it is damaged or holds something else.
    """
    import keras

    import ae_keras.layers  # noqa: F401 - registers the layers that the file may hold
    from ae_keras.models.autoencoder import Autoencoder

    try:
        model = keras.saving.load_model(path, compile=False)
    except Exception as error:
        raise ValueError(f"Cannot load {str(path)!r} as a model: {error}") from error
    if not isinstance(model, Autoencoder):
        raise ValueError(f"{str(path)!r} holds a {type(model).__name__}, not an Autoencoder.")
    return model
