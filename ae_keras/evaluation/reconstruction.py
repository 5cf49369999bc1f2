"""How well a model reconstructs the images of a data set."""

import json
import math
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ae_keras import metrics
from ae_keras.data.batches import make_batches
from ae_keras.data.images import Images, load_images
from ae_keras.data.own_splits import default_split
from ae_keras.data.photographs import load_photographs
from ae_keras.evaluation import estimated_rate, quality_pictures
from ae_keras.evaluation.contenders import load_fitted_codec
from ae_keras.layers.standardization import channel_statistics
from ae_keras.metrics import colour as colour_metrics
from ae_keras.recipe import Recipe
from ae_keras.registry import change_recipe
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import find_run, load_model, results_folder
from ae_keras.runs.pictures import write_reconstructions
from ae_keras.system.safe_files import write_text


def measure(model: keras.Model, data: Images, recipe: Recipe) -> dict[str, float | int | None]:
    """Measure a model's reconstructions of some images.

    Args:
        model: ImageModel. One that takes a quality takes its own choice of it.
        data: Images.
        recipe: Recipe. Its task and batch size are used.

    Returns:
        - `images`: how many.
        - `mse`: mean squared error, images in [0, 1].
        - `mse_standardized`: each channel's divided by its variance over these images; None if a
          channel does not vary.
        - `psnr`: mean over the images of each one's PSNR, in dB; None if one is perfect.
        - `psnr_of_mean_mse`: PSNR of the mean MSE, in dB: the lower one.
        - `kl`: divergence of the latents from the prior, in nats of an image; only of a
          variational model.
        - `ssim`, `ms_ssim`: means over the images, and `ms_ssim_scales`, how many of the five
          scales fit; only for images of at least 11x11 pixels.
        - `ab_rmse`, over all pixels, and `delta_e` (CIEDE2000) and `colourfulness`, means over the
          images; only of colourization.
    """
    batches = make_batches(data, recipe.batch_spec).evaluation_arrays()
    scored = [_score(model, inputs, targets, recipe) for inputs, targets in batches]
    scores = {key: np.concatenate([batch[key] for batch in scored]) for key in scored[0]}
    errors = _errors(scores.pop("errors"), data.images)
    result: dict[str, Any] = {"images": len(data.images), **errors}
    result |= {key: float(values.mean()) for key, values in scores.items()}
    if "ms_ssim" in result:
        result["ms_ssim_scales"] = metrics.count_scales(*data.images.shape[1:3])
    if "chroma_mse" in result:
        result["ab_rmse"] = math.sqrt(result.pop("chroma_mse"))
    return result


def _score(
    model: keras.Model, inputs: Any, targets: np.ndarray, recipe: Recipe
) -> dict[str, np.ndarray]:
    """Return, of a batch, the squared errors `(count, channels)` and a value for each image."""
    images, labels = inputs if recipe.conditional else (inputs, None)
    outputs = model.predict_on_batch(model.inputs_for(images, labels))
    scores = {"errors": metrics.channel_mse(targets, outputs)}
    if model.is_variational:
        scores["kl"] = np.asarray(model.divergence(images))
    if metrics.count_scales(*targets.shape[1:3]):
        scores["ssim"] = metrics.ssim(targets, outputs)
        scores["ms_ssim"] = metrics.ms_ssim(targets, outputs)
    if recipe.task == "colourization":
        scores["chroma_mse"] = colour_metrics.chroma_mse(targets, outputs)
        scores["delta_e"] = colour_metrics.delta_e(targets, outputs)
        scores["colourfulness"] = colour_metrics.colourfulness(outputs)
    return scores


def _errors(errors: np.ndarray, images: np.ndarray) -> dict[str, float | None]:
    """Summarize squared errors `(count, channels)`."""
    _, variance = channel_statistics(images)
    values = {
        "mse": errors.mean(),
        "mse_standardized": np.mean(errors.mean(axis=0) / variance) if variance.all() else np.inf,
        "psnr": np.mean(metrics.psnr(errors.mean(axis=1))),
        "psnr_of_mean_mse": metrics.psnr(errors.mean()),
    }
    return {key: float(value) if math.isfinite(value) else None for key, value in values.items()}


