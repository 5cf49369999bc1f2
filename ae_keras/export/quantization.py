"""LiteRT models in 8-bit integers: inputs, outputs, and everything in between.

Each tensor has the range of values that it takes for training images. Only the colour arithmetic of
a colourizer stays in float32: 8 bits are too few for it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from tensorflow.lite.python.convert import mlir_quantize
from tensorflow.lite.python.schema_py_generated import BuiltinOperator, QuantizationParametersT
from tensorflow.lite.tools import flatbuffer_utils
from tqdm import tqdm

from ae_keras.export.writers import strip_names
from ae_keras.system.quiet import quiet_stderr

# A range goes from the mean of groups' least values to that of their greatest. Small groups of
# images cut outliers off, as suits convolutions; dense layers of sparse images want all of the
# range. Which is best for a model is found by trying.
_GROUPS = (4, 8, 32, 256)
# A model whose measure (dB) is below is refined: the ends of its ranges are tried times these.
_GOOD = 33.0
_FACTORS = ((0.8, 0.8), (0.9, 0.9), (0.8, 1.0), (1.0, 0.8), (1.15, 1.15))
# For 8 bits a sigmoid is 0 or 1 beyond, so that a wider range of its inputs would be wasted.
_LARGEST_LOGIT = 8.0
_COLOUR_ARITHMETIC = "/head"  # in tensors' names
# Where channels have few weights, their scales fill the file. One that is larger than this share of
# the float file has one scale for each layer instead, if that makes it smaller than that.
LARGEST_SHARE = 0.35

_Samples = dict[str, dict[str, np.ndarray]]
_Ranges = dict[str, tuple[float, float]]


def quantize(
    model: bytes,
    samples: _Samples,
    batch_size: int | None,
    measure: Callable[[bytes], float],
) -> bytes:
    """Return a LiteRT model in 8-bit integers: the best of several.

    Args:
        model: bytes. In float32.
        samples: The inputs of each signature, by name, for some training images.
        batch_size: int. Of the model; None: any.
        measure: Callable. How good a model is, in dB.
    """
    count = len(next(iter(next(iter(samples.values())).values())))
    groups = sorted({min(group, count) for group in _GROUPS})
    names = _computed_tensors(model)
    interpreter = _open(model)
    candidates = [_find_ranges(interpreter, names, samples, batch_size, group) for group in groups]

    def attempt(ranges: _Ranges, one_scale: bool) -> _Attempt:
        quantized = _convert(_annotate(model, ranges), one_scale)
        return _Attempt(ranges, one_scale, quantized, measure(quantized))

    best = max((attempt(each, False) for each in candidates), key=attrgetter("score"))
    limit = LARGEST_SHARE * len(strip_names(model))
    if len(strip_names(best.model)) > limit:
        smaller = max((attempt(each, True) for each in candidates), key=attrgetter("score"))
        best = smaller if len(strip_names(smaller.model)) <= limit else best
    return best.model if best.score >= _GOOD else _refine(best, attempt).model


@dataclass(frozen=True)
class _Attempt:
    ranges: _Ranges
    one_scale: bool
    model: bytes
    score: float


def _refine(best: _Attempt, attempt: Callable[[_Ranges, bool], _Attempt]) -> _Attempt:
    """Return a better attempt: each range in turn a little narrower or wider."""
    for name in tqdm(best.ranges, desc="ranges", leave=False, disable=None):
        for factors in _FACTORS:
            changed = best.ranges | {name: tuple(np.multiply(best.ranges[name], factors))}
            best = max(best, attempt(changed, best.one_scale), key=attrgetter("score"))
    return best


def _convert(annotated: bytes, one_scale: bool) -> bytes:
    """Return a model in integers, with one scale for each layer or each of its channels."""
    with quiet_stderr():
        return mlir_quantize(
            annotated,
            disable_per_channel=one_scale,
            input_data_type=tf.int8,
            output_data_type=tf.int8,
        )


def _open(model: bytes) -> Interpreter:
    """Return an interpreter that keeps the values of all tensors."""
    with quiet_stderr():
        interpreter = Interpreter(
            model_content=model,
            experimental_preserve_all_tensors=True,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        interpreter.allocate_tensors()
    return interpreter


def _find_ranges(
    interpreter: Interpreter,
    names: set[str],
    samples: _Samples,
    batch_size: int | None,
    group: int,
) -> _Ranges:
    """Return the range of each named tensor: the means of the ends that groups of images have."""
    ranges: _Ranges = {}
    for name, inputs in samples.items():
        found = [
            _measure_group(interpreter, names, name, list(_cut(part, batch_size or group)))
            for part in _cut(inputs, group)
        ]
        ranges |= {
            tensor: tuple(np.mean([each[tensor] for each in found], 0)) for tensor in found[0]
        }
    return ranges


def _measure_group(
    interpreter: Interpreter, names: set[str], signature: str, batches: list[dict]
) -> _Ranges:
    """Return the least and the greatest value of each named tensor of a signature."""
    runner = interpreter.get_signature_runner(signature)
    first = next(iter(runner.get_input_details().values()))["name"]
    every = [interpreter.get_tensor_details(index) for index in range(interpreter.num_subgraphs())]
    subgraph, details = next(
        (index, details)
        for index, details in enumerate(every)
        if first in {detail["name"] for detail in details}
    )
    tensors = {
        each["name"]: each["index"]
        for each in details
        if each["dtype"] == np.float32 and each["name"] in names
    }
    ranges = dict.fromkeys(tensors, (np.inf, -np.inf))
    for batch in batches:
        runner(**batch)
        for name, index in tensors.items():
            values, (least, greatest) = interpreter.get_tensor(index, subgraph), ranges[name]
            ranges[name] = min(least, values.min()), max(greatest, values.max())
    return ranges


def _cut(inputs: dict[str, np.ndarray], size: int) -> Iterator[dict[str, np.ndarray]]:
    """Yield parts of so many images; the last begins again at the first, if need be."""
    count = len(next(iter(inputs.values())))
    for start in range(0, count, size):
        places = np.arange(start, start + size) % count
        yield {name: array[places] for name, array in inputs.items()}


def _annotate(model: bytes, ranges: _Ranges) -> bytes:
    """Return a model whose tensors say in which range they lie, and so are to be integers."""
    graph = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    logits = set(_inputs_of_sigmoids(graph))
    for subgraph in graph.subgraphs:
        for tensor in subgraph.tensors:
            name = tensor.name.decode()
            if name in ranges:
                limit = _LARGEST_LOGIT if name in logits else np.inf
                least, greatest = np.clip(ranges[name], -limit, limit)
                tensor.quantization = QuantizationParametersT(min=[least], max=[greatest])
    return bytes(flatbuffer_utils.convert_object_to_bytearray(graph))


def _computed_tensors(model: bytes) -> set[str]:
    """Return the names of the tensors that become integers: no constants, no colour arithmetic."""
    graph = flatbuffer_utils.convert_bytearray_to_object(bytearray(model))
    return {
        tensor.name.decode()
        for subgraph in graph.subgraphs
        for tensor in subgraph.tensors
        if graph.buffers[tensor.buffer].data is None
        and _COLOUR_ARITHMETIC not in tensor.name.decode()
    }


def _inputs_of_sigmoids(graph: Any) -> Iterator[str]:
    for subgraph in graph.subgraphs:
        for operator in subgraph.operators:
            code = graph.operatorCodes[operator.opcodeIndex].builtinCode
            if code == BuiltinOperator.LOGISTIC:
                yield subgraph.tensors[operator.inputs[0]].name.decode()
