"""What the README, the pages and the cards show can be pasted.

Commands are parsed by their own parsers, and become the recipe or search that they describe.
Programs run where that takes seconds; of the others, what they import and call must be there.
`test_tutorial.py` runs the tutorial whole, `test_own_models.py` a model of one's own.
"""

import ast
import importlib.util
import re
import shlex
import tomllib

import numpy as np
import pytest
from conftest import ROOT
from PIL import Image
from skimage import data

import ae_keras
from ae_keras.commands import train, tune
from ae_keras.system.invocation import COMMANDS

PAGES = [
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    ROOT / "docs" / "studies" / "index.md",
    *sorted((ROOT / "saved_models" / "pretrained").glob("*/README.md")),
]
# Programs of others, which are not ours to check.
_OTHERS = {"pip", "export", "ray", "git", "pytest", "mkdocs"}
_BEFORE = re.compile(r"(\w+=\S+|taskset|-c|\d+|python)$")


def blocks_of(page, language):
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def inline_commands_of(page):
    """Commands that stand in a sentence: those that say all of their options."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    spans = re.findall(r"`((?:python (?:scripts/|-m )|ae-keras |pip install )[^`]+)`", text)
    placeholder = re.compile(r"\b[A-Z]{3,}\b")
    return [span for span in spans if re.search(" -|pip", span) and not placeholder.search(span)]


def lines_of(page):
    for block in blocks_of(page, "sh"):
        yield from (line for line in block.replace("\\\n", " ").splitlines() if line.strip())
    yield from inline_commands_of(page)


COMMAND_LINES = [
    pytest.param(words, id=f"{page.relative_to(ROOT)}: {' '.join(words)}")
    for page in PAGES
    for line in lines_of(page)
    if (words := shlex.split(line, comments=True))
]
PROGRAMS = [
    pytest.param(code, id=f"{page.relative_to(ROOT)} {number}")
    for page in PAGES
    for number, code in enumerate(blocks_of(page, "python"), 1)
]


def check_installation(words):
    """Each extra that is to be installed exists."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extras in re.findall(r"(?:ae-keras|\.)\[([\w,]+)\]", " ".join(words)):
        assert set(extras.split(",")) <= set(project["optional-dependencies"])


def describes_what_is_here(arguments):
    """Whether the recipe of a command needs nothing that only its reader has."""
    theirs = ("recipe", "decay_from", "imports")
    return not any(getattr(arguments, name, None) for name in theirs)


def check_command(name, options):
    """A command takes its options, and what it is to train or to search is acceptable."""
    parser = importlib.import_module(f"ae_keras.commands.{name}").make_parser()
    arguments = parser.parse_args(options)  # which ends with what is wrong
    if name == "train" and describes_what_is_here(arguments):
        train.make_recipe(arguments)
    if name == "tune" and describes_what_is_here(arguments):
        tune.make_search(arguments)


@pytest.mark.parametrize("words", COMMAND_LINES)
def test_a_command_can_be_pasted(words):
    words = [word for word in words if word != "&"]
    while _BEFORE.match(words[0]):
        words.pop(0)
    program, *rest = words
    script = re.fullmatch(r"scripts/(\w+)\.py", program)
    if program == "pip":
        check_installation(rest)
    elif script or (program == "ae-keras" and rest[0] in COMMANDS):
        check_command(*(script[1], rest) if script else (rest[0], rest[1:]))
    elif program == "-m":
        assert importlib.util.find_spec(rest[0])
    elif program.startswith("docs/"):
        assert (ROOT / program).is_file()
    else:
        assert program in _OTHERS or rest[:1] == ["--completion"], program


@pytest.mark.parametrize("code", PROGRAMS)
def test_a_program_calls_what_is_there(code):
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom):
            module = importlib.import_module(node.module)
            assert all(hasattr(module, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                importlib.import_module(alias.name)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert node.value.id != "ae_keras" or node.attr in ae_keras.__all__, node.attr


def readme_program(word):
    (code,) = (code for code in blocks_of(ROOT / "README.md", "python") if word in code)
    return code


def test_the_readme_compresses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    image = data.astronaut()[:100, :130]
    Image.fromarray(image).save("photo.jpg")
    names = {"image": image}
    exec(readme_program("compress_file"), names)
    assert names["image"].shape == image.shape
    with Image.open("photo.png") as restored:
        assert restored.size == (130, 100)


@pytest.mark.thorough
def test_the_readme_trains(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    np.savez("few.npz", images=rng.integers(0, 256, (80, 32, 32, 3), np.uint8))
    code = readme_program("ae_keras.train(")
    # What takes seconds instead of a minute, and is the same otherwise.
    short = code.replace('"skimage", epochs=3', '"few.npz", epochs=1')
    assert short != code
    images = rng.random((2, 32, 32, 3), np.float32)
    names = {"images": images}
    exec(short, names)
    assert names["latents"].shape == (2, 8, 8, 32)
    assert names["reconstructions"].shape == images.shape
