"""A trained hyperprior to the integers that files are coded with."""

import numpy as np
from keras import ops

from ae_keras.codec.hyperprior.fixed_point import ACTIVATION, WEIGHT
from ae_keras.codec.hyperprior.levels import QUALITIES, scales_between
from ae_keras.codec.hyperprior.networks import EIGHTHS, LARGEST_KNOWN
from ae_keras.codec.hyperprior.strips import BLOCK, PREVIEW
from ae_keras.layers.hyperprior import LATENT_BLOCK, SCALES, Hyperprior
from ae_keras.models.hyperprior import HyperpriorAutoencoder
from ae_keras.system.quality import position_of_quality

_BLOCK_PARTS = ("mix_in", "depthwise", "mix_out", "widen", "narrow")
_LAYERS = (
    "hyper_decoder/first",
    *(f"hyper_decoder/first_block/{part}" for part in _BLOCK_PARTS),
    "hyper_decoder/second",
    *(f"hyper_decoder/second_block/{part}" for part in _BLOCK_PARTS),
    "head",
    "context/first",
    "context/depthwise",
    "context/last",
)
# Each block of encoder and decoder looks one place further, which is 8 pixels wide; those of the
# hyper encoder see three latents above and below.
_BLOCK_STRIDE = 8
_HYPER_ENCODER_ROWS = 3


def convert(model: HyperpriorAutoencoder) -> dict[str, np.ndarray]:
    """Return the arrays of a model's `HyperpriorModel`, but for those of its frequency tables."""
    entropy_model = model.entropy_model
    scales = scales_between(*SCALES)
    levels = _levels(model)
    return {
        **{f"weights/{name}": array for name, array in _weights(entropy_model).items()},
        **{f"levels/{name}": array for name, array in levels.items()},
        "scales": np.array([scales.lowest, scales.spacing]),
        "margins": np.array(_margins(model), np.int32),
        "preview": _preview(model),
    }


def _round(values: np.ndarray, factor: float) -> np.ndarray:
    return np.rint(np.asarray(values, float) * factor).astype(np.int32)


def _weights(entropy_model: Hyperprior) -> dict[str, np.ndarray]:
    """Return kernels and biases of the networks, and the table of asinh."""
    arrays = {}
    for name in _LAYERS:
        layer = entropy_model
        for part in name.split("/"):
            layer = getattr(layer, part)
        kernel, bias = (np.squeeze(weight) for weight in layer.get_weights())
        arrays[f"{name}/kernel"] = _round(kernel, WEIGHT)
        arrays[f"{name}/bias"] = _round(bias, WEIGHT * ACTIVATION)
    known = np.arange(LARGEST_KNOWN * EIGHTHS + 1) / EIGHTHS
    return {**arrays, "arcsinh": np.rint(ACTIVATION * np.arcsinh(known)).astype(np.int16)}


def _levels(model: HyperpriorAutoencoder) -> dict[str, np.ndarray]:
    """Return what belongs to each quality, but for means and tables of hyper-latents."""
    entropy_model = model.entropy_model
    positions = position_of_quality(np.array(QUALITIES)).astype(np.float32)

    def at(tensor: object) -> np.ndarray:
        return np.asarray(ops.convert_to_numpy(tensor), float).reshape(len(positions), -1)

    modulation = entropy_model.hyper_decoder.modulation
    scale, shift = (
        at(modulation.look_up(table, positions)) for table in (modulation.scales, modulation.shifts)
    )
    unit = at(entropy_model.log_deviation + entropy_model.gain.log_gain(positions))
    inverse_gain = model.decoder.get_layer("inverse_gain").log_gain(positions)
    return {
        "hyper_step": (ACTIVATION / at(entropy_model.hyper_gain(positions))).astype(np.float32),
        "modulation_scale": _round(1 + scale, WEIGHT),
        "modulation_shift": _round(shift, WEIGHT * ACTIVATION),
        "unit": (np.exp(unit) / ACTIVATION).astype(np.float32),
        "log_unit": np.rint(unit * ACTIVATION).astype(np.int16),
        "step": np.exp(at(inverse_gain)).astype(np.float16),
    }


def _margins(model: HyperpriorAutoencoder) -> list[int]:
    """Return the rows of pixels that latents, and those of latents that pixels, depend on.

    Of the three latents above and below that a hyper-latent sees, the outermost one is computed
    without some of the pixels around it: that changes no symbol, and saves a second row of blocks.
    """
    around = _BLOCK_STRIDE * model.get_config()["blocks"]
    seen = max(around, _HYPER_ENCODER_ROWS * LATENT_BLOCK)
    return [-(-seen // BLOCK) * BLOCK, -(-around // LATENT_BLOCK) * LATENT_BLOCK]


def _preview(model: HyperpriorAutoencoder) -> np.ndarray:
    """Return the means of 8x8 pixels, 8-bit values, of the linear transform's patches."""
    (kernel,) = model.decoder.get_layer("inverse_klt").get_weights()
    count = LATENT_BLOCK // PREVIEW
    patches = kernel.reshape(-1, count, PREVIEW, count, PREVIEW, 3)
    return patches.mean(axis=(2, 4)).reshape(len(kernel), -1)
