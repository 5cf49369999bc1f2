"""The trained models that ship with the project, whose files are checked when they are read.

python -m ae_keras.runs.shipped

lists their files anew, after one has been added. The list is in the form of `sha256sum`, which
checks all of them with `sha256sum --check SHA256SUMS`.
"""

import hashlib
from pathlib import Path

from ae_keras.system.safe_files import write_text

PACKAGE = Path(__file__).parents[1]
# Where they are in an installed package, and in a clone. Files are compressed with them: their
# weights are never replaced, a better model gets a name of its own.
_PLACES = (PACKAGE / "pretrained", PACKAGE.parent / "saved_models" / "pretrained")
PRETRAINED = next((place for place in _PLACES if place.is_dir()), _PLACES[-1])
LIST = "SHA256SUMS"
# What models are loaded from.
_CHECKED = ("entropy_tables.npz", "model.keras", "model.tflite", "recipe.json")


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_shipped(path: str | Path) -> None:
    """Refuse a file of a shipped model that is not as it was shipped.

    Which ones ship stands in a list beside their run folders; all others are not checked.

    Raises:
        FileNotFoundError: if one is missing.
        ValueError: if one is damaged, or was changed.
    """
    file = Path(path).resolve()
    expected = _read_list(file.parents[1]).get(f"{file.parent.name}/{file.name}")
    if expected is not None and digest_file(file) != expected:
        raise ValueError(
            f"{str(path)!r} is damaged or was changed: it is not the file that ships with "
            "ae-keras. Take it from there again; a model of your own needs a folder of its own."
        )


def _read_list(folder: Path) -> dict[str, str]:
    """Return the digests of files by their paths below a folder; none if it has no list."""
    try:
        lines = (folder / LIST).read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.split("  ", 1) for line in lines if "  " in line)
    return {name: digest for digest, name in pairs}


def write_list(folder: Path = PRETRAINED) -> Path:
    """List the files of all run folders in a folder, as they are now.

    Raises:
        OSError: if the list cannot be written.
    """
    files = sorted(path for name in _CHECKED for path in folder.glob(f"*/{name}"))
    lines = (f"{digest_file(path)}  {path.relative_to(folder).as_posix()}\n" for path in files)
    write_text(folder / LIST, "".join(lines))
    return folder / LIST


if __name__ == "__main__":
    print(write_list())
