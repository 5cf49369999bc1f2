"""The tab in which photographs are compressed and compared."""

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from ae_keras.app import compressing
from ae_keras.app.charts import draw_chart
from ae_keras.app.components import (
    AT_ONCE,
    BACKGROUND,
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
from ae_keras.app.compressing import ORIGINAL, OURS, Comparison
from ae_keras.app.files import remove_folder
from ae_keras.app.model_lists import codecs

_TEXT = (
    "Drop a photograph, choose a quality, press the button. Drop an `.aek` file to see its picture."
)
_CURVE = (
    "The curve is that of this photograph with this model (of a large one, of its middle 1024x1024 "
    "pixels), measured here at qualities {qualities}; the ring is the file above."
)
_TO_COME = "\n\n*More is being measured: files of other formats, and the curve.*"


class CompressTab:
    """The tab's parts and what they do.

    Args:
        page: The page that it is in.
        max_megapixels: float. Larger photographs are refused.
    """

    def __init__(self, page: gr.Blocks, max_megapixels: float):
        self._limit = max_megapixels
        self._comparison, self._shown = make_state(), make_folder_state()
        gr.Markdown(_TEXT)
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                self._file = make_upload("Photograph, or an .aek file")
                self._model = make_choice(page, "Model", codecs)
                self._quality = gr.Slider(1, 100, 50, step=1, label="Quality")
                self._size = gr.Textbox(
                    label="Size to reach, instead of a quality",
                    placeholder="such as 200KB; 1 KB is 1000 bytes",
                    elem_id="size",
                )
                self._button = gr.Button("Compress", variant="primary", elem_id="compress")
                self._download = gr.DownloadButton(
                    "Download the .aek file", interactive=False, elem_id="download"
                )
            with gr.Column(scale=2, min_width=320):
                self._left = gr.Radio(
                    [ORIGINAL], value=ORIGINAL, label="Left of the line (right: the .aek file)"
                )
                self._wipe = make_wipe()
                self._table = gr.Markdown(elem_id="files")
                self._curve = gr.HTML(elem_id="curve")
        self._connect()

    def _connect(self) -> None:
        picture = [self._wipe, self._left, self._table, self._download]
        inputs = [self._file, self._model, self._quality, self._size, self._comparison]
        outputs = [*picture, self._curve, self._comparison]
        compressed = self._button.click(self._compress, inputs, outputs, **WORK)
        compressed.success(
            self._compare,
            self._comparison,
            [self._left, self._table, self._curve],
            show_progress="hidden",
            trigger_mode="multiple",
            **BACKGROUND,
        )
        self._file.upload(
            self._show,
            [self._file, self._comparison, self._shown],
            [*outputs, self._shown],
            **WORK,
        )
        self._left.input(self._choose, [self._comparison, self._left], self._wipe, **AT_ONCE)

    def _compress(
        self,
        path: str | None,
        model: str,
        quality: float,
        size: str,
        last: Comparison | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 (so Gradio finds it)
    ) -> tuple[Any, ...]:
        with errors_in_page():
            target = compressing.parse_target(size)
            told = functools.partial(progress, desc="compressing")
            comparison = compressing.compress_upload(
                path, model, int(quality), target, self._limit, told
            )
        forget(last)
        return (
            _wipe(comparison, ORIGINAL),
            gr.Radio([ORIGINAL], value=ORIGINAL),
            comparison.table() + _TO_COME,
            offer(comparison.file),
            "",
            comparison,
        )

    def _compare(self, comparison: Comparison) -> Iterator[tuple[Any, ...]]:
        """Add what takes longer, one after the other, until the user wants something else."""
        with errors_in_page():
            steps = compressing.plan_steps(comparison)
            for number, (add, *what) in enumerate(steps):
                try:
                    add(comparison, *what)
                except FileNotFoundError:
                    if comparison.is_wanted:
                        raise
                if not comparison.is_wanted:
                    return
                to_come = _TO_COME if number < len(steps) - 1 else ""
                yield (
                    gr.Radio(_choices(comparison)),
                    comparison.table() + to_come,
                    _draw(comparison),
                )

    def _show(
        self,
        path: str,
        last: Comparison | None,
        folder: Path | None,
        progress: gr.Progress = gr.Progress(),  # noqa: B008
    ) -> tuple[Any, ...]:
        """Show a file as soon as it is there."""
        with errors_in_page():
            if compressing.is_compressed(path):
                told = functools.partial(progress, desc="restoring")
                picture, text = compressing.show_compressed(path, self._limit, told)
            else:
                picture, text = compressing.show_photograph(path, self._limit), ""
        forget(last)
        remove_folder(folder)
        nothing = gr.DownloadButton(value=None, interactive=False)
        left = gr.Radio([ORIGINAL], value=ORIGINAL)
        return (picture, picture), left, text, nothing, "", None, Path(picture).parent

    def _choose(self, comparison: Comparison | None, left: str) -> Any:
        return gr.skip() if comparison is None else _wipe(comparison, left)


def _wipe(comparison: Comparison, left: str) -> tuple[str, str]:
    return comparison.pictures[left], comparison.pictures[OURS]


def _choices(comparison: Comparison) -> list[str]:
    return [name for name in comparison.pictures if name != OURS]


def _draw(comparison: Comparison) -> str:
    if not comparison.points:
        return ""
    points, ring = sorted(comparison.points.values()), comparison.points.get(comparison.quality)
    labels = ("bits per pixel", "PSNR [dB]")
    chart = draw_chart({comparison.model: points}, labels, ring, (True, False))
    qualities = ", ".join(map(str, sorted(comparison.points)))
    return f"{chart}<p>{_CURVE.format(qualities=qualities)}</p>"
