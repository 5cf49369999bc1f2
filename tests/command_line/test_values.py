"""Values in the options of commands."""

from argparse import ArgumentTypeError

import pytest

from ae_keras.command_line import parse_size


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("200", 200),
        ("200B", 200),
        ("200KB", 200_000),
        ("1.5mb", 1_500_000),
        ("0.29 MB", 290_000),
        ("1.0009KB", 1000),
    ],
)
def test_sizes_are_bytes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "KB", "9KiB", "9MKB", "9G", "nan", "inf", "many"])
def test_other_sizes_are_refused(text):
    with pytest.raises(ArgumentTypeError, match=r"such as 200000, 200KB or 1\.5MB"):
        parse_size(text)
