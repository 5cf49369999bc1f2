"""The table of a large job: a row an image, in Parquet, in the folder `manifest` of its output.

It is written in parts while work goes on, `part-<number>-<random>.parquet`, every few seconds one,
so that a job that is killed loses little of it; when the job ends, one part has all rows. Of
several rows of one target, that in the part of the highest number is valid. A job begins with rows
of all that is to be done, whose `error` says that it is not: a target without such a row, which was
there before, is none of the job's.
"""

import importlib
import io
import re
import secrets
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ae_keras.photographs.jobs import Job, Result
from ae_keras.system import storage

if TYPE_CHECKING:
    import pyarrow

FOLDER = "manifest"
# The error of what is still to be done.
PENDING = "not done yet"
_PART = re.compile(r"part-(\d+)-[0-9a-f]+\.parquet")
# Between two parts: seconds at least, and of a long job that share of its time.
_SECONDS, _SHARE = 2, 0.01
_COLUMNS = {
    "source": "string",
    "target": "string",
    "bytes": "int64",
    "bpp": "float64",
    "psnr": "float64",
    "seconds": "float64",
    "error": "string",
}


class Manifest:
    """The manifest of an output.

    Columns: `source`, the name of the image; `target`, the name of what was made of it, below the
    output; `bytes` and `bpp` (bits per pixel) of that; `psnr` [dB], if it was measured; `seconds`
    that it took; `error`, in one sentence. What is not known is null.

    Args:
        output: str. A folder, or a URL of one.

    Raises:
        ValueError: if a part of it is damaged.
        OSError: if it cannot be read or written.
    """

    def __init__(self, output: str):
        self._output, self._folder = output, storage.join(output, FOLDER)
        names = sorted(filter(_PART.fullmatch, storage.list_files(self._folder)), key=_number)
        self._parts = {name: _read(storage.join(self._folder, name)) for name in names}
        self._next = _number(names[-1]) + 1 if names else 0
        self._rows: list[tuple[Any, ...]] = []
        self._start = self._last_write = time.monotonic()
        self._check_writing()

    def _check_writing(self) -> None:
        """Find out before anything is done that the output cannot be written."""
        name = storage.join(self._folder, f"check-{secrets.token_hex(4)}")
        try:
            storage.write(name, b"")
            storage.remove(name)
        except OSError as error:
            reasons = {FileNotFoundError: "no such bucket", PermissionError: "permission denied"}
            reason = error.strerror or reasons.get(type(error), str(error))
            raise OSError(f"Cannot write into {self._output!r}: {reason}") from error

    def errors(self) -> dict[str, str | None]:
        """Return the errors by the names of targets below the output; None of what was made."""
        rows = self._table().select(["target", "error"]).to_pydict()
        return dict(zip(rows["target"], rows["error"], strict=True))

    def begin(self, jobs: Sequence[Job]) -> None:
        """Write rows of what is to be done.

        Raises:
            OSError: if that cannot be done.
        """
        for job in jobs:
            self.add(Result(job, error=PENDING))
        self.write()

    def name_of(self, target: str) -> str:
        """Return the name of a target below the output."""
        return target.removeprefix(storage.join(self._output)).lstrip("/")

    def add(self, result: Result) -> None:
        """Add the row of an image; once in a while, write those that were added."""
        height, width, *_ = *result.shape, 0, 0
        bpp = 8 * result.size / (height * width) if height and width else None
        self._rows.append(
            (
                *(result.job.source, self.name_of(result.job.target)),
                *(result.size or None, bpp, result.psnr, result.seconds or None, result.error),
            )
        )
        now = time.monotonic()
        if now - self._last_write >= max(_SECONDS, _SHARE * (now - self._start)):
            self.write()

    def write(self) -> None:
        """Write the rows that were added since the last part.

        Raises:
            OSError: if that cannot be done.
        """
        self._last_write = time.monotonic()
        if self._rows:
            self._write_part(_table_of(self._rows))
            self._rows = []

    def close(self) -> None:
        """Write what is left, and make one part of all.

        Raises:
            OSError: if that cannot be done.
        """
        self.write()
        if len(self._parts) > 1:
            old, table = list(self._parts), self._table()
            self._write_part(table)
            for name in old:
                storage.remove(storage.join(self._folder, name))
                del self._parts[name]

    def _write_part(self, table: "pyarrow.Table") -> None:
        name = f"part-{self._next:06d}-{secrets.token_hex(4)}.parquet"
        file = io.BytesIO()
        importlib.import_module("pyarrow.parquet").write_table(table, file)
        storage.write(storage.join(self._folder, name), file.getvalue())
        self._parts[name] = table
        self._next += 1

    def _table(self) -> "pyarrow.Table":
        """Return the valid rows of all parts."""
        arrow = importlib.import_module("pyarrow")
        rows = arrow.concat_tables([_table_of([]), *self._parts.values()])
        numbered = rows.append_column("number", arrow.array(range(len(rows)), arrow.int64()))
        last = numbered.group_by("target").aggregate([("number", "max")])
        return rows.take(last["number_max"].sort())


def _number(name: str) -> int:
    match = _PART.fullmatch(name)
    return int(match[1]) if match else 0


def _schema() -> "pyarrow.Schema":
    return importlib.import_module("pyarrow").schema(list(_COLUMNS.items()))


def _table_of(rows: list[tuple[Any, ...]]) -> "pyarrow.Table":
    arrow = importlib.import_module("pyarrow")
    columns = list(zip(*rows, strict=True)) or [() for _ in _COLUMNS]
    return arrow.table([list(column) for column in columns], schema=_schema())


def _read(name: str) -> "pyarrow.Table":
    parquet = importlib.import_module("pyarrow.parquet")
    data = storage.read(name)
    try:
        table = parquet.read_table(io.BytesIO(data), schema=_schema())
        table.validate(full=True)
        return table
    except Exception as error:  # of many types, where a file is damaged
        raise ValueError(
            f"{name!r} is no part of a manifest, or damaged. Remove it: its images are found again."
        ) from error
