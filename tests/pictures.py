"""Small files of every mode and depth, and the pixels they hold, computed from what was written."""

import functools
import io
import struct
import zlib

import numpy as np
import PIL
import tifffile
from PIL import Image

SHAPE = (5, 7)
# Older ones, which Gradio asks for, refuse grey multiplied by alpha, and YCbCr without compression.
READS_ALL_TIFF = int(PIL.__version__.partition(".")[0]) >= 13


def _random(seed, *channels, dtype=np.uint8):
    values = np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, (*SHAPE, *channels))
    return values.astype(dtype)


GREY, COLOUR, FOUR = _random(0), _random(1, 3), _random(2, 4)
GREY_16, COLOUR_16, FOUR_16 = (
    _random(seed, *channels, dtype=np.uint16) for seed, channels in enumerate(((), (3,), (4,)))
)


def _with_alpha(pixels, alpha):
    return np.dstack([pixels, alpha])


def _keyed(pixels, hidden):
    """Pixels that are opaque where they are not hidden."""
    return _with_alpha(pixels, np.where(hidden, 0, 255).astype(np.uint8))


def pack(values, bits):
    """Rows of numbers of some bits each, the highest bit first, filled up to bytes."""
    each = values[..., np.newaxis] >> np.arange(bits - 1, -1, -1) & 1
    return np.packbits(each.reshape(len(values), -1).astype(np.uint8), axis=-1)


def png(rows, bits, colour_type, transparency=b"", palette=b""):
    """A PNG; its rows are big-endian bytes."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", SHAPE[1], SHAPE[0], bits, colour_type, 0, 0, 0)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    chunks = [chunk(b"IHDR", header)]
    chunks += [chunk(b"PLTE", palette)] if palette else []
    chunks += [chunk(b"tRNS", transparency)] if transparency else []
    chunks += [chunk(b"IDAT", zlib.compress(data)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def small_tiff(rows, bits, photometric):
    """A grey TIFF of any number of bits, in one strip."""
    data = b"".join(row.tobytes() for row in rows)
    tags = {
        256: SHAPE[1],
        257: SHAPE[0],
        258: bits,
        259: 1,
        262: photometric,
        277: 1,
        278: SHAPE[0],
    }
    tags |= {273: 8 + 2 + 12 * 9 + 4, 279: len(data)}
    entries = b"".join(struct.pack("<HHIHH", tag, 3, 1, tags[tag], 0) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data


def tiff(pixels, **options):
    """A TIFF of tifffile's."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **options)
    return file.getvalue()


def saved(pixels, format, mode=None, **options):
    """A file of Pillow's, which loses nothing."""
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(file, format, **options)
    return file.getvalue()


