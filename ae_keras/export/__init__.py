"""Trained models as files for other runtimes, and proof that they compute the same."""

from dataclasses import dataclass

FORMATS = ("saved_model", "litert", "onnx")
QUANTIZATIONS = ("none", "float16", "dynamic", "int8")
PARTS = ("autoencoder", "encoder", "decoder", "chroma")


@dataclass(frozen=True)
class Export:
    """What to export a model as.

    Args:
        format: str. `"saved_model"`, `"litert"` or `"onnx"`.
        quantization: str. `"none"`, or in LiteRT `"float16"`, `"dynamic"` or `"int8"`.
        part: str. `"autoencoder"`, the whole model; its `"encoder"` or `"decoder"`; or of a
            colourizer the `"chroma"` that its network predicts, at half the image's size.
        batch_size: int. Of all inputs, whose other sizes are then fixed too. Default: any, and
            images of any size if the model is fully convolutional.

    Raises:
        ValueError: if there is no such export.
    """

    format: str
    quantization: str = "none"
    part: str = "autoencoder"
    batch_size: int | None = None

    def __post_init__(self) -> None:
        known = {"format": FORMATS, "quantization": QUANTIZATIONS, "part": PARTS}
        for name, values in known.items():
            received = getattr(self, name)
            if received not in values:
                raise ValueError(f"`{name}` is one of {', '.join(values)}. Received: {received!r}")
        if self.quantization != "none" and self.format != "litert":
            raise ValueError(f"Quantization is for litert only. Received: {self.format!r}")
        if self.batch_size is not None and self.batch_size < 1:
            raise ValueError(f"`batch_size` must be at least 1. Received: {self.batch_size}")

    @property
    def name(self) -> str:
        """What tells this export from others of the same model."""
        parts = [self.format]
        parts += [self.quantization] if self.quantization != "none" else []
        parts += [self.part] if self.part != "autoencoder" else []
        parts += [f"batch{self.batch_size}"] if self.batch_size is not None else []
        return "-".join(parts)
