"""Training: a recipe -> a trained model in a run folder.

A run that is stopped at any moment, even by SIGKILL, goes on when it is started again, and ends
with the same weights and history as if it had never been stopped. For that, an epoch depends on
nothing but the checkpoint before it: the order and noise of its data come from (seed, epoch), and
early stopping looks only at the history.
"""

import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from ae_keras.codec.fitting import fit_run
from ae_keras.data.batches import Batches
from ae_keras.evaluation.reconstruction import measure
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import load_model
from ae_keras.training.average import averaged
from ae_keras.training.checkpoint import Progress, read_checkpoint, state_of, write_checkpoint
from ae_keras.training.compilation import compile_model, use_cores
from ae_keras.training.devices import Devices, open_devices
from ae_keras.training.epoch import WithinEpoch, diverged
from ae_keras.training.interruption import StopSignals, stopped
from ae_keras.training.logs import open_logs
from ae_keras.training.material import Material
from ae_keras.training.pictures import write_pictures
from ae_keras.training.starting import resume_start, start
from ae_keras.training.validation import Validation


def train(
    recipe: Recipe,
    output_dir: str | Path,
    overwrite: bool = False,
    verbose: int | None = None,
    extend: bool = False,
    devices: int | str | None = None,
) -> dict[str, Any]:
    """Train a model, go on with a run that was stopped, or extend one that is finished.

    Args:
        recipe: Recipe. What to train.
        output_dir: Folder of the run; `ae_keras.runs.folder` says what is in it.
        overwrite: bool. Replace a run that is there, unless it is this one, unfinished.
        verbose: int. As in Keras's `fit`: 0 silent, 1 progress bars, 2 one line an epoch.
            Default: progress bars on a terminal, else lines.
        extend: bool. Go on with the run that is there, finished or not, for more epochs or with
            another `early_stopping`. The outcome is that of such a run from its start, to the bit,
            if the learning rate depends on the epoch alone; where it falls over all epochs, it
            first rises to what it would be at this point of the longer run.
        devices: int, or `"all"`. How many devices of this machine share each batch. Default: one;
            all, of each process, where several are connected (see `ae_keras.training.processes`).

    Returns:
        What `metrics.json` holds: `"test"`, the quality on the test images of the best epoch's
        weights (see `ae_keras.evaluation.reconstruction.measure`), and `"training"`. Nothing in
        processes other than the first.

    Raises:
        ValueError: if the recipe or the data set is not acceptable, or the folder holds an
            unfinished run of another recipe, or one that this recipe does not extend.
        FileExistsError: if the folder holds a finished run.
        FileNotFoundError: if there is no run to extend, or it has no checkpoint.
        FloatingPointError: if losses or weights are no longer numbers.
        KeyboardInterrupt: if training was interrupted; its state is saved.
        OSError: if files cannot be read or written.

    Example:
        >>> recipe = ae_keras.recipe_for("cae", dataset="skimage", epochs=2)
        >>> ae_keras.train(recipe, "saved_models/first")["test"]["psnr"]
    """
    if verbose is None:
        verbose = 1 if sys.stdout.isatty() else 2
    use_cores(recipe)
    team = open_devices(devices)
    with team.run_folder(output_dir) as run:
        if not overwrite:
            recipe = resume_start(recipe, run)
        if team.is_first:
            run.check(recipe, overwrite, extend)
        material = Material.load(recipe)
        team.check(recipe, material.counts)
        with team.scope():
            model = compile_model(recipe, material.images["train"], team)
        with run.lock():
            if team.is_first:
                run.check(recipe, overwrite, extend)  # again: another process may have been at work
            if not extend:
                run.start(recipe)
            team.share_state(run.checkpoint, recipe, material.checksum)
            progress = _begin(model, recipe, material, run)
            if extend:
                _extend(progress, recipe, run)
            training = Training(recipe, material, run, model, progress, team)
            training.fit(verbose)
            team.part()
            return training.finish() if team.is_first else {}


def _extend(progress: Progress, recipe: Recipe, run: RunFolder) -> None:
    """Make a run one that is to be longer than it was meant to be."""
    if run.is_finished and progress.is_over(recipe):
        raise ValueError(
            f"The run in {str(run.path)!r} has stopped early, after epoch {progress.epoch}. To "
            f"extend it, raise --early-stopping above {recipe.early_stopping}."
        )
    run.extend(recipe)  # last: until here, a finished run is as it was


