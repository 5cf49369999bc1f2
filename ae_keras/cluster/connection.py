"""The connection to Ray: to a cluster that is there, or to one that starts on this machine."""

import contextlib
import importlib.util
import logging
import os
import socket
import warnings
from collections.abc import Iterator
from typing import Any

from ae_keras.system.invocation import install
from ae_keras.system.quiet import quiet_stderr

# In place of an address.
AUTO = "auto"
_CLIENT = "ray://"
# That an address has to answer in.
_SECONDS = 5


def address_of(ray: str) -> str:
    """Return the address of a cluster, or `"auto"`: Ray is to start on this machine.

    Args:
        ray: str. `HOST:PORT` of a cluster that this machine is part of, `ray://HOST:PORT` of
            another, or `"auto"`, which is the address in the environment variable RAY_ADDRESS,
            if there is one.

    Raises:
        ModuleNotFoundError: if Ray is not installed.
        ValueError: if that is no address.
        OSError: if nothing answers at it.
    """
    for name in ("fsspec", "pyarrow", "ray"):
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(
                f"--ray needs Ray, with fsspec and pyarrow. Install them with: {install('ray')}",
                name=name,
            )
    address = (os.environ.get("RAY_ADDRESS") or AUTO) if ray == AUTO else ray
    if address != AUTO:
        check_address(address)
    return address


@contextlib.contextmanager
def connected(address: str, processors: int | None = None) -> Iterator[Any]:
    """Give the module of Ray, connected.

    Args:
        address: str. See `address_of`. Ray that starts on this machine ends with the job, and is
            no other job's.
        processors: int. That Ray is told of where it starts here. Default: those there are.

    Raises:
        OSError: if the cluster cannot be used.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    ray = importlib.import_module("ray")
    # It prints a paragraph for each worker that dies, which others make good.
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        try:
            _start(ray, address, processors)
        except (OSError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            hint = "" if address == AUTO or "RAY_AUTH_MODE" in os.environ else _TOKENS
            raise OSError(f"Ray at {address!r} cannot be used: {reason}{hint}") from error
        try:
            yield ray
        finally:
            ray.shutdown()


# Of an error whose reason Ray does not tell.
_TOKENS = ". If it asks for a token, as clusters of `ray start` do: set RAY_AUTH_MODE=token."

# Ray looks for these when it is imported.
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else Ray warns that later versions will behave so.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def _start(ray: Any, address: str, processors: int | None) -> None:
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address == AUTO:
        # Ray's own "auto" would join that of another job on this machine, which ends with it.
        options |= {"num_cpus": processors, "include_dashboard": False}
        address = "local"
    with quiet_stderr(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is wrong is an error
        ray.init(address=address, **options)


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
