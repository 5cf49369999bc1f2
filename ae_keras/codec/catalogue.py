"""The classical codecs by name, and what is known of each before it is made."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ae_keras.system.names import suggest

# Truncated decompositions of any rank are named after it.
_RANKED = re.compile(r"svd-([1-9]\d*)")


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
        name: One of `CLASSICAL`, or `"svd-5"`, with any number, for a truncated decomposition of
            that rank.
    """
    return CLASSICAL.get(name if rank_of(name) is None else "svd")


def rank_of(name: str) -> int | None:
    """Return the rank of a truncated decomposition, if the name has one."""
    ranked = _RANKED.fullmatch(name)
    return int(ranked[1]) if ranked else None


def unknown_codec(name: str, runs: Iterable[str] = ()) -> ValueError:
    """Return the error of a name that is neither a classical codec's nor one of some runs."""
    known, near = ", ".join(CLASSICAL), suggest(name, [*CLASSICAL, *runs])
    return ValueError(
        f"Unknown codec {name!r}. Expected one of: {known}, svd-5, or the path or name of a run. "
        f"{near}".rstrip()
    )
