"""What studies conclude from what they have measured."""

import numpy as np
import pytest

from ae_keras.studies import load_study
from ae_keras.studies.page import Evidence


def numbers(verdict):
    """The evidence of a verdict by its names."""
    return {each.name: each.value for each in verdict.evidence}


def test_depth_is_judged_by_its_rows():
    depth = load_study("depth")

    def rows(*errors):
        return [
            (*variant, 0, 0, "1", "0.1", str(error), "1")
            for variant, error in zip(depth.VARIANTS, errors, strict=True)
        ]

    both, wider, deeper = depth.judge(rows(4, 3, 2, 1))
    assert (both.claim, both.holds) == ("Deeper and wider is better", True)
    assert numbers(both) == {"lowest test MSE": 1, "its depth": 2, "its filters": 128}
    assert wider.holds is deeper.holds is True
    both, wider, deeper = depth.judge(rows(2, 1, 4, 3))
    assert both.holds is False
    assert numbers(both) == {"lowest test MSE": 1, "its depth": 1, "its filters": 128}
    assert (wider.claim, wider.holds) == ("More filters lower the error", True)
    assert numbers(wider)["test MSE with 64 and 128 filters, depth 1"] == (2, 1)
    assert deeper.claim.startswith("A second layer")
    assert deeper.holds is False
    assert numbers(deeper)["test MSE with depth 1 and 2, 64 filters"] == (2, 4)
    assert depth.judge(rows(2, 1, 1.5, 3))[2].holds == "in part"


def test_rates_are_judged_by_their_rows():
    rows = [
        ("`a`", "x", 2.0, 30.0, 1.0, 30.0, 24.0, 9.0, 1.001, 0.5),
        ("`b`", "y", 2.0, 30.0, 2.0, 30.0, 12.0, 9.0, 1.5, None),
        ("`c`", "z", 2.0, 10.0, 0.1, 10.0, 240.0, 9.0, None, None),
    ]
    study = load_study("compression_rate")
    highest, better = study.judge(rows)
    assert highest.holds is better.holds is None
    assert numbers(highest) == {"ratio": 240.0, "model": "`c`", "data": "z"}
    assert better.claim == "Models with fewer bits than JPEG for the same PSNR"
    assert [each.value for each in better.evidence] == [("`a`",), 2, 3]
    assert numbers(study.judge(rows[1:])[1])["these"] == ()
    assert study.format_row(rows[2])[-2:] == ("-", "-")


def test_latents_of_all_sizes_are_judged_by_error_and_time():
    def rows(family, power, errors):
        return [
            (family, size, 1, 1, 1.0, error, 0.1 * size**power)
            for size, error in zip((1, 32, 64, 128), errors, strict=True)
        ]

    def judge(mlp, conv):
        return load_study("latent_size").judge(
            "mnist", rows("mlp", mlp, (4, 3, 2, 1)) + rows("conv", conv, (4, 1, 2, 3))
        )

    mlp_error, mlp_time, conv_error, conv_time = judge(0.05, 1.0)
    assert mlp_error.claim == "On mnist the error of `mlp` falls up to the largest size"
    assert mlp_error.holds is True
    lowest = {"the lowest": 1, "its size": 128, "the largest": 128}
    assert numbers(mlp_error) == {"test MSE at size 1": 4} | lowest
    assert mlp_time.claim == "On mnist the time of an epoch of `mlp` is flat"
    assert mlp_time.holds is True
    assert numbers(mlp_time) == {"power of the size, from 32 on": pytest.approx(0.05)}
    assert conv_error.holds is False
    assert numbers(conv_error) == {"test MSE at size 1": 4} | lowest | {"its size": 32}
    assert conv_time.claim == "On mnist the time of an epoch of `conv` grows almost linearly"
    assert conv_time.holds is True
    assert numbers(conv_time) == {"power of the size, from 32 on": pytest.approx(1)}
    _, mlp_time, _, conv_time = judge(0.5, 1.3)
    assert mlp_time.holds is conv_time.holds is False


