"""LiteRT models with numbers of fewer bits, by Google's quantizer.

- `float16`: weights of 16 bits, which the runtime turns back into 32.
- `dynamic`: weights of 8 bits; what they are multiplied with becomes 8 bits on the way.
- `int8`: 8 bits throughout, inputs and outputs too, with the ranges that training images have.
  Only the colour arithmetic of a colourizer stays as it is: 8 bits are too few for it.
"""

import contextlib
import os
from collections.abc import Callable, Iterator

import numpy as np

from ae_keras.export.extras import import_extra

# A range goes from the mean of batches' least values to that of their greatest. Small batches cut
# outliers off, as suits convolutions; dense layers of sparse images want all of the range. Which
# is best for a model is found by trying.
_BATCHES = (4, 8, 32, 256)
# For 8 bits a sigmoid is 0 or 1 beyond, so that a wider range of its inputs would be wasted.
_LARGEST_LOGIT = 8.0
_LOGISTIC = 14  # an operator, in the schema of LiteRT
_COLOUR_ARITHMETIC = ".*/head.*"  # of tensors' names
# Where channels have few weights, their scales fill the file. One that is larger than this share of
# the float file has one scale for each layer instead, if that makes it smaller than that.
LARGEST_SHARE = 0.35


def quantize(model: bytes, quantization: str) -> bytes:
    """Return a LiteRT model with weights of fewer bits.

    Args:
        model: bytes. In float32.
        quantization: str. `"float16"` or `"dynamic"`.

    Raises:
        ModuleNotFoundError: if `ai_edge_quantizer` is not installed.
    """
    quantizer = _start(model)
    if quantization == "float16":
        _cast_to_float16(quantizer)
    else:
        recipes = import_extra("ai_edge_quantizer.recipe")
        quantizer.load_quantization_recipe(recipes.dynamic_wi8_afp32())
    return _finish(quantizer)


def quantize_fully(
    model: bytes,
    samples: dict[str, dict[str, np.ndarray]],
    batch_size: int | None,
    measure: Callable[[bytes], float],
) -> bytes:
    """Return a LiteRT model in 8-bit integers: the best of several.

    Args:
        model: bytes. In float32.
        samples: The inputs of each signature for some training images.
        batch_size: int. Of the model; None: any.
        measure: Callable. How good a model is, higher for a better one.

    Raises:
        ModuleNotFoundError: if `ai_edge_quantizer` is not installed.
    """
    ranges = [_find_ranges(model, samples, size) for size in _BATCHES if batch_size is None]
    ranges = ranges or [_find_ranges(model, samples, batch_size)]
    best = max((_quantize_with(model, each, "CHANNELWISE") for each in ranges), key=measure)
    limit = LARGEST_SHARE * len(model)
    if len(best) > limit:
        smaller = max((_quantize_with(model, each, "TENSORWISE") for each in ranges), key=measure)
        best = smaller if len(smaller) <= limit else best
    return best


def _start(model: bytes):
    return import_extra("ai_edge_quantizer.quantizer").Quantizer(bytearray(model))


def _finish(quantizer, ranges=None) -> bytes:
    return bytes(
        quantizer.quantize(
            ranges, enable_progress_bar=False, enable_progress_report=False
        ).quantized_model
    )


def _cast_to_float16(quantizer) -> None:
    types = import_extra("ai_edge_quantizer.qtyping")
    names = import_extra("ai_edge_quantizer.algorithm_manager").AlgorithmName
    weights = types.TensorQuantizationConfig(num_bits=16, dtype=types.TensorDataType.FLOAT)
    quantizer.update_quantization_recipe(
        ".*",
        types.TFLOperationName.ALL_SUPPORTED,
        types.OpQuantizationConfig(
            weight_tensor_config=weights,
            compute_precision=types.ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        names.FLOAT_CASTING,
    )


def _start_fully(model: bytes, granularity: str):
    types = import_extra("ai_edge_quantizer.qtyping")
    names = import_extra("ai_edge_quantizer.algorithm_manager").AlgorithmName
    quantizer, everything = _start(model), types.TFLOperationName.ALL_SUPPORTED
    quantizer.add_static_config(
        ".*", everything, 8, 8, weight_granularity=types.QuantGranularity[granularity]
    )
    quantizer.update_quantization_recipe(
        _COLOUR_ARITHMETIC, everything, algorithm_key=names.NO_QUANTIZE
    )
    return quantizer


def _find_ranges(model: bytes, samples, size: int) -> dict:
    """Return the range of each tensor, over whole batches of so many images."""
    batches = {name: list(_cut(inputs, size)) for name, inputs in samples.items()}
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        ranges = _start_fully(model, "CHANNELWISE").calibrate(batches)
    for name in _logits(model):
        for end in ranges[name]:
            ranges[name][end] = np.clip(ranges[name][end], -_LARGEST_LOGIT, _LARGEST_LOGIT)
    return ranges


def _cut(inputs: dict[str, np.ndarray], size: int) -> Iterator[dict[str, np.ndarray]]:
    """Yield batches of one size; there is at least one, if need be of repeated images."""
    count = len(next(iter(inputs.values())))
    for start in range(0, max(count - size, 0) + 1, size):
        places = np.arange(start, start + size) % count
        yield {name: array[places] for name, array in inputs.items()}


def _logits(model: bytes) -> Iterator[str]:
    """Yield the names of the tensors that are inputs of sigmoids."""
    graph = import_extra("ai_edge_quantizer.utils.tfl_flatbuffer_utils").read_model(
        bytearray(model)
    )
    for subgraph in graph.subgraphs:
        for operator in subgraph.operators:
            if graph.operatorCodes[operator.opcodeIndex].builtinCode == _LOGISTIC:
                yield subgraph.tensors[operator.inputs[0]].name.decode()


def _quantize_with(model: bytes, ranges: dict, granularity: str) -> bytes:
    return _finish(_start_fully(model, granularity), ranges)
