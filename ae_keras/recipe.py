"""Recipe: the whole definition of a training run, as plain data that round-trips through JSON."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ae_keras.data.checks import (
    CROPS,
    is_augmentation,
    is_crops,
    is_image_shape,
    is_noise,
    is_number,
    is_splits,
    is_whole,
)
from ae_keras.data.spec import DEFAULT_SPLITS, BatchSpec, CropSpec, DataSpec
from ae_keras.system.names import closest
from ae_keras.system.untrusted import read_text

__all__ = ["DEFAULT_SPLITS", "DIGIT_AUGMENTATION", "Recipe"]

# How a study of lossy and nearly lossless autoencoders moved the digits of MNIST.
DIGIT_AUGMENTATION = {"rotation": 15, "shear": 10, "shift": 0.1, "scale": 0.1}


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_options(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(key, str) for key in value)


def _is_start(value: Any) -> bool:
    if not isinstance(value, dict) or not value:
        return value == {}
    texts = all(_is_text(value.get(key)) for key in ("name", "digest"))
    return texts and set(value) <= {"name", "digest", "step"} and is_whole(value.get("step", 0), 0)


def _setting(expected: str, accepts: Callable[[Any], bool], **default: Any) -> Any:
    """Declare a field together with what it takes, in words and as a check."""
    return field(**default, metadata={"expected": expected, "accepts": accepts})


def _choice(default: str, *others: str) -> Any:
    choices = (default, *others)
    expected = "one of " + ", ".join(repr(choice) for choice in choices)
    return _setting(expected, lambda value: value in choices, default=default)


@dataclass(frozen=True)
class Recipe:
    """Everything that defines a training run.

    A recipe is frozen: derive a changed one with `dataclasses.replace` or
    `ae_keras.recipe_for`. Two runs of one recipe on one machine give the same weights.

    Args:
        model: str. A registered model, see `ae_keras.list_models()`.
        model_arguments: dict. Arguments of the model's builder, other than `image_shape`.
        dataset: str. A TFDS name, `"skimage"`, a folder of images, or an `.npz` or `.npy` file.
        splits: Shares of training, validation and test images, drawn from all images of the
            data set together. `None`: the data set's own split, and 80/10/10 where it has none.
        image_shape: `(height, width, channels)`, with 1 or 3 channels.
        enlarge: bool. Enlarge images that are smaller than that, instead of refusing them.
        task: `"reconstruction"`; `"denoising"`: the input carries noise, the target does not;
            `"colourization"`: the input is grey, the target has colours.
        noise: float, or a pair of them. Standard deviation of the Gaussian noise of `"denoising"`,
            images in [0, 1]; of a pair, that of each image is drawn evenly from between them.
        augmentation: dict. How far training images are moved at random, each time anew:
            `rotation` and `shear` (along the width) in degrees to either side, `shift` as a share
            of height and width, `scale` as a share of 1 to either side. `flip`: the share of
            images that are mirrored. `crop`: the largest share of height and width that is cut
            off, before what remains is enlarged to the old size. `copies`: how many times an
            epoch shows each image (default 1).
        crops: dict. Training images are random crops of `image_shape`, at any offset, of
            photographs of any size, in a folder, a NumPy file or `"skimage"`. `None`: they are
            whole images, resized. Its entries and their defaults: `reduce_share` (0.5) of the
            crops are of a photograph made smaller by a factor from `reduce` (0.5) to 1; `flip`
            (0.5), the share that is mirrored; `turn` (0.25), that of quarter turns;
            `soft_colours` (0.5), that of colours at half the resolution, as most files of
            cameras have; `grain` (0), the largest standard deviation, in grey levels of 255, of
            the noise of half of the crops; `weights`, how often crops are of each kind of
            photograph, by the file names' beginnings up to a "-", as in `{"film": 2, "studio":
            1}`. Photographs of a kind, and all where there are no weights, are drawn alike. For
            validation and test, crops are cut as they are, in a grid that is always the same: of
            at most `grid` (1) rows and columns, spread evenly, that share no pixel.
        conditional: bool. Give the label of the image to the decoder.
        batch_size: int. Images in a training step.
        epochs: int. Passes over the training images.
        steps_per_epoch: int or None. With `crops`: the training steps of an epoch.
        optimizer: str. `"adam"`, `"adamw"`, `"rmsprop"`, `"sgd"`, or `"muon"`: Muon for the
            weights of dense layers, Adam for all else.
        optimizer_arguments: dict. Arguments of the Keras optimizer, other than the learning rate;
            of Muon, `adam_ratio` is Adam's learning rate as a share of Muon's (default 0.1).
        learning_rate: float. At the start of training.
        schedule: str. `"constant"`, `"cosine"` to zero over all epochs, `"exponential"`, or
            `"trapezoid"`: a rise, a constant rate, and a fall to zero.
        schedule_arguments: dict. `"cosine"`: `warmup_epochs`, `alpha` (the last rate as a share of
            the first); `"exponential"`: `decay_rate`, the factor of each epoch; `"trapezoid"`:
            `warmup_epochs` and, at the end, `decay_epochs`, 0 by default.
        loss: str. `"mse"`, `"mae"` or `"binary_crossentropy"`, on images in [0, 1]; of a
            colourizer on chroma.
        average: float. Above 0: a moving average of the weights, of which each step leaves this
            share, is what is validated and saved; training goes on with the weights themselves.
        kl_warmup: int. Epochs after which a variational model trains with its whole `kl_weight`;
            epoch `e`, from 1, takes the share `e / kl_warmup`.
        early_stopping: int or None. Stop after this many epochs without a lower validation loss.
        precision: str. Keras dtype policy: `"float32"`, `"mixed_float16"` or `"mixed_bfloat16"`.
        xla: str. `"auto"` compiles on a GPU and not on a CPU, where it slows convolutions.
        parallel: str. How TensorFlow uses the cores of a CPU: `"within"` operations, or
            `"across"` them, each on one core, which is quicker where they are many and small.
        skip_unreadable: bool. Leave files that are not readable images out, instead of stopping.
        start_from: dict. The run that training starts from: its `name`, and a `digest` of its
            weights. With `step`, the count of its optimizer's steps: its whole state, and the
            digest is that of its checkpoint.
        seed: int. Of initial weights, data order, augmentation and noise. The split does not
            depend on it.

    Raises:
        ValueError: if a value is of the wrong type or out of range.

    Example:
        >>> recipe = Recipe(model="cae", dataset="cifar10", epochs=3)
        >>> Recipe.from_json(recipe.to_json()) == recipe
        True
    """

    model: str = _setting("the name of a model", _is_text)
    model_arguments: dict[str, Any] = _setting(
        "a mapping of names to values", _is_options, default_factory=dict
    )
    dataset: str = _setting("the name of a data set or a path", _is_text, default="skimage")
    splits: tuple[float, float, float] | None = _setting(
        "None or three shares that add up to 1", is_splits, default=None
    )
    image_shape: tuple[int, int, int] = _setting(
        "(height, width, channels), with 1 or 3 channels", is_image_shape, default=(32, 32, 3)
    )
    enlarge: bool = _setting("true or false", lambda v: isinstance(v, bool), default=False)
    task: str = _choice("reconstruction", "denoising", "colourization")
    noise: float | tuple[float, float] = _setting(
        "a number from 0 to 1, or a pair of them, the smaller first", is_noise, default=0.0
    )
    augmentation: dict[str, float] = _setting(
        "a mapping of 'rotation' (0 to 180), 'shear' (0 to 80), 'shift' (0 to 1), 'scale' (0 to "
        "0.9), 'flip' (0 to 1), 'crop' (0 to 0.9) to numbers, and of 'copies' to a whole number "
        ">= 1",
        is_augmentation,
        default_factory=dict,
    )
    crops: dict[str, Any] | None = _setting(CROPS, is_crops, default=None)
    conditional: bool = _setting("true or false", lambda v: isinstance(v, bool), default=False)
    batch_size: int = _setting("a whole number >= 1", lambda v: is_whole(v, 1), default=32)
    epochs: int = _setting("a whole number >= 1", lambda v: is_whole(v, 1), default=10)
    steps_per_epoch: int | None = _setting(
        "None or a whole number >= 1", lambda v: v is None or is_whole(v, 1), default=None
    )
    optimizer: str = _choice("adam", "adamw", "rmsprop", "sgd", "muon")
    optimizer_arguments: dict[str, Any] = _setting(
        "a mapping of names to values", _is_options, default_factory=dict
    )
    learning_rate: float = _setting("a number > 0", lambda v: is_number(v) and v > 0, default=1e-3)
    schedule: str = _choice("constant", "cosine", "exponential", "trapezoid")
    schedule_arguments: dict[str, Any] = _setting(
        "a mapping of names to values", _is_options, default_factory=dict
    )
    loss: str = _choice("mse", "mae", "binary_crossentropy")
    average: float = _setting(
        "a number from 0 to below 1", lambda v: is_number(v) and 0 <= v < 1, default=0.0
    )
    kl_warmup: int = _setting("a whole number >= 0", lambda v: is_whole(v, 0), default=0)
    early_stopping: int | None = _setting(
        "None or a whole number >= 1", lambda v: v is None or is_whole(v, 1), default=None
    )
    precision: str = _choice("float32", "mixed_float16", "mixed_bfloat16")
    xla: str = _choice("auto", "on", "off")
    parallel: str = _choice("within", "across")
    skip_unreadable: bool = _setting("true or false", lambda v: isinstance(v, bool), default=False)
    start_from: dict[str, Any] = _setting(
        "a mapping of 'name', 'digest' and, of a whole state, 'step'",
        _is_start,
        default_factory=dict,
    )
    seed: int = _setting("a whole number >= 0", lambda v: is_whole(v, 0), default=0)

    def __post_init__(self) -> None:
        for setting in fields(self):
            value, accepts = getattr(self, setting.name), setting.metadata["accepts"]
            if isinstance(value, list) and accepts(tuple(value)):  # as it comes from JSON
                value = tuple(value)
                object.__setattr__(self, setting.name, value)
            if not accepts(value):
                raise ValueError(
                    f"`{setting.name}` must be {setting.metadata['expected']}. Received: {value!r}"
                )
        if "image_shape" in self.model_arguments:
            raise ValueError("`image_shape` is a setting of its own, not one of `model_arguments`.")
        if (self.noise != 0) != (self.task == "denoising"):
            raise ValueError(
                "`noise` other than 0 and `task` 'denoising' go together. "
                f"Received: noise={self.noise}, task={self.task!r}"
            )
        self._check_crops()
        if self.task == "colourization" and self.image_shape[2] != 3:
            raise ValueError(f"Colourization needs images of 3 channels, not {self.image_shape}.")

    def _check_crops(self) -> None:
        if (self.crops is None) != (self.steps_per_epoch is None):
            raise ValueError(
                "`crops` and `steps_per_epoch` go together. "
                f"Received: crops={self.crops}, steps_per_epoch={self.steps_per_epoch}"
            )
        if self.crops is None:
            return
        for name in ("augmentation", "conditional"):
            if getattr(self, name):
                raise ValueError(
                    f"`crops` and `{name}` exclude each other. "
                    f"Received: {name}={getattr(self, name)}"
                )
        # With its defaults, so that they are part of what defines the run.
        crops = dataclasses.asdict(CropSpec(**self.crops))
        if crops["grid"] == 1:  # as in recipes that were written before there were grids
            del crops["grid"]
        object.__setattr__(self, "crops", crops)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """Read a recipe that `to_json` wrote.

        Raises:
            ValueError: if the text is not a JSON object, a key is unknown or missing, or a value
                is not acceptable.
        """
        try:
            values = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise ValueError(f"A recipe must be JSON: {error}") from error
        if not isinstance(values, dict):
            raise ValueError(f"A recipe must be a JSON object. Received: {values!r}")
        names = [setting.name for setting in fields(cls)]
        for key in values:
            if key not in names:
                raise ValueError(f"Unknown recipe key {key!r}. {closest(key, names)}")
        if "model" not in values:
            raise ValueError("A recipe must name its `model`.")
        return cls(**values)

    @classmethod
    def read(cls, path: str | Path) -> "Recipe":
        """Read a recipe from a file.

        Raises:
            FileNotFoundError: if there is no such file.
            ValueError: if it does not hold an acceptable recipe; the message names the file.
        """
        try:
            return cls.from_json(read_text(path))
        except ValueError as error:
            raise ValueError(f"{str(path)!r} is not a recipe: {str(error).rstrip('.')}.") from error

    def to_json(self) -> str:
        """Return the recipe as indented JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=2) + "\n"

    @property
    def data_spec(self) -> DataSpec:
        """What sources of images are told of the recipe."""
        return DataSpec(**{each.name: getattr(self, each.name) for each in fields(DataSpec)})

    @property
    def batch_spec(self) -> BatchSpec:
        """What the batches of training and evaluation are told of the recipe."""
        return BatchSpec(**{each.name: getattr(self, each.name) for each in fields(BatchSpec)})

    @property
    def data_name(self) -> str:
        """The name of the data set, or of the folder or file that holds it."""
        path = Path(self.dataset).expanduser()
        return path.resolve().stem if path.exists() else self.dataset.replace("/", "-")

    @property
    def run_name(self) -> str:
        """What a run of the recipe is called where no other name is given."""
        name = f"{self.model}-{self.data_name}"
        return f"{name}-continued" if self.start_from else name

    def differences(self, other: "Recipe") -> list[str]:
        """Return the names of the settings in which two recipes differ."""
        # Through JSON, where (1, 2) and [1, 2] in an argument are the same thing.
        ours, theirs = json.loads(self.to_json()), json.loads(other.to_json())
        return [name for name in ours if ours[name] != theirs[name]]
