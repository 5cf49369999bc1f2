"""What the settings of a recipe that say which images, and how they are moved, may be."""

import math
from typing import Any


def is_whole(value: Any, minimum: int) -> bool:
    """Whether a value is a whole number and not less than another."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= minimum


def is_number(value: Any) -> bool:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_noise(value: Any) -> bool:
    """Whether a value is what `noise` may be."""
    if isinstance(value, tuple):
        return len(value) == 2 and all(map(is_number, value)) and 0 < value[0] <= value[1] <= 1
    return is_number(value) and 0 <= value <= 1


# What an augmentation may hold, and the largest value of each.
_AUGMENTATIONS = {
    "rotation": 180,
    "shear": 80,
    "shift": 1,
    "scale": 0.9,
    "flip": 1,
    "crop": 0.9,
}


def is_augmentation(value: Any) -> bool:
    """Whether a value is what `augmentation` may be."""
    return isinstance(value, dict) and all(
        is_whole(amount, 1)
        if name == "copies"
        else name in _AUGMENTATIONS and is_number(amount) and 0 <= amount <= _AUGMENTATIONS[name]
        for name, amount in value.items()
    )


def is_splits(value: Any) -> bool:
    """Whether a value is what `splits` may be."""
    return value is None or (
        isinstance(value, tuple)
        and len(value) == 3
        and all(is_number(share) and 0 < share < 1 for share in value)
        and math.isclose(sum(value), 1.0)
    )


def is_image_shape(value: Any) -> bool:
    """Whether a value is what `image_shape` may be."""
    return (
        isinstance(value, tuple)
        and len(value) == 3
        and all(is_whole(size, 1) for size in value)
        and value[2] in (1, 3)
    )


# The least and the most that the numbers in `crops` may be.
_CROPS: dict[str, tuple[float, float]] = {
    "reduce": (0.1, 1),
    "reduce_share": (0, 1),
    "flip": (0, 1),
    "turn": (0, 1),
    "soft_colours": (0, 1),
    "grain": (0, 50),
}
CROPS = (
    "None or a mapping of "
    + ", ".join(f"{name!r} ({least} to {most})" for name, (least, most) in _CROPS.items())
    + " to numbers, of 'grid' to a whole number >= 1, and of 'weights' to a mapping of kinds to "
    "numbers >= 0, not all 0"
)


def is_crops(value: Any) -> bool:
    """Whether a value is what `crops` may be, which `CROPS` says in words."""
    return value is None or (
        isinstance(value, dict) and all(_is_entry(name, amount) for name, amount in value.items())
    )


def _is_entry(name: str, value: Any) -> bool:
    """Whether a value is what an entry of `crops` may be."""
    if name == "weights":
        return _is_weights(value)
    if name == "grid":
        return is_whole(value, 1)
    return name in _CROPS and is_number(value) and _CROPS[name][0] <= value <= _CROPS[name][1]


def _is_weights(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and all(isinstance(kind, str) for kind in value)
        and all(is_number(weight) and weight >= 0 for weight in value.values())
        and (not value or any(value.values()))
    )
