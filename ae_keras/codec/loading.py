"""Codecs of trained and of exported models: loaded by name, found for a file."""

import functools
from pathlib import Path

from ae_keras.codec import EXPORTED_SUFFIX
from ae_keras.codec.bitstream import Header
from ae_keras.codec.errors import WrongModelError
from ae_keras.codec.kinds import AnyEntropyModel, MakeCodec, codec_of, load_tables
from ae_keras.codec.learned_codec import MAX_PIXELS, LearnedCodec
from ae_keras.codec.runtimes import (
    EFFORTS,
    check_threads,
    load_transform,
    refine_transform,
    wanted_runtime,
)
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, list_runs
from ae_keras.system.invocation import command
from ae_keras.system.safe_files import version_of


def load_codec(
    model: str | Path,
    step: int | None = None,
    overlap: int | None = None,
    label: int | None = None,
    max_pixels: int = MAX_PIXELS,
    *,
    runtime: str | None = None,
    threads: int | None = None,
    effort: int = 1,
) -> LearnedCodec:
    """Load the codec of a trained or of an exported model.

    Several threads may use it at once.

    Args:
        model: A run folder, or its name in `saved_models`; or a `.tflite` file of encoder and
            decoder, as `ae-keras export` writes it.
        step: int. Of the quantization. Default: the one fitted to the model.
        overlap: int. Pixels that tiles share. Default: the model's choice.
        label: int. Of the images, for a conditional model.
        max_pixels: int. Larger images are not decoded.
        runtime: str. `"litert"` or `"keras"`, which write files for each other. Default: that of
            the environment variable AE_KERAS_RUNTIME; without it LiteRT where the run has its model
            for it, as those that ship, for which neither TensorFlow nor Keras is then needed.
        threads: int. That LiteRT computes with. Default: one for each processor.
        effort: int. From 1 to 9: how long to look for smaller files, which any reader decodes. All
            above 1 are for codecs of photographs alone, and need TensorFlow; see
            `ae_keras.codec.hyperprior.refinement`.

    Raises:
        FileNotFoundError: if there is no such run or file, the run has no entropy tables, or its
            model is not there for the runtime.
        ModuleNotFoundError: if an effort needs what is not installed.
        ValueError: if files are damaged, do not belong together, or are no codec, or the model
            knows no such effort.

    Example:
        >>> codec = ae_keras.load_codec("photo")
        >>> data = codec.compress(image, quality=60)  # uint8, of any size
        >>> image = codec.decompress(data)
    """
    check_threads(threads)
    if type(effort) is not int or effort not in EFFORTS:
        raise ValueError(f"`effort` must be a whole number from 1 to 9. Received: {effort!r}")
    load = _load_exported if Path(model).suffix == EXPORTED_SUFFIX else _load_run
    return load(model, runtime, threads, effort)(step, overlap, label, max_pixels)


def _load_exported(
    path: str | Path, runtime: str | None, threads: int | None, effort: int
) -> MakeCodec:
    if effort > 1:
        raise ValueError(f"An effort above 1 needs the run that {str(path)!r} is from.")
    if runtime == "keras":
        raise ValueError(f"{str(path)!r} is a model for LiteRT. Keras takes the run it is from.")
    # Not needed where a model is run by Keras.
    from ae_keras.codec.litert_transform import load_exported

    return load_exported(path, threads)


def _load_run(run: str | Path, runtime: str | None, threads: int | None, effort: int) -> MakeCodec:
    folder, runtime = find_run(run), wanted_runtime(runtime)
    if not folder.entropy_tables.is_file():
        load_transform(folder, runtime, threads)  # which says so if no tables would make a codec
        raise FileNotFoundError(
            f"{str(folder.path)!r} has no entropy tables. Make them with: "
            f"{command('evaluate')} {folder.path} --rate-distortion"
        )
    files = [folder.model, folder.entropy_tables, folder.litert]
    written = tuple(version_of(path) for path in files if path.exists())
    return _load_parts(folder.path.resolve(), runtime, threads, effort, written)


@functools.lru_cache(maxsize=4)
def _load_parts(
    path: Path, runtime: str | None, threads: int | None, effort: int, written: tuple
) -> MakeCodec:
    """Load the model and tables of a run; the same ones until its files are written anew."""
    run = RunFolder(path)
    transform, weights_digest = load_transform(run, runtime, threads)
    if effort > 1:
        transform = refine_transform(run, transform, effort)
    return codec_of(transform, load_entropy_model(run, weights_digest), path.name)


def load_entropy_model(run: RunFolder, weights_digest: str) -> AnyEntropyModel:
    """Load the entropy tables of a run, the digest of whose model's weights is given.

    Raises:
        FileNotFoundError: if there are none.
        ValueError: if they are damaged, or of other weights.
    """
    remedy = f"Make them again with: {command('evaluate')} {run.path} --rate-distortion"
    try:
        tables = load_tables(run.entropy_tables)
    except ValueError as error:
        raise ValueError(f"{error} {remedy}") from error
    if tables.weights_digest != weights_digest:
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
