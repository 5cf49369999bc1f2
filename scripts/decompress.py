"""Restore images that scripts/compress.py compressed, or say what is in a file."""

import functools
import sys

from ae_keras.command_line import (
    NUMBER,
    Namespace,
    Parser,
    format_info,
    prepare,
    report_failures,
    run,
)

EXAMPLES = """\
examples:
  python scripts/decompress.py photo.aek -o photo.png
  python scripts/decompress.py compressed -o restored/
  python scripts/decompress.py photo.aek -o - > photo.png
  python scripts/decompress.py photo.aek -o small.png --scale 1/8
  python scripts/decompress.py --info photo.aek

The model is found in saved_models by the name and digest in the file, or is told with --model.
"""


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help=".aek files, folders, or - for stdin")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("-o", "--output", help="a file (its ending names the format), a folder, or -")
    what.add_argument(
        "--info", action="store_true", help="say what is in the files: header, metadata"
    )
    add("--model", help="a run, or a .tflite file, if it is not the one that the file names")
    small = "a small picture instead, each pixel the mean of a square"
    add("--scale", choices=["1/2", "1/4", "1/8"], default="1/1", help=small)
    parser.add_runtime_options()
    add("--workers", default=1, **NUMBER, help="processes (1)")
    add("--max-pixels", default=2**28, **NUMBER, help="refuse larger images (%(default)s)")
    add("--force", action="store_true", help="replace files that are there")
    return parser


def main(arguments: Namespace) -> None:
    """Restore images, or print headers."""
    from ae_keras.codec.loading import load_codec
    from ae_keras.photographs.compression import SUFFIX, Decompression, read_info
    from ae_keras.photographs.jobs import STANDARD, find_sources, plan, run_jobs

    if arguments.info:
        for source, _ in find_sources(arguments.inputs, [SUFFIX]):
            print(format_info(source, read_info(source)))
        return
    if arguments.model:
        # A wrong model is told once, not for each file.
        load_codec(arguments.model, runtime=arguments.runtime, threads=arguments.threads)
    jobs = plan(arguments.inputs, arguments.output, ".png", [SUFFIX])
    factor = int(arguments.scale.removeprefix("1/"))
    settings = arguments.model, arguments.force, arguments.max_pixels, factor
    runtime = arguments.runtime, arguments.threads
    work = Decompression(*settings, len(jobs) == 1, *runtime)
    initializer = functools.partial(prepare, arguments)
    results = list(run_jobs(work, jobs, arguments.workers, initializer))
    done = [result for result in results if result.error is None]
    if done:
        stream = sys.stderr if arguments.output == STANDARD else sys.stdout
        place = "" if arguments.output == STANDARD else f" in {arguments.output}"
        print(f"{len(done)} of {len(results)} images restored{place}.", file=stream)
    report_failures("decompress.py", results)


if __name__ == "__main__":
    run(make_parser(), main)
