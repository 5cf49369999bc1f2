"""How the program was started, so that messages name commands that the user can type."""

import os
import re
import sys
from pathlib import Path

COMMANDS = {
    "train": "train an autoencoder, or go on with a run",
    "evaluate": "measure a trained model: quality, or real files",
    "compress": "images to .aek files",
    "decompress": ".aek files to images",
    "denoise": "take noise out of images",
    "colourize": "give grey photographs colours",
    "app": "a page in the browser that does all that",
    "export": "a trained model for other runtimes",
    "tune": "search for better recipes",
    "study": "run an experiment of the literature",
    "benchmark": "measure speed beside that of others",
    "models": "list the models",
}
_TYPED = re.compile(rf"ae-keras ({'|'.join(COMMANDS)})\b")


def program() -> str:
    """Return the name that errors begin with."""
    return os.path.basename(sys.argv[0])


def command(name: str) -> str:
    """Return what to type for a command: its script in a clone, if one of these was started."""
    return f"python scripts/{name}.py" if _is_clone() else f"ae-keras {name}"


def _is_clone() -> bool:
    """Whether a script was started, which only a clone has."""
    started = Path(sys.argv[0])
    return started.suffix == ".py" and started.stem in COMMANDS


def install(extra: str) -> str:
    """Return what to type to install an optional part of this library."""
    place = '-e ".' if _is_clone() else '"ae-keras'
    return f'pip install {place}[{extra}]"'


def as_typed(text: str) -> str:
    """Return a text in which commands are what the user can type."""
    return _TYPED.sub(lambda match: command(match[1]), text)
