"""Speed beside that of Keras and PyTorch, measured in turns in one process."""
