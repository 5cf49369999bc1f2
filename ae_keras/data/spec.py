"""What a data set and its batches are told of a recipe: no more than they need."""

from dataclasses import dataclass, field

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
    """

    dataset: str
    splits: tuple[float, float, float] | None = None
    image_shape: tuple[int, int, int] = (32, 32, 3)
    enlarge: bool = False
    skip_unreadable: bool = False


@dataclass(frozen=True)
class BatchSpec:
    """How images become batches of (input, target); the settings of a `Recipe` of the same names.

    Args:
        batch_size: int.
        seed: int. Of order, augmentation and noise.
        task: `"reconstruction"`, `"denoising"` or `"colourization"`.
        noise: float. Standard deviation of the noise of `"denoising"`.
        augmentation: dict. How far training images are moved.
        conditional: bool. Whether the inputs are pairs of images and labels.
    """

    batch_size: int = 32
    seed: int = 0
    task: str = "reconstruction"
    noise: float = 0.0
    augmentation: dict[str, float] = field(default_factory=dict)
    conditional: bool = False

    @property
    def copies(self) -> int:
        """How many times an epoch shows each training image."""
        return int(self.augmentation.get("copies", 1))

    @property
    def augments(self) -> bool:
        """Whether training images are moved."""
        return any(amount for name, amount in self.augmentation.items() if name != "copies")