def test_ranks_are_judged_by_the_reports():
    def judge(lossy, lossless):
        ranks = {"lossy_cae": lossy, "lossless_mlp": lossless}
        errors = {"lossy_cae": 0.01, "lossless_mlp": 0.0001}
        latents = dict.fromkeys(ranks, 32)
        return load_study("svd").judge(errors, ranks, latents, {1: 0.1, 2: 0.005})

    lossy, lossless = judge(3, 12)
    assert (lossy.claim, lossy.holds) == ("`lossy_cae` is as good as the SVD of rank 3", True)
    assert numbers(lossy) == {
        "test MSE": 0.01,
        "rank that matches": 3,
        "numbers of that rank": 171,
        "numbers of the latent": 32,
        "principal components that match": 2,
    }
    assert lossless.claim == "`lossless_mlp` is as good as the SVD of rank 13"
    assert lossless.holds is False
    assert numbers(lossless) == {
        "test MSE": 0.0001,
        "rank that matches": 12,
        "numbers of that rank": 684,
        "numbers of the latent": 32,
        "principal components that match": "none that was tried",
    }
    lossy, lossless = judge(4, 13)
    assert lossy.holds is lossless.holds is True
    assert numbers(lossy)["rank that matches"] == 4  # the report's is surpassed


def test_recognition_is_judged_from_the_last_rate_that_loses_on():
    points = [
        *(("a", 1, 0.5, 20, 95.5), ("a", 2, 1.0, 22, 90.0), ("a", 3, 2.0, 25, 96.0)),
        ("b", 1, 1.0, 20, 50.0),
    ]
    originals, enough, never = load_study("recognition").judge("mnist", points, 96.2)
    assert originals.claim == "What the classifier of mnist recognizes"
    assert numbers(originals) == {"recognized of the originals": 96.2}
    assert enough.claim == "The rates from which on at most one point of it is lost"
    assert enough.evidence == (Evidence("a", 2.0, "bits per pixel", ".2f"),)
    assert never.claim == "More is lost at all rates that were tried"
    assert never.evidence == (Evidence("b at best", 50.0, "%", ".1f"),)
    assert originals.holds is enough.holds is never.holds is None


def test_groups_are_judged_by_what_they_save():
    study = load_study("grouped_convolution")
    dense = study.dense_name("vae_v1")
    rows = [("vae_v1", 10, 2.0, 30.0, 9, 5.0), (dense, 20, 6.0, 29.5, 9, 20.0)]
    curve = [{"layout": "mosaic", "bpp": bpp, "psnr": 20 + 10 * bpp} for bpp in (0.5, 1, 2)]
    curves = {
        (name, "mosaic"): [point | {"codec": name, "bpp": factor * point["bpp"]} for point in curve]
        for name, factor in (("vae_v1", 1.5), (dense, 1))
    }
    save, cost = study.judge(rows, curves, "vae_v1")
    assert save.claim == "Groups save parameters, operations and time in `vae_v1`"
    assert save.holds is True
    assert [each.value for each in save.evidence] == [2.0, 3.0, 4.0]
    assert cost.holds is None
    assert numbers(cost) == {
        "PSNR gained without them, before quantization": -0.5,
        "BD-rate with them": pytest.approx(50),
    }
    rows[1] = (dense, 20, 6.0, 29.5, 9, 4.0)
    curves[dense, "mosaic"] = [
        point | {"psnr": 90 + point["bpp"]} for point in curves[dense, "mosaic"]
    ]
    save, cost = study.judge(rows, curves, "vae_v1")
    assert save.holds == "in part"
    assert numbers(cost)["BD-rate with them"] == "cannot be compared"


def test_noise_is_judged_by_its_curves():
    study = load_study("denoising")
    trained = f"conv, trained with {study.TRAINED_LEVEL}"
    psnr = {
        level: {"noisy": 20.0, "conv": 19.0 if level < 0.3 else 21.0, trained: 25.0, "median": 26}
        for level in study.LEVELS
    }
    plain, other, best = study.judge(psnr)
    assert plain.claim == "`conv` helps with mild noise and not with strong noise"
    assert plain.holds is False
    assert numbers(plain) == {
        "gain at 0.1": -1.0,
        "gain at 0.6": 1.0,
        "improves images with noise of": (0.3, 0.4, 0.6, 0.8),
    }
    assert other.claim == f"`{trained}` as a filter of noise"
    assert numbers(other)["improves images with noise of"] == study.LEVELS
    assert best.claim == "Where the model trained for it is the best of all methods"
    assert numbers(best) == {"at noise of": ()}
    assert other.holds is best.holds is None
    psnr = {level: {"noisy": 20.0, "conv": 21.0 - level / 0.3, trained: 30.0} for level in psnr}
    plain, _, best = study.judge(psnr)
    assert plain.holds is True
    assert numbers(best) == {"at noise of": (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)}
    psnr = {level: values | {"conv": 21.0} for level, values in psnr.items()}
    assert study.judge(psnr)[0].holds == "in part"


