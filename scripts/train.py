"""Train an autoencoder, go on with a run that was stopped, or make a finished one longer."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("train")
