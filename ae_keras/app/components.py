"""What the tabs share."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from ae_keras.app.files import remove_folder
from ae_keras.command_line import describe_error

# Of all users together, so much is computed at a time; what nobody waits for, one by one beside it.
_PRIVATE: dict[str, Any] = {"api_visibility": "private"}
WORK = {"concurrency_id": "work", "concurrency_limit": 2, **_PRIVATE}
BACKGROUND = {"concurrency_id": "background", "concurrency_limit": 1, **_PRIVATE}
_LINE = "The line: drag it in the picture or here; zoom with the wheel or two fingers"
_MOVE_LINE = "(place) => ({ __type__: 'update', slider_position: place })"
# What takes no time waits for nobody.
AT_ONCE = {"queue": False, **_PRIVATE}
# A result that nobody has looked at for so long, in seconds, is forgotten.
_FORGOTTEN = 3600
# A user's mistakes, and what the machine denies; anything else is a bug, and its traceback is shown
# where the page was started.
_EXPECTED = (ValueError, OSError, ArithmeticError, ModuleNotFoundError, MemoryError)


@contextlib.contextmanager
def errors_in_page() -> Iterator[None]:
    """Show what goes wrong as a sentence in the page."""
    try:
        yield
    except Exception as error:
        is_expected = isinstance(error, _EXPECTED)
        text = describe_error(error) or "There is not enough memory for that."
        raise gr.Error(
            text if is_expected else f"{type(error).__name__}: {error}",
            duration=None,
            print_exception=not is_expected,
        ) from error


def make_upload(label: str) -> gr.File:
    """Return where a user drops a file."""
    return gr.File(label=label, height=110)


def make_wipe() -> gr.ImageSlider:
    """Return two pictures under a line that wipes between them, by pointer or by keyboard."""
    wipe = gr.ImageSlider(
        label="Two pictures under a line",
        show_label=False,
        type="filepath",
        format="png",
        interactive=False,
        max_height=640,
        buttons=["fullscreen"],
        elem_classes="wipe",
    )
    line = gr.Slider(0, 100, 50, step=1, label=_LINE, buttons=[])
    line.input(None, line, wipe, js=_MOVE_LINE, **AT_ONCE)
    return wipe


def make_folder_state() -> gr.State:
    """Return what holds the folder of a user's result, which goes when they have left."""
    return gr.State(None, time_to_live=_FORGOTTEN, delete_callback=remove_folder)


def make_state() -> gr.State:
    """Return what holds a user's result that has a `folder`."""
    return gr.State(None, time_to_live=_FORGOTTEN, delete_callback=forget)


def forget(result: Any) -> None:
    """Remove the files of a result, if there is one."""
    remove_folder(None if result is None else result.folder)


def make_choice(page: gr.Blocks, label: str, list_names: Callable[[], list[str]]) -> gr.Dropdown:
    """Return a list of models to choose from, the first of which is chosen.

    Args:
        page: The page, which makes the list anew whenever it is loaded.
        label: str.
        list_names: Returns the names that there are.
    """

    def choose_again(chosen: str | None) -> gr.Dropdown:
        names = list_names()
        return gr.Dropdown(names, value=chosen if chosen in names else next(iter(names), None))

    names = list_names()
    choice = gr.Dropdown(names, value=next(iter(names), None), label=label)
    page.load(choose_again, choice, choice, show_progress="hidden", **AT_ONCE)
    return choice


def offer(path: str | Path) -> gr.DownloadButton:
    """Return a button with a file to download."""
    return gr.DownloadButton(value=str(path), interactive=True)
