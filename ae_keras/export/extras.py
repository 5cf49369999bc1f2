"""Libraries that only some exports need."""

import importlib


def import_extra(name: str):
    """Import a library of the extra `export`.

    Raises:
        ModuleNotFoundError: if it is not installed; the message says how to.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'This export needs {error.name!r}. Install it with: pip install -e ".[export]"'
        ) from error
