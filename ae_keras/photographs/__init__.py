"""Whole files and photographs of any size: compressed, denoised, colourized."""
