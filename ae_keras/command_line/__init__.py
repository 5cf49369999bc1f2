"""What all commands share: how they start, read values, print tables and fail."""

from ae_keras.command_line.program import (
    Namespace,
    Parser,
    prepare,
    report_failures,
    run,
)
from ae_keras.command_line.tables import (
    format_bd_rates,
    format_export,
    format_info,
    format_metrics,
    format_rate_distortion,
    format_results,
    format_table,
)
from ae_keras.command_line.values import NUMBER, parse_changes, parse_size, read_settings

__all__ = [
    "NUMBER",
    "Namespace",
    "Parser",
    "format_bd_rates",
    "format_export",
    "format_info",
    "format_metrics",
    "format_rate_distortion",
    "format_results",
    "format_table",
    "parse_changes",
    "parse_size",
    "prepare",
    "read_settings",
    "report_failures",
    "run",
]
