"""How models become known by name: each registers where it is defined, by `@register_model`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from ae_keras.models.image_model import ImageModel
from ae_keras.recipe import Recipe

Builder = TypeVar("Builder", bound=Callable[..., ImageModel])


@dataclass(frozen=True)
class Registration:
    """What is known of a registered model.

    Args:
        builder: Builds it, from `image_shape` and arguments of its own.
        recipe: Recipe. The one it trains with by default; its `model` is the name.
        search: The ranges of a search for better recipes.
    """

    builder: Callable[..., ImageModel]
    recipe: Recipe
    search: tuple[str, ...]


# By name. Read it through `ae_keras.registry`.
REGISTRATIONS: dict[str, Registration] = {}


def register_model(*, recipe: Recipe, search: tuple[str, ...] = ()) -> Callable[[Builder], Builder]:
    """Register the model that the decorated function builds, under the name in its recipe.

    The function takes `image_shape`, `(height, width, channels)`, and arguments with defaults,
    which recipes and searches may set. It returns an `Autoencoder` or another `ImageModel`.
    `image_shape` may be `(None, None, channels)`: a model that does not take images of any size
    raises `ValueError` or `TypeError` then.

    Args:
        recipe: Recipe. The default one.
        search: Ranges of the model's arguments that `ae-keras tune` searches by default, as
            texts like `"latent_dim=4:512:log2"`; those of learning rate and batch size, which all
            models have in common, come on top.

    Returns:
        The decorator. It returns the function as it is.

    Raises:
        ValueError: if a model of that name is registered already.

    Example:
        >>> @register_model(recipe=Recipe(model="mine"), search=("filters=8:64:log2",))
        ... def mine(image_shape=(32, 32, 3), filters=16, name="mine"): ...
    """

    def register(builder: Builder) -> Builder:
        name = recipe.model
        if name in REGISTRATIONS:
            place = REGISTRATIONS[name].builder.__module__
            raise ValueError(
                f"There is a model {name!r} already, of the module {place!r}. Choose another name."
            )
        REGISTRATIONS[name] = Registration(builder, recipe, search)
        return builder

    return register