def check_labels(data: Images, model: keras.Model, recipe: Recipe) -> None:
    """Raise `ValueError` if a conditional model does not know the labels of some images."""
    if recipe.conditional and (data.labels is None or data.labels.max() >= model.classes):
        raise ValueError(
            f"The model was trained with {model.classes} labels, and the data set "
            f"{recipe.dataset!r} has {len(data.class_names) or 'none'}."
        )


def evaluate(
    run: str | Path,
    dataset: str | None = None,
    split: str | None = None,
    output_dir: str | Path | None = None,
    skip_unreadable: bool = False,
) -> tuple[dict[str, float | int | None], list[Path]]:
    """Measure a trained model on a split of its own data set or of another.

    Args:
        run: A run folder, or its name in `saved_models`.
        dataset: str. Default: the data set of the run. Another one is split in its own way.
        split: `"train"`, `"validation"`, `"test"` or `"all"`. Default: `"test"`, but `"all"` of
            another folder or NumPy file that comes without splits.
        output_dir: Where to write the metrics as JSON and a figure. Default: the run folder, or
            what `results_folder` says.
        skip_unreadable: bool. Leave files that are not readable images out.

    Returns:
        What `measure` returns, and the files. Of a model that takes a quality also its BD-rates to
        JPEG on the whole photographs, in percent, by estimated rate, and figures of them.

    Raises:
        FileNotFoundError: if there is no such run.
        ValueError: if the data set is unknown or does not fit the model.
        OSError: if files cannot be read or written, or a data set cannot be downloaded.
    """
    folder = find_run(run)
    recipe, model = folder.recipe, load_model(folder.model)
    skip = skip_unreadable or recipe.skip_unreadable
    recipe = change_recipe(recipe, dataset, image_shape=recipe.image_shape, skip_unreadable=skip)
    split = split or default_split(recipe.data_spec, folder.recipe.data_spec)
    output_dir = Path(output_dir or results_folder(folder))
    name = f"evaluation-{recipe.data_name}-{split}"
    table, figure = (output_dir / f"{name}.{ending}" for ending in ("json", "png"))
    data = load_images(recipe.data_spec, [split])[split]
    check_labels(data, model, recipe)
    result, files = measure(model, data, recipe), list[Path]()
    output_dir.mkdir(parents=True, exist_ok=True)
    _write_table(table, result)  # first, whatever becomes of the figures
    write_reconstructions(model, data, recipe, figure, split)
    if model.takes_quality and recipe.crops is not None:
        files = _measure_qualities(folder, model, recipe, split, output_dir / name, result)
        _write_table(table, result)
    return result, [table, figure, *files]


def _write_table(path: Path, result: dict[str, Any]) -> None:
    write_text(path, json.dumps(result, indent=2) + "\n")


def _measure_qualities(
    folder: RunFolder,
    model: keras.Model,
    recipe: Recipe,
    split: str,
    name: Path,
    result: dict[str, Any],
) -> list[Path]:
    """Add the BD-rates to JPEG on whole photographs to a result, and draw two figures."""
    photographs = load_photographs(recipe.data_spec, [split])[split].by_kind()
    jpeg = estimated_rate.jpeg_points(photographs)
    codec = load_fitted_codec(folder, recipe)
    for prefix, points in (
        ("estimated_", estimated_rate.estimate_points(model.in_float32(), photographs)),
        ("", estimated_rate.file_points(codec, photographs)),
    ):
        figures = estimated_rate.summarize(points, jpeg)
        chosen = {key: value for key, value in figures.items() if key.startswith("bd_rate")}
        result |= {f"{prefix}{key}": value for key, value in chosen.items()}
    progress, qualities = (
        name.with_name(f"{name.name}-{end}.png") for end in ("progress", "qualities")
    )
    quality_pictures.write_progress(folder.history, folder.recipe, progress)
    title = f"{folder.path.name}: a photograph of {recipe.data_name} ({split})"
    quality_pictures.write_qualities(codec, photographs, title, qualities)
    return [progress, qualities]