def test_models_of_faces_are_judged_by_batch():
    study = load_study("celeba_models")
    keys = [(name, batch, 8) for name in ("celeba_conv", "celeba_pool") for batch in (16, 32)]

    def rows(*errors):
        return [(*key, 1, 0, error, 0, 1 - error) for key, error in zip(keys, errors, strict=True)]

    lower, sharper = study.judge_models("faces", rows(0.1, 0.1, 0.2, 0.2))
    assert lower.claim.endswith("strided convolutions reach a lower validation error than pooling")
    assert lower.holds is True
    assert numbers(lower)["validation MSE with strides and with pooling, batch 16"] == (0.1, 0.2)
    assert (sharper.claim, sharper.holds) == ("Their faces are sharper", True)
    assert numbers(sharper)["sharpness with strides and with pooling, batch 32"] == (0.9, 0.8)
    for verdict in study.judge_models("faces", rows(0.2, 0.2, 0.1, 0.1)):
        assert verdict.holds is False
    for verdict in study.judge_models("faces", rows(0.1, 0.2, 0.2, 0.1)):
        assert verdict.holds == "in part"
    grid = study.judge_grid(rows(0.2, 0.1, 0, 0), keys[:2])
    assert grid.holds is None
    assert [each.value for each in grid.evidence] == [0.1, 8, 32, 0.2, 8, 16]


def test_architectures_are_judged_by_their_rows():
    names = ("cae", "other", "latent / 2", "latent x 2")
    sizes, errors, gaps = (8, 8, 4, 16), (0.4, 0.3, 0.5, 0.2), (1, -2, 3, 0)
    rows = [
        (name, size, 1, error, error, gap, 20, 0.5, 0.8)
        for name, size, error, gap in zip(names, sizes, errors, gaps, strict=True)
    ]
    best, by_size, gap = load_study("architectures").judge(rows)
    assert best.claim == "The variant with the lowest error, of those with 8 latent values"
    assert numbers(best) == {
        "variant": "other",
        "test MSE": 0.3,
        "below that of `cae` by": pytest.approx(25),
        "sharpness, of the originals'": pytest.approx(80),
    }
    assert by_size.claim == "The error falls with each step of the latent size"
    assert numbers(by_size) == {"test MSE with 4 values": 0.5, "test MSE with 16 values": 0.2}
    assert numbers(gap) == {"at most": 3}
    assert best.holds is by_size.holds is gap.holds is None
    rows[0] = (*rows[0][:4], 0.6, *rows[0][5:])
    assert "does not fall" in load_study("architectures").judge(rows)[1].claim


def test_colours_are_judged_against_none_and_the_originals():
    scores = {
        "a = b = 0": (14.0, 22.0, 12.0, 0.9, 0.0),
        "regression": (11.0, 23.5, 9.0, 0.9, 14.0),
        "classification": (13.0, 22.5, 10.0, 0.9, 22.0),
        "originals": (0.0, np.inf, 0.0, 1.0, 20.0),
    }
    possible, colourful = load_study("colourization").judge(scores, 0.5)
    assert possible.claim.startswith("Grey images can be given colours")
    assert possible.holds is True
    assert numbers(possible) == {
        "ab-RMSE of regression and of no colour": (11.0, 14.0),
        "PSNR": (23.5, 22.0),
        "Delta E 2000": (9.0, 12.0),
    }
    assert colourful.holds is None
    assert numbers(colourful) == {
        "colourfulness of regression, of the originals'": pytest.approx(70),
        "difference of classification to theirs": pytest.approx(10),
        "its temperature": 0.5,
        "its ab-RMSE": 13.0,
    }
    scores["regression"] = (14.5, 22.0, 9.0, 0.9, 30.0)
    assert load_study("colourization").judge(scores, 0.5)[0].holds is False


