"""Give colours to grey photographs."""

from argparse import ArgumentTypeError

from ae_keras.command_line import (
    Namespace,
    Parser,
    add_file_options,
    add_output_quality,
    print_count,
    report_failures,
    stream_beside,
)

EXAMPLES = """\
examples:
  ae-keras colourize old.jpg -o new.png
  ae-keras colourize old.jpg -o new.png --hint 120,80=#a03020 --hint 300,40=skyblue
  ae-keras colourize photos -o colourized/ --side-by-side
  ae-keras colourize old.jpg -o new.png --model ./saved_models/colourizer-photos

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
        default="colourizer-photographs",
        metavar="RUN",
        help="a run folder, or its name (default: %(default)s)",
    )
    parser.add_argument(
        "--working-sizes",
        type=_sizes,
        metavar="N,N,...",
        help="longer sides, in pixels, of the copies that the model sees, whose colours are "
        "averaged (default: one, two and four times that of its training images)",
    )
    hint = (
        "a colour that is known, of the pixel X from the left and Y from the top; may be repeated"
    )
    parser.add_argument(
        "--hint", action="append", default=[], metavar="X,Y=COLOUR", dest="hints", help=hint
    )
    parser.add_runtime_options()
    parser.add_argument("--side-by-side", action="store_true", help="write a figure to compare")
    add_output_quality(parser)
    add_file_options(parser)
    return parser


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(size) for size in text.split(","))
    except ValueError:
        raise ArgumentTypeError("expected whole numbers, with commas between them") from None


def main(arguments: Namespace) -> None:
    """Colourize images."""
    from ae_keras.data.image_files import SUFFIXES
    from ae_keras.photographs.colourization import Colourization, PhotoColourizer
    from ae_keras.photographs.hints import Hint
    from ae_keras.photographs.reports import collect
    from ae_keras.photographs.running import run_jobs
    from ae_keras.photographs.written_pixels import plan_pictures
    from ae_keras.system.text_tables import one_line

    quality, skips = arguments.output_quality, arguments.skip_existing
    jobs = plan_pictures(arguments.inputs, arguments.output, SUFFIXES, quality)
    hints = tuple(Hint.parse(text) for text in arguments.hints)
    if hints and len(jobs) > 1:
        raise ValueError("--hint is for one photograph: each has its own places.")
    settings = arguments.working_sizes, arguments.runtime, arguments.threads
    colourizer = PhotoColourizer(arguments.model, *settings)
    work = Colourization(colourizer, arguments.force, arguments.side_by_side, quality, hints)
    doing = run_jobs(work, jobs, skip_existing=skips)
    results = collect(doing, arguments.report, arguments.force, skips)
    stream = stream_beside(arguments.output)
    for result in results:
        if result.scores:
            scores = ", ".join(f"{name} {value:.2f}" for name, value in result.scores.items())
            print(f"{one_line(result.job.source)}: {scores}", file=stream)
    print_count(results, arguments.output, "colourized")
    report_failures(results)
