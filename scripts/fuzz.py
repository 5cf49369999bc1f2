"""Look for files that break what reads them."""

import runpy
from pathlib import Path

if __name__ == "__main__":
    fuzz = Path(__file__).parents[1] / "tests" / "fuzz" / "fuzz_main.py"
    runpy.run_path(str(fuzz), run_name="__main__")
