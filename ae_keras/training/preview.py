"""What a recipe will train, and on what, before it does: summary and pictures."""

import io
import math
from collections.abc import Sequence
from pathlib import Path

import keras

from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.pictures import write_augmentation, write_dataset
from ae_keras.training.compilation import compile_model, initialize_model
from ae_keras.training.material import Material


def preview(recipe: Recipe, output_dir: str | Path, extend: bool = False) -> tuple[str, list[Path]]:
    """Summarize a recipe's model and draw its images, without training.

    Args:
        recipe: Recipe.
        output_dir: The folder that a run would have; the figures are written there.
        extend: bool. As of `ae_keras.train`.

    Returns:
        The summary, and the figures: `dataset.png`, samples with their labels, and, if the recipe
        augments, `augmentation.png`.

    Raises:
        ValueError: if the recipe or the data set is not acceptable, or the folder holds an
            unfinished run of another recipe.
        FileExistsError: if the folder holds a finished run of another recipe, or other files.
        OSError: if files cannot be read or written.
    """
    run = RunFolder(output_dir)
    run.check(recipe, overwrite=run.is_of(recipe), extend=extend)
    data = Material.load(recipe, ["train"]).images["train"]
    compile_model(recipe, data)  # which checks the rest of the recipe
    text = summarize(initialize_model(recipe, data))
    run.path.mkdir(parents=True, exist_ok=True)
    write_dataset(data, recipe, run.dataset_figure)
    if not recipe.batch_spec.augments:
        return text, [run.dataset_figure]
    write_augmentation(data, recipe, run.augmentation_figure)
    return text, [run.dataset_figure, run.augmentation_figure]


def summarize(model: keras.Model) -> str:
    """Return the layers of a model, and what its latent is in comparison with its images."""
    text = io.StringIO()
    model.summary(line_length=80, expand_nested=True, print_fn=lambda line: print(line, file=text))
    if not model.has_latent:
        return f"{text.getvalue()}\nimage   any size, {model.image_shape[-1]} channels"
    values, latents = math.prod(model.image_shape), math.prod(model.latent_shape)
    ratios = compression_ratios(model)
    return (
        f"{text.getvalue()}\n"
        f"image   {_format(model.image_shape)}: {values:,} values\n"
        f"latent  {_format(model.latent_shape)}: {latents:,} values\n"
        f"compression ratio, latent as float32: {ratios['uint8']:.3g} to images as uint8, "
        f"{ratios['float32']:.3g} to images as float32"
    )


def _format(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def compression_ratios(model: keras.Model) -> dict[str, float]:
    """Return how many times the bytes of a float32 latent an image has.

    Args:
        model: Autoencoder, for images of a known size.

    Returns:
        The ratio for images stored as `"uint8"` and as `"float32"`. Quantized and entropy coded,
        a latent takes far fewer bytes.
    """
    ratio = math.prod(model.image_shape) / math.prod(model.latent_shape)
    return {"uint8": ratio / 4, "float32": ratio}
