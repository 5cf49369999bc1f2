"""The tab in which one looks into latents."""

from typing import Any

import gradio as gr
import numpy as np

from ae_keras.app import looking
from ae_keras.app.components import (
    WORK,
    errors_in_page,
    make_choice,
    make_upload,
)
from ae_keras.app.model_lists import autoencoders, is_variational

_TEXT = (
    "What lies between and beyond images: the latents of models of small images. Photographs are "
    "cut to their middle and made as small as the model's images."
)
_NO_PRIOR = (
    "Note: this model was not trained with a prior, and what is decoded from random latents is "
    "no image."
)
# Finds the point that is nearest to the pointer, or goes on to the next with the arrow keys.
_POINT_AT = """
let chosen = 0;
const show = (number) => {
  const dots = element.querySelectorAll('circle'), sheet = element.querySelector('.sheet');
  if (!dots.length) return;
  chosen = (number + dots.length) % dots.length;
  dots.forEach((dot) => dot.setAttribute('r', 3));
  dots[chosen].setAttribute('r', 7);
  const canvas = element.querySelector('canvas'), side = canvas.height;
  canvas.getContext('2d').drawImage(
    sheet, 0, chosen * side, canvas.width, side, 0, 0, canvas.width, side);
  element.querySelector('.name').textContent = dots[chosen].dataset.name;
};
const nearest = (event) => {
  const svg = element.querySelector('svg');
  if (!svg || !svg.contains(event.target)) return;
  const box = svg.getBoundingClientRect(), scale = svg.viewBox.baseVal.width / box.width;
  const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
  let best = 0, least = Infinity;
  svg.querySelectorAll('circle').forEach((dot, number) => {
    const far = Math.hypot(dot.cx.baseVal.value - x, dot.cy.baseVal.value - y);
    if (far < least) { least = far; best = number; }
  });
  show(best);
};
element.addEventListener('pointermove', nearest);
element.addEventListener('pointerdown', nearest);
element.addEventListener('keydown', (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step && event.target.closest('svg')) { event.preventDefault(); show(chosen + step); }
});
"""


class LatentTab:
    """The tab's parts and what they do.

    Args:
        page: The page that it is in.
        max_megapixels: float. Larger photographs are refused.
    """

    def __init__(self, page: gr.Blocks, max_megapixels: float):
        self._limit = max_megapixels
        gr.Markdown(_TEXT)
        self._model = make_choice(page, "Model", autoencoders)
        with gr.Tab("Samples"):
            self._add_samples()
        with gr.Tab("Walk"):
            self._add_walk()
        with gr.Tab("Channel"):
            self._add_channel(page)
        with gr.Tab("Map"):
            self._add_map()

    def _add_samples(self) -> None:
        gr.Markdown("Images decoded from random latents, drawn from the prior.")
        with gr.Row():
            seed = gr.Number(0, precision=0, label="Seed", minimum=0)
            button = gr.Button("Draw samples", variant="primary", elem_id="sample")
        picture, note = _make_picture("Samples"), gr.Markdown()

        def sample(name: str, number: float) -> tuple[Any, str]:
            with errors_in_page():
                transform = looking.load_autoencoder(name)
                images = looking.sample_prior(transform, int(number))
                grid = looking.make_grid(images, looking.STEPS, 3)
            return grid, "" if is_variational(name) else _NO_PRIOR

        button.click(sample, [self._model, seed], [picture, note], **WORK)

    def _add_walk(self) -> None:
        gr.Markdown(
            "A straight walk between the latents of two images; below it the cross-fade of their "
            "pixels, which needs no model."
        )
        with gr.Row():
            files = [make_upload("From"), make_upload("To")]
        button = gr.Button("Walk", variant="primary", elem_id="walk")
        picture = _make_picture("Above: through the latent; below: pixels")

        def walk(name: str, first: str | None, last: str | None) -> np.ndarray:
            with errors_in_page():
                transform = looking.load_autoencoder(name)
                ends = [looking.read_for(transform, path, self._limit) for path in (first, last)]
                return looking.make_grid(looking.walk(transform, *ends), looking.STEPS, 4)

        button.click(walk, [self._model, *files], picture, **WORK)

    def _add_channel(self, page: gr.Blocks) -> None:
        gr.Markdown("An image, its reconstruction, and that with one channel of the latent turned.")
        with gr.Row():
            with gr.Column(scale=1, min_width=280):
                file = make_upload("Image")
                channel = gr.Slider(0, 15, 0, step=1, label="Channel")
                amount = gr.Slider(
                    -5, 5, 0, step=0.25, label="Turned by (standard deviations of the latent)"
                )
            with gr.Column(scale=2, min_width=320):
                picture = _make_picture("Image, reconstruction, turned")

        def turn(name: str, path: str | None, number: float, by: float) -> Any:
            if path is None:
                return gr.skip()
            with errors_in_page():
                transform = looking.load_autoencoder(name)
                image = looking.read_for(transform, path, self._limit)
                images = looking.turn_channel(transform, image, int(number), by)
                return looking.make_grid(images, len(images), 6)

        def fit(name: str) -> gr.Slider:
            with errors_in_page():
                count = looking.load_autoencoder(name).latent_shape[-1]
            return gr.Slider(maximum=count - 1, value=0)

        for start in (page.load, self._model.change):
            start(fit, self._model, channel, show_progress="hidden", **WORK)
        for start in (file.upload, channel.change, amount.change):
            start(
                turn,
                [self._model, file, channel, amount],
                picture,
                trigger_mode="always_last",
                show_progress="hidden",
                **WORK,
            )

    def _add_map(self) -> None:
        gr.Markdown(
            "The latents of 1,000 test images in their two principal components, coloured by "
            "label. Point at one, or use the arrow keys, to see its image. The run's data set must "
            "be there: for `lossy_cae` and `mlp` it is MNIST."
        )
        button = gr.Button("Draw the map", variant="primary", elem_id="draw-map")
        drawn = gr.HTML(elem_id="map", js_on_load=_POINT_AT)

        def draw(name: str) -> str:
            with errors_in_page():
                return looking.draw_map(name)

        button.click(draw, self._model, drawn, **WORK)


def _make_picture(label: str) -> gr.Image:
    return gr.Image(
        label=label,
        show_label=False,
        alt_text=label,
        format="png",
        interactive=False,
        buttons=["fullscreen"],
        elem_classes="pixels",
    )
