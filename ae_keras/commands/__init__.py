"""The commands: one a file, with its options and a call into a room below.

`ae-keras NAME` starts them, see `start`, and so does `python scripts/NAME.py` in a clone.
"""

import importlib

from ae_keras.command_line import run


def run_command(name: str) -> None:
    """Run a command with the arguments of this process."""
    module = importlib.import_module(f"{__name__}.{name}")
    run(module.make_parser(), module.main)
