"""Tables of what became of files, a row a file, for spreadsheets."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ae_keras.photographs.jobs import Result
from ae_keras.system.safe_files import write_safely

_PSNR = "PSNR [dB]"
_COLUMNS = (
    *("source", "target", "status", "error"),
    *("input bytes", "output bytes", "width", "height", _PSNR),
)

# The rows of a report, by their targets.
_Rows = dict[str, dict[str, Any]]


def collect(
    results: Iterable[Result], report: str | None, force: bool, skip_existing: bool
) -> list[Result]:
    """Return the results of jobs as a list, and write a report of them, if one is wanted.

    What became of files until an interruption is in the report too.

    Args:
        results: What `run_jobs` yields; nothing is done before the report can be written.
        report: str. A CSV file, whose rows are those of the files.
        force: bool. Replace a report that is there.
        skip_existing: bool. Add to it: of a file that was skipped, its row stays.

    Raises:
        FileExistsError: if it is there, and is not to be replaced or added to.
        ValueError: if it is there and no report.
        OSError: if it cannot be written.
    """
    if report is None:
        return list(results)
    rows = _open(Path(report), force, skip_existing)
    done = []
    try:
        for result in results:
            done.append(result)
            if not (result.is_skipped and result.job.target in rows):
                rows[result.job.target] = _row(result)
    finally:
        _write(Path(report), rows)
    return done


def _open(path: Path, force: bool, skip_existing: bool) -> _Rows:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        return {}
    rows = _read(path)
    if skip_existing:
        return rows
    if not force:
        raise FileExistsError(
            f"{str(path)!r} exists. Replace it with --force, or add to it with --skip-existing."
        )
    return {}


def _read(path: Path) -> _Rows:
    try:
        with open(path, newline="", encoding="utf-8", errors="surrogateescape") as file:
            rows = csv.DictReader(file)
            is_report = tuple(rows.fieldnames or ())[: len(_COLUMNS)] == _COLUMNS
            read = {row["target"]: row for row in rows} if is_report else None
    except (csv.Error, IsADirectoryError):
        read = None
    if read is None:
        raise ValueError(f"{str(path)!r} is there, and is no report. Choose another --report.")
    return read


def _row(result: Result) -> dict[str, Any]:
    height, width, *_ = *result.shape, *("", "")
    status = "skipped" if result.is_skipped else "done" if result.error is None else "failed"
    values = (
        *(result.job.source, result.job.target, status, " ".join((result.error or "").split())),
        *(result.input_size or "", result.size or "", width, height),
        "" if result.psnr is None else f"{result.psnr:.4f}",
    )
    scores = {name: f"{value:.4f}" for name, value in result.scores.items()}
    return dict(zip(_COLUMNS, values, strict=True)) | scores


def _write(path: Path, rows: _Rows) -> None:
    names = dict.fromkeys([*_COLUMNS, *(name for row in rows.values() for name in row)])
    with (
        write_safely(path) as temporary,
        open(temporary, "w", newline="", encoding="utf-8", errors="surrogateescape") as file,
    ):
        writer = csv.DictWriter(file, names, restval="")
        writer.writeheader()
        writer.writerows(rows.values())
