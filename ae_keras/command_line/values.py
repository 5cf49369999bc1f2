"""Values in the options of commands."""

import contextlib
import json
import math
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from typing import Any

# Of an option that takes a whole number.
NUMBER: dict[str, Any] = {"type": int, "metavar": "N"}


def read_settings(arguments: Namespace, *names: str, **others: Any) -> dict[str, Any]:
    """Return the settings of a command line: what it gives of options, and what `--set` says.

    Args:
        arguments: Namespace. With `set`.
        *names: Of options that are settings.
        **others: Settings by other options; None where they are not given.

    Raises:
        ValueError: if a text of `--set` has no `=`.
    """
    options = {name: getattr(arguments, name) for name in names} | others
    given = {name: value for name, value in options.items() if value is not None}
    return given | parse_changes(arguments.set)


# Bytes in the units of sizes, which are those of disks and networks.
_UNITS = {"": 1, "B": 1, "KB": 1000, "MB": 1000**2}


def parse_size(text: str) -> int:
    """Return the bytes of a size in bytes, KB (1000 bytes) or MB (1,000,000), rounded down.

    Raises:
        ArgumentTypeError: if it is no such size.

    Example:
        >>> parse_size("1.5KB")
        1500
    """
    number = text.upper().rstrip("KMB")
    unit = text.upper()[len(number) :]
    with contextlib.suppress(ValueError):
        if unit in _UNITS and math.isfinite(size := float(number)):
            return math.floor(round(size * _UNITS[unit], 3))
    raise ArgumentTypeError(f"expected a size such as 200000, 200KB or 1.5MB, received {text!r}")


def parse_changes(settings: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """Read the `key=value` texts of an option: values are JSON, lists with commas, or plain text.

    Raises:
        ValueError: if a text has no `=`.

    Example:
        >>> parse_changes(["epochs=3", "filters=8,16,32", "optimizer=sgd"])
        {'epochs': 3, 'filters': [8, 16, 32], 'optimizer': 'sgd'}
    """
    changes = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise ValueError(f"{option} takes KEY=VALUE. Received: {setting!r}")
        changes[key] = _parse_value(value)
    return changes


def _parse_value(text: str) -> Any:
    for candidate in (text, f"[{text}]" if "," in text else text):
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(candidate)
    return None if text.lower() == "none" else text
