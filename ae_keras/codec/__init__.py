"""Images to bytes and back: quantization, entropy coding, the `.aek` file, codecs."""

# Classical codecs, by the names that `ae_keras.codec.classical.make_codec` takes.
LOSSY = ("jpeg", "webp", "avif", "svd", "pca")
LOSSLESS = ("webp-lossless", "png")
CLASSICAL = (*LOSSY, *LOSSLESS)

# The ending of the files of exported models that are codecs without Keras.
EXPORTED_SUFFIX = ".tflite"
