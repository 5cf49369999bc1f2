"""Measure a trained model on its test images, or on another data set: quality, or real files."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("evaluate")
