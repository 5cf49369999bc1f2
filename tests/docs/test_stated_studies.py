"""What the pages tell of studies is what the files of these say.

As in `test_stated_figures.py`, each statement is built of the values of its file.
"""

import re

import pytest
from sources import STUDIES, by, metrics_of, missing_of, rows_of


def found(study, number):
    """A number that a study's page tells, of values that its tables have only rounded."""
    text = (STUDIES / study / "README.md").read_text(encoding="utf-8")
    return re.search(number, text)[1]


def exports():
    rows = rows_of(STUDIES / "export/export.csv")
    for model in dict.fromkeys(row["model"] for row in rows):
        forms = {row["as"]: row for row in rows if row["model"] == model}
        litert, int8 = forms["litert"], forms["litert-int8"]
        keras = [float(forms[f"Keras, `{call}`"]["1 image [ms]"]) for call in _CALLS]
        sizes = " | ".join(f"{int(form['KB']):,}" for form in (litert, int8))
        times = " | ".join(form["1 image [ms]"] for form in (litert, int8))
        psnr = int8["PSNR to Keras [dB]"]
        yield f"| {model} | {sizes} | {psnr} | {keras[0]:.1f} | {keras[1]:.1f} | {times} |"


_CALLS = ("predict", "model(x)")


def colours():
    kodak = by(STUDIES / "photograph_colourization/photograph_colourization.csv", "answer")
    ours, none, first = (
        kodak[name]["ab-RMSE"]
        for name in ("colourizer-photographs", "no colour", "colourizer-cifar10")
    )
    yield f"ab-RMSE is {ours}, where no colour has {none} and"
    yield f", {first} ("
    answers = by(STUDIES / "colourization/answers.csv", "answer")
    exact, vivid = (answers[name]["ab-RMSE"] for name in ("regression", "classification"))
    yield f"on the test images is {vivid}, instead of {exact}"


def studies_of_autoencoders():
    sizes = {(row["model"], row["size"]): row for row in rows_of(STUDIES / "latent_size/mnist.csv")}
    error = {key: float(row["test MSE"]) for key, row in sizes.items()}
    yield (
        f"`mlp` falls from {error['mlp', '1']:.4f} at size 1 to {error['mlp', '1024']:.5f} at "
        f"1,024, and that of `conv` to {error['conv', '128']:.5f} at 128"
    )
    wide = [
        by(STUDIES / f"wide_latents/{name}.csv", "feature maps") for name in ("mnist", "cifar10")
    ]
    memory = [int(rows["1024"]["peak memory [MB]"]) / 1000 for rows in wide]
    yield f"it takes {memory[0]:.1f} GB on MNIST and {memory[1]:.1f} GB on CIFAR-10"
    first, second = (
        [int(rows[size]["processor seconds"]) for rows in wide] for size in ("1024", "512")
    )
    yield f"{first[0]} and {first[1]:,} seconds of a processor"
    yield f"where 512 take {second[0]} and {second[1]}"
    depth = {row["depth"]: row for row in rows_of(STUDIES / "depth/depth.csv")}  # of 128 filters
    errors = [float(depth[number]["test MSE"]) for number in "12"]
    yield f"one convolution has a test MSE of {errors[0]:.5f}, two have {errors[1]:.5f}"
    noise = by(STUDIES / "denoising/denoising.csv", "noise")["0.3"]
    columns = ("conv [dB]", "conv, trained with 0.3 [dB]", "median 3x3 [dB]")
    gains = [float(noise[column]) - float(noise["noisy [dB]"]) for column in columns]
    yield (
        f"At a noise of 0.3 `conv` gains {gains[0]:.1f} dB, and {gains[1]:.1f} dB when it was "
        f"trained to denoise; the median gains {gains[2]:.1f} dB"
    )
    domain = by(STUDIES / "out_of_domain/out_of_domain.csv", "images")
    yield f"(area under the ROC curve: {float(domain['photographs']['AUC of the error']):.3f})"
    variants = by(STUDIES / "architectures/architectures.csv", "variant")
    cae, one = variants["cae"], variants["1 pooling, same latent"]
    assert cae["latent values"] == one["latent values"]
    assert 4.5 < int(cae["parameters"]) / int(one["parameters"]) < 5.6
    less = found("architectures", r"below that of `cae` by: (\d+) %")
    yield f"it has {less} % less error"
    yield "with the same latent size and a fifth of the parameters"
    reduced, faces = (
        {
            (row["model"], row["batch"], row["filters"]): row["validation MSE"]
            for row in rows_of(STUDIES / "celeba_models" / file)
        }
        for file in ("celeba_models.csv", "gpu.csv")
    )
    losses = [float(reduced[model, "16", "16"]) for model in ("celeba_conv", "celeba_pool")]
    yield f"their validation losses are {losses[0]:.4f} and {losses[1]:.4f}"
    for batch in ("16", "32"):
        grid = [faces["celeba_conv", batch, filters] for filters in ("16", "32", "64", "128")]
        assert min(grid) == grid[1]
        yield f"| batch {batch} | {' | '.join(grid)} | {faces['celeba_pool', batch, '16']} |"
    ranks = [row["matching rank"] for row in rows_of(STUDIES / "svd/models.csv")[:2]]
    yield f"`lossy_cae` is as good as rank {ranks[0]}"
    yield f"as rank {ranks[1]}, where it found 13"


