"""Compress images with a trained model."""

from ae_keras.codec import DEFAULT_MODEL
from ae_keras.command_line import (
    NUMBER,
    Namespace,
    Parser,
    add_file_options,
    add_ray_option,
    format_results,
    parse_size,
    report_failures,
    stream_beside,
)

EXAMPLES = """\
examples:
  ae-keras compress photo.jpg -o photo.aek
  ae-keras compress photo.png -o photo.aek --model cae-cifar10 --quality 60
  ae-keras compress ~/photos more/photo.png -o compressed/
  ae-keras compress photo.png -o small.aek --target-size 200KB
  ae-keras compress photo.png -o smaller.aek --effort 7
  ae-keras compress s3://bucket/photos -o s3://bucket/small/ --ray auto
  cat photo.png | ae-keras compress - -o - > photo.aek

A higher quality takes more bytes; see also: ae-keras evaluate MODEL --rate-distortion.
No quality is lossless. Of photographs, 100 gives about 41 dB with photo, the newest codec of
photographs (46 dB is its ceiling), and about 31 dB with vae_v2-cifar10. 1 KB is 1000 bytes.
"""


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    add("inputs", nargs="+", metavar="INPUT", help="images, folders, or - for the standard input")
    add("-o", "--output", required=True, help="a file, a folder, or - for the standard output")
    model = "a run folder, its name (%(default)s), or a .tflite file"
    add("--model", default=DEFAULT_MODEL, help=model)
    rate = parser.add_mutually_exclusive_group()
    rate.add_argument("--quality", **NUMBER, help="1 to 100; default: the model's own")
    rate.add_argument("--step", **NUMBER, help="of the quantization, 32 to 32000")
    rate.add_argument("--target-bpp", type=float, metavar="X", help="at most X bits per pixel")
    size = "at most 9000 (bytes), 200KB or 1.5MB"
    rate.add_argument("--target-size", type=parse_size, metavar="SIZE", help=size)
    rate.add_argument("--target-psnr", type=float, metavar="DB", help="at least so many dB")
    effort = "1 to 9: how long to look for a smaller file; above 1 needs TensorFlow"
    add("--effort", **NUMBER | {"default": 1}, help=f"{effort} (default: %(default)s)")
    add("--overlap", **NUMBER, help="pixels that tiles share; more of them hide seams better")
    add("--label", **NUMBER, help="of the images, for a conditional model")
    stripped = "leave out ICC profile, EXIF (with GPS), XMP and resolution"
    add("--strip-metadata", action="store_true", help=stripped)
    parser.add_runtime_options()
    add("--workers", **NUMBER, help="files at a time; default: one for each processor, up to 4")
    add("--no-psnr", dest="measure", action="store_false", help="do not restore images to check")
    add_file_options(parser)
    add_ray_option(parser)
    return parser


def main(arguments: Namespace) -> None:
    """Compress, and print a table of what was saved."""
    from ae_keras.cluster.running import do_jobs
    from ae_keras.photographs.compression import Compression, plan_compression

    jobs = plan_compression(arguments.inputs, arguments.output)
    arguments.progress = len(jobs) == 1
    settings = {name: getattr(arguments, name) for name in Compression.__dataclass_fields__}
    compression = Compression(**settings)
    compression.load()  # a wrong model is told once, not for each file
    results = do_jobs(compression, jobs, arguments)
    if done := [result for result in results if result.is_done]:
        print(format_results(done), file=stream_beside(arguments.output))
    report_failures(results)
