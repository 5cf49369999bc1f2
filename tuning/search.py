"""A search: a recipe, what to vary, what to look for, and the folder that holds what was found."""

import dataclasses
import json
import shutil
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner import HyperParameters

from ae_keras.recipe import Recipe
from ae_keras.system.locks import LOCK_NAME
from ae_keras.system.names import closest
from ae_keras.system.safe_files import write_text
from ae_keras.tuning import oracles
from ae_keras.tuning.keras_tuner_internals import STATE_FILE
from ae_keras.tuning.objectives import OBJECTIVES, Goal
from ae_keras.tuning.search_space import DEFAULT, make_space
from ae_keras.tuning.trials import RecipeTuner

ALGORITHMS = ("random", "grid", "bayesian", "hyperband")
# Of algorithms that would not end by themselves.
_DEFAULT_TRIALS = 10
# A Gaussian process needs some random trials first: this share of all, and at least so many.
_RANDOM_SHARE, _FEWEST_RANDOM = 3, 3
_SETTINGS = "search.json"
# What a search leaves beside it, see `tuning.reports`.
LEADERBOARD, BEST_RECIPE = "leaderboard.csv", "best_recipe.json"
BY_PARAMETER, PARALLEL = "objective_by_parameter.png", "parallel_coordinates.png"
OVER_TIME, TRADE_OFF = "objective_over_time.png", "size_and_quality.png"
_REPORTS = (LEADERBOARD, BEST_RECIPE, BY_PARAMETER, PARALLEL, OVER_TIME, TRADE_OFF)
# A hyperparameter that does not vary: by it, chief and workers know that they search the same.
_IDENTITY = "search/identity"


