"""Training that starts from another run: from its weights, or from its whole state."""

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import keras

from ae_keras.codec.keras_transform import digest_weights
from ae_keras.recipe import Recipe
from ae_keras.registry import change_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, load_model
from ae_keras.training.checkpoint import read_checkpoint, read_step

# A decay takes about a fifth of the steps before it.
_DECAY_SHARE = 5


def fine_tune(run: str, dataset: str | None = None, **changes: Any) -> Recipe:
    """Return the recipe that trains the model of a run further, on its images or on others.

    Training begins with the weights of the run, and otherwise anew.

    Args:
        run: A run folder, or its name.
        dataset: str. Default: that of the run.
        **changes: Settings of the recipe, see `ae_keras.change_recipe`.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if its model is damaged, or a change is not acceptable.
    """
    folder = find_run(run)
    digest = digest_weights(load_model(folder.model))
    kept = {"image_shape": folder.recipe.image_shape, "start_from": _name(run, digest)}
    return change_recipe(folder.recipe, dataset, **(kept | changes))


def decay(run: str, **changes: Any) -> Recipe:
    """Return the recipe that lets the learning rate of a run fall to zero.

    Weights, their average, the optimizer's state and the count of its steps are those of the run's
    checkpoint. The run itself may go on, undisturbed.

    Args:
        run: A run folder, or its name.
        **changes: Settings of the recipe; `epochs`, over which the rate falls, are by default a
            fifth of those that the run has behind it.

    Raises:
        FileNotFoundError: if the run has no checkpoint.
        ValueError: if its schedule is not `"trapezoid"`, its checkpoint is damaged, or a change is
            not acceptable.
    """
    folder = find_run(run)
    if not folder.checkpoint.is_file():
        raise FileNotFoundError(
            f"{str(folder.path)!r} has no {folder.checkpoint.name!r}, the state of its training. "
            f"Train its model further with --start-from {run}."
        )
    if folder.recipe.schedule != "trapezoid":
        raise ValueError(
            f"The schedule of {run!r} is {folder.recipe.schedule!r}; a decay goes on from a run of "
            "the schedule 'trapezoid'."
        )
    digest, step = _digest_file(folder.checkpoint), read_step(folder.checkpoint)
    epochs = changes.pop("epochs", max(1, len(folder.history) // _DECAY_SHARE))
    changes |= {
        "epochs": epochs,
        "schedule": "trapezoid",
        "schedule_arguments": {"decay_epochs": epochs},
        "start_from": _name(run, digest) | {"step": step},
    }
    return change_recipe(folder.recipe, **changes)


def _name(run: str, digest: str) -> dict[str, Any]:
    return {"name": run, "digest": digest}


def start(model: keras.Model, recipe: Recipe) -> None:
    """Set a compiled model to the state that a recipe starts from, if it names one.

    Raises:
        FileNotFoundError: if what it starts from is no longer there.
        ValueError: if it has changed, or is of another model.
    """
    if not recipe.start_from:
        return
    name, digest = recipe.start_from["name"], recipe.start_from["digest"]
    folder = find_run(name)
    if "step" in recipe.start_from:
        _check(name, _digest_file(folder.checkpoint), digest)
        read_checkpoint(folder.checkpoint, model)
        return
    source = load_model(folder.model)
    _check(name, digest_weights(source), digest)
    try:
        model.set_weights(source.get_weights())
    except ValueError as error:
        raise ValueError(
            f"{name!r} is of another architecture: {folder.recipe.model!r} with "
            f"{folder.recipe.model_arguments}. Give the new run the same one."
        ) from error


def resume_start(recipe: Recipe, run: RunFolder) -> Recipe:
    """Return a recipe that starts from what the run in a folder has started from.

    Where both name the same run, that may have gone on since: a command that is given again means
    what it meant at first.
    """
    if not recipe.start_from or not run.exists:
        return recipe
    before = run.recipe.start_from
    if before.get("name") != recipe.start_from["name"]:
        return recipe
    return dataclasses.replace(recipe, start_from=before)


def _check(name: str, found: str, expected: str) -> None:
    if found != expected:
        raise ValueError(f"{name!r} has changed since the recipe was made. Make it again.")


def _digest_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
