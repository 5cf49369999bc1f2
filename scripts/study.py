"""Run an experiment of the literature, and write what comes out as a page."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("study")
