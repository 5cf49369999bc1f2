"""Checks of the arguments that the builders of models share."""

from typing import Any

from ae_keras.models.image_model import ImageShape

# Layers that are built one by one: a file that asks for billions would never be done.
MOST_BLOCKS = 64


def check_count(name: str, value: Any) -> None:
    """Raise `ValueError` unless a value is a whole number of at least 1."""
    if type(value) is not int or value < 1:
        raise ValueError(f"`{name}` must be a whole number >= 1. Received: {value!r}")


def check_blocks(count: int) -> None:
    """Raise `ValueError` if there are more residual blocks than a model can have."""
    if count > MOST_BLOCKS:
        raise ValueError(f"There must be at most {MOST_BLOCKS} `blocks`. Received: {count}")


def check_counts(name: str, values: Any) -> None:
    """Raise `ValueError` unless a value is a sequence of two or more whole numbers, from 1."""
    counts = values if isinstance(values, list | tuple) else ()
    if len(counts) < 2 or not all(type(count) is int and count > 0 for count in counts):
        raise ValueError(f"`{name}` must be two or more whole numbers. Received: {values!r}")


def check_known(image_shape: ImageShape, model: str) -> tuple[int, int, int]:
    """Return the shape; raise `ValueError` unless height and width are known."""
    height, width, channels = image_shape
    if height is None or width is None:
        raise ValueError(f"{model!r} needs images of a known size. Received: {tuple(image_shape)}")
    return height, width, channels


def check_divisible(image_shape: ImageShape, divisor: int, model: str) -> None:
    """Raise `ValueError` unless height and width, where they are known, can be divided."""
    if any((size or 0) % divisor for size in image_shape[:2]):
        raise ValueError(
            f"`image_shape` of {model!r} must be divisible by {divisor}. "
            f"Received: {tuple(image_shape)}"
        )
