"""What a search prints as it goes on, and when its trials began and ended."""

from datetime import datetime
from typing import Any

import keras_tuner

from ae_keras.tuning.keras_tuner_internals import Display, Trial, TrialStatus

# Of the values of a trial that are not settings: those of KerasTuner (of Hyperband), and ours.
RESERVED = ("tuner/", "search/")


def format_value(value: Any) -> str:
    """Return a value of a hyperparameter, as text."""
    return format(value, ".4g") if isinstance(value, float) else str(value)


class Progress(Display):
    """Prints a line when a trial begins, and one when it ends."""

    # KerasTuner's.
    search_start: datetime | None
    trial_start: dict[str, datetime]

    def __init__(self, oracle: keras_tuner.Oracle):
        super().__init__(oracle, verbose=0)
        self.trial_end: dict[str, datetime] = {}

    def get_state(self) -> dict[str, Any]:
        """Return the times, as text."""
        ends = {name: end.isoformat() for name, end in self.trial_end.items()}
        return super().get_state() | {"trial_end": ends}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take the times of `get_state`."""
        super().set_state(state)
        ends = state["trial_end"].items()
        self.trial_end = {name: datetime.fromisoformat(end) for name, end in ends}

    def on_trial_begin(self, trial: Trial) -> None:
        """Print what is tried."""
        self.trial_start[trial.trial_id] = datetime.now()
        self.search_start = self.search_start or datetime.now()
        values = ", ".join(
            f"{name}={format_value(value)}"
            for name, value in trial.hyperparameters.values.items()
            if not name.startswith(RESERVED) or name == "tuner/epochs"
        )
        most = f" of {self.oracle.max_trials}" if self.oracle.max_trials else ""
        print(f"trial {trial.trial_id}{most}: {values or 'the recipe as it is'}", flush=True)

    def note_end(self, trial: Trial) -> None:
        """Note the time, before the state is saved."""
        self.trial_end[trial.trial_id] = datetime.now()

    def on_trial_end(self, trial: Trial) -> None:
        """Print how good it was, or why it failed."""
        print(f"trial {trial.trial_id} {self._describe(trial)}", flush=True)

    def _describe(self, trial: Trial) -> str:
        if trial.status != TrialStatus.COMPLETED:
            word = "is infeasible" if trial.status == TrialStatus.INVALID else "failed"
            return f"{word}: {trial.message}"
        spent = self.trial_end[trial.trial_id] - self.trial_start[trial.trial_id]
        best = self.oracle.get_best_trials()[0]
        name = self.oracle.objective.name
        return (
            f"ended after {spent.total_seconds():.0f} s: {name} {trial.score:.5g}"
            f" (best: {best.score:.5g}, trial {best.trial_id})"
        )

    def minutes_to(self, trial: Trial) -> float:
        """Return the minutes from the start of the search to the end of a trial."""
        start = self.search_start or self.trial_start[trial.trial_id]
        return (self.trial_end[trial.trial_id] - start).total_seconds() / 60
