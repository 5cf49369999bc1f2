"""Export a trained model to SavedModel, LiteRT or ONNX, with proof that it computes the same."""

from ae_keras.commands import run_command

if __name__ == "__main__":
    run_command("export")
