"""List the models: what they take, how large they are, and how small their latents."""

import argparse

import ae_keras
from ae_keras.command_line import Parser, format_table

EXAMPLES = """\
examples:
  ae-keras models

A compression ratio compares the bytes of an image, as uint8 or as float32, with those of its latent
as float32. Quantized and entropy coded, a latent takes far fewer bytes.
"""

HEADER = (
    *("model", "data set", "image", "latent", "parameters"),
    *("ratio, uint8 images", "ratio, float32 images"),
)


def make_parser() -> Parser:
    """Return the parser of the command line."""
    return Parser(description=__doc__, epilog=EXAMPLES)


def describe(name: str) -> tuple[str, ...]:
    """Return the row of a model, as its recipe builds it."""
    from ae_keras.registry import build_from_recipe
    from ae_keras.training.preview import compression_ratios

    recipe = ae_keras.recipe_for(name)
    model = build_from_recipe(recipe)
    image, latent, ratios = "x".join(map(str, recipe.image_shape)), "-", ["-", "-"]
    if model.has_latent:
        latent = "x".join(map(str, model.latent_shape))
        ratios = [f"{ratio:.3g}" for ratio in compression_ratios(model).values()]
    return (f"`{name}`", recipe.dataset, image, latent, f"{model.parameter_count:,}", *ratios)


def main(arguments: argparse.Namespace) -> None:
    """Print the table."""
    print(format_table([describe(name) for name in ae_keras.list_models()], HEADER))
