"""ae-keras: autoencoders as real image codecs, on Keras 3 and TensorFlow.

The names here are what a user calls; each loads its part of the library when first used, so that
importing `ae_keras` is quick.

Example:
    >>> import ae_keras
    >>> recipe = ae_keras.recipe_for("cae", dataset="cifar10", epochs=3)
    >>> ae_keras.train(recipe, "saved_models/my-run")
    >>> model = ae_keras.load("my-run")
    >>> size = ae_keras.compress_file("photo.jpg", "photo.aek", quality=60)
"""

import importlib
from typing import TYPE_CHECKING, Any

from ae_keras.recipe import Recipe
from ae_keras.registry import build_model, change_recipe, list_models, recipe_for
from ae_keras.system.quiet import import_backend_quietly

if TYPE_CHECKING:  # what `__getattr__` returns, for type checkers and editors
    from ae_keras.codec.loading import load_codec
    from ae_keras.evaluation.rate_distortion import measure_rate_distortion
    from ae_keras.evaluation.reconstruction import evaluate
    from ae_keras.export.litert_form import write_litert
    from ae_keras.models.autoencoder import Autoencoder
    from ae_keras.models.registration import register_model
    from ae_keras.photographs.files import compress_file, decompress_file
    from ae_keras.runs.loading import load
    from ae_keras.training.preview import preview
    from ae_keras.training.starting import decay, fine_tune
    from ae_keras.training.trainer import train

__version__ = "0.2.0"

_MODULE_OF = {
    "Autoencoder": "ae_keras.models.autoencoder",
    "compress_file": "ae_keras.photographs.files",
    "decay": "ae_keras.training.starting",
    "decompress_file": "ae_keras.photographs.files",
    "evaluate": "ae_keras.evaluation.reconstruction",
    "fine_tune": "ae_keras.training.starting",
    "load": "ae_keras.runs.loading",
    "load_codec": "ae_keras.codec.loading",
    "measure_rate_distortion": "ae_keras.evaluation.rate_distortion",
    "register_model": "ae_keras.models.registration",
    "preview": "ae_keras.training.preview",
    "train": "ae_keras.training.trainer",
    "write_litert": "ae_keras.export.litert_form",
}
# These import Keras and its backend themselves, where LiteRT does not run the model.
_LIGHT = {"compress_file", "decompress_file", "load_codec"}

__all__ = [
    "Autoencoder",
    "Recipe",
    "build_model",
    "change_recipe",
    "compress_file",
    "decay",
    "decompress_file",
    "evaluate",
    "fine_tune",
    "list_models",
    "load",
    "load_codec",
    "measure_rate_distortion",
    "preview",
    "recipe_for",
    "register_model",
    "train",
    "write_litert",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'ae_keras' has no attribute {name!r}")
    if name not in _LIGHT:
        import_backend_quietly()
    return getattr(importlib.import_module(_MODULE_OF[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULE_OF])
