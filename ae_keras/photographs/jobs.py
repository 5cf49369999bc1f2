"""Which files to make of which."""

import os
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

from ae_keras.data.image_files import SUFFIXES, choose_images, find_images
from ae_keras.system import notices, storage

# The standard input or output.
STANDARD = "-"


@dataclass(frozen=True)
class Job:
    """One file to make of another, by paths or URLs; either may be `"-"`."""

    source: str
    target: str


@dataclass(frozen=True)
class Result:
    """What became of a job.

    Args:
        job: Job.
        error: str. Why it failed, in one sentence; None if it did not.
        is_skipped: bool. Nothing was done, as the target was there.
        input_size: int. Bytes of the source.
        size: int. Bytes of the target.
        seconds: float. That the job took.
        shape: Of the image, `(height, width)` or `(height, width, channels)`.
        psnr: float. Of the restored image, in dB, if it was measured; infinite without loss.
        scores: Other qualities that were measured, by name.
        noted: What is to be said of files, see `ae_keras.system.notices`.
    """

    job: Job
    error: str | None = None
    is_skipped: bool = False
    input_size: int = 0
    size: int = 0
    seconds: float = 0.0
    shape: tuple[int, ...] = ()
    psnr: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    noted: tuple[notices.Notice, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether the target was made now."""
        return self.error is None and not self.is_skipped


def plan(inputs: Sequence[str], output: str, suffix: str, endings: Collection[str]) -> list[Job]:
    """Return what to make of what.

    The output is a file if there is one input and it is a file; unless it ends in a slash or is a
    folder. The files of a folder keep their places below it. Files of one folder that differ only
    in their endings keep these in their new names.

    Args:
        inputs: Files, folders, URLs of either, or `"-"`.
        output: A file, a folder, a URL of either, or `"-"`.
        suffix: Of the files to make, with the dot.
        endings: Of the files that are taken from folders.

    Raises:
        FileNotFoundError: if an input is missing.
        ValueError: if a folder has no such files, `"-"` is one of several inputs, the output of
            several files is named as a file, two of them would have one name, or the standard
            output is a terminal.
        OSError: if what a URL names cannot be reached.
    """
    inputs, output = list(map(storage.plain_name, inputs)), storage.plain_name(output)
    pairs = find_sources(inputs, endings)
    is_single = len(inputs) == 1 and not storage.is_folder(inputs[0])
    is_folder = output.endswith(("/", os.sep)) or storage.is_folder(output)
    if output == STANDARD:
        _check_standard_output(is_single)
    if is_single and not is_folder:
        return [Job(inputs[0], output)]
    if not is_folder:
        _check_folder(output, {*SUFFIXES, *endings, suffix})
    return _name_targets(pairs, output, suffix)


def _check_standard_output(is_single: bool) -> None:
    if not is_single:
        raise ValueError("'-' can be the output of a single file only.")
    if sys.stdout.isatty():
        raise ValueError(
            "The output is no text, and would go to the terminal. Send it to a file, as in "
            "-o - > FILE, or name one: -o FILE."
        )


def _check_folder(output: str, file_endings: Collection[str]) -> None:
    """Raise `ValueError` if the folder for several files is named as a file, or is one."""
    if storage.exists(output):
        raise ValueError(f"{output!r} is a file. Several files need a folder as their output.")
    if Path(output).suffix.lower() in file_endings:
        raise ValueError(
            f"Several files need a folder as their output, and {output!r} is named as a file. "
            f"For a folder of that name: {output + '/'!r}"
        )


def find_sources(inputs: Sequence[str], endings: Collection[str]) -> list[tuple[str, PurePath]]:
    """Return the files of some inputs, and the path of each below the folder it was found in.

    Args:
        inputs: Files, folders or `"-"`.
        endings: Of the files that are taken from folders.

    Raises:
        FileNotFoundError: if an input is missing.
        ValueError: if a folder has no such files, or `"-"` is one of several inputs.
        OSError: if what a URL names cannot be reached.
    """
    if STANDARD in inputs and len(inputs) > 1:
        raise ValueError("'-' must be the only input.")
    return [pair for source in inputs for pair in _find_source(source, endings)]


def _find_source(source: str, endings: Collection[str]) -> list[tuple[str, PurePath]]:
    if source == STANDARD:
        return [(source, PurePath("stdin"))]
    if storage.is_folder(source):
        return _find_in_folder(source, endings)
    if not storage.exists(source):
        raise FileNotFoundError(f"No such file or folder: {source!r}")
    return [(source, PurePath(Path(source).name))]


def _find_in_folder(folder: str, endings: Collection[str]) -> list[tuple[str, PurePath]]:
    if storage.is_url(folder):
        names = choose_images(folder, storage.list_files(folder), endings)
        return [(storage.join(folder, name), PurePosixPath(name)) for name in names]
    return [(str(file), file.relative_to(folder)) for file in find_images(folder, endings)]


def _name_targets(pairs: Sequence[tuple[str, PurePath]], output: str, suffix: str) -> list[Job]:
    short = [path.with_suffix(suffix) for _, path in pairs]
    counts = Counter(short)
    targets = [
        path.with_name(path.name + suffix) if counts[name] > 1 else name
        for name, (_, path) in zip(short, pairs, strict=True)
    ]
    for target, count in Counter(targets).items():
        if count > 1:
            first, second, *_ = (
                source for (source, _), each in zip(pairs, targets, strict=True) if each == target
            )
            common = storage.join(output, target.as_posix())
            raise ValueError(
                f"{first!r} and {second!r} would both become {common!r}. Give each "
                "an output folder of its own, or the folder that both are in as the input."
            )
    return [
        Job(source, storage.join(output, target.as_posix()))
        for (source, _), target in zip(pairs, targets, strict=True)
    ]
