"""A page in the browser: compress, compare, denoise, colourize, look into latents and runs.

`server.serve` starts it. Each tab is two files: what it does with files, which knows nothing of
Gradio, and what it looks like (`*_tab`).
"""
