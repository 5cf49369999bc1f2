import numpy as np
import pytest
from conftest import smooth_images

import ae_keras


def test_the_first_transform_of_v1_loses_nothing(rng):
    images = smooth_images(rng, 200, 32, 32, 3)
    model = ae_keras.build_model("factorized_v1")
    model.adapt(images)
    originals = images[:8].astype(np.float32) / 255
    np.testing.assert_allclose(model(originals), originals, atol=1e-5)
    # Its kernels are orthogonal, so that an error in the latents is as large in the images.
    latents = np.asarray(model.encode(originals))
    noise = rng.normal(0, 0.01, latents.shape).astype(np.float32)
    change = np.asarray(model.decode(latents + noise)) - originals
    assert (4 * change).std() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize("name", ["factorized_v1", "factorized_v2"])
def test_most_of_the_variance_is_in_a_few_channels(name, rng):
    images = smooth_images(rng, 200, 32, 32, 3)
    model = ae_keras.build_model(name)
    model.adapt(images)
    latents = np.asarray(model.encode(images.astype(np.float32) / 255))
    variances = np.sort(latents.var(axis=(0, 1, 2)))[::-1]
    assert variances[: len(variances) // 8].sum() > 0.8 * variances.sum()
    prior = model.encoder.layers[-1]
    np.testing.assert_allclose(prior.mean, latents.mean(axis=(0, 1, 2)), atol=1e-3)


def test_they_have_fewer_parameters_than_the_variational_models():
    for number in (1, 2):
        ours, theirs = (
            ae_keras.build_model(f"{kind}_v{number}").parameter_count
            for kind in ("factorized", "vae")
        )
        assert ours < theirs
