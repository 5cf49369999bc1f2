"""The tables that commands print."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ae_keras.system.text_tables import to_markdown

if TYPE_CHECKING:
    from ae_keras.codec.file_info import FileInfo


def format_table(rows: Sequence[Sequence[object]], header: Sequence[str]) -> str:
    """Return a Markdown table, its columns aligned; the first to the left, the others right."""
    return to_markdown(header, rows, aligned=True)


def format_metrics(metrics: dict[str, float | int | None]) -> str:
    """Return the table of what `ae_keras.evaluation.reconstruction.measure` measured."""
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
        "bd_rate": ("BD-rate to JPEG [%]", ".2f"),
        "estimated_bd_rate": ("BD-rate to JPEG, estimated [%]", ".2f"),
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
    """Return the table of files that were made: results, see `photographs.jobs`, without error."""
    rows = [_describe_result(result.job.source, [result]) for result in results]
    if len(rows) > _LISTED_FILES:
        rows = []
    if len(rows) != 1:
        rows.append(_describe_result(f"all {len(results)} files", results))
    header = (
        "image",
        "input bytes",
        "bytes",
        "bits per pixel",
        "ratio to 8-bit pixels",
        "PSNR [dB]",
    )
    return format_table(rows, header)


def _describe_result(name: str, results: Sequence) -> tuple[str, ...]:
    input_size = sum(result.input_size for result in results)
    size = sum(result.size for result in results)
    pixels = sum(result.shape[0] * result.shape[1] for result in results)
    values = sum(math.prod(result.shape) for result in results)
    measured = [result.psnr for result in results if result.psnr is not None]
    psnr = f"{sum(measured) / len(measured):.2f}" if measured else "-"
    return (
        name,
        f"{input_size:,}",
        f"{size:,}",
        f"{8 * size / pixels:.3f}",
        f"{values / size:.1f}",
        psnr,
    )


def format_info(name: str, info: "FileInfo") -> str:
    """Return the table of what an `.aek` file says of itself."""
    from ae_keras.codec.metadata import describe_metadata
    from ae_keras.codec.sections import SectionKind

    header = info.header
    has_alpha = any(section.kind == SectionKind.ALPHA for section in info.sections)
    image = f"{header.width} x {header.height} pixels, {header.channels} channels"
    bpp = 8 * info.size / (header.width * header.height)
    quality = "" if info.quality is None else f" (quality {info.quality})"
    rows = [
        ("image", image + (" and alpha" if has_alpha else "")),
        ("bytes", f"{info.size:,} ({bpp:.3f} bits per pixel)"),
        ("model", f"{header.model!r} ({header.digest.hex()})"),
        ("step", f"{header.step}{quality}"),
        ("tiles", "{1} x {0} pixels, ".format(*header.tile) + f"overlap {header.overlap}"),
        ("label", "-" if header.label is None else str(header.label)),
        ("metadata", describe_metadata(info.sections) or "-"),
    ]
    return format_table(rows, (name, "value"))


def format_export(report: dict) -> str:
    """Return the table of the report of `ae_keras.export.export_run.export_run`."""
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
    """Return the table of the points that `ae_keras.evaluation.rate_distortion` measured.

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
    """Return the table of the BD-rates that `ae_keras.evaluation.rate_distortion` computed."""
    rows = [(*names, _format(rate, "+.1f")) for names, rate in rates.items()]
    return format_table(rows, ("against", "coded as", f"BD-rate of {points[0]['codec']} [%]"))


def _format(value: float | int | None, style: str) -> str:
    return "-" if value is None else format(value, style)
