"""Speed beside that of Keras, PyTorch and other codecs, measured in turns."""
