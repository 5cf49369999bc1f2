"""Names for the types of what layers take and give."""

from collections.abc import Sequence
from typing import Any

# A tensor of whatever backend Keras runs on, or an array.
Tensor = Any
# Sizes of a tensor's axes, whole numbers; None: any.
Shape = Sequence[Any]
