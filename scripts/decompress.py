"""Restore images that were compressed, or say what is in a file."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("decompress")
