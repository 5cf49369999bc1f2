"""Train an autoencoder, or go on with a run that was stopped."""

import dataclasses
from pathlib import Path

import ae_keras
from ae_keras.command_line import NUMBER, Namespace, Parser, format_metrics, parse_changes, run

EXAMPLES = """\
examples:
  python scripts/train.py --model cae
  python scripts/train.py --model cae --dataset cifar10 --epochs 20
  python scripts/train.py --model vae_v2 --dataset cifar10 --set conditional=true --dry-run
  python scripts/train.py --model cae --dataset ~/photos --set image_shape=64,64,3

A run that was stopped goes on when the same command is given again.
"""

DATASET = """a TFDS name (cifar10, mnist, ...), a folder of images, an .npz or .npy file, or
skimage: photographs inside scikit-image, no download (default)"""
CHANGE = "any setting of the recipe or argument of the model; may be repeated"


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help=f"one of: {', '.join(ae_keras.list_models())}")
    what.add_argument("--recipe", type=Path, metavar="FILE", help="a recipe.json to train again")
    add("--dataset", help=DATASET)
    add("--output", type=Path, metavar="DIR", help="default: saved_models/MODEL-DATASET")
    add("--epochs", **NUMBER, help="passes over the training images")
    add("--batch-size", **NUMBER, help="images in a training step")
    add("--learning-rate", type=float, metavar="RATE", help="at the start of training")
    add("--early-stopping", **NUMBER, help="stop after N epochs without a lower validation loss")
    add("--seed", **NUMBER, help="of initial weights, data order and noise (default 0)")
    add("--mixed-precision", nargs="?", const="float16", choices=["float16", "bfloat16"])
    add("--xla", choices=["auto", "on", "off"], help="auto: on a GPU only")
    add("--skip-unreadable", action="store_true", default=None, help="leave such files out")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help=CHANGE)
    add("--dry-run", action="store_true", help="show model and images, and do not train")
    add("--overwrite", action="store_true", help="replace the run that is there")
    return parser


def make_recipe(arguments: Namespace) -> ae_keras.Recipe:
    """Return the recipe that the command line describes."""
    settings = {each.name for each in dataclasses.fields(ae_keras.Recipe)} - {"model", "dataset"}
    changes = {name: value for name, value in vars(arguments).items() if name in settings}
    if arguments.mixed_precision:
        changes["precision"] = f"mixed_{arguments.mixed_precision}"
    changes = {name: value for name, value in changes.items() if value is not None}
    changes |= parse_changes(arguments.set)
    if arguments.recipe is None:
        dataset = "skimage" if arguments.dataset is None else arguments.dataset
        return ae_keras.recipe_for(arguments.model, dataset, **changes)
    recipe = ae_keras.Recipe.read(arguments.recipe)
    return ae_keras.change_recipe(recipe, arguments.dataset, **changes)


def main(arguments: Namespace) -> None:
    """Train and print the quality on the test images, or only show what would be trained."""
    from ae_keras.training.preview import preview

    recipe = make_recipe(arguments)
    output = arguments.output or Path("saved_models") / f"{recipe.model}-{recipe.data_name}"
    if arguments.dry_run:
        summary, figures = preview(recipe, output)
        print(f"{summary}\n\nLook at {' and '.join(map(str, figures))}.")
        return
    result = ae_keras.train(recipe, output, overwrite=arguments.overwrite)
    print(f"\n{format_metrics(result['test'])}\n\nSaved in {output}. Look at reconstructions.png.")
    print(f"Next: python scripts/evaluate.py {output}")


if __name__ == "__main__":
    run(make_parser(), main)
