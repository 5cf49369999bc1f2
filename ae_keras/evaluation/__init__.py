"""How well trained models reconstruct, and at what rate."""
