"""What of KerasTuner may change is in one module, and tried with the versions that it names."""

import ast
import importlib.metadata
from pathlib import Path

import pytest
from keras_tuner import Objective, oracles

from ae_keras.tuning.keras_tuner_internals import TRIED_VERSIONS, OpenOracle

TUNING = Path(__file__).parents[2] / "tuning"
OTHERS = [path for path in TUNING.glob("*.py") if path.stem != "keras_tuner_internals"]


def test_the_installed_version_is_one_that_was_tried():
    """When this fails, run the tests of this folder, and add the version if they pass."""
    assert importlib.metadata.version("keras-tuner") in TRIED_VERSIONS


@pytest.mark.parametrize("path", OTHERS, ids=lambda path: path.name)
def test_other_modules_use_what_is_public(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert not node.module.startswith(("keras_tuner.src", "keras_tuner.engine"))
        if isinstance(node, ast.Attribute) and node.attr.startswith("_"):
            # A private attribute is one's own.
            is_special = node.attr.startswith("__")
            assert is_special or ast.unparse(node.value) in ("self", "cls"), ast.unparse(node)


@pytest.mark.parametrize("kind", [oracles.RandomSearchOracle, oracles.HyperbandOracle])
def test_our_names_are_none_of_keras_tuner(kind):
    """A base that took such a name for itself would break the oracle silently."""
    oracle = kind(objective=Objective("val_loss", "min"))
    own = {name for name in vars(OpenOracle) if not name.startswith("_")}
    assert own >= {"display", "place", "waiting"}
    assert own.isdisjoint(dir(oracle))
