"""Take noise out of images with a trained autoencoder."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("denoise")
