"""Measure the speed of this library beside that of others, in one run."""

import os
from collections.abc import Callable, Sequence
from typing import Any

import ae_keras
from ae_keras.codec import DEFAULT_MODEL, RUNTIMES
from ae_keras.command_line import NUMBER, Namespace, Parser, format_table

EXAMPLES = """\
examples:
  ae-keras benchmark startup --model all
  ae-keras benchmark photographs ~/photos
  ae-keras benchmark train --model cae
  ae-keras benchmark layers
  ae-keras benchmark roofline
  ae-keras benchmark codec --model vae_v2-cifar10

For the comparison with PyTorch, install it first: pip install torch. What all of them measured, and
how to install CompressAI beside this library: docs/speed.md.
"""

# Stands for all models that ship and have a codec.
_ALL = "all"
# The models of grouped layers.
_GROUPED = ["vae_v1", "vae_v2"]

TRAINING = ("training", "images / s", "ae-keras is x times as fast")
LAYERS = (
    *("layer, forward and backward", "ae-keras [ms]", "PyTorch [ms]", "channels last [ms]"),
    *("ours / PyTorch's", "ours / channels last"),
)
ROOFLINE = (
    *("layer, forward and backward", "ms", "GFLOP/s", "of the product's"),
    *("GB/s", "of the copy's"),
)
STARTUP = ("command, 768x512 pixels", "seconds", "times the bare import", "peak memory [MB]")
SIZES = ("installed", "MB")
PHOTOGRAPHS = (
    *("codec", "bits per pixel", "encode [ms]", "decode [ms]", "encode [ms / MP]"),
    *("decode [ms / MP]", "encode, ratio to ours", "decode, ratio to ours"),
)
FOLDER = ("whole files", "seconds", "images / s", "megapixels / s")


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    subjects = parser.add_subparsers(dest="subject", required=True)
    for add in (_add_startup, _add_photographs, _add_codec, _add_train, _add_layers, _add_roofline):
        add(subjects)
    return parser


def main(arguments: Namespace) -> None:
    """Print the tables of a comparison."""
    arguments.measure(arguments)


def _add(
    subjects: Any, name: str, measure: Callable[[Namespace], None], rounds: int, help: str
) -> Parser:
    """Add a subcommand that `measure` does, and the number of its rounds."""
    parser: Parser = subjects.add_parser(name, help=help)
    parser.set_defaults(measure=measure)
    parser.add_argument(
        "--rounds", default=rounds, **NUMBER, help="of each measurement (%(default)s)"
    )
    return parser


def _add_models(parser: Parser) -> None:
    models = f"runs with a codec, or {_ALL} that ship (default: {DEFAULT_MODEL})"
    parser.add_argument("--model", nargs="+", default=[DEFAULT_MODEL], metavar="NAME", help=models)
    parser.set_defaults(needs_tensorflow=False)


def _models_of(arguments: Namespace) -> list[str]:
    from ae_keras.benchmark.startup import shipped_codecs

    return shipped_codecs() if _ALL in arguments.model else arguments.model


def _add_batch_size(parser: Parser) -> None:
    parser.add_argument("--batch-size", default=128, **NUMBER, help="%(default)s")


def _print(rows: Sequence[Sequence[str]], header: Sequence[str]) -> None:
    """Print a table, whose columns at the end may be those of other libraries that are missing."""
    if rows:
        print(format_table(rows, header[: len(rows[0])]) + "\n", flush=True)


def _add_startup(subjects: Any) -> None:
    what = "whole commands, their start included, and what is installed"
    parser = _add(subjects, "startup", _startup, 5, what)
    _add_models(parser)
    runtimes = "default: those that are installed"
    parser.add_argument("--runtime", nargs="+", choices=RUNTIMES, help=runtimes)


