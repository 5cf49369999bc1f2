"""The codecs of a comparison: that of a run, classical ones, and those of other runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ae_keras.codec.catalogue import ClassicalCodec, find_classical, unknown_codec
from ae_keras.codec.classical import make_codec
from ae_keras.codec.fitting import fit_run, load_training_images
from ae_keras.codec.loading import load_codec
from ae_keras.codec.protocols import Codec
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import list_runs


@dataclass(frozen=True)
class Contender:
    """A codec in a comparison.

    Args:
        name: str. In tables and figures.
        codec: Codec.
        qualities: At which it is measured; one of them is None if it takes no quality.
    """

    name: str
    codec: Codec
    qualities: Sequence[int | None]


def load_contenders(
    folder: RunFolder, recipe: Recipe, against: Sequence[str], qualities: Sequence[int]
) -> list[Contender]:
    """Return the codec of a run, whose entropy tables are fitted if it has none, then the others.

    Args:
        folder: RunFolder.
        recipe: Recipe. Says what the training images are.
        against: Names of classical codecs; any other is the path or name of a run.
        qualities: Those of learned codecs and of linear transforms.

    Raises:
        FileNotFoundError: if there is no such run, or it has no entropy tables.
        ValueError: if a name is unknown, or two codecs have the same.
    """
    training, has_tables = None, _has_tables(folder)
    classical = {name: find_classical(name) for name in against}
    if not has_tables or any(known and known.needs_training for known in classical.values()):
        training = load_training_images(recipe)
    if not has_tables:
        fit_run(folder, training)
    fitted = None if training is None else training.images
    contenders = [Contender(recipe.model, load_codec(folder.path), qualities)]
    for name in against:
        label, known = Path(name).name, classical[name]
        if label in {other.name for other in contenders}:
            raise ValueError(f"Two codecs have the name {label!r}: rename the folder of one.")
        codec = _load_run(name) if known is None else make_codec(name, fitted)
        contenders.append(Contender(label, codec, _qualities_of(codec, known, qualities)))
    return contenders


def _has_tables(folder: RunFolder) -> bool:
    """Whether a run has entropy tables, and they are of its weights."""
    try:
        load_codec(folder.path)
    except (FileNotFoundError, ValueError):
        return False
    return True


def _load_run(name: str) -> Codec:
    is_path = Path(name).name != name or Path(name).exists()
    runs = {run.path.name for run in list_runs()}
    if not is_path and name not in runs:
        raise unknown_codec(name, runs)
    return load_codec(name)


def _qualities_of(
    codec: Codec, known: ClassicalCodec | None, qualities: Sequence[int]
) -> Sequence[int | None]:
    if not codec.takes_quality:
        return (None,)
    return (known.qualities if known else ()) or qualities
