"""Python files of the user's own, which register models: `--import FILE.py`."""

import hashlib
import importlib.util
import sys
from pathlib import Path


def import_file(path: str | Path) -> None:
    """Run a Python file as a module, once.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no Python file, or fails.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise FileNotFoundError(f"--import: there is no file {str(path)!r}.")
    # The same in all processes, for pickles, and unlike any module's own.
    name = f"{file.stem}_{hashlib.sha256(bytes(file)).hexdigest()[:12]}"
    if name in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise ValueError(f"--import takes a Python file, FILE.py. Received: {str(path)!r}")
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if not isinstance(error, Exception):  # Ctrl-C
            raise
        kind = type(error).__name__
        raise ValueError(f"--import: {str(path)!r} fails with {kind}: {error}") from error
