"""Exported files as functions of arrays, each in its own runtime.

See `LiteRTModel` for that of LiteRT.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ae_keras.codec.litert import SIGNATURES, LiteRTModel, in_batches
from ae_keras.export.extras import import_extra

# Images that are in memory together, with all that a model makes of them.
BATCH_SIZE = 64


class ExportedModel(Protocol):
    """An exported file in its runtime."""

    @property
    def signatures(self) -> dict[str, list[str]]:
        """The names of each signature's inputs; one takes what those before it give."""

    def run(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of a signature, by name, for arrays of any number of images."""


def load_exported_model(format: str, path: str | Path, threads: int | None = None) -> ExportedModel:
    """Load an exported file.

    Args:
        format: str. One of `ae_keras.export.FORMATS`.
        path: The file; of a SavedModel its folder.
        threads: int. Default: the runtime's choice. TensorFlow's must be set before it is used.

    Raises:
        ModuleNotFoundError: if the runtime is not installed.
    """
    if format == "litert":
        return LiteRTModel(Path(path).read_bytes(), threads)
    runtimes: dict[str, Callable[..., ExportedModel]] = {
        "saved_model": SavedModel,
        "onnx": OnnxModel,
    }
    return runtimes[format](path, threads)


def run_all(
    model: ExportedModel, inputs: dict[str, np.ndarray], batch_size: int = BATCH_SIZE
) -> dict[str, np.ndarray]:
    """Run all signatures, one after the other; return what came out of each.

    Args:
        model: What `load_exported_model` returned.
        inputs: Arrays of any number of images.
        batch_size: int. Images that pass through all signatures together.
    """

    def run(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        values = dict(batch)
        for name, needed in model.signatures.items():
            values |= model.run(name, {key: values[key] for key in needed})
        return {name: array for name, array in values.items() if name not in batch}

    return in_batches(run, inputs, min(batch_size, len(next(iter(inputs.values())))))


class SavedModel:
    """A SavedModel in TensorFlow."""

    def __init__(self, path: str | Path, threads: int | None = None):
        import tensorflow as tf

        if threads is not None:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        self._tensor = tf.constant
        self._model = tf.saved_model.load(str(path))  # the functions do not keep it alive
        functions = self._model.signatures
        self._functions = {name: functions[name] for name in SIGNATURES if name in functions}

    @property
    def signatures(self) -> dict[str, list[str]]:
        """The names of each signature's inputs."""
        return {name: list(self._specs(name)) for name in self._functions}

    def _specs(self, name: str) -> dict[str, Any]:
        return self._functions[name].structured_input_signature[1]

    def run(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of a signature."""
        specs = self._specs(signature)

        def run(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            tensors = {name: self._tensor(batch[name], specs[name].dtype) for name in specs}
            outputs = self._functions[signature](**tensors)
            return {name: tensor.numpy() for name, tensor in outputs.items()}

        return in_batches(run, inputs, next(iter(specs.values())).shape[0])


class OnnxModel:
    """An ONNX model in ONNX Runtime."""

    def __init__(self, path: str | Path, threads: int | None = None):
        runtime = import_extra("onnxruntime")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads or 0
        self._session = runtime.InferenceSession(str(path), options, ["CPUExecutionProvider"])

    @property
    def signatures(self) -> dict[str, list[str]]:
        """The names of the inputs of the one function that an ONNX model has."""
        return {"run": [tensor.name for tensor in self._session.get_inputs()]}

    def run(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs."""
        outputs = [tensor.name for tensor in self._session.get_outputs()]
        size = self._session.get_inputs()[0].shape[0]

        def run(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return dict(zip(outputs, self._session.run(outputs, batch), strict=True))

        return in_batches(run, inputs, size if isinstance(size, int) else None)
