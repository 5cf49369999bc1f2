"""What all commands share: how they start, read values, print tables and fail."""

from ae_keras.command_line.files import (
    add_file_options,
    add_output_quality,
    add_ray_option,
    print_count,
    stream_beside,
)
from ae_keras.command_line.program import (
    Namespace,
    Parser,
    describe_error,
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
    "add_file_options",
    "add_output_quality",
    "add_ray_option",
    "describe_error",
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
    "print_count",
    "read_settings",
    "report_failures",
    "run",
    "stream_beside",
]
