"""Measure a trained model on its test images, or on another data set."""

from pathlib import Path

import ae_keras
from ae_keras.command_line import Parser, format_metrics, run
from ae_keras.data.parts import PARTS

EXAMPLES = """\
examples:
  python scripts/evaluate.py cae-cifar10
  python scripts/evaluate.py saved_models/cae-skimage --split validation
  python scripts/evaluate.py cae-cifar10 --dataset cifar100
"""


def make_parser():
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    parser.add_argument("run", help="a run folder, or its name in saved_models")
    parser.add_argument("--dataset", help="as for train.py; default: the one of the run")
    parser.add_argument("--split", choices=PARTS, default="test", help="default: test")
    parser.add_argument("--skip-unreadable", action="store_true", help="leave such files out")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="for the figure and JSON; default: the run's"
    )
    return parser


def main(arguments):
    """Print the metrics; write them and a figure."""
    metrics, files = ae_keras.evaluate(
        arguments.run,
        arguments.dataset,
        arguments.split,
        arguments.output,
        skip_unreadable=arguments.skip_unreadable,
    )
    print(f"{format_metrics(metrics)}\n\nSaved as {' and '.join(map(str, files))}.")


if __name__ == "__main__":
    run(make_parser(), main)
