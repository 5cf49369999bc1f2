"""What the project imports, it declares."""

import ast
import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWN = {"ae_keras", "tuning"}
# Of packages whose distribution has another name.
DISTRIBUTION_OF = {
    "PIL": "pillow",
    "absl": "absl-py",
    "ai_edge_litert": "ai-edge-litert",
    "grpc": "grpcio",
    "keras_tuner": "keras-tuner",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "tensorflow_datasets": "tensorflow-datasets",
}
# What a benchmark takes if it is there, and no extra could bring: it asks for NumPy below 2.
UNDECLARABLE = {"compressai"}


def imported_packages(path):
    """Yield the packages of all imports, also of those by a function that is given a name."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
            "import_module",
            "import_extra",
        ):
            name = node.args[0]
            if isinstance(name, ast.Constant):
                yield name.value.split(".")[0]


def test_what_is_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lists = (
        project["dependencies"],
        *(extras[name] for name in ("train", "onnx", "benchmark", "bm3d", "app", "jax", "ray")),
    )
    declared = {re.match(r"[\w.-]+", text)[0] for texts in lists for text in texts}
    folders = (ROOT / name for name in ("ae_keras", "tuning", "scripts"))
    paths = [path for folder in folders for path in folder.rglob("*.py")]
    imported = {package for path in paths for package in imported_packages(path)}
    third_party = imported - OWN - UNDECLARABLE - sys.stdlib_module_names
    assert imported >= UNDECLARABLE
    assert {"absl", "grpc", "numpy", "tf2onnx", "torch"} <= third_party
    assert set(DISTRIBUTION_OF) <= third_party
    assert {DISTRIBUTION_OF.get(package, package) for package in third_party} <= declared
