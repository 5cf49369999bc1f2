"""Noise taken out of photographs: `denoiser`, beside non-local means and BM3D.

The report took noise out of grey digits of 28x28 pixels, with autoencoders (see `denoising`). Here
`denoiser` does it with photographs in colour. It is blind, where the two methods beside it are told
how strong the noise is: scikit-image's non-local means (its strength h is 0.8 times that), and BM3D
for colour (Dabov et al., 2007), of the package `bm3d`, which is free for non-commercial use, and is
left out where it is not installed.

Noise is Gaussian, independent in each pixel and channel; its standard deviation is that of images
in [0, 1]. Noisy images and results have 8 bits, as files have. PSNR is that of all channels
together, and its mean over the photographs.
"""

import dataclasses
import os
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from skimage.restoration import denoise_nl_means

from ae_keras import figures, metrics
from ae_keras.data.photographs import load_photographs
from ae_keras.photographs.denoising import Denoiser
from ae_keras.recipe import Recipe
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run
from ae_keras.studies.page import Evidence, Page, Table, Verdict, judge_cases
from ae_keras.studies.workspace import Workspace
from ae_keras.system.invocation import install
from ae_keras.system.pixels import middle, to_uint8, to_unit_range

TITLE = "Denoising of photographs"
LEVELS = (0.05, 0.1, 0.2)
# Of a trial: BM3D takes minutes for a megapixel.
_QUICK_STEPS, _QUICK_SIDE = 20, 48
# Drawn as examples: so many photographs, a square of so many pixels of each.
_SHOWN, _SHOWN_SIDE = 6, 96

# From a noisy uint8 image and the standard deviation of its noise to a cleaned uint8 image.
Method = Callable[[np.ndarray, float], np.ndarray]


def run(workspace: Workspace) -> Page:
    """Compare what `denoiser` and two other methods leave of the noise of photographs."""
    folder = _find_denoiser(workspace)
    originals, source = _load_originals(workspace, folder.recipe)
    methods = _make_methods(Denoiser(str(folder.path)))
    levels = workspace.choose(LEVELS, len(LEVELS))
    results = {level: _clean_all(originals, level, methods) for level in levels}
    psnr = {
        level: {name: _mean_psnr(originals, images) for name, images in cleaned.items()}
        for level, cleaned in results.items()
    }
    header = ("noise", *(f"{name} [dB]" for name in psnr[levels[0]]))
    rows = [(level, *(f"{value:.2f}" for value in psnr[level].values())) for level in levels]
    table = {"photograph_denoising": Table(header, rows)}
    drawn = _draw(workspace, originals, results)
    return Page(judge(psnr, source), table, drawn)


def _find_denoiser(workspace: Workspace) -> RunFolder:
    """Return the run `denoiser`, or one that is trained on scikit-image's photographs here."""
    if workspace.quick:
        return workspace.train("denoiser", recipe_for("denoiser", steps_per_epoch=_QUICK_STEPS))
    try:
        return find_run("denoiser")
    except FileNotFoundError:
        return workspace.train("denoiser", recipe_for("denoiser"))


def _load_originals(workspace: Workspace, recipe: Recipe) -> tuple[list[np.ndarray], str]:
    """Return the photographs, uint8, that are judged, and how many of what they are, in words."""
    is_own = workspace.photographs == "skimage"
    dataset, split = ("skimage", "test") if is_own else (workspace.photographs, "all")
    spec = dataclasses.replace(recipe.data_spec, dataset=dataset, splits=None)
    images = list(load_photographs(spec, [split])[split].images)
    if workspace.quick:
        images = [image[:_QUICK_SIDE, :_QUICK_SIDE] for image in images[:1]]
    name = "scikit-image, parts for testing" if is_own else Path(dataset).expanduser().name
    return images, f"{len(images)} of {name}"


