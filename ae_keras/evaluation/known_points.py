"""Points of curves that were measured before, or published, to stand beside new ones."""

import csv
from pathlib import Path
from typing import Any

# A codec's files stand for this way of coding images, unless their table says otherwise.
_LAYOUT = "file an image"


def read_points(path: str | Path) -> list[dict[str, Any]]:
    """Read a table of points, as `ae_keras.measure_rate_distortion` writes them.

    Args:
        path: A file of comma-separated values with the columns `codec`, `bpp` and `psnr`, and, if
            it has them, `ms_ssim` and `layout`. Others are left out.

    Returns:
        Dicts with these keys.

    Raises:
        ValueError: if it is no such table.
        OSError: if it cannot be read.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            points = [_point(row) for row in csv.DictReader(file)]
    except (KeyError, TypeError, ValueError, csv.Error):
        points = []
    if not points:
        raise ValueError(f"Expected a table with the columns codec, bpp and psnr in {str(path)!r}.")
    return points


def _point(row: dict[str, str]) -> dict[str, Any]:
    psnr, ms_ssim = (float(row.get(name) or "nan") for name in ("psnr", "ms_ssim"))
    return {
        "codec": row["codec"],
        "layout": row.get("layout") or _LAYOUT,
        "bpp": float(row["bpp"]),
        # As of points that are lossless, and of images that are too small.
        "psnr": psnr if psnr == psnr else None,
        "ms_ssim": ms_ssim if ms_ssim == ms_ssim else None,
    }