def _startup(arguments: Namespace) -> None:
    from ae_keras.benchmark.installation import installed_sizes
    from ae_keras.benchmark.startup import benchmark_startup

    if hasattr(arguments, "imports"):
        raise ValueError("What is timed here are commands without --import.")
    rows = benchmark_startup(_models_of(arguments), arguments.runtime, arguments.rounds)
    print(f"Medians of {arguments.rounds} rounds, {os.cpu_count()} processors\n")
    _print(rows, STARTUP)
    _print(installed_sizes(), SIZES)


def _add_photographs(subjects: Any) -> None:
    what = "photographs beside JPEG, WebP, AVIF and CompressAI, and folders"
    parser = _add(subjects, "photographs", _photographs, 3, what)
    folder = "of photographs; default: those of scikit-image"
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help=folder)
    _add_models(parser)
    most = "take the first N photographs (%(default)s)"
    parser.add_argument("--images", default=24, **NUMBER, help=most)
    workers = "files at a time; default: one for each processor, up to 4"
    parser.add_argument("--workers", **NUMBER, help=workers)


def _photographs(arguments: Namespace) -> None:
    from ae_keras.benchmark.folders import benchmark_folder
    from ae_keras.benchmark.photographs import benchmark_photographs, photograph_files

    models, rounds = _models_of(arguments), arguments.rounds
    with photograph_files(arguments.folder, arguments.images) as files:
        folder = benchmark_folder(files, models, rounds, arguments.workers)
        codecs = benchmark_photographs(files, models, rounds)
    print(f"{len(files)} photographs, medians of {rounds} rounds, {os.cpu_count()} processors\n")
    _print(codecs, PHOTOGRAPHS)
    _print(folder, FOLDER)


def _add_codec(subjects: Any) -> None:
    parser = _add(subjects, "codec", _codec, 11, "a trained model's codec, and its entropy coder")
    parser.add_argument("--model", default="vae_v2-cifar10", help="a run or its name (%(default)s)")


def _codec(arguments: Namespace) -> None:
    from ae_keras.benchmark.codec import benchmark_codec

    _print(benchmark_codec(arguments.model, arguments.rounds), (arguments.model, "median"))


def _add_train(subjects: Any) -> None:
    parser = _add(subjects, "train", _train, 11, "images a second in training")
    models = f"one of: {', '.join(ae_keras.list_models())}"
    parser.add_argument("--model", required=True, help=models)
    _add_batch_size(parser)


def _train(arguments: Namespace) -> None:
    from ae_keras.benchmark.training import benchmark_training

    size, rounds = arguments.batch_size, arguments.rounds
    _say_model(arguments.model, size, rounds)
    _print(benchmark_training(arguments.model, size, rounds=rounds), TRAINING)


def _say_model(model: str, batch_size: int, rounds: int) -> None:
    print(f"{model}, batch {batch_size}, medians of {rounds} rounds\n", flush=True)


def _add_layers(subjects: Any) -> None:
    what = "the grouped layers of vae_v1 and vae_v2, and their training"
    _add_batch_size(_add(subjects, "layers", _layers, 11, what))


def _layers(arguments: Namespace) -> None:
    from ae_keras.benchmark.layers import benchmark_layers
    from ae_keras.benchmark.training import benchmark_training

    size, rounds = arguments.batch_size, arguments.rounds
    for model in _GROUPED:
        _say_model(model, size, rounds)
        _print(benchmark_layers(model, size, rounds), LAYERS)
        _print(benchmark_training(model, size, rounds=rounds), TRAINING)


def _add_roofline(subjects: Any) -> None:
    what = "grouped layers beside plain products and copies"
    parser = _add(subjects, "roofline", _roofline, 11, what)
    models = f"with such layers (default: {' '.join(_GROUPED)})"
    parser.add_argument("--model", nargs="+", default=_GROUPED, metavar="NAME", help=models)
    _add_batch_size(parser)


def _roofline(arguments: Namespace) -> None:
    from ae_keras.benchmark.roofline import roofline

    size, rounds = arguments.batch_size, arguments.rounds
    _say_model(", ".join(arguments.model), size, rounds)
    _print(roofline(arguments.model, size, rounds), ROOFLINE)
