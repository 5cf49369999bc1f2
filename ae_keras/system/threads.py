"""Work in several threads that ends with Ctrl-C."""

import concurrent.futures
import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


def map_in_threads(
    work: Callable[[Item], Outcome], items: Sequence[Item], threads: int
) -> Iterator[Outcome]:
    """Yield what a function makes of each item, in order, computed in several threads.

    If an exception ends it before its end, as `KeyboardInterrupt` from Ctrl-C does, no further
    item is begun, and those in work end as Ctrl-C would end them in the main thread.
    """
    if threads <= 1:
        yield from map(work, items)
        return
    at_work = _AtWork()

    def tracked(item: Item) -> Outcome:
        with at_work.joined():
            return work(item)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(tracked, items)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            at_work.interrupt()
            raise


class _AtWork:
    """The threads that are in the middle of something."""

    def __init__(self) -> None:
        self._lock, self._threads = threading.Lock(), set[int]()
        self._is_interrupted = False

    @contextlib.contextmanager
    def joined(self) -> Iterator[None]:
        """Count this thread among them."""
        with self._lock:
            if self._is_interrupted:  # it began an item just before
                raise KeyboardInterrupt
            self._threads.add(threading.get_ident())
        try:
            yield
        finally:
            with self._lock:
                self._threads.discard(threading.get_ident())

    def interrupt(self) -> None:
        """Raise `KeyboardInterrupt` in each of them, when it next runs Python code."""
        with self._lock:
            self._is_interrupted = True
            for thread in self._threads:
                exception = ctypes.py_object(KeyboardInterrupt)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), exception)
