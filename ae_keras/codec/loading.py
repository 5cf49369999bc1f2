"""Codecs of trained models: fitted after training, loaded by name, found for a file."""

import functools
from pathlib import Path

from ae_keras.codec.bitstream import Header
from ae_keras.codec.errors import WrongModelError
from ae_keras.codec.fitting import fit_quantizer
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.quantizer import Quantizer
from ae_keras.codec.transforms import KerasTransform, digest_weights
from ae_keras.data.loading import Images, load_images
from ae_keras.safe_files import write_safely
from ae_keras.saved_model import RunFolder, find_run, list_runs, load_model


def fit_run(run: RunFolder, training: Images | None = None) -> Quantizer:
    """Fit the entropy tables of a run's model, and write them into its folder.

    Args:
        run: RunFolder. With a trained model.
        training: Images. Default: those of the run's recipe, which are read.

    Raises:
        ValueError: if the model or the data set cannot be read.
        OSError: if the tables cannot be written.
    """
    recipe, model = run.recipe, load_model(run.model)
    training = training or load_images(recipe, ["train"])["train"]
    quantizer = fit_quantizer(
        KerasTransform(model, recipe), training.images, training.labels, digest_weights(model)
    )
    with write_safely(run.entropy_tables) as path:
        quantizer.save(path)
    return quantizer


def load_codec(run: str | Path, **settings) -> ImageCodec:
    """Load the codec of a trained model.

    Args:
        run: A run folder, or its name in `saved_models`.
        settings: Arguments of `ImageCodec`: `step`, `overlap`, `label`, `max_pixels`.

    Raises:
        FileNotFoundError: if there is no such run, or it has no entropy tables.
        ValueError: if its files are damaged, or do not belong together.

    Example:
        >>> codec = ae_keras.load_codec("vae_v2-cifar10").with_quality(60)
        >>> data = codec.compress(image)  # uint8, of any size
        >>> image = codec.decompress(data)
    """
    folder = find_run(run)
    if not folder.entropy_tables.is_file():
        raise FileNotFoundError(
            f"{str(folder.path)!r} has no entropy tables. Make them with: "
            f"python scripts/evaluate.py {folder.path} --rate-distortion"
        )
    written = [path.stat().st_mtime_ns for path in (folder.model, folder.entropy_tables)]
    transform, quantizer = _load_parts(folder.path.resolve(), *written)
    return ImageCodec(transform, quantizer, folder.path.resolve().name, **settings)


@functools.lru_cache(maxsize=4)
def _load_parts(path: Path, *written: int) -> tuple[KerasTransform, Quantizer]:
    """Return the model and tables of a run; the same ones until its files are written anew."""
    run = RunFolder(path)
    quantizer, model = Quantizer.load(run.entropy_tables), load_model(run.model)
    if quantizer.weights_digest != digest_weights(model):
        raise ValueError(
            f"The entropy tables in {str(path)!r} are of other weights. Make them again with: "
            f"python scripts/evaluate.py {path} --rate-distortion"
        )
    return KerasTransform(model, run.recipe), quantizer


def find_run_of(header: Header) -> Path:
    """Return the folder of the run whose model wrote a file.

    It is looked for among the user's own runs and those that ship with the project: first under
    the name in the file, then under any other.

    Raises:
        WrongModelError: if it is not there.
    """
    runs = sorted(list_runs(), key=lambda run: run.path.name != header.model)
    for run in runs:
        try:
            if run.entropy_tables.is_file() and (
                Quantizer.load(run.entropy_tables).digest == header.digest
            ):
                return run.path
        except ValueError:  # damaged; another may fit
            continue
    raise WrongModelError(
        f"The file was written by the model {header.model!r} ({header.digest.hex()}), which is not "
        "in 'saved_models'. Say where it is with --model."
    )
