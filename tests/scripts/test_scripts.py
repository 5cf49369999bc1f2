"""The scripts as a user meets them: in a process of their own."""

import io
import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT, assert_one_clear_line, make_exif, run_here
from PIL import Image
from skimage import data

from ae_keras.command_line import format_table, parse_changes

SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


def start(name, *arguments, cwd):
    command = [sys.executable, ROOT / "scripts" / name, *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(name, *arguments, cwd):
    process = start(name, *arguments, cwd=cwd)
    stdout, stderr = process.communicate()
    return process.returncode, stdout, stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_help_is_quick_and_has_examples(script, tmp_path):
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        returncode, stdout, stderr = run(script.name, "--help", cwd=tmp_path)
        seconds.append(time.perf_counter() - begin)
    assert returncode == 0
    assert f"python scripts/{script.name}" in stdout
    assert stderr == ""
    assert min(seconds) < 0.5


def test_the_page_lists_the_models_as_the_script_does(monkeypatch, capsys):
    returncode, stdout, stderr = run_here(monkeypatch, capsys, "models.py")
    assert (returncode, stderr) == (0, "")
    assert stdout.strip() in (ROOT / "docs" / "models.md").read_text()


def test_dry_run_shows_what_would_be_trained(photo_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ("--model", "vae_v2", "--dataset", "photos", "--dry-run")
    returncode, stdout, stderr = run_here(monkeypatch, capsys, "train.py", *arguments)
    assert (returncode, stderr) == (0, "")
    assert "latent  5x5x128: 3,200 values" in stdout
    folder = tmp_path / "saved_models" / "vae_v2-photos"
    assert [path.name for path in folder.iterdir()] == ["dataset.png"]


def test_train_then_evaluate(photo_folder, tmp_path, monkeypatch, capsys):
    arguments = ("--model", "cae", "--dataset", "photos", "--epochs", 2, "--batch-size", 8)
    shape = ("--set", "image_shape=16,16,3", "--set", "filters=4,4,8")
    returncode, stdout, stderr = run("train.py", *arguments, *shape, cwd=tmp_path)
    assert (returncode, stderr) == (0, "")
    assert "PSNR" in stdout
    folder = tmp_path / "saved_models" / "cae-photos"
    assert json.loads((folder / "recipe.json").read_text())["model_arguments"] == {
        "filters": [4, 4, 8]
    }
    monkeypatch.chdir(tmp_path)
    returncode, stdout, stderr = run_here(monkeypatch, capsys, "evaluate.py", "cae-photos")
    assert (returncode, stderr) == (0, "")
    measured = json.loads((folder / "evaluation-photos-test.json").read_text())
    assert measured == json.loads((folder / "metrics.json").read_text())["test"]
    assert (folder / "evaluation-photos-test.png").is_file()

    returncode, _, stderr = run_here(monkeypatch, capsys, "train.py", *arguments, *shape)
    assert_one_clear_line(returncode, stderr, "finished run", "--overwrite")
    longer = ("train.py", *arguments, *shape, "--epochs", 3)
    returncode, _, stderr = run_here(monkeypatch, capsys, *longer)
    assert_one_clear_line(returncode, stderr, "Train it for 3 epochs with --extend")
    returncode, _, stderr = run_here(monkeypatch, capsys, *longer, "--extend")
    assert (returncode, stderr) == (0, "")
    assert len((folder / "history.csv").read_text().splitlines()) == 4
    recipe = folder / "recipe.json"
    again = ("--recipe", recipe, "--output", "again", "--seed", 4)
    returncode, _, stderr = run_here(monkeypatch, capsys, "train.py", *again)
    assert (returncode, stderr) == (0, "")
    assert json.loads((tmp_path / "again" / "recipe.json").read_text())["seed"] == 4


def test_compress_then_decompress(photo_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (photo_folder / "broken.png").write_bytes(b"no image")
    arguments = ("photos", "-o", "small", "--quality", 60, "--model", "vae_v2-cifar10")
    status, stdout, stderr = run_here(monkeypatch, capsys, "compress.py", *arguments)
    assert_one_clear_line(status, stderr, "photos/broken.png", "not a readable image")
    sizes = [path.stat().st_size for path in (tmp_path / "small").rglob("*.aek")]
    assert len(sizes) == 40
    total = [cell.strip() for cell in stdout.splitlines()[-1].split("|")]
    before = [path.stat().st_size for path in photo_folder.rglob("set*/*.png")]
    assert total[1:4] == ["all 40 files", f"{sum(before):,}", f"{sum(sizes):,}"]
    assert float(total[4]) == pytest.approx(8 * sum(sizes) / (40 * 50 * 40), abs=1e-3)
    assert float(total[6]) > 20
    done = run_here(monkeypatch, capsys, "decompress.py", "small", "-o", "back")
    assert done == (0, "40 of 40 images restored in back.\n", "")
    assert len(list((tmp_path / "back").rglob("*.png"))) == 40
    files = ("small/set0/00.aek", "small/set1/01.aek")
    status, stdout, stderr = run_here(monkeypatch, capsys, "decompress.py", "--info", *files)
    assert (status, stderr) == (0, "")
    assert stdout.count("50 x 40 pixels, 3 channels") == 2
    assert "vae_v2-cifar10" in stdout
    assert "(quality 60)" in stdout


def test_a_rerun_makes_what_is_missing_and_reports_all(photo_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ("photos", "-o", "small", "--report", "small.csv", "--model", "vae_v2-cifar10")
    assert run_here(monkeypatch, capsys, "compress.py", *arguments)[0] == 0
    whole = {path: path.read_bytes() for path in (tmp_path / "small").rglob("*.aek")}
    report = (tmp_path / "small.csv").read_text()
    assert report.count(",done,") == len(whole) == 40
    missing = next(iter(whole))
    missing.unlink()
    status, stdout, stderr = run_here(
        monkeypatch, capsys, "compress.py", *arguments, "--skip-existing"
    )
    assert status == 0
    assert f"set{missing.parent.name[-1]}/{missing.stem}.png" in stdout
    assert stderr.endswith(" and 38 more: its output is there, and it was skipped.\n")
    assert (tmp_path / "small.csv").read_text() == report
    assert {path: path.read_bytes() for path in whole} == whole
    status, stdout, stderr = run_here(monkeypatch, capsys, "compress.py", *arguments)
    assert_one_clear_line(status, stderr, "small.csv", "--skip-existing")
    restored = ("small", "-o", "back", "--output-quality", 50)
    status, stdout, stderr = run_here(monkeypatch, capsys, "decompress.py", *restored)
    assert_one_clear_line(status, stderr, "--output-quality", "PNG has none")


def test_positions_are_said_once_and_left_out_with_the_other_metadata(
    photo_folder, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        exif = make_exif(position=number > 0)
        Image.new("RGB", (9, 8)).save(tmp_path / f"{number}.jpg", exif=b"Exif\0\0" + exif)
    Image.fromarray(np.zeros((8, 9), np.uint16)).save("3.png")
    files = ("0.jpg", "1.jpg", "2.jpg", "3.png")
    options = ("-o", "small", "--no-psnr", "--force", "--model", "vae_v2-cifar10")
    status, _, stderr = run_here(monkeypatch, capsys, "compress.py", *files, *options)
    assert status == 0
    assert stderr.splitlines() == [
        "compress.py: 1.jpg and 1 more: its GPS position is stored; "
        "--strip-metadata leaves it out.",
        "compress.py: 3.png: of its 16 bits a channel, 8 are stored.",
        "compress.py: 3.png: its .aek file is larger than the file itself; a lower quality takes "
        "fewer bytes.",
    ]
    info = ("decompress.py", "--info", "small/1.aek")
    assert "EXIF" in run_here(monkeypatch, capsys, *info)[1]
    restored = run_here(monkeypatch, capsys, "decompress.py", "small/1.aek", "-o", "a.ppm")
    assert restored[2] == (
        "decompress.py: small/1.aek: its EXIF cannot be kept in PPM and was left out.\n"
    )
    stripped = ("compress.py", *files, *options, "--strip-metadata")
    assert run_here(monkeypatch, capsys, *stripped)[2].startswith("compress.py: 3.png: of its 16")
    assert "| metadata | -" in " ".join(run_here(monkeypatch, capsys, *info)[1].split())


def test_targets_and_small_pictures(photo_folder, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    photo = "photos/set0/00.png"
    model = ("--model", "vae_v2-cifar10")
    arguments = (photo, "-o", "a.aek", "--target-size", "0.5KB", *model)
    status, stdout, stderr = run_here(monkeypatch, capsys, "compress.py", *arguments)
    assert (status, stderr) == (0, "")
    assert 400 < (tmp_path / "a.aek").stat().st_size <= 500
    arguments = (photo, "-o", "b.aek", "--target-psnr", "22", *model)
    status, stdout, stderr = run_here(monkeypatch, capsys, "compress.py", *arguments)
    assert (status, stderr) == (0, "")
    assert 22 <= float(stdout.splitlines()[-1].split("|")[-2]) < 23
    arguments = (photo, "-o", "c.aek", "--target-psnr", "90", *model)
    status, _, stderr = run_here(monkeypatch, capsys, "compress.py", *arguments)
    assert_one_clear_line(status, stderr, "90 dB cannot be reached: the highest quality gives")
    assert not (tmp_path / "c.aek").exists()
    small = ("b.aek", "-o", "small.png", "--scale", "1/8")
    status, _, stderr = run_here(monkeypatch, capsys, "decompress.py", *small)
    assert (status, stderr) == (0, "")
    with Image.open("small.png") as image:
        assert image.size == (7, 5)


def test_pipes(photo_folder):
    photo = (photo_folder / "set0" / "00.png").read_bytes()
    compressed, said = pipe("compress.py", "-", "-o", "-", stdin=photo)
    assert compressed[:4] == b"\x89AEK"
    assert said.splitlines()[0].startswith("| image")
    restored, said = pipe("decompress.py", "-", "-o", "-", stdin=compressed)
    assert Image.open(io.BytesIO(restored)).size == (50, 40)
    assert said == "1 of 1 images restored.\n"


def pipe(name, *arguments, stdin):
    command = [sys.executable, ROOT / "scripts" / name, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, check=True)
    return done.stdout, done.stderr.decode()


@pytest.mark.thorough
def test_ctrl_c_saves_and_the_same_command_continues(tmp_path):
    arguments = ("train.py", "--model", "cae", "--epochs", 2, "--batch-size", 64)
    process = start(*arguments, cwd=tmp_path)
    while "Epoch 1" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode == 130
    assert len(stderr.splitlines()) == 1, stderr
    assert "Run the same command again to continue" in stderr
    returncode, stdout, stderr = run(*arguments, cwd=tmp_path)
    assert (returncode, stderr) == (0, "")
    assert "continuing after epoch" in stdout


def test_denoise(tmp_path, monkeypatch, capsys):
    Image.new("RGB", (40, 33), (200, 30, 30)).save(tmp_path / "noisy.png")
    arguments = (tmp_path / "noisy.png", "-o", tmp_path / "clean.png", "--model", "vae_v2-cifar10")
    status, stdout, stderr = run_here(monkeypatch, capsys, "denoise.py", *arguments)
    assert status == 0
    assert f"1 of 1 images denoised in {tmp_path / 'clean.png'}" in stdout
    assert "was trained to reconstruct images, not to denoise them" in stderr
    with Image.open(tmp_path / "clean.png") as image:
        assert image.size == (40, 33)


def test_denoise_takes_the_noise_of_a_photograph_by_itself(tmp_path, monkeypatch, capsys, rng):
    original = data.astronaut()[40:140, 160:290]
    noisy = np.clip(original + rng.normal(0, 25, original.shape), 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(tmp_path / "noisy.png")
    arguments = (tmp_path / "noisy.png", "-o", tmp_path / "clean.png")
    status, _, stderr = run_here(monkeypatch, capsys, "denoise.py", *arguments)
    assert (status, stderr) == (0, "")
    with Image.open(tmp_path / "clean.png") as image:
        error = np.square(np.asarray(image) - original.astype(float)).mean()
    assert error < np.square(noisy - original.astype(float)).mean() / 5  # 7 dB


def test_what_cannot_be_exported_is_not_trained(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("keras.config.backend", lambda: "jax")
    arguments = ("--model", "cae", "--export", "litert", "--output", tmp_path / "run")
    status, stdout, stderr = run_here(monkeypatch, capsys, "train.py", *arguments)
    assert status != 0
    assert stderr.count("\n") == 1
    assert "KERAS_BACKEND=tensorflow" in stderr
    assert (stdout, list(tmp_path.iterdir())) == ("", [])


def test_export_then_compress_without_tensorflow(tmp_path, monkeypatch, capsys):
    arguments = ("cae-cifar10", "--format", "litert", "--dataset", "skimage")
    output = ("-o", tmp_path / "out")
    status, stdout, stderr = run_here(monkeypatch, capsys, "export.py", *arguments, *output)
    assert (status, stderr) == (0, "")
    model = tmp_path / "out" / "cae-cifar10.tflite"
    assert stdout.endswith(f"\n{model}\n")
    report = json.loads((tmp_path / "out" / "export.json").read_text())
    assert f"{report['bytes']:,}" in stdout
    assert "peak memory, 2 threads [MB]" in stdout

    Image.effect_noise((40, 33), 50).save(tmp_path / "image.png")
    files = (tmp_path / "image.png", "-o", tmp_path / "image.aek", "--model", model)
    status, stdout, stderr = run("compress.py", *files, cwd=tmp_path)
    assert (status, stderr) == (0, "")
    files = (tmp_path / "image.aek", "-o", tmp_path / "again.png")
    status, stdout, stderr = run_here(monkeypatch, capsys, "decompress.py", *files)
    assert status == 0, stderr
    with Image.open(tmp_path / "again.png") as image:
        assert image.size == (40, 33)


def test_colourize(tmp_path, monkeypatch, capsys):
    Image.linear_gradient("L").resize((40, 33)).save(tmp_path / "old.png")
    Image.new("RGB", (20, 10), (200, 90, 30)).save(tmp_path / "colour.png")
    arguments = (tmp_path / "old.png", tmp_path / "colour.png", "-o", tmp_path / "out")
    status, stdout, stderr = run_here(monkeypatch, capsys, "colourize.py", *arguments)
    assert status == 0, stderr
    scored, done = stdout.splitlines()
    assert scored.startswith(f"{tmp_path / 'colour.png'}: ab-RMSE ")
    assert done == f"2 of 2 images colourized in {tmp_path / 'out'}."
    with Image.open(tmp_path / "out" / "old.png") as image:
        assert (image.size, image.mode) == ((40, 33), "RGB")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train.py",), ["--model", "--recipe", "required", "--help"]),
        (("train.py", "--model", "cae", "--epochs", "three"), ["--epochs", "'three'"]),
        (("evaluate.py", "cae-cifar10", "--split", "tset"), ["--split", "'tset'"]),
        (("benchmark.py",), ["subject", "required"]),
        (("train.py", "--model", "cea"), ["Unknown model 'cea'", "'cae'"]),
        (("train.py", "--model", "cae", "--set", "epoch=3"), ["Did you mean 'epochs'"]),
        (("train.py", "--model", "cae", "--set", "epochs"), ["KEY=VALUE"]),
        (("train.py", "--model", "cae", "--epochs", "0"), ["`epochs`", "Received: 0"]),
        (("train.py", "--model", "cae", "--dataset", "cifar1O"), ["cifar1O", "cifar10"]),
        (("train.py", "--model", "cae", "--dataset", "no/folder"), ["no/folder"]),
        (("train.py", "--model", "cae", "--dataset", "."), ["No images"]),
        (("train.py", "--recipe", "missing.json"), ["missing.json"]),
        (("evaluate.py", "nobody"), ["nobody", "model.keras"]),
        (("train.py", "--model", "cae", "--dataset", ""), ["`dataset`"]),
        (("train.py", "--model", "cae", "--set", "filters=a,b,c"), ["`filters`"]),
        (("evaluate.py", "cae-cifar10", "--dataset", "cifar10:99.0.0"), ["cifar10:99.0.0"]),
        (("benchmark.py", "train", "--model", "cea"), ["Unknown model"]),
        (("compress.py", "a.png"), ["-o/--output", "required"]),
        (("compress.py", "a.png", "-o", "b", "--quality", "5", "--step", "9"), ["not allowed"]),
        (("compress.py", "a.png", "-o", "b"), ["No such file or folder", "'a.png'"]),
        (("compress.py", "a.png", "-", "-o", "b"), ["'-' must be the only input"]),
        (("compress.py", ".", "-o", "b"), ["No images in '.'"]),
        (("compress.py", "/dev/null", "-o", "b"), ["/dev/null", "not a readable image"]),
        (("compress.py", "/dev/null", "-o", "b", "--model", "nobody"), ["No trained model"]),
        (("compress.py", "/dev/null", "-o", "b", "--quality", "0"), ["`quality`", "1 to 100"]),
        (("compress.py", "/dev/null", "-o", "b", "--workers", "0"), ["`workers`"]),
        (("compress.py", "a.png", "-o", "b", "--target-size", "9KiB"), ["such as", "'9KiB'"]),
        (
            ("compress.py", "a.png", "-o", "b", "--target-size", "9", "--target-psnr", "30"),
            ["not allowed"],
        ),
        (("compress.py", "/dev/null", "-o", "b", "--target-psnr", "nan"), ["more than 0 dB"]),
        (
            ("decompress.py", "a.aek", "-o", "b.png", "--scale", "1/3"),
            ["--scale", "'1/3'", "'1/8'"],
        ),
        (("study.py", "dept"), ["Unknown study 'dept'", "Did you mean 'depth'"]),
        (("study.py", "celeba_models", "--faces", "nope"), ["No such folder", "'nope'", "--faces"]),
        (("study.py", "svd", "--photographs", "nope"), ["No such folder", "--photographs"]),
        (("denoise.py", "a.png", "-o", "b.png", "--model", "vae_v2-cifar10"), ["'a.png'"]),
        (
            ("denoise.py", "/dev/null", "-o", "b.png", "--model", "colourizer-cifar10"),
            ["no latent"],
        ),
        (("colourize.py", "a.png", "-o", "b.png"), ["'a.png'"]),
        (("colourize.py", "/dev/null", "-o", "b.png"), ["/dev/null", "not a readable image"]),
        (("colourize.py", "/dev/null", "-o", "b.png", "--model", "cae-cifar10"), ["no colourizer"]),
        (("colourize.py", "/dev/null", "-o", "b.png", "--working-sizes", "2"), ["at least 8"]),
        (
            ("colourize.py", "/dev/null", "-o", "b.png", "--hint", "3=red"),
            ["X,Y=COLOUR", "'3=red'"],
        ),
        (("train.py", "--model", "cae", "--set", "task=colourization"), ["'cae' is for"]),
        (("benchmark.py", "train", "--model", "colourizer"), ["no autoencoder"]),
        (("benchmark.py", "train", "--model", "photo"), ["no autoencoder"]),
        (("denoise.py", "/dev/null", "-o", "b.png", "--model", "nobody"), ["No trained model"]),
        (("tune.py",), ["--model", "required"]),
        (("tune.py", "--model", "cea"), ["Unknown model 'cea'", "'cae'"]),
        (("tune.py", "--model", "cae", "--algorithm", "grit"), ["'grit'", "'grid'"]),
        (("tune.py", "--model", "cae", "--space", "filters_9=4,8"), ["3 entries"]),
        (("tune.py", "--model", "cae", "--space", "filters_1=8:4"), ["--space", "lower"]),
        (("tune.py", "--model", "cae", "--objective", "loss"), ["'loss'", "'val_loss'"]),
        (("tune.py", "--model", "cae", "--budget", "watts=3"), ["'watts'"]),
        (("tune.py", "--model", "cae", "--budget", "parameters"), ["--budget", "KEY=VALUE"]),
        (("tune.py", "--model", "cae", "--workers", "0"), ["`workers`"]),
        (("tune.py", "--model", "cae", "--chief", "here"), ["HOST:PORT", "'here'"]),
        (("tune.py", "--model", "cae", "--worker", "here"), ["HOST:PORT", "'here'"]),
        (("tune.py", "--model", "cae", "--dataset", "no/folder"), ["no/folder"]),
        (("export.py", "cae-cifar10"), ["--format", "required"]),
        (("export.py", "cae-cifar10", "--format", "tflite"), ["--format", "'litert'"]),
        (("export.py", "nobody", "--format", "litert"), ["No trained model at 'nobody'"]),
        (("export.py", ".", "--format", "litert"), ["No trained model at '.'"]),
        (("export.py", "cae-cifar10", "--format", "onnx", "--quantize", "int8"), ["litert only"]),
        (("export.py", "cae-cifar10", "--format", "litert", "--batch-size", "x"), ["'any'", "'x'"]),
        (("export.py", "cae-cifar10", "--format", "litert", "--batch-size", "0"), ["at least 1"]),
        (("export.py", "cae-cifar10", "--format", "litert", "-o", "."), ["'.' exists, and is no"]),
        (("export.py", "colourizer-cifar10", "--format", "onnx", "--part", "encoder"), ["a whole"]),
        (
            ("export.py", "cae-cifar10", "--format", "litert", "-o", "a", "--dataset", "no/folder"),
            ["no/folder"],
        ),
        (("compress.py", "/dev/null", "-o", "b", "--model", "no.tflite"), ["no.tflite"]),
        (("compress.py", "/dev/null", "-o", "b", "--model", "colourizer-cifar10"), ["no latent"]),
        (("decompress.py", "/dev/null", "-o", "b.png", "--model", "no.tflite"), ["no.tflite"]),
        (("decompress.py", "/dev/null", "-o", "b.png"), ["/dev/null", "ends within its header"]),
        (("decompress.py", "/dev/null"), ["--info", "required"]),
        (("decompress.py", "--info", "/etc/passwd"), ["not an .aek file"]),
        (("evaluate.py", "cae-cifar10", "--rate-distortion", "--against", "gif"), ["'gif'"]),
        (
            ("evaluate.py", "cae-cifar10", "--rate-distortion", "--against", "jpge"),
            ["'jpge'", "Did you mean 'jpeg'"],
        ),
        (("evaluate.py", "cae-cifra10"), ["No trained model", "Did you mean 'cae-cifar10'"]),
        (("evaluate.py", "cae-cifar10", "--images", "3"), ["--efforts need --rate-distortion"]),
        (("decompress.py", "/dev/null", "-o", "b.png", "--model", "nobody"), ["No trained model"]),
        (("benchmark.py", "train", "--model", "cae", "--rounds", "0"), ["`rounds`"]),
        (("benchmark.py", "layers", "--batch-size", "0"), ["`batch_size`", "Received: 0"]),
        (("benchmark.py", "roofline", "--batch-size", "0"), ["`batch_size`", "Received: 0"]),
        (("benchmark.py", "roofline", "--model", "cae"), ["'cae' has no grouped layers"]),
        (("benchmark.py", "roofline", "--model", "colourizer"), ["no grouped layers"]),
        (("benchmark.py", "roofline", "--rounds", "0"), ["`rounds`"]),
        (("benchmark.py", "startup", "--rounds", "0"), ["`rounds`"]),
        (("benchmark.py", "startup", "--model", "nobody"), ["No trained model at 'nobody'"]),
        (("benchmark.py", "startup", "--model", "colourizer-cifar10"), ["no latent"]),
        (("benchmark.py", "photographs", "."), ["No images in '.'"]),
        (("benchmark.py", "photographs", "no/folder"), ["No such file or folder", "no/folder"]),
        (("benchmark.py", "photographs", "--rounds", "0"), ["`rounds`"]),
        (("benchmark.py", "photographs", "--images", "0"), ["`images`"]),
        (("benchmark.py", "photographs", "--workers", "0"), ["`workers`"]),
        (("benchmark.py", "photographs", "--model", "nobody"), ["No trained model at 'nobody'"]),
        (("benchmark.py", "photographs", "/dev/null"), ["/dev/null: not a readable image"]),
    ],
)
def test_mistakes_get_one_clear_line(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    status, _, stderr = run_here(monkeypatch, capsys, *arguments)
    assert_one_clear_line(status, stderr, *words)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_in_a_process_of_its_own(tmp_path):
    returncode, stdout, stderr = run("train.py", "--model", "cea", cwd=tmp_path)
    assert_one_clear_line(returncode, stderr, "Unknown model 'cea'")
    assert stdout == ""


def test_parse_changes():
    texts = ["a=3", "b=1,2", "c=text", "d=none", "e=true", "f=[1, 2]", "g=0.5", "h=x=y"]
    assert parse_changes(texts) == {
        **{"a": 3, "b": [1, 2], "c": "text", "d": None, "e": True},
        **{"f": [1, 2], "g": 0.5, "h": "x=y"},
    }


def test_format_table():
    expected = "| name |   x |\n| ---- | --: |\n| one  | 1.0 |\n| two  |  10 |"
    assert format_table([("one", 1.0), ("two", 10)], ("name", "x")) == expected
