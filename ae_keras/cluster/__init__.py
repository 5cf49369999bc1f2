"""Files of any number, made on many processors and machines with Ray."""
