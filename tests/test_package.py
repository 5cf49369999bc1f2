"""The package that is installed: complete, found from any folder, and light."""

import os
import shutil
import subprocess
import sys
import tomllib

import pytest
from conftest import ROOT, smooth_images
from PIL import Image

# All that compressing with an exported model does without, and what other systems have not.
BLOCKED = (
    *("absl", "fcntl", "filelock", "grpc", "h5py", "importlib_resources", "keras", "keras_tuner"),
    *("matplotlib", "pwd", "resource", "scipy", "shtab", "skimage", "sklearn", "tensorboard"),
    *("tensorflow", "tensorflow_datasets", "termios", "torch"),
)
BLOCK = f"""
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
from ae_keras.commands.start import main
main()
"""


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_all_rooms_are_packages():
    folders = {path.parent for path in (ROOT / "ae_keras").rglob("*.py")}
    names = {".".join(folder.relative_to(ROOT).parts) for folder in folders}
    declared = set(project()["tool"]["setuptools"]["packages"])
    assert declared == names | {"ae_keras.tuning", "ae_keras.pretrained"}


def run_blocked(folder, *arguments):
    command = [sys.executable, "-c", BLOCK, *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A model in LiteRT, with its codec."""
    from ae_keras.export import Export
    from ae_keras.export.export_run import export_run

    target = tmp_path_factory.mktemp("exported") / "cae"
    path, _ = export_run("cae-cifar10", Export("litert"), target, dataset="skimage", threads=())
    return path


def test_compressing_needs_six_libraries(exported, rng, tmp_path):
    names = {text.partition(">")[0] for text in project()["project"]["dependencies"]}
    assert names == {"ai-edge-litert", "constriction", "numpy", "pillow", "threadpoolctl", "tqdm"}
    Image.fromarray(smooth_images(rng, 1, 40, 50, 3)[0]).save(tmp_path / "a.png")
    for command, source, target in (
        ("compress", "a.png", "a.aek"),
        ("decompress", "a.aek", "b.png"),
    ):
        done = run_blocked(tmp_path, command, source, "-o", target, "--model", exported)
        assert (done.returncode, done.stderr) == (0, "")
    with Image.open(tmp_path / "b.png") as image:
        assert image.size == (50, 40)


@pytest.mark.parametrize("command", [("train", "--model", "cae"), ("evaluate", "cae-cifar10")])
def test_what_is_missing_is_said(tmp_path, command):
    done = run_blocked(tmp_path, *command)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "is not installed" in done.stderr
    assert 'pip install "ae-keras[train]"' in done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with nothing but what the wheel puts there."""
    folder = tmp_path_factory.mktemp("wheel")
    ignored = shutil.ignore_patterns(".git", "__pycache__", "docs", "tests", "build", "*.egg-info")
    shutil.copytree(ROOT, folder / "source", ignore=ignored)
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-q"]
    subprocess.run([*build, "-w", folder, folder / "source"], check=True)
    (wheel,) = folder.glob("*.whl")
    shutil.unpack_archive(wheel, folder / "site", "zip")
    return folder / "site"


def test_the_wheel_works_alone(installed, rng, tmp_path):
    assert {path.name.split("-")[0] for path in installed.iterdir()} == {"ae_keras"}
    Image.fromarray(smooth_images(rng, 1, 40, 50, 3)[0]).save(tmp_path / "a.png")
    environment = os.environ | {"PYTHONPATH": str(installed)}
    code = "import ae_keras, ae_keras.tuning; print(ae_keras.__file__, ae_keras.tuning.__file__)"
    for arguments in (
        ("-c", code),
        ("-m", "ae_keras.commands.start", "compress", "a.png", "-o", "a.aek"),
        ("-m", "ae_keras.commands.start", "decompress", "a.aek", "-o", "b.png"),
    ):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        if arguments[0] == "-c":
            assert done.stdout.count(str(installed)) == 2
    with Image.open(tmp_path / "b.png") as image:
        assert image.size == (50, 40)
