"""Exporting a run: the file, its proof, and what it takes."""

import contextlib
import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import tensorflow as tf

from ae_keras.codec.litert import unpack
from ae_keras.data.images import Images, load_images
from ae_keras.evaluation.reconstruction import check_labels
from ae_keras.export import Export
from ae_keras.export.exporter import Exporter
from ae_keras.export.latency import probe
from ae_keras.export.parity import check
from ae_keras.recipe import Recipe
from ae_keras.registry import change_recipe
from ae_keras.runs.loading import find_run, results_folder
from ae_keras.system.safe_files import write_folder_safely, write_text

REPORT = "export.json"
# Images that results are compared on, and that integers get their ranges from.
MOST_IMAGES = 256


def export_run(
    run: str | Path,
    export: Export,
    output: str | Path | None = None,
    dataset: str | None = None,
    overwrite: bool = False,
    threads: Sequence[int] = (1, 2),
) -> tuple[Path, dict]:
    """Export a trained model, and prove that it computes the same.

    Args:
        run: A run folder, or its name in `saved_models`.
        export: Export.
        output: The folder to write. Default: `exports/` and the export's name in the run folder, or
            in what `results_folder` says.
        dataset: str. Whose test images results are compared on; integers have the ranges of its
            training images. Default: that of the run.
        overwrite: bool. Replace an export that is there.
        threads: Numbers of threads to time the exported model with.

    Returns:
        The exported file, or the folder of a SavedModel; and the report, which stands beside it
        in `export.json`.

    Raises:
        FileNotFoundError: if there is no such run.
        FileExistsError: if the folder exists.
        ValueError: if the model has no such part, or the data set does not fit.
        ArithmeticError: if the exported model's results are too far from the Keras model's.
        ModuleNotFoundError: if the export needs a library that is not installed.
        OSError: if files cannot be written, or the data set is not at hand.
    """
    folder = find_run(run)
    target = Path(output or results_folder(folder) / folder.exports.name / export.name)
    _check_target(target, overwrite)
    exporter = Exporter(folder, export)
    data = load_images_for(exporter, dataset)
    with write_folder_safely(target) as temporary, exact_floats():
        path = exporter.write(temporary, data.get("train"))
        parity, inputs = exporter.compare(path, data["test"])
        check(parity, export.quantization)
        report = _describe(exporter, path) | {
            "images": {
                "dataset": _recipe_of(exporter, dataset).data_name,
                "count": len(data["test"].images),
            },
            "parity": parity,
            "speed": {str(count): _time(export, path, inputs, count) for count in threads},
        }
        write_text(temporary / REPORT, json.dumps(report, indent=2) + "\n")
    return target / path.relative_to(temporary), report


@contextlib.contextmanager
def exact_floats() -> Iterator[None]:
    """Keep TensorFlow from multiplying float32 with fewer bits, as it does on some GPUs."""
    was_enabled = tf.config.experimental.tensor_float_32_execution_enabled()
    tf.config.experimental.enable_tensor_float_32_execution(False)
    try:
        yield
    finally:
        tf.config.experimental.enable_tensor_float_32_execution(was_enabled)


def _check_target(target: Path, overwrite: bool) -> None:
    """Refuse to replace what is not an export, or is more than one."""
    if not target.exists() or _is_free(target):
        return
    report = target / REPORT
    if not report.is_file():
        raise FileExistsError(f"{str(target)!r} exists, and is no export. Choose another --output.")
    try:
        known = {REPORT, *json.loads(report.read_text(encoding="utf-8"))["files"]}
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"{str(report)!r} is damaged. Choose another --output, or delete its folder."
        ) from None
    others = {file.relative_to(target).as_posix() for file in _files(target)} - known
    if others:
        raise FileExistsError(
            f"{str(target)!r} holds other files than an export's: {', '.join(sorted(others))}. "
            "Choose another --output."
        )
    if not overwrite:
        raise FileExistsError(
            f"{str(target)!r} exists. Choose another --output, or replace it with --overwrite."
        )


def _is_free(folder: Path) -> bool:
    """Whether nothing is in a folder, nor anyone: the current one would be lost to the shell."""
    return folder.is_dir() and not any(folder.iterdir()) and not folder.samefile(Path.cwd())


def _files(path: Path) -> list[Path]:
    return [path] if path.is_file() else [each for each in path.rglob("*") if each.is_file()]


def load_images_for(exporter: Exporter, dataset: str | None = None) -> dict[str, Images]:
    """Return a few test images and, for int8, training images.

    Args:
        exporter: Exporter.
        dataset: str. Whose images they are. Default: the run's.

    Raises:
        ValueError: if the data set does not fit the model.
        OSError: if it is not at hand.
    """
    recipe = _recipe_of(exporter, dataset)
    parts = ["train", "test"] if exporter.export.quantization == "int8" else ["test"]
    try:
        data = load_images(recipe.data_spec, parts)
    except OSError as error:
        reason = "int8 takes its ranges" if "train" in parts else "An export takes its proof"
        raise type(error)(f"{reason} from images of the data set. {error}") from error
    picked = {part: images.pick(MOST_IMAGES) for part, images in data.items()}
    for images in picked.values():
        check_labels(images, exporter.reference, recipe)
    return picked


def _recipe_of(exporter: Exporter, dataset: str | None) -> Recipe:
    shape = exporter.recipe.image_shape
    return change_recipe(exporter.recipe, dataset, image_shape=shape)


def _describe(exporter: Exporter, path: Path) -> dict:
    """Return what was exported, and its size in bytes."""
    files, folder = _files(path), path.parent if path.is_file() else path
    entropy_model, size = exporter.entropy_model, sum(file.stat().st_size for file in files)
    is_litert = exporter.export.format == "litert"
    return {
        "format": exporter.export.format,
        "batch_size": exporter.export.batch_size,
        **dataclasses.asdict(exporter.description),
        "codec_digest": None if entropy_model is None else entropy_model.digest.hex(),
        "files": sorted(file.relative_to(folder).as_posix() for file in files),
        "bytes": size,
        # Without what LiteRT files carry for the codec.
        "model_bytes": len(unpack(path.read_bytes())[0]) if is_litert else size,
    }


def _time(export: Export, path: Path, inputs: dict, threads: int) -> dict[str, float]:
    batch = {name: array[: export.batch_size or 1] for name, array in inputs.items()}
    return probe(export.format, path, batch, threads)
