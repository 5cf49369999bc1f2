"""Search for better recipes of a model, in one process or in several."""

import sys
from pathlib import Path
from typing import Any

import ae_keras
from ae_keras.command_line import NUMBER, Namespace, Parser, format_table, parse_changes
from ae_keras.system.invocation import command

EXAMPLES = """\
examples:
  ae-keras tune --model cae --trials 5 --set epochs=3
  ae-keras tune --model mlp --dataset mnist --algorithm grid --space latent_dim=1:1024:log2
  ae-keras tune --model vae_v2 --dataset cifar10 --objective rate_distortion --lambda 0.01
  ae-keras tune --model cae --dataset cifar10 --budget latent_values=256 --workers 2

A search that was stopped goes on with the same command, also with more --trials. Several machines
search together with one command: one with --chief, the others with --worker.
"""

SPACE = """NAME=8,16,32 or NAME=1:9 or NAME=1e-4:1e-2:log or NAME=32:256:log2 of settings and the
model's arguments (filters_2: its second filters); "default": what the model suggests (default)"""
BUDGET = "of parameters, latent_values (numbers in an image's latent) or latency_ms (of an image)"


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    add = parser.add_argument
    add("--model", required=True, help=f"one of: {', '.join(ae_keras.list_models())}")
    add("--dataset", default="skimage", help="as of train (default: skimage)")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="as of train")
    add("--algorithm", default="random", help="random (default), grid, bayesian or hyperband")
    add("--trials", **NUMBER, help="at most (default: 10; grid, hyperband: all)")
    add("--space", nargs="+", default=["default"], metavar="RANGE", help=SPACE)
    add("--objective", default="val_loss", help="val_loss (default), psnr or rate_distortion")
    add("--lambda", dest="weight", type=float, default=0.01, help="bpp + LAMBDA * 255^2 * MSE")
    add("--budget", nargs="+", default=[], metavar="NAME=MAX", help=BUDGET)
    add("--seed", type=int, default=0, metavar="N", help="of the proposals (default 0)")
    add("--output", type=Path, metavar="DIR", help="default: saved_models/searches/MODEL-DATASET")
    add("--overwrite", action="store_true", help="replace the search that is there")
    add("--workers", **NUMBER, help="processes on this machine that run trials")
    add("--threads", **NUMBER, help="of each of --workers (default: the cores, shared out)")
    where, place = parser.add_mutually_exclusive_group(), "HOST:PORT"
    where.add_argument("--chief", metavar=place, help="lead workers of other machines, too")
    where.add_argument("--worker", metavar=place, help="run trials of the chief that is there")
    return parser


def make_search(arguments: Namespace) -> Any:
    """Return the search that the command line describes."""
    from ae_keras.tuning import Goal, Search

    recipe = ae_keras.recipe_for(arguments.model, arguments.dataset, **parse_changes(arguments.set))
    folder = Path("saved_models/searches") / f"{recipe.model}-{recipe.data_name}"
    goal = Goal(arguments.objective, arguments.weight, parse_changes(arguments.budget, "--budget"))
    what = arguments.algorithm, arguments.trials, tuple(arguments.space), goal, arguments.seed
    return Search(recipe, arguments.output or folder, *what)


def main(arguments: Namespace) -> None:
    """Search, and print the leaderboard."""
    from ae_keras.tuning import run_search
    from ae_keras.tuning.reports import tabulate
    from ae_keras.tuning.workers import join

    search = make_search(arguments)
    if arguments.worker:
        join(search, arguments.worker)
        return
    where = arguments.workers, arguments.threads, arguments.chief
    rows = run_search(search, *where, [sys.executable, *sys.argv], arguments.overwrite)
    header, *lines = tabulate(rows, search.goal.objective, search.names)
    print(f"\n{format_table(lines[:10], header)}\n\nAll in {search.folder}.")
    print(f"Next: {command('train')} --recipe {search.folder / 'best_recipe.json'}")
