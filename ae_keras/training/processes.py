"""Processes, of one machine or several, that train one model together, on JAX.

JAX connects them by a service in the first one. Where it finds that a process has gone, its C++
code writes a page and aborts; here that becomes one line.
"""

import atexit
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import keras

from ae_keras.system.invocation import program

with contextlib.suppress(ModuleNotFoundError):  # which is found out when it is asked for
    import jax
    import jax._src.distributed

# How long to wait for the others at the start, and for a sign of life of one, in seconds.
CONNECT_SECONDS = 300
HEARTBEAT_SECONDS = 30
# How long to wait at the end for those that have not come to it yet.
_END_SECONDS = 60

LOST = (
    "Another process was lost. Give the same commands again on all hosts: they go on from the "
    "last checkpoint."
)


@dataclass(frozen=True)
class Processes:
    """Which process this is of several.

    Args:
        coordinator: str. `HOST:PORT` of the first one, as the others see it.
        count: int. How many there are.
        index: int. The number of this one, from 0.

    Raises:
        ValueError: if a value is not acceptable.
    """

    coordinator: str
    count: int
    index: int

    def __post_init__(self) -> None:
        host, _, port = self.coordinator.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise ValueError(
                f"--coordinator takes HOST:PORT of process 0. Received: {self.coordinator!r}"
            )
        if self.count < 1 or not 0 <= self.index < self.count:
            raise ValueError(
                "--process is a number from 0 on, below --processes. Received: process "
                f"{self.index} of {self.count}"
            )


@contextlib.contextmanager
def connected(processes: Processes) -> Iterator[None]:
    """Connect this process with the others, before anything is computed, for as long as this lasts.

    Raises:
        ValueError: if the backend is not JAX, or the processes do not agree on their number.
    """
    if keras.config.backend() != "jax":
        raise ValueError(
            f"Several processes train on the backend 'jax', not {keras.config.backend()!r}: set "
            "KERAS_BACKEND=jax. For several devices of one machine there is --devices."
        )
    _LastWords.say_on_abort(
        f"Not all {processes.count} processes have met at {processes.coordinator} within "
        f"{CONNECT_SECONDS} s. Start one for each --process from 0 to {processes.count - 1}, and "
        "check that the host and port of process 0 can be reached."
    )
    try:
        # `keras.distribution.initialize` does no more, and leaves the times at their defaults.
        jax.distributed.initialize(
            processes.coordinator,
            processes.count,
            processes.index,
            initialization_timeout=CONNECT_SECONDS,
            heartbeat_timeout_seconds=HEARTBEAT_SECONDS,
            shutdown_timeout_seconds=_END_SECONDS,
        )
        compare("the number of --processes", str(processes.count))
        _LastWords.text = LOST
        yield
    except BaseException as error:
        # The others would wait for this process to part from them as the last of all.
        atexit.register(_exit_at_once, 130 if isinstance(error, KeyboardInterrupt) else 1)
        if isinstance(error, jax.errors.JaxRuntimeError):
            raise ConnectionError(f"{LOST} ({str(error).splitlines()[0]})") from error
        raise


def compare(what: str, own: str) -> None:
    """Find out whether a text is the same in all processes.

    Raises:
        ValueError: if it is not.
    """
    state: Any = jax._src.distributed.global_state

    def key(process: int) -> str:
        return f"ae_keras/{what}/{process}"

    state.client.key_value_set(key(state.process_id), own)
    # All compare with the first, which compares with all: so both sides of a difference say so.
    others = range(state.num_processes) if state.process_id == 0 else (0,)
    patience = 1000 * CONNECT_SECONDS
    texts = {other: state.client.blocking_key_value_get(key(other), patience) for other in others}
    state.client.wait_at_barrier(key(-1), patience)  # none goes before all have read
    for other, text in texts.items():
        if text != own:
            raise ValueError(
                f"Process {state.process_id} and process {other} differ in {what}. Give all "
                "processes the same command, but for --process."
            )


def disconnect() -> None:
    """Wait for the other processes to come to this point, and part from them."""
    jax.distributed.shutdown()


def _exit_at_once(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class _LastWords:
    """What is said when C++ code aborts this process, instead of what it says."""

    text = ""

    @classmethod
    def say_on_abort(cls, text: str) -> None:
        """Say a line from now on."""
        if not cls.text:
            sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), 2)
            ctypes.CDLL(None).signal(signal.SIGABRT, _abort)
        cls.text = text


@ctypes.CFUNCTYPE(None, ctypes.c_int)
def _abort(number: int) -> None:
    print(f"{program()}: error: {_LastWords.text}", file=sys.stderr)
    _exit_at_once(1)
