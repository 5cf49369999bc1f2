"""The autoencoders, one module a family."""
