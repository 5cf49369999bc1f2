"""Searches for better recipes, on KerasTuner: the trials are runs, as `ae_keras.train` makes them.

Example:
    >>> recipe = ae_keras.recipe_for("cae", epochs=3)
    >>> search = Search(recipe, Path("saved_models/searches/first"), ranges=("filters_3=8,16,32",))
    >>> run_search(search)[0]["score"]
"""

import warnings

# KerasTuner calls functions that Python has renamed.
warnings.filterwarnings("ignore", category=DeprecationWarning, module="keras_tuner")

from tuning.objectives import Goal  # noqa: E402
from tuning.running import run_search  # noqa: E402
from tuning.search import Search  # noqa: E402

__all__ = ["Goal", "Search", "run_search"]
