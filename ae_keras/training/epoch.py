"""What happens within an epoch: its state is saved, and it stops on request."""

import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ae_keras.training.checkpoint import Progress, set_state, write_checkpoint
from ae_keras.training.interruption import StopSignals, stopped

# Within an epoch, the state is saved this often.
SECONDS_BETWEEN_CHECKPOINTS = 300


def diverged(what: str, place: str) -> FloatingPointError:
    """Return what ends a training whose numbers are no longer finite."""
    return FloatingPointError(
        f"{what} {place}. Lower the learning rate (--set learning_rate=...), or train in float32 "
        "if you use mixed precision."
    )


class WithinEpoch(keras.callbacks.Callback):
    """Watches one epoch: saves its state, stops it on request or when the loss is not a number.

    Args:
        checkpoint: Path. Where the state is saved.
        progress: Progress. Of the run; it goes on with the batches.
        batches: int. In a whole epoch.
        metric_state: list of arrays. The means of the batches that were done before.
        stop: StopSignals.
    """

    def __init__(
        self,
        checkpoint: Path,
        progress: Progress,
        batches: int,
        metric_state: list[np.ndarray],
        stop: StopSignals,
    ):
        super().__init__()
        self._checkpoint, self._progress, self._stop = checkpoint, progress, stop
        self._first, self._batches = progress.batch, batches
        self._metric_state = metric_state
        self._counted = self._last_saved = time.monotonic()

    def count_time(self) -> None:
        """Add the time since the last call to that of the run."""
        now = time.monotonic()
        self._progress.seconds += now - self._counted
        self._counted = now

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Take up the means of the batches before."""
        for variable, value in zip(self.model.metrics_variables, self._metric_state, strict=True):
            set_state(variable, value)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """Save the state when it is time, and stop if that is asked for."""
        logs = {} if logs is None else logs
        loss = logs["loss"]
        logs |= self.model.split_loss(logs)  # in place: for the progress bar
        self._progress.batch = min(self._first + batch + 1, self._batches)
        place = f"epoch {self._progress.epoch + 1}, batch {self._progress.batch}"
        if not math.isfinite(loss):
            raise diverged(f"The loss became {loss}", f"near {place}")
        if self._progress.batch == self._batches:
            self._check_weights(place)
            return  # the end of the epoch saves and stops
        due = time.monotonic() - self._last_saved > SECONDS_BETWEEN_CHECKPOINTS
        if due or self._stop.requested:
            self._check_weights(place)
            self.count_time()
            write_checkpoint(self._checkpoint, self.model, self._progress)
            self._last_saved = time.monotonic()
        if self._stop.requested:
            raise stopped(f"in {place}")

    def _check_weights(self, place: str) -> None:
        """Find out, before weights are saved, whether the last step has spoilt them."""
        for weight in self.model.weights:
            if not np.isfinite(np.asarray(weight, np.float32)).all():
                raise diverged("The weights became infinite or NaN", f"near {place}")

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Add the parts of the loss to the history and the progress bar."""
        if logs is not None:
            logs |= self.model.split_loss(logs)  # in place
        self.model.stop_training = True  # each epoch is a `fit` of its own
