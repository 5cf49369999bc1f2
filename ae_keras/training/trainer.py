"""Training: a recipe -> a trained model in a run folder.

A run that is stopped at any moment, even by SIGKILL, goes on when it is started again, and ends
with the same weights and history as if it had never been stopped. For that, an epoch depends on
nothing but the checkpoint before it: the order and noise of its data come from (seed, epoch), and
early stopping looks only at the history.
"""

import contextlib
import math
import signal
import sys
import threading
import time
import zlib
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from ae_keras import figures
from ae_keras.codec.table_fitting import fit_run
from ae_keras.data.images import Images, load_images
from ae_keras.data.pipeline import Pipeline
from ae_keras.data.splits import SPLITS
from ae_keras.evaluation.reconstruction import measure
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import load_model
from ae_keras.runs.pictures import (
    pick_examples,
    reconstruct,
    write_augmentation,
    write_reconstructions,
    write_samples,
)
from ae_keras.system.safe_files import write_safely
from ae_keras.training.checkpoint import Progress, read_checkpoint, write_checkpoint
from ae_keras.training.compilation import compile_model

# Within an epoch, the state is saved this often.
_SECONDS_BETWEEN_CHECKPOINTS = 300


def train(
    recipe: Recipe, output_dir: str | Path, overwrite: bool = False, verbose: int | None = None
) -> dict:
    """Train a model, or go on with a run that was stopped.

    Args:
        recipe: Recipe. What to train.
        output_dir: Folder of the run; `ae_keras.runs.folder` says what is in it.
        overwrite: bool. Replace a run that is there, unless it is this one, unfinished.
        verbose: int. As in Keras's `fit`: 0 silent, 1 progress bars, 2 one line an epoch.
            Default: progress bars on a terminal, else lines.

    Returns:
        What `metrics.json` holds: `"test"`, the quality on the test images of the best epoch's
        weights (see `ae_keras.evaluation.reconstruction.measure`), and `"training"`.

    Raises:
        ValueError: if the recipe or the data set is not acceptable, or the folder holds an
            unfinished run of another recipe.
        FileExistsError: if the folder holds a finished run.
        FloatingPointError: if the loss is no longer a number.
        KeyboardInterrupt: if training was interrupted; its state is saved.
        OSError: if files cannot be read or written.

    Example:
        >>> recipe = ae_keras.recipe_for("cae", dataset="skimage", epochs=2)
        >>> ae_keras.train(recipe, "saved_models/first")["test"]["psnr"]
    """
    if verbose is None:
        verbose = 1 if sys.stdout.isatty() else 2
    run = RunFolder(output_dir)
    run.check(recipe, overwrite)
    data = load_images(recipe)
    model = compile_model(recipe, data["train"])
    with run.lock():
        run.check(recipe, overwrite)  # again: another process may have been at work meanwhile
        run.start(recipe)
        progress = _load_progress(model, recipe, data["train"], run)
        _fit(model, recipe, data, run, progress, verbose)
        return _finish(model, recipe, data, run, progress)


def _load_progress(model, recipe: Recipe, training: Images, run: RunFolder) -> Progress:
    """Return how far the run has come, with the model in the state that it had then."""
    checksum = zlib.crc32(np.ascontiguousarray(training.images))
    if not run.checkpoint.is_file():
        return Progress(checksum=checksum)
    progress = read_checkpoint(run.checkpoint, model)
    if progress.checksum != checksum:
        raise ValueError(
            f"The images of {recipe.dataset!r} have changed since {str(run.checkpoint)!r} was "
            "written. Choose another --output, or delete that file to start again."
        )
    print(f"continuing after epoch {progress.epoch}, batch {progress.batch}")
    return progress


class _StopSignals(contextlib.AbstractContextManager):
    """Turns the first Ctrl-C or SIGTERM into a request; a second one stops at once."""

    def __init__(self):
        self.requested = False
        self._handlers = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._handlers[number] = signal.signal(number, self._handle)
        return self

    def _handle(self, number, frame):
        self.requested = True
        self.__exit__()

    def __exit__(self, *exception):
        for number, handler in self._handlers.items():
            signal.signal(number, handler)


def _stopped(place: str) -> KeyboardInterrupt:
    return KeyboardInterrupt(
        f"Stopped {place}; the state is saved. Run the same command again to continue."
    )


