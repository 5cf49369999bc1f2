"""Run an experiment of the literature, and write what comes out as a page."""

from pathlib import Path

from ae_keras.command_line import Parser, format_table, run
from ae_keras.studies import STUDIES, load_study

EXAMPLES = """\
examples:
  python scripts/study.py list
  python scripts/study.py depth
  python scripts/study.py depth --quick
  python scripts/study.py all

Models are kept in saved_models/studies: what was stopped goes on, what was trained is not trained
again.
"""


def make_parser():
    """Return the parser of the command line."""
    parser = Parser(description=__doc__, epilog=EXAMPLES)
    parser.add_argument("study", help=f"list, all, or one of: {', '.join(STUDIES)}")
    parser.add_argument("--quick", action="store_true", help="a few images, one epoch: a trial")
    parser.add_argument(
        "--faces", default="celeb_a", metavar="DIR", help="CelebA's images (default: TFDS celeb_a)"
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="default: docs/studies, of a trial quick_studies"
    )
    return parser


def main(arguments):
    """Write the pages of one study or of all."""
    if arguments.study == "list":
        print(format_table(STUDIES.items(), ("study", "what it asks")))
        return
    names = list(STUDIES) if arguments.study == "all" else [arguments.study]
    studies = {name: load_study(name) for name in names}
    import keras

    from ae_keras.studies.lab import Lab, write_page

    output = arguments.output or Path("quick_studies" if arguments.quick else "docs/studies")
    has_gpu = bool(keras.distribution.list_devices("gpu"))
    for name, study in studies.items():
        runs = Path("saved_models/studies")
        lab = Lab(output / name, runs, arguments.quick, has_gpu, arguments.faces)
        page = study.run(lab)
        print(f"\n{page.finding}\n\nSee {write_page(lab, name, study, page)}.")


if __name__ == "__main__":
    run(make_parser(), main)
