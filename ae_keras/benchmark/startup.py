"""Whole commands, their start included: what a user waits for who has one photograph."""

import importlib.util
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from ae_keras.benchmark.child import Measured, measure_command
from ae_keras.benchmark.samples import sample_photograph
from ae_keras.benchmark.timing import check_rounds
from ae_keras.codec.loading import load_codec
from ae_keras.runs.loading import list_runs
from ae_keras.runs.shipped import PRETRAINED

# What LiteRT's codecs need before they are anything: no command can start in less.
BARE = "import numpy, PIL, ai_edge_litert, constriction"
_PYTHON = (sys.executable, "-c")
_AE_KERAS = (sys.executable, "-m", "ae_keras.commands.start")


def shipped_codecs() -> list[str]:
    """Return the names of the models that ship and have a codec."""
    runs = [run for run in list_runs() if run.path.parent.resolve() == PRETRAINED.resolve()]
    return sorted({run.path.name for run in runs if run.entropy_tables.is_file()})


def installed_runtimes() -> list[str]:
    """Return what can run a model here."""
    return ["litert", *(["keras"] if importlib.util.find_spec("tensorflow") else [])]


def benchmark_startup(
    models: Sequence[str], runtimes: Sequence[str] | None = None, rounds: int = 5
) -> list[tuple[str, str, str, str]]:
    """Time whole commands with a photograph of 768x512 pixels.

    The commands take turns, after one round that does not count: it fills the caches of the system.

    Args:
        models: Runs with a codec, or their names.
        runtimes: `"litert"`, `"keras"` or both. Default: those that are installed.
        rounds: int. Measurements of each command, of which the medians are taken.

    Returns:
        For each command what it is, its seconds, how many times those of a bare import these are
        (the median of the ratios within a round), and the peak of its memory in MB, which is empty
        where the system does not tell it.

    Raises:
        ChildProcessError: if a command fails.
        FileNotFoundError: if there is no such run, or it has no entropy tables.
        ValueError: if there are no rounds.

    """
    check_rounds(rounds)
    runtimes = runtimes or installed_runtimes()
    for model in models:
        for runtime in runtimes:
            load_codec(model, runtime=runtime)  # a wrong model is told before anything is timed
    with tempfile.TemporaryDirectory() as folder:
        photograph = Path(folder) / "photograph.png"
        Image.fromarray(sample_photograph()).save(photograph)
        commands: dict[str, Sequence[str]] = {BARE: (*_PYTHON, BARE)}
        for model in models:
            for runtime in runtimes:
                commands |= _commands(model, runtime, photograph)
        measured = _take_turns(commands, rounds)
    bare = measured[BARE]
    return [_row(name, each, bare) for name, each in measured.items()]


def _commands(model: str, runtime: str, photograph: Path) -> dict[str, Sequence[str]]:
    """Return what to run for a model, by what it is called in the table."""
    small, large = (str(photograph.with_suffix(suffix)) for suffix in (".aek", ".restored.png"))
    options = "--model", model, "--runtime", runtime, "--force"
    load = f"import ae_keras; ae_keras.load_codec({model!r}, runtime={runtime!r})"
    compress = (*_AE_KERAS, "compress", str(photograph), "-o", small, *options)
    decompress = (*_AE_KERAS, "decompress", small, "-o", large, *options)
    of = f"{model}, {runtime}: "
    return {
        f"{of}load_codec": (*_PYTHON, load),
        f"{of}compress": compress,
        f"{of}decompress": decompress,
    }


def _take_turns(commands: Mapping[str, Sequence[str]], rounds: int) -> dict[str, list[Measured]]:
    measured: dict[str, list[Measured]] = {name: [] for name in commands}
    with tqdm(total=len(commands) * (rounds + 1), unit="command", disable=None) as progress:
        for number in range(rounds + 1):
            for name, command in commands.items():
                took = measure_command(command)
                measured[name] += [took] if number > 0 else []
                progress.update()
    return measured


def _row(
    name: str, measured: Sequence[Measured], bare: Sequence[Measured]
) -> tuple[str, str, str, str]:
    seconds = statistics.median(each.seconds for each in measured)
    pairs = zip(measured, bare, strict=True)
    ratio = statistics.median(each.seconds / reference.seconds for each, reference in pairs)
    memory = [each.megabytes for each in measured if each.megabytes is not None]
    megabytes = f"{statistics.median(memory):,.0f}" if memory else ""
    return name, f"{seconds:.2f}", f"{ratio:.1f}", megabytes
