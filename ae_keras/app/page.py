"""The page: its tabs, and what it looks like."""

import gradio as gr

from ae_keras.app.colourize_tab import ColourizeTab
from ae_keras.app.compress_tab import CompressTab
from ae_keras.app.denoise_tab import add_denoise_tab
from ae_keras.app.latent_tab import LatentTab
from ae_keras.app.runs_tab import add_runs_tab

TITLE = "ae-keras"
# How often files are looked through, and how old those are that go, in seconds.
_SWEEP = (600, 3600)

# Fonts of the reader's own system: nothing is loaded from elsewhere.
_FONTS = [gr.themes.Font(name) for name in ("system-ui", "sans-serif")]
_MONO = [gr.themes.Font(name) for name in ("ui-monospace", "monospace")]
THEME = gr.themes.Default(primary_hue="blue", font=_FONTS, font_mono=_MONO)
STYLE = """
.gradio-container { max-width: 1280px !important; }
.chart { max-width: 560px; margin: 0; }
.chart svg { width: 100%; height: auto; font-size: 12px; }
.chart text { fill: var(--body-text-color); }
.chart .grid { stroke: var(--border-color-primary); }
.chart .mark { fill: none; stroke: var(--body-text-color); stroke-width: 2; }
.chart figcaption > span { display: inline-block; margin-right: 16px; }
.pixels img { image-rendering: pixelated; }
.prose { overflow-x: auto; }
.prose table { font-variant-numeric: tabular-nums; }
.prose :is(th, td):not(:first-child) { text-align: right; }
.prose td { overflow-wrap: normal; word-break: normal; }
.prose td:not(:first-child) { white-space: nowrap; }
.map { display: flex; flex-wrap: wrap; gap: 16px; align-items: start; }
.map svg { flex: 1 1 320px; max-width: 640px; touch-action: none; }
.map .digit { width: 140px; aspect-ratio: 1; image-rendering: pixelated; }
.map .digit { border: 1px solid var(--border-color-primary); }
@media (max-width: 480px) {
  .chart svg { font-size: 17px; }
  .prose table { font-size: 13px; }
  .prose table :is(th, td) { padding: 4px 6px !important; }
  .tab-container button { padding: 0 4px !important; font-size: 13px !important; }
}
"""


def make_page(max_megapixels: float) -> gr.Blocks:
    """Return the page.

    Args:
        max_megapixels: float. Larger photographs are refused.
    """
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=_SWEEP) as page:
        gr.Markdown(f"# {TITLE}")
        with gr.Tab("Compress"):
            CompressTab(page, max_megapixels)
        with gr.Tab("Denoise"):
            add_denoise_tab(page, max_megapixels)
        with gr.Tab("Colourize"):
            ColourizeTab(page, max_megapixels)
        with gr.Tab("Latent"):
            LatentTab(page, max_megapixels)
        with gr.Tab("Runs"):
            add_runs_tab(page)
    return page
