"""What can be wrong with a compressed file. Each message is one sentence."""


class BitstreamError(ValueError):
    """A file cannot be decoded; one of its children says why."""


class NotAekError(BitstreamError):
    """It is no `.aek` file."""


class VersionError(BitstreamError):
    """It is of a format version that this program does not know."""


class TruncatedError(BitstreamError):
    """It ends too early."""


class ChecksumError(BitstreamError):
    """It has been changed since it was written."""


class InconsistentError(BitstreamError):
    """Its fields contradict each other, or what they describe."""


class ImageTooLargeError(BitstreamError):
    """Its image has more pixels than the caller accepts."""


class WrongModelError(BitstreamError):
    """It was written by another model, or by one that is not here."""


class UnknownSectionError(BitstreamError):
    """It has a section that this program does not know, and must not leave out."""
