"""Run folders: what is in them, and models loaded from them by name."""
