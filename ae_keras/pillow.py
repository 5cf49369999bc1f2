"""A plugin: after `import ae_keras.pillow`, Pillow opens and saves `.aek` files.

Example:
    >>> import ae_keras.pillow
    >>> from PIL import Image
    >>> image = Image.open("photo.aek")
    >>> image.save("again.aek", model="vae_v2-cifar10", quality=60)
    >>> image.save("small.aek", model="vae_v2-cifar10", target_size=20_000)  # at most, in bytes

Instead of a `quality`, one of `target_bpp`, `target_size` and `target_psnr` may be given; see
`ae_keras.codec.rate_control.Target`.

The model of a file is looked for in `saved_models`. As for all formats, Pillow warns of images with
more pixels than `PIL.Image.MAX_IMAGE_PIXELS`, and refuses those with more than twice as many.
"""

import io
from typing import IO

import numpy as np
from PIL import Image, ImageFile

from ae_keras.codec.bitstream import MAGIC, read_header
from ae_keras.codec.loading import find_run_of, load_codec
from ae_keras.codec.rate_control import Target, compress_to_target
from ae_keras.codec.sections import SectionKind

FORMAT = "AEK"
_MODES = {(1, False): "L", (1, True): "LA", (3, False): "RGB", (3, True): "RGBA"}


class AekImageFile(ImageFile.ImageFile):
    """An `.aek` file; its pixels are decoded when they are first needed."""

    format = FORMAT
    format_description = "ae-keras compressed image"

    def _open(self) -> None:
        assert self.fp is not None  # Pillow has opened it
        self._encoded: bytes | None = self.fp.read()
        self._header, entries, _ = read_header(self._encoded)
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
            # Pillow's own decoder of raw pixels takes them over.
            self.fp = io.BytesIO(pixels.data)
            self.tile = [ImageFile._Tile("raw", (0, 0, *self.size), 0, self.mode)]
        return super().load()


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(MAGIC)


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    if image.mode not in _MODES.values():
        raise OSError(f"Cannot write mode {image.mode} as AEK. Convert the image to RGB first.")
    settings = image.encoderinfo
    if "model" not in settings:
        raise ValueError('Say which model is to compress: image.save(..., model="...").')
    codec = load_codec(settings["model"], label=settings.get("label"))
    target = Target(*(settings.get(f"target_{name}") for name in ("bpp", "size", "psnr")))
    if target.is_given and "quality" in settings:
        raise ValueError("Give a quality or a target, not both.")
    pixels = np.asarray(image)
    if target.is_given:
        file.write(compress_to_target(codec, pixels, target).data)
        return
    if "quality" in settings:
        codec = codec.with_quality(settings["quality"])
    file.write(codec.compress(pixels))


Image.register_open(FORMAT, AekImageFile, _accept)
Image.register_save(FORMAT, _save)
Image.register_extension(FORMAT, ".aek")
Image.register_mime(FORMAT, "image/x-aek")
