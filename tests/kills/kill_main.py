"""Kill work at random moments, by SIGKILL, start it again, and see that nothing is lost.

python scripts/kill.py
python scripts/kill.py --kills 10 --work train-cae

Work is killed up to nine times, and then comes to its end; so again, until there were as many
kills as wanted. After each, no file with a final name may be half-written. In the end all must be
as if the work had never been killed, to the bit, and nothing half-written may be left.
"""

import argparse
import sys
from pathlib import Path


def main() -> None:
    """Kill all works or one, and print a line for each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=100, help="of each work; default 100")
    parser.add_argument("--work", metavar="NAME", help="default: all")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(__file__).parent))
    from kill_runs import WORKS, kill_all  # which imports TensorFlow

    if arguments.work not in (None, *WORKS):
        parser.error(f"--work is one of: {', '.join(WORKS)}. Received: {arguments.work!r}")
    kill_all([arguments.work] if arguments.work else list(WORKS), arguments.kills, arguments.seed)


if __name__ == "__main__":
    main()
