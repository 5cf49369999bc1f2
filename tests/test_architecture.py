"""The house of the library: who may import whom, and how large its rooms may grow."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# A module imports only from rows above its own; modules of one row may import each other only
# within a folder of that row.
ROWS = [
    ["system"],
    ["metrics", "figures", "layers"],
    ["data"],
    ["recipe"],
    ["models"],
    ["registry"],
    ["runs"],
    ["codec"],
    ["evaluation", "photographs", "pillow", "command_line"],
    ["training", "export"],
    ["benchmark"],
    ["studies", "tuning", "app"],
    ["commands"],
]
ROW_OF = {name: number for number, row in enumerate(ROWS) for name in row}
# Of the package as it is installed: what stands elsewhere in the repository is a room of it too.
MODULES = sorted([*(ROOT / "ae_keras").rglob("*.py"), *(ROOT / "tuning").glob("*.py")])
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


def imported_names(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported_by(path):
    parts = [name.split(".") for name in imported_names(path)]
    return {names[1] for names in parts if names[0] == "ae_keras" and len(names) > 1} & set(ROW_OF)


def room_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[1] if parts[0] == "ae_keras" else parts[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_go_down(path):
    room = room_of(path)
    if room == "__init__":
        return
    for imported in rooms_imported_by(path) - {room}:
        assert ROW_OF[imported] < ROW_OF[room], f"{room} imports {imported}"


@pytest.mark.parametrize(
    "path", [*MODULES, *SCRIPTS], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_files_and_functions_are_small(path):
    text = path.read_text()
    assert len(text.splitlines()) < (10 if path in SCRIPTS else 300)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            docstring = len((ast.get_docstring(node) or "").splitlines())
            assert node.end_lineno - node.lineno - docstring < 40, node.name


@pytest.mark.parametrize(
    ("module", "rooms"),
    [
        (
            "tensorflow",
            {
                "benchmark",
                "command_line",
                "data",
                "export",
                "noise",
                "tensorflow_convolution",
                "training",
            },
        ),
        ("matplotlib", {"figures"}),
    ],
)
def test_heavy_modules_are_imported_only_where_they_are_the_point(module, rooms):
    for path in MODULES:
        room = room_of(path)
        if room not in rooms and path.stem not in rooms:
            assert module not in {name.split(".")[0] for name in imported_names(path)}, path