def studies_of_codecs():
    digits = {
        (row["codec"], row["quality"]): row for row in rows_of(STUDIES / "recognition/mnist.csv")
    }
    best, kept = digits["originals", "-"], digits["lossy_cae", "50"]
    yield (
        f"recognizes {best['accuracy [%]']} % of the digits, and {kept['accuracy [%]']} % after "
        f"`lossy_cae` at {float(kept['bpp, mosaic']):.2f} bits per pixel; JPEG needs "
        f"{float(digits['jpeg', '15']['bpp, mosaic']):.2f} to lose a point at most"
    )
    enough = float(best["accuracy [%]"]) - 1
    assert float(digits["jpeg", "5"]["accuracy [%]"]) < enough
    assert float(digits["jpeg", "15"]["accuracy [%]"]) >= enough
    groups = by(STUDIES / "grouped_convolution/grouped_convolution.csv", "model")
    with_groups, without = groups["vae_v1"], groups["vae_v1, no groups"]
    share = 1 - int(with_groups["parameters"]) / int(without["parameters"])
    lost = found("grouped_convolution", r"before quantization: \+([\d.]+) dB")
    rate = found("grouped_convolution", r"BD-rate with them: \+(\d+) %")
    yield f"they save {100 * share:.0f} % of the parameters; they cost {lost} dB, and {rate} %"
    rates = by(STUDIES / "compression_rate/compression_rate.csv", "model")
    ratios = [float(rates[f"`{model}`"]["ratio, mosaic"]) for model in ("conv", "celeba_conv")]
    yield f"go from {ratios[0]:.1f} (`conv`) to {ratios[1]:.0f} (`celeba_conv`)"
    answers = by(STUDIES / "colourization/answers.csv", "answer")
    grey, exact = (answers[name]["ab-RMSE"] for name in ("a = b = 0", "regression"))
    yield f"ab-RMSE is {exact} by regression ({grey} without colour)"
    kodak = by(STUDIES / "photograph_colourization/photograph_colourization.csv", "answer")
    names = ("colourizer-photographs", "colourizer-cifar10", "no colour")
    ours, first, none = (kodak[name]["ab-RMSE"] for name in names)
    yield f"ab-RMSE is {ours} with a model trained on photographs, {first} with one of CIFAR-10"
    yield f"and {none} without colour"
    for name in ("BM3D", "non-local means"):
        gains = found("photograph_denoising", rf"above {name} at 0.05, 0.1, 0.2: ([^d]+) dB")
        first, second, third = (gain.strip("+") for gain in gains.split(", "))
        yield f"{first}, {second} and {third} dB above {name}"
    exported = rows_of(STUDIES / "export/export.csv")
    speed = min(
        float(row["`predict` / it, 1 / 32 images"].split(" / ")[0])
        for row in exported
        if row["as"] == "litert"
    )
    yield f"LiteRT takes an image at least {speed:.0f} times as fast as `predict`"
    exact = [row for row in exported if row["as"] in ("litert", "onnx", "saved_model")]
    largest = max(float(row["largest difference"]) for row in exact)
    yield f"no export in float32 differs by more than {largest:.0e}".replace("e-0", "e-")


def searched():
    header = ("mse", 5, ""), ("psnr", 2, " dB"), ("ssim", 3, ""), ("ms_ssim", 3, "")
    for name in ("cae-cifar10", "cae-cifar10-searched"):
        measured = metrics_of(name)
        cells = [f"{measured['test'][key]:.{digits}f}{unit}" for key, digits, unit in header]
        yield f"{' | '.join(cells)} | {measured['training']['parameters']:,} |"


STATED = {
    exports: "docs/export.md",
    colours: "docs/photographs.md",
    studies_of_autoencoders: "docs/studies/index.md",
    studies_of_codecs: "docs/studies/index.md",
    searched: "docs/studies/tuning/README.md",
}


@pytest.mark.parametrize("statements", STATED, ids=lambda function: function.__name__)
def test_a_page_tells_what_a_study_measured(statements):
    assert not missing_of(STATED[statements], statements())
