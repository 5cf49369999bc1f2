"""A plugin: after `import ae_keras.pillow`, Pillow opens and saves `.aek` files.

Example:
    >>> import ae_keras.pillow
    >>> from PIL import Image
    >>> image = Image.open("photo.aek")
    >>> image.save("again.aek", quality=60)
    >>> image.save("small.aek", model="cae-cifar10", target_size=20_000)

The model is the codec of photographs, unless another is named. Instead of a `quality` there may be
one of `target_bpp`, `target_size` (in bytes) and `target_psnr`.
The model of a file is looked for in `saved_models`. ICC profile, EXIF, XMP and resolution are kept
as the `info` of an image has them; `icc_profile`, `exif`, `xmp` and `dpi` say something else, empty
ones nothing. Nothing is turned: pixels and orientation stay those of the image. As for all formats,
Pillow warns of images with more pixels than `PIL.Image.MAX_IMAGE_PIXELS`, and refuses those with
more than twice as many.
"""

import contextlib
import warnings
from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile

from ae_keras.codec import DEFAULT_MODEL
from ae_keras.codec.bitstream import MAGIC, read_bitstream, read_header
from ae_keras.codec.errors import ChecksumError, TruncatedError
from ae_keras.codec.loading import find_run_of, load_codec
from ae_keras.codec.metadata import read_metadata
from ae_keras.codec.rate_control import Target, compress_to_target
from ae_keras.codec.sections import SectionKind
from ae_keras.data.metadata import EXIF_PREFIX, Metadata, fit_profile, metadata_of

FORMAT = "AEK"
_INFO = ("icc_profile", "exif", "xmp", "dpi")
_MODES = {(1, False): "L", (1, True): "LA", (3, False): "RGB", (3, True): "RGBA"}


class AekImageFile(ImageFile.ImageFile):
    """An `.aek` file; its pixels are decoded when they are first needed."""

    format = FORMAT
    format_description = "ae-keras compressed image"

    def _open(self) -> None:
        assert self.fp is not None  # Pillow has opened it
        self._encoded: bytes | None = self.fp.read()
        self._header, entries, _ = read_header(self._encoded)
        # What is wrong with the rest of the file is said when its pixels are needed.
        with contextlib.suppress(TruncatedError, ChecksumError):
            _, sections = read_bitstream(self._encoded)
            self.info.update(_to_info(read_metadata(sections)))
        has_alpha = any(entry.kind == SectionKind.ALPHA for entry in entries)
        shape = (self._header.channels, has_alpha)
        if shape not in _MODES:
            raise ValueError(f"Pillow has no images of {self._header.channels} channels.")
        self._mode = _MODES[shape]
        self._size = (self._header.width, self._header.height)

    def load(self) -> "Image.core.PixelAccess | None":
        """Decode the pixels."""
        if self._encoded is not None:
            codec = load_codec(str(find_run_of(self._header)))
            pixels = codec.with_max_pixels(self.width * self.height).decompress(self._encoded)
            self._encoded = None
            if self._exclusive_fp and self.fp is not None:
                self.fp.close()
            self.fp, self.tile = None, []
            self.im = Image.fromarray(pixels).im
        return super().load()


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(MAGIC)


def _to_info(metadata: Metadata) -> dict[Any, Any]:
    """Return metadata under the names that Pillow has for them."""
    exif = metadata.exif and EXIF_PREFIX + metadata.exif
    values = (metadata.icc_profile, exif, metadata.xmp, metadata.resolution)
    return {name: value for name, value in zip(_INFO, values, strict=True) if value}


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    if image.mode not in _MODES.values():
        raise OSError(f"Cannot write mode {image.mode} as AEK. Convert the image {_advise(image)}.")
    settings = image.encoderinfo
    key = image.info.get("transparency")
    if key is not None and image.mode in ("L", "RGB"):
        if np.max(key) > 255:  # which Pillow would drop
            raise OSError(
                "The pixels have 8 bits, and the transparent colour 16. Give it in 8 bits."
            )
        image = image.convert(image.mode + "A")
    codec = load_codec(settings.get("model", DEFAULT_MODEL), label=settings.get("label"))
    target = Target(*(settings.get(f"target_{name}") for name in ("bpp", "size", "psnr")))
    if "quality" in settings:
        if target.is_given:
            raise ValueError("Give a quality or a target, not both.")
        codec = codec.with_quality(settings["quality"])
    given = {name: settings[name] for name in _INFO if name in settings}
    metadata, notes = metadata_of(image, **given)
    metadata, misfits = fit_profile(metadata, image.mode)
    for note in notes + misfits:
        warnings.warn(f"{note[0].upper()}{note[1:]}.", stacklevel=3)
    file.write(compress_to_target(codec, np.asarray(image), target, metadata).data)


def _advise(image: Image.Image) -> str:
    """Return what to do with an image so that it keeps what it shows."""
    if image.mode.startswith("I;16"):
        return "to 8 bits first: Image.fromarray((numpy.asarray(image) >> 8).astype('uint8'))"
    if image.mode in ("I", "F"):
        return "to numbers from 0 to 255, and these to L, first"
    if image.mode == "La":
        return "to LA first"
    return f"to {'RGBA' if image.has_transparency_data else 'RGB'} first"


Image.register_open(FORMAT, AekImageFile, _accept)
Image.register_save(FORMAT, _save)
Image.register_extension(FORMAT, ".aek")
Image.register_mime(FORMAT, "image/x-aek")
