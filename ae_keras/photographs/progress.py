"""A bar that shows how much of a large image is done."""

import contextlib
import math
from collections.abc import Iterator

from tqdm import tqdm

from ae_keras.codec.progress import Progress, silent
from ae_keras.photographs.jobs import STANDARD, Job

# Pixels; smaller images are done before a bar would be read.
_LARGE = 4_000_000
_FORMAT = "{percentage:3.0f}%|{bar}| {elapsed}<{remaining}"


@contextlib.contextmanager
def show_progress(is_wanted: bool, job: Job, size: tuple[int, ...]) -> Iterator[Progress]:
    """Show a bar on stderr, if it is a terminal, for a large image that comes from no pipe.

    It begins again with each pass over the image.

    Args:
        is_wanted: bool. Whether there may be a bar at all.
        job: Job.
        size: `(height, width)` of the image.

    Yields:
        What is to be told the progress.
    """
    if not is_wanted or math.prod(size) <= _LARGE or STANDARD in (job.source, job.target):
        yield silent
        return
    with tqdm(total=1, bar_format=_FORMAT, leave=False, miniters=0, disable=None) as bar:

        def show(share: float) -> None:
            if share < bar.n:
                bar.reset()
            bar.update(share - bar.n)

        yield show
