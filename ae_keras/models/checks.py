"""Checks of the arguments that the builders of models share."""


def check_count(name, value):
    """Raise `ValueError` unless a value is a whole number of at least 1."""
    if type(value) is not int or value < 1:
        raise ValueError(f"`{name}` must be a whole number >= 1. Received: {value!r}")


def check_counts(name, values):
    """Raise `ValueError` unless a value is a sequence of two or more whole numbers, from 1."""
    counts = values if isinstance(values, list | tuple) else ()
    if len(counts) < 2 or not all(type(count) is int and count > 0 for count in counts):
        raise ValueError(f"`{name}` must be two or more whole numbers. Received: {values!r}")


def check_known(image_shape, model):
    """Raise `ValueError` unless height and width are known."""
    if None in image_shape:
        raise ValueError(f"{model!r} needs images of a known size. Received: {tuple(image_shape)}")


def check_divisible(image_shape, divisor, model):
    """Raise `ValueError` unless height and width, where they are known, can be divided."""
    if any((size or 0) % divisor for size in image_shape[:2]):
        raise ValueError(
            f"`image_shape` of {model!r} must be divisible by {divisor}. "
            f"Received: {tuple(image_shape)}"
        )
