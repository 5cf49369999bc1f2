"""How a model is validated after each epoch."""

from dataclasses import dataclass, field
from typing import Any

import keras

from ae_keras.data.batches import Batches
from ae_keras.evaluation import estimated_rate
from ae_keras.training.devices import Devices
from ae_keras.training.material import Material


@dataclass(frozen=True)
class Validation:
    """Validates a model on the validation images of its recipe.

    Most models are validated within `fit`. A model whose weights are averaged is validated after
    it, with the average. One that takes a quality is then measured on whole photographs, at several
    qualities, beside JPEG.

    Args:
        batches: Batches. Of validation.
        devices: Devices. That validate.
        is_averaged: bool. Whether the average of the weights is validated.
        photographs: Whole photographs by kind, of a model that takes a quality.
        jpeg: Points of JPEG on these.
    """

    batches: Batches
    devices: Devices
    is_averaged: bool = False
    photographs: dict[str, list] = field(default_factory=dict)
    jpeg: estimated_rate.Points = field(default_factory=dict)

    @classmethod
    def of(cls, material: Material, model: keras.Model, devices: Devices) -> "Validation":
        """Return the validation of a model on some material."""
        batches = material.batches("validation", model.weigh, devices.placement)
        is_averaged = material.recipe.average > 0
        photographs = material.photographs("validation")
        if not model.takes_quality or photographs is None:
            return cls(batches, devices, is_averaged)
        kinds = photographs.by_kind()
        return cls(batches, devices, is_averaged, kinds, estimated_rate.jpeg_points(kinds))

    @property
    def within_fit(self) -> dict[str, Any]:
        """The arguments of `fit` that have it validate."""
        if self.is_averaged or self.photographs:
            return {}
        data, steps = self._spread()
        return {"validation_data": data, "validation_steps": steps}

    def _spread(self) -> tuple[Any, int | None]:
        """Return what the devices validate on, and in how many steps."""
        batches = self.batches.evaluation()
        return self.devices.spread(batches), self.devices.steps(batches)

    def after_fit(self, model: keras.Model, verbose: int) -> dict[str, float]:
        """Return what is validated after `fit`, by names of the history."""
        if self.photographs:
            points = estimated_rate.estimate_points(model.in_float32(), self.photographs)
            figures = estimated_rate.summarize(points, self.jpeg)
            if verbose:
                print(_describe(figures))
            return figures
        if not self.is_averaged:
            return {}
        data, steps = self._spread()
        logs = model.evaluate(data, steps=steps, verbose=0, return_dict=True)
        figures = {f"val_{name}": float(value) for name, value in logs.items()}
        if verbose:
            print(" - ".join(f"{name}: {value:.4g}" for name, value in figures.items()))
        return figures


def _describe(figures: dict[str, float]) -> str:
    points = ", ".join(
        f"{figures[f'val_bpp_{quality}']:.3f} bpp {figures[f'val_psnr_{quality}']:.2f} dB"
        for quality in estimated_rate.QUALITIES
    )
    rates = ", ".join(
        f"{name.removeprefix('bd_rate_').replace('bd_rate', 'all')} {value:.2f} %"
        for name, value in figures.items()
        if name.startswith("bd_rate")
    )
    return f"validation photographs: BD-rate to JPEG {rates}; {points}"
