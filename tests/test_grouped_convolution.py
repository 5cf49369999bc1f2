"""Grouped convolutions against a loop in NumPy, against Keras's own and against PyTorch's."""

import keras
import numpy as np
import pytest

from ae_keras.layers import GroupedConv2D, GroupedConv2DTranspose

# groups, channels of a group in the big and in the small image, size of the input, kernel,
# stride, padding.
CONVOLUTIONS = [
    # the layers of vae_v1
    (1, 3, 12, (32, 32), 4, 2, 1),
    (4, 3, 12, (16, 16), 4, 2, 1),
    (16, 3, 12, (8, 8), 4, 2, 1),
    (64, 3, 12, (4, 4), 4, 2, 1),
    # the layers of vae_v2
    (1, 3, 12, (32, 32), 6, 2, 2),
    (4, 3, 10, (16, 16), 4, 2, 2),
    (8, 5, 16, (9, 9), 3, 2, 1),
    # others: odd sizes, one number for height and one for width, no stride, no overlap
    (2, 3, 2, (7, 10), 3, 2, 0),
    (3, 2, 4, (11, 9), 5, 3, 2),
    (1, 4, 2, (13, 8), 3, 1, 1),
    (2, 1, 1, (6, 9), (2, 3), (2, 3), 0),
    (2, 2, 3, (5, 7), (1, 4), (2, 1), (0, 2)),
    (4, 1, 2, (21, 17), 2, 3, 1),
]
TRANSPOSED = [
    (64, 3, 12, (2, 2), 4, 2, 1),
    (16, 3, 12, (4, 4), 4, 2, 1),
    (4, 3, 12, (8, 8), 4, 2, 1),
    (1, 3, 12, (16, 16), 4, 2, 1),
    (8, 5, 16, (5, 5), 3, 2, 1),
    (4, 3, 10, (9, 9), 4, 2, 2),
    (1, 3, 12, (16, 16), 6, 2, 2),
    (2, 3, 2, (7, 10), 3, 2, 0),
    (3, 2, 4, (11, 9), 5, 3, 2),
    (1, 4, 2, (13, 8), 3, 1, 1),
    (2, 1, 1, (6, 9), (2, 3), (2, 3), 0),
    (2, 2, 3, (5, 7), (1, 4), (2, 1), (0, 2)),
    (4, 1, 2, (21, 17), 2, 3, 0),
]


def pair(value):
    return value if isinstance(value, tuple) else (value, value)


def connections(big, small, kernel, stride, padding):
    """Yield (pixel of the big image, pixel of the small image, tap), over both axes."""
    for small_pixel in np.ndindex(*small):
        for tap in np.ndindex(*kernel):
            big_pixel = tuple(np.multiply(small_pixel, stride) - padding + tap)
            if all(0 <= pixel < size for pixel, size in zip(big_pixel, big, strict=True)):
                yield big_pixel, small_pixel, tap


def loop(images, kernel, groups, big, small, stride, padding, transposed):
    """Add up a grouped convolution, or its transpose, one connection after the other."""
    channels = (kernel.shape[2], kernel.shape[3] // groups)
    size, maps = (big, channels[0]) if transposed else (small, channels[1])
    outputs = np.zeros((len(images), *size, groups, maps))
    images = images.reshape(*images.shape[:3], groups, -1)
    weights = kernel.reshape(*kernel.shape[:3], groups, -1)
    for (y, x), (v, u), tap in connections(big, small, kernel.shape[:2], stride, padding):
        if transposed:
            outputs[:, y, x] += np.einsum("ngs,bgs->ngb", images[:, v, u], weights[tap])
        else:
            outputs[:, v, u] += np.einsum("ngb,bgs->ngs", images[:, y, x], weights[tap])
    return outputs.reshape(len(images), *size, groups * maps)


def make(case, transposed, rng, batch=3):
    """Return a layer with random weights, images for it, and the shape of its images."""
    groups, big, small, size, kernel, stride, padding = case
    make_layer = GroupedConv2DTranspose if transposed else GroupedConv2D
    layer = make_layer(
        groups * (big if transposed else small), kernel, stride, padding, groups=groups
    )
    channels = groups * (small if transposed else big)
    layer.build((None, *size, channels))
    layer.set_weights([rng.standard_normal(weight.shape) for weight in layer.weights])
    return layer, rng.standard_normal((batch, *size, channels)).astype("float32")


def expected(case, transposed, layer, images):
    groups, _, _, size, kernel, stride, padding = case
    other = layer.compute_output_shape(images.shape)[1:3]
    big, small = (other, size) if transposed else (size, other)
    kernel, bias = (np.asarray(weight, np.float64) for weight in layer.weights)
    return bias + loop(images, kernel, groups, big, small, pair(stride), pair(padding), transposed)


CASES = [(case, False) for case in CONVOLUTIONS] + [(case, True) for case in TRANSPOSED]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("unknown_size", [False, True])
@pytest.mark.parametrize(("case", "transposed"), CASES)
def test_the_output_is_that_of_a_loop(case, transposed, training, unknown_size, rng):
    layer, images = make(case, transposed, rng)
    target = expected(case, transposed, layer, images)
    if unknown_size:
        inputs = keras.Input((None, None, images.shape[-1]))
        layer = keras.Model(inputs, layer(inputs))
    np.testing.assert_allclose(layer(images, training=training), target, atol=1e-3, rtol=1e-4)
