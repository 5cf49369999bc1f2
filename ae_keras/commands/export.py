"""Export a trained model to SavedModel, LiteRT or ONNX, with proof that it computes the same."""

from argparse import ArgumentTypeError

from ae_keras.command_line import Namespace, Parser, format_export
from ae_keras.export import FORMATS, PARTS, QUANTIZATIONS, Export

EXAMPLES = """\
examples:
  ae-keras export vae_v2-cifar10 --format litert
  ae-keras export vae_v2-cifar10 --format litert --quantize int8 --dataset skimage
  ae-keras export cae-cifar10 --format onnx --part decoder --batch-size 1
  ae-keras export my-run --format litert --in-run
  ae-keras compress photo.jpg -o photo.aek --model path/to/vae_v2-cifar10.tflite

ONNX needs a few more libraries: pip install -e ".[onnx]"
"""


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    add("run", metavar="RUN", help="a run folder, or its name")
    add("--format", choices=FORMATS, required=True, help=f"one of: {', '.join(FORMATS)}")
    add(
        "--quantize",
        choices=QUANTIZATIONS,
        default="none",
        help="numbers of fewer bits, in LiteRT: float16 and dynamic for weights, int8 for all",
    )
    add("--part", choices=PARTS, default="autoencoder", help="default: %(default)s")
    add("--batch-size", type=_batch_size, metavar="N", help="fixes all sizes; default: any")
    add("-o", "--output", metavar="FOLDER", help="default: in the run folder")
    add("--dataset", metavar="NAME", help="to compare on, and for int8; default: the run's")
    in_run = "litert for the run itself: model.tflite in its folder, which commands take first"
    add("--in-run", action="store_true", help=in_run)
    add("--overwrite", action="store_true", help="replace an export that is there")
    return parser


def _batch_size(text: str) -> int | None:
    if text != "any" and not text.isdecimal():
        raise ArgumentTypeError(f"expected a whole number or 'any', not {text!r}")
    return None if text == "any" else int(text)


def main(arguments: Namespace) -> None:
    """Export, and print the report."""
    from ae_keras.export.export_run import export_run
    from ae_keras.export.litert_form import write_litert

    export = Export(arguments.format, arguments.quantize, arguments.part, arguments.batch_size)
    if arguments.in_run:
        if export != Export("litert") or arguments.output:
            raise ValueError("--in-run is --format litert, without other settings of the export.")
        path, _ = write_litert(arguments.run, arguments.dataset, arguments.overwrite)
        print(f"{path}: {path.stat().st_size:,} bytes")
        return
    path, report = export_run(
        arguments.run, export, arguments.output, arguments.dataset, arguments.overwrite
    )
    print(format_export(report) + f"\n\n{path}")
