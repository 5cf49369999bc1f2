"""Signatures to files: SavedModel, LiteRT and ONNX."""

import copy
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.schema_py_generated import (
    BufferT,
    BuiltinOperator,
    OperatorCodeT,
    OperatorT,
    TensorType,
)
from tensorflow.lite.tools import flatbuffer_utils

from ae_keras.export.extras import import_extra
from ae_keras.export.signatures import Signature, join
from ae_keras.system.quiet import quiet_stderr
from ae_keras.system.safe_files import scratch_folder

# Of the operators of ONNX; runtimes since 2023 know them.
_OPSET = 18
# Of LiteRT: the operator that turns numbers of 16 bits into 32, and the first of its versions that
# does; the buffer of all tensors that are computed.
_DEQUANTIZE, _TAKES_16_BITS, _EMPTY = BuiltinOperator.DEQUANTIZE, 3, 0
# Fewer numbers than these are not worth another operator.
_MANY = 1024


def write_saved_model(signatures: list[Signature], path: str | Path) -> None:
    """Write a SavedModel: a folder with all signatures, and as its default their sequence."""
    whole = join(signatures)
    module = tf.Module()  # not Keras's own archive, which holds all weights twice
    module.weights = [weight.value for weight in whole.weights]
    functions = {
        each.name: tf.function(each.function, input_signature=each.inputs)
        for each in (whole, *signatures)
    }
    functions["serving_default"] = functions[whole.name]
    with quiet_stderr():
        tf.saved_model.save(module, str(path), signatures=functions)


def convert_to_litert(signatures: list[Signature], quantization: str = "none") -> bytes:
    """Return a LiteRT model of LiteRT's own operators alone.

    Args:
        signatures: Signature.
        quantization: str. `"none"`; `"float16"`: weights of 16 bits, which the runtime turns back
            into 32; or `"dynamic"`: weights of 8 bits, and what they are multiplied with becomes 8
            bits on the way.

    Raises:
        ValueError: if they do not suffice.
    """
    with scratch_folder() as folder, quiet_stderr():
        write_saved_model(signatures, folder)
        names = [signature.name for signature in signatures]
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=names)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if quantization != "none":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if quantization == "float16":
            converter.target_spec.supported_types = [tf.float16]
        try:
            return converter.convert()
        except Exception as error:  # of the converter's own type
            raise ValueError(f"LiteRT cannot express the model: {error}") from error


def strip_names(model: bytes) -> bytes:
    """Return a LiteRT model without names within it, which fill a tenth of a small one's file.

    Those of signatures, and of their inputs and outputs, stay.
    """
    graph = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    for subgraph in graph.subgraphs:
        for tensor in subgraph.tensors:
            tensor.name = None
    return bytes(flatbuffer_utils.convert_object_to_bytearray(graph))


def halve_constants(model: bytes) -> bytes:
    """Return a LiteRT model with constants in 16 bits, where that changes none of their values.

    The runtime turns them back into 32 bits when it loads the model. Unlike the float16 of
    `convert_to_litert`, which rounds whatever there is, this takes what is exact.
    """
    graph = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    tensors = [tensor for subgraph in graph.subgraphs for tensor in subgraph.tensors]
    others = {tensor.buffer for tensor in tensors if tensor.type != TensorType.FLOAT32}
    halved = {
        number
        for number, buffer in enumerate(graph.buffers)
        if number not in others and buffer.data is not None and _halve(buffer)
    }
    code = OperatorCodeT(_DEQUANTIZE, version=_TAKES_16_BITS, builtinCode=_DEQUANTIZE)
    graph.operatorCodes.append(code)
    for subgraph in graph.subgraphs:
        for index, tensor in enumerate(list(subgraph.tensors)):
            if tensor.buffer in halved:
                half = copy.copy(tensor)
                half.type, tensor.buffer = TensorType.FLOAT16, _EMPTY
                inputs, outputs = [len(subgraph.tensors)], [index]
                subgraph.tensors.append(half)
                operator = OperatorT(len(graph.operatorCodes) - 1, inputs, outputs)
                subgraph.operators.insert(0, operator)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(graph))


def _halve(buffer: BufferT) -> bool:
    """Store float32 numbers in 16 bits, if there are many and it is exact; return whether it is."""
    values = np.frombuffer(bytes(buffer.data), "<f4")
    with np.errstate(over="ignore"):
        halves = values.astype("<f2")
    if len(values) < _MANY or not np.array_equal(halves, values):
        return False
    buffer.data = halves.view(np.uint8)
    return True


def convert_to_onnx(signatures: list[Signature], metadata: dict[str, str]) -> bytes:
    """Return an ONNX model of the sequence of all signatures.

    Args:
        signatures: Signature. One, or `encode` and `decode`.
        metadata: Texts that the file is to carry.

    Raises:
        ModuleNotFoundError: if `tf2onnx` is not installed.
    """
    tf2onnx = import_extra("tf2onnx")
    whole = join(signatures)
    function = tf.function(whole.function, input_signature=whole.inputs)
    with quiet_stderr():
        model, _ = tf2onnx.convert.from_function(function, whole.inputs, opset=_OPSET)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    return model.SerializeToString()
