"""The model of a run in one of two runtimes: LiteRT, where the run has that form of it, or Keras.

LiteRT starts in a fraction of the time that Keras and its backend take, and goes first. `runtime`
may insist on either, as may the environment variable AE_KERAS_RUNTIME.
"""

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ae_keras.codec import RUNTIMES
from ae_keras.codec.protocols import QualityTransform
from ae_keras.codec.transform import ModelTransform
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import load_model
from ae_keras.runs.shipped import check_shipped, digest_file
from ae_keras.system.invocation import command
from ae_keras.system.quiet import import_backend_quietly
from ae_keras.system.safe_files import version_of

if TYPE_CHECKING:  # LiteRT need not be imported where Keras runs the model
    from ae_keras.codec.litert import Description, LiteRTModel

EFFORTS = range(1, 10)
_VARIABLE = "AE_KERAS_RUNTIME"


def _remedy(run: RunFolder) -> str:
    return f"Write it with: {command('export')} {run.path} --format litert --in-run --overwrite"


def wanted_runtime(runtime: str | None = None) -> str | None:
    """Return the runtime that is insisted on: the given one, or that of AE_KERAS_RUNTIME, if any.

    Raises:
        ValueError: if there is no such runtime.
    """
    name, value = "`runtime`", runtime
    if value is None:
        name, value = _VARIABLE, os.environ.get(_VARIABLE) or None
    if value is not None and value not in RUNTIMES:
        raise ValueError(f"{name} must be {' or '.join(RUNTIMES)}. Received: {value!r}")
    return value


def check_threads(threads: object) -> None:
    """Raise `ValueError` unless it is None, or so many threads can compute."""
    if threads is not None and (type(threads) is not int or threads < 1):
        raise ValueError(f"`threads` must be a whole number of at least 1. Received: {threads!r}")


def load_transform(
    run: RunFolder, runtime: str | None = None, threads: int | None = None
) -> tuple[ModelTransform | QualityTransform, str]:
    """Load the encoder and decoder of a run's model.

    Args:
        run: RunFolder. With a trained model.
        runtime: str. See `load_litert_form`.
        threads: int. See `load_litert_form`.

    Returns:
        The transform, and the digest of the model's weights.

    Raises:
        FileNotFoundError: if the model is not there for the runtime.
        ValueError: if it is damaged, or has no latent.
    """
    form = load_litert_form(run, runtime, threads)
    if form is not None:
        from ae_keras.codec.litert_transform import make_litert_transform

        return make_litert_transform(*form), form[1].weights_digest
    return _load_for_keras(run.path.resolve(), *version_of(run.model))


@functools.lru_cache(maxsize=4)
def _load_for_keras(folder: Path, *written: int) -> tuple[ModelTransform | QualityTransform, str]:
    """Do what `load_transform` does with Keras; the same until the model is written anew."""
    import_backend_quietly()
    from ae_keras.codec.keras_transform import digest_weights, make_keras_transform

    run = RunFolder(folder)
    model = load_model(run.model)
    return make_keras_transform(model, run.recipe), digest_weights(model)


def refine_transform(
    run: RunFolder, transform: ModelTransform | QualityTransform, effort: int
) -> QualityTransform:
    """Return the transform of a run whose latents cost less, see `hyperprior.refinement`.

    Raises:
        ModuleNotFoundError: if TensorFlow is not installed.
        ValueError: if the run's model does not take a quality, or Keras is on another backend.
    """
    if isinstance(transform, ModelTransform):
        raise ValueError(
            f"An effort above 1 is for codecs of photographs, and {str(run.path)!r} holds "
            f"{run.recipe.model!r}."
        )
    import_backend_quietly()
    from ae_keras.codec.hyperprior.refinement import RefiningTransform

    return RefiningTransform(transform, load_model(run.model), effort)


def load_litert_form(
    run: RunFolder, runtime: str | None = None, threads: int | None = None
) -> "tuple[LiteRTModel, Description] | None":
    """Load the model of a run for LiteRT, see `ae_keras.export.litert_form`.

    Args:
        run: RunFolder. With a trained model.
        runtime: str. `"litert"` or `"keras"`. Default: that of AE_KERAS_RUNTIME; without it,
            LiteRT if the run has a model for it that was made of its weights.
        threads: int. That LiteRT computes with. Default: one for each processor.

    Returns:
        The model, and what it is; None if Keras is to run it.

    Raises:
        FileNotFoundError: if LiteRT is insisted on, and the run has no such model.
        ValueError: if it is damaged, there are no such threads, or they are wanted of Keras.
    """
    wanted = wanted_runtime(runtime)
    check_threads(threads)
    form, reason = None, f"{str(run.path)!r} has no {run.litert.name!r}"
    if wanted != "keras" and run.litert.is_file():
        written = *version_of(run.litert), *version_of(run.model)
        form = _load(run.path.resolve(), threads, *written)
        reason = f"{str(run.litert)!r} is not of the run's 'model.keras'"
    if form is None and wanted == "litert":
        raise FileNotFoundError(f"{reason}. {_remedy(run)}")
    if form is None and threads is not None:
        raise ValueError(f"`threads` are those of LiteRT, and Keras runs {run.path.name!r}.")
    return form


@functools.lru_cache(maxsize=4)
def _load(
    folder: Path, threads: int | None, *written: int
) -> "tuple[LiteRTModel, Description] | None":
    """Load a model; the same one until its files are written anew. None if it is not the run's."""
    from ae_keras.codec.litert import LiteRTModel, unpack

    run = RunFolder(folder)
    check_shipped(run.litert)
    try:
        data, description, _ = unpack(run.litert.read_bytes())
        if description.source != digest_file(run.model):
            return None
        return LiteRTModel(data, threads), description
    except ValueError as error:
        raise ValueError(f"Cannot load {str(run.litert)!r}. {error} {_remedy(run)}") from error
