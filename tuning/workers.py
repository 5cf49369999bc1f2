"""A search in several processes: KerasTuner's chief, which owns the oracle, and its workers.

The chief answers the workers over gRPC. KerasTuner's own one waits without end for the trial of a
worker that died; ours gives it to another worker, which goes on where the trial was saved last if
both see the same folder.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent import futures
from typing import IO, Any

import grpc

from ae_keras.tuning.keras_tuner_internals import OracleServicer, serve
from ae_keras.tuning.oracles import Recorded
from ae_keras.tuning.search import Search

# A worker that was silent for so long is taken for dead.
_SILENCE = 60
# Workers without a trial ask every second; so long after the end they have heard of it.
_FAREWELL = 5
_SECONDS_TO_STOP = 30
_SECONDS_BETWEEN_LOOKS = 0.2
_ANYWHERE = ("0.0.0.0", "[::]")
_FOLLOWS = "AE_KERAS_FOLLOWS"


class Chief(OracleServicer):
    """Answers workers, and notes when it heard of each one's trial last."""

    def __init__(self, oracle: Recorded):
        super().__init__(oracle)
        self._heard: dict[str, float] = {}

    def CreateTrial(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Give a worker a trial."""
        self._heard[request.tuner_id] = time.monotonic()
        return super().CreateTrial(request, context)

    def GetTrial(self, request: Any, context: Any) -> Any:  # noqa: N802 - gRPC's name
        """Show a worker its trial, as it asks now and then while it trains."""
        for tuner_id, trial in list(self.oracle.ongoing_trials.items()):
            if trial.trial_id == request.trial_id:
                self._heard[tuner_id] = time.monotonic()
        return super().GetTrial(request, context)

    @property
    def is_over(self) -> bool:
        """Whether no trial is left to run, nor runs."""
        return self.stop_triggered and not self.oracle.ongoing_trials

    def give_up_silent(self) -> None:
        """Have the trials of workers that are silent run again."""
        for tuner_id in list(self.oracle.ongoing_trials):
            if time.monotonic() - self._heard[tuner_id] > _SILENCE:
                print(f"worker {tuner_id} is silent: its trial is given to another", flush=True)
                self.oracle.give_back(tuner_id)


@contextlib.contextmanager
def _listen(oracle: Recorded, address: str) -> Iterator[tuple[Chief, int]]:
    """Answer at HOST:PORT (port 0: any that is free), and give the chief and its port."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=1))
    chief = Chief(oracle)
    serve(chief, server)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError as error:
        raise OSError(f"Cannot listen at {address!r}: is the port in use?") from error
    server.start()
    try:
        yield chief, port
    finally:
        server.stop(grace=1).wait()


def parse_address(address: str) -> tuple[str, str]:
    """Return host and port.

    Raises:
        ValueError: if the text is not HOST:PORT.
    """
    host, colon, port = address.rpartition(":")
    if not colon or not host or not port.isdigit() or not 0 < int(port) < 2**16:
        raise ValueError(f"Expected HOST:PORT, such as 192.168.0.5:8000. Received: {address!r}")
    return host, port


def lead_workers(
    oracle: Recorded,
    command: Sequence[str],
    count: int,
    threads: int,
    address: str | None = None,
) -> None:
    """Lead a search to its end.

    Args:
        oracle: One of `tuning.oracles`.
        command: That starts a worker, but for `--worker HOST:PORT`.
        count: int. Workers to start on this machine.
        threads: int. Of each of them.
        address: HOST:PORT, where workers of other machines find the chief. Default: there are none.

    Raises:
        ValueError: if the address is not HOST:PORT.
        OSError: if the chief cannot listen there.
        ChildProcessError: if no worker is left, nor can come, and the search is not over.
        KeyboardInterrupt: if the search was interrupted; workers here have saved their state.
    """
    host, port = parse_address(address) if address else ("127.0.0.1", "0")
    with _listen(oracle, f"{host}:{port}") as (chief, free_port):
        here = "127.0.0.1" if host in _ANYWHERE else host
        with Crew([*command, "--worker", f"{here}:{free_port}"], threads) as crew:
            for _ in range(count):
                crew.start()
            if address:
                print(f"waiting for workers at {address}", flush=True)
            while not chief.is_over:
                time.sleep(_SECONDS_BETWEEN_LOOKS)
                chief.give_up_silent()
                for name, status in crew.remove_ended():
                    if oracle.give_back(name):
                        print(f"a worker died ({status}): its trial runs again", flush=True)
                        crew.start()
                if not (crew.workers or address or chief.is_over):
                    raise ChildProcessError("No worker could work. See what they wrote above.")
            crew.wait_for_all(_FAREWELL)
            if address:
                time.sleep(_FAREWELL)


class Crew(contextlib.AbstractContextManager):
    """The workers on this machine; they end with the process that started them.

    Args:
        command: That starts a worker.
        threads: int. Of each of them.
    """

    def __init__(self, command: Sequence[str], threads: int):
        self._command, self._threads = command, threads
        names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
        self._environment = {**os.environ, **dict.fromkeys(names, str(threads)), _FOLLOWS: "1"}
        # Workers share a GPU.
        self._environment.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
        self.workers: dict[str, subprocess.Popen] = {}
        self._places: dict[str, int] = {}

    def start(self) -> None:
        """Start another worker."""
        name = f"worker-{uuid.uuid4().hex[:8]}"
        environment = {**self._environment, "KERASTUNER_TUNER_ID": name}
        # Its own session: Ctrl-C is for the chief, which stops the workers.
        worker = subprocess.Popen(
            self._command, env=environment, stdin=subprocess.PIPE, start_new_session=True
        )
        taken = {self._places[other] for other in self.workers}
        self._places[name] = min(set(range(len(taken) + 1)) - taken)
        self._pin(worker, self._places[name])
        self.workers[name] = worker

    def _pin(self, worker: subprocess.Popen, place: int) -> None:
        """Give a worker cores of its own, where one can: not all libraries obey the variables."""
        if hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            first = place * self._threads
            chosen = {cores[core % len(cores)] for core in range(first, first + self._threads)}
            with contextlib.suppress(ProcessLookupError):  # it has ended already
                os.sched_setaffinity(worker.pid, chosen)

    def remove_ended(self) -> list[tuple[str, int]]:
        """Forget the workers that have ended, and return their names and exit statuses."""
        names = [name for name, worker in self.workers.items() if worker.poll() is not None]
        ended = {name: self.workers.pop(name) for name in names}
        for worker in ended.values():
            _close(worker.stdin)
        return [(name, worker.returncode) for name, worker in ended.items()]

    def wait_for_all(self, seconds: float) -> None:
        """Give workers the time to hear that the search is over."""
        end = time.monotonic() + seconds
        for worker in self.workers.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.wait(max(end - time.monotonic(), 0))

    def __exit__(self, *exception: object) -> None:
        for worker in self.workers.values():
            _close(worker.stdin)  # see `_follow`
        for worker in self.workers.values():
            try:
                worker.wait(_SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is not None:
        pipe.close()


def join(search: Search, address: str) -> None:
    """Work for a chief until its search is over.

    Raises:
        ValueError: if the address is not HOST:PORT, or the chief searches something else.
        ConnectionError: if the chief does not answer for an hour.
        SystemExit: if the chief on this machine wants it to stop; the state is saved.
    """
    host, port = parse_address(address)
    os.environ["KERASTUNER_ORACLE_IP"], os.environ["KERASTUNER_ORACLE_PORT"] = host, port
    os.environ.setdefault("KERASTUNER_TUNER_ID", f"worker-{uuid.uuid4().hex[:8]}")
    follows = os.environ.get(_FOLLOWS)
    if follows:
        threading.Thread(target=_follow, daemon=True).start()
    else:
        print(f"joining the chief at {address}", flush=True)
    tuner = search.make_tuner(search.make_oracle())
    try:
        search.check_identity(tuner.oracle.get_space())
        tuner.search()
    except grpc.RpcError as error:
        raise ConnectionError(f"The chief at {address} does not answer: {error.code()}") from error
    except KeyboardInterrupt:
        if not follows:
            raise
        sys.exit(130)


def _follow() -> None:
    """Stop, as by SIGTERM, when the process that started this one ends: then the input does."""
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
