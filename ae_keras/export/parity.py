"""How far an exported model's results are from those of the Keras model."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ae_keras import metrics
from ae_keras.codec.litert import in_batches
from ae_keras.codec.protocols import EntropyModel
from ae_keras.data.images import Images
from ae_keras.export.runtimes import BATCH_SIZE
from ae_keras.system.colour import to_grey
from ae_keras.system.pixels import to_unit_range

# An export in float32 may differ by this, of the largest number where that is above 1 (latents).
LARGEST_DIFFERENCE = 1e-5
# And in so many of the symbols that its latents become in a file.
SMALLEST_SAME_SYMBOLS = 0.999
# PSNR in dB of other exports' results, taking those of Keras for the originals.
SMALLEST_PSNR = {"float16": 50.0, "dynamic": 30.0, "int8": 30.0}


def make_inputs(model: keras.Model, data: Images) -> dict[str, np.ndarray]:
    """Return what a model's signatures take of uint8 images: by name, float32 in [0, 1]."""
    images = to_unit_range(data.images)
    if "colourization" in model.tasks:
        return {"grey": ops.convert_to_numpy(to_grey(images))}
    if not model.has_latent:
        return {"noisy": images}
    inputs = {"images": images}
    if model.classes is not None:
        inputs["labels"] = np.asarray(data.labels, np.int32)
    if model.takes_quality:  # all of them
        inputs["position"] = np.linspace(0, 1, len(images), dtype=np.float32)
    return inputs


def run_keras(model: keras.Model, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what the signatures of an exported model should give for some inputs, by name."""

    def run(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        tensors = {name: ops.convert_to_tensor(array) for name, array in batch.items()}
        results = _run_batch(model, tensors)
        return {name: ops.convert_to_numpy(tensor) for name, tensor in results.items()}

    return in_batches(run, inputs, min(BATCH_SIZE, len(next(iter(inputs.values())))))


def _run_batch(model: keras.Model, inputs: dict[str, Any]) -> dict[str, Any]:
    if "colourization" in model.tasks:
        grey = inputs["grey"]
        return {"images": model(grey, training=False), "chroma": model.predict_chroma(grey)}
    if not model.has_latent:
        return {"images": model(inputs["noisy"], training=False)}
    if model.takes_quality:
        position = inputs["position"]
        latents, hyper_latents = model.analyse(inputs["images"], position)
        reconstructions = model.decode(latents, position)
        return {
            "latents": latents,
            "hyper_latents": hyper_latents,
            "reconstructions": reconstructions,
        }
    latents = model.encode(inputs["images"])
    return {"latents": latents, "reconstructions": model.decode(latents, inputs.get("labels"))}


def compare(
    results: dict[str, np.ndarray],
    expected: dict[str, np.ndarray],
    entropy_model: EntropyModel | None = None,
) -> dict[str, dict[str, Any]]:
    """Compare results by name.

    Args:
        results: Of an exported model.
        expected: Of the Keras model.
        entropy_model: EntropyModel. Of the model, if it has one.

    Returns:
        For each name in both: `max` and `mean` of the absolute differences and `psnr` in dB (None:
        there is no difference), all of results divided by `scale`: 1 for images, for latents the
        largest number if that is greater; and for latents, with an entropy model, `same_symbols`,
        a share.
    """
    compared = {}
    for name in (name for name in expected if name in results):
        scale = max(1.0, float(np.abs(expected[name]).max()))
        difference = (results[name].astype(np.float64) - expected[name]) / scale
        compared[name] = {
            "scale": scale,
            "max": float(np.abs(difference).max()),
            "mean": float(np.abs(difference).mean()),
            "psnr": float(metrics.psnr(np.square(difference).mean())) if difference.any() else None,
        }
        if name == "latents" and entropy_model is not None:
            symbols = [entropy_model.rounded(values[name]) for values in (results, expected)]
            compared[name]["same_symbols"] = float(np.mean(symbols[0] == symbols[1]))
    return compared


def check(parity: dict[str, dict[str, Any]], quantization: str) -> None:
    """Refuse an export that is not near enough to the Keras model.

    Args:
        parity: What `compare` returned.
        quantization: str.

    Raises:
        ArithmeticError: if it is not.
    """
    for name, values in parity.items():
        if quantization == "none":
            if not values["max"] <= LARGEST_DIFFERENCE:
                _refuse(name, f"differ by up to {values['max']:.1e}, above {LARGEST_DIFFERENCE}")
            if not values.get("same_symbols", 1) >= SMALLEST_SAME_SYMBOLS:
                _refuse(
                    name, f"become other symbols, {100 * values['same_symbols']:.2f} % the same"
                )
        elif values["psnr"] is not None and not values["psnr"] >= SMALLEST_PSNR[quantization]:
            limit = SMALLEST_PSNR[quantization]
            _refuse(name, f"have a PSNR of {values['psnr']:.1f} dB to Keras's, below {limit}")


def _refuse(name: str, reason: str) -> None:
    raise ArithmeticError(
        f"Nothing was written, because the exported model is not near enough to that of Keras: its "
        f"{name} {reason}."
    )
