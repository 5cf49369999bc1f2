"""Measure the speed of this library beside that of others, in one run."""

import argparse

import ae_keras
from ae_keras.command_line import Parser, format_table

EXAMPLES = """\
examples:
  ae-keras benchmark train --model cae
  ae-keras benchmark layers
  ae-keras benchmark codec --model vae_v2-cifar10

For the comparison with PyTorch, install it first: pip install torch
"""

TRAINING = ("training", "images / s", "ae-keras is x times as fast")
LAYERS = (
    *("layer, forward and backward", "ae-keras [ms]", "PyTorch [ms]", "channels last [ms]"),
    *("ours / PyTorch's", "ours / channels last"),
)


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    subject = parser.add_subparsers(dest="subject", required=True)
    train = subject.add_parser("train", help="images a second in training")
    train.add_argument(
        "--model", required=True, help=f"one of: {', '.join(ae_keras.list_models())}"
    )
    layers = subject.add_parser("layers", help="the grouped layers of vae_v1 and vae_v2")
    codec = subject.add_parser("codec", help="a trained model's codec, and its entropy coder")
    codec.add_argument("--model", default="vae_v2-cifar10", help="a run or its name (%(default)s)")
    for command in (train, layers):
        command.add_argument("--batch-size", type=int, default=128, metavar="N", help="default 128")
    for command in (train, layers, codec):
        command.add_argument("--rounds", type=int, default=11, metavar="N", help="default 11")
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Print the tables of a comparison."""
    if arguments.subject == "codec":
        from ae_keras.benchmark.codec import benchmark_codec

        measured = benchmark_codec(arguments.model, arguments.rounds)
        print(format_table(measured, (arguments.model, "median")))
        return
    from ae_keras.benchmark.layers import benchmark_layers
    from ae_keras.benchmark.training import benchmark_training

    size, rounds = arguments.batch_size, arguments.rounds
    models = [arguments.model] if arguments.subject == "train" else ["vae_v1", "vae_v2"]
    for model in models:
        print(f"{model}, batch {size}, medians of {rounds} rounds\n", flush=True)
        if arguments.subject == "layers":
            rows = benchmark_layers(model, size, rounds)
            print(format_table(rows, LAYERS[: len(rows[0])]) + "\n", flush=True)
        print(format_table(benchmark_training(model, size, rounds=rounds), TRAINING) + "\n")
