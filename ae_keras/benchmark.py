"""Speed, measured side by side: alternatives take turns in one process, on the same images."""

import importlib.util
import time
from collections.abc import Callable

import keras
import numpy as np

from ae_keras.compilation import compile_model
from ae_keras.data.loading import Images, load_images
from ae_keras.data.pipeline import Pipeline
from ae_keras.recipe import Recipe
from ae_keras.registry import build_model, recipe_for

_OURS = "ae-keras"


def take_turns(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, np.ndarray]:
    """Time some functions in turn, after one call of each that does not count.

    Returns:
        The seconds of each function in each round.
    """
    seconds = {name: np.empty(rounds) for name in runs}
    for function in runs.values():
        function()
    for number in range(rounds):
        for name, function in runs.items():
            start = time.perf_counter()
            function()
            seconds[name][number] = time.perf_counter() - start
    return seconds


def compare(seconds: dict[str, np.ndarray], images: int) -> list[tuple[str, str, str]]:
    """Return a row for each alternative: its images a second, and how much faster we are.

    Both are medians; the ratio is that of the two times within a round, so that a machine that
    is slower in some rounds does not change it.
    """
    return [
        (
            name,
            f"{np.median(images / times):,.0f}",
            f"{np.median(times / seconds[_OURS]):.2f}",
        )
        for name, times in seconds.items()
    ]


def benchmark_training(
    name: str, batch_size: int = 128, steps: int = 100, rounds: int = 11
) -> list[tuple[str, str, str]]:
    """Compare our training with plain Keras and, where it is installed, with PyTorch.

    Plain Keras is `fit` with its defaults on the same model and the same images as a NumPy array
    of float32. PyTorch trains the same architecture, once in each of two memory formats; where it
    is not installed, or we have no such model for it, its rows are missing.

    Args:
        name: str. A registered model.
        batch_size: int.
        steps: int. Batches in each measurement.
        rounds: int. Measurements of each.

    Returns:
        Rows of the alternative, images a second, and our speed as a multiple of its.

    Raises:
        ValueError: if the model is unknown, or there are no rounds.
    """
    if rounds < 1:
        raise ValueError(f"`rounds` must be at least 1. Received: {rounds}")
    recipe = recipe_for(name, "skimage", batch_size=batch_size)
    images = np.resize(
        load_images(recipe, ["train"])["train"].images, (batch_size * steps, *recipe.image_shape)
    )
    runs = {
        _OURS: _our_training(recipe, images),
        "Keras fit, its defaults": _plain_keras(recipe, images),
    }
    if importlib.util.find_spec("torch") and name in _TORCH_MODELS:
        for memory_format in ("contiguous", "channels last"):
            run = _torch_training(_TORCH_MODELS[name], images, batch_size, memory_format)
            runs[f"PyTorch, {memory_format}"] = run
    return compare(take_turns(runs, rounds), len(images))


def _our_training(recipe: Recipe, images: np.ndarray) -> Callable[[], object]:
    model = compile_model(recipe, Images(images))
    pipeline = Pipeline(Images(images), recipe)
    return lambda: model.fit(pipeline.training(epoch=0), shuffle=False, verbose=0)


def _plain_keras(recipe: Recipe, images: np.ndarray) -> Callable[[], object]:
    model = build_model(recipe.model, image_shape=recipe.image_shape)
    model.compile(keras.optimizers.Adam(recipe.learning_rate), recipe.loss)
    floats = images.astype(np.float32) / 255
    return lambda: model.fit(floats, floats, batch_size=recipe.batch_size, verbose=0)


def _torch_training(
    build: Callable, images: np.ndarray, batch_size: int, memory_format: str
) -> Callable[[], object]:
    import torch

    layout = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
    floats = torch.from_numpy(images.astype(np.float32).transpose(0, 3, 1, 2) / 255)
    floats = floats.contiguous(memory_format=layout[memory_format])
    model = build().to(memory_format=layout[memory_format])
    optimizer = torch.optim.Adam(model.parameters())

    def epoch():
        for batch in torch.split(floats, batch_size):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(batch), batch).backward()
            optimizer.step()

    return epoch


def _torch_cae():
    import torch
    from torch import nn

    class Standardize(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.full((1, 3, 1, 1), 0.5))
            self.register_buffer("deviation", torch.full((1, 3, 1, 1), 0.25))

        def forward(self, images):
            return (images - self.mean) / self.deviation

    return nn.Sequential(
        Standardize(),
        *(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(8, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(12, 16, 3, padding=1), nn.ReLU()),
        *(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(16, 12, 3, padding=1), nn.ReLU()),
        *(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(12, 3, 3, padding=1), nn.Sigmoid()),
    )


_TORCH_MODELS = {"cae": _torch_cae}
