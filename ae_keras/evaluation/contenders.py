"""The codecs of a comparison: that of a run, classical ones, and those of other runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ae_keras.codec.catalogue import ClassicalCodec, find_classical, unknown_codec
from ae_keras.codec.classical import make_codec
from ae_keras.codec.fitting import fit_run, load_training_images
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.learned_codec import LearnedCodec
from ae_keras.codec.loading import load_codec
from ae_keras.codec.protocols import Codec
from ae_keras.data.images import Images
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
    folder: RunFolder,
    recipe: Recipe,
    against: Sequence[str],
    qualities: Sequence[int] | None = None,
    efforts: Sequence[int] = (1,),
) -> list[Contender]:
    """Return the codec of a run, whose entropy tables are fitted if it has none, then the others.

    Args:
        folder: RunFolder.
        recipe: Recipe. Says what the training images are.
        against: Names of classical codecs; any other is the path or name of a run.
        qualities: Those of learned codecs and of linear transforms. Default: each codec's own.
        efforts: Those of the run's own codec, see `ae_keras.load_codec`.

    Raises:
        FileNotFoundError: if there is no such run, or it has no entropy tables.
        ValueError: if a name is unknown, or two codecs have the same.
    """
    training = None
    classical = {name: find_classical(name) for name in against}
    if any(known and known.needs_training for known in classical.values()):
        training = load_training_images(recipe)
    fitted = None if training is None else training.images
    contenders = []
    for effort in efforts:
        own = load_fitted_codec(folder, recipe, training, effort)
        label = recipe.model if effort == 1 else f"{recipe.model}, effort {effort}"
        contenders.append(Contender(label, own, qualities or own.usual_qualities))
    for name in against:
        label, known = Path(name).name, classical[name]
        if label in {other.name for other in contenders}:
            raise ValueError(f"Two codecs have the name {label!r}: rename the folder of one.")
        contenders.append(
            _contender_of_run(name, label, qualities)
            if known is None
            else Contender(label, make_codec(name, fitted), _qualities_of(known, qualities))
        )
    return contenders


def load_fitted_codec(
    folder: RunFolder, recipe: Recipe, training: Images | None = None, effort: int = 1
) -> LearnedCodec:
    """Return the codec of a run; its entropy tables are fitted if it has none of its weights.

    Args:
        folder: RunFolder.
        recipe: Recipe. Says what the training images are.
        training: Images. These, if they are at hand.
        effort: int. See `ae_keras.load_codec`.

    Raises:
        ValueError: if the model is no codec, or the data set does not fit.
        OSError: if files cannot be read or written.
    """
    try:
        load_codec(folder.path)
    except (FileNotFoundError, ValueError):
        fit_run(folder, training or load_training_images(recipe))
    return load_codec(folder.path, effort=effort)


def _contender_of_run(name: str, label: str, qualities: Sequence[int] | None) -> Contender:
    is_path = Path(name).name != name or Path(name).exists()
    runs = {run.path.name for run in list_runs()}
    if not is_path and name not in runs:
        raise unknown_codec(name, runs)
    codec = load_codec(name)
    return Contender(label, codec, qualities or codec.usual_qualities)


def _qualities_of(known: ClassicalCodec, qualities: Sequence[int] | None) -> Sequence[int | None]:
    if known.is_lossless:
        return (None,)
    return known.qualities or qualities or ImageCodec.usual_qualities
