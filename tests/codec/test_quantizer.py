import numpy as np
import pytest
from conftest import BlockTransform, smooth_images
from hypothesis import given, settings
from hypothesis import strategies as st

from ae_keras.codec.channel_tables import BIN, TRUST, sum_counts
from ae_keras.codec.quantizer import Quantizer
from ae_keras.codec.steps import (
    COARSEST_STEP,
    FINEST_STEP,
    STEP_SCALE,
    quality_of_step,
    step_of_quality,
)
from ae_keras.codec.table_fitting import fit_quantizer


def fit(latents, units):
    bins = np.rint(latents.reshape(-1, len(units)) / units).astype(int)
    starts = bins.min(axis=0)
    return Quantizer(
        units, starts, [np.bincount(c - s) for c, s in zip(bins.T, starts, strict=True)]
    )


@pytest.fixture
def latents(rng):
    return (rng.laplace(size=(500, 2, 2, 3)) * [0.2, 1, 5] + [0, 3, 0]).astype(np.float32)


@pytest.fixture
def quantizer(latents):
    return fit(latents, np.array([0.01, 0.02, 0.1]))


def test_every_quality_has_a_step_of_its_own():
    steps = [step_of_quality(quality) for quality in range(1, 101)]
    assert steps == sorted(set(steps), reverse=True)
    assert (steps[0], steps[-1]) == (COARSEST_STEP, FINEST_STEP)
    assert [quality_of_step(step) for step in steps] == list(range(1, 101))


@pytest.mark.parametrize("quality", [0, 101, 50.0, "50", True])
def test_other_qualities_are_refused(quality):
    with pytest.raises(ValueError, match="from 1 to 100"):
        step_of_quality(quality)


@pytest.mark.parametrize("quality", [1, 30, 60, 100])
def test_error_is_at_most_half_a_step(quality, quantizer, latents):
    step = step_of_quality(quality)
    tables = quantizer.at(step)
    symbols = tables.symbols(latents)
    decoded = tables.latents(symbols)
    width = quantizer.units * step / STEP_SCALE
    np.testing.assert_array_equal(
        symbols.T, np.rint(latents.reshape(-1, 3) / width.astype(np.float32))
    )
    # A value may be decoded as the other end of its step, and no further away.
    assert np.all(np.abs(decoded - latents.reshape(-1, 3)) <= width * 1.0001)
    assert np.all(np.abs(decoded - symbols.T * width) <= width / 2 * 1.0001)


def test_values_outside_of_the_tables_are_kept(quantizer, latents):
    far = latents * 50
    tables = quantizer.at(320)
    symbols = tables.symbols(far)
    decoded = tables.latents(symbols)
    width = quantizer.units * 320 / STEP_SCALE
    assert np.all(np.abs(decoded - far.reshape(-1, 3)) <= width * 1.0001)
    counts = [symbols.shape[1]] * 3
    data = tables.tables.encode(symbols.ravel(), counts)
    np.testing.assert_array_equal(tables.tables.decode(data, counts), symbols.ravel())
    assert tables.encode(far) == data
    np.testing.assert_array_equal(tables.decode(data, far.shape), decoded.reshape(far.shape))


@pytest.mark.parametrize("quality", [20, 50, 80])
def test_means_of_the_training_latents_are_closer_than_midpoints(quality, quantizer, latents):
    step = step_of_quality(quality)
    tables = quantizer.at(step)
    symbols = tables.symbols(latents)
    midpoints = symbols.T * quantizer.units * step / STEP_SCALE
    flat = latents.reshape(-1, 3)
    error = np.square(tables.latents(symbols) - flat).mean(axis=0)
    assert np.all(error <= np.square(midpoints - flat).mean(axis=0) * 1.01)


@pytest.mark.parametrize("step", [32, 33, 100, 1000, 31999])
def test_tables_cost_little_more_than_the_entropy(step, quantizer, latents):
    symbols = quantizer.at(step).symbols(latents)
    bits = quantizer.at(step).tables.information(symbols.ravel(), [symbols.shape[1]] * 3)
    entropy = 0.0
    for channel in symbols:
        _, counts = np.unique(channel, return_counts=True)
        entropy -= np.sum(counts * np.log2(counts / len(channel)))
    # Of a table for the step alone; 0.03 bits of a value for what is not there.
    assert entropy - 1e-6 <= bits <= 1.02 * entropy + 0.03 * symbols.size


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=60).filter(any),
    st.integers(-200, 200),
    st.integers(FINEST_STEP, COARSEST_STEP),
)
def test_no_count_is_lost_or_counted_twice(counts, start, step):
    counts = np.array(counts)
    lowest, weights, centres = sum_counts(start, counts, step)
    assert weights.sum() == BIN * (TRUST * counts + 1).sum()
    assert weights.min() > 0
    symbols = lowest + np.arange(len(weights))
    assert np.all(np.abs(centres - 2 * symbols * step) <= step)
    mean = np.sum((TRUST * counts + 1) * BIN * (start + np.arange(len(counts))))
    assert np.sum(weights * centres) / weights.sum() == pytest.approx(
        mean / (TRUST * counts + 1).sum(), abs=1e-6
    )


