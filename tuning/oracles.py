"""KerasTuner's oracles, which propose the trials, made fit for searches that are stopped.

KerasTuner writes its state in place and in several files, so that a killed process may leave it
damaged, or a finished trial that runs again; a grid search forgets where it was; a trial whose
worker dies is waited for without end. `Recorded` mends this for all of them.
"""

import itertools
import json
from typing import Any

import keras_tuner
from keras_tuner import oracles

from ae_keras.system.safe_files import write_text
from ae_keras.tuning.keras_tuner_internals import OpenOracle, Trial, TrialStatus
from ae_keras.tuning.progress import Progress

# A trial whose worker died so often may be what kills them.
_MOST_LOSSES = 2
# Among a trial's values: why it failed. KerasTuner sends values to the chief, but no messages.
REASON = "search/reason"


class Recorded(OpenOracle):
    """The base of oracles, put first: one file of state, replaced whole, and trials that get lost.

    A trial ends `COMPLETED`, `FAILED` (its message says why) or `INVALID`: infeasible, because it
    is over the budget. None is tried again.

    The first trial is that of the defaults: the recipe as it is.
    """

    waiting: list[str]
    ongoing_trials: dict[str, Trial]

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.progress = self.display = Progress(self)
        self._losses: dict[str, int] = {}

    def get_state(self) -> dict[str, Any]:
        """Return the whole state, that of the trials included."""
        trials = {name: trial.get_state() for name, trial in self.trials.items()}
        return super().get_state() | {"trials": trials, "losses": self._losses}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take the state of `get_state`."""
        self.trials = {name: Trial.from_state(trial) for name, trial in state["trials"].items()}
        self._losses = state["losses"]
        super().set_state(state)

    def reload(self) -> None:
        """Take the state that was saved; trials that were running run again, ended ones do not."""
        super().reload()
        self.waiting = [name for name in self.waiting if name not in self.end_order]

    def save(self) -> None:
        """Replace the file of the state."""
        write_text(self.state_file, json.dumps(self.get_state()))

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial: first the defaults, and none twice."""
        if not self.start_order:
            return {"status": TrialStatus.RUNNING, "values": self.hyperparameters.copy().values}
        response = super().populate_space(trial_id)
        if response["status"] == TrialStatus.RUNNING and self.was_tried(response["values"]):
            values = self.draw_values()
            status = TrialStatus.STOPPED if values is None else TrialStatus.RUNNING
            return {"status": status, "values": values}
        return response

    @keras_tuner.synchronized
    def create_trial(self, tuner_id: str) -> Trial:
        """Return a trial to run; one that waits (`IDLE`) while others may still get lost."""
        trial = super().create_trial(tuner_id)
        if trial.status == TrialStatus.STOPPED and self.ongoing_trials:
            trial.status = TrialStatus.IDLE
        return trial

    @keras_tuner.synchronized
    def end_trial(self, trial: Trial) -> None:
        """Take the result of a trial, unless a worker that was thought dead brings it again."""
        trial.message = trial.hyperparameters.values.pop(REASON, trial.message)
        if trial.trial_id not in self.end_order:
            self.progress.note_end(trial)
            super().end_trial(trial)
        self.ongoing_trials = {
            tuner_id: ongoing
            for tuner_id, ongoing in self.ongoing_trials.items()
            if ongoing.trial_id != trial.trial_id
        }

    @keras_tuner.synchronized
    def give_back(self, tuner_id: str) -> bool:
        """Have the trial of a dead worker run again; return whether it had one."""
        self.tuner_ids.discard(tuner_id)
        trial = self.ongoing_trials.pop(tuner_id, None)
        if trial is None:
            return False
        losses = self._losses[trial.trial_id] = self._losses.get(trial.trial_id, 0) + 1
        if losses < _MOST_LOSSES:
            self.waiting.append(trial.trial_id)
            self.save()
        else:
            trial.status = TrialStatus.FAILED
            trial.message = f"{losses} workers died while they ran it"
            self.progress.note_end(trial)
            super().end_trial(trial)
        return True


class RandomSearch(Recorded, oracles.RandomSearchOracle):
    """Random values."""


class BayesianOptimization(Recorded, oracles.BayesianOptimizationOracle):
    """Values that a Gaussian process expects to be good."""


class Hyperband(Recorded, oracles.HyperbandOracle):
    """Many short trials, of which the best are trained longer.

    KerasTuner's names: `tuner/epochs` is how long, `tuner/trial_id` which trial goes on.
    """

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the values of a trial."""
        return oracles.HyperbandOracle.populate_space(self, trial_id)


class GridSearch(Recorded, oracles.GridSearchOracle):
    """All combinations, in the order of the space; the last hyperparameter varies fastest."""

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Propose the next combination: that of the trial's number, also after a restart."""
        names = [hp.name for hp in self.hyperparameters.space]
        grid = itertools.product(*(hp.values for hp in self.hyperparameters.space))
        values = next(itertools.islice(grid, len(self.start_order), None), None)
        if values is None:
            return {"status": TrialStatus.STOPPED, "values": None}
        return {"status": TrialStatus.RUNNING, "values": dict(zip(names, values, strict=True))}
