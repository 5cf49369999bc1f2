"""Values in the options of commands."""

import contextlib
import json
from argparse import Namespace
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
