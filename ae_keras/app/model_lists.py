"""Which trained models a tab offers: the user's own runs, then those that ship."""

from collections.abc import Callable

from ae_keras.codec import DEFAULT_MODEL
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, list_runs

# Of those that ship, these are for photographs.
_FOR_PHOTOGRAPHS = ("denoiser", "colourizer-photographs")


def codecs() -> list[str]:
    """Return the names of codecs, that of photographs first."""
    names = _names(lambda run: run.entropy_tables.is_file())
    return [DEFAULT_MODEL, *(name for name in names if name != find_run(DEFAULT_MODEL).path.name)]


def denoisers() -> list[str]:
    """Return the names of models that take noise away: first those that were trained to."""
    trained = _names(_has(lambda recipe: recipe.task == "denoising"))
    others = _names(_has(_is_plain))
    return _photographs_first(trained) + others


def colourizers() -> list[str]:
    """Return the names of colourizers."""
    return _photographs_first(_names(_has(lambda recipe: recipe.task == "colourization")))


def _photographs_first(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: name not in _FOR_PHOTOGRAPHS)


def autoencoders() -> list[str]:
    """Return the names of models with a latent for each small image: variational ones first."""
    names = _names(_has(lambda recipe: _is_plain(recipe) and recipe.crops is None))
    return sorted(names, key=lambda name: not is_variational(name))


def all_runs() -> list[str]:
    """Return the names of all runs."""
    return _names(lambda run: True)


def is_variational(name: str) -> bool:
    """Whether a run's model was trained with a prior for its latents."""
    run = find_run(name)
    try:
        return "kl" in run.metrics["test"]
    except (OSError, ValueError):  # it is not finished
        return False


def _is_plain(recipe: Recipe) -> bool:
    return recipe.task == "reconstruction" and not recipe.conditional


def _has(is_wanted: Callable[[Recipe], bool]) -> Callable[[RunFolder], bool]:
    def check(run: RunFolder) -> bool:
        try:
            return is_wanted(run.recipe)
        except (OSError, ValueError):  # a damaged run is no reason to show none
            return False

    return check


def _names(is_wanted: Callable[[RunFolder], bool]) -> list[str]:
    """Return the names of runs, each once: a user's own run goes before one that ships."""
    names = dict.fromkeys(run.path.name for run in list_runs() if is_wanted(run))
    return list(names)
