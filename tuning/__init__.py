"""Searches for better recipes, on KerasTuner: the trials are runs, as `ae_keras.train` makes them.

Example:
    >>> recipe = ae_keras.recipe_for("cae", epochs=3)
    >>> search = Search(recipe, Path("saved_models/searches/first"), ranges=("filters_3=8,16,32",))
    >>> run_search(search)[0]["score"]
"""

from ae_keras.tuning.objectives import Goal
from ae_keras.tuning.run_search import run_search
from ae_keras.tuning.search import Search

__all__ = ["Goal", "Search", "run_search"]
