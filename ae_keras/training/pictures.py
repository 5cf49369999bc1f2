"""The pictures of a finished run."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import keras

from ae_keras import figures
from ae_keras.data.images import Images
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.pictures import write_augmentation, write_reconstructions, write_samples
from ae_keras.system.safe_files import write_safely
from ae_keras.system.text_tables import one_line


def write_pictures(
    run: RunFolder,
    recipe: Recipe,
    history: list[dict[str, float]],
    model: keras.Model,
    images: dict[str, Images],
) -> None:
    """Write all pictures of a run; one that cannot be drawn is left out, with a line on stderr.

    Args:
        run: RunFolder.
        recipe: Recipe.
        history: A dict for each epoch.
        model: ImageModel. The best one.
        images: Images of training and test.
    """
    title = f"{recipe.model} on {one_line(recipe.data_name)}"
    with _unless_it_fails(run.history_figure), write_safely(run.history_figure) as path:
        figures.save_history(path, history, title, model.name_loss(recipe.loss))
    with _unless_it_fails(run.reconstructions_figure):
        write_reconstructions(model, images["test"], recipe, run.reconstructions_figure)
    if recipe.batch_spec.augments:
        with _unless_it_fails(run.augmentation_figure):
            write_augmentation(images["train"], recipe, run.augmentation_figure)
    if model.is_variational:
        with _unless_it_fails(run.samples_figure):
            write_samples(model, images["test"], recipe, run.samples_figure)


@contextlib.contextmanager
def _unless_it_fails(path: Path) -> Iterator[None]:
    """Go on after a picture that fails: it is not worth the run, which took hours."""
    try:
        yield
    except Exception as error:
        reason = " ".join(str(error).split())
        print(
            f"left out: {one_line(str(path))} ({type(error).__name__}: {reason})", file=sys.stderr
        )
