"""Ranges that users write, and the spaces of the models."""

import pytest
from keras_tuner import HyperParameters

from ae_keras import Recipe, list_models, recipe_for
from ae_keras.tuning.search_space import Range, apply_values, make_space


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("latent_dim=8,16,32", [8, 16, 32]),
        ("latent_dim=1:4", [1, 2, 3, 4]),
        ("latent_dim=1:9:4", [1, 5, 9]),
        ("batch_size=32:256:log2", [32, 64, 128, 256]),
        ("batch_size=3:20:log2", [3, 6, 12]),
        ("step=0.25:1:log2", [0.25, 0.5, 1.0]),
        ("step=1,2.5", [1.0, 2.5]),
        ("rate=0:1:0.5", [0.0, 0.5, 1.0]),
        ("grouped=true,false", [False, True]),
        ("optimizer=adam,sgd", ["adam", "sgd"]),
    ],
)
def test_what_a_range_holds(text, values):
    hp = HyperParameters()
    Range.parse(text).declare(hp, None)
    found = list(hp.space[0].values)
    assert sorted(found) == sorted(values)
    assert {type(value) for value in found} == {type(value) for value in values}


def test_a_logarithmic_range_is_drawn_so():
    hp = HyperParameters()
    Range.parse("learning_rate=1e-4:1e-2:log").declare(hp, 1e-3)
    assert hp.get("learning_rate") == 1e-3
    draws = [hp.space[0].random_sample(seed) for seed in range(200)]
    assert 1e-4 <= min(draws) < max(draws) <= 1e-2
    assert 70 <= sum(draw < 1e-3 for draw in draws) <= 130


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("latent_dim", "NAME=VALUES"),
        ("=8", "NAME=VALUES"),
        ("latent_dim=", "NAME=VALUES"),
        ("latent_dim=8,,16", "empty"),
        ("latent_dim=16:8", "lower"),
        ("latent_dim=8:8", "lower"),
        ("latent_dim=a:b", "'a'"),
        ("latent_dim=1:8:0", "above 0"),
        ("latent_dim=0:8:log2", "above 0"),
        ("latent_dim=1:8:log3", "'log3'"),
        ("latent_dim=1:8:2:1", "too many"),
        ("latent_dim=8,true", "one type"),
        ("latent_dim=8,8", "twice"),
        ("grouped=true", "true,false"),
        ("filters={},[]", "numbers, texts"),
    ],
)
def test_a_bad_range_is_refused(text, words):
    with pytest.raises(ValueError, match=words) as raised:
        Range.parse(text)
    assert repr(text) in str(raised.value)


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        (["latent_dims=8,16"], "latent_dims"),
        (["filters_4=8,16"], "3 entries"),
        (["filters_0=8,16"], "3 entries"),
        (["epochs_1=8,16"], "no entries"),
        (["filters_1=0,8"], "`filters`"),
        (["batch_size=0,8"], "`batch_size`"),
        (["optimizer=adam,adagrad"], "`optimizer`"),
        (["epochs=1,2", "epochs=3,4"], "two ranges"),
    ],
)
def test_a_space_that_does_not_fit_is_refused(ranges, words):
    with pytest.raises(ValueError, match=words):
        make_space(recipe_for("cae"), ranges)


def test_values_change_the_recipe():
    recipe = recipe_for("cae", "skimage")
    values = {"filters_1": 4, "filters_3": 20, "batch_size": 64, "convolutions": 2}
    changed = apply_values(recipe, values | {"tuner/epochs": 3, "search/identity": "x"})
    arguments = {"filters": [4, 12, 20], "convolutions": 2}
    assert changed == recipe_for("cae", "skimage", batch_size=64, **arguments)


@pytest.mark.parametrize("name", list_models())
def test_every_model_has_a_space_around_its_recipe(name):
    recipe = recipe_for(name)
    hp = make_space(recipe)
    assert {"learning_rate", "batch_size"} <= {each.name for each in hp.space}
    assert len(hp.space) >= (2 if name == "lossy_cae" else 3)
    for seed in range(3):
        drawn = {each.name: each.random_sample(seed) for each in hp.space}
        changed = apply_values(recipe, drawn)
        assert isinstance(changed, Recipe)
        assert changed.differences(recipe)


def test_given_ranges_stand_alone_or_within_the_default():
    recipe = recipe_for("mlp")
    assert [hp.name for hp in make_space(recipe, ["latent_dim=1:1024:log2"]).space] == [
        "latent_dim"
    ]
    space = make_space(recipe, ["latent_dim=5,6", "default"])
    assert {hp.name for hp in space.space} == {"latent_dim", "learning_rate", "batch_size"}
    assert list(space.space[0].values) == [5, 6]
    # The recipe's value, where it is in the range.
    assert make_space(recipe, ["latent_dim=8,16,32"]).values == {"latent_dim": 32}
