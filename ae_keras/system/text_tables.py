"""Tables as text: comma-separated values, and Markdown."""

import csv
import io
from collections.abc import Iterable, Sequence


def to_csv(header: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as comma-separated values, its floats exact; None is an empty cell."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()


def one_line(text: str) -> str:
    """Return a text whose line breaks, and all else that cannot be shown, are escaped as by `repr`.

    A file's name, for one, may hold them.
    """
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def to_markdown(
    header: Sequence[object], rows: Iterable[Sequence[object]], aligned: bool = False
) -> str:
    """Return a table as Markdown, whose first column stands to the left, the others to the right.

    Args:
        header: Names of the columns.
        rows: Values of any type.
        aligned: bool. Fill cells up with spaces, for readers of the plain text.
    """
    lines = [[one_line(str(cell)).replace("|", "\\|") for cell in line] for line in (header, *rows)]
    rule = ["---", *["---:"] * (len(header) - 1)]
    if aligned:
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        lines = [_align(line, widths) for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], rule, *lines[1:]))


def _align(line: list[str], widths: list[int]) -> list[str]:
    others = zip(line[1:], widths[1:], strict=True)
    return [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in others)]
