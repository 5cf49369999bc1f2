"""Train an autoencoder, go on with a run that was stopped, or make a finished one longer."""

import contextlib
from pathlib import Path

import ae_keras
from ae_keras.command_line import NUMBER, Namespace, Parser, format_metrics, read_settings
from ae_keras.system.invocation import command

EXAMPLES = """\
examples:
  ae-keras train --model cae --dataset cifar10 --epochs 20
  ae-keras train --model vae_v2 --dataset cifar10 --set conditional=true --dry-run
  ae-keras train --start-from cae-cifar10 --dataset ~/photos --epochs 3 --export litert

A run that was stopped goes on when the same command is given again. With more --epochs, --extend
goes on with a finished one: to the bit what a longer run gives, unless the learning rate falls over
all epochs (cosine, decay_epochs). It then first rises to where it would be in the longer run.
"""

SETTINGS = ("epochs", "batch_size", "learning_rate", "early_stopping", "seed", "xla")
CHANGE = "any setting of the recipe or argument of the model; may be repeated"


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--model", help=f"one of: {', '.join(ae_keras.list_models())}")
    what.add_argument("--recipe", type=Path, metavar="FILE", help="a recipe.json to train again")
    what.add_argument("--start-from", metavar="RUN", help="a trained model to train further")
    what.add_argument("--decay-from", metavar="RUN", help="a run whose learning rate is to fall")
    add("--dataset", help="a TFDS name, folder, .npz, .npy, or skimage: no download (default)")
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
    add("--export", choices=["litert"], help="also write model.tflite, which starts sooner")
    add("--dry-run", action="store_true", help="show model and images, and do not train")
    _add_devices(parser)
    there = parser.add_mutually_exclusive_group().add_argument
    there("--overwrite", action="store_true", help="replace the run that is there")
    there("--extend", action="store_true", help="train it for more --epochs, see below")
    return parser


def _add_devices(parser: Parser) -> None:
    add = parser.add_argument_group("devices and processes (docs/scale.md)").add_argument
    add("--devices", type=_devices, metavar="N|all", help="of this machine, that share each batch")
    add("--coordinator", metavar="HOST:PORT", help="of process 0, which the others connect to")
    add("--processes", **NUMBER, help="that train together, each with such a command")
    add("--process", **NUMBER, help="the number of this one, from 0")


def _devices(text: str) -> int | str:
    return text if text == "all" else int(text)


def _connected(arguments: Namespace) -> contextlib.AbstractContextManager:
    """Return the context in which this process is connected with the others, if there are any."""
    given = (arguments.coordinator, arguments.processes, arguments.process)
    if given == (None, None, None):
        return contextlib.nullcontext()
    if None in given:
        raise ValueError("--coordinator, --processes and --process go together.")
    from ae_keras.training.processes import Processes, connected

    return connected(Processes(*given))


def make_recipe(arguments: Namespace) -> ae_keras.Recipe:
    """Return the recipe that the command line describes."""
    precision = arguments.mixed_precision and f"mixed_{arguments.mixed_precision}"
    changes = read_settings(arguments, *SETTINGS, "skip_unreadable", precision=precision)
    dataset = arguments.dataset
    if arguments.model:
        named = "skimage" if dataset is None else dataset
        return ae_keras.recipe_for(arguments.model, named, **changes)
    if arguments.recipe:
        return ae_keras.change_recipe(ae_keras.Recipe.read(arguments.recipe), dataset, **changes)
    if arguments.start_from:
        return ae_keras.fine_tune(arguments.start_from, dataset, **changes)
    return ae_keras.decay(arguments.decay_from, **changes)


def main(arguments: Namespace) -> None:
    """Train and print the quality on the test images, or only show what would be trained."""
    with _connected(arguments):  # before anything is computed
        _train(arguments)


def _train(arguments: Namespace) -> None:
    recipe = make_recipe(arguments)
    output = arguments.output or Path("saved_models") / recipe.run_name
    if arguments.dry_run:
        summary, figures = ae_keras.preview(recipe, output, arguments.extend)
        print(f"{summary}\n\nLook at {' and '.join(map(str, figures))}.")
        return
    if arguments.export:
        from ae_keras.export.exporter import check_backend

        check_backend()  # before training, not after it
    result = ae_keras.train(
        recipe, output, arguments.overwrite, extend=arguments.extend, devices=arguments.devices
    )
    if not result:  # which process 0 has
        return
    print(f"\n{format_metrics(result['test'])}\n\nSaved in {output}. Look at reconstructions.png.")
    print(f"Next: {command('evaluate')} {output}")
    if arguments.export:
        ae_keras.write_litert(output, overwrite=True)
