"""The principal components of patches of images: the best linear transform of their pixels."""

import numpy as np

# Patches that the components are found from, at most.
_PATCHES = 2**18


def principal_components(
    images: np.ndarray, block: int, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the first principal components of the patches of images.

    Args:
        images: uint8 array `(count, height, width, channels)`.
        block: int. Height and width of a patch.
        count: int. Components.

    Returns:
        The components, `(block * block * channels, count)`, and the standard deviations of the
        patches along them, in 8-bit units.
    """
    values, vectors = np.linalg.eigh(np.cov(_patches(images, block), rowvar=False))
    deviations = np.sqrt(np.maximum(values[::-1][:count], 1e-4))
    return vectors[:, ::-1][:, :count], deviations


def _patches(images: np.ndarray, block: int) -> np.ndarray:
    """Return patches, flat, as 8-bit values; at most 2**18 of them."""
    images = np.asarray(images)
    count, height, width, channels = images.shape
    rows, columns = height // block, width // block
    images = images[:, : rows * block, : columns * block]
    blocks = images.reshape(count, rows, block, columns, block, channels)
    patches = blocks.transpose(0, 1, 3, 2, 4, 5).reshape(count * rows * columns, -1)
    step = -(-len(patches) // _PATCHES)
    return patches[::step].astype(np.float32)