def test_other_images_are_judged_by_the_area_of_their_error():
    errors = {"digits": np.array([1.0, 1.0]), "photographs": np.array([3.0, 5.0])}
    areas = {"photographs": (0.95, 0.7), "turned": (0.6, 0.65)}
    found, hardest, better = load_study("out_of_domain").judge(errors, areas)
    assert found.claim == "Photographs do not pass through a model of digits"
    assert found.holds is True
    assert [each.value for each in found.evidence] == [4.0, 0.95]
    assert numbers(hardest) == {"kind": "'turned'", "area": 0.6}
    assert numbers(better) == {"these": ("'photographs'",), "number": 1, "of all": 2}
    areas["photographs"] = (0.85, 0.7)
    assert load_study("out_of_domain").judge(errors, areas)[0].holds is False


def test_exports_are_judged_by_exactness_speed_and_size():
    def row(model, way, quantization, size, psnr, difference, faster):
        parity = {"reconstructions": {"psnr": psnr, "max": difference}}
        report = {"parity": parity, "model_bytes": size, "quantization": quantization}
        ratio = {("Keras, `predict`", 1): faster}
        return {
            "model": model,
            "as": way,
            "report": report,
            "float32": {"model_bytes": 100},
        } | ratio

    rows = [
        row("a", "litert", "none", 100, 140.0, 1e-6, 20.0),
        row("b", "litert", "none", 100, 130.0, 2e-6, 10.0),
        row("c", "litert", "none", 100, 130.0, 1e-6, 30.0),
        row("a", "litert-int8", "int8", 30, 35.0, 0.1, 1.0),
        row("b", "litert-int8", "int8", 40, 33.0, 0.1, 1.0),
    ]
    exact, fast, small, refused = load_study("export").judge(rows)
    assert numbers(exact) == {"difference": 2e-6, "model": "`b`", "as": "litert"}
    assert numbers(fast) == {"times as fast": 10.0, "model": "`b`"}
    assert numbers(small) == {
        "lowest PSNR": 33.0,
        "model": "`b`",
        "above 0.35 of the float32 model's size": ("`b`",),
        "size of `b`": 0.4,
    }
    assert refused.claim.startswith("Refused in int8, below")
    assert numbers(refused) == {"models": ("c",)}
    assert {verdict.holds for verdict in (exact, fast, small, refused)} == {None}
    assert len(load_study("export").judge(rows[:2] + rows[3:])) == 3


def test_photographs_are_judged_by_the_gain_to_each_method():
    study = load_study("photograph_denoising")

    def psnr(*ours):
        return {
            level: {"noisy": 20.0, "non-local means": 28.0, "BM3D": 30.0, "denoiser": value}
            for level, value in zip(study.LEVELS, ours, strict=True)
        }

    better, gain = study.judge(psnr(30.5, 31.0, 32.0), "24 of kodak")
    assert better.holds is True
    assert better.claim.endswith("than non-local means and BM3D")
    assert numbers(better) == {
        "above non-local means at 0.05, 0.1, 0.2": (2.5, 3.0, 4.0),
        "above BM3D at 0.05, 0.1, 0.2": (0.5, 1.0, 2.0),
        "photographs": "24 of kodak",
    }
    assert gain.holds is None
    assert numbers(gain) == {"above the noisy images at 0.05, 0.1, 0.2": (10.5, 11.0, 12.0)}
    assert study.judge(psnr(30.5, 29.0, 32.0), "")[0].holds == "in part"
    assert study.judge(psnr(27.0, 26.0, 25.0), "")[0].holds is False


def test_noise_of_photographs_is_as_strong_as_said_and_always_the_same():
    study = load_study("photograph_denoising")
    image = np.full((200, 200, 3), 128, np.uint8)
    for level in study.LEVELS:
        noisy = study.add_noise(image, level)
        assert noisy.dtype == np.uint8
        assert np.std(noisy / 255 - image / 255) == pytest.approx(level, rel=0.02)
        np.testing.assert_array_equal(study.add_noise(image, level), noisy)
    assert study.add_noise(np.zeros((50, 50, 3), np.uint8), 0.2).min() == 0  # clipped
