"""All that we use of KerasTuner beside what it promises to keep, under names of our own.

Another version may have changed any of it: those in `TRIED_VERSIONS` are known to work, and the
project asks for no older, nor for a later minor one.
"""

import os
from pathlib import Path
from typing import Any

import grpc
import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.src import config, protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer
from keras_tuner.src.engine.oracle import Display

__all__ = ["BaseTuner", "Display", "OpenOracle", "OracleServicer", "Trial", "TrialStatus", "serve"]

# In the folder of a search.
STATE_FILE = "oracle.json"
TRIED_VERSIONS = ("1.4.8",)

# A trial that fails gets a line; KerasTuner would print its traceback as well.
config.DEBUG = bool(os.environ.get("AE_KERAS_DEBUG"))


class OpenOracle(keras_tuner.Oracle):
    """The base of an oracle, before KerasTuner's own in the order of bases: what is private there.

    It writes no files of single trials, runs none again by itself, and goes on after failures.
    """

    # Of KerasTuner's attributes, those whose types no one says.
    trials: dict[str, Trial]
    ongoing_trials: dict[str, Trial]
    start_order: list[str]
    end_order: list[str]

    def place(self, folder: Path) -> None:
        """Say where the state is saved."""
        self._set_project_dir(str(folder.parent), folder.name)

    @property
    def state_file(self) -> Path:
        """Where the state is saved; the folder is made if need be."""
        return Path(self._get_oracle_fname())

    @property
    def display(self) -> Display:
        """What is told when a trial begins or ends; its state is part of the oracle's."""
        return self._display

    @display.setter
    def display(self, display: Display) -> None:
        self._display = display

    @property
    def waiting(self) -> list[str]:
        """The trials that run again before others are proposed."""
        return self._retry_queue

    @waiting.setter
    def waiting(self, trial_ids: list[str]) -> None:
        self._retry_queue = trial_ids

    def was_tried(self, values: dict[str, Any]) -> bool:
        """Whether a trial has had these values."""
        return self._duplicate(values)

    def draw_values(self) -> dict[str, Any] | None:
        """Return random values that no trial has had; None if there seem to be none."""
        return self._random_values()

    def _save_trial(self, trial: Trial) -> None:
        """Leave it to `save`, which KerasTuner calls next."""

    def _retry(self, trial: Trial) -> bool:
        return False

    def _check_consecutive_failures(self) -> None:
        """Go on: failures are reported, and are no reason to stop a search."""


def serve(servicer: OracleServicer, server: grpc.Server) -> None:
    """Have a server answer what workers ask an oracle."""
    protos.get_service_grpc().add_OracleServicer_to_server(servicer, server)
