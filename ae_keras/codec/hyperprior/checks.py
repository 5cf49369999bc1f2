"""What the arrays of a hyperprior must be, so that none that anyone made breaks what computes."""

import math
from collections.abc import Mapping

import numpy as np

from ae_keras.codec.entropy_coding import LARGEST_SYMBOL
from ae_keras.codec.hyperprior.levels import QUALITIES, SCALE_COUNT
from ae_keras.codec.hyperprior.networks import EIGHTHS, HYPER_BLOCK, LARGEST_KNOWN
from ae_keras.codec.hyperprior.strips import BLOCK

Shape = tuple[int, ...]

# Ten times those of the largest model: what a strip takes of memory grows with them.
_MOST_CHANNELS = 2**12
# Of a strip, in pixels.
_WIDEST_MARGIN = 2**10


def check_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse arrays that are not those of `entropy_model.HyperpriorModel`.

    Raises:
        ValueError: if one is of another shape or type, or holds a number out of range.
        KeyError: if one is missing.
        IndexError: if one is a single number.
    """
    latents, features, hyper = (
        arrays[f"levels/{name}"].shape[-1] for name in ("unit", "modulation_scale", "hyper_mean")
    )
    maps = arrays["weights/hyper_decoder/first/kernel"].shape[-1] // 4
    context = arrays["weights/context/first/kernel"].shape[-1]
    if max(latents, features, hyper, maps, context) > _MOST_CHANNELS:
        raise ValueError(f"Expected at most {_MOST_CHANNELS:,} channels.")
    weights = _weight_shapes(latents, features, hyper, maps, context)
    whole = {f"weights/{name}": shape for name, shape in weights.items()}
    whole |= {f"levels/hyper_{name}": (len(QUALITIES), hyper) for name in ("mean", "table")}
    for name in ("modulation_scale", "modulation_shift"):
        whole[f"levels/{name}"] = len(QUALITIES), features
    whole |= {"levels/log_unit": (len(QUALITIES), latents), "margins": (2,)}
    whole |= {"lowest": (SCALE_COUNT,), "lengths": (SCALE_COUNT,)}
    real: dict[str, Shape] = {
        f"levels/{name}": (len(QUALITIES), latents) for name in ("unit", "step")
    }
    real |= {"levels/hyper_step": (len(QUALITIES), hyper), "preview": (latents, 12)}
    real |= {"scales": (2,), "offsets": (SCALE_COUNT,)}
    for shapes, kinds in ((whole, "iu"), (real, "f")):
        for name, shape in shapes.items():
            _check_array(name, arrays[name], shape, kinds)
    _check_ranges(arrays)


def _weight_shapes(
    latents: int, features: int, hyper: int, maps: int, context: int
) -> dict[str, Shape]:
    """Return the shapes of the networks' weights, for numbers of channels and of feature maps."""
    return {
        **_dense("hyper_decoder/first", hyper, 4 * maps),
        **_block("hyper_decoder/first_block", maps),
        **_dense("hyper_decoder/second", maps, 4 * features),
        **_block("hyper_decoder/second_block", features),
        **_dense("head", features, 2 * latents),
        **_dense("context/first", features + latents, context),
        **_depthwise("context/depthwise", context),
        **_dense("context/last", context, 2 * latents),
        "arcsinh": (EIGHTHS * LARGEST_KNOWN + 1,),
    }


def _dense(name: str, inputs: int, outputs: int) -> dict[str, Shape]:
    return {f"{name}/kernel": (inputs, outputs), f"{name}/bias": (outputs,)}


def _depthwise(name: str, channels: int) -> dict[str, Shape]:
    return {f"{name}/kernel": (3, 3, channels), f"{name}/bias": (channels,)}


def _block(name: str, channels: int) -> dict[str, Shape]:
    return {
        **_dense(f"{name}/mix_in", channels, channels),
        **_depthwise(f"{name}/depthwise", channels),
        **_dense(f"{name}/mix_out", channels, channels),
        **_dense(f"{name}/widen", channels, 2 * channels),
        **_dense(f"{name}/narrow", 2 * channels, channels),
    }


def _check_array(name: str, array: np.ndarray, shape: Shape, kinds: str) -> None:
    if array.shape != shape or not math.prod(shape) or array.dtype.kind not in kinds:
        numbers = "whole" if kinds == "iu" else "real"
        raise ValueError(
            f"Expected {name!r} of {numbers} numbers and shape {shape}. "
            f"Received: {array.dtype} of shape {array.shape}"
        )
    if kinds == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name!r} holds what is no number")


def _check_ranges(arrays: Mapping[str, np.ndarray]) -> None:
    tables, spacing = arrays["levels/hyper_table"], arrays["scales"][1]
    if tables.min() < 0 or tables.max() >= SCALE_COUNT or not spacing > 0:
        raise ValueError(f"Expected tables from 0 to {SCALE_COUNT - 1}, and scales that rise.")
    if np.abs(arrays["levels/hyper_mean"].astype(float)).max() > LARGEST_SYMBOL:
        raise ValueError("A mean of hyper-latents is too large.")
    for margin, unit in zip(arrays["margins"].tolist(), (BLOCK, BLOCK // HYPER_BLOCK), strict=True):
        if not 0 < margin <= _WIDEST_MARGIN or margin % unit:
            raise ValueError(
                f"Expected margins from {unit} to {_WIDEST_MARGIN}. Received: {margin}"
            )
