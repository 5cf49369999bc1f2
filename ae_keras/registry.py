"""The registered models: a name -> its builder and the recipe it trains with by default."""

import dataclasses
import importlib
import inspect
from typing import Any

from ae_keras.data.sources import IMAGE_SHAPES, dataset_key
from ae_keras.recipe import Recipe, closest

# The family, a module of `ae_keras.models`, holds a function of the model's name that builds it,
# and its default recipe in `RECIPES`. It is imported only when asked for: Keras takes seconds.
_FAMILY_OF = {
    "cae": "convolutional",
    "celeba_conv": "celeba",
    "celeba_pool": "celeba",
    "colourizer": "colourization",
    "conv": "convolutional",
    "lossless_mlp": "dense",
    "lossy_cae": "convolutional",
    "mlp": "dense",
    "vae_v1": "variational",
    "vae_v2": "variational",
}


def list_models() -> list[str]:
    """Return the names of all registered models, sorted."""
    return sorted(_FAMILY_OF)


def _family(name: str):
    if name not in _FAMILY_OF:
        raise ValueError(f"Unknown model {name!r}. {closest(name, _FAMILY_OF)}")
    return importlib.import_module(f"ae_keras.models.{_FAMILY_OF[name]}")


def _argument_names(name: str) -> list[str]:
    parameters = inspect.signature(getattr(_family(name), name)).parameters
    return [parameter for parameter in parameters if parameter != "name"]


def build_model(name: str, classes: int | None = None, /, **arguments: Any):
    """Build an untrained model.

    Args:
        name: str. A registered model.
        classes: int. Build the conditional variant, whose decoder is told which of so many labels
            the image has. Default: the decoder sees only the latent.
        **arguments: Arguments of its builder, for example `image_shape=(32, 32, 3)`.

    Returns:
        An `Autoencoder`, or another `ImageModel`.

    Raises:
        ValueError: if the model or an argument is unknown, or a value does not fit the model.

    Example:
        >>> model = build_model("cae", image_shape=(28, 28, 1))
    """
    known = _argument_names(name)
    for key in arguments:
        if key not in known:
            raise ValueError(f"Model {name!r} has no argument {key!r}. {closest(key, known)}")
    model = getattr(_family(name), name)(**arguments)
    if classes is None:
        return model
    from ae_keras.models.conditional import make_conditional

    return make_conditional(model, classes)


def recipe_for(name: str, dataset: str | None = None, /, **changes: Any) -> Recipe:
    """Return the recipe that trains a model, for a data set and with changes.

    On the data set that the model's default recipe names, the split is that recipe's; on any
    other, the data set's own split and, where they are known, its own image shape are used.

    Args:
        name: str. A registered model.
        dataset: str. A TFDS name, `"skimage"` or a path. Default: that of the model's recipe.
        **changes: Settings of the `Recipe`, or arguments of the model's builder.

    Returns:
        A `Recipe`.

    Raises:
        ValueError: if a name is unknown or a value is not acceptable.

    Example:
        >>> recipe_for("cae", dataset="mnist", epochs=3, filters=(8, 16, 32))
    """
    return change_recipe(_family(name).RECIPES[name], dataset, **changes)


def change_recipe(recipe: Recipe, dataset: str | None = None, /, **changes: Any) -> Recipe:
    """Return a recipe for another data set and with changes, as `recipe_for` does.

    Raises:
        ValueError: if a name is unknown or a value is not acceptable.
    """
    dataset = changes.pop("dataset", dataset)
    if dataset is not None:
        recipe = _move(recipe, dataset)
    settings = {setting.name for setting in dataclasses.fields(Recipe)}
    arguments = [key for key in _argument_names(recipe.model) if key not in settings]
    for key in changes:
        if key not in settings and key not in arguments:
            raise _unknown_setting(recipe, key, [*settings, *arguments])
    replaced = {key: value for key, value in changes.items() if key in settings}
    recipe = dataclasses.replace(recipe, **replaced)
    given = {key: value for key, value in changes.items() if key in arguments}
    return dataclasses.replace(recipe, model_arguments=recipe.model_arguments | given)


def _unknown_setting(recipe: Recipe, name: str, known: list[str]) -> ValueError:
    return ValueError(f"Model {recipe.model!r} has no setting {name!r}. {closest(name, known)}")


def value_of(recipe: Recipe, name: str) -> Any:
    """Return the value of a recipe's setting, or of an argument of its model's builder.

    Raises:
        ValueError: if there is no such setting.
    """
    settings = [setting.name for setting in dataclasses.fields(Recipe)]
    arguments = _argument_names(recipe.model)
    if name in settings:
        return getattr(recipe, name)
    if name not in arguments:
        raise _unknown_setting(recipe, name, [*settings, *arguments])
    builder = getattr(_family(recipe.model), recipe.model)
    return recipe.model_arguments.get(name, inspect.signature(builder).parameters[name].default)


def _move(recipe: Recipe, dataset: str) -> Recipe:
    """Return the recipe for another data set, split in its own way and of its own image shape.

    The weights of kinds of photographs do not go along: another data set has other kinds.
    """
    recipe_there = dataclasses.replace(recipe, dataset=dataset)
    key = dataset_key(dataset)
    if key == dataset_key(recipe.dataset):
        return recipe_there
    image_shape = IMAGE_SHAPES.get(key, recipe.image_shape)
    crops = None if recipe.crops is None else recipe.crops | {"weights": {}}
    return dataclasses.replace(recipe_there, splits=None, image_shape=image_shape, crops=crops)
