"""Where all studies work: models that are trained once and kept, their images, and figures."""

import functools
import re
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

import keras
import numpy as np

from ae_keras import metrics
from ae_keras.benchmark.timing import take_turns
from ae_keras.benchmark.training import our_training
from ae_keras.data.batches import make_batches
from ae_keras.data.images import Images, load_images
from ae_keras.data.spec import DataSpec
from ae_keras.models.image_model import ImageModel
from ae_keras.recipe import Recipe
from ae_keras.registry import change_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, load_model
from ae_keras.system.safe_files import write_safely
from ae_keras.training.trainer import train

# Of a quick study: enough to see that everything works, not to find anything.
_QUICK_EPOCHS = 1
_QUICK_IMAGES, _FEWEST_IMAGES = 600, 100
_QUICK_PIXELS = 600 * 32 * 32
_MEASURED_IMAGES = 10_000
_TIMED_IMAGES, _QUICK_TIMED_IMAGES, _TIMED_ROUNDS = 2048, 256, 5

Item = TypeVar("Item")
Name = TypeVar("Name")
Arguments = ParamSpec("Arguments")


@dataclass(frozen=True)
class Workspace:
    """Where a study works, and what it does there: train, measure, and draw.

    Args:
        folder: Of its page, tables and figures.
        runs: Folder of the models it trains; those that are finished are not trained again.
        quick: bool. Train on a few images for one epoch.
        has_gpu: bool. Train what takes hours without one.
        faces: str. Data set of faces: a folder of CelebA's images, or the TFDS name.
        photographs: str. What denoisers of photographs are judged on: a folder, or `"skimage"`.
        verbose: int. As in Keras's `fit`.
        steps: For each model of a quick study the steps of its training, but not of timing; filled
            as they are trained.
    """

    folder: Path
    runs: Path
    quick: bool = False
    has_gpu: bool = False
    faces: str = "celeb_a"
    photographs: str = "skimage"
    verbose: int | None = None
    steps: dict[str, int] = field(default_factory=dict)

    def choose(self, items: Sequence[Item], step: int) -> Sequence[Item]:
        """Return all items, or of a quick study each `step`-th alone."""
        return items[:: step if self.quick else 1]

    def train(
        self,
        name: str,
        recipe: Recipe,
        train_with: Callable[[Recipe, RunFolder], None] | None = None,
    ) -> RunFolder:
        """Train a recipe, or take the model that was trained before, and return its run.

        Args:
            name: str. Of the run; the same name means the same recipe.
            recipe: Recipe. A quick study trains it for one epoch on a few photographs.
            train_with: Trains a recipe in the folder of a run. Default: it is trained here.
        """
        if self.quick:
            recipe = self._shorten(recipe)
        run = RunFolder(self.runs / (f"{name}-quick" if self.quick else name))
        if not (run.is_finished and run.is_of(recipe)):
            print(f"training {run.path}", flush=True)
            keras.utils.clear_session()  # of the models before
            (train_with or self._train_here)(recipe, run)
            run.checkpoint.unlink(missing_ok=True)  # models of studies are not extended
        if self.quick:
            batches = recipe.steps_per_epoch  # of crops; else of whole images
            if batches is None:
                batches = len(make_batches(self.load_images(run, "train"), recipe.batch_spec))
            self.steps[name] = batches * run.metrics["training"]["epochs"]
        return run

    def _train_here(self, recipe: Recipe, run: RunFolder) -> None:
        train(recipe, run.path, overwrite=True, verbose=self.verbose)

    def find(self, recipe: Recipe) -> RunFolder | None:
        """Return the run of a recipe under its default name, if it is finished; or None.

        A quick study finds none: it trains its own.
        """
        try:
            run = find_run(f"{recipe.model}-{recipe.data_name}")
        except FileNotFoundError:
            return None
        return run if run.is_finished and run.is_of(recipe) and not self.quick else None

    def _shorten(self, recipe: Recipe) -> Recipe:
        """Return a recipe of one epoch on a few of scikit-image's photographs."""
        shape = recipe.image_shape
        few = change_recipe(recipe, "skimage", image_shape=shape)
        short = {"epochs": _QUICK_EPOCHS, "schedule": "constant", "schedule_arguments": {}}
        count = min(_QUICK_PIXELS // (shape[0] * shape[1]), _QUICK_IMAGES)
        return change_recipe(self.reduce(few, max(count, _FEWEST_IMAGES)), **short)

    def reduce(self, recipe: Recipe, count: int) -> Recipe:
        """Return a recipe for so many of the training images alone, split anew."""
        shape = recipe.image_shape
        source = repr((recipe.dataset, recipe.splits, shape, recipe.enlarge)).encode()
        name = f"{recipe.data_name}-{count}-{zlib.crc32(source):08x}.npz"
        if not zipfile.is_zipfile(self.runs / name):  # it is not there, or is damaged
            some = load_images(recipe.data_spec, ["train"])["train"].pick(count)
            self.runs.mkdir(parents=True, exist_ok=True)
            with write_safely(self.runs / name) as path:
                np.savez(path, images=some.images)
        return change_recipe(recipe, str(self.runs / name), image_shape=shape)

    def name_data(self, run: RunFolder) -> str:
        """Return the name of a run's data, with their number if they were reduced."""
        return re.sub(r"-(\d+)-[0-9a-f]{8}$", r", \1 images", run.recipe.data_name)

    def load_images(self, run: RunFolder, split: str) -> Images:
        """Return up to 10,000 images of a split of a run's data."""
        return _load_images(split, run.recipe.data_spec)

    def load_model(self, run: RunFolder) -> ImageModel:
        """Return the model of a run."""
        return load_model(run.model)

    def measure_mse(self, run: RunFolder, split: str) -> float:
        """Return the mean squared error of a run on up to 10,000 images of a split of its data."""
        model, data = self.load_model(run), self.load_images(run, split)
        batches = make_batches(data, run.recipe.batch_spec).evaluation_arrays()
        errors = [
            metrics.mse(targets, model.predict_on_batch(inputs)) for inputs, targets in batches
        ]
        return float(np.concatenate(errors).mean())

    def time_steps(self, runs: dict[Name, RunFolder]) -> dict[Name, float]:
        """Return the milliseconds of a training step of some recipes.

        The median of rounds in which they take turns, each of 2,048 images.
        """
        alternatives, batch_sizes = {}, {}
        for name, run in runs.items():
            recipe = run.recipe
            batch_sizes[name] = recipe.batch_size
            count = _QUICK_TIMED_IMAGES if self.quick else _TIMED_IMAGES
            images = self.load_images(run, "train").images[:count]
            alternatives[name] = our_training(recipe, images)
        seconds = take_turns(alternatives, 1 if self.quick else _TIMED_ROUNDS)
        return {
            name: 1000 * float(np.median(times)) * batch_sizes[name]
            for name, times in seconds.items()
        }

    def draw(
        self,
        name: str,
        save: Callable[Concatenate[Path, Arguments], None],
        *arguments: Arguments.args,
        **options: Arguments.kwargs,
    ) -> str:
        """Write a figure with a function of `ae_keras.figures`; return its file name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with write_safely(self.folder / f"{name}.png") as path:
            save(path, *arguments, **options)
        return f"{name}.png"


@functools.lru_cache(maxsize=4)
def _load_images(split: str, spec: DataSpec) -> Images:
    return load_images(spec, [split])[split].pick(_MEASURED_IMAGES)
