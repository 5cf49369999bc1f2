"""LiteRT models with numbers of fewer bits, by Google's quantizer.

- `float16`: weights of 16 bits, which the runtime turns back into 32.
- `dynamic`: weights of 8 bits; what they are multiplied with becomes 8 bits on the way.
- `int8`: 8 bits throughout, inputs and outputs too, with the ranges that training images have.
  Only the colour arithmetic of a colourizer stays as it is: 8 bits are too few for it.
"""

import contextlib
import os
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from ae_keras.export.extras import import_extra

# A range goes from the mean of groups' least values to that of their greatest. Small groups of
# images cut outliers off, as suits convolutions; dense layers of sparse images want all of the
# range. Which is best for a model is found by trying.
_GROUPS = (4, 8, 32, 256)
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
    return _apply(_float16_recipe() if quantization == "float16" else _dynamic_recipe(), model)


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
    ranges = [_find_ranges(model, samples, batch_size, group) for group in _GROUPS]

    def find_best(granularity):
        recipe = _int8_recipe(granularity)
        return max((_apply(recipe, model, each) for each in ranges), key=measure)

    best, limit = find_best("CHANNELWISE"), LARGEST_SHARE * len(model)
    if len(best) > limit:
        smaller = find_best("TENSORWISE")
        best = smaller if len(smaller) <= limit else best
    return best


def _apply(recipe, model: bytes, ranges=None) -> bytes:
    module = import_extra("ai_edge_quantizer.quantizer")
    with _quiet():
        quantizer = module.Quantizer(bytearray(model), recipe.get_quantization_recipe())
        return bytes(quantizer.quantize(ranges, enable_progress_report=False).quantized_model)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep progress bars back, and a warning of the memory that finding ranges takes."""
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", UserWarning)
        yield


def _new_recipe():
    """Return a recipe of the quantizer without entries, the types that these take, and "all"."""
    types = import_extra("ai_edge_quantizer.qtyping")
    recipe = import_extra("ai_edge_quantizer.recipe_manager").RecipeManager()
    return recipe, types, types.TFLOperationName.ALL_SUPPORTED


def _float16_recipe():
    recipe, types, everything = _new_recipe()
    half = types.TensorQuantizationConfig(num_bits=16, dtype=types.TensorDataType.FLOAT)
    settings = types.OpQuantizationConfig(
        weight_tensor_config=half,
        compute_precision=types.ComputePrecision.FLOAT,
        explicit_dequantize=True,
    )
    recipe.add_quantization_config(".*", everything, settings, "float_casting")
    return recipe


def _dynamic_recipe():
    recipe, _, everything = _new_recipe()
    recipe.add_dynamic_config(".*", everything, 8)
    return recipe


def _int8_recipe(granularity: str):
    recipe, types, everything = _new_recipe()
    scales = types.QuantGranularity[granularity]
    recipe.add_static_config(".*", everything, 8, 8, scales)
    recipe.add_quantization_config(_COLOUR_ARITHMETIC, everything, algorithm_key="no_quantize")
    return recipe


def _find_ranges(model: bytes, samples, batch_size: int | None, group: int) -> dict:
    """Return the range of each tensor: means of the ends that groups of images have."""
    module = import_extra("ai_edge_quantizer.calibrator")
    widen = import_extra("ai_edge_quantizer.utils.qsv_utils").min_max_update
    recipe, found = _int8_recipe("CHANNELWISE"), []
    with _quiet():
        calibrator = module.Calibrator(bytearray(model), qsv_update_func=widen)
        for part in _cut(samples, group):
            batches = list(_cut(part, batch_size or group))
            named = {name: [batch[name] for batch in batches] for name in part}
            calibrator.reset_model_qsvs()
            calibrator.calibrate(named, recipe)
            found.append(calibrator.get_model_qsvs())
    ranges = {
        tensor: {end: np.mean([each[tensor][end] for each in found], axis=0) for end in ends}
        for tensor, ends in found[0].items()
    }
    for tensor in _logits(model):
        for end in ranges[tensor]:
            ranges[tensor][end] = np.clip(ranges[tensor][end], -_LARGEST_LOGIT, _LARGEST_LOGIT)
    return ranges


def _cut(samples: dict[str, dict[str, np.ndarray]], size: int) -> Iterator[dict]:
    """Yield parts of so many images; there is at least one, if need be of repeated images."""
    count = len(next(iter(next(iter(samples.values())).values())))
    for start in range(0, max(count - size, 0) + 1, size):
        places = np.arange(start, start + size) % count
        yield {
            name: {key: array[places] for key, array in inputs.items()}
            for name, inputs in samples.items()
        }


def _logits(model: bytes) -> Iterator[str]:
    """Yield the names of the tensors that are inputs of sigmoids."""
    graph = import_extra("ai_edge_quantizer.utils.tfl_flatbuffer_utils").read_model(
        bytearray(model)
    )
    for subgraph in graph.subgraphs:
        for operator in subgraph.operators:
            if graph.operatorCodes[operator.opcodeIndex].builtinCode == _LOGISTIC:
                yield subgraph.tensors[operator.inputs[0]].name.decode()
