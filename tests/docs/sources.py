"""Where what the pages state comes from, and whether it stands there."""

import csv
import json

from conftest import ROOT

from ae_keras.metrics import bd_rate

STUDIES, RATES, SHIPPED = (
    ROOT / path for path in ("docs/studies", "docs/rate_distortion", "saved_models/pretrained")
)
FILES, MOSAIC = "file an image", "mosaic"
QUALITIES = {"jpeg": (15, 30, 50, 70, 85), "webp": (15, 35, 60, 80, 90)}


def rows_of(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def by(path, key):
    return {row[key]: row for row in rows_of(path)}


def metrics_of(name):
    return json.loads((SHIPPED / name / "metrics.json").read_text(encoding="utf-8"))


def points(path, codec, layout=FILES):
    """Rates and PSNR of a codec; points that are lossless have no PSNR."""
    rows = [
        row
        for row in rows_of(RATES / path)
        if row["codec"] == codec and row.get("layout", FILES) == layout and row["psnr"]
    ]
    return [float(row["bpp"]) for row in rows], [float(row["psnr"]) for row in rows]


def difference(path, codec, anchor, layout=FILES, anchor_path=None):
    """The BD-rate of a codec to another one, in percent."""
    return bd_rate(*points(anchor_path or path, anchor, layout), *points(path, codec, layout))


def small(model):
    return f"{model}/rate_distortion-cifar10-test.csv"


ALL, DIGITS, KODAK, KODAK_FIRST, EFFORTS = (
    small("factorized_v2"),
    "lossy_cae/rate_distortion-mnist-test.csv",
    "photo/rate_distortion-kodak.csv",
    "photo-1/rate_distortion-kodak.csv",
    "photo/efforts.csv",
)


def source_of(codec):
    """The file of a codec of small images, and its name there: one file has all but `cae`."""
    if codec == "cae":
        return small("cae"), codec
    return ALL, f"{codec}-cifar10" if codec in ("factorized_v1", "vae_v1", "vae_v2") else codec


def words_of(page):
    """The text of a page, whose lines may end anywhere."""
    return " ".join((ROOT / page).read_text(encoding="utf-8").split())


def missing_of(page, statements):
    """Those of some statements that do not stand on a page."""
    text, built = words_of(page), list(statements)
    assert built
    return [statement for statement in built if statement not in text]
