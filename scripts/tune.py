"""Search for better recipes of a model, in one process or in several."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("tune")
