"""Measure the speed of this library beside that of others, in one run."""

import ae_keras
from ae_keras.command_line import Parser, format_table, run

EXAMPLES = """\
examples:
  python scripts/benchmark.py train --model cae

For the comparison with PyTorch, install it first: pip install torch
"""


def make_parser():
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    subject = parser.add_subparsers(dest="subject", required=True)
    train = subject.add_parser("train", help="images a second in training")
    train.add_argument(
        "--model", required=True, help=f"one of: {', '.join(ae_keras.list_models())}"
    )
    train.add_argument("--batch-size", type=int, default=128, metavar="N", help="default 128")
    train.add_argument("--rounds", type=int, default=11, metavar="N", help="default 11")
    return parser


def main(arguments):
    """Print the table of a comparison."""
    from ae_keras.benchmark import benchmark_training

    rows = benchmark_training(arguments.model, arguments.batch_size, rounds=arguments.rounds)
    header = ("training", "images / s", "ae-keras is x times as fast")
    print(
        f"{arguments.model}, batch {arguments.batch_size}, medians of {arguments.rounds} rounds\n"
    )
    print(format_table(rows, header))


if __name__ == "__main__":
    run(make_parser(), main)
