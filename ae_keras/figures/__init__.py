"""Every picture that the project makes: arrays in, files out."""

from ae_keras.figures.curves import (
    Panel,
    save_curves,
    save_history,
    save_label_maps,
    save_rate_distortion,
)
from ae_keras.figures.images import save_image_grid, save_image_rows, save_reconstructions
from ae_keras.figures.searches import (
    save_objective_by_parameter,
    save_objective_over_time,
    save_parallel_coordinates,
    save_size_and_quality,
)

__all__ = [
    "Panel",
    "save_curves",
    "save_history",
    "save_image_grid",
    "save_image_rows",
    "save_label_maps",
    "save_objective_by_parameter",
    "save_objective_over_time",
    "save_parallel_coordinates",
    "save_rate_distortion",
    "save_reconstructions",
    "save_size_and_quality",
]