def test_finest_step_has_the_bins_themselves_as_symbols():
    lowest, weights, centres = sum_counts(-2, np.array([5, 0, 7]), FINEST_STEP)
    assert lowest == -2
    np.testing.assert_array_equal(weights, BIN * (TRUST * np.array([5, 0, 7]) + 1))
    np.testing.assert_allclose(centres, BIN * np.array([-2, -1, 0]))


def test_file_round_trip_keeps_digest_and_tables(quantizer, tmp_path):
    quantizer.default_step, quantizer.weights_digest = 99, "abc"
    quantizer.save(tmp_path / "tables.npz")
    loaded = Quantizer.load(tmp_path / "tables.npz")
    assert loaded.digest == quantizer.digest
    assert (loaded.default_step, loaded.weights_digest) == (99, "abc")
    for ours, theirs in zip(
        quantizer.at(500).tables.frequencies, loaded.at(500).tables.frequencies, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


def test_digest_depends_on_all_that_decoding_does(quantizer, latents):
    digests = {quantizer.digest, fit(latents * 2, quantizer.units).digest}
    digests.add(fit(latents, 2 * quantizer.units).digest)
    parts = (quantizer.units, quantizer.starts, quantizer.counts)
    digests.add(Quantizer(*parts, weights_digest="other").digest)
    digests.add(Quantizer(parts[0], parts[1] + 1, parts[2]).digest)
    assert len(digests) == 5
    assert Quantizer(*parts, default_step=77).digest == quantizer.digest


@pytest.mark.parametrize("damage", [lambda data: data[:50], lambda data: b"", lambda data: b"PK"])
def test_damaged_files_are_refused(damage, quantizer, tmp_path):
    path = tmp_path / "tables.npz"
    quantizer.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="Cannot read the tables"):
        Quantizer.load(path)


def test_files_with_any_bit_flipped_are_refused_or_the_same(quantizer, tmp_path, rng):
    path = tmp_path / "tables.npz"
    quantizer.save(path)
    data = path.read_bytes()
    refused = 0
    for _ in range(500):
        changed = bytearray(data)
        changed[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        try:
            assert Quantizer.load(path).digest == quantizer.digest
        except ValueError:
            refused += 1
    assert refused > 300


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e12])
def test_latents_that_are_no_numbers_are_refused(value, quantizer, latents):
    latents[3, 1, 0, 2] = value
    with pytest.raises(ValueError, match="not numbers, or too large"):
        quantizer.at(64).symbols(latents)


@pytest.mark.parametrize("counts", [[[]], [[0, 0]], [[-1, 5]], [[1], [1]]])
def test_counts_that_do_not_fit_are_refused(counts):
    with pytest.raises(ValueError, match="Expected"):
        Quantizer([1.0], [0], counts)


def test_a_model_that_has_diverged_gets_no_tables(rng):
    class Diverged(BlockTransform):
        def encode(self, images):
            return super().encode(images) * np.float32("nan")

    with pytest.raises(ValueError, match=r"no numbers: .+ diverged\. Train it again"):
        fit_quantizer(Diverged(), smooth_images(rng, 4, 8, 8, 3))


def test_a_constant_that_the_decoder_needs_is_kept_at_every_step(rng):
    class Shifted(BlockTransform):
        """Its first channel is 0.73 for every training image, and the decoder takes that off."""

        def encode(self, images):
            latents = super().encode(images)
            latents[..., 0] = latents[..., 0] * self.scale - np.float32(0.73)
            latents[0, ..., 0] *= np.float32(1 + 1e-7)  # as sums in another order are
            return latents

        scale = np.float32(0)

    transform = Shifted()
    quantizer = fit_quantizer(transform, smooth_images(rng, 40, 8, 8, 3))
    latents = transform.encode(smooth_images(rng, 2, 8, 8, 3).astype(np.float32) / 255)
    for quality in (1, 30, 60, 100):
        tables = quantizer.at(step_of_quality(quality))
        restored = tables.latents(tables.symbols(latents)).reshape(latents.shape)
        np.testing.assert_allclose(restored[..., 0], -0.73, rtol=1e-3)
    # What is other than in training comes through as well.
    transform.scale = np.float32(3)
    latents = transform.encode(smooth_images(rng, 2, 8, 8, 3).astype(np.float32) / 255)
    tables = quantizer.at(FINEST_STEP)
    restored = tables.latents(tables.symbols(latents)).reshape(latents.shape)
    np.testing.assert_allclose(restored[..., 0], latents[..., 0], atol=0.001)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"starts": [0, 2**62]}, "within 2\\^29"),
        ({"starts": [0, -(2**63)]}, "within 2\\^29"),
        ({"starts": [[0], [0]]}, "as many channels"),
        ({"units": [1.0, 0.0]}, "above 0"),
        ({"units": [1.0, np.nan]}, "above 0"),
        ({"units": [], "starts": [], "counts": []}, "as many channels"),
        ({"counts": [[1], [[1]]]}, "Expected counts"),
        ({"default_step": 2**62}, "`step` must be"),
    ],
)
def test_tables_that_would_break_what_computes_are_refused(changes, words):
    """What fuzzing has found."""
    arguments = {"units": [1.0, 2.0], "starts": [0, 0], "counts": [[1], [1]]}
    assert Quantizer(**arguments).channels == 2
    with pytest.raises(ValueError, match=words):
        Quantizer(**arguments | changes)
