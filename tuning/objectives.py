"""What a search looks for, measured on validation images, and the budget of a trial."""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from ae_keras.codec.loading import load_codec
from ae_keras.data.images import load_images
from ae_keras.evaluation.rate_distortion import PERFECT_PSNR, measure_codec
from ae_keras.evaluation.reconstruction import measure
from ae_keras.recipe import Recipe, closest
from ae_keras.registry import build_from_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import load_model

# Which way each goes.
OBJECTIVES = {"val_loss": "min", "psnr": "max", "rate_distortion": "min"}
# Validation images, taken evenly from all, on which PSNR and rate are measured.
_MEASURED_IMAGES = 1000
_TIMED_CALLS = 20


class InfeasibleError(Exception):
    """A trial is over the budget."""


@dataclass(frozen=True)
class Goal:
    """What a search looks for.

    Args:
        objective: `"val_loss"`; `"psnr"`: mean over validation images; or `"rate_distortion"`:
            `bpp + weight * 255**2 * MSE` of their files, one file an image, at the model's default
            step.
        weight: float. Of the distortion (`lambda`).
        budget: The most that a trial may need, of some of `parameters`, `latent_values` (numbers
            in the latent of an image) and `latency_ms` (of one image, through the whole model).

    Raises:
        ValueError: if the objective or a name in the budget is unknown, or a number not positive.
    """

    objective: str = "val_loss"
    weight: float = 0.01
    budget: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.objective not in OBJECTIVES:
            known = closest(self.objective, OBJECTIVES)
            raise ValueError(f"Unknown objective {self.objective!r}. {known}")
        for name, most in self.budget.items():
            if name not in _NEEDS:
                raise ValueError(f"Unknown budget {name!r}. {closest(name, _NEEDS)}")
            if not isinstance(most, int | float) or not most > 0:
                raise ValueError(f"The budget of {name} must be above 0. Received: {most!r}")
        if not self.weight > 0:
            raise ValueError(f"`lambda` must be above 0. Received: {self.weight}")

    def check_budget(self, recipe: Recipe) -> None:
        """Find out, before training, whether a recipe's model is within the budget.

        Raises:
            InfeasibleError: if it is not.
        """
        if not self.budget:
            return
        model = build_from_recipe(recipe)
        for name, most in self.budget.items():
            needed = _NEEDS[name](model)
            if needed > most:
                raise InfeasibleError(f"{name} {needed:,.6g}, above the budget of {most:,.6g}")

    def measure(self, run: RunFolder) -> dict[str, float]:
        """Return the figures of a trained run: the objective, and what is shown beside it."""
        model, recipe = load_model(run.model), run.recipe
        validation = load_images(recipe.data_spec, ["validation"])["validation"]
        examples = validation.pick(_MEASURED_IMAGES)
        quality = measure(model, examples, recipe)
        figures = {
            "val_loss": min(row["val_loss"] for row in run.history),
            "psnr": PERFECT_PSNR if quality["psnr"] is None else quality["psnr"],
            "mse": quality["mse"],
            "parameters": model.parameter_count,
            "seconds": run.metrics["training"]["seconds_per_epoch"] * len(run.history),
        }
        if model.has_latent:
            figures["latent_values"] = _count_latent_values(model)
        if self.objective == "rate_distortion":
            codec, images = load_codec(run.path), examples.images
            point: dict[str, Any] = measure_codec(codec, list(images), images)
            figures["bpp"], figures["coded_mse"] = point["bpp"], point["mse"]
            figures["rate_distortion"] = point["bpp"] + self.weight * 255**2 * point["mse"]
        return {name: float(value) for name, value in figures.items()}


def _count_latent_values(model: keras.Model) -> int:
    return int(np.prod(model.latent_shape)) if model.has_latent else 0


def _time_image(model: keras.Model) -> float:
    """Return the milliseconds of one image: the median of some calls."""
    zeros = [np.zeros((1, *tensor.shape[1:]), np.float32) for tensor in model.inputs]
    inputs = zeros if len(zeros) > 1 else zeros[0]
    model.predict_on_batch(inputs)
    seconds = []
    for _ in range(_TIMED_CALLS):
        start = time.perf_counter()
        model.predict_on_batch(inputs)
        seconds.append(time.perf_counter() - start)
    return 1000 * statistics.median(seconds)


_NEEDS: dict[str, Callable[[keras.Model], float]] = {
    "parameters": lambda model: model.parameter_count,
    "latent_values": _count_latent_values,
    "latency_ms": _time_image,
}
