"""Run an experiment of the literature, and write what comes out as a page."""

import argparse
import sys
from pathlib import Path

from ae_keras.command_line import Parser
from ae_keras.studies import STUDIES, load_study
from ae_keras.system.invocation import program

EXAMPLES = """\
examples:
  ae-keras study list
  ae-keras study depth
  ae-keras study depth --quick
  ae-keras study all --faces ~/celeba
  ae-keras study photograph_denoising --photographs ~/kodak

Models are kept in saved_models/studies: what was trained is not trained again, and what was stopped
goes on. The two that look at faces need CelebA: --faces takes a folder of its images.
"""


def make_parser() -> Parser:
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    parser.add_argument("study", help=f"list, all, or one of: {', '.join(STUDIES)}")
    parser.add_argument("--quick", action="store_true", help="a few images, one epoch: a trial")
    parser.add_argument(
        "--faces", default="celeb_a", metavar="DIR", help="CelebA's images (default: TFDS celeb_a)"
    )
    parser.add_argument(
        "--photographs",
        default="skimage",
        metavar="DIR",
        help="photographs to judge denoisers on (default: scikit-image's)",
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="default: docs/studies, of a trial quick_studies"
    )
    return parser


def main(arguments: argparse.Namespace) -> None:
    """Write the pages of one study or of all."""
    if arguments.study == "list":
        print("\n".join(f"{name:20} {question}" for name, question in STUDIES.items()))
        return
    load_study(arguments.study if arguments.study != "all" else next(iter(STUDIES)))
    for option, default in (("faces", "celeb_a"), ("photographs", "skimage")):
        folder = getattr(arguments, option)
        if folder != default and not Path(folder).expanduser().is_dir():
            raise FileNotFoundError(f"No such folder: {folder!r}. See --{option} in --help.")
    from ae_keras.studies.run_studies import run_all, run_study
    from ae_keras.studies.workspace import Workspace

    output = arguments.output or Path("quick_studies" if arguments.quick else "docs/studies")
    runs = Path("saved_models/studies")
    workspace = Workspace(
        output, runs, arguments.quick, _has_gpu(), arguments.faces, arguments.photographs
    )
    if arguments.study != "all":
        page, file = run_study(workspace, arguments.study)
        print(f"\n{page.finding}\n\nSee {file}.")
        return
    failed = []
    for name, result in run_all(workspace):
        if isinstance(result, Exception):
            failed.append(name)
            print(f"{program()}: error: {name}: {result}", file=sys.stderr)
        else:
            print(f"\n{name}:\n\n{result[0].finding}\n\nSee {result[1]}.", flush=True)
    if failed:
        raise ValueError(f"Not finished: {', '.join(failed)}. The others are in {output}.")


def _has_gpu() -> bool:
    import keras

    if keras.config.backend() == "torch":  # whose devices Keras does not list
        import torch

        return torch.cuda.is_available()
    return any(name.startswith("gpu") for name in keras.distribution.list_devices())
