"""For the reference: the default of a recipe's setting, instead of the call that makes it."""

from typing import Any

import griffe


class RecipeDefaults(griffe.Extension):
    """Takes the keyword `default` of `_setting(...)` for the value of an attribute."""

    def on_attribute_instance(self, *, attr: griffe.Attribute, **kwargs: Any) -> None:
        """Replace the value of one attribute."""
        value = attr.value
        if isinstance(value, griffe.ExprCall) and str(value.function) in ("_setting", "_choice"):
            keywords = {
                a.name: a.value for a in value.arguments if isinstance(a, griffe.ExprKeyword)
            }
            first = None if str(value.function) == "_setting" else value.arguments[0]
            attr.value = keywords.get("default", first)
