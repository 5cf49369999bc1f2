"""Optimizers and schedules of the learning rate, as recipes name them."""

from typing import Any

import keras
from keras import ops

from ae_keras.recipe import Recipe
from ae_keras.training.muon import Muon


@keras.saving.register_keras_serializable(package="ae_keras")
class Trapezoid(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that rises, stays, and falls to zero, each linearly.

    The constant part may go on for as long as there is time: the fall can begin from any step of
    it, in a run of its own.

    Args:
        rate: float. Of the constant part.
        warmup_steps: int. Steps of the rise.
        decay_start: int. The step at which the fall begins.
        decay_steps: int. Steps of the fall; 0: there is none.

    Reference:
        - [Haegele et al., 2024](https://arxiv.org/abs/2405.18392)
    """

    def __init__(self, rate: float, warmup_steps: int, decay_start: int, decay_steps: int):
        self.rate, self.warmup_steps = rate, warmup_steps
        self.decay_start, self.decay_steps = decay_start, decay_steps

    def __call__(self, step: Any) -> Any:
        """Return the learning rate of a step, counted from 0."""
        step = ops.cast(step, "float32")
        rise = ops.minimum((step + 1) / max(self.warmup_steps, 1), 1.0)
        if not self.decay_steps:
            return self.rate * rise
        fall = ops.clip(1 - (step - self.decay_start) / self.decay_steps, 0.0, 1.0)
        return self.rate * rise * fall

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""
        return dict(vars(self))


def make_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    """Return a recipe's optimizer, with its schedule.

    Raises:
        ValueError: if an argument of one of them is not acceptable.
    """
    arguments = recipe.optimizer_arguments
    try:
        if "learning_rate" in arguments:
            raise ValueError("the learning rate is a setting of its own")
        for name, value in arguments.items():
            if not isinstance(value, bool | int | float | None):
                raise ValueError(f"{name} must be a number, not {value!r}")
        schedule = make_schedule(recipe, steps_per_epoch)
        options = {**arguments, **_averaging(recipe), "learning_rate": schedule}
        if recipe.optimizer == "muon":
            return Muon(**options)
        return keras.optimizers.get({"class_name": recipe.optimizer, "config": options})
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`optimizer_arguments` {arguments} and `schedule_arguments` "
            f"{recipe.schedule_arguments} do not fit {recipe.optimizer!r} and "
            f"{recipe.schedule!r}: {error}"
        ) from error


def _averaging(recipe: Recipe) -> dict[str, Any]:
    return {"use_ema": True, "ema_momentum": recipe.average} if recipe.average else {}


def make_schedule(recipe: Recipe, steps_per_epoch: int) -> Any:
    """Return the learning rate of a recipe: a number, or a schedule of steps.

    Raises:
        ValueError: if an argument of the schedule is unknown or out of range.
    """
    rate, arguments = recipe.learning_rate, dict(recipe.schedule_arguments)

    def take(name: str, default: float, most: float) -> float:
        value = arguments.pop(name, default)
        if not isinstance(value, int | float) or not 0 <= value <= most:
            raise ValueError(f"{name} must be a number from 0 to {most}, not {value!r}")
        return value

    schedule: Any = rate
    steps = recipe.epochs * steps_per_epoch
    if recipe.schedule == "exponential":
        decay_rate = take("decay_rate", 0.98, most=1)
        schedule = keras.optimizers.schedules.ExponentialDecay(
            rate, steps_per_epoch, decay_rate, staircase=True
        )
    elif recipe.schedule == "cosine":
        warmup = round(take("warmup_epochs", 0, most=recipe.epochs) * steps_per_epoch)
        schedule = keras.optimizers.schedules.CosineDecay(
            rate if warmup == 0 else 0.0,
            max(steps - warmup, 1),  # Keras wants one, even where no step is left for it
            alpha=take("alpha", 0.0, most=1),
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    elif recipe.schedule == "trapezoid":
        first = recipe.start_from.get("step", 0)
        warmup = round(take("warmup_epochs", 0, most=recipe.epochs) * steps_per_epoch)
        decay = round(take("decay_epochs", 0, most=recipe.epochs) * steps_per_epoch)
        schedule = Trapezoid(rate, warmup, first + steps - decay, decay)
    if arguments:
        raise ValueError(f"unknown schedule arguments {', '.join(arguments)}")
    return schedule
