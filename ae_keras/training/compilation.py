"""A recipe's model, ready for `fit`: built, with its optimizer, schedule and loss."""

import math
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ae_keras.data.images import Images
from ae_keras.recipe import Recipe
from ae_keras.registry import build_from_recipe

# Batches between two returns to Python. On a CPU 8 to 16 are 5 to 10 % faster than 1.
_STEPS_PER_EXECUTION = 16


def initialize_model(recipe: Recipe, data: Images) -> keras.Model:
    """Build a recipe's model.

    Args:
        recipe: Recipe.
        data: Images. Those of training.

    Returns:
        An `ImageModel`. Its initial weights depend on the recipe's seed, which becomes that of
        Python, NumPy and the backend too; what it standardizes with, on the images.

    Raises:
        ValueError: if an argument of the model is not acceptable, it is not for the recipe's task,
            or the recipe is conditional and the images have no labels.
    """
    classes = _count_classes(recipe, data) if recipe.conditional else None
    keras.utils.set_random_seed(recipe.seed)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(recipe.precision)
    try:
        model = build_from_recipe(recipe, classes)
    finally:
        keras.config.set_dtype_policy(before)
    if recipe.task not in model.tasks:
        raise ValueError(
            f"{recipe.model!r} is for {' or '.join(model.tasks)}. Received: task={recipe.task!r}"
        )
    model.adapt(data.images)
    return model


def compile_model(recipe: Recipe, data: Images) -> keras.Model:
    """Build and compile a recipe's model, ready for `fit`.

    Args:
        recipe: Recipe.
        data: Images. Those of training.

    Returns:
        What `initialize_model` returns, compiled.

    Raises:
        ValueError: if an argument of model, optimizer or schedule is not acceptable, or the recipe
            is conditional and the images have no labels.
    """
    model = initialize_model(recipe, data)
    if recipe.kl_warmup and not model.is_variational:
        raise ValueError(f"`kl_warmup` is for variational models, and {recipe.model!r} is none.")
    steps_per_epoch = math.ceil(len(data.images) * recipe.batch_spec.copies / recipe.batch_size)
    model.compile(
        optimizer=_make_optimizer(recipe, steps_per_epoch),
        loss=recipe.loss,
        metrics=[_distortion(recipe)] if model.is_variational else None,
        jit_compile=_use_xla(recipe),
        steps_per_execution=_STEPS_PER_EXECUTION,
    )
    model.optimizer.build(model.trainable_variables)
    # So that a checkpoint finds the variables of the metrics, which Keras makes with a first batch.
    image = np.zeros((1, *recipe.image_shape), np.float32)
    model.compute_metrics(None, image, image)
    model.reset_metrics()
    return model


def _count_classes(recipe: Recipe, data: Images) -> int:
    if data.labels is None:
        raise ValueError(
            f"A conditional model needs labels, and the data set {recipe.dataset!r} has none."
        )
    return len(data.class_names)


def _distortion(recipe: Recipe) -> keras.metrics.Metric:
    """Return the metric that tells the distortion apart from what layers add to the loss."""
    return keras.metrics.MeanMetricWrapper(keras.losses.get(recipe.loss), name="distortion")


def _use_xla(recipe: Recipe) -> bool:
    if recipe.xla == "auto":
        return bool(tf.config.list_physical_devices("GPU"))
    return recipe.xla == "on"


def _make_optimizer(recipe: Recipe, steps_per_epoch: int) -> keras.optimizers.Optimizer:
    arguments = recipe.optimizer_arguments
    try:
        if "learning_rate" in arguments:
            raise ValueError("the learning rate is a setting of its own")
        for name, value in arguments.items():
            if not isinstance(value, bool | int | float | None):
                raise ValueError(f"{name} must be a number, not {value!r}")
        schedule = _make_schedule(recipe, steps_per_epoch)
        return keras.optimizers.get(
            {"class_name": recipe.optimizer, "config": {**arguments, "learning_rate": schedule}}
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"`optimizer_arguments` {arguments} and `schedule_arguments` "
            f"{recipe.schedule_arguments} do not fit {recipe.optimizer!r} and "
            f"{recipe.schedule!r}: {error}"
        ) from error


def _make_schedule(recipe: Recipe, steps_per_epoch: int) -> Any:
    rate, arguments = recipe.learning_rate, dict(recipe.schedule_arguments)

    def take(name: str, default: float, most: float) -> float:
        value = arguments.pop(name, default)
        if not isinstance(value, int | float) or not 0 <= value <= most:
            raise ValueError(f"{name} must be a number from 0 to {most}, not {value!r}")
        return value

    schedule = rate
    if recipe.schedule == "exponential":
        decay_rate = take("decay_rate", 0.98, most=1)
        schedule = keras.optimizers.schedules.ExponentialDecay(
            rate, steps_per_epoch, decay_rate, staircase=True
        )
    elif recipe.schedule == "cosine":
        warmup = round(take("warmup_epochs", 0, most=recipe.epochs - 1) * steps_per_epoch)
        schedule = keras.optimizers.schedules.CosineDecay(
            rate if warmup == 0 else 0.0,
            recipe.epochs * steps_per_epoch - warmup,
            alpha=take("alpha", 0.0, most=1),
            warmup_target=rate if warmup else None,
            warmup_steps=warmup,
        )
    if arguments:
        raise ValueError(f"unknown schedule arguments {', '.join(arguments)}")
    return schedule
