"""The connection to Ray: to a cluster that is there, or to one that starts on this machine."""

import contextlib
import importlib.util
import logging
import os
import socket
from collections.abc import Iterator
from typing import Any

from ae_keras.system.invocation import install

# In place of an address.
AUTO = "auto"
_CLIENT = "ray://"
# That an address has to answer in.
_SECONDS = 5


def check_ray(address: str) -> None:
    """Find out quickly whether Ray is installed, and anybody at an address.

    Raises:
        ModuleNotFoundError: if it is not installed.
        ValueError: if that is no address.
        OSError: if nothing answers at it.
    """
    for name in ("fsspec", "pyarrow", "ray"):
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(
                f"--ray needs Ray, with fsspec and pyarrow. Install them with: {install('ray')}",
                name=name,
            )
    if address != AUTO:
        check_address(address)


@contextlib.contextmanager
def connected(address: str, processors: int | None = None) -> Iterator[Any]:
    """Give the module of Ray, connected.

    Args:
        address: str. `HOST:PORT` of a cluster this machine is part of, `ray://HOST:PORT` of
            another, or `"auto"`: a cluster that is known here (`ray start`, or the environment
            variable RAY_ADDRESS); without one, Ray starts on this machine, and ends with the job.
        processors: int. That Ray is told of where it starts here. Default: those there are.

    Raises:
        OSError: if the cluster cannot be used.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Else Ray warns that later versions will behave so.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    ray = importlib.import_module("ray")
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    # It prints a paragraph for each worker that dies, which others make good.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            _start(ray, address, processors, options)
        except (OSError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise OSError(f"Ray at {address!r} cannot be used: {reason}") from error
        try:
            yield ray
        finally:
            ray.shutdown()


def _start(ray: Any, address: str, processors: int | None, options: dict[str, Any]) -> None:
    if address != AUTO:
        ray.init(address=address, **options)
        return
    if "RAY_ADDRESS" not in os.environ:
        with contextlib.suppress(ConnectionError):  # no cluster is known here
            ray.init(address=AUTO, **options)
            return
        ray.init(address="local", num_cpus=processors, include_dashboard=False, **options)
        return
    ray.init(**options)


def check_address(address: str) -> None:
    """Find out quickly whether anybody is at an address: Ray itself would try for minutes.

    Raises:
        ValueError: if that is no address.
        OSError: if nothing answers at it.
    """
    host, _, port = address.removeprefix(_CLIENT).rpartition(":")
    if not host or not port.isdecimal():
        raise ValueError(f"--ray takes 'auto', HOST:PORT or ray://HOST:PORT. Received: {address!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _SECONDS).close()
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OSError(
            f"Nothing answers at {address!r} ({reason}). Start a cluster there with: ray start "
            "--head, or leave it to this machine with: --ray auto"
        ) from error