def _png_cases():
    """Every bit depth and colour type of the format, with and without transparency."""
    for bits in (1, 2, 4, 8):
        values = GREY >> (8 - bits)
        pixels = (values * (255 // (2**bits - 1))).astype(np.uint8)
        key = int(values[0, 0])
        rows = pack(values, bits)
        yield f"png-grey-{bits}", png(rows, bits, 0), pixels
        hidden = _keyed(pixels, values == key)
        yield f"png-grey-{bits}-key", png(rows, bits, 0, struct.pack(">H", key)), hidden
        palette = np.random.default_rng(3).integers(0, 256, (2**bits, 3), np.uint8)
        opacity = np.arange(2**bits, dtype=np.uint8)[::-1]
        colours = palette[values]
        yield f"png-palette-{bits}", png(rows, bits, 3, palette=palette.tobytes()), colours
        data = png(rows, bits, 3, opacity.tobytes(), palette.tobytes())
        yield f"png-palette-{bits}-alpha", data, _with_alpha(colours, opacity[values])
    big = GREY_16.astype(">u2")
    near = GREY_16.copy()
    near[0, 1] = near[0, 0] ^ 1  # as bright in the upper 8 bits, and not the transparent grey
    yield "png-grey-16", png(big, 16, 0), GREY_16 >> 8
    data = png(near.astype(">u2"), 16, 0, struct.pack(">H", near[0, 0]))
    yield "png-grey-16-key", data, _keyed((near >> 8).astype(np.uint8), near == near[0, 0])
    yield "png-colour-8", png(COLOUR, 8, 2), COLOUR
    key = COLOUR[1, 2]
    data = png(COLOUR, 8, 2, key.astype(">u2").tobytes())
    yield "png-colour-8-key", data, _keyed(COLOUR, (key == COLOUR).all(axis=-1))
    yield "png-colour-16", png(COLOUR_16.astype(">u2"), 16, 2), COLOUR_16 >> 8
    near = COLOUR_16.copy()
    near[0, 1] = near[0, 0] ^ 1
    data = png(near.astype(">u2"), 16, 2, near[0, 0].astype(">u2").tobytes())
    hidden = (near == near[0, 0]).all(axis=-1)
    yield "png-colour-16-key", data, _keyed((near >> 8).astype(np.uint8), hidden)
    yield "png-grey-alpha-8", png(FOUR[..., :2], 8, 4), FOUR[..., :2]
    yield "png-grey-alpha-16", png(FOUR_16[..., :2].astype(">u2"), 16, 4), FOUR_16[..., :2] >> 8
    yield "png-colour-alpha-8", png(FOUR, 8, 6), FOUR
    yield "png-colour-alpha-16", png(FOUR_16.astype(">u2"), 16, 6), FOUR_16 >> 8


def _tiff_cases():
    for name, flip in (("minisblack", 0), ("miniswhite", 0xFFFF)):
        options = {"photometric": name}
        yield (
            f"tiff-{name}-1",
            tiff(GREY > 99, **options),
            np.where((GREY > 99) ^ bool(flip), 255, 0),
        )
        yield f"tiff-{name}-8", tiff(GREY, **options), GREY ^ (flip & 255)
        yield f"tiff-{name}-16", tiff(GREY_16, **options), (GREY_16 ^ flip) >> 8
        for bits in (2, 4):
            values = GREY >> (8 - bits)
            pixels = (values * (255 // (2**bits - 1))) ^ (flip & 255)
            data = small_tiff(pack(values, bits), bits, 0 if flip else 1)
            yield f"tiff-{name}-{bits}", data, pixels
    yield "tiff-12", small_tiff(pack(GREY_16 >> 4, 12), 12, 1), GREY_16 >> 8
    yield "tiff-big-endian-16", tiff(GREY_16, byteorder=">", photometric="minisblack"), GREY_16 >> 8
    data = tiff(GREY_16, compression="zlib", photometric="miniswhite")
    yield "tiff-miniswhite-16-zlib", data, (GREY_16 ^ 0xFFFF) >> 8
    for name, four in (("8", FOUR), ("16", FOUR_16)):
        upper = (four >> (8 if name == "16" else 0)).astype(np.uint8)
        rgb = {"photometric": "rgb"}
        yield f"tiff-colour-{name}", tiff(four[..., :3], **rgb), upper[..., :3]
        data = tiff(four[..., :3], byteorder=">", **rgb)
        yield f"tiff-colour-{name}-big-endian", data, upper[..., :3]
        yield f"tiff-alpha-{name}", tiff(four, extrasamples=["unassalpha"], **rgb), upper
        yield (
            f"tiff-unspecified-{name}",
            tiff(four, extrasamples=["unspecified"], **rgb),
            upper[..., :3],
        )
        planes = np.moveaxis(four[..., :3], -1, 0).copy()
        data = tiff(planes, planarconfig="separate", compression="zlib", **rgb)
        yield f"tiff-planes-{name}-zlib", data, upper[..., :3]
    planes = np.moveaxis(COLOUR, -1, 0).copy()
    yield "tiff-planes-8", tiff(planes, planarconfig="separate", photometric="rgb"), COLOUR
    grey = {"photometric": "minisblack", "planarconfig": "contig"}
    yield "tiff-grey-alpha", tiff(FOUR[..., :2], extrasamples=["unassalpha"], **grey), FOUR[..., :2]
    alpha = np.maximum(FOUR[..., 3:], 1)
    scaled = np.minimum(FOUR[..., :3], alpha)  # colours that were multiplied by their alpha
    colours = np.minimum(255 * scaled.astype(int) // alpha, 255)
    data = tiff(np.dstack([scaled, alpha]), photometric="rgb", extrasamples=["assocalpha"])
    yield "tiff-multiplied-alpha", data, np.dstack([colours, alpha])
    if READS_ALL_TIFF:
        data = tiff(np.dstack([scaled[..., 0], alpha]), extrasamples=["assocalpha"], **grey)
        yield "tiff-grey-multiplied-alpha", data, np.dstack([colours[..., 0], alpha])
    palette = np.random.default_rng(3).integers(0, 2**16, (3, 256), np.uint16)
    data = tiff(GREY, photometric="palette", colormap=palette)
    yield "tiff-palette", data, np.moveaxis(palette[:, GREY] >> 8, 0, -1)


def _other_cases():
    grey_alpha, opaque = FOUR[..., :2], FOUR[..., :3]
    for format in ("BMP", "PPM", "SGI", "TGA", "JPEG2000"):
        options = {"irreversible": False} if format == "JPEG2000" else {}
        yield f"{format}-grey", saved(GREY, format, **options), GREY
        yield f"{format}-colour", saved(COLOUR, format, **options), COLOUR
    for format in ("SGI", "TGA", "JPEG2000", "DDS", "QOI"):
        yield f"{format}-alpha", saved(FOUR, format), FOUR
    yield "BMP-unused", saved(FOUR, "BMP"), opaque  # its fourth byte means nothing
    for format in ("TGA", "JPEG2000"):
        yield f"{format}-grey-alpha", saved(grey_alpha, format), grey_alpha
    yield "WEBP-colour", saved(COLOUR, "WEBP", lossless=True), COLOUR
    yield "WEBP-alpha", saved(FOUR, "WEBP", lossless=True, exact=True), FOUR
    yield "PCX-colour", saved(COLOUR, "PCX"), COLOUR
    yield "QOI-colour", saved(opaque, "QOI"), opaque
    yield "JPEG2000-16", saved(GREY_16, "JPEG2000", irreversible=False), GREY_16 >> 8
    header = b"%d %d " % SHAPE[::-1]
    yield "PGM-16", b"P5 " + header + b"65535\n" + GREY_16.astype(">u2").tobytes(), GREY_16 >> 8
    twelve = (GREY_16 >> 4).astype(">u2").tobytes()
    yield "PGM-12", b"P5 " + header + b"4095\n" + twelve, GREY_16 >> 8
    bits = (GREY > 99).astype(np.uint8)
    yield "PBM", b"P4 " + header + pack(1 - bits, 1).tobytes(), bits * 255
    data = b"P6 " + header + b"65535\n" + COLOUR_16.astype(">u2").tobytes()
    yield "PPM-16", data, np.rint(COLOUR_16 / 257)  # Pillow's own, to the nearest
    few = GREY // 64
    palette = np.array([[1, 2, 3], [90, 80, 70], [200, 100, 50], [7, 8, 9]], np.uint8)
    image = Image.fromarray(few)
    image.putpalette(palette.tobytes())
    file = io.BytesIO()
    image.save(file, "GIF", transparency=2)
    yield "GIF-transparency", file.getvalue(), _keyed(palette[few], few == 2)


@functools.cache
def cases():
    """For each name a file's bytes, and its pixels with alpha, uint8."""
    every = [*_png_cases(), *_tiff_cases(), *_other_cases()]
    return {name: (data, pixels.astype(np.uint8)) for name, data, pixels in every}


@functools.cache
def refused():
    """For each name a file whose black and white no one knows, or that Pillow reads wrongly."""
    planes = np.moveaxis(COLOUR_16, -1, 0).copy()
    fits = {"SIMPLE": "T", "BITPIX": 16, "NAXIS": 2, "NAXIS1": SHAPE[1], "NAXIS2": SHAPE[0]}
    header = "".join(f"{key:<8}= {value!s:>20}".ljust(80) for key, value in fits.items()) + "END"
    data = header.ljust(2880).encode() + GREY_16.tobytes().ljust(2880, b"\0")
    files = {f"tiff-{name}": tiff(GREY.astype(name)) for name in ("int8", "int16", "int32")}
    files |= {f"tiff-{name}": tiff(GREY.astype(name)) for name in ("uint32", "float32")}
    files["tiff-planes-16"] = tiff(planes, planarconfig="separate", photometric="rgb")
    return files | {"fits-16": data}


def over_white(pixels):
    """Pixels with alpha, laid over white."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., -1:] / 255
    return (pixels[..., :-1] * alpha + 255 * (1 - alpha)).squeeze()
