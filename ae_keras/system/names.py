"""What a name that nothing has may have been meant to be."""

import difflib
from collections.abc import Iterable


def suggest(name: str, names: Iterable[str]) -> str:
    """Return "Did you mean ...?" for the names nearest to `name`; nothing if none is near."""
    near = difflib.get_close_matches(name, sorted(set(names)), n=3, cutoff=0.5)
    return f"Did you mean {' or '.join(map(repr, near))}?" if near else ""


def closest(name: str, names: Iterable[str]) -> str:
    """Return what `suggest` does, or else the list of all names."""
    names = sorted(names)
    return suggest(name, names) or f"Known: {', '.join(names)}."
