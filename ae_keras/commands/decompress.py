"""Restore images that were compressed, or say what is in a file."""

from ae_keras.command_line import (
    NUMBER,
    Namespace,
    Parser,
    add_file_options,
    add_output_quality,
    add_ray_option,
    format_info,
    print_count,
    report_failures,
)

EXAMPLES = """\
examples:
  ae-keras decompress photo.aek -o photo.png
  ae-keras decompress compressed -o restored/
  ae-keras decompress photo.aek -o - > photo.png
  ae-keras decompress photo.aek -o small.png --scale 1/8
  ae-keras decompress --info photo.aek

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
    add("--workers", **NUMBER, help="files at a time; default: one for each processor, up to 4")
    add("--max-pixels", default=2**28, **NUMBER, help="refuse larger images (%(default)s)")
    add_output_quality(parser)
    add_file_options(parser)
    add_ray_option(parser)
    return parser


def main(arguments: Namespace) -> None:
    """Restore images, or print headers."""
    from ae_keras.cluster.running import do_jobs
    from ae_keras.photographs.compression import SUFFIX, Decompression, read_info
    from ae_keras.photographs.jobs import find_sources
    from ae_keras.photographs.written_pixels import plan_pictures

    if arguments.info:
        for source, _ in find_sources(arguments.inputs, [SUFFIX]):
            print(format_info(source, read_info(source)))
        return
    runtime = {"runtime": arguments.runtime, "threads": arguments.threads}
    quality = arguments.output_quality
    jobs = plan_pictures(arguments.inputs, arguments.output, [SUFFIX], quality)
    factor = int(arguments.scale.removeprefix("1/"))
    settings = arguments.model, arguments.force, arguments.max_pixels, factor, quality
    work = Decompression(*settings, progress=len(jobs) == 1, **runtime)
    work.load()  # a wrong model is told once, not for each file
    results = do_jobs(work, jobs, arguments)
    print_count(results, arguments.output, "restored")
    report_failures(results)
