"""What a search varies: ranges of settings, which a model suggests or a user writes.

Their names are those of the recipe's settings and of the arguments of the model; `filters_2` is
the second entry of `filters`.
"""

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from keras_tuner import HyperParameters

from ae_keras.recipe import Recipe
from ae_keras.registry import build_from_recipe, change_recipe, search_ranges, value_of
from ae_keras.tuning.progress import RESERVED

# Of `--space`: the ranges that the model suggests, and of all models how to train.
DEFAULT = "default"
_TRAINING = ("learning_rate=1e-4:1e-2:log", "batch_size=16:256:log2")

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
        options: dict[str, Any] = {"min_value": low, "max_value": high, "sampling": scale}
        options["step"] = step[0] if step else None
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


def _entries(recipe: Recipe, name: str, base: str) -> Sequence[Any]:
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
        ranges: Texts as of `Range.parse`, and `"default"` for the ranges that the model
            suggests, except those that are given.

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
    suggested = (*search_ranges(recipe.model), *_TRAINING) if DEFAULT in ranges else ()
    for each in map(Range.parse, suggested):
        if each.name not in hp:
            each.declare(hp, current_value(recipe, each.name))
    for hyperparameter in hp.space:
        values = list(hyperparameter.values)
        for value in (values[0], values[-1]):
            build_from_recipe(apply_values(recipe, {hyperparameter.name: value}))
    return hp
