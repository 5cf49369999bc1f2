"""Measure a trained model on its test images, or on another data set: quality, or real files."""

from pathlib import Path

import ae_keras
from ae_keras.codec import CLASSICAL
from ae_keras.command_line import (
    Namespace,
    Parser,
    format_bd_rates,
    format_metrics,
    format_rate_distortion,
)
from ae_keras.data.splits import ALL, SPLITS

EXAMPLES = """\
examples:
  ae-keras evaluate cae-cifar10
  ae-keras evaluate saved_models/cae-skimage --split validation
  ae-keras evaluate cae-cifar10 --dataset cifar100
  ae-keras evaluate vae_v2-cifar10 --rate-distortion --against jpeg webp pca
  ae-keras evaluate vae_v2-cifar10 --rate-distortion --dataset ~/photos --qualities 40 60
"""


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    parser.add_argument("run", help="a run folder, or its name in saved_models")
    parser.add_argument("--dataset", help="as for train; default: the one of the run")
    split = "default: test; all of other folders and NumPy files that come without splits"
    parser.add_argument("--split", choices=(*SPLITS, ALL), help=split)
    parser.add_argument("--skip-unreadable", action="store_true", help="leave such files out")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="for the figure and JSON; default: the run's"
    )
    rate = parser.add_argument_group("rate and distortion of compressed files")
    add = rate.add_argument
    add("--rate-distortion", action="store_true", help="compress the images; table and figure")
    add("--against", nargs="+", metavar="X", help=f"of {' '.join(CLASSICAL)} svd-5 pca-16 RUN")
    qualities = "of learned codecs, 1 to 100; default: each one's own"
    add("--qualities", nargs="+", metavar="X", type=int, help=qualities)
    curves = "a table of points, measured before or published, to compare with too"
    add("--curves", metavar="FILE.csv", help=curves)
    efforts = "of the run's own codec, 1 to 9; default: 1"
    add("--efforts", nargs="+", metavar="N", type=int, help=efforts)
    add("--images", dest="limit", metavar="N", type=int, help="take only N images")
    return parser


def main(arguments: Namespace) -> None:
    """Print the metrics; write them and a figure."""
    options = {
        "dataset": arguments.dataset,
        "split": arguments.split,
        "output_dir": arguments.output,
        "skip_unreadable": arguments.skip_unreadable,
    }
    names = ("against", "qualities", "limit", "curves", "efforts")
    given = {name: getattr(arguments, name) for name in names}
    only_files = {name: value for name, value in given.items() if value is not None}
    if arguments.rate_distortion:
        points, bd_rates, files = ae_keras.measure_rate_distortion(
            arguments.run, **options, **only_files
        )
        print(f"{format_rate_distortion(points)}\n\n{format_bd_rates(points, bd_rates)}")
    elif only_files:
        raise ValueError(
            "--against, --qualities, --curves, --images and --efforts need --rate-distortion."
        )
    else:
        metrics, files = ae_keras.evaluate(arguments.run, **options)
        print(format_metrics(metrics))
    print(f"\nSaved as {' and '.join(map(str, files))}.")
