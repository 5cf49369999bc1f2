"""How much of the time of a codec its entropy coder takes, and how fast it is."""

import math
import time

import numpy as np

from ae_keras.benchmark.samples import HEIGHT, WIDTH, sample_photograph
from ae_keras.benchmark.timing import check_rounds
from ae_keras.codec.bitstream import read_bitstream
from ae_keras.codec.image_codec import ImageCodec
from ae_keras.codec.loading import load_codec
from ae_keras.codec.quantizer import Quantizer


def benchmark_codec(run: str, rounds: int = 11) -> list[tuple[str, str]]:
    """Time a codec, at its default step, on a photograph of 768x512 pixels.

    Args:
        run: str. A run folder, or its name.
        rounds: int. Measurements, of which the medians are taken.

    Returns:
        Rows of what was measured, and its value.

    Raises:
        FileNotFoundError: if there is no such run, or it has no entropy tables.
        ValueError: if there are no rounds, or the codec has no tables of channels to time.
    """
    check_rounds(rounds)
    codec = load_codec(run)
    quantizer = codec.entropy_model
    if not isinstance(codec, ImageCodec) or not isinstance(quantizer, Quantizer):
        raise ValueError(
            f"The symbols of {run!r} have no tables of channels, which are timed here."
        )
    image = sample_photograph()
    seconds = np.array([_round(codec, quantizer, image) for _ in range(rounds + 1)][1:])
    compress, decompress, encode, decode, symbols, overhead = np.median(seconds, axis=0)
    return [
        (f"compress {WIDTH}x{HEIGHT} pixels [ms]", f"{1000 * compress:.1f}"),
        ("entropy coding in it", f"{100 * encode / compress:.1f} %"),
        ("encode [million symbols / s]", f"{symbols / encode / 1e6:.0f}"),
        (f"decompress {WIDTH}x{HEIGHT} pixels [ms]", f"{1000 * decompress:.1f}"),
        ("entropy decoding in it", f"{100 * decode / decompress:.1f} %"),
        ("decode [million symbols / s]", f"{symbols / decode / 1e6:.0f}"),
        ("bytes above the tables' entropy", f"{100 * overhead:.3f} %"),
    ]


def _round(codec: ImageCodec, quantizer: Quantizer, image: np.ndarray) -> tuple[float, ...]:
    """Return the seconds of both directions and of the entropy coder's, symbols, and overhead."""
    times = [time.perf_counter()]
    compressed = codec.compress(image)
    times.append(time.perf_counter())
    codec.decompress(compressed)
    times.append(time.perf_counter())
    header, sections = read_bitstream(compressed)
    tables = quantizer.at(header.step).tables
    shape = codec.transform.latent_shape_of(header.tile) or ()
    counts = [header.section_tiles * math.prod(shape[:-1])] * len(tables)
    symbols = [tables.decode(section.data, counts) for section in sections]
    times.append(time.perf_counter())
    for group in symbols:
        tables.encode(group, counts)
    times.append(time.perf_counter())
    compress, decompress, decode, encode = np.diff(times)
    bits = sum(tables.information(group, counts) for group in symbols)
    overhead = 8 * sum(len(section.data) for section in sections) / bits - 1
    return compress, decompress, encode, decode, sum(map(len, symbols)), overhead
