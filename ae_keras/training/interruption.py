"""Ctrl-C and SIGTERM as requests to stop where the state is saved."""

import contextlib
import signal
import threading
from types import FrameType


class StopSignals(contextlib.AbstractContextManager):
    """Turns the first Ctrl-C or SIGTERM into a request; a second one stops at once."""

    def __init__(self) -> None:
        self.requested = False
        self._handlers: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> "StopSignals":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        self.__exit__()

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


def stopped(place: str) -> KeyboardInterrupt:
    """Return what ends a run that was asked to stop."""
    return KeyboardInterrupt(
        f"Stopped {place}; the state is saved. Run the same command again to continue."
    )
