"""Decode an .aek file of one tile with LiteRT, constriction and NumPy: no Keras, no ae-keras.

    python decode_aek.py photo.aek cae-cifar10.tflite photo.npy

The model is the one that wrote the file, exported in float32 for any batch. Latents beyond those of
all training images are left to the full decoder.
"""

import io
import json
import pathlib
import sys
import zipfile

import constriction
import numpy as np
from ai_edge_litert.interpreter import Interpreter

file = io.BytesIO(pathlib.Path(sys.argv[1]).read_bytes())
model = zipfile.ZipFile(sys.argv[2])


def varint():
    """Read a number: seven bits a byte, the lowest first."""
    byte = file.read(1)[0]
    return byte if byte < 128 else byte - 128 + 128 * varint()


# Magic; version; header length; digest; name. After the header, its checksum.
version = file.read(5)[4]
varint(), file.read(8), file.read(file.read(1)[0])
flags, height, width, _, step, rows, columns, _, tiles, count = (varint() for _ in range(10))
# Of each section its kind, which version 1 does not have, and its length.
kinds = [(varint() if version > 1 else 0, varint())[0] for _ in range(count)]
# The image's is of kind 0, and the first; others that are odd, as metadata are, may be skipped.
if flags or tiles != 1 or kinds[:1] != [0] or not all(kind % 2 for kind in kinds[1:]):
    sys.exit("The image has several tiles, a label or alpha.")
file.read(4)
words = np.frombuffer(file.read(varint()), "<u4")
coder = constriction.stream.stack.AnsCoder(words.astype(np.uint32))

about = json.loads(model.read("model.json"))
shape = about["latent_shape"]
if about["takes_any_size"]:
    factor = about["image_shape"][0] // shape[0]
    shape = [rows // factor, columns // factor, shape[2]]
tables = np.load(io.BytesIO(model.read("entropy_tables.npz")))
counts = np.split(tables["counts"].astype(np.int64), np.cumsum(tables["lengths"])[:-1])
latents = []
for unit, start, count in zip(tables["units"], tables["starts"], counts, strict=True):
    positions = np.arange(64 * start - 32, 64 * (start + len(count)) - 32)
    weights = np.repeat(16 * count + 1, 64)
    symbols = (positions + step) // (2 * step) - (positions[0] + step) // (2 * step)
    sums = np.bincount(symbols, weights).astype(np.int64)
    means = np.bincount(symbols, weights * (positions + 0.5)) / sums * unit / 64
    sums = np.append(sums, max(1, sums.sum() // 8192))
    frequencies = sums * (2**24 - len(sums)) // sums.sum()
    frequencies[frequencies.argmax()] += 2**24 - len(sums) - frequencies.sum()
    table = constriction.stream.model.Categorical(frequencies.astype(float), perfect=False)
    latents.append(means[coder.decode(table, int(np.prod(shape[:-1])))])

decode = Interpreter(sys.argv[2]).get_signature_runner("decode")
tile = np.stack(latents, axis=-1).reshape(1, *shape).astype(np.float32)
image = decode(latents=tile)["reconstructions"][0, :height, :width]
np.save(sys.argv[3], np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8))