def _make_methods(denoiser: Denoiser) -> dict[str, Method]:
    methods: dict[str, Method] = {"non-local means": _nl_means}
    try:
        from bm3d import bm3d_rgb
    except ImportError:
        print(f"BM3D is left out. Install it with: {install('bm3d')}", flush=True)
    else:
        alone = threading.Lock()  # it has threads of its own, and ends the process if called twice

        def bm3d(noisy: np.ndarray, level: float) -> np.ndarray:
            with alone:
                return _to_8_bits(bm3d_rgb(to_unit_range(noisy), level))

        methods["BM3D"] = bm3d
    return methods | {"denoiser": lambda noisy, level: denoiser(noisy)}


def _nl_means(noisy: np.ndarray, level: float) -> np.ndarray:
    options = {"h": 0.8 * level, "sigma": level, "fast_mode": False, "channel_axis": -1}
    return _to_8_bits(denoise_nl_means(to_unit_range(noisy), 5, 6, **options))


def _to_8_bits(image: np.ndarray) -> np.ndarray:
    return to_uint8(np.clip(image, 0, 1))


def add_noise(image: np.ndarray, level: float) -> np.ndarray:
    """Return a uint8 image with noise, always the same for an image, as uint8."""
    rng = np.random.default_rng(zlib.crc32(np.ascontiguousarray(image).data))
    return _to_8_bits(to_unit_range(image) + rng.normal(0, level, image.shape))


def _clean_all(
    originals: list[np.ndarray], level: float, methods: dict[str, Method]
) -> dict[str, list[np.ndarray]]:
    """Return noisy photographs, and what each method makes of them."""
    noisy = [add_noise(image, level) for image in originals]
    result = {"noisy": noisy}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, method in methods.items():
            result[name] = list(pool.map(method, noisy, [level] * len(noisy)))
            print(f"noise {level}: {name} done", flush=True)
    return result


def _mean_psnr(originals: list[np.ndarray], images: list[np.ndarray]) -> float:
    pairs = zip(originals, images, strict=True)
    return float(np.mean([metrics.image_psnr(original, image) for original, image in pairs]))


def _draw(
    workspace: Workspace,
    originals: list[np.ndarray],
    results: dict[float, dict[str, list[np.ndarray]]],
) -> dict[str, str]:
    """Draw the middles of some photographs, for each level of noise."""
    shown = range(0, len(originals), -(-len(originals) // _SHOWN))
    side = min(_SHOWN_SIDE, *(min(originals[index].shape[:2]) for index in shown))
    drawn = {}
    for level, cleaned in results.items():
        rows = {
            label: to_unit_range(np.stack([middle(images[index], side) for index in shown]))
            for label, images in ({"original": originals} | cleaned).items()
        }
        title = f"Noise of a standard deviation of {level}, and what is left of it ({side} pixels)"
        name = f"noise-{level}"
        drawn[workspace.draw(name, figures.save_image_rows, rows, title)] = title
    return drawn


def judge(psnr: dict[float, dict[str, float]], source: str) -> list[Verdict]:
    """Say whether `denoiser` is above both other methods, and by how much.

    Args:
        psnr: For each level of noise that of the noisy images, and of each method's, in dB.
        source: str. How many photographs of what, in words.
    """
    others = [name for name in next(iter(psnr.values())) if name not in ("noisy", "denoiser")]
    gains = {
        name: tuple(each["denoiser"] - each[name] for each in psnr.values())
        for name in ("noisy", *others)
    }
    levels = ", ".join(map(str, psnr))
    ahead = [gain > 0 for name in others for gain in gains[name]]
    return [
        Verdict(
            f"`denoiser` leaves less of the noise of photographs than {' and '.join(others)}",
            judge_cases(ahead),
            (
                *(
                    Evidence(f"above {name} at {levels}", gains[name], "dB", "+.2f")
                    for name in others
                ),
                Evidence("photographs", source),
            ),
        ),
        Verdict(
            "What it takes away",
            None,
            (Evidence(f"above the noisy images at {levels}", gains["noisy"], "dB", "+.2f"),),
        ),
    ]
