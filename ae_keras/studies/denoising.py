"""Autoencoders as filters of noise: `conv`, trained with and without it, on MNIST.

The report gave noisy digits to a convolutional autoencoder that had been trained to reconstruct
clean ones, and found that it removes mild noise, and not strong noise. Beside it stands what such
a model does when it is trained for that, with noise of a standard deviation of 0.3, and two filters
that know nothing of digits: the median of 3x3 pixels, and non-local means, which is told how strong
the noise is (its strength h is 0.8 times that).

Noise is Gaussian, and noisy images are clipped to [0, 1]. PSNR is the mean over 1,000 test images.
"""

import numpy as np
from scipy.ndimage import median_filter
from skimage.restoration import denoise_nl_means

from ae_keras import figures, metrics
from ae_keras.data.images import Images
from ae_keras.models.image_model import ImageModel
from ae_keras.recipe import Recipe
from ae_keras.registry import change_recipe
from ae_keras.runs.pictures import reconstruct
from ae_keras.studies.depth import variant
from ae_keras.studies.page import Evidence, Page, Table, Verdict, judge_cases
from ae_keras.studies.workspace import Workspace
from ae_keras.system.pixels import to_unit_range

TITLE = "Denoising"
LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
TRAINED_LEVEL = 0.3
# Drawn as examples.
MILD, STRONG = 0.1, 0.6
_IMAGES = 1000
_SHOWN = 10


def run(workspace: Workspace) -> Page:
    """Train both models, and compare what they leave of the noise with two filters."""
    plain = variant(2, 64)
    noisy = change_recipe(plain, task="denoising", noise=TRAINED_LEVEL)
    runs = {
        "conv": workspace.train("depth-2-64", plain),
        f"conv, trained with {TRAINED_LEVEL}": workspace.train("denoising-conv", noisy),
    }
    models = {name: workspace.load_model(run) for name, run in runs.items()}
    recipe = runs["conv"].recipe
    test = workspace.load_images(runs["conv"], "test").pick(_IMAGES)
    results = {level: _clean(models, test, recipe, level) for level in LEVELS}
    originals = to_unit_range(test.images)
    psnr = {
        level: {name: _psnr(originals, images) for name, images in result.items()}
        for level, result in results.items()
    }
    header = ("noise", *(f"{name} [dB]" for name in psnr[MILD]))
    rows = [(level, *(f"{value:.2f}" for value in psnr[level].values())) for level in LEVELS]
    drawn = _draw(workspace, psnr, originals, results)
    return Page(judge(psnr), {"denoising": Table(header, rows)}, drawn)


def _clean(
    models: dict[str, ImageModel], test: Images, recipe: Recipe, level: float
) -> dict[str, np.ndarray]:
    """Return noisy images, and what each method makes of them."""
    recipe = change_recipe(recipe, task="denoising", noise=level)
    result: dict[str, np.ndarray] = {}
    for name, model in models.items():
        result["noisy"], result[name] = reconstruct(model, test, recipe)
    result["median 3x3"] = median_filter(result["noisy"], (1, 3, 3, 1))
    means = [
        denoise_nl_means(image, 5, 6, h=0.8 * level, sigma=level)
        for image in result["noisy"][..., 0]
    ]
    result["non-local means"] = np.stack(means)[..., np.newaxis]
    return result


def _psnr(originals: np.ndarray, images: np.ndarray) -> float:
    return float(metrics.psnr(metrics.mse(originals, images)).mean())


def _draw(
    workspace: Workspace,
    psnr: dict[float, dict[str, float]],
    originals: np.ndarray,
    results: dict[float, dict[str, np.ndarray]],
) -> dict[str, str]:
    curves = {
        name: (LEVELS, [psnr[level][name] for level in LEVELS], "k--" if name == "noisy" else "o-")
        for name in psnr[MILD]
    }
    panel = figures.Panel(curves, "standard deviation of the noise", "PSNR [dB], mean over images")
    title = "Noise and what is left of it: conv on MNIST"
    drawn = {workspace.draw("psnr", figures.save_curves, [panel], title): title}
    shown = slice(0, None, max(1, len(originals) // _SHOWN))
    for name, level in (("mild", MILD), ("strong", STRONG)):
        images = {"original": originals} | results[level]
        rows = {label.replace(", ", ",\n"): each[shown][:_SHOWN] for label, each in images.items()}
        title = f"Digits with noise of a standard deviation of {level}, and what is made of them"
        drawn[workspace.draw(name, figures.save_image_rows, rows, title)] = title
    return drawn


def judge(psnr: dict[float, dict[str, float]]) -> list[Verdict]:
    """Say at which noise each model improves an image, and at which the trained one is the best.

    Args:
        psnr: For each level of noise that of the noisy images, and of each method's, in dB.
    """
    plain, trained = [name for name in psnr[MILD] if name.startswith("conv")]
    mild, strong = (psnr[level][plain] > psnr[level]["noisy"] for level in (MILD, STRONG))
    wins = [level for level in LEVELS if max(psnr[level], key=psnr[level].__getitem__) == trained]
    return [
        Verdict(
            f"`{plain}` helps with mild noise and not with strong noise",
            judge_cases([mild, not strong]),
            _gains(psnr, plain),
        ),
        Verdict(f"`{trained}` as a filter of noise", None, _gains(psnr, trained)),
        Verdict(
            "Where the model trained for it is the best of all methods",
            None,
            (Evidence("at noise of", tuple(wins)),),
        ),
    ]


def _gains(psnr: dict[float, dict[str, float]], name: str) -> tuple[Evidence, ...]:
    gains = {level: psnr[level][name] - psnr[level]["noisy"] for level in LEVELS}
    return (
        *(Evidence(f"gain at {level}", gains[level], "dB", "+.1f") for level in (MILD, STRONG)),
        Evidence(
            "improves images with noise of", tuple(level for level in LEVELS if gains[level] > 0)
        ),
    )
