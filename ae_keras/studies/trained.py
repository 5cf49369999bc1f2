"""The project's models, trained on the data that they were made for, that several studies share.

Those that ship with the project are taken as they are. The others are trained for as long as two
CPU cores allow, so that some are below what their recipes give.
"""

from ae_keras.codec.loading import fit_run
from ae_keras.recipe import DIGIT_AUGMENTATION
from ae_keras.registry import recipe_for
from ae_keras.saved_model import RunFolder
from ae_keras.studies.lab import FACES, Lab

# Models with the changes to their recipes.
MODELS = {
    "cae": {},
    "vae_v1": {},
    "vae_v2": {},
    "mlp": {},
    "conv": {"epochs": 3},
    "lossy_cae": {},
    # Of the 300 epochs of five copies that its study took. The cross-entropy, because the squared
    # error of a sigmoid near 0 has next to no gradient, and most pixels are black.
    "lossless_mlp": {
        "epochs": 60,
        "loss": "binary_crossentropy",
        "augmentation": DIGIT_AUGMENTATION,
        "schedule": "cosine",
        "schedule_arguments": {},
    },
    "celeba_conv": {"filters": 16, "enlarge": True},
    "celeba_pool": {"enlarge": True},
}
_OF_FACES = ("celeba_conv", "celeba_pool")
# Of all CelebA, without a GPU.
_FACES = 9000


def train_own(lab: Lab, name: str) -> RunFolder:
    """Return the run of a model on its own data, with entropy tables; trained if need be.

    Args:
        lab: Lab.
        name: str. A key of `MODELS`.
    """
    recipe = recipe_for(name, lab.faces if name in _OF_FACES else None, **MODELS[name])
    if name in _OF_FACES and not lab.has_gpu and lab.faces == FACES:
        recipe = lab.reduce(recipe, _FACES)
    run = lab.find(recipe) or lab.train(f"own-{name}", recipe)
    if not run.entropy_tables.is_file():
        fit_run(run)
    return run
