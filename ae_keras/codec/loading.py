"""Codecs of trained and of exported models: loaded by name, found for a file."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING

from ae_keras.codec import EXPORTED_SUFFIX
from ae_keras.codec.bitstream import Header
from ae_keras.codec.errors import WrongModelError
from ae_keras.codec.hyperprior.entropy_model import HyperpriorModel
from ae_keras.codec.hyperprior.strip_codec import StripCodec
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.kinds import AnyEntropyModel, MakeCodec, load_tables
from ae_keras.codec.learned_codec import MAX_PIXELS, LearnedCodec
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, list_runs, load_model
from ae_keras.system.invocation import command
from ae_keras.system.quiet import import_backend_quietly

if TYPE_CHECKING:  # Keras is slow to import
    from ae_keras.models.image_model import ImageModel


def load_codec(
    model: str | Path,
    step: int | None = None,
    overlap: int | None = None,
    label: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> LearnedCodec:
    """Load the codec of a trained or of an exported model.

    Args:
        model: A run folder, or its name in `saved_models`; or a `.tflite` file of encoder and
            decoder, as `ae-keras export` writes it, for which neither TensorFlow nor Keras is
            needed.
        step: int. Of the quantization. Default: the one fitted to the model.
        overlap: int. Pixels that tiles share. Default: the model's choice.
        label: int. Of the images, for a conditional model.
        max_pixels: int. Larger images are not decoded.

    Raises:
        FileNotFoundError: if there is no such run or file, or the run has no entropy tables.
        ValueError: if files are damaged, do not belong together, or are no codec.

    Example:
        >>> codec = ae_keras.load_codec("vae_v2-cifar10").with_quality(60)
        >>> data = codec.compress(image)  # uint8, of any size
        >>> image = codec.decompress(data)
    """
    load = _load_exported if Path(model).suffix == EXPORTED_SUFFIX else _load_run
    return load(model)(step, overlap, label, max_pixels)


def _load_exported(path: str | Path) -> MakeCodec:
    # Not needed where a model comes from a run.
    from ae_keras.codec.litert_transform import load_exported

    return load_exported(path)


def _load_run(run: str | Path) -> MakeCodec:
    import_backend_quietly()
    folder = find_run(run)
    if not folder.entropy_tables.is_file():
        _check_has_latent(folder)
        raise FileNotFoundError(
            f"{str(folder.path)!r} has no entropy tables. Make them with: "
            f"{command('evaluate')} {folder.path} --rate-distortion"
        )
    written = [path.stat().st_mtime_ns for path in (folder.model, folder.entropy_tables)]
    return _load_parts(folder.path.resolve(), *written)


def _check_has_latent(run: RunFolder) -> None:
    """Raise `ValueError` if no tables would make a codec of a run's model."""
    from ae_keras.codec.keras_transform import check_has_latent

    check_has_latent(load_model(run.model), run.recipe.model)


@functools.lru_cache(maxsize=4)
def _load_parts(path: Path, *written: int) -> MakeCodec:
    """Load the model and tables of a run; the same ones until its files are written anew."""
    # Not needed, and slow to import, where a model comes from a `.tflite` file.
    from ae_keras.codec.keras_transform import KerasQualityTransform, KerasTransform

    run = RunFolder(path)
    model = load_model(run.model)
    tables = load_entropy_model(run, model)
    if isinstance(tables, HyperpriorModel):
        return functools.partial(StripCodec, KerasQualityTransform(model), tables, path.name)
    return functools.partial(ImageCodec, KerasTransform(model, run.recipe), tables, path.name)


def load_entropy_model(run: RunFolder, model: "ImageModel") -> AnyEntropyModel:
    """Load the entropy tables of a run, whose model is given.

    Raises:
        FileNotFoundError: if there are none.
        ValueError: if they are damaged, or of other weights.
    """
    from ae_keras.codec.keras_transform import digest_weights

    remedy = f"Make them again with: {command('evaluate')} {run.path} --rate-distortion"
    try:
        tables = load_tables(run.entropy_tables)
    except ValueError as error:
        raise ValueError(f"{error} {remedy}") from error
    if tables.weights_digest != digest_weights(model):
        raise ValueError(f"The entropy tables in {str(run.path)!r} are of other weights. {remedy}")
    return tables


def find_run_of(header: Header) -> Path:
    """Return the folder of the run whose model wrote a file.

    It is looked for among the user's own runs and those that ship with the project: first under
    the name in the file, then under any other.

    Raises:
        WrongModelError: if it is not there.
    """
    return _find(header)[0]


def quality_of(header: Header) -> int | None:
    """Return the quality that the step of a file stands for; None if its model is not here."""
    try:
        return _find(header)[1].quality_of_step(header.step)
    except WrongModelError:
        return None


def _find(header: Header) -> tuple[Path, AnyEntropyModel]:
    damaged = ""
    runs = sorted(list_runs(), key=lambda run: run.path.name != header.model)
    for run in runs:
        try:
            entropy_model = load_tables(run.entropy_tables)
        except OSError:  # there are none
            continue
        except ValueError as error:  # another may fit
            damaged += f" {error}"
            continue
        if entropy_model.digest == header.digest:
            return run.path, entropy_model
    raise WrongModelError(
        f"The file was written by the model {header.model!r} ({header.digest.hex()}), which is not "
        f"in 'saved_models'. Say where it is with --model.{damaged}"
    )
