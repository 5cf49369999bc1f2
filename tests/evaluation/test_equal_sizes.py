"""A photograph beside other formats of the same size."""

import csv

import numpy as np
import pytest
from PIL import Image
from skimage import data

from ae_keras.codec.classical import make_codec
from ae_keras.evaluation.equal_sizes import OURS, compare, write_comparison


def test_the_others_are_the_best_that_are_no_larger(tmp_path):
    image = data.chelsea()[:96, :112]
    codec = make_codec("jpeg").with_quality(60)
    versions = compare(codec, image)
    assert list(versions) == ["JPEG", "WebP", OURS]
    limit = versions[OURS].size
    assert limit == len(codec.compress(image))
    np.testing.assert_array_equal(versions["JPEG"].picture, versions[OURS].picture)
    assert versions["WebP"].size <= limit < versions["WebP"].size * 1.2
    assert versions[OURS].bpp == pytest.approx(8 * limit / (96 * 112))

    table = write_comparison(image, versions, "A cat", tmp_path / "cat.png")
    with open(table, newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert {name: int(row["bytes"]) for name, row in rows.items()} == {
        name: version.size for name, version in versions.items()
    }
    with Image.open(tmp_path / "cat.png") as figure:
        assert figure.width > 3 * figure.height / 2
