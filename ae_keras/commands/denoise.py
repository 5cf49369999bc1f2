"""Take noise out of images with a trained autoencoder."""

import sys

from ae_keras.command_line import (
    Namespace,
    Parser,
    add_file_options,
    add_output_quality,
    print_count,
    report_failures,
)
from ae_keras.system.invocation import program

EXAMPLES = """\
examples:
  ae-keras denoise noisy.png -o clean.png
  ae-keras denoise photos -o cleaned/
  ae-keras train --model cae --dataset mnist --set task=denoising --set noise=0.1 --output clean
  ae-keras denoise digit.png -o clean.png --model ./clean

Images may have any size. The model that ships finds out how strong the noise is; one of your own
does best with noise as strong as that it was trained with.
"""


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    parser.add_argument("inputs", nargs="+", metavar="IMAGE", help="files, folders, or - for stdin")
    parser.add_argument("-o", "--output", required=True, help="a file, a folder, or - for stdout")
    model = "a run folder, or its name (default: %(default)s, which is for photographs)"
    parser.add_argument("--model", default="denoiser", metavar="RUN", help=model)
    parser.add_runtime_options()
    add_output_quality(parser)
    add_file_options(parser)
    return parser


def main(arguments: Namespace) -> None:
    """Denoise images."""
    from ae_keras.data.image_files import SUFFIXES
    from ae_keras.photographs.denoising import Denoiser, Denoising
    from ae_keras.photographs.reports import collect
    from ae_keras.photographs.running import run_jobs
    from ae_keras.photographs.written_pixels import plan_pictures

    quality, skips = arguments.output_quality, arguments.skip_existing
    jobs = plan_pictures(arguments.inputs, arguments.output, SUFFIXES, quality)
    denoiser = Denoiser(arguments.model, arguments.runtime, arguments.threads)
    if denoiser.recipe.task != "denoising":
        note = f"note: {arguments.model} was trained to reconstruct images, not to denoise them."
        print(f"{program()}: {note}", file=sys.stderr)
    work = Denoising(denoiser, arguments.force, quality)
    doing = run_jobs(work, jobs, skip_existing=skips)
    results = collect(doing, arguments.report, arguments.force, skips)
    print_count(results, arguments.output, "denoised")
    report_failures(results)