class _WithinEpoch(keras.callbacks.Callback):
    """Watches one epoch: saves its state, stops it on request or when the loss is not a number."""

    def __init__(self, run, progress, batches, metric_state, stop):
        super().__init__()
        self._run, self._progress, self._stop = run, progress, stop
        self._first, self._batches = progress.batch, batches
        self._metric_state = metric_state
        self._counted = self._last_saved = time.monotonic()

    def count_time(self):
        """Add the time since the last call to that of the run."""
        now = time.monotonic()
        self._progress.seconds += now - self._counted
        self._counted = now

    def on_epoch_begin(self, epoch, logs=None):
        for variable, value in zip(self.model.metrics_variables, self._metric_state, strict=True):
            variable.assign(value)

    def on_train_batch_end(self, batch, logs=None):
        self._progress.batch = min(self._first + batch + 1, self._batches)
        place = f"epoch {self._progress.epoch + 1}, batch {self._progress.batch}"
        if not math.isfinite(logs["loss"]):
            raise FloatingPointError(
                f"The loss became {logs['loss']} near {place}. Lower the learning rate (--set "
                "learning_rate=...), or train in float32 if you use mixed precision."
            )
        if self._progress.batch == self._batches:
            return  # the end of the epoch saves and stops
        due = time.monotonic() - self._last_saved > _SECONDS_BETWEEN_CHECKPOINTS
        if due or self._stop.requested:
            self.count_time()
            write_checkpoint(self._run.checkpoint, self.model, self._progress)
            self._last_saved = time.monotonic()
        if self._stop.requested:
            raise _stopped(f"in {place}")

    def on_epoch_end(self, epoch, logs=None):
        logs |= self.model.split_loss(logs)  # in place: for the history and the progress bar
        self.model.stop_training = True  # each epoch is a `fit` of its own


class _TensorBoard:
    """Writes the scalars of each epoch and the reconstructions of some validation images."""

    def __init__(self, run: RunFolder, validation: Images, recipe: Recipe):
        self._writer = tf.summary.create_file_writer(str(run.tensorboard))
        self._examples = pick_examples(validation)
        self._recipe = recipe

    def write(self, model, epoch: int, scalars: dict[str, float]) -> None:
        inputs, outputs = reconstruct(model, self._examples, self._recipe)
        pairs = np.concatenate([inputs, outputs], axis=1)
        with self._writer.as_default(step=epoch):
            for name, value in scalars.items():
                tf.summary.scalar(name, value)
            tf.summary.image("input over reconstruction", pairs, max_outputs=len(pairs))
        self._writer.flush()


def _is_over(recipe: Recipe, progress: Progress) -> bool:
    waited = progress.epoch - 1 - progress.best_epoch
    exhausted = recipe.early_stopping is not None and waited >= recipe.early_stopping
    return progress.epoch >= recipe.epochs or exhausted


def _fit(model, recipe, data, run, progress, verbose) -> None:
    """Train for the epochs that are missing, with a checkpoint after each."""
    training, validation = (Pipeline(data[part], recipe) for part in SPLITS[:2])
    log = _TensorBoard(run, data["validation"], recipe)
    with _StopSignals() as stop:
        while not _is_over(recipe, progress):
            state = [np.asarray(variable) for variable in model.metrics_variables]
            model.set_warmup(min((progress.epoch + 1) / max(recipe.kl_warmup, 1), 1.0))
            watch = _WithinEpoch(run, progress, len(training), state, stop)
            fitted = model.fit(
                training.training(progress.epoch, progress.batch),
                validation_data=validation.evaluation(),
                initial_epoch=progress.epoch,
                epochs=recipe.epochs,
                shuffle=False,
                verbose=verbose,
                callbacks=[watch],
            )
            watch.count_time()
            scalars = {name: float(values[-1]) for name, values in fitted.history.items()}
            scalars["learning_rate"] = float(model.optimizer.learning_rate)
            _complete_epoch(model, run, progress, scalars)
            log.write(model, progress.epoch, scalars)
            if stop.requested and not _is_over(recipe, progress):
                raise _stopped(f"after epoch {progress.epoch}")


def _complete_epoch(model, run, progress, scalars: dict[str, float]) -> None:
    """Add an epoch to the history, and write what the run folder holds of it."""
    progress.epoch, progress.batch = progress.epoch + 1, 0
    progress.history.append({"epoch": progress.epoch, **scalars})
    model.reset_metrics()
    model.set_warmup(1.0)  # of the saved model; the next epoch sets its own
    if progress.best_epoch == progress.epoch - 1:
        run.write_model(model, run.model)
    run.write_history(progress.history)
    # Last: what is written before is written again, and the same, if the process dies in between.
    write_checkpoint(run.checkpoint, model, progress)


def _finish(model, recipe, data, run, progress) -> dict:
    """Measure the best weights on the test images, and write what a finished run holds."""
    run.write_model(model, run.last_model)
    best = load_model(run.model)
    result = {
        "test": measure(best, data["test"], recipe),
        "training": {
            "epochs": progress.epoch,
            "best_epoch": progress.best_epoch + 1,
            "seconds_per_epoch": round(progress.seconds / progress.epoch, 2),
            "parameters": best.parameter_count,
        },
    }
    title = f"{recipe.model} on {recipe.data_name}"
    with write_safely(run.history_figure) as path:
        figures.save_history(path, progress.history, title, best.name_loss(recipe.loss))
    write_reconstructions(best, data["test"], recipe, run.reconstructions_figure)
    if recipe.augments:
        write_augmentation(data["train"], recipe, run.augmentation_figure)
    if best.is_variational:
        write_samples(best, data["test"], recipe, run.samples_figure)
    if best.has_latent:
        fit_run(run, data["train"])
    run.write_metrics(result)
    run.checkpoint.unlink(missing_ok=True)
    return result
