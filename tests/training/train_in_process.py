"""Run `train.py` with other times, and leave the weights that this process has when it ends.

Arguments: seconds to wait for the others, where to leave weights, and the arguments of `train.py`.
"""

import runpy
import sys
from pathlib import Path

import numpy as np

from ae_keras.training import epoch, processes
from ae_keras.training.trainer import Training

ROOT = Path(__file__).parents[2]


def main(seconds, weights, *arguments):
    processes.CONNECT_SECONDS = int(seconds)
    epoch.SECONDS_BETWEEN_CHECKPOINTS = 0
    original = Training.fit

    def fit(self, verbose):
        original(self, verbose)
        np.savez(weights, *self.model.get_weights())

    Training.fit = fit
    script = ROOT / "scripts" / "train.py"
    sys.argv = [str(script), *arguments]
    runpy.run_path(str(script), run_name="__main__")


if __name__ == "__main__":
    main(*sys.argv[1:])
