"""What the documentation says is run as it is pasted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
_BLOCK = re.compile(r"(<!-- not run.*-->\n)?```(sh|python)\n(.*?)```", re.DOTALL)


def _blocks(page):
    text = (DOCS / page).read_text(encoding="utf-8")
    return [(language, code) for skip, language, code in _BLOCK.findall(text) if not skip]


@pytest.mark.thorough
def test_the_tutorial_does_what_it_says(tmp_path):
    program = Path(sys.executable).with_name("ae-keras")
    if not program.is_file():
        pytest.skip("the program ae-keras is not installed beside this Python")
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    outputs = []
    for language, code in _blocks("tutorial.md"):
        command = ["bash", "-euc", code] if language == "sh" else [sys.executable, "-c", code]
        done = subprocess.run(
            command, cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{code}\n{done.stderr}"
        outputs.append(done.stdout)
    assert {"photo.aek", "restored.png", "mine.aek", "mine.png"} <= set(os.listdir(tmp_path))
    assert (tmp_path / "my-codec" / "reconstructions.png").is_file()
    assert (tmp_path / "my-codec" / "rate_distortion-skimage-test.png").is_file()
    assert re.search(r"quality 20: \d+ bytes, \d\d\.\d dB\nquality 60", outputs[-1])