def _begin(model: keras.Model, recipe: Recipe, material: Material, run: RunFolder) -> Progress:
    """Return how far the run has come, with the model in the state that it had then."""
    checksum = material.checksum
    if not run.checkpoint.is_file():
        progress = Progress(checksum=checksum)
        if recipe.start_from:
            start(model, recipe)
            # At once, because what it starts from may go on.
            write_checkpoint(run.checkpoint, model, progress)
        return progress
    progress = read_checkpoint(run.checkpoint, model)
    if progress.checksum != checksum:
        raise ValueError(
            f"The images of {recipe.dataset!r} have changed since {str(run.checkpoint)!r} was "
            "written. Choose another --output, or delete that file to start again."
        )
    if progress.epoch or progress.batch:
        print(f"continuing after epoch {progress.epoch}, batch {progress.batch}")
    return progress


@dataclass(frozen=True)
class Training:
    """A run on its way.

    Args:
        recipe: Recipe.
        material: Material. Its data.
        run: RunFolder. Locked, and ready for this recipe.
        model: keras.Model. Compiled, in the state of `progress`.
        progress: Progress. It goes on with the training.
        devices: Devices. That train.
    """

    recipe: Recipe
    material: Material
    run: RunFolder
    model: keras.Model
    progress: Progress
    devices: Devices

    def fit(self, verbose: int) -> None:
        """Train for the epochs that are missing, with a checkpoint after each.

        Raises:
            FloatingPointError: if losses or weights are no longer numbers.
            KeyboardInterrupt: if it was asked to stop; the state is saved.
        """
        images = self.material.images["validation"]
        logs = open_logs(self.run.tensorboard, images, self.recipe, self.devices)
        batches = self.material.batches("train", self.model.weigh, self.devices.placement)
        validation = Validation.of(self.material, self.model, self.devices)
        with StopSignals() as stop:
            while not self.progress.is_over(self.recipe):
                scalars = self._fit_epoch(batches, validation, stop, verbose)
                self._complete_epoch(scalars)
                with averaged(self.model):
                    logs.write(self.model, self.progress.epoch, scalars)
                if stop.requested and not self.progress.is_over(self.recipe):
                    raise stopped(f"after epoch {self.progress.epoch}")

    def _fit_epoch(
        self, batches: Batches, validation: Validation, stop: StopSignals, verbose: int
    ) -> dict[str, float]:
        """Train for an epoch, or what is left of it, and return its row of the history."""
        model, progress = self.model, self.progress
        metric_state = [state_of(variable) for variable in model.metrics_variables]
        model.set_warmup(min((progress.epoch + 1) / max(self.recipe.kl_warmup, 1), 1.0))
        watch = WithinEpoch(self.run.checkpoint, progress, len(batches), metric_state, stop)
        left = batches.training(progress.epoch, progress.batch)
        fitted = model.fit(
            self.devices.spread(left),
            steps_per_epoch=self.devices.steps(left),
            **validation.within_fit,
            initial_epoch=progress.epoch,
            epochs=self.recipe.epochs,
            shuffle=False,
            verbose=verbose,
            callbacks=[watch],
        )
        watch.count_time()
        scalars = {name: float(values[-1]) for name, values in fitted.history.items()}
        with averaged(model):
            scalars = self.devices.agree(scalars | validation.after_fit(model, verbose))
        if not math.isfinite(scalars["val_loss"]):
            what = f"The validation loss became {scalars['val_loss']}"
            raise diverged(what, f"after epoch {progress.epoch + 1}")
        return scalars | {"learning_rate": float(model.optimizer.learning_rate)}

    def _complete_epoch(self, scalars: dict[str, float]) -> None:
        """Add an epoch to the history, and write what the run folder holds of it."""
        model, run, progress = self.model, self.run, self.progress
        progress.epoch, progress.batch = progress.epoch + 1, 0
        progress.history.append({"epoch": progress.epoch, **scalars})
        model.reset_metrics()
        model.set_warmup(1.0)  # of the saved model; the next epoch sets its own
        if progress.best_epoch == progress.epoch - 1:
            with averaged(model):
                run.write_model(model, run.model)
        run.write_history(progress.history)
        # Last: what is written before is written again, and the same, if the process dies between.
        write_checkpoint(run.checkpoint, model, progress)

    def finish(self) -> dict[str, Any]:
        """Measure the best weights on the test images, and write what a finished run holds.

        Returns:
            What `metrics.json` holds.
        """
        with averaged(self.model):
            self.run.write_model(self.model, self.run.last_model)
        best, images = load_model(self.run.model), self.material.images
        progress = self.progress
        result = {
            "test": measure(best, images["test"], self.recipe),
            "training": {
                "epochs": progress.epoch,
                "best_epoch": progress.best_epoch + 1,
                "seconds_per_epoch": round(progress.seconds / progress.epoch, 2),
                "parameters": best.parameter_count,
            },
        }
        write_pictures(self.run, self.recipe, progress.history, best, images)
        if best.has_latent:
            fit_run(self.run, images["train"], best)
        self.run.write_metrics(result)
        return result
