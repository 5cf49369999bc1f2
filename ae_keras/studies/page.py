"""The page of a study: its verdicts, tables and figures.

A study gives its verdicts as data; here alone they become sentences.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from ae_keras.system.safe_files import write_text
from ae_keras.system.text_tables import to_csv, to_markdown

Holds = bool | Literal["in part"] | None


class Study(Protocol):
    """What a page takes from the module of a study."""

    TITLE: str
    __doc__: str | None


@dataclass(frozen=True)
class Evidence:
    """A number, or a few, that a verdict rests on.

    Args:
        name: str. What it is.
        value: A number; or several of one kind; or the names of what has been found.
        unit: str. Of the numbers.
        style: str. A format specification of numbers, such as `".2f"`.
    """

    name: str
    value: float | str | tuple[float, ...] | tuple[str, ...]
    unit: str = ""
    style: str = ""

    def __str__(self) -> str:
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        shown = [each if isinstance(each, str) else format(each, self.style) for each in values]
        text = f"{self.name}: {', '.join(shown) or 'none'}"
        return f"{text} {self.unit}" if self.unit and shown else text


@dataclass(frozen=True)
class Verdict:
    """What a study has found out about a claim.

    Args:
        claim: str. What the report says; or what is observed, where no report says anything.
        holds: Whether it is so: True, False, or `"in part"`; None where there is no report to
            compare with.
        evidence: What that rests on.
    """

    claim: str
    holds: Holds
    evidence: tuple[Evidence, ...] = ()

    def __str__(self) -> str:
        said = f"{self.claim}: **{_WORDS[self.holds]}**"
        return f"{said} ({'; '.join(map(str, self.evidence))})." if self.evidence else f"{said}."


_WORDS: dict[Holds, str] = {
    True: "holds",
    False: "does not hold",
    "in part": "holds in part",
    None: "no report to compare with",
}


def judge_cases(cases: Sequence[bool]) -> Holds:
    """Return whether a claim holds in all, in some or in none of its cases."""
    if all(cases):
        return True
    return "in part" if any(cases) else False


@dataclass(frozen=True)
class Table:
    """A table of results.

    Args:
        header: Names of the columns, with units.
        rows: Values, of any type; in Markdown as text, the first column to the left.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[Any]]

    def to_csv(self) -> str:
        """Return the table as comma-separated values."""
        return to_csv(self.header, self.rows)

    def to_markdown(self) -> str:
        """Return the table as Markdown."""
        return to_markdown(self.header, self.rows)


@dataclass(frozen=True)
class Page:
    """What a study found.

    Args:
        verdicts: On the report's claims, and what was observed beside them.
        tables: A table for each name.
        figures: A caption for each file of the study's folder.
        trial_steps: int. Of a quick study, which concludes nothing: its steps of training.
    """

    verdicts: Sequence[Verdict]
    tables: dict[str, Table]
    figures: dict[str, str] = field(default_factory=dict)
    trial_steps: int | None = None

    @property
    def finding(self) -> str:
        """The verdicts as a list in Markdown; of a quick study, how long the trial was."""
        if self.trial_steps is not None:
            return f"a trial: {self.trial_steps} steps, no conclusion"
        return "\n".join(f"- {verdict}" for verdict in self.verdicts)


def write_page(folder: Path, name: str, study: Study, page: Page) -> Path:
    """Write the page of a study, `README.md`, and its tables as CSV.

    Args:
        folder: Where to write; it is made if need be.
        name: str. Of the study.
        study: Its module.
        page: Page.

    Returns:
        The page's file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    quick = "" if page.trial_steps is None else " --quick"
    command = f"`python scripts/study.py {name}{quick}`"
    parts = [f"# {study.TITLE}", (study.__doc__ or "").strip(), command, page.finding]
    for title, table in page.tables.items():
        write_text(folder / f"{title}.csv", table.to_csv())
        parts += [f"[`{title}.csv`]({title}.csv):", table.to_markdown()]
    parts += [f"![{caption}]({file})\n\n*{caption}*" for file, caption in page.figures.items()]
    write_text(folder / "README.md", "\n\n".join(parts) + "\n")
    return folder / "README.md"
