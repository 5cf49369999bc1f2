"""The tab in which one or two runs are shown."""

from pathlib import Path
from typing import Any

import gradio as gr

from ae_keras.app.components import (
    WORK,
    errors_in_page,
    make_choice,
    make_folder_state,
)
from ae_keras.app.files import new_folder, remove_folder
from ae_keras.app.model_lists import all_runs
from ae_keras.app.runs import compare_recipes, copy_reconstructions, draw_histories
from ae_keras.runs.loading import find_run

_TEXT = (
    "The runs in `saved_models`, and the models that ship: recipe, curves and reconstructions; two "
    "of them side by side."
)
_ALONE = "(none)"


def add_runs_tab(page: gr.Blocks) -> None:
    """Add the tab's parts to the page."""
    folder = make_folder_state()
    gr.Markdown(_TEXT)
    with gr.Row():
        first = make_choice(page, "Run", all_runs)
        second = make_choice(page, "Beside it", lambda: [_ALONE, *all_runs()])
    button = gr.Button("Show", variant="primary", elem_id="show-runs")
    chart = gr.HTML()
    with gr.Row():
        pictures = [
            gr.Image(
                label="Reconstructions",
                type="filepath",
                interactive=False,
                visible=False,
                buttons=["fullscreen"],
            )
            for _ in range(2)
        ]
    table = gr.Markdown(elem_id="recipes")

    def show(name: str, other: str, last: Path | None) -> tuple[Any, ...]:
        with errors_in_page():
            runs = [find_run(each) for each in (name, other) if each != _ALONE]
            remove_folder(last)
            place = new_folder()
            copies = [copy_reconstructions(run, place) for run in runs]
            copies += [None] * (len(pictures) - len(runs))
            images = [gr.Image(value=copy, visible=copy is not None) for copy in copies]
            return draw_histories(runs), *images, compare_recipes(runs), place

    button.click(show, [first, second, folder], [chart, *pictures, table, folder], **WORK)
