"""What the models become outside of Keras: SavedModel, LiteRT and ONNX, with fewer bits, and speed.

No report exports a model. Here each is exported in all ways, and compared with the Keras model on
256 test images: PSNR takes Keras's reconstructions for the originals, so that it says what the
export costs, not what the model does. Integers get their ranges from 256 training images.

Milliseconds are medians of a call of encoder and decoder, for one image and for 32. The
alternatives take turns in one process; two of them are Keras: `predict`, and calling the model.
TensorFlow has two processor cores, ONNX Runtime and LiteRT one. Sizes are those of what the runtime
loads, without the entropy tables of the codec.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ae_keras.benchmark.timing import Alternative, take_turns
from ae_keras.export import QUANTIZATIONS, Export
from ae_keras.export.export_run import export_run
from ae_keras.export.parity import SMALLEST_PSNR, make_inputs
from ae_keras.export.quantization import LARGEST_SHARE
from ae_keras.export.runtimes import load_exported_model, run_all
from ae_keras.models.image_model import ImageModel
from ae_keras.registry import recipe_for
from ae_keras.runs.folder import RunFolder
from ae_keras.studies.page import Evidence, Page, Table, Verdict
from ae_keras.studies.trained_models import FACES, MODELS, train_own
from ae_keras.studies.workspace import Workspace

TITLE = "Exported models"
_COLOURIZER = "colourizer"
_EXPORTS = (
    Export("saved_model"),
    Export("onnx"),
    *(Export("litert", quantization) for quantization in QUANTIZATIONS),
)
_FLOAT32, _INT8 = "litert", "litert-int8"
_PREDICT, _CALL = "Keras, `predict`", "Keras, `model(x)`"
# TensorFlow's cannot be changed once Keras has run.
_THREADS = {"saved_model": None, "onnx": 1, "litert": 1}
_BATCHES = (1, 32)
_ROUNDS, _QUICK_ROUNDS = 21, 2
_HEADER = (
    *("model", "as", "KB", "share of float32", "PSNR to Keras [dB]", "largest difference"),
    *("1 image [ms]", "32 images [ms]"),
    *("`predict` / it, 1 / 32 images", "`model(x)` / it, 1 / 32 images"),
)

# Of a way to run a model: `"model"`, `"as"`, the `"report"` of the export and that of `"float32"`;
# milliseconds by the number of images; how much faster than Keras by its way and that number.
Row = dict[Any, Any]


def run(workspace: Workspace) -> Page:
    """Export, compare and time each model."""
    rows: list[Row] = []
    for name in workspace.choose((*MODELS, *FACES, _COLOURIZER), 5):
        try:
            run = _train(workspace, name)
        except ConnectionError as error:
            print(f"{name} is left out: {error}")
            continue
        rows += _measure(workspace, name, run)
    if not rows:
        raise ConnectionError("None of the data sets is here, and there is no network.")
    table = Table(_HEADER, [_format(row) for row in rows])
    return Page(judge(rows), {"export": table})


def _train(workspace: Workspace, name: str) -> RunFolder:
    if name != _COLOURIZER:
        return train_own(workspace, name)
    recipe = recipe_for(name)
    return workspace.find(recipe) or workspace.train("colourizer-regression", recipe)


def _measure(workspace: Workspace, name: str, run: RunFolder) -> list[Row]:
    """Return a row for each way to run a model."""
    print(f"exporting {name}", flush=True)
    model = workspace.load_model(run)
    model.jit_compile = False  # XLA slows convolutions on a CPU
    data = workspace.load_images(run, "test").pick(max(_BATCHES))
    inputs = make_inputs(model, data)
    with tempfile.TemporaryDirectory() as folder:
        reports, exported = {}, {}
        for export in _EXPORTS:
            try:
                path, reports[export.name] = export_run(
                    run.path, export, Path(folder) / export.name, threads=()
                )
            except ArithmeticError as error:  # its results are too far from Keras's
                print(f"{name}, {export.name}: {error}")
                continue
            exported[export.name] = load_exported_model(
                export.format, path, _THREADS[export.format]
            )
        if _FLOAT32 not in reports:
            return []
        seconds = {size: _time(workspace, model, exported, inputs, size) for size in _BATCHES}
    return [
        {
            "model": name,
            "as": way,
            "report": reports.get(way),
            "float32": reports[_FLOAT32],
            **{size: 1000 * float(np.median(seconds[size][way])) for size in _BATCHES},
            **{
                (other, size): float(np.median(seconds[size][other] / seconds[size][way]))
                for other in (_PREDICT, _CALL)
                for size in _BATCHES
            },
        }
        for way in seconds[1]
    ]


def _time(
    workspace: Workspace,
    model: ImageModel,
    exported: dict[str, Any],
    inputs: dict[str, np.ndarray],
    size: int,
) -> dict[str, np.ndarray]:
    """Return the seconds of a call with so many images, of each way in each round."""
    batch = {name: array[:size] for name, array in inputs.items()}
    (images,) = batch.values()
    ways = {
        _PREDICT: lambda: model.predict(images, batch_size=size, verbose=0),
        _CALL: lambda: np.asarray(model(images, training=False)),
    } | {name: lambda each=each: run_all(each, batch) for name, each in exported.items()}
    alternatives = {name: Alternative(call, 1) for name, call in ways.items()}
    return take_turns(alternatives, _QUICK_ROUNDS if workspace.quick else _ROUNDS)


def _parity(report: dict[str, Any]) -> dict[str, Any]:
    """Return how far the images of an export are from those of Keras."""
    return report["parity"].get("reconstructions") or report["parity"]["images"]


def _share(row: Row) -> float:
    return row["report"]["model_bytes"] / row["float32"]["model_bytes"]


def _format(row: Row) -> tuple[str, ...]:
    cells: tuple[str, ...] = ("-",) * 4
    if row["report"] is not None:
        parity, size = _parity(row["report"]), row["report"]["model_bytes"] / 1000
        psnr = "exact" if parity["psnr"] is None else f"{parity['psnr']:.1f}"
        cells = (f"{size:.0f}", f"{_share(row):.2f}", psnr, f"{parity['max']:.0e}")
    times = [f"{row[size]:.2f}" for size in _BATCHES]
    ratios = [
        " / ".join(f"{row[other, size]:.1f}" for size in _BATCHES) for other in (_PREDICT, _CALL)
    ]
    return (f"`{row['model']}`", row["as"], *cells, *times, *ratios)


def judge(rows: Sequence[Row]) -> list[Verdict]:
    """Say how exact, how small and how fast the LiteRT models are."""
    plain = [row for row in rows if row["as"] == _FLOAT32]
    integers = [row for row in rows if row["as"] == _INT8]
    exact = [row for row in rows if row["report"] and row["report"]["quantization"] == "none"]
    worst = max(exact, key=lambda row: _parity(row["report"])["max"])
    slowest = min(plain, key=lambda row: row[_PREDICT, 1])
    verdicts = [
        Verdict(
            "The largest difference to Keras's results in float32",
            None,
            (
                Evidence("difference", _parity(worst["report"])["max"], style=".0e"),
                Evidence("model", f"`{worst['model']}`"),
                Evidence("as", worst["as"]),
            ),
        ),
        Verdict(
            "How much faster than `predict` LiteRT is at least, for one image",
            None,
            (
                Evidence("times as fast", slowest[_PREDICT, 1], style=".0f"),
                Evidence("model", f"`{slowest['model']}`"),
            ),
        ),
    ]
    if integers:
        verdicts.append(_judge_integers(integers))
    refused = sorted({row["model"] for row in plain} - {row["model"] for row in integers})
    if refused:
        evidence = (Evidence("models", tuple(refused)),)
        claim = f"Refused in int8, below {SMALLEST_PSNR['int8']} dB"
        verdicts.append(Verdict(claim, None, evidence))
    return verdicts


def _judge_integers(rows: Sequence[Row]) -> Verdict:
    least = min(rows, key=lambda row: _parity(row["report"])["psnr"])
    large = [row for row in rows if _share(row) > LARGEST_SHARE]
    return Verdict(
        "What int8 costs and saves",
        None,
        (
            Evidence("lowest PSNR", _parity(least["report"])["psnr"], "dB", ".1f"),
            Evidence("model", f"`{least['model']}`"),
            Evidence(
                f"above {LARGEST_SHARE} of the float32 model's size",
                tuple(f"`{row['model']}`" for row in large),
            ),
            *(Evidence(f"size of `{row['model']}`", _share(row), style=".2f") for row in large),
        ),
    )
