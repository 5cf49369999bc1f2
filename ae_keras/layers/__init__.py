"""Keras layers of the autoencoders, in `keras.ops` only."""
