"""What a data set and its batches are told of a recipe: no more than they need."""

from dataclasses import dataclass, field
from typing import Any

# Images set aside where a data set has no split of its own: train, validation, test.
DEFAULT_SPLITS = (0.8, 0.1, 0.1)


@dataclass(frozen=True)
class DataSpec:
    """Which images, and in what shape; the settings of a `Recipe` of the same names.

    Args:
        dataset: str. A TFDS name, `"skimage"`, a folder of images, or an `.npz` or `.npy` file.
        splits: Shares of training, validation and test images. `None`: the data set's own split.
        image_shape: `(height, width, channels)`.
        enlarge: bool. Enlarge images that are smaller than that.
        skip_unreadable: bool. Leave files that are not readable images out.
        crops: dict or None. Not None: images are photographs of any size, and `image_shape` is
            that of the crops that are cut out of them.
    """

    dataset: str
    splits: tuple[float, float, float] | None = None
    image_shape: tuple[int, int, int] = (32, 32, 3)
    enlarge: bool = False
    skip_unreadable: bool = False
    crops: dict[str, Any] | None = None

    @property
    def grid(self) -> int:
        """The most rows and columns of crops of a photograph, other than for training."""
        return CropSpec(**self.crops or {}).grid


@dataclass(frozen=True)
class CropSpec:
    """How crops are cut out of photographs; the entries of a recipe's `crops`, with defaults.

    Args:
        reduce: float. How small photographs are made at most: the smallest factor.
        reduce_share: float. The share of crops of photographs made smaller.
        flip: float. The share of mirrored crops.
        turn: float. The share of quarter turns.
        soft_colours: float. The share of crops with colours of half the resolution.
        grain: float. The largest standard deviation of the noise of half of the crops, in grey
            levels of 255.
        weights: dict. How often each kind of photograph is drawn. Empty: all photographs alike.
        grid: int. Of a photograph for validation or the test, so many rows and columns of crops at
            most; 1 for its middle alone.
    """

    reduce: float = 0.5
    reduce_share: float = 0.5
    flip: float = 0.5
    turn: float = 0.25
    soft_colours: float = 0.5
    grain: float = 0.0
    weights: dict[str, float] = field(default_factory=dict)
    grid: int = 1


@dataclass(frozen=True)
class BatchSpec:
    """How images become batches of (input, target); the settings of a `Recipe` of the same names.

    Args:
        batch_size: int.
        seed: int. Of order, augmentation and noise.
        task: `"reconstruction"`, `"denoising"` or `"colourization"`.
        noise: float, or a pair of them. Standard deviation of the noise of `"denoising"`.
        augmentation: dict. How far training images are moved.
        conditional: bool. Whether the inputs are pairs of images and labels.
        crops: dict or None. How crops are cut out of photographs.
        steps_per_epoch: int or None. Batches in an epoch of crops.
    """

    batch_size: int = 32
    seed: int = 0
    task: str = "reconstruction"
    noise: float | tuple[float, float] = 0.0
    augmentation: dict[str, float] = field(default_factory=dict)
    conditional: bool = False
    crops: dict[str, Any] | None = None
    steps_per_epoch: int | None = None

    @property
    def crop_spec(self) -> CropSpec:
        """How crops are cut out of photographs, with defaults where nothing is said."""
        return CropSpec(**self.crops or {})

    @property
    def copies(self) -> int:
        """How many times an epoch shows each training image."""
        return int(self.augmentation.get("copies", 1))

    @property
    def augments(self) -> bool:
        """Whether training images are moved."""
        return any(amount for name, amount in self.augmentation.items() if name != "copies")
