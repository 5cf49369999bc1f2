"""The experiments of the literature, one file each; `scripts/study.py` runs them.

A study is a module with a docstring (what was done, what the report found), a `TITLE`, and a
function `run(lab)` that trains, measures, and returns its `Page`.
"""

import importlib

# Names, with a line for each, in the order in which `study.py all` runs them.
STUDIES = {
    "compression_rate": "real bits of every model at its default step, beside PNG, JPEG, WebP",
    "depth": "one or two layers, 64 or 128 filters: conv on MNIST",
}


def load_study(name: str):
    """Return the module of a study.

    Raises:
        ValueError: if there is none of that name.
    """
    if name not in STUDIES:
        raise ValueError(f"Unknown study {name!r}. Expected one of: {', '.join(STUDIES)}.")
    return importlib.import_module(f"ae_keras.studies.{name}")
