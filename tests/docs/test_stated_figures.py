"""What the README and the pages state is what the files in the repository say.

Each statement is built of the values of its file, and must stand on its page word for word.

These have no file here, and are not checked: all tables of `speed.md` and `scale.md`, times,
memory and sizes of installations; of `models.md` the rows of `mlp`, `celeba_conv` and
`celeba_pool` and the PSNR of `conv`, whose runs do not ship (the table of all models is checked by
`test_scripts.py`); of `photo.md` the rows of runs that were not kept, and the real files of the
validation photographs. The pages of studies are written with their files. What `index.md` and the
tables of studies tell is in `test_stated_studies.py`, what cards tell in `test_stated_cards.py`.
"""

import pytest
from conftest import ROOT
from sources import (
    ALL,
    DIGITS,
    EFFORTS,
    FILES,
    KODAK,
    KODAK_FIRST,
    MOSAIC,
    QUALITIES,
    RATES,
    SHIPPED,
    STUDIES,
    by,
    difference,
    metrics_of,
    missing_of,
    points,
    rows_of,
    source_of,
)

from ae_keras.codec.hyperprior.refinement import ROUNDS


def front_page():
    picture = by(ROOT / "docs/figures/equal-sizes.csv", "file")
    ours, jpeg, webp = (picture[name] for name in ("ae-keras", "JPEG", "WebP"))
    assert all(f"{float(row['bpp']):.2f}" == "0.13" for row in picture.values())
    gains = [float(ours["psnr"]) - float(other["psnr"]) for other in (jpeg, webp)]
    yield f"{gains[0]:.1f} dB better than JPEG and {gains[1]:.1f} dB better than WebP"
    assert round(24 / float(ours["bpp"]), -1) == 180
    yield "180 times smaller"
    less = [-difference(KODAK, "photo", name) for name in ("jpeg", "webp", "avif")]
    yield f"{less[0]:.0f} % fewer bits than JPEG, {less[1]:.0f} % fewer than WebP"
    yield f"{less[2]:.0f} % fewer than AVIF"
    yield f"saves another {-difference(KODAK, 'photo, effort 7', 'photo'):.0f} %"
    yield f"{metrics_of('cae-cifar10')['training']['parameters']:,} parameters"


def models():
    names = {"cae": "cifar10", "vae_v1": "cifar10", "vae_v2": "cifar10", "lossy_cae": "mnist"}
    for model, dataset in names.items():
        measured = metrics_of(f"{model}-{dataset}")
        test, epochs = measured["test"], measured["training"]["epochs"]
        yield f"| {epochs} | {test['mse']:.5f} | {test['psnr']:.1f} dB |"
    for row in rows_of(STUDIES / "depth/depth.csv"):
        settings = f"`depth={row['depth']}`, `filters={row['filters']}`"
        yield f"| `conv` | MNIST | {settings} | 3 | {float(row['test MSE']):.5f} |"
    kl = [metrics_of(f"{name}-cifar10")["test"]["kl"] for name in ("vae_v1", "vae_v2")]
    yield f"{kl[0]:,.0f} nats an image for `vae_v1`, {kl[1]:,.0f} for `vae_v2`"
    for path in sorted(SHIPPED.glob("*/metrics.json")):
        name, measured = path.parent.name, metrics_of(path.parent.name)
        size = (path.parent / "model.tflite").stat().st_size / 1000
        is_autoencoder = "ab_rmse" not in measured["test"]
        psnr = f"{measured['test']['psnr']:.1f}" if is_autoencoder else "-"
        data = "MNIST" if name.endswith("mnist") else "CIFAR-10"
        parameters = measured["training"]["parameters"]
        yield f"| `{name}` | {data} | {parameters:,} | {size:,.0f} | {psnr} |"
    for name in ("colourizer-photographs", "denoiser", "photo-2"):
        size = (SHIPPED / name / "model.tflite").stat().st_size / 1000
        yield f"| {size:,.0f} | - |"


def small_images():
    """The points of small images."""
    labels = {"jpeg": "JPEG", "webp": "WebP"}
    for codec in ("factorized_v1", "vae_v1", "vae_v2", "cae", "pca", "webp", "jpeg"):
        path, name = source_of(codec)
        rows = [row for row in rows_of(RATES / path) if row["codec"] == name]
        for quality in QUALITIES.get(codec, (40, 50, 60, 70, 80)):
            cells = [
                f"{float(row['bpp']):.2f} | {float(row['psnr']):.1f} | {float(row['ms_ssim']):.3f}"
                for layout in (FILES, MOSAIC)
                for row in rows
                if (row["layout"], row["quality"]) == (layout, str(quality))
            ]
            yield f"| {labels.get(codec, f'`{codec}`')} | {quality} | {' | '.join(cells)} |"


