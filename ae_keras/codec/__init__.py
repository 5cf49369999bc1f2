"""Images to bytes and back: quantization, entropy coding, the `.aek` file, codecs."""
