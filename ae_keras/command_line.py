"""What all scripts share: how they start, read values, print tables and fail."""

import argparse
import contextlib
import importlib
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from ae_keras.codec import EXPORTED_SUFFIX
from ae_keras.quiet import quiet_stderr


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that keeps the lines of its examples, and fails with one line."""

    def __init__(self, **options):
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**options)

    def error(self, message: str):
        """End with exit status 2."""
        self.exit(2, f"{self.prog}: error: {message}. See --help.\n")


def run(parser: argparse.ArgumentParser, main: Callable[[argparse.Namespace], Any]) -> None:
    """Parse the command line, run `main`, and end with one line on stderr if it fails.

    The exit status is 1 after an error, 2 for a wrong command line and 130 after Ctrl-C. With
    AE_KERAS_DEBUG set, errors show their traceback.
    """
    arguments = parser.parse_args()
    try:
        prepare(getattr(arguments, "model", None))
        main(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt as interrupt:
        _fail(parser, str(interrupt) or "Interrupted.", 130)
    except BrokenPipeError:
        # The reader of our output has gone; nothing more can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("AE_KERAS_DEBUG") or not isinstance(error, _expected_errors()):
            raise
        _fail(parser, f"error: {' '.join(_describe(error).split())}", 1)


def _expected_errors() -> tuple[type[Exception], ...]:
    """A user's mistakes, and what the machine denies. Anything else is a bug."""
    expected = (ValueError, OSError, ArithmeticError, ModuleNotFoundError)
    tensorflow = sys.modules.get("tensorflow")
    return expected if tensorflow is None else (*expected, tensorflow.errors.ResourceExhaustedError)


def _describe(error: BaseException) -> str:
    if type(error).__name__ == "ResourceExhaustedError":
        return "out of memory. Use smaller batches, images or models."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return str(error)


def _fail(parser: argparse.ArgumentParser, message: str, status: int) -> None:
    print(f"{parser.prog}: {message}", file=sys.stderr)
    sys.exit(status)


def prepare(model: str | None) -> None:
    """Import TensorFlow, unless the model is an exported file, which needs none."""
    if model is None or not model.endswith(EXPORTED_SUFFIX):
        import_tensorflow_quietly()


