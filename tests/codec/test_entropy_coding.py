import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ae_keras.codec import varints
from ae_keras.codec.entropy_coding import (
    LARGEST_SYMBOL,
    TOTAL,
    FrequencyTables,
    scale_frequencies,
)
from ae_keras.codec.errors import InconsistentError

NUMBERS = st.lists(st.integers(0, 2**32 - 1), max_size=50)


@st.composite
def tables_and_symbols(draw):
    """Up to four tables, and for each some symbols, a few of them outside of it."""
    lowest, frequencies, groups = [], [], []
    for _ in range(draw(st.integers(1, 4))):
        weights = draw(st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
        first = draw(st.integers(-100, 100))
        inside = st.integers(first, first + len(weights) - 1)
        anywhere = st.integers(-LARGEST_SYMBOL, LARGEST_SYMBOL)
        lowest.append(first)
        frequencies.append(scale_frequencies(weights))
        groups.append(draw(st.lists(inside | anywhere, max_size=60)))
    return FrequencyTables(lowest, frequencies), groups


def flatten(groups):
    return np.array([symbol for group in groups for symbol in group], np.int32)


@given(NUMBERS)
def test_varints_round_trip(numbers):
    data = varints.encode(numbers)
    np.testing.assert_array_equal(varints.decode(data), numbers)
    if numbers:
        first, size = varints.decode_first(data)
        assert (first, data[:size]) == (numbers[0], varints.encode(numbers[:1]))


def test_varints_are_leb128():
    assert varints.encode([0, 127, 128, 300, 2**32 - 1]).hex() == "007f8001ac02ffffffff0f"


@pytest.mark.parametrize(
    "data", ["80", "ffff", "8000", "ffffffffff0f", "ffffffff1f", "808080808001"]
)
def test_numbers_that_nobody_writes_are_refused(data):
    with pytest.raises(InconsistentError):
        varints.decode(bytes.fromhex(data))
    with pytest.raises(InconsistentError):
        varints.decode_first(bytes.fromhex(data))
    with pytest.raises(InconsistentError, match="missing"):
        varints.decode_first(b"")


@given(st.lists(st.integers(0, 2**30), min_size=1, max_size=300), st.integers(1, 2**20))
def test_frequencies_keep_to_the_proportions_and_the_sum(weights, escape_weight):
    frequencies = scale_frequencies(weights, escape_weight)
    assert frequencies.sum() == TOTAL
    assert frequencies.min() >= 1
    exact = np.append(weights, escape_weight) / (sum(weights) + escape_weight) * TOTAL
    assert np.abs(frequencies - exact).max() <= 2 * len(frequencies)


@pytest.mark.parametrize("frequencies", [[TOTAL], [TOTAL, 0], [TOTAL - 1, 2], [TOTAL + 1, -1]])
def test_wrong_frequencies_are_refused(frequencies):
    with pytest.raises(ValueError, match="sum 2\\^24"):
        FrequencyTables([0], [np.array(frequencies)])


@settings(max_examples=200, deadline=None)
@given(tables_and_symbols())
def test_symbols_round_trip(case):
    tables, groups = case
    counts, symbols = [len(group) for group in groups], flatten(groups)
    data = tables.encode(symbols, counts)
    np.testing.assert_array_equal(tables.decode(data, counts), symbols)


def laplacian_tables(rng, count=3, size=101):
    places = np.abs(np.arange(size) - size // 2)
    weights = [np.round(10**6 * np.exp(-places / scale)) for scale in (0.3, 3, 30)[:count]]
    return FrequencyTables([-(size // 2)] * count, [scale_frequencies(w) for w in weights])


def draw(rng, tables, count):
    symbols = [
        first + rng.choice(len(table), count, p=table / TOTAL)
        for first, table in zip(tables.lowest, tables.frequencies, strict=True)
    ]
    return np.concatenate(symbols).astype(np.int32)


@pytest.mark.parametrize("count", [1, 10, 100, 10_000])
def test_bits_are_those_of_the_tables(count, rng):
    tables = laplacian_tables(rng)
    symbols = draw(rng, tables, count)
    counts = [count] * 3
    bits = 8 * len(tables.encode(symbols, counts))
    information = tables.information(symbols, counts)
    # 64 bits of state, and the varint before the words.
    assert information - 1 < bits <= 1.005 * information + 64 + 5 * 8


def test_endless_repetition_may_take_no_space():
    tables = FrequencyTables([5], [scale_frequencies([1000, 1])])
    symbols = np.full(10**6, 5, np.int32)
    data = tables.encode(symbols, [len(symbols)])
    assert len(data) < 10
    np.testing.assert_array_equal(tables.decode(data, [len(symbols)]), symbols)


def test_information_is_that_of_the_frequencies(rng):
    tables = laplacian_tables(rng)
    symbols = draw(rng, tables, 1000).reshape(3, -1)
    expected = sum(
        -np.log2(table[group - first] / TOTAL).sum()
        for group, first, table in zip(symbols, tables.lowest, tables.frequencies, strict=True)
    )
    escapes = sum(np.count_nonzero(group > 50) for group in symbols)
    assert tables.information(symbols.ravel(), [1000] * 3) == pytest.approx(expected + 8 * escapes)


def code_in_plain_integers(places, frequencies):
    """The words of the coder, of one table: 32-bit words, 64-bit state, 24-bit probabilities."""
    starts = np.cumsum(frequencies) - frequencies
    words, state = [], 0
    for place in reversed(places):
        frequency = int(frequencies[place])
        if state >> 40 >= frequency:
            words.append(state % 2**32)
            state >>= 32
        state = (state // frequency << 24) + int(starts[place]) + state % frequency
    while state:
        words.append(state % 2**32)
        state >>= 32
    return np.array(words, "<u4").tobytes()


@pytest.mark.parametrize("frequencies", [[3, 1, TOTAL - 1000, 990, 6], [1, TOTAL - 2, 1]])
def test_the_coder_uses_the_tables_integers_exactly(frequencies, rng):
    # Were a part of the coder's 2^24 larger or smaller by one, all words after it would be others.
    frequencies = np.array(frequencies)
    tables = FrequencyTables([0], [frequencies])
    symbols = rng.integers(0, len(frequencies) - 1, 3000).astype(np.int32)
    words = code_in_plain_integers(symbols, frequencies)
    assert tables.encode(symbols, [3000]) == varints.encode([len(words)]) + words
    # The escape has the last part.
    symbols[::7] = len(frequencies) - 1
    words = code_in_plain_integers(symbols, frequencies)
    escapes = bytes(len(symbols[::7]))
    assert tables.encode(symbols, [3000]) == varints.encode([len(words)]) + words + escapes


@pytest.mark.parametrize(
    ("change", "counts", "message"),
    [
        (lambda data: data, [100, 101, 100], "longer|escapes"),
        (lambda data: data, [99, 100, 100], "longer|escapes"),
        (lambda data: data[:-4], [100] * 3, "as many words"),
        (lambda data: data + b"\0", [100] * 3, "as many escapes"),
        (lambda data: b"\x03" + data[1:], [100] * 3, "as many words"),
        (lambda data: b"", [100] * 3, "missing"),
    ],
)
def test_bytes_that_do_not_fit_are_refused(change, counts, message, rng):
    tables = laplacian_tables(rng)
    symbols = np.clip(draw(rng, tables, 100), -50, 50)
    data = change(tables.encode(symbols, [100] * 3))
    with pytest.raises(InconsistentError, match=message):
        tables.decode(data, counts)


def test_escapes_beyond_the_largest_symbol_are_refused():
    tables = FrequencyTables([0], [scale_frequencies([1, 1], 10)])
    data = tables.encode(np.array([LARGEST_SYMBOL], np.int32), [1])
    escape = varints.encode([2 * (LARGEST_SYMBOL - 2)])
    assert data.endswith(escape)
    larger = data[: -len(escape)] + varints.encode([2 * (LARGEST_SYMBOL - 1)])
    with pytest.raises(InconsistentError, match="too large"):
        tables.decode(larger, [1])
