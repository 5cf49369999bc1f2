"""The sentences in which studies say what they found."""

import numpy as np

from ae_keras.studies import load_study


def test_depth_is_judged_by_its_rows():
    depth = load_study("depth")

    def rows(*errors):
        return [
            (*variant, 0, 0, "1", "0.1", str(error), "1")
            for variant, error in zip(depth.VARIANTS, errors, strict=True)
        ]

    assert "better holds here" in depth._judge(rows(4, 3, 2, 1))
    said = depth._judge(rows(2, 1, 4, 3))
    assert "does not hold" in said
    assert "depth 1 with 128 filters" in said
    assert "does not always lower it" in said


def test_rates_are_judged_by_their_rows():
    rows = [
        ("`a`", "x", 2.0, 30.0, 1.0, 30.0, 24.0, 9.0, 1.001, 0.5),
        ("`b`", "y", 2.0, 30.0, 2.0, 30.0, 12.0, 9.0, 1.5, None),
        ("`c`", "z", 2.0, 10.0, 0.1, 10.0, 240.0, 9.0, None, None),
    ]
    study = load_study("compression_rate")
    said = study._judge(rows)
    assert "240.0, is that of `c` on z" in said
    assert "2 of 3 models is one that JPEG can have, too; with fewer bits than JPEG: `a`." in said
    assert "with fewer bits than JPEG: none." in study._judge(rows[1:])
    assert study._format(rows[2])[-2:] == ("-", "-")


def test_latents_of_all_sizes_are_judged_by_error_and_time():
    def rows(family, power, errors):
        return [
            (family, size, 1, 1, 1.0, error, 0.1 * size**power)
            for size, error in zip((1, 32, 64, 128), errors, strict=True)
        ]

    said = load_study("latent_size")._judge(
        "mnist", rows("mlp", 0.05, (4, 3, 2, 1)) + rows("conv", 1.0, (4, 1, 2, 3))
    )
    assert "mlp's test error is 4.0000 at size 1 and the lowest, 1.00000, at 128" in said
    assert "power 0.05 of the size: flat. conv" in said
    assert "1.00000, at 32 (of up to 128)" in said
    assert said.endswith("power 1.00 of the size: almost linear.")


def test_ranks_are_judged_by_the_reports():
    study = load_study("svd")

    class Model:
        latent_shape = (1, 1, 32)

    def judge(lossy, lossless):
        ranks = {"lossy_cae": lossy, "lossless_mlp": lossless}
        errors = {"lossy_cae": 0.01, "lossless_mlp": 0.0001}
        models = {"lossy_cae": Model, "lossless_mlp": Model}
        return study._judge(errors, ranks, models, {1: 0.1, 2: 0.005})

    said = judge(3, 12)
    assert "the report's rank 3 holds" in said
    assert "rank 12 on (684 numbers where the latent has 32): the report's rank 13 is not" in said
    assert "2 are the first to match it." in said
    assert "none match it." in said
    assert "rank 3 is surpassed" in judge(4, 13)


def test_recognition_is_judged_from_the_last_rate_that_loses_on():
    study = load_study("recognition")
    points = [
        *(("a", 1, 0.5, 20, 95.5), ("a", 2, 1.0, 22, 90.0), ("a", 3, 2.0, 25, 96.0)),
        ("b", 1, 1.0, 20, 50.0),
    ]
    said = study._judge("mnist", points, 96.2)
    assert "on, with a (2.00). At none" in said
    assert "tried: b (50.0 % at best)." in said


