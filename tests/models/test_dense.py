import numpy as np
import pytest

import ae_keras


def test_lossless_mlp_begins_near_the_identity(rng):
    images = rng.choice(256, (4, 28, 28, 1), p=[0.8, *254 * [0.0005], 0.073]).astype(np.float32)
    model = ae_keras.build_model("lossless_mlp")
    assert np.square(np.asarray(model(images / 255)) - images / 255).mean() < 5e-5
    random = ae_keras.build_model("lossless_mlp", start="random")
    assert np.square(np.asarray(random(images / 255)) - images / 255).mean() > 0.01
    assert random.parameter_count == model.parameter_count


def test_a_smaller_latent_begins_at_random():
    kernels = [
        ae_keras.build_model("lossless_mlp", latent_dim=50, start=start).encoder.weights[0]
        for start in ("pixelwise", "random")
    ]
    assert all(np.asarray(kernel).std() > 0.01 for kernel in kernels)


def test_other_starts_are_refused():
    with pytest.raises(ValueError, match="`start` must be pixelwise or random"):
        ae_keras.build_model("lossless_mlp", start="zero")
