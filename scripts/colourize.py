"""Give colours to grey photographs."""

import sys

from ae_keras.command_line import Namespace, Parser, report_failures, run

EXAMPLES = """\
examples:
  python scripts/colourize.py old.jpg -o new.png
  python scripts/colourize.py photos -o colourized/ --side-by-side
  python scripts/colourize.py old.jpg -o new.png --model ./saved_models/colourizer-photos

Photographs may have any size. Of one that has colours only the lightness is used, and the result is
scored against them.
"""


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    parser.add_argument("inputs", nargs="+", metavar="IMAGE", help="files, folders, or - for stdin")
    parser.add_argument("-o", "--output", required=True, help="a file, a folder, or - for stdout")
    parser.add_argument(
        "--model",
        default="colourizer-cifar10",
        metavar="RUN",
        help="a run folder, or its name (default: %(default)s)",
    )
    parser.add_argument(
        "--working-size",
        type=int,
        metavar="PIXELS",
        help="longer side of what the model sees (default: twice that of its training images)",
    )
    parser.add_runtime_options()
    parser.add_argument("--side-by-side", action="store_true", help="write a figure to compare")
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    return parser


def main(arguments: Namespace) -> None:
    """Colourize images."""
    from ae_keras.data.image_files import SUFFIXES
    from ae_keras.photographs.colourization import Colourization, PhotoColourizer
    from ae_keras.photographs.jobs import STANDARD, plan, run_jobs
    from ae_keras.system.text_tables import one_line

    jobs = plan(arguments.inputs, arguments.output, ".png", SUFFIXES)
    settings = arguments.working_size, arguments.runtime, arguments.threads
    colourizer = PhotoColourizer(arguments.model, *settings)
    work = Colourization(colourizer, arguments.force, arguments.side_by_side)
    results = list(run_jobs(work, jobs))
    stream = sys.stderr if arguments.output == STANDARD else sys.stdout
    for result in results:
        if result.scores:
            scores = ", ".join(f"{name} {value:.2f}" for name, value in result.scores.items())
            print(f"{one_line(result.job.source)}: {scores}", file=stream)
    done = [result for result in results if result.error is None]
    if done:
        place = "" if arguments.output == STANDARD else f" in {arguments.output}"
        print(f"{len(done)} of {len(results)} images colourized{place}.", file=stream)
    report_failures("colourize.py", results)


if __name__ == "__main__":
    run(make_parser(), main)
