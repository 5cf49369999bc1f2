"""Take noise out of images with a trained autoencoder."""

import sys

from ae_keras.command_line import Namespace, Parser, report_failures, run

EXAMPLES = """\
examples:
  python scripts/train.py --model cae --set task=denoising --set noise=0.1 --output clean
  python scripts/denoise.py noisy.png -o clean.png --model ./clean
  python scripts/denoise.py photos -o cleaned/ --model ./clean

Images may have any size. A model trained on noise as strong as theirs does best.
"""


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    parser.add_argument("inputs", nargs="+", metavar="IMAGE", help="files, folders, or - for stdin")
    parser.add_argument("-o", "--output", required=True, help="a file, a folder, or - for stdout")
    parser.add_argument("--model", required=True, metavar="RUN", help="a run folder, or its name")
    parser.add_runtime_options()
    parser.add_argument("--force", action="store_true", help="replace files that are there")
    return parser


def main(arguments: Namespace) -> None:
    """Denoise images."""
    from ae_keras.data.image_files import SUFFIXES
    from ae_keras.photographs.denoising import Denoiser, Denoising
    from ae_keras.photographs.jobs import STANDARD, plan, run_jobs

    jobs = plan(arguments.inputs, arguments.output, ".png", SUFFIXES)
    denoiser = Denoiser(arguments.model, arguments.runtime, arguments.threads)
    if denoiser.recipe.task != "denoising":
        note = f"note: {arguments.model} was trained to reconstruct images, not to denoise them."
        print(f"denoise.py: {note}", file=sys.stderr)
    results = list(run_jobs(Denoising(denoiser, arguments.force), jobs))
    done = [result for result in results if result.error is None]
    if done:
        stream = sys.stderr if arguments.output == STANDARD else sys.stdout
        place = "" if arguments.output == STANDARD else f" in {arguments.output}"
        print(f"{len(done)} of {len(results)} images denoised{place}.", file=stream)
    report_failures("denoise.py", results)


if __name__ == "__main__":
    run(make_parser(), main)
