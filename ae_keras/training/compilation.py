"""A recipe's model, ready for `fit`: built, with its optimizer, schedule and loss."""

import contextlib
import math
import os
from typing import Any

import keras
import numpy as np
from keras import ops

from ae_keras.data.images import Images
from ae_keras.recipe import Recipe
from ae_keras.registry import build_from_recipe
from ae_keras.training.average import keep_average
from ae_keras.training.devices import Devices
from ae_keras.training.optimizers import make_optimizer

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


def use_cores(recipe: Recipe) -> None:
    """Have TensorFlow use the cores as a recipe says, unless it has begun to work already."""
    if recipe.parallel != "across" or keras.config.backend() != "tensorflow":
        return
    import tensorflow as tf

    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_inter_op_parallelism_threads(os.cpu_count() or 1)
        tf.config.threading.set_intra_op_parallelism_threads(1)


def compile_model(recipe: Recipe, data: Images, devices: Devices | None = None) -> keras.Model:
    """Build and compile a recipe's model, ready for `fit`.

    Args:
        recipe: Recipe.
        data: Images. Those of training.
        devices: Devices. That train it, in whose scope this is. Default: one.

    Returns:
        What `initialize_model` returns, compiled.

    Raises:
        ValueError: if an argument of model, optimizer or schedule is not acceptable, or the recipe
            is conditional and the images have no labels.
    """
    devices = devices or Devices()
    model = initialize_model(recipe, data)
    if recipe.kl_warmup and not model.is_variational:
        raise ValueError(f"`kl_warmup` is for variational models, and {recipe.model!r} is none.")
    if model.takes_quality and recipe.crops is None:
        raise ValueError(
            f"{recipe.model!r} is trained on crops of photographs: set `crops` and "
            "`steps_per_epoch`."
        )
    model.compile(
        optimizer=make_optimizer(recipe, _count_steps(recipe, data)),
        loss=recipe.loss,
        metrics=_metrics(model, recipe),
        jit_compile=_use_xla(recipe, devices),
        steps_per_execution=_steps_per_execution(devices),
    )
    if recipe.average:
        keep_average(model.optimizer)
    model.optimizer.build(model.trainable_variables)
    devices.run(lambda: _build_metrics_and_loss(model, recipe))
    model.reset_metrics()
    devices.prepare(model)
    return model


def _build_metrics_and_loss(model: keras.Model, recipe: Recipe) -> None:
    """Have Keras make what it would make with a first batch.

    A checkpoint asks for the variables of the metrics; and the batch would come last, with JAX.
    """
    image = np.zeros((1, *recipe.image_shape), np.float32)
    model.compute_metrics(None, image, image)
    keras.Model.compute_loss(model, None, image, image)  # none of the parts that a model adds


def _count_steps(recipe: Recipe, data: Images) -> int:
    images = len(data.images) * recipe.batch_spec.copies
    return recipe.steps_per_epoch or math.ceil(images / recipe.batch_size)


def _count_classes(recipe: Recipe, data: Images) -> int:
    if data.labels is None:
        raise ValueError(
            f"A conditional model needs labels, and the data set {recipe.dataset!r} has none."
        )
    return len(data.class_names)


def _metrics(model: keras.Model, recipe: Recipe) -> list[keras.metrics.Metric]:
    """Return the metrics that tell the distortion apart from what layers add to the loss."""
    if model.takes_quality:
        return [keras.metrics.MeanMetricWrapper(_psnr, name="psnr")]
    if model.is_variational:
        return [keras.metrics.MeanMetricWrapper(keras.losses.get(recipe.loss), name="distortion")]
    return []


def _psnr(targets: Any, outputs: Any) -> Any:
    """Return the PSNR of each image in dB."""
    errors = ops.mean(ops.square(targets - outputs), axis=(1, 2, 3))
    return -10.0 / math.log(10) * ops.log(ops.maximum(errors, 1e-10))


def _steps_per_execution(devices: Devices) -> int:
    # JAX would compile them all as one long step; PyTorch, and several devices of TensorFlow, take
    # no more than one.
    alone = keras.config.backend() == "tensorflow" and devices.count == 1
    return _STEPS_PER_EXECUTION if alone else 1


def _use_xla(recipe: Recipe, devices: Devices) -> bool:
    if recipe.xla != "auto":
        return recipe.xla == "on"
    if keras.config.backend() != "tensorflow":
        return keras.config.backend() == "jax"  # which is slow without
    import tensorflow as tf

    # It compiles the step as a whole, which cannot be for several devices.
    return devices.count == 1 and bool(tf.config.list_physical_devices("GPU"))
