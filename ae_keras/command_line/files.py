"""What commands that make files of files share: options, and what they say at the end."""

import sys
from collections.abc import Sequence
from typing import TextIO

from ae_keras.command_line.program import Parser
from ae_keras.command_line.values import NUMBER


def add_file_options(parser: Parser) -> None:
    """Add what is to become of files that are there, and the report."""
    there = parser.add_mutually_exclusive_group().add_argument
    there("--force", action="store_true", help="replace files that are there")
    there("--skip-existing", action="store_true", help="skip inputs whose output is there")
    parser.add_argument("--report", metavar="FILE.csv", help="write a table with a row a file")


def add_ray_option(parser: Parser) -> None:
    """Add the option that has files made on many processors and machines."""
    address = "with Ray: auto (starts on this machine), or the address of a cluster"
    parser.add_argument("--ray", metavar="ADDRESS", help=address)


def add_output_quality(parser: Parser) -> None:
    """Add the quality of the image files that are written."""
    quality = "of JPEG (default 97), AVIF (97) or WebP (lossless) as output, 1 to 100"
    parser.add_argument("--output-quality", **NUMBER, help=quality)


def stream_beside(output: str) -> TextIO:
    """Return where to say what was done: stderr, where the output itself is `"-"`."""
    return sys.stderr if output == "-" else sys.stdout


def print_count(results: Sequence, output: str, verb: str) -> None:
    """Print how many images were, say, `"restored"`, unless none was.

    Args:
        results: Those of `ae_keras.photographs.running.run_jobs`.
        output: str. A file, a folder, or `"-"`.
        verb: str.
    """
    count = sum(result.is_done for result in results)
    place = "" if output == "-" else f" in {output}"
    if count:
        text = f"{count} of {len(results)} images {verb}{place}."
        print(text, file=stream_beside(output))