@dataclass(frozen=True)
class Search:
    """What is searched, and how.

    Args:
        recipe: Recipe. Of which each trial trains a change.
        folder: Of the search.
        algorithm: `"random"`, `"grid"`, `"bayesian"` or `"hyperband"`.
        trials: int. How many at most. Default: 10; of a grid and of Hyperband, all.
        ranges: What varies, see `tuning.search_space.make_space`.
        goal: Goal. What to look for.
        seed: int. Of the proposals; that of training belongs to the recipe.

    Raises:
        ValueError: if the algorithm is unknown, a range or a number not acceptable, or the goal not
            one for the recipe.
    """

    recipe: Recipe
    folder: Path
    algorithm: str = "random"
    trials: int | None = None
    ranges: tuple[str, ...] = (DEFAULT,)
    goal: Goal = field(default_factory=Goal)
    seed: int = 0

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            known = closest(self.algorithm, ALGORITHMS)
            raise ValueError(f"Unknown algorithm {self.algorithm!r}. {known}")
        if self.trials is not None and self.trials < 1:
            raise ValueError(f"`trials` must be at least 1. Received: {self.trials}")
        if self.goal.objective == "rate_distortion" and (
            self.recipe.task == "colourization" or self.recipe.conditional
        ):
            raise ValueError("rate_distortion is for models that compress images without labels.")
        self.space  # noqa: B018 - checks the ranges

    @cached_property
    def space(self) -> HyperParameters:
        """What varies, and the identity of the search."""
        space = make_space(self.recipe, self.ranges)
        space.Fixed(_IDENTITY, f"{zlib.crc32(json.dumps(self.settings).encode()):08x}")
        return space

    @property
    def names(self) -> list[str]:
        """Of what varies."""
        return [hp.name for hp in self.space.space if hp.name != _IDENTITY]

    @property
    def settings(self) -> dict[str, Any]:
        """All but the folder and the number of trials, which may be raised later."""
        return {
            "recipe": json.loads(self.recipe.to_json()),
            "algorithm": self.algorithm,
            "ranges": list(self.ranges),
            "goal": dataclasses.asdict(self.goal),
            "seed": self.seed,
        }

    def make_oracle(self) -> oracles.Recorded:
        """Return the oracle, in the state that the folder holds."""
        goal = keras_tuner.Objective(self.goal.objective, OBJECTIVES[self.goal.objective])
        options = {"objective": goal, "seed": self.seed, "hyperparameters": self.space.copy()}
        trials = self.trials
        oracle: oracles.Recorded
        if self.algorithm == "hyperband":
            oracle = oracles.Hyperband(max_epochs=self.recipe.epochs, **options)
            oracle.max_trials = trials
        elif self.algorithm == "grid":
            oracle = oracles.GridSearch(max_trials=trials, **options)
        elif self.algorithm == "bayesian":
            trials = trials or _DEFAULT_TRIALS
            first = max(trials // _RANDOM_SHARE, _FEWEST_RANDOM)
            oracle = oracles.BayesianOptimization(
                max_trials=trials, num_initial_points=first, **options
            )
        else:
            oracle = oracles.RandomSearch(max_trials=trials or _DEFAULT_TRIALS, **options)
        oracle.place(self.folder)
        if (self.folder / STATE_FILE).is_file():
            self._reload(oracle)
        return oracle

    def _reload(self, oracle: oracles.Recorded) -> None:
        file = self.folder / STATE_FILE
        try:
            oracle.reload()
        except Exception as error:  # of many types, where it is damaged
            raise ValueError(
                f"Cannot read {str(file)!r}: {error}. Delete it to have the trials proposed again; "
                "those that are trained are not trained again."
            ) from error

    def check_identity(self, space: HyperParameters) -> None:
        """Find out whether a chief's space is that of this search.

        Raises:
            ValueError: if it is not.
        """
        if space.values.get(_IDENTITY) != self.space.values[_IDENTITY]:
            raise ValueError("The chief searches something else. Give it the same command.")

    def make_tuner(self, oracle: oracles.Recorded, verbose: int = 0) -> RecipeTuner:
        """Return the tuner that runs the trials of an oracle."""
        return RecipeTuner(oracle, self.recipe, self.goal, self.folder, verbose)

    def start(self, overwrite: bool = False) -> None:
        """Make the folder ready for this search, or for going on with it.

        Raises:
            ValueError: if the folder holds another search.
            FileExistsError: if it holds something else.
            OSError: if it cannot be written.
        """
        file = self.folder / _SETTINGS
        self.folder.mkdir(parents=True, exist_ok=True)
        if not file.is_file() and any(path.name != LOCK_NAME for path in self.folder.iterdir()):
            raise FileExistsError(
                f"{str(self.folder)!r} holds files that are not of a search. "
                "Choose another --output."
            )
        if file.is_file() and not overwrite:
            self._check_same(_read_settings(file))
        if overwrite:
            self._remove()
        write_text(file, json.dumps(self.settings, indent=2) + "\n")

    def _check_same(self, found: dict[str, Any]) -> None:
        here = self.settings
        changes = [key for key in here if key != "recipe" and found.get(key) != here[key]]
        there = found.get("recipe", {})
        changes += [key for key, value in here["recipe"].items() if there.get(key) != value]
        if changes:
            raise ValueError(
                f"{str(self.folder)!r} holds another search. It differs in {', '.join(changes)}. "
                "Choose another folder with --output, or replace it with --overwrite."
            )

    def _remove(self) -> None:
        for path in self.folder.iterdir():
            if path.is_dir() and path.name.startswith("trial_"):
                shutil.rmtree(path)
            elif path.name in (STATE_FILE, *_REPORTS):
                path.unlink()


def _read_settings(file: Path) -> dict[str, Any]:
    try:
        settings = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(settings, dict) and isinstance(settings.get("recipe"), dict):
            return settings
        reason = "a search is missing in it"
    except ValueError as error:
        reason = str(error)
    raise ValueError(
        f"Cannot read {str(file)!r}: {reason}. Choose another --output, or replace the search with "
        "--overwrite."
    )
