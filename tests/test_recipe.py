import dataclasses
import json

import pytest

from ae_keras import Recipe, change_recipe, recipe_for

FULL = Recipe(
    model="cae",
    model_arguments={"filters": [4, 8, 8]},
    dataset="cifar10",
    splits=(0.7, 0.2, 0.1),
    image_shape=(32, 32, 3),
    task="denoising",
    noise=0.1,
    optimizer="sgd",
    optimizer_arguments={"momentum": 0.9},
    schedule="exponential",
    schedule_arguments={"decay_rate": 0.9},
    enlarge=True,
    augmentation={"rotation": 15, "shift": 0.1, "copies": 5},
    conditional=True,
    kl_warmup=4,
    early_stopping=3,
    precision="mixed_bfloat16",
    skip_unreadable=True,
    seed=7,
)


@pytest.mark.parametrize("recipe", [Recipe(model="cae"), FULL])
def test_json_round_trip_is_exact(recipe):
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", ""),
        ("model_arguments", [1]),
        ("dataset", 3),
        ("splits", (0.5, 0.5)),
        ("splits", (0.5, 0.4, 0.2)),
        ("splits", (1.0, 0.0, 0.0)),
        ("image_shape", (32, 32)),
        ("image_shape", (32, 32, 2)),
        ("image_shape", (0, 32, 3)),
        ("task", "segmentation"),
        ("noise", 2.0),
        ("noise", (0.3, 0.02)),
        ("noise", (0.0, 0.3)),
        ("noise", (0.02, 0.1, 0.3)),
        ("enlarge", 1),
        ("augmentation", 15),
        ("augmentation", {"rotate": 15}),
        ("augmentation", {"rotation": -1}),
        ("augmentation", {"scale": 1.5}),
        ("augmentation", {"copies": 0.5}),
        ("crops", 1),
        ("crops", {"flips": 0.5}),
        ("crops", {"flip": 1.5}),
        ("crops", {"reduce": 0}),
        ("crops", {"grain": -1}),
        ("crops", {"turn": True}),
        ("crops", {"grid": 0}),
        ("crops", {"grid": 1.5}),
        ("crops", {"weights": ["film"]}),
        ("crops", {"weights": {"film": -1}}),
        ("crops", {"weights": {"film": 0}}),
        ("steps_per_epoch", 0),
        ("conditional", "yes"),
        ("kl_warmup", -1),
        ("batch_size", 0),
        ("batch_size", 2.5),
        ("batch_size", True),
        ("epochs", "ten"),
        ("optimizer", "lion"),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("schedule", "step"),
        ("loss", "ssim"),
        ("early_stopping", 0),
        ("precision", "float64"),
        ("xla", True),
        ("skip_unreadable", "yes"),
        ("seed", -1),
    ],
)
def test_wrong_value_names_key_expected_and_received(key, value):
    with pytest.raises(ValueError, match=f"(?s)`{key}` must be .+ Received: ") as error:
        dataclasses.replace(FULL, **{key: value})
    assert repr(value) in str(error.value)


def test_noise_and_denoising_go_together():
    with pytest.raises(ValueError, match="go together"):
        Recipe(model="cae", noise=0.1)
    with pytest.raises(ValueError, match="go together"):
        Recipe(model="cae", task="denoising")


def test_crops_come_with_their_defaults():
    recipe = Recipe(model="cae", crops={"grain": 3}, steps_per_epoch=100)
    assert (recipe.crops["grain"], recipe.crops["flip"], recipe.crops["weights"]) == (3, 0.5, {})
    assert Recipe.from_json(recipe.to_json()) == recipe
    assert dataclasses.asdict(recipe.batch_spec.crop_spec) == recipe.crops | {"grid": 1}
    assert Recipe(model="cae", crops=recipe.crops, steps_per_epoch=100) == recipe


def test_recipes_of_the_middles_of_photographs_are_what_they_were():
    """So that their runs and searches go on, and measure the same images."""
    plain = Recipe(model="cae", crops={}, steps_per_epoch=100)
    assert "grid" not in plain.to_json()
    assert Recipe(model="cae", crops={"grid": 1}, steps_per_epoch=100) == plain
    assert (plain.data_spec.grid, Recipe(model="cae").data_spec.grid) == (1, 1)
    grid = Recipe.from_json(plain.to_json().replace('"reduce":', '"grid": 4, "reduce":'))
    assert grid.differences(plain) == ["crops"]
    assert grid.data_spec.grid == Recipe.from_json(grid.to_json()).crops["grid"] == 4


