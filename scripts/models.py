"""List the models: what they take, how large they are, and how small their latents."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("models")
