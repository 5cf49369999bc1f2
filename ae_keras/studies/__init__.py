"""The experiments of the literature, one file each; `ae-keras study` runs them.

A study is a module with a docstring (what was done, what the report found), a `TITLE`, and a
function `run(workspace)` that trains, measures, and returns its `Page`. The verdicts of a page are
data, which the study's `judge` makes of what was measured; `page` makes sentences of them.
"""

import importlib
from types import ModuleType

from ae_keras.system.names import suggest

# Names, with a line for each, in the order in which `ae-keras study all` runs them.
STUDIES = {
    "latent_size": "latents of 1 to 1024: mlp and conv on MNIST and CIFAR-10",
    "wide_latents": "256, 512 and 1,024 feature maps: error, time and memory of conv",
    "depth": "one or two layers, 64 or 128 filters: conv on MNIST",
    "denoising": "autoencoders as filters of noise, beside median and non-local means",
    "photograph_denoising": "denoiser on photographs, beside non-local means and BM3D",
    "out_of_domain": "photographs for a model of digits, and how its error gives them away",
    "recognition": "does a classifier still recognize what was compressed?",
    "architectures": "fewer, more and wider convolutions, smaller and larger latents: cae",
    "celeba_models": "faces: strided convolutions or pooling, and a grid of batch and width",
    "svd": "MNIST: lossy_cae and lossless_mlp against the SVD and PCA; maps of their latents",
    "latent_space": "walks and samples: mlp, lossy_cae, vae_v1 and vae_v2",
    "grouped_convolution": "what groups save and cost: vae_v1 and vae_v2 with and without",
    "compression_rate": "real bits of every model at its default step, beside PNG, JPEG, WebP",
    "colourization": "colours for grey images: regression and classification of chroma",
    "photograph_colourization": "colours for photographs: models of small images and of crops",
    "export": "SavedModel, ONNX and LiteRT: exactness, size and speed beside Keras",
}


def load_study(name: str) -> ModuleType:
    """Return the module of a study.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in STUDIES:
        known, near = ", ".join(STUDIES), suggest(name, STUDIES)
        raise ValueError(f"Unknown study {name!r}. Expected one of: {known}. {near}".rstrip())
    return importlib.import_module(f"ae_keras.studies.{name}")
