"""Images to bytes and back: quantization, entropy coding, the `.aek` file, codecs.

What codecs, their transforms and their entropy models must have stands in `protocols`, and what all
codecs of models do in `learned_codec`. Learned and linear ones are an `image_codec.ImageCodec`: its
layout cuts an image into tiles, its transform makes latents of these, its entropy model bytes, and
`bitstream` a file. `loading.load_codec` loads the codec of a run or of an exported model;
`classical.make_codec` makes what it is compared with.
"""

from ae_keras.codec.catalogue import CLASSICAL

# The ending of the files of exported models that are codecs without Keras.
EXPORTED_SUFFIX = ".tflite"
# Compresses where no other model is named: the newest codec of photographs that ships.
DEFAULT_MODEL = "photo"
# What can run a trained model, see `ae_keras.codec.runtimes`.
RUNTIMES = ("keras", "litert")

__all__ = ["CLASSICAL", "DEFAULT_MODEL", "EXPORTED_SUFFIX", "RUNTIMES"]
