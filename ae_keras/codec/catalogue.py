"""The classical codecs by name, and what is known of each before it is made."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ae_keras.system.names import suggest

# Names of linear transforms may end with a number: the rank, or the side of blocks.
_NUMBERED = re.compile(r"(svd|pca)-([1-9]\d*)")


@dataclass(frozen=True)
class ClassicalCodec:
    """What is known of a classical codec; `ae_keras.codec.classical.make_codec` makes it.

    Args:
        format: str. What Pillow calls the format; None of a linear transform, whose files are ours.
        options: What Pillow's `save` takes for it.
        qualities: The format's own, from 1 to 100, that show its whole range; empty where
            the qualities are those of learned codecs.
        is_lossless: bool. Whether images come back as they were; it has no qualities then.
        needs_training: bool. Whether it is fitted to training images.
    """

    format: str | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    qualities: tuple[int, ...] = ()
    is_lossless: bool = False
    needs_training: bool = False


CLASSICAL = {
    "jpeg": ClassicalCodec("JPEG", {"optimize": True}, (5, 15, 30, 50, 70, 85, 95)),
    "webp": ClassicalCodec("WEBP", {"method": 6}, (1, 15, 35, 60, 80, 90, 95)),
    "avif": ClassicalCodec("AVIF", {}, (15, 30, 45, 60, 75, 90)),
    "svd": ClassicalCodec(needs_training=True),
    "pca": ClassicalCodec(needs_training=True),
    "webp-lossless": ClassicalCodec("WEBP", {"method": 6, "lossless": True}, is_lossless=True),
    "png": ClassicalCodec("PNG", {"optimize": True}, is_lossless=True),
}


def find_classical(name: str) -> ClassicalCodec | None:
    """Return what is known of a classical codec; None if there is none of that name.

    Args:
        name: One of `CLASSICAL`; or, with any number, `"svd-5"` for a truncated decomposition of
            that rank, `"pca-16"` for the principal components of blocks of 16x16 pixels.
    """
    numbered = _NUMBERED.fullmatch(name)
    return CLASSICAL.get(numbered[1] if numbered else name)


def number_in(name: str) -> int | None:
    """Return the number in the name of a linear transform, if there is one."""
    numbered = _NUMBERED.fullmatch(name)
    return int(numbered[2]) if numbered else None


def unknown_codec(name: str, runs: Iterable[str] = ()) -> ValueError:
    """Return the error of a name that is neither a classical codec's nor one of some runs."""
    known, near = ", ".join(CLASSICAL), suggest(name, [*CLASSICAL, *runs])
    return ValueError(
        f"Unknown codec {name!r}. Expected one of: {known}, svd-5, pca-16, or the path or name of "
        f"a run. {near}".rstrip()
    )