def import_tensorflow_quietly() -> None:
    """Import TensorFlow without what its C++ code prints to stderr whatever its log level is."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet_stderr():
        module = importlib.import_module("tensorflow")
        module.config.list_physical_devices()
    module.get_logger().setLevel("ERROR")
    importlib.import_module("absl.logging").set_verbosity("error")


def parse_changes(settings: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """Read the `key=value` texts of an option: values are JSON, lists with commas, or plain text.

    Raises:
        ValueError: if a text has no `=`.

    Example:
        >>> parse_changes(["epochs=3", "filters=8,16,32", "optimizer=sgd"])
        {'epochs': 3, 'filters': [8, 16, 32], 'optimizer': 'sgd'}
    """
    changes = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key:
            raise ValueError(f"{option} takes KEY=VALUE. Received: {setting!r}")
        changes[key] = _parse_value(value)
    return changes


def _parse_value(text: str) -> Any:
    for candidate in (text, f"[{text}]" if "," in text else text):
        with contextlib.suppress(json.JSONDecodeError):
            return json.loads(candidate)
    return None if text.lower() == "none" else text


def format_table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Return a Markdown table, its columns aligned; the first to the left, the others right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rule = [
        "-" * width if number == 0 else "-" * (width - 1) + ":"
        for number, width in enumerate(widths)
    ]
    cells.insert(1, rule)
    lines = []
    for first, *rest in cells:
        padded = [cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)]
        lines.append(f"| {' | '.join([first.ljust(widths[0]), *padded])} |")
    return "\n".join(lines)


def format_metrics(metrics: dict[str, float | int | None]) -> str:
    """Return the table of what `ae_keras.evaluation.measure` measured."""
    names = {
        "images": ("images", "d"),
        "mse": ("MSE, images in [0, 1]", ".6f"),
        "mse_standardized": ("MSE, standardized channels", ".5f"),
        "psnr": ("PSNR, mean over images [dB]", ".2f"),
        "psnr_of_mean_mse": ("PSNR of the mean MSE [dB]", ".2f"),
        "kl": ("KL divergence [nats of an image]", ".1f"),
        "ssim": ("SSIM", ".4f"),
        "ms_ssim": (f"MS-SSIM, {metrics.get('ms_ssim_scales')} scales", ".4f"),
        "ab_rmse": ("RMSE of a and b of LAB", ".2f"),
        "delta_e": ("Delta E 2000", ".2f"),
        "colourfulness": ("colourfulness", ".1f"),
    }
    rows = [
        (name, "-" if metrics[key] is None else format(metrics[key], style))
        for key, (name, style) in names.items()
        if key in metrics
    ]
    return format_table(rows, header=("metric", "value"))


# With more files, only their total is printed.
_LISTED_FILES = 20


def format_results(results: Sequence) -> str:
    """Return the table of files that were made: `ae_keras.codec.jobs.Result`s without error."""
    rows = [_describe_result(result.job.source, [result]) for result in results]
    if len(rows) > _LISTED_FILES:
        rows = []
    if len(rows) != 1:
        rows.append(_describe_result(f"all {len(results)} files", results))
    header = ("image", "bytes", "bits per pixel", "ratio to 8-bit pixels", "PSNR [dB]")
    return format_table(rows, header)


def _describe_result(name: str, results: Sequence) -> tuple[str, ...]:
    size = sum(result.size for result in results)
    pixels = sum(result.shape[0] * result.shape[1] for result in results)
    values = sum(math.prod(result.shape) for result in results)
    measured = [result.psnr for result in results if result.psnr is not None]
    psnr = f"{sum(measured) / len(measured):.2f}" if measured else "-"
    return name, f"{size:,}", f"{8 * size / pixels:.3f}", f"{values / size:.1f}", psnr


def report_failures(program: str, results: Sequence) -> None:
    """Print a line on stderr for each failed result, and end with exit status 1 if there is one."""
    failures = [result for result in results if result.error is not None]
    for result in failures:
        reason = " ".join(result.error.split())
        print(f"{program}: error: {result.job.source}: {reason}", file=sys.stderr)
    if failures:
        sys.exit(1)


def format_header(name: str, header, size: int) -> str:
    """Return the table of what an `.aek` file of `size` bytes says of itself."""
    from ae_keras.codec.quantizer import quality_of_step

    image = f"{header.width} x {header.height} pixels, {header.channels} channels"
    bpp = 8 * size / (header.width * header.height)
    rows = [
        ("image", image + (" and alpha" if header.has_alpha else "")),
        ("bytes", f"{size:,} ({bpp:.3f} bits per pixel)"),
        ("model", f"{header.model!r} ({header.digest.hex()})"),
        ("step", f"{header.step} (quality {quality_of_step(header.step)})"),
        ("tiles", "{1} x {0} pixels, ".format(*header.tile) + f"overlap {header.overlap}"),
        ("label", "-" if header.label is None else str(header.label)),
    ]
    return format_table(rows, (name, "value"))


def format_export(report: dict) -> str:
    """Return the table of the report of `ae_keras.export.running.export_run`."""
    rows = [("size [bytes]", f"{report['bytes']:,}")]
    for name, values in report["parity"].items():
        unit = "" if values["scale"] == 1 else f", as a share of {values['scale']:.1f}"
        rows += [
            (f"{name}: largest difference to Keras{unit}", f"{values['max']:.1e}"),
            (f"{name}: mean difference{unit}", f"{values['mean']:.1e}"),
            (f"{name}: PSNR to Keras [dB]", _format(values["psnr"], ".1f")),
        ]
        if "same_symbols" in values:
            rows.append((f"{name}: same symbols [%]", f"{100 * values['same_symbols']:.3f}"))
    count = report["batch_size"] or 1
    images = "" if count == 1 else f"{count} images, "
    for threads, values in report["speed"].items():
        unit = "thread" if threads == "1" else "threads"
        rows += [
            (f"latency, {images}{threads} {unit} [ms]", f"{values['latency_ms']:.3f}"),
            (f"peak memory, {threads} {unit} [MB]", _format(values["peak_memory_mb"], ".0f")),
        ]
    proof = "{count} test images of {dataset}".format(**report["images"])
    return format_table(rows, (f"{report['name']}, {proof}", "value"))


def format_rate_distortion(points: Sequence[dict]) -> str:
    """Return the table of the points that `ae_keras.rate_distortion` measured.

    The milliseconds are those of compressing and decompressing an image.
    """
    measured = ("bits per pixel", "MSE", "PSNR [dB]", "MS-SSIM", "ms")
    header = ("codec", "coded as", "quality", *measured)
    rows = [
        (
            point["codec"],
            point["layout"],
            _format(point["quality"], "d"),
            f"{point['bpp']:.3f}",
            f"{point['mse']:.6f}",
            "lossless" if point["psnr"] is None else f"{point['psnr']:.2f}",
            _format(point["ms_ssim"], ".4f"),
            f"{point['compress_ms']:.2f} + {point['decompress_ms']:.2f}",
        )
        for point in points
    ]
    return format_table(rows, header)


def format_bd_rates(points: Sequence[dict], rates: dict) -> str:
    """Return the table of the BD-rates that `ae_keras.rate_distortion` computed."""
    rows = [(*names, _format(rate, "+.1f")) for names, rate in rates.items()]
    return format_table(rows, ("against", "coded as", f"BD-rate of {points[0]['codec']} [%]"))


def _format(value: float | int | None, style: str) -> str:
    return "-" if value is None else format(value, style)
