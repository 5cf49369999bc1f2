"""What people wrote of trained models, in `cards.toml`, is what was measured.

As in `test_stated_figures.py`, each statement is built of the values of its file.
"""

import pytest
from sources import (
    ALL,
    DIGITS,
    FILES,
    KODAK,
    KODAK_FIRST,
    MOSAIC,
    STUDIES,
    by,
    difference,
    missing_of,
    rows_of,
    small,
    source_of,
)

STUDY = STUDIES / "photograph_colourization/photograph_colourization.csv"


def compared(percent):
    """The words for a BD-rate."""
    return f"{abs(percent):.0f} % {'more' if percent > 0 else 'fewer'}"


def small_codec(model):
    jpeg, webp = (difference(*source_of(model), name, MOSAIC) for name in ("jpeg", "webp"))
    yield f"{compared(jpeg)} bits than JPEG"
    yield f"{compared(webp)} than WebP"


def factorized_v1():
    yield from small_codec("factorized_v1")
    yield f"({difference(*source_of('factorized_v1'), 'pca', MOSAIC):+.1f} %)"


def factorized_v2():
    yield from small_codec("factorized_v2")
    percent = difference(ALL, "factorized_v2", "pca", MOSAIC)
    yield f"{compared(percent)} bits than principal components"


def vae_v1():
    yield from small_codec("vae_v1")


def vae_v2():
    yield from small_codec("vae_v2")
    files = difference(*source_of("vae_v2"), "jpeg", FILES)
    yield f"with a file for each image {compared(files)} than JPEG"


def cae():
    mosaic, files = (difference(small("cae"), "cae", "jpeg", way) for way in (MOSAIC, FILES))
    yield f"{compared(mosaic)} bits than JPEG"
    yield f"with a file for each image {compared(files)}"


def lossy_cae():
    names = {"svd": "the singular value decomposition", "pca": "principal components"}
    for anchor, label in (names | {"jpeg": "JPEG"}).items():
        percent = difference(DIGITS, "lossy_cae", anchor, MOSAIC)
        yield f"{compared(percent)} {'bits ' if anchor == 'svd' else ''}than {label}"


def photo(path=KODAK):
    plain, refined = (
        [-difference(path, codec, name) for name in ("jpeg", "webp", "avif")]
        for codec in ("photo", "photo, effort 7")
    )
    yield f"{plain[0]:.1f} % fewer bits than JPEG and {plain[1]:.1f} % fewer than WebP"
    yield f"{plain[2]:.1f} % fewer than AVIF"
    yield f"With `--effort 7` these are {refined[0]:.1f}, {refined[1]:.1f} and {refined[2]:.1f} %"


def first_photo():
    yield from photo(KODAK_FIRST)
    less = -difference(KODAK, "photo", "photo", anchor_path=KODAK_FIRST)
    yield f"`photo-2`, which takes {less:.1f} % fewer bits for the same PSNR"


def denoiser():
    rows = rows_of(STUDIES / "photograph_denoising/photograph_denoising.csv")
    assert [row["noise"] for row in rows] == ["0.05", "0.1", "0.2"]
    for name, verb in (("denoiser", "becomes"), ("BM3D", "reaches")):
        first, second, third = (row[f"{name} [dB]"] for row in rows)
        yield f"{verb} {first}, {second} and {third} dB"


def colourizer_of_photographs():
    names = ("colourizer-photographs", "no colour", "colourizer-cifar10", "originals")
    ours, none, first, originals = (by(STUDY, "answer")[name] for name in names)
    yield f"ab-RMSE is {ours['ab-RMSE']}, where no colour has {none['ab-RMSE']}"
    yield f"`colourizer-cifar10` {first['ab-RMSE']}; Delta E 2000 is {ours['Delta E 2000']}"
    yield f"colourfulness {ours['colourfulness']} (originals: {originals['colourfulness']})"


def colourizer_of_small_images():
    grey = by(STUDIES / "colourization/answers.csv", "answer")["a = b = 0"]
    yield f"Without any colour, ab-RMSE is {grey['ab-RMSE']}"
    first, none = (by(STUDY, "answer")[name] for name in ("colourizer-cifar10", "no colour"))
    yield f"photographs it is {first['ab-RMSE']}, and without colour {none['ab-RMSE']}"


STATED = {
    cae: "cae-cifar10",
    colourizer_of_photographs: "colourizer-photographs",
    colourizer_of_small_images: "colourizer-cifar10",
    denoiser: "denoiser",
    factorized_v1: "factorized_v1-cifar10",
    factorized_v2: "factorized_v2-cifar10",
    lossy_cae: "lossy_cae-mnist",
    photo: "photo-2",
    first_photo: "photo-1",
    vae_v1: "vae_v1-cifar10",
    vae_v2: "vae_v2-cifar10",
}


@pytest.mark.parametrize("statements", STATED, ids=lambda function: function.__name__)
def test_a_card_tells_what_was_measured(statements):
    page = f"saved_models/pretrained/{STATED[statements]}/README.md"
    assert not missing_of(page, statements())
