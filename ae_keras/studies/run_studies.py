"""Running studies: one, or all in order, going on where an earlier call was stopped."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from ae_keras.studies import STUDIES, load_study
from ae_keras.studies.page import Page, write_page
from ae_keras.studies.workspace import Workspace
from ae_keras.system.safe_files import write_text

# Of a study: its page and the page's file, or the error that kept it from its end.
Result = tuple[Page, Path] | Exception


def run_study(workspace: Workspace, name: str) -> tuple[Page, Path]:
    """Run a study, and write its page into a folder of its name below the workspace's.

    Args:
        workspace: Workspace.
        name: str. One of `STUDIES`.

    Returns:
        The page, and its file.

    Raises:
        ValueError: if there is no such study, or its data does not fit.
        OSError: if its data is not at hand, or files cannot be written.
    """
    study = load_study(name)
    workspace = dataclasses.replace(workspace, folder=workspace.folder / name, steps={})
    page = study.run(workspace)
    if workspace.quick:
        page = dataclasses.replace(page, trial_steps=sum(workspace.steps.values()))
    return page, write_page(workspace.folder, name, study, page)


def run_all(
    workspace: Workspace, names: Sequence[str] = tuple(STUDIES)
) -> Iterator[tuple[str, Result]]:
    """Run all studies but those that an earlier call, which was stopped, has finished.

    Args:
        workspace: Workspace.
        names: Of the studies, in their order.

    Yields:
        Of each study its name and result.
    """
    record = workspace.folder / ".finished"
    finished = record.read_text(encoding="utf-8").split() if record.is_file() else []
    for name in names:
        if name in finished:
            print(f"{name}: finished before")
            continue
        result: Result
        try:
            result = run_study(workspace, name)
        except (ValueError, OSError, ArithmeticError) as error:
            result = error
        else:
            finished.append(name)
            record.parent.mkdir(parents=True, exist_ok=True)
            write_text(record, "\n".join(finished) + "\n")
        yield name, result
    record.unlink(missing_ok=True)
