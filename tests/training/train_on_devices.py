"""Train recipes with some numbers of virtual devices of a CPU, in a process of its own.

Arguments: a folder, and runs `NAME-N`: the recipe `NAME.json` of the folder on `N` devices; or
`NAME-NtoM`: begun with `N` devices, killed after some batches, and continued with `M`.
"""

import os
import sys
from pathlib import Path

VIRTUAL_DEVICES = 2
BATCHES_BEFORE_DEATH = 14

os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={VIRTUAL_DEVICES}"
if os.environ["KERAS_BACKEND"] == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration()] * VIRTUAL_DEVICES,
    )

sys.path.append(str(Path(__file__).parents[1]))


def main(folder, *runs):
    from conftest import train_and_die

    import ae_keras
    from ae_keras.training import compilation, epoch

    epoch.SECONDS_BETWEEN_CHECKPOINTS = 0
    compilation._STEPS_PER_EXECUTION = 1
    for run in runs:
        name, _, devices = run.rpartition("-")
        before, _, after = devices.partition("to")
        recipe = ae_keras.Recipe.read(folder / f"{name}.json")
        if after:
            train_and_die(recipe, folder / run, BATCHES_BEFORE_DEATH, devices=int(before))
        ae_keras.train(recipe, folder / run, verbose=0, devices=int(after or before))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
