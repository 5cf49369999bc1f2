"""Decode the .aek file of a photograph with NumPy and LiteRT, as docs/format.md says: no ae-keras.

    python decode_photo.py photo.aek RUN_FOLDER photo.npy

The folder has the model's `entropy_tables.npz` and `model.tflite`. Alpha and metadata are left out.
The coder and the networks are whole numbers of Python and NumPy.
"""

import bisect
import itertools
import pathlib
import sys
import zlib

import numpy as np

LIMIT = 2**20


class Bytes:
    """Reads a file from its front to its end."""

    def __init__(self, data):
        self.data, self.place = data, 0

    def take(self, count):
        """Return the next bytes."""
        part = self.data[self.place : self.place + count]
        if len(part) < count:
            sys.exit("The file is cut.")
        self.place += count
        return part

    def varint(self):
        """Return a number of seven bits a byte, the lowest first."""
        value = shift = 0
        while True:
            (byte,) = self.take(1)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def number(self):
        """Return a number of four bytes."""
        return int.from_bytes(self.take(4), "little")


def read_container(data):
    """Return digest, height, width, channels, quality, strip height, and the image's section."""
    if data[:5] != b"\x89AEK\x02":
        sys.exit("This is no .aek file of version 2.")
    file = Bytes(data)
    file.take(5)
    file.varint()
    digest = file.take(8)
    file.take(file.take(1)[0])
    (flags,) = file.take(1)
    height, width, channels = file.varint(), file.varint(), file.take(1)[0]
    quality, strip, _, _, _ = (file.varint() for _ in range(5))
    sections = [(file.varint(), file.varint()) for _ in range(file.varint())]
    if flags or zlib.crc32(data[: file.place]) != file.number():
        sys.exit("The header is damaged, or says what photographs do not have.")
    start = file.place
    parts = [(kind, file.take(length)) for kind, length in sections]
    if zlib.crc32(data[start : file.place]) != file.number():
        sys.exit("The image data is damaged.")
    (section,) = (part for kind, part in parts if kind == 0)
    return digest, height, width, channels, quality, strip, section


class Stack:
    """The entropy coder: symbols of tables from the words of a section."""

    def __init__(self, data, tables):
        file = Bytes(data)
        words = file.take(file.varint())
        self.words = np.frombuffer(words, "<u4").tolist()
        self.state = 0
        for _ in range(min(2, len(self.words))):
            self.state = self.state << 32 | self.words.pop()
        self.file = file
        ends = np.cumsum(tables["lengths"])
        self.lowest = tables["lowest"].tolist()
        self.frequencies = [each.tolist() for each in np.split(tables["frequencies"], ends[:-1])]
        self.sums = [[0, *itertools.accumulate(each)] for each in self.frequencies]

    def symbol(self, table):
        """Return the next symbol, of a table."""
        sums, frequencies = self.sums[table], self.frequencies[table]
        part = self.state & 0xFFFFFF
        place = bisect.bisect_right(sums, part) - 1
        self.state = (self.state >> 24) * frequencies[place] + part - sums[place]
        if self.state < 2**32 and self.words:
            self.state = self.state << 32 | self.words.pop()
        if place < len(frequencies) - 1:
            return self.lowest[table] + place
        escape = self.file.varint()
        beyond = escape // 2
        return self.lowest[table] + (-1 - beyond if escape % 2 else place + beyond)

    def part(self, tables):
        """Return the symbols of an array of tables, and their bytes in the order of the file."""
        order = np.argsort(tables, axis=None, kind="stable")
        found = np.array([self.symbol(table) for table in tables.ravel()[order].tolist()], "<i4")
        symbols = np.empty(tables.size, np.int64)
        symbols[order] = found
        return symbols.reshape(tables.shape), found.tobytes()


def clip(values):
    """Bound activations."""
    return np.clip(values, -LIMIT, LIMIT)


