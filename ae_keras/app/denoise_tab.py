"""The tab in which noise is taken out of photographs."""

from pathlib import Path
from typing import Any

import gradio as gr

from ae_keras.app.components import (
    WORK,
    errors_in_page,
    make_choice,
    make_folder_state,
    make_upload,
    make_wipe,
    offer,
)
from ae_keras.app.denoising import denoise_upload
from ae_keras.app.files import remove_folder
from ae_keras.app.model_lists import denoisers

_TEXT = (
    "Take noise out of a photograph. For a test, noise is added first: then the truth is known, "
    "and what comes back is measured. Left of the line: before; right: after."
)
# In grey levels of 255; an exposure in a dark room has about 25.
_MOST_NOISE, _NOISE = 75, 25


def add_denoise_tab(page: gr.Blocks, max_megapixels: float) -> None:
    """Add the tab's parts to the page.

    Args:
        page: The page that it is in.
        max_megapixels: float. Larger photographs are refused.
    """
    folder = make_folder_state()
    gr.Markdown(_TEXT)
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            file = make_upload("Photograph")
            model = make_choice(page, "Model", denoisers)
            noise = gr.Slider(
                0,
                _MOST_NOISE,
                _NOISE,
                step=1,
                label="Noise of the test (standard deviation, of 255 grey levels)",
                info="0: the photograph has noise of its own",
            )
            button = gr.Button("Denoise", variant="primary", elem_id="denoise")
            download = gr.DownloadButton("Download the result", interactive=False)
        with gr.Column(scale=2, min_width=320):
            wipe = make_wipe()
            table = gr.Markdown(elem_id="denoised")

    def denoise(path: str | None, name: str, level: float, last: Path | None) -> tuple[Any, ...]:
        with errors_in_page():
            done = denoise_upload(path, name, level, max_megapixels)
        remove_folder(last)
        return (done.before, done.after), done.text, offer(done.after), done.folder

    inputs, outputs = [file, model, noise, folder], [wipe, table, download, folder]
    button.click(denoise, inputs, outputs, **WORK)
