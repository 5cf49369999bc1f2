"""Give colours to grey photographs."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("colourize")
