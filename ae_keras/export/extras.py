"""Libraries that only ONNX needs."""

import importlib
from typing import Any

from ae_keras.system.invocation import install


def import_extra(name: str) -> Any:
    """Import a library of the extra `onnx`.

    Raises:
        ModuleNotFoundError: if it is not installed; the message says how to.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"ONNX needs {error.name!r}. Install it with: {install('onnx')}"
        ) from error
