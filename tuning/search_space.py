"""What a search varies: a space for each family of models, and ranges that a user writes.

A space is a function `(recipe, hp) -> recipe`: it declares its hyperparameters in KerasTuner's
container `hp`, and returns the recipe with their values. Their names are those of the recipe's
settings and of the arguments of the model; `filters_2` is the second entry of `filters`.
"""

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from keras_tuner import HyperParameters

from ae_keras.recipe import Recipe
from ae_keras.registry import build_model, change_recipe, value_of
from tuning.progress import RESERVED

# Of `--space`: the ranges of the model's family.
DEFAULT = "default"
_SYNTAX = "NAME=VALUES, such as latent_dim=8,16,32 or batch_size=32:256:log2"


@dataclass(frozen=True)
class Range:
    """The values that a search may give to one setting.

    Args:
        name: str. Of the setting.
        kind: str. The method of `HyperParameters` that declares it.
        options: Its arguments.
    """

    name: str
    kind: str
    options: dict[str, Any]

    @classmethod
    def parse(cls, text: str) -> "Range":
        """Read a range.

        - `latent_dim=8,16,32`: one of these;
        - `depth=1:4`: from 1 to 4; with a third part, `1:9:2`, in steps of 2;
        - `learning_rate=1e-4:1e-2:log`: on a logarithmic scale; `log2`: doubled, from the lowest.

        Numbers are whole if all are written so.

        Raises:
            ValueError: if the text is not a range.
        """
        name, equals, values = text.partition("=")
        if not equals or not name or not values:
            raise ValueError(f"--space takes {_SYNTAX}. Received: {text!r}")
        try:
            return cls._parse_interval(name, values) or cls._parse_choice(name, values)
        except (ValueError, TypeError) as error:
            raise ValueError(f"--space takes {_SYNTAX}. Received: {text!r} ({error})") from error

    @classmethod
    def _parse_interval(cls, name: str, values: str) -> "Range | None":
        parts = values.split(":")
        if len(parts) == 1:
            return None
        if len(parts) > 3:
            raise ValueError("there are too many parts")
        scale = parts.pop() if parts[-1] in ("log", "log2") else "linear"
        whole = all(part.lstrip("-").isdigit() for part in parts)
        low, high, *step = map(int if whole else float, parts)
        if not low < high:
            raise ValueError("the first number must be the lower one")
        if not (low > 0 or scale == "linear") or not all(number > 0 for number in step):
            raise ValueError("steps, and a logarithmic scale, begin above 0")
        if scale == "log2":  # KerasTuner's own steps of a logarithmic scale are no whole numbers
            return cls(name, "Choice", {"values": _double(low, high)})
        options = {"min_value": low, "max_value": high, "step": step[0] if step else None}
        options["sampling"] = scale
        return cls(name, "Int" if whole else "Float", options)

    @classmethod
    def _parse_choice(cls, name: str, values: str) -> "Range":
        choices = [_parse_value(value) for value in values.split(",")]
        if all(isinstance(choice, bool) for choice in choices):
            if set(choices) != {True, False}:
                raise ValueError("write true,false, or set the value in the recipe")
            return cls(name, "Boolean", {})
        if any(isinstance(choice, float) for choice in choices):
            choices = [float(choice) for choice in choices]
        if len({type(choice) for choice in choices}) > 1:
            raise ValueError("the values are not of one type")
        if len(set(choices)) < len(choices):
            raise ValueError("a value is given twice")
        return cls(name, "Choice", {"values": choices})

    def declare(self, hp: HyperParameters, current: Any) -> None:
        """Declare the range in a container, unless its name is there.

        Args:
            hp: HyperParameters.
            current: The setting's value in the recipe, the default if it lies in the range.
        """
        default = {"default": current} if self._holds(current) else {}
        getattr(hp, self.kind)(self.name, **self.options, **default)

    def _holds(self, value: Any) -> bool:
        if self.kind in ("Int", "Float"):
            number = isinstance(value, int if self.kind == "Int" else int | float)
            low, high = self.options["min_value"], self.options["max_value"]
            return number and not isinstance(value, bool) and low <= value <= high
        return value in self.options.get("values", (True, False))


def _double(low: float, high: float) -> list[float]:
    """Return the lowest value, twice that, and so on."""
    return [low * 2**power for power in range(int(math.log2(high / low) + 1e-9) + 1)]


def _parse_value(text: str) -> Any:
    if not text:
        raise ValueError("a value is empty")
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    if not isinstance(value, bool | int | float):
        raise TypeError("values are numbers, texts, true or false")
    return value


def apply_values(recipe: Recipe, values: dict[str, Any]) -> Recipe:
    """Return a recipe with the values of some hyperparameters.

    Raises:
        ValueError: if a name is no setting, or a value not acceptable.
    """
    changes = {}
    for name, value in values.items():
        base, _, place = name.rpartition("_")
        if name.startswith(RESERVED):
            continue
        if not place.isdigit():
            changes[name] = value
            continue
        entries = list(changes.get(base, _entries(recipe, name, base)))
        if not 1 <= int(place) <= len(entries):
            raise ValueError(f"`{base}` has {len(entries)} entries. Received: {name!r}")
        entries[int(place) - 1] = value
        changes[base] = entries
    return change_recipe(recipe, **changes)


