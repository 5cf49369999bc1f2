"""The registered models, by name: how each is built, trained by default and searched.

A model registers itself where it is defined, see `ae_keras.models.registration`. Here they are
looked up, without importing Keras as long as names are enough.
"""

import dataclasses
import importlib
import importlib.metadata
import inspect
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ae_keras.data.checks import is_number
from ae_keras.data.sources import IMAGE_SHAPES, dataset_key
from ae_keras.recipe import Recipe
from ae_keras.system.names import closest
from ae_keras.system.quiet import import_backend_quietly

if TYPE_CHECKING:
    from ae_keras.models.image_model import ImageModel
    from ae_keras.models.registration import Registration

# The models that come with the library, and the module of `ae_keras.models` of each. Lists and
# `--help` are made of it: to import the modules takes seconds, because of Keras.
SHIPPED = {
    "cae": "convolutional",
    "celeba_conv": "celeba",
    "celeba_pool": "celeba",
    "colourizer": "colourization",
    "conv": "convolutional",
    "denoiser": "denoising",
    "factorized_v1": "factorized",
    "factorized_v2": "factorized",
    "lossless_mlp": "dense",
    "lossy_cae": "convolutional",
    "mlp": "dense",
    "photo": "hyperprior",
    "vae_v1": "variational",
    "vae_v2": "variational",
}

# Of entry points of installed packages: each is named as a model, and leads to the module that
# registers it.
ENTRY_POINTS = "ae_keras.models"


def list_models() -> list[str]:
    """Return the names of all models, sorted: the library's, and those of users."""
    return sorted({*SHIPPED, *_registrations(), *_entry_points()})


def _registrations() -> Mapping[str, "Registration"]:
    """Return what has been registered until now."""
    # Nothing has been where nothing has imported the module that does it, and with it Keras.
    registration = sys.modules.get("ae_keras.models.registration")
    return {} if registration is None else registration.REGISTRATIONS


def _entry_points() -> dict[str, importlib.metadata.EntryPoint]:
    return {entry.name: entry for entry in importlib.metadata.entry_points(group=ENTRY_POINTS)}


def is_registered(name: str) -> bool:
    """Return whether there is a model of that name; if an installed package has it, import that.

    Raises:
        ValueError: if the package cannot be imported.
    """
    if name in SHIPPED or name in _registrations():
        return True
    if name not in _entry_points():
        return False
    _load_entry_point(name)
    return True


def _registration(name: str) -> "Registration":
    if not _registrations():  # Keras may not be imported yet
        import_backend_quietly()
    if name in SHIPPED:
        importlib.import_module(f"ae_keras.models.{SHIPPED[name]}")
    elif not is_registered(name):
        raise ValueError(
            f"Unknown model {name!r}. {closest(name, list_models())} "
            "Models of your own are registered with --import FILE.py."
        )
    return _registrations()[name]


def _load_entry_point(name: str) -> None:
    entry = _entry_points()[name]
    try:
        entry.load()
    except Exception as error:
        raise ValueError(f"Cannot import {entry.value!r}, of model {name!r}: {error}") from error
    if name not in _registrations():
        raise ValueError(f"{entry.value!r} should register a model {name!r}, and does not.")


def _argument_names(name: str) -> list[str]:
    parameters = inspect.signature(_registration(name).builder).parameters
    return [parameter for parameter in parameters if parameter != "name"]


def build_model(name: str, classes: int | None = None, /, **arguments: Any) -> "ImageModel":
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
    model = _registration(name).builder(**arguments)
    if classes is None:
        return model
    from ae_keras.models.conditional import make_conditional

    return make_conditional(model, classes)


def build_from_recipe(
    recipe: Recipe,
    classes: int | None = None,
    image_shape: tuple[int | None, int | None, int] | None = None,
) -> "ImageModel":
    """Build the untrained model of a recipe, in Keras's current precision.

    Args:
        recipe: Recipe.
        classes: int. Build the conditional variant, as `build_model` does.
        image_shape: `(height, width, channels)`, where it is another than the recipe's; `None` for
            a height and width of any size.

    Returns:
        An `Autoencoder`, or another `ImageModel`.

    Raises:
        ValueError: if the model or an argument is unknown, or a value does not fit the model.
    """
    shape = recipe.image_shape if image_shape is None else image_shape
    return build_model(recipe.model, classes, image_shape=shape, **recipe.model_arguments)


def search_ranges(name: str) -> tuple[str, ...]:
    """Return the ranges in which a search varies a model's arguments, as texts.

    Raises:
        ValueError: if the model is unknown.
    """
    return _registration(name).search


def recipe_for(name: str, dataset: str | None = None, /, **changes: Any) -> Recipe:
    """Return the recipe that trains a model, for a data set and with changes.

    On the data set that the model's default recipe names, the split is that recipe's; on any
    other, the data set's own split and, where they are known, its own image shape are used. With
    `crops`, which are mirrored and turned themselves, the recipe's own augmentation is left out.

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
    return change_recipe(_registration(name).recipe, dataset, **changes)


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
    if replaced.get("crops") is not None:  # which are moved in their own way
        replaced = {"augmentation": {}} | replaced
    recipe = dataclasses.replace(recipe, **_fit_schedule(recipe, replaced), **replaced)
    given = {key: value for key, value in changes.items() if key in arguments}
    return dataclasses.replace(recipe, model_arguments=recipe.model_arguments | given)


def _fit_schedule(recipe: Recipe, changes: dict[str, Any]) -> dict[str, Any]:
    """Return schedule arguments that fit fewer epochs, where these are all that is changed.

    What lasts longer than the whole training takes the same share of it as before.
    """
    epochs, arguments = changes.get("epochs", recipe.epochs), recipe.schedule_arguments
    if "schedule_arguments" in changes or "schedule" in changes or type(epochs) is not int:
        return {}
    shorter = {
        name: arguments[name] * epochs / recipe.epochs
        for name in ("warmup_epochs", "decay_epochs")
        if is_number(arguments.get(name)) and arguments[name] > epochs
    }
    return {"schedule_arguments": arguments | shorter} if shorter else {}


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
    builder = _registration(recipe.model).builder
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
