"""How good reconstructions are, and what they cost; `metrics.colour` is imported by itself."""

from ae_keras.metrics.distortion import (
    channel_mse,
    count_scales,
    ms_ssim,
    mse,
    psnr,
    sharpness,
    ssim,
)
from ae_keras.metrics.images import image_psnr, visible_colours
from ae_keras.metrics.rate import bd_rate, bits_per_pixel, pareto_front

__all__ = [
    "bd_rate",
    "bits_per_pixel",
    "channel_mse",
    "count_scales",
    "image_psnr",
    "ms_ssim",
    "mse",
    "pareto_front",
    "psnr",
    "sharpness",
    "ssim",
    "visible_colours",
]
