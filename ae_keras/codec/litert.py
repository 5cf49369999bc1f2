"""Exported models in LiteRT, and the file that they come in.

A `.tflite` file holds the model for the runtime and, as those of TFLite's metadata do, a ZIP
archive behind it:

```
model.json             what the model is, see `Description`
model.sha256           of the bytes before the archive, hexadecimal
entropy_tables.npz     those of the run, if it has any; see `ae_keras.codec.quantizer`
```

Its signatures are functions with named tensors: `encode`, from `images` to `latents`; `decode`,
from `latents`, and `labels` if the model is conditional, to `reconstructions`; of a colourizer
`colourize`, from `grey` to `images`, or `chroma`, from `grey` to `chroma` at half its size; of a
denoiser `denoise`, from `noisy` to `images`. A model that takes a quality takes its `position`,
from 0 to 1, in both, and `encode` gives `hyper_latents` too. All are numbers in the units of the
Keras model; a model in integers says by which scale and zero point its own are to be turned into
these.
"""

import contextlib
import dataclasses
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from ai_edge_litert.interpreter import Interpreter, SignatureRunner

from ae_keras.system.invocation import command
from ae_keras.system.quiet import quiet_stderr
from ae_keras.system.untrusted import read_member

# In the order in which one takes what another gives.
SIGNATURES = ("encode", "decode", "colourize", "chroma", "denoise")
_DESCRIPTION, _CHECKSUM, _TABLES = "model.json", "model.sha256", "entropy_tables.npz"
# Pixels along a side that one of a latent may stand for, and none left over.
_FACTORS = {(factor, 0) for factor in range(1, 257)}
# Bytes of the first two, and of the third.
_LONGEST, _MOST_TABLES = 2**20, 2**26


@dataclass(frozen=True)
class Description:
    """What an exported model is.

    Args:
        name: str. Of the run folder that it comes from.
        recipe: dict. What was trained there.
        weights_digest: str. Of the model's weights.
        part: str. One of `ae_keras.export.PARTS`.
        quantization: str. `"none"`, `"float16"`, `"dynamic"` or `"int8"`.
        image_shape: `[height, width, channels]` of the images that it was trained for.
        latent_shape: Shape of the latent of such an image; None if there is none.
        takes_any_size: bool. Whether it takes images of other sizes too.
        classes: int. Number of labels that the decoder knows, if it takes one.
        multiple: int. What height and width of the images of a model without a latent, a colourizer
            or a denoiser, must be multiples of.
        source: str. SHA-256 of the `model.keras` that a run's own `model.tflite` was made of.
    """

    name: str
    recipe: dict
    weights_digest: str
    part: str
    quantization: str
    image_shape: list[int]
    latent_shape: list[int] | None
    takes_any_size: bool
    classes: int | None
    multiple: int | None = None
    source: str | None = None


def pack(model: bytes, description: Description, tables: bytes | None) -> bytes:
    """Return the bytes of a `.tflite` file.

    Args:
        model: bytes. For the runtime.
        description: Description.
        tables: bytes. Of the run's entropy tables, if it has any.
    """
    file = io.BytesIO(model)
    file.seek(0, io.SEEK_END)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(_DESCRIPTION, json.dumps(dataclasses.asdict(description)))
        archive.writestr(_CHECKSUM, hashlib.sha256(model).hexdigest())
        if tables is not None:
            archive.writestr(_TABLES, tables)
    return file.getvalue()


