"""Open a page in the browser: compress, compare, denoise, colourize, look into latents and runs."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("app")
