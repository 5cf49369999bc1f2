"""A KerasTuner tuner whose trials are runs: recipes trained in folders, by the same functions."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import keras
from keras_tuner.errors import FailedTrialError

from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.training.trainer import train
from ae_keras.tuning.keras_tuner_internals import BaseTuner, Trial
from ae_keras.tuning.objectives import Goal, InfeasibleError
from ae_keras.tuning.oracles import REASON, Recorded
from ae_keras.tuning.search_space import apply_values

# A worker shows its chief so often that it is alive.
_SECONDS_BETWEEN_SIGNS = 5
# A worker that gets no trial asks again so long after it asked last.
_SECONDS_BETWEEN_QUESTIONS = 1
# As often it tries to begin one that another still has.
_MOST_TRIES = 60


def make_recipe(recipe: Recipe, trial: Trial) -> Recipe:
    """Return the recipe of a trial, which is a change of another."""
    values = trial.hyperparameters.values
    epochs = {"epochs": values["tuner/epochs"]} if "tuner/epochs" in values else {}
    return apply_values(recipe, values | epochs)


class RecipeTuner(BaseTuner):
    """Trains the recipes of an oracle's trials, each in a run folder of its own.

    A trial that was stopped goes on where it was; one that is trained is not trained again.

    Args:
        oracle: One of `tuning.oracles`.
        recipe: Recipe. Of which each trial's is a change.
        goal: Goal. What is measured.
        folder: Where the state and the runs of the trials are.
        verbose: int. As in Keras's `fit`.
    """

    def __init__(
        self, oracle: Recorded, recipe: Recipe, goal: Goal, folder: Path, verbose: int = 0
    ):
        self._recipe, self._goal, self._verbose = recipe, goal, verbose
        self._asked = -float("inf")
        super().__init__(oracle, directory=str(folder.parent), project_name=folder.name)

    def save(self) -> None:
        """Leave it to the oracle, which saves its state itself; a tuner has none."""

    def pre_create_trial(self) -> None:
        """Wait, where an oracle that has nothing to do at the moment would be asked again."""
        pause = self._asked + _SECONDS_BETWEEN_QUESTIONS - time.monotonic()
        time.sleep(max(pause, 0))
        self._asked = time.monotonic()

    def run_trial(self, trial: Trial) -> dict[str, float]:
        """Train a trial's recipe, and return its figures.

        Raises:
            InfeasibleError: if its model is over the budget.
            FailedTrialError: if it could not be trained.
        """
        try:
            with _signs_of_life(self.oracle, trial.trial_id):
                return self._train(trial)
        except Exception as error:
            feasible = not isinstance(error, InfeasibleError)
            known = isinstance(error, ValueError | OSError | ArithmeticError) or not feasible
            text = str(error) if known else f"{type(error).__name__}: {error}"
            trial.hyperparameters.values[REASON] = " ".join(text.split())
            raise FailedTrialError(text) if feasible else error from error

    def _train(self, trial: Trial) -> dict[str, float]:
        recipe = make_recipe(self._recipe, trial)
        run = RunFolder(self.get_trial_dir(trial.trial_id))
        if not (run.is_finished and run.is_of(recipe)):
            keras.utils.clear_session()  # of the trials before
            self._goal.check_budget(recipe)
            _train_when_free(recipe, run, self._verbose)
            run.checkpoint.unlink(missing_ok=True)  # trials are many, and not extended
        return self._goal.measure(run)


def _train_when_free(recipe: Recipe, run: RunFolder, verbose: int) -> None:
    """Train in a folder; wait while a worker still saves its state there, whose chief has died."""
    for patience in reversed(range(_MOST_TRIES)):
        try:
            train(recipe, run.path, overwrite=not run.is_of(recipe), verbose=verbose)
            return
        except BlockingIOError:
            if not patience:
                raise
        time.sleep(_SECONDS_BETWEEN_QUESTIONS)


@contextlib.contextmanager
def _signs_of_life(oracle: Recorded, trial_id: str) -> Iterator[None]:
    """Ask the chief for the trial now and then, by which it knows that the worker is alive."""
    over = threading.Event()

    def ask() -> None:
        while not over.wait(_SECONDS_BETWEEN_SIGNS):
            oracle.get_trial(trial_id)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
