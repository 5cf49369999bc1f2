"""The project's models, trained on the data that they were made for, that several studies share.

Those that ship with the project are taken as they are. The others are trained for as long as two
CPU cores allow, so that some are below what their recipes give.
"""

from typing import Any

from ae_keras.codec.fitting import fit_run
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.studies.celeba_models import train_faces
from ae_keras.studies.workspace import Workspace

# Models with the changes to their recipes.
MODELS: dict[str, dict[str, Any]] = {
    "cae": {},
    "vae_v1": {},
    "vae_v2": {},
    "mlp": {},
    "conv": {"epochs": 3},
    "lossy_cae": {},
    "lossless_mlp": {},
}
# Those that the study `celeba_models` trains too, with so large batches and so many filters.
FACES = {"celeba_conv": (16, 16), "celeba_pool": (16, 16)}


def train_own(workspace: Workspace, name: str) -> RunFolder:
    """Return the run of a model on its own data, with entropy tables; trained if need be.

    Args:
        workspace: Workspace.
        name: str. A key of `MODELS` or `FACES`.
    """
    if name in FACES:
        run = train_faces(workspace, name, *FACES[name])
    else:
        recipe = recipe_for(name, **MODELS[name])
        run = workspace.find(recipe) or workspace.train(f"own-{name}", recipe)
    if not run.entropy_tables.is_file():
        fit_run(run)
    return run
