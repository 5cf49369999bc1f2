"""One or two strided convolutions in the encoder, as many in the decoder, 64 or 128 filters each.

The report trained `conv` on MNIST, and found that deeper and wider is better: training losses of
0.0003 (depth 1, 64 filters), 0.0001 (1, 128), 0.0001 (2, 64) and 0.000027 (2, 128), test losses of
0.019, 0.006, 0.007 and 0.0016. With a second layer the latent has a quarter of the values, which
the report does not weigh.

The loss that is minimized is the binary cross-entropy, which for grey pixels does not go to zero.
Errors are mean squared ones of images in [0, 1]; the report does not say its scale.
A step is one of training, at batch size 128; its time is the median of rounds in which the four
take turns.
"""

import math
from collections.abc import Sequence
from typing import Any

from ae_keras import figures
from ae_keras.recipe import Recipe
from ae_keras.registry import recipe_for
from ae_keras.studies.page import Evidence, Page, Table, Verdict, judge_cases
from ae_keras.studies.workspace import Workspace
from ae_keras.system.pixels import to_unit_range

TITLE = "Depth and width of a convolutional autoencoder"
VARIANTS = ((1, 64), (1, 128), (2, 64), (2, 128))
EPOCHS = 3
_SHOWN = 10


def run(workspace: Workspace) -> Page:
    """Train the four variants, and compare their errors, sizes and times."""
    runs = {
        (depth, filters): workspace.train(f"depth-{depth}-{filters}", variant(depth, filters))
        for depth, filters in VARIANTS
    }
    steps, rows, examples = workspace.time_steps(runs), [], {}
    for (depth, filters), run in runs.items():
        model, test = workspace.load_model(run), workspace.load_images(run, "test")
        errors = [workspace.measure_mse(run, part) for part in ("train", "test")]
        loss = run.history[-1]["loss"]
        sizes = (depth, filters, math.prod(model.latent_shape), model.parameter_count)
        rows.append((*sizes, f"{loss:.5f}", *(f"{error:.6f}" for error in errors)))
        rows[-1] += (f"{steps[depth, filters]:.0f}",)
        shown = to_unit_range(test.images[:_SHOWN])
        examples["original"] = shown
        examples[f"depth {depth},\n{filters} filters"] = model.predict_on_batch(shown)
    header = ("depth", "filters", "latent values", "parameters", "last training loss")
    table = Table((*header, "training MSE", "test MSE", "step [ms]"), rows)
    title = "conv on MNIST: test images and their reconstructions"
    figure = workspace.draw("reconstructions", figures.save_image_rows, examples, title)
    return Page(judge(rows), {"depth": table}, {figure: title})


def variant(depth: int, filters: int) -> Recipe:
    """Return the recipe of a variant of `conv` on MNIST."""
    return recipe_for("conv", "mnist", depth=depth, filters=filters, epochs=EPOCHS)


def judge(rows: Sequence[tuple[Any, ...]]) -> list[Verdict]:
    """Say whether the deepest and widest variant is the best, and what width and depth do.

    Args:
        rows: In the order of the table's columns, of which depth, filters and test error are used.
    """
    test = {row[:2]: float(row[6]) for row in rows}
    best = min(test, key=test.__getitem__)
    wider = [(test[depth, 64], test[depth, 128]) for depth in (1, 2)]
    deeper = [(test[1, filters], test[2, filters]) for filters in (64, 128)]
    return [
        Verdict(
            "Deeper and wider is better",
            best == (2, 128),
            (
                Evidence("lowest test MSE", test[best], style=".6f"),
                Evidence("its depth", best[0]),
                Evidence("its filters", best[1]),
            ),
        ),
        Verdict(
            "More filters lower the error",
            judge_cases([wide < narrow for narrow, wide in wider]),
            tuple(
                Evidence(f"test MSE with 64 and 128 filters, depth {depth}", pair, style=".6f")
                for depth, pair in zip((1, 2), wider, strict=True)
            ),
        ),
        Verdict(
            "A second layer, with a quarter of the latent's values, lowers it",
            judge_cases([deep < shallow for shallow, deep in deeper]),
            tuple(
                Evidence(f"test MSE with depth 1 and 2, {filters} filters", pair, style=".6f")
                for filters, pair in zip((64, 128), deeper, strict=True)
            ),
        ),
    ]
