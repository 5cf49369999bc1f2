"""Runs and their models, found by name."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from ae_keras.registry import is_registered
from ae_keras.runs.folder import REMEDY, RunFolder
from ae_keras.runs.shipped import PACKAGE, PRETRAINED, check_shipped
from ae_keras.system.invocation import command
from ae_keras.system.names import suggest

if TYPE_CHECKING:
    from ae_keras.models.image_model import ImageModel


# What stands for the newest of the models that ship.
_ALIASES = {"photo": "photo-2"}
# Characters of what Keras says of a file.
_LONGEST_REASON = 300


def _roots() -> list[Path]:
    """Where runs are: the user's own, then the trained models that ship with the project."""
    here, clone = Path("saved_models"), PACKAGE.parent / "saved_models"
    return [here, here / "pretrained", clone, PRETRAINED]


def list_runs() -> list[RunFolder]:
    """Return all runs in `saved_models`, the user's own and those that ship with the project."""
    folders = (path for root in _roots() if root.is_dir() for path in sorted(root.iterdir()))
    return [run for run in map(RunFolder, folders) if run.model.is_file()]


def find_run(name_or_path: str | Path) -> RunFolder:
    """Return the run of a name or path.

    A name is looked for among the user's own runs (`saved_models/NAME`), then among the trained
    models that ship with the project (`saved_models/pretrained/NAME`), of which `"photo"` is the
    newest codec of photographs.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if its model is not registered. A run folder holds no code: a user's own model
            must be registered before, by the file that defines it.
    """
    places = [Path(name_or_path)]
    if Path(name_or_path).name == str(name_or_path):
        name = str(name_or_path)
        places += [root / name for root in _roots()]
        places += [PRETRAINED / _ALIASES[name]] if name in _ALIASES else []
    for place in places:
        run = RunFolder(place)
        if run.model.is_file() and run.exists:
            _check_registered(run.recipe.model, place)
            return run
    near = suggest(str(name_or_path), [run.path.name for run in list_runs()])
    raise FileNotFoundError(
        f"No trained model at {str(name_or_path)!r}. Expected a run folder with 'model.keras' and "
        f"'recipe.json', as {command('train')} writes it, or the name of one in 'saved_models'. "
        f"{near}".rstrip()
    )


def results_folder(run: RunFolder) -> Path:
    """Return where to write what is found out about a run: its folder.

    Of a model that ships with the project it is a folder of its name in `saved_models` of the
    working directory: what is shipped, and may be installed for all users, stays as it is.
    """
    path = run.path.resolve()
    return Path("saved_models") / path.name if path.parent == PRETRAINED.resolve() else run.path


def _check_registered(model: str, place: Path) -> None:
    if not is_registered(model):
        raise ValueError(
            f"The model {model!r} of the run {str(place)!r} is not registered. If it is your own, "
            "register it with --import FILE.py."
        )


def load(name_or_path: str | Path) -> "ImageModel":
    """Load a trained autoencoder.

    Args:
        name_or_path: The name of a run in `saved_models`, or a run folder.

    Returns:
        An `ImageModel` with the weights of the best epoch.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if the model file is damaged.

    Example:
        >>> model = ae_keras.load("cae-cifar10")
        >>> latents = model.encode(images)
    """
    return load_model(find_run(name_or_path).model)


def _reason(error: Exception) -> str:
    """Return what an error says, without the whole configuration that Keras adds to it."""
    text = str(error).rpartition("Exception encountered: ")[2]
    for rest in ("Full object config", "If you trust the source"):
        text = text.partition(rest)[0]
    return textwrap.shorten(text, _LONGEST_REASON, placeholder=" ...").rstrip(".")


def load_model(path: str | Path) -> "ImageModel":
    """Load a `.keras` file of this library.

    Raises:
        ValueError: if it is damaged or holds something else.
    """
    check_shipped(path)
    import keras

    # What is in `ae_keras.models` is registered by this, and so what the file may hold.
    from ae_keras.models.image_model import ImageModel
    from ae_keras.runs.model_files import check_model_file

    try:
        check_model_file(Path(path))
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:
        raise ValueError(
            f"Cannot load {str(path)!r} as a model: {_reason(error)}. {REMEDY}"
        ) from error
    if not isinstance(model, ImageModel):
        kind = type(model).__name__
        raise ValueError(
            f"{str(path)!r} holds a {kind}, not an Autoencoder, a Colourizer or a denoiser."
        )
    return model
