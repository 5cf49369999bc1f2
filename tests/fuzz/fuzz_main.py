"""Look for files that break what reads them, guided by what code they reach (Atheris).

python scripts/fuzz.py --minutes 10
python scripts/fuzz.py --minutes 10 --target aek2 --corpus fuzzing

Whole files are changed at random, half of those with checksums so that these are right. No file may
raise another error than those that commands make one line of, take over 2 s, end the process, or
take more than 256 MiB of memory beyond what whole files do; and none that is damaged may be read.
"""

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_CHILD = Path(__file__).parent / "fuzz_child.py"
# How the time is shared out: what is read slowly gets more.
_SHARES = {
    "aek1": 3, "aek2": 4, "tables": 3, "package": 2, "checkpoint": 2, "recipe": 1, "manifest": 1,
}  # fmt: skip
_COLUMNS = ("streams", "repaired", "refused", "faults")


def main() -> None:
    """Fuzz all targets or one, print a table, and fail if there was a fault."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10, help="in all; default 10")
    parser.add_argument("--target", choices=_SHARES, help="of files; default: all kinds")
    parser.add_argument("--corpus", help="a folder that keeps what was found for the next time")
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        parser.error('Fuzzing needs Atheris. Install it with: pip install -e ".[fuzz]"')
    names = [arguments.target] if arguments.target else list(_SHARES)
    total = sum(_SHARES[name] for name in names)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.corpus or temporary)
        print(f"{'target':<12}{'':1}" + "".join(f"{name:>12}" for name in _COLUMNS))
        reports = [
            _fuzz(name, 60 * arguments.minutes * _SHARES[name] / total, folder / name)
            for name in names
        ]
        sums = {name: sum(report.get(name, 0) for report in reports) for name in _COLUMNS}
        _show("all", sums)
        sys.exit(1 if sums["faults"] else 0)


def _fuzz(name: str, seconds: float, folder: Path) -> dict:
    """Fuzz a target in processes one after the other, if one dies; return the sums of all."""
    end, sums = time.monotonic() + seconds, {"found": []}
    while time.monotonic() < end:
        report = folder / "report.json"
        report.unlink(missing_ok=True)
        log = folder / "log.txt"
        folder.mkdir(parents=True, exist_ok=True)
        with open(log, "wb") as output:
            command = [sys.executable, _CHILD, name, str(end - time.monotonic()), folder]
            status = subprocess.run(command, stdout=output, stderr=output).returncode
        values = json.loads(report.read_text()) if report.exists() else {}
        _add(sums, values)
        if status:
            sums["found"].append(f"the process ended with {status}: see {log}")
            sums["faults"] = sums.get("faults", 0) + 1
        if not values:
            break
    _show(name, sums)
    return sums


def _add(sums: dict, values: dict) -> None:
    for key, value in values.items():
        if key in ("slowest", "most_memory"):
            sums[key] = max(sums.get(key, 0), value)
        else:
            sums[key] = sums.get(key, type(value)()) + value


def _show(name: str, sums: dict) -> None:
    line = f"{name:<13}" + "".join(f"{sums.get(column, 0):>12,}" for column in _COLUMNS)
    if "slowest" in sums:
        line += f"   slowest {sums['slowest']:.2f} s, memory {sums['most_memory'] / 2**20:.0f} MiB"
    print(line, *(f"  {fault}" for fault in sums.get("found", ())), sep="\n", flush=True)


if __name__ == "__main__":
    main()