def small_rates():
    """The BD-rates of small images."""
    for model in ("factorized_v1", "factorized_v2", "vae_v1", "vae_v2", "cae"):
        path, name = source_of(model)
        cells = [
            f"{difference(path, name, anchor, layout):+.1f}"
            for anchor in ("jpeg", "webp", "pca")
            for layout in (FILES, MOSAIC)
        ]
        yield f"| `{model}` | {' | '.join(cells)} |"
    codecs = {
        "`factorized_v1`": "factorized_v1-cifar10",
        "`factorized_v2`": "factorized_v2",
        "`vae_v1`": "vae_v1-cifar10",
        "`vae_v2`": "vae_v2-cifar10",
        "PCA of 16x16": "pca-16",
        "PCA of 8x8": "pca-8",
    }
    for label, codec in codecs.items():
        cells = [
            "0" if codec == anchor else f"{difference(ALL, codec, anchor, MOSAIC):+.1f}"
            for anchor in ("jpeg", "webp", "pca", "pca-16", "pca-8")
        ]
        yield f"| {label} | {' | '.join(cells)} |"
    published = "cifar10/published.csv"
    less = [
        -difference(published, f"{kind} hyperprior VAE", "BPG") for kind in ("scale", "mean-scale")
    ]
    yield f"take {less[0]:.0f} and {less[1]:.0f} % fewer bits than BPG"
    costs = {
        codec: points(*source_of(codec))[0][0] - points(*source_of(codec), MOSAIC)[0][0]
        for codec in ("pca", "factorized_v1")
    }
    yield f"costs {costs['pca']:.2f} bits per pixel more"
    yield f"that of `factorized_v1` {costs['factorized_v1']:.2f} (quality 40)"


def digits():
    less = {
        (anchor, layout): -difference(DIGITS, "lossy_cae", anchor, layout)
        for anchor in ("svd", "pca", "jpeg")
        for layout in (FILES, MOSAIC)
    }
    yield (
        f"{less['svd', MOSAIC]:.0f} % fewer bits than the SVD, {less['pca', MOSAIC]:.0f} % fewer "
        f"than PCA and {less['jpeg', MOSAIC]:.0f} % fewer than JPEG (mosaics), and "
        f"{less['svd', FILES]:.0f}, {abs(less['pca', FILES]):.0f} and {less['jpeg', FILES]:.0f} %"
    )
    rows = [row for row in rows_of(RATES / DIGITS) if row["layout"] == MOSAIC]
    (ours,) = (row for row in rows if (row["codec"], row["quality"]) == ("lossy_cae", "80"))
    yield f"at an MSE of {float(ours['mse']):.4f} takes {float(ours['bpp']):.2f} bits per pixel"
    (svd,) = (row for row in rows if (row["codec"], row["quality"]) == ("svd", "40"))
    (jpeg,) = (row for row in rows if (row["codec"], row["quality"]) == ("jpeg", "5"))
    yield (
        f"the SVD takes {float(svd['bpp']):.2f} for {float(svd['mse']):.4f} and JPEG "
        f"{float(jpeg['bpp']):.2f} for {float(jpeg['mse']):.4f}"
    )
    yield f"its MSE, {metrics_of('lossy_cae-mnist')['test']['mse']:.5f},"
    ranks = by(STUDIES / "svd/ranks.csv", "transform")
    for rank in (4, 5):
        row = ranks[f"SVD, rank {rank}"]
        yield f"{rank} ({float(row['test MSE']):.5f}, {row['numbers']} numbers)"


def kodak_in_tiles():
    less = [-difference(KODAK, "photo", name) for name in ("jpeg", "webp")]
    yield f"takes {less[0]:.0f} % fewer bits than JPEG and {less[1]:.0f} % fewer than WebP on"
    shown = {"vae_v2": (40, 50, 60, 70, 80), "jpeg": (30,), "webp": (15,), "avif": (30,)}
    labels = {"vae_v2": "`vae_v2`", "jpeg": "JPEG", "webp": "WebP", "avif": "AVIF"}
    for row in rows_of(RATES / "kodak/rate_distortion-kodak.csv"):
        if int(row["quality"]) in shown[row["codec"]]:
            cells = f"{float(row['bpp']):.2f} | {float(row['psnr']):.1f}"
            yield (
                f"| {labels[row['codec']]} | {row['quality']} | {cells} | "
                f"{float(row['ms_ssim']):.3f} |"
            )


def photo():
    published = ("factorized prior", "scale hyperprior", "mean-scale hyperprior", "autoregressive")
    for label, path, codec in (
        ("`photo-1`", KODAK_FIRST, "photo"),
        ("`photo-2`", KODAK, "photo"),
        ("and with `--effort 7`", KODAK, "photo, effort 7"),
    ):
        cells = [f"{difference(path, codec, name):+.1f}" for name in ("jpeg", "webp", "avif")]
        cells += [
            f"{difference(path, codec, name, anchor_path='kodak/published.csv'):+.1f}"
            for name in (*published, "BPG", "VTM")
        ]
        yield f"| {label} | {' | '.join(cells)} |"
    yield f"({points(KODAK, 'photo')[1][-1]:.1f} dB at quality 100)"
    for name in ("photo-1", "photo-2"):
        *_, last = rows_of(SHIPPED / name / "history.csv")
        rates = [float(last[name]) for name in ("bd_rate", "bd_rate_bsds500", "bd_rate_cid22")]
        yield f"| {' | '.join(f'{rate:.1f}' for rate in rates)} |"
    for effort in (3, 5, 7, 9):
        codec = f"photo, effort {effort}"
        rates = [difference(EFFORTS, codec, name) for name in ("photo", "jpeg")]
        yield f"| {effort} | {ROUNDS[effort - 1]} | {rates[0]:.1f} | {rates[1]:.1f} |"


STATED = {
    front_page: "README.md",
    models: "docs/models.md",
    small_images: "docs/compression.md",
    small_rates: "docs/compression.md",
    digits: "docs/compression.md",
    kodak_in_tiles: "docs/compression.md",
    photo: "docs/photo.md",
}


@pytest.mark.parametrize("statements", STATED, ids=lambda function: function.__name__)
def test_a_page_states_what_the_files_say(statements):
    assert not missing_of(STATED[statements], statements())