def test_crops_take_the_place_of_the_augmentation_of_a_model():
    crops = {"crops": {"flip": 0.1}, "steps_per_epoch": 10}
    assert recipe_for("colourizer").augmentation
    assert recipe_for("colourizer", **crops).augmentation == {}
    with pytest.raises(ValueError, match="`augmentation` exclude"):
        recipe_for("colourizer", **crops, augmentation={"flip": 0.5})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crops": {}}, "`crops` and `steps_per_epoch` go together"),
        ({"steps_per_epoch": 10}, "`crops` and `steps_per_epoch` go together"),
        ({"crops": {}, "steps_per_epoch": 1, "conditional": True}, "`conditional` exclude"),
        ({"crops": {}, "steps_per_epoch": 1, "augmentation": {"flip": 1}}, "`augmentation` excl"),
    ],
)
def test_what_goes_with_crops(settings, message):
    with pytest.raises(ValueError, match=message):
        Recipe(model="cae", **settings)


def test_recipes_without_the_newer_settings_are_read():
    old = json.loads(FULL.to_json())
    del old["crops"], old["steps_per_epoch"]
    assert Recipe.from_json(json.dumps(old)) == FULL


def test_weights_of_kinds_stay_with_their_data_set():
    crops = {"flip": 0.1, "weights": {"film": 2, "studio": 1}}
    recipe = recipe_for("cae", crops=crops, steps_per_epoch=10, augmentation={})
    assert change_recipe(recipe, seed=1).crops["weights"] == crops["weights"]
    moved = change_recipe(recipe, "skimage").crops
    assert (moved["flip"], moved["weights"]) == (0.1, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "must be JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "must name its `model`"),
        (json.dumps({"model": "cae", "learning_rat": 1}), "Did you mean 'learning_rate'"),
    ],
)
def test_bad_json_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        Recipe.from_json(text)


def test_differences_names_the_settings():
    other = dataclasses.replace(FULL, epochs=99, model_arguments={"filters": (4, 8, 9)})
    assert FULL.differences(other) == ["model_arguments", "epochs"]
    assert FULL.differences(dataclasses.replace(FULL, model_arguments={"filters": (4, 8, 8)})) == []


def test_recipe_for_sorts_changes_into_settings_and_model_arguments():
    recipe = recipe_for("cae", "mnist", epochs=2, filters=(4, 4, 4))
    assert (recipe.epochs, recipe.model_arguments) == (2, {"filters": (4, 4, 4)})
    assert (recipe.image_shape, recipe.splits) == ((28, 28, 1), None)


def test_recipe_for_keeps_the_split_of_the_studied_data_set():
    assert recipe_for("cae").splits == recipe_for("cae", "cifar10").splits == (0.8, 0.1, 0.1)
    assert recipe_for("cae").dataset == "cifar10"


def test_change_recipe_keeps_what_is_not_changed():
    changed = change_recipe(FULL, filters=(1, 2, 3), seed=1)
    assert FULL.differences(changed) == ["model_arguments", "seed"]


def test_settings_may_be_changed_by_name():
    assert recipe_for("cae", dataset="mnist") == recipe_for("cae", "mnist")
    assert recipe_for("cae", model_arguments={"filters": [1, 2, 3]}, epochs=1).model_arguments == {
        "filters": [1, 2, 3]
    }


def test_file_that_is_no_recipe_is_named(tmp_path):
    for content in (b"{junk", b"\xff\xfe", b"[]"):
        (tmp_path / "a.json").write_bytes(content)
        with pytest.raises(ValueError, match=r"a\.json' is not a recipe"):
            Recipe.read(tmp_path / "a.json")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("cae", {"name": "x"}, "no setting 'name'"),
        ("cae", {"dataset": 3}, "`dataset` must be"),
        ("cae", {"model_arguments": 3}, "`model_arguments` must be"),
        ("cae", {"model_arguments": {"image_shape": (8, 8, 3)}}, "a setting of its own"),
        ("cea", {}, "Unknown model 'cea'. Did you mean 'cae'"),
        ("cae", {"filter": (1, 2, 3)}, "Did you mean 'filters'"),
        ("cae", {"learningrate": 1}, "Did you mean 'learning_rate'"),
    ],
)
def test_unknown_names_get_the_closest(name, changes, message):
    with pytest.raises(ValueError, match=message):
        recipe_for(name, **changes)
