"""Kill work at random moments, and see that nothing is lost."""

import runpy
from pathlib import Path

if __name__ == "__main__":
    kill = Path(__file__).parents[1] / "tests" / "kills" / "kill_main.py"
    runpy.run_path(str(kill), run_name="__main__")
