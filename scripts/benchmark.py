"""Measure the speed of this library beside that of others, in one run."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("benchmark")
