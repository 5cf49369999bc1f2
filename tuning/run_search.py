"""From a search to its results: in this process, with workers here, or with workers elsewhere."""

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from ae_keras.data.images import load_images
from ae_keras.runs.folder import RunFolder
from ae_keras.tuning.reports import write_reports
from ae_keras.tuning.search import Search
from ae_keras.tuning.workers import lead_workers, parse_address


def run_search(
    search: Search,
    workers: int | None = None,
    threads: int | None = None,
    chief: str | None = None,
    command: Sequence[str] = (),
    overwrite: bool = False,
) -> list[dict[str, Any]]:
    """Run a search, or go on with one that was stopped, and write what it found.

    Args:
        search: Search.
        workers: int. Processes on this machine that run the trials. Default: this one does.
        threads: int. Of each worker. Default: the cores, shared out.
        chief: HOST:PORT, where workers that are started elsewhere find this process.
        command: That starts a worker, but for its `--worker HOST:PORT`.
        overwrite: bool. Replace a search that is in the folder.

    Returns:
        The rows of `tuning.reports.rank`.

    Raises:
        ValueError: if the data set is not acceptable, the folder holds another search, a number or
            an address is not acceptable, or no trial was completed.
        OSError: if files cannot be read or written, or the chief cannot listen.
        KeyboardInterrupt: if the search was interrupted; its state is saved.
    """
    for name, number in (("workers", workers), ("threads", threads)):
        if number is not None and number < 1:
            raise ValueError(f"`{name}` must be at least 1. Received: {number}")
    if chief:
        parse_address(chief)
    load_images(search.recipe.data_spec, ["validation"])  # what no trial could read is said at once
    with RunFolder(search.folder).lock():
        search.start(overwrite)
        oracle = search.make_oracle()
        try:
            if chief or workers or threads:
                count = workers or (0 if chief else 1)
                share = threads or max((os.cpu_count() or 1) // max(count, 1), 1)
                lead_workers(oracle, command, count, share, chief)
            else:
                search.make_tuner(oracle, verbose=int(sys.stdout.isatty())).search()
        except KeyboardInterrupt as interrupt:
            with contextlib.suppress(ValueError):
                write_reports(search, oracle)
            text = "Stopped; the state is saved. Run the same command again to continue."
            raise KeyboardInterrupt(text) from interrupt
        return write_reports(search, oracle)
