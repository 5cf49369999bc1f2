"""The autoencoders, one module a family.

Importing this package registers all of them by name, and with Keras what their files hold:

Example:
    >>> import keras
    >>> import ae_keras.models
    >>> keras.saving.load_model("saved_models/pretrained/cae-cifar10/model.keras")
"""

from ae_keras.models import (
    celeba,
    colourization,
    convolutional,
    denoising,
    dense,
    factorized,
    hyperprior,
    variational,
)

__all__ = [
    "celeba",
    "colourization",
    "convolutional",
    "denoising",
    "dense",
    "factorized",
    "hyperprior",
    "variational",
]
