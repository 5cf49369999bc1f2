import numpy as np
import pytest

from ae_keras import build_model
from ae_keras.studies import load_study


def test_samples_are_judged_by_their_contrast():
    contrasts = {
        ("vae_v1", "test images"): 0.2,
        ("vae_v1", "from the prior"): 0.1,
        ("vae_v1", "from the normal distribution of latents"): 0.21,
    }
    prior, fitted = load_study("latent_space").judge(contrasts)
    assert "from the prior: their contrast is other than that of images" in prior.claim
    assert {each.name: each.value for each in prior.evidence} == {"share of it": pytest.approx(0.5)}
    assert "their contrast is as strong as that of images" in fitted.claim
    assert prior.holds is fitted.holds is None


def test_random_latents_have_the_mean_and_covariance_of_others(rng):
    study = load_study("latent_space")
    values = rng.standard_normal((5000, 2)) @ [[2.0, 1.0], [0.0, 0.5]] + [3.0, -1.0]
    drawn = study.draw_normal(rng, values, 5000)
    np.testing.assert_allclose(drawn.mean(axis=0), values.mean(axis=0), atol=0.1)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(values.T), rtol=0.1)


def test_the_nearest_image_is_found(rng):
    others = rng.random((20, 4, 4, 1))
    nearest, distances = load_study("latent_space").find_nearest(others[[7, 3]] + 0.01, others)
    assert nearest.tolist() == [7, 3]
    np.testing.assert_allclose(distances, 0.01)


def test_a_walk_begins_and_ends_with_reconstructions(rng):
    model = build_model("mlp", image_shape=(8, 8, 1), latent_dim=4)
    images = rng.random((2, 8, 8, 1), np.float32)
    steps = load_study("latent_space").walk(model, *images, 5)
    assert steps.shape == (5, 8, 8, 1)
    np.testing.assert_allclose(steps[[0, -1]], model(images), atol=1e-6)
