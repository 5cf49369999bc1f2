"""The figures of a run: from a model and its images to what `figures` draws."""

from pathlib import Path

import keras
import numpy as np

from ae_keras import figures, metrics
from ae_keras.data.batches import augment_images, make_batches
from ae_keras.data.images import Images
from ae_keras.recipe import Recipe
from ae_keras.system.pixels import to_unit_range
from ae_keras.system.safe_files import write_safely
from ae_keras.system.text_tables import one_line

SHOWN_IMAGES = 10
# In a grid of several rows.
_GRID_IMAGES = 30


def reconstruct(model: keras.Model, data: Images, recipe: Recipe) -> tuple[np.ndarray, np.ndarray]:
    """Return a model's input and output for some images.

    Args:
        model: ImageModel. One that takes a quality takes its own choice of it.
        data: Images.
        recipe: Recipe. Its task says what the input is.

    Returns:
        Inputs and reconstructions, float32 in [0, 1] and of the same shape. The input of
        `"denoising"` is noisy, that of `"colourization"` grey.
    """
    batches: list[np.ndarray] = []
    results: list[np.ndarray] = []
    for inputs, _ in make_batches(data, recipe.batch_spec).evaluation_arrays():
        images, labels = inputs if recipe.conditional else (inputs, None)
        results.append(model.predict_on_batch(model.inputs_for(images, labels)))
        batches.append(images)
    outputs = np.concatenate(results)
    return np.broadcast_to(np.concatenate(batches), outputs.shape), outputs


def write_reconstructions(
    model: keras.Model, data: Images, recipe: Recipe, path: str | Path, split: str = "test"
) -> None:
    """Write a figure of ten of the images, their reconstructions, and the differences.

    Args:
        model: Autoencoder.
        data: Images.
        recipe: Recipe. Its task says what the model's input is.
        path: Where to write; the ending names the format.
        split: str. What to call the images.
    """
    examples = data.pick(SHOWN_IMAGES)
    inputs, outputs = reconstruct(model, examples, recipe)
    originals = to_unit_range(examples.images)
    psnr = metrics.psnr(metrics.mse(originals, outputs))
    title = (
        f"{recipe.model} on {_data_name(recipe)}: {len(originals)} images ({split}) with their PSNR"
    )
    with write_safely(path) as temporary:
        figures.save_reconstructions(temporary, inputs, originals, outputs, list(psnr), title)


def write_dataset(data: Images, recipe: Recipe, path: str | Path) -> None:
    """Write a figure of some training images with their labels, if they have any.

    Args:
        data: Images. Those of training.
        recipe: Recipe.
        path: Where to write; the ending names the format.
    """
    examples = data.pick(_GRID_IMAGES)
    title = f"{_data_name(recipe)}: {len(examples.images)} of {len(data.images):,} training images"
    with write_safely(path) as temporary:
        captions = _captions(examples.labels, data)
        figures.save_image_grid(temporary, examples.images / 255, title, captions)


def _captions(labels: np.ndarray | None, data: Images) -> list[str]:
    if labels is None:
        return []
    return [data.class_names[label] for label in labels]


def write_augmentation(data: Images, recipe: Recipe, path: str | Path) -> None:
    """Write a figure of one image, moved in many ways as training images are.

    Args:
        data: Images. The first is shown.
        recipe: Recipe. Its augmentation and seed are used.
        path: Where to write; the ending names the format.
    """
    images = np.repeat(data.images[:1], _GRID_IMAGES, axis=0)
    moved = augment_images(images, recipe.batch_spec)
    unit = {"rotation": "°", "shear": "°"}
    amounts = ", ".join(
        f"{name} {amount:g}{unit.get(name, '')}"
        for name, amount in recipe.augmentation.items()
        if name != "copies"
    )
    title = f"One image of {_data_name(recipe)}, changed at random: {amounts}"
    with write_safely(path) as temporary:
        figures.save_image_grid(temporary, moved, title)


def write_samples(model: keras.Model, data: Images, recipe: Recipe, path: str | Path) -> None:
    """Write a figure of images drawn from the prior of a variational model.

    Args:
        model: Autoencoder, variational.
        data: Images. Their labels are drawn in turn, if the recipe is conditional.
        recipe: Recipe. Its seed is used.
        path: Where to write; the ending names the format.
    """
    labels = None
    if recipe.conditional and data.labels is not None:
        labels = np.resize(np.unique(data.labels), _GRID_IMAGES)
    images = np.asarray(model.sample(_GRID_IMAGES, labels, seed=recipe.seed))
    title = f"{recipe.model} on {_data_name(recipe)}: samples from the prior"
    with write_safely(path) as temporary:
        figures.save_image_grid(temporary, images, title, _captions(labels, data))


def _data_name(recipe: Recipe) -> str:
    """Return the name of the data set as pictures can show it: a folder's need not be a text."""
    return one_line(recipe.data_name)