def test_groups_are_judged_by_what_they_save(rng):
    study = load_study("grouped_convolution")
    rows = [("vae_v1", 10, 2.0, 30.0, 9, 5.0), (study._dense("vae_v1"), 20, 6.0, 29.5, 9, 20.0)]
    curve = [{"layout": "mosaic", "bpp": bpp, "psnr": 20 + 10 * bpp} for bpp in (0.5, 1, 2)]
    curves = {
        (name, "mosaic"): [point | {"codec": name, "bpp": factor * point["bpp"]} for point in curve]
        for name, factor in (("vae_v1", 1.5), (study._dense("vae_v1"), 1))
    }
    said = study._judge(rows, curves, "vae_v1")
    assert "2.0 times the parameters and 3.0 times the FLOPs" in said
    assert "4.0 times as long: that groups save holds" in said
    assert "0.50 dB lower, and with them the rate for the same PSNR is +50 %" in said


def test_noise_is_judged_by_its_curves():
    study = load_study("denoising")
    trained = f"conv, trained with {study.TRAINED_LEVEL}"
    psnr = {
        level: {"noisy": 20.0, "conv": 19.0 if level < 0.3 else 21.0, trained: 25.0, "median": 26}
        for level in study.LEVELS
    }
    said = study._judge(psnr)
    assert (
        "strong noise does not hold. `conv` changes the PSNR by -1.0 dB at 0.1 and +1.0 dB at 0.6"
        in said
    )
    assert "noise of 0.3, 0.4, 0.6, 0.8. " in said
    assert "the best at no level" in said
    psnr = {level: {"noisy": 20.0, "conv": 21.0 - level / 0.3, trained: 30.0} for level in psnr}
    said = study._judge(psnr)
    assert "strong noise holds." in said
    assert "the best at 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8." in said


def test_models_of_faces_are_judged_by_batch():
    study = load_study("celeba_models")
    keys = [(name, batch, 8) for name in ("celeba_conv", "celeba_pool") for batch in (16, 32)]

    def rows(*errors):
        return [(*key, 1, 0, error, 0, 1 - error) for key, error in zip(keys, errors, strict=True)]

    said = study._judge_models(rows(0.1, 0.1, 0.2, 0.2))
    assert "pooling holds: 0.1000 and 0.2000 (batch 16)" in said
    assert "sharper holds." in said
    assert "does not hold" in study._judge_models(rows(0.2, 0.2, 0.1, 0.1))
    assert "holds in part" in study._judge_models(rows(0.1, 0.2, 0.2, 0.1))
    grid = keys[:2]
    assert "batches of 32 (0.1000), the worst 8 and 16 (0.2000)" in study._judge_grid(
        rows(0.2, 0.1, 0, 0), grid
    )


def test_architectures_are_judged_by_their_rows():
    names = ("cae", "other", "latent / 2", "latent x 2")
    sizes, errors, gaps = (8, 8, 4, 16), (0.4, 0.3, 0.5, 0.2), (1, -2, 3, 0)
    rows = [
        (name, size, 1, error, error, gap, 20, 0.5, 0.8)
        for name, size, error, gap in zip(names, sizes, errors, gaps, strict=True)
    ]
    said = load_study("architectures")._judge(rows)
    assert "'other', 0.30000, 25 % below that of `cae`, and its images have 80 %" in said
    assert "From 4 to 16 values the error falls with each step" in said
    assert "3.0 % at most" in said


def test_colours_are_judged_against_none_and_the_originals():
    scores = {
        "a = b = 0": (14.0, 22.0, 12.0, 0.9, 0.0),
        "regression": (11.0, 23.5, 9.0, 0.9, 14.0),
        "classification": (13.0, 22.5, 10.0, 0.9, 22.0),
        "originals": (0.0, np.inf, 0.0, 1.0, 20.0),
    }
    said = load_study("colourization")._judge(scores, 0.5)
    assert "could not do can be done: regression has an ab-RMSE of 11.00" in said
    assert "70 % of the originals'" in said
    assert "a temperature of 0.5, differs from theirs by +10 %, for an ab-RMSE of 13.00" in said
    scores["regression"] = (14.5, 22.0, 9.0, 0.9, 30.0)
    assert "is not done" in load_study("colourization")._judge(scores, 0.5)