def leak(values):
    """Divide what is negative by ten."""
    return np.maximum(values, (values + 5) // 10)


def unfold(maps):
    """One place becomes 2x2."""
    corners = np.split(maps, 4, axis=-1)
    result = np.empty((2 * len(maps), 2 * maps.shape[1], corners[0].shape[-1]), np.int64)
    for number, corner in enumerate(corners):
        result[number // 2 :: 2, number % 2 :: 2] = corner
    return result


class Network:
    """Layers by name, in whole numbers."""

    def __init__(self, arrays, prefix):
        self.arrays, self.prefix = arrays, prefix

    def weights(self, name):
        """Return kernel and bias of a layer."""
        path = f"weights/{self.prefix}{name}"
        return (self.arrays[f"{path}/{part}"].astype(np.int64) for part in ("kernel", "bias"))

    def dense(self, name, maps):
        """Multiply each place by a matrix."""
        kernel, bias = self.weights(name)
        sums = (maps.astype(float) @ kernel.astype(float)).astype(np.int64)
        return clip((sums + bias + 2048) >> 12)

    def depthwise(self, name, maps):
        """Convolve each channel by itself."""
        kernel, bias = self.weights(name)
        padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
        sums = np.einsum("hwcij,ijc->hwc", windows, kernel)
        return clip((sums + bias + 2048) >> 12)

    def block(self, name, maps):
        """Apply two residual steps."""
        mixed = leak(self.dense(f"{name}/mix_in", maps))
        mixed = leak(self.depthwise(f"{name}/depthwise", mixed))
        maps = clip(maps + self.dense(f"{name}/mix_out", mixed))
        wide = leak(self.dense(f"{name}/widen", maps))
        return clip(maps + self.dense(f"{name}/narrow", wide))


def decode_latents(section, arrays, size, strip, quality):
    """Return the latents of a section, float64 `(rows, columns, channels)`."""
    level = {
        name.removeprefix("levels/"): array[quality - 1].astype(float)
        for name, array in arrays.items()
        if name.startswith("levels/")
    }
    stack, seen = Stack(section[4:], arrays), []
    rows, columns = (-(-pixels // 64) for pixels in size)
    table = np.tile(level["hyper_table"].astype(int), (rows, columns, 1))
    symbols, hyper_bytes = stack.part(table)
    hyper = symbols + level["hyper_mean"]

    network = Network(arrays, "hyper_decoder/")
    maps = clip(np.floor(hyper * level["hyper_step"] + 0.5)).astype(np.int64)
    maps = network.block("first_block", unfold(network.dense("first", maps)))
    maps = unfold(network.dense("second", maps))
    scale, shift = (level[f"modulation_{name}"].astype(np.int64) for name in ("scale", "shift"))
    features = network.block("second_block", clip((maps * scale + shift + 2048) >> 12))

    own = Network(arrays, "").dense("head", features)
    channels = own.shape[-1] // 2
    latents = np.zeros((*own.shape[:2], channels))
    even = np.indices(latents.shape[:2]).sum(axis=0) % 2 == 0
    low, spacing = arrays["scales"]
    offsets = arrays["offsets"].astype(float)

    def code(parameters, places):
        """Read the latents at some places; each row of the image has as many of them."""
        mean, logarithm = np.split(parameters[places], 2, axis=-1)
        mean = mean * level["unit"]
        table = np.floor((2 * logarithm + (level["log_unit"] - low)) / spacing + 0.5)
        table = np.clip(table, 0, 63).astype(int)
        symbols, found = stack.part(table)
        seen.append(found)
        latents[places] = np.clip(mean - np.sign(symbols) * offsets[table] + symbols, -16384, 16384)

    def correct():
        """Return the parameters that what is known of the neighbours makes of all places."""
        steps = np.floor(8 * latents + 0.5).astype(int).clip(-(2**17), 2**17)
        known = np.sign(steps) * arrays["weights/arcsinh"].astype(np.int64)[abs(steps)]
        context = Network(arrays, "context/")
        inputs = np.concatenate([features, known * even[..., np.newaxis]], axis=-1)
        mixed = leak(context.depthwise("depthwise", leak(context.dense("first", inputs))))
        return clip(own + context.dense("last", mixed))

    height = 4 * (strip // 64)
    row = np.arange(4 * rows)[:, np.newaxis]
    strips = [(row >= top) & (row < top + height) for top in range(0, 4 * rows, height)]
    code(own, strips[0] & even)
    for number, here in enumerate(strips):
        if number + 1 < len(strips):
            code(own, strips[number + 1] & even)
        code(correct(), here & ~even)
    if stack.state or stack.words or stack.file.place < len(stack.file.data):
        sys.exit("The image data is longer than the image.")
    if zlib.crc32(b"".join([*seen, hyper_bytes])) != int.from_bytes(section[:4], "little"):
        sys.exit("The symbols are not those of the encoder.")
    return latents


def draw(latents, model, size, channels, quality):
    """Return the pixels, uint8, that a network draws of latents."""
    from ai_edge_litert.interpreter import Interpreter

    decode = Interpreter(str(model)).get_signature_runner("decode")
    position = np.float32([(quality - 1) / 99])
    drawn = decode(latents=latents[np.newaxis].astype(np.float32), position=position)
    pixels = drawn["reconstructions"][0, : size[0], : size[1]]
    pixels = pixels.mean(axis=-1) if channels == 1 else pixels
    return np.rint(255 * np.clip(pixels, 0, 1)).astype(np.uint8)


def main(file, folder, target):
    """Decode a file."""
    data, folder = pathlib.Path(file).read_bytes(), pathlib.Path(folder)
    _, height, width, channels, quality, strip, section = read_container(data)
    arrays = dict(np.load(folder / "entropy_tables.npz"))
    latents = decode_latents(section, arrays, (height, width), strip, quality)
    pixels = draw(latents, folder / "model.tflite", (height, width), channels, quality)
    np.save(target, pixels)


if __name__ == "__main__":
    main(*sys.argv[1:])
