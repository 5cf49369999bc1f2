"""What makes a codec of a trained model: its entropy model, fitted to training images."""

import numpy as np

from ae_keras.codec.hyperprior.entropy_model import HyperpriorModel
from ae_keras.codec.hyperprior.fitting import fit_hyperprior
from ae_keras.codec.keras_transform import KerasQualityTransform, KerasTransform, digest_weights
from ae_keras.codec.quantizer import Quantizer
from ae_keras.codec.table_fitting import fit_quantizer
from ae_keras.data.crop_batches import CropBatches
from ae_keras.data.images import Images, load_images
from ae_keras.data.photographs import load_photographs
from ae_keras.models.image_model import ImageModel
from ae_keras.recipe import Recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import load_model
from ae_keras.system.safe_files import write_safely


def fit_run(
    run: RunFolder, training: Images | None = None, model: ImageModel | None = None
) -> Quantizer | HyperpriorModel:
    """Fit the entropy tables of a run's model, and write them into its folder.

    Args:
        run: RunFolder. With a trained model.
        training: Images. Default: those of the run's recipe, which are read.
        model: ImageModel. That of the run, if it is at hand.

    Raises:
        ValueError: if the model or the data set cannot be read.
        OSError: if the tables cannot be written.
    """
    recipe, model = run.recipe, model or load_model(run.model)
    training = training or load_training_images(recipe)
    entropy_model = _fit(model, recipe, training)
    with write_safely(run.entropy_tables) as path:
        entropy_model.save(path)
    return entropy_model


def _fit(model: ImageModel, recipe: Recipe, training: Images) -> Quantizer | HyperpriorModel:
    images, digest = training.images, digest_weights(model)
    if model.takes_quality:
        return fit_hyperprior(KerasQualityTransform(model), model, np.asarray(images), digest)
    return fit_quantizer(KerasTransform(model, recipe), images, training.labels, digest)


def load_training_images(recipe: Recipe) -> Images:
    """Return the training images of a recipe; of photographs some crops.

    Raises:
        ValueError: if the data set does not fit the recipe.
        OSError: if it cannot be read.
    """
    if recipe.crops is None:
        return load_images(recipe.data_spec, ["train"])["train"]
    photographs = load_photographs(recipe.data_spec, ["train"])["train"]
    return CropBatches(photographs, recipe.batch_spec).sample()
