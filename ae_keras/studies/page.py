"""The page of a study: its finding, tables and figures."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ae_keras.studies.workspace import Workspace
from ae_keras.system.safe_files import write_text

_TRIAL = "**This is a trial of one epoch on a few photographs, which shows nothing.**"


@dataclass(frozen=True)
class Table:
    """A table of results.

    Args:
        header: Names of the columns, with units.
        rows: Values, of any type; in Markdown as text, the first column to the left.
    """

    header: Sequence[str]
    rows: Sequence[Sequence]

    def to_csv(self) -> str:
        """Return the table as comma-separated values."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([self.header, *self.rows])
        return text.getvalue()

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        rule = ["---", *["---:"] * (len(self.header) - 1)]
        lines = [self.header, rule, *self.rows]
        return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


@dataclass(frozen=True)
class Page:
    """What a study found.

    Args:
        finding: str. Whether the report's finding holds, in a sentence or two.
        tables: A table for each name.
        figures: A caption for each file of the study's folder.
    """

    finding: str
    tables: dict[str, Table]
    figures: dict[str, str] = field(default_factory=dict)


def write_page(workspace: Workspace, name: str, study, page: Page) -> Path:
    """Write the page of a study, `README.md`, and its tables as CSV."""
    workspace.folder.mkdir(parents=True, exist_ok=True)
    command = f"python scripts/study.py {name}" + (" --quick" if workspace.quick else "")
    finding = f"{_TRIAL} {page.finding}" if workspace.quick else page.finding
    parts = [f"# {study.TITLE}", study.__doc__.strip(), f"`{command}`", finding]
    for title, table in page.tables.items():
        write_text(workspace.folder / f"{title}.csv", table.to_csv())
        parts += [f"[`{title}.csv`]({title}.csv):", table.to_markdown()]
    parts += [f"![{caption}]({file})\n\n*{caption}*" for file, caption in page.figures.items()]
    write_text(workspace.folder / "README.md", "\n\n".join(parts) + "\n")
    return workspace.folder / "README.md"
