"""What a recipe trains on: images or photographs, and the batches made of them."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ae_keras.data.batches import Batches, make_batches
from ae_keras.data.crop_batches import CropBatches, Weigh
from ae_keras.data.images import Images, load_images
from ae_keras.data.photographs import Photographs, load_photographs
from ae_keras.data.share import Placement
from ae_keras.data.splits import SPLITS
from ae_keras.recipe import Recipe


@dataclass(frozen=True)
class Material:
    """The data of a recipe.

    Args:
        recipe: Recipe.
        sources: Images of each split; or Photographs, of which crops are cut.
        images: Images of each split. Of photographs, some crops of training, and a fixed grid
            of crops of the others.
    """

    recipe: Recipe
    sources: dict[str, Images | Photographs]
    images: dict[str, Images]

    @classmethod
    def load(cls, recipe: Recipe, splits: Sequence[str] = SPLITS) -> "Material":
        """Read the data of a recipe.

        Raises:
            ValueError: if it does not fit the recipe.
            OSError: if files are missing or a data set cannot be downloaded.
        """
        if recipe.crops is None:
            loaded = load_images(recipe.data_spec, splits)
            return cls(recipe, dict(loaded), loaded)
        photographs = load_photographs(recipe.data_spec, splits)
        images = {
            split: CropBatches(each, recipe.batch_spec).sample()
            if split == "train"
            else Images(each.grid_crops())
            for split, each in photographs.items()
        }
        return cls(recipe, dict(photographs), images)

    def batches(
        self, split: str, weigh: Weigh | None, placement: Placement | None = None
    ) -> Batches:
        """Return the batches of a split.

        Args:
            split: str.
            weigh: Callable. Of a model that takes a quality, see `CropBatches`.
            placement: Placement. Which images of a batch this process makes.
        """
        return make_batches(self.sources[split], self.recipe.batch_spec, weigh, placement)

    def photographs(self, split: str) -> Photographs | None:
        """Return the photographs of a split, if it has photographs."""
        source = self.sources[split]
        return source if isinstance(source, Photographs) else None

    @property
    def counts(self) -> dict[str, int]:
        """How many images an epoch shows, by split; without crops, whose batches are all whole."""
        copies = {"train": self.recipe.batch_spec.copies, "validation": 1}
        return {
            split: copies[split] * len(source.images)
            for split, source in self.sources.items()
            if split in copies and isinstance(source, Images)
        }

    @property
    def checksum(self) -> int:
        """A checksum of all that training sees."""
        source, checksum = self.sources["train"], 0
        arrays = source.images if isinstance(source, Photographs) else (source.images,)
        for array in arrays:
            checksum = zlib.crc32(np.ascontiguousarray(array).data, checksum)
        return checksum
