"""The sections of an `.aek` file: what kinds there are, and in which order they stand."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from ae_keras.codec.errors import InconsistentError, UnknownSectionError


class SectionKind(IntEnum):
    """What a section holds; `docs/format.md` says how."""

    IMAGE = 0
    ALPHA = 1
    ICC = 2
    EXIF = 3
    XMP = 4
    RESOLUTION = 5


_KNOWN = frozenset(SectionKind)


@dataclass(frozen=True)
class Section:
    """A part of a file.

    Args:
        kind: int. A `SectionKind`.
        data: bytes.
        is_optional: bool. A reader that does not know the kind may leave it out.
    """

    kind: int
    data: bytes
    is_optional: bool = False


@dataclass(frozen=True)
class SectionEntry:
    """What a header says of a section.

    Args:
        kind: int. A `SectionKind`, or that of an optional section that this program does not know.
        length: int. Bytes of its data.
        is_optional: bool.
    """

    kind: int
    length: int
    is_optional: bool = False

    @property
    def is_known(self) -> bool:
        """Whether this program knows the kind."""
        return self.kind in _KNOWN


def check_order(kinds: Iterable[int]) -> None:
    """Refuse sections of known kinds that are misplaced; others may stand anywhere.

    Raises:
        InconsistentError: if they are not in the order of their numbers, or one other than the
            image's is there twice.
    """
    for kind, following in itertools.pairwise(kind for kind in kinds if kind in _KNOWN):
        if following < kind or following == kind != SectionKind.IMAGE:
            raise InconsistentError(
                f"A section of kind {following} must not stand after one of kind {kind}."
            )


def check_known(entries: Iterable[SectionEntry]) -> None:
    """Refuse sections that this program does not know, and must not leave out.

    Raises:
        UnknownSectionError: if there is one.
    """
    for entry in entries:
        if not entry.is_known and not entry.is_optional:
            raise UnknownSectionError(
                f"The file has a section of kind {entry.kind}, which this program does not know."
            )


def sections_of(sections: Iterable[Section], kind: SectionKind) -> list[bytes]:
    """Return the data of the sections of a kind."""
    return [section.data for section in sections if section.kind == kind]
