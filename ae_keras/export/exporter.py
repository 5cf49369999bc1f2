"""A trained model on its way into a file: converted, quantized, described, compared."""

import dataclasses
import json
import math
from pathlib import Path

import keras
import numpy as np

from ae_keras.codec.keras_transform import digest_weights
from ae_keras.codec.litert import Description, LiteRTModel, pack
from ae_keras.codec.loading import load_entropy_model
from ae_keras.data.images import Images
from ae_keras.export import Export
from ae_keras.export.parity import compare, make_inputs, run_keras
from ae_keras.export.quantization import quantize
from ae_keras.export.runtimes import load_exported_model, run_all
from ae_keras.export.signatures import make_signatures, rebuild
from ae_keras.export.writers import (
    convert_to_litert,
    convert_to_onnx,
    strip_names,
    write_saved_model,
)
from ae_keras.runs.folder import RunFolder
from ae_keras.runs.loading import load_model

# Of the images that integers get their ranges from, those that ranges are compared on.
_JUDGED_IMAGES = 128
_SUFFIXES = {"litert": ".tflite", "onnx": ".onnx"}


def check_backend() -> None:
    """Raise `ValueError` unless Keras is on TensorFlow, which alone exports models."""
    if keras.config.backend() != "tensorflow":
        raise ValueError("Models are exported with KERAS_BACKEND=tensorflow alone.")


class Exporter:
    """Exports a model, and compares what comes out.

    Args:
        run: RunFolder. With a trained model.
        export: Export.

    Raises:
        ValueError: if the model cannot be loaded, has no such part or is not for such integers, or
            Keras is not on TensorFlow.
    """

    def __init__(self, run: RunFolder, export: Export):
        check_backend()
        self.run, self.export, self.recipe = run, export, run.recipe
        trained = load_model(run.model)
        if trained.takes_quality and export.quantization == "int8":
            raise ValueError(
                f"{self.recipe.model!r} is not exported in integers of 8 bits: they are too coarse "
                "for latents of all qualities. Choose float16 or dynamic."
            )
        # What was trained in half the bits would compute in them too.
        is_exact = self.recipe.precision == "float32"
        self.reference = trained if is_exact else rebuild(trained, self.recipe, any_size=False)
        any_size = export.batch_size is None
        self._exported = rebuild(trained, self.recipe, any_size)
        self._signatures = make_signatures(
            self._exported, self.recipe, export.part, export.batch_size
        )
        weights_digest = digest_weights(trained)
        self.description = self._describe(weights_digest)
        has_tables = run.entropy_tables.is_file()
        self.entropy_model = load_entropy_model(run, weights_digest) if has_tables else None

    def _describe(self, weights_digest: str) -> Description:
        model = self.reference
        latent_shape = list(model.latent_shape) if model.has_latent else None
        return Description(
            name=self.run.path.resolve().name,
            recipe=json.loads(self.recipe.to_json()),
            weights_digest=weights_digest,
            part=self.export.part,
            quantization=self.export.quantization,
            image_shape=list(self.recipe.image_shape),
            latent_shape=latent_shape,
            takes_any_size=self._exported.image_shape[0] is None and self.export.batch_size is None,
            classes=model.classes,
            multiple=None if model.has_latent else model.multiple,
        )

    def write(self, folder: Path, training: Images | None) -> Path:
        """Write the export into a folder.

        Args:
            folder: Path.
            training: Images. Whose ranges integers are to have; for int8.

        Returns:
            The file, or the folder of a SavedModel.

        Raises:
            ValueError: if the runtime lacks an operator of the model.
            ModuleNotFoundError: if a library is not installed.
            OSError: if it cannot be written.
        """
        if self.export.format == "saved_model":
            write_saved_model(self._signatures, folder)
            return folder
        part = "" if self.export.part == "autoencoder" else f"-{self.export.part}"
        path = folder / f"{self.description.name}{part}{_SUFFIXES[self.export.format]}"
        path.write_bytes(self._convert(training))
        return path

    def _convert(self, training: Images | None) -> bytes:
        if self.export.format == "onnx":
            metadata = dataclasses.asdict(self.description)
            texts = {name: json.dumps(value) for name, value in metadata.items()}
            return convert_to_onnx(self._signatures, texts)
        if self.export.quantization == "int8":
            model = self._quantize(convert_to_litert(self._signatures), training)
        else:
            model = convert_to_litert(self._signatures, self.export.quantization)
        tables = None if self.entropy_model is None else self.run.entropy_tables.read_bytes()
        return pack(strip_names(model), self.description, tables)

    def _quantize(self, model: bytes, training: Images | None) -> bytes:
        if training is None:
            raise ValueError("Integers take their ranges from training images, and got none.")
        inputs, expected = self._expect(training)
        values = inputs | expected
        samples = {
            name: {key: values[key] for key in needed}
            for name, needed in LiteRTModel(model).signatures.items()
        }
        inputs, expected = (
            {name: array[:_JUDGED_IMAGES] for name, array in each.items()}
            for each in (inputs, expected)
        )

        def measure(quantized: bytes) -> float:
            parity = compare(run_all(LiteRTModel(quantized), inputs), expected).values()
            return min(math.inf if each["psnr"] is None else each["psnr"] for each in parity)

        return quantize(model, samples, self.export.batch_size, measure)

    def _expect(self, data: Images) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Return the inputs of the exported part for some images, and what Keras makes of them."""
        inputs = make_inputs(self.reference, data)
        expected = run_keras(self.reference, inputs)
        if self.export.part == "decoder":
            inputs["latents"] = expected.pop("latents")
            del inputs["images"]
        return inputs, expected

    def compare(self, path: Path, test: Images) -> tuple[dict, dict[str, np.ndarray]]:
        """Return how far an export is from the Keras model, and the inputs that it was given.

        Args:
            path: Path. What `write` returned.
            test: Images.
        """
        inputs, expected = self._expect(test)
        model = load_exported_model(self.export.format, path)
        return compare(run_all(model, inputs), expected, self.entropy_model), inputs