def _entries(recipe: Recipe, name: str, base: str) -> Iterable:
    entries = value_of(recipe, base)
    if not isinstance(entries, list | tuple):
        raise ValueError(f"`{base}` has no entries. Received: {name!r}")
    return entries


def current_value(recipe: Recipe, name: str) -> Any:
    """Return the value that a hyperparameter has in a recipe.

    Raises:
        ValueError: if the name is no setting.
    """
    base, _, place = name.rpartition("_")
    if not place.isdigit():
        return value_of(recipe, name)
    entries = _entries(recipe, name, base)
    return entries[int(place) - 1] if 1 <= int(place) <= len(entries) else None


def make_space(recipe: Recipe, ranges: Iterable[str] = (DEFAULT,)) -> HyperParameters:
    """Return the hyperparameters of a search.

    Args:
        recipe: Recipe. What is not searched stays as it is there.
        ranges: Texts as of `Range.parse`, and `"default"` for the ranges of the model's family,
            except those that are given.

    Returns:
        A KerasTuner `HyperParameters`.

    Raises:
        ValueError: if a range is not readable, names no setting, is given twice, or its ends are
            not acceptable.
    """
    hp = HyperParameters()
    for text in ranges:
        if text == DEFAULT:
            continue
        given = Range.parse(text)
        if given.name in hp:
            raise ValueError(f"--space has two ranges for {given.name!r}.")
        given.declare(hp, current_value(recipe, given.name))
    if DEFAULT in ranges:
        _SPACES[recipe.model](recipe, hp)
    for hyperparameter in hp.space:
        values = list(hyperparameter.values)
        for value in (values[0], values[-1]):
            build_recipe(apply_values(recipe, {hyperparameter.name: value}))
    return hp


def build_recipe(recipe: Recipe):
    """Build a recipe's model, without labels.

    Raises:
        ValueError: if an argument of the model is not acceptable.
    """
    return build_model(recipe.model, image_shape=recipe.image_shape, **recipe.model_arguments)


# Of all families: how to train.
_TRAINING = ("learning_rate=1e-4:1e-2:log", "batch_size=16:256:log2")


def _declare(recipe: Recipe, hp: HyperParameters, *ranges: str) -> Recipe:
    for text in (*ranges, *_TRAINING):
        parsed = Range.parse(text)
        if parsed.name not in hp:
            parsed.declare(hp, current_value(recipe, parsed.name))
    return apply_values(recipe, hp.values)


def dense(recipe: Recipe, hp: HyperParameters) -> Recipe:
    """The length of the latent vector."""
    return _declare(recipe, hp, "latent_dim=4:512:log2")


def convolutional(recipe: Recipe, hp: HyperParameters) -> Recipe:
    """How many filters, and how deep."""
    return _declare(recipe, hp, "filters=8:128:log2", "depth=1,2")


def cae(recipe: Recipe, hp: HyperParameters) -> Recipe:
    """The filters of each resolution, the last those of the latent, and how many convolutions."""
    filters = (f"filters_{place}=4:32:4" for place in (1, 2, 3))
    return _declare(recipe, hp, *filters, "convolutions=1,2")


def fixed(recipe: Recipe, hp: HyperParameters) -> Recipe:
    """A model that is as it is: only its training."""
    return _declare(recipe, hp)


def strided_faces(recipe: Recipe, hp: HyperParameters) -> Recipe:
    """The filters of the first layer, of which others are multiples, and the latent's length."""
    return _declare(recipe, hp, "filters=16:128:log2", "latent_dim=64:512:log2")


def pooled_faces(recipe: Recipe, hp: HyperParameters) -> Recipe:
    """The filters of the last layer, of which the others are multiples."""
    return _declare(recipe, hp, "filters=8:64:log2")


def variational(recipe: Recipe, hp: HyperParameters) -> Recipe:
    """The weight of the divergence, and the step of quantization that training foresees."""
    return _declare(recipe, hp, "kl_weight=1e-5:1e-1:log", "step=0.25:4:log2")


def colourization(recipe: Recipe, hp: HyperParameters) -> Recipe:
    """The filters of each resolution."""
    return _declare(recipe, hp, *(f"filters_{place}=16:128:16" for place in (1, 2, 3, 4)))


_SPACES: dict[str, Callable[[Recipe, HyperParameters], Recipe]] = {
    "cae": cae,
    "celeba_conv": strided_faces,
    "celeba_pool": pooled_faces,
    "colourizer": colourization,
    "conv": convolutional,
    "lossless_mlp": dense,
    "lossy_cae": fixed,
    "mlp": dense,
    "vae_v1": variational,
    "vae_v2": variational,
}