def unpack(data: bytes) -> tuple[bytes, Description, bytes | None]:
    """Return the arguments of `pack` from the bytes of a `.tflite` file.

    Raises:
        ValueError: if they are damaged, or were not written by this library.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            start = min(member.header_offset for member in archive.infolist())
            description = Description(**json.loads(read_member(archive, _DESCRIPTION, _LONGEST)))
            checksum = read_member(archive, _CHECKSUM, _LONGEST).decode()
            # Whatever else is there, so that a damaged name is found out.
            others = {*archive.namelist()} - {_DESCRIPTION, _CHECKSUM}
            tables = read_member(archive, others.pop(), _MOST_TABLES) if others else None
        _check(description)
    except Exception as error:  # of many types, where an archive is damaged
        raise ValueError(f"It is damaged, or was not written by {command('export')}.") from error
    if hashlib.sha256(data[:start]).hexdigest() != checksum:
        raise ValueError("It is damaged: its checksum does not match.")
    return data[:start], description, tables


def _default_threads() -> int | None:
    number = os.environ.get("OMP_NUM_THREADS", "")
    return int(number) if number.isdecimal() and int(number) else os.cpu_count()


def _check(description: Description) -> None:
    """Raise `ValueError` or `TypeError` if a description is of other types than it should be."""
    latent_shape = description.latent_shape
    sizes = [*description.image_shape, *([] if latent_shape is None else latent_shape)]
    sizes += [size for size in (description.classes, description.multiple) if size is not None]
    texts = [description.name, description.weights_digest, description.recipe["model"]]
    if len(description.image_shape) != 3 or not all(type(size) is int for size in sizes):
        raise ValueError("Expected whole numbers as shapes.")
    if min(sizes) < 1 or not all(isinstance(text, str) for text in texts):
        raise ValueError("Expected sizes from 1 on, and texts.")
    if latent_shape is None:
        return
    if not isinstance(latent_shape, list) or not latent_shape:
        raise ValueError("Expected a shape of latents.")
    if description.takes_any_size:
        sides = zip(description.image_shape[:2], latent_shape[:2], strict=True)
        factors = {divmod(image, latent) for image, latent in sides}
        if len(latent_shape) != 3 or len(factors) != 1 or factors.isdisjoint(_FACTORS):
            raise ValueError("Expected latents that are smaller than the image by a factor.")


class LiteRTModel:
    """The signatures of a model as functions of arrays; several threads may call them.

    Args:
        model: bytes. Of a `.tflite` file.
        threads: int. Default: OMP_NUM_THREADS of the environment, else one for each processor.

    Raises:
        ValueError: if it is damaged.
    """

    def __init__(self, model: bytes, threads: int | None = None):
        self._model, self._threads = model, threads or _default_threads()
        runners = self._start()
        self._idle = [runners]
        self._inputs = {name: each.get_input_details() for name, each in runners.items()}
        self._outputs = {name: each.get_output_details() for name, each in runners.items()}

    def _start(self) -> dict[str, SignatureRunner]:
        """Return the signatures of a new interpreter."""
        with quiet_stderr():
            try:
                interpreter = Interpreter(model_content=self._model, num_threads=self._threads)
                interpreter.allocate_tensors()  # which says so, at the first time
            except (ValueError, RuntimeError) as error:
                raise ValueError(f"LiteRT cannot read the model: {error}.") from error
            known = interpreter.get_signature_list()
            return {
                name: interpreter.get_signature_runner(name) for name in SIGNATURES if name in known
            }

    @contextlib.contextmanager
    def _borrow(self) -> Iterator[dict[str, SignatureRunner]]:
        """Give an interpreter that no other thread uses meanwhile: one is for one at a time."""
        try:
            runners = self._idle.pop()
        except IndexError:
            runners = self._start()
        try:
            yield runners
        finally:
            self._idle.append(runners)

    @property
    def signatures(self) -> dict[str, list[str]]:
        """The names of each signature's inputs."""
        return {name: list(details) for name, details in self._inputs.items()}

    def outputs(self, signature: str) -> set[str]:
        """Return the names of a signature's outputs."""
        return set(self._outputs[signature])

    def input_shape(self, signature: str, name: str) -> list[int]:
        """Return the shape of an input, without the batch; -1 stands for any size."""
        return [int(size) for size in self._inputs[signature][name]["shape_signature"][1:]]

    def run(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs of a signature, float32.

        Args:
            signature: str.
            inputs: Arrays of one batch; if the model has a fixed batch size, of any number.

        Raises:
            ValueError: if they do not fit.
        """
        details = self._inputs[signature]
        inputs = {name: _to_model(inputs[name], details[name]) for name in details}
        size = {int(detail["shape_signature"][0]) for detail in details.values()}.pop()
        try:
            with self._borrow() as runners:
                run = runners[signature]
                results = in_batches(lambda each: run(**each), inputs, size if size > 0 else None)
        except RuntimeError as error:
            reason = str(error).strip() or "out of memory"
            raise ValueError(f"LiteRT cannot compute {signature!r}: {reason}") from error
        outputs = self._outputs[signature]
        return {name: _from_model(results[name], outputs[name]) for name in outputs}


def in_batches(
    run: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]],
    inputs: dict[str, np.ndarray],
    size: int | None,
) -> dict[str, np.ndarray]:
    """Run a function of a batch for any number of images.

    Args:
        run: Callable. From a dict of arrays to one.
        inputs: Arrays of as many images.
        size: int. Of the batches that `run` takes; None: any.
    """
    count = len(next(iter(inputs.values())))
    if size is None or size == count:
        return run(inputs)
    surplus = -count % size
    padded = {
        name: np.concatenate([array, np.repeat(array[-1:], surplus, axis=0)])
        for name, array in inputs.items()
    }
    results = [
        run({name: array[start : start + size] for name, array in padded.items()})
        for start in range(0, count, size)
    ]
    return {name: np.concatenate([each[name] for each in results])[:count] for name in results[0]}


def _to_model(values: np.ndarray, detail: dict) -> np.ndarray:
    """Return values as a model's input has them."""
    scale, zero = detail["quantization"]
    if scale == 0:
        return np.asarray(values, detail["dtype"])
    limits = np.iinfo(detail["dtype"])
    quantized = np.rint(np.asarray(values, np.float32) / scale) + zero
    return np.clip(quantized, limits.min, limits.max).astype(detail["dtype"])


def _from_model(values: np.ndarray, detail: dict) -> np.ndarray:
    """Return a model's output as float32."""
    scale, zero = detail["quantization"]
    values = np.asarray(values, np.float32)
    return values if scale == 0 else (values - np.float32(zero)) * np.float32(scale)
