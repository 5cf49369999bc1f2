"""The tab in which photographs are given colours."""

from typing import Any

import gradio as gr
import numpy as np

from ae_keras.app.colourizing import GREY, Colourized, colourize_upload
from ae_keras.app.components import (
    AT_ONCE,
    WORK,
    errors_in_page,
    forget,
    make_choice,
    make_folder_state,
    make_state,
    make_upload,
    make_wipe,
    offer,
)
from ae_keras.app.files import new_folder, read_upload, remove_folder, write_picture
from ae_keras.app.model_lists import colourizers
from ae_keras.photographs.hints import Hint

_TEXT = (
    "Give a photograph colours. Of one that has colours only the lightness is used, and the result "
    "is measured against them."
)
_HINTS = (
    "Choose a colour, then click where it belongs; or write places and colours, one in a line, "
    "such as `120,80=#a03020` (pixels from the left and from the top)."
)


class ColourizeTab:
    """The tab's parts and what they do.

    Args:
        page: The page that it is in.
        max_megapixels: float. Larger photographs are refused.
    """

    def __init__(self, page: gr.Blocks, max_megapixels: float):
        self._limit = max_megapixels
        self._result, self._shown = make_state(), make_folder_state()
        gr.Markdown(_TEXT)
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                self._file = make_upload("Photograph")
                self._model = make_choice(page, "Model", colourizers)
                with gr.Accordion("Colours that you know", open=False):
                    gr.Markdown(_HINTS)
                    self._colour = gr.ColorPicker("#a03020", label="Colour")
                    self._places = gr.Image(
                        type="filepath",
                        interactive=False,
                        label="Click where the colour belongs",
                        buttons=[],
                        elem_id="places",
                    )
                    self._hints = gr.Textbox(lines=3, label="Hints", elem_id="hints")
                self._button = gr.Button("Colourize", variant="primary", elem_id="colourize")
                self._download = gr.DownloadButton("Download the result", interactive=False)
            with gr.Column(scale=2, min_width=320):
                self._left = gr.Radio(
                    [GREY], value=GREY, label="Left of the line (right: the result)"
                )
                self._wipe = make_wipe()
                self._table = gr.Markdown(elem_id="colourized")
        self._connect()

    def _connect(self) -> None:
        self._button.click(
            self._colourize,
            [self._file, self._model, self._hints, self._result],
            [self._wipe, self._left, self._table, self._download, self._result],
            **WORK,
        )
        self._file.upload(
            self._show,
            [self._file, self._shown],
            [self._places, self._hints, self._shown],
            **WORK,
        )
        self._places.select(self._add_hint, [self._hints, self._colour], self._hints, **AT_ONCE)
        self._left.input(self._choose, [self._result, self._left], self._wipe, **AT_ONCE)

    def _show(self, path: str, folder: Any) -> tuple[Any, ...]:
        """Show a photograph to click into; hints belong to the one that they were made for."""
        with errors_in_page():
            photograph, _ = read_upload(path, self._limit, in_srgb=True)
        remove_folder(folder)
        folder = new_folder()
        return write_picture(folder, "grey", np.asarray(photograph.pixels.convert("L"))), "", folder

    def _add_hint(self, hints: str, colour: str, place: gr.SelectData) -> str:
        x, y = map(int, place.index)
        return f"{hints}\n{x},{y}={colour}".strip()

    def _colourize(
        self, path: str | None, model: str, hints: str, last: Colourized | None
    ) -> tuple[Any, ...]:
        with errors_in_page():
            parsed = [Hint.parse(line) for line in hints.splitlines() if line.strip()]
            done = colourize_upload(path, model, parsed, self._limit)
        forget(last)
        left = gr.Radio(list(done.beside), value=GREY)
        return (done.beside[GREY], done.result), left, done.text, offer(done.result), done

    def _choose(self, done: Colourized | None, left: str) -> Any:
        return gr.skip() if done is None else (done.beside[left], done.result)
