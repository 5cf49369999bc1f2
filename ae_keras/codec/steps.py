"""How coarsely latents are quantized: the step of a file, and the quality that stands for it."""

# Of a quantization step to the unit of a channel.
STEP_SCALE = 32
# The finest step is one unit, the coarsest 1,000: 60 dB of quantization error apart.
FINEST_STEP = STEP_SCALE
COARSEST_STEP = 1000 * STEP_SCALE
_QUALITIES = 100


def step_of_quality(quality: int) -> int:
    """Return the step of a quality from 1 to 100; a higher quality always has a smaller step.

    Raises:
        ValueError: if the quality is not such a number.
    """
    if type(quality) is not int or not 1 <= quality <= _QUALITIES:
        raise ValueError(f"`quality` must be a whole number from 1 to 100. Received: {quality!r}")
    exponent = (_QUALITIES - quality) / (_QUALITIES - 1)
    return round(FINEST_STEP * (COARSEST_STEP / FINEST_STEP) ** exponent)


def quality_of_step(step: int) -> int:
    """Return the quality whose step is nearest to a given one."""
    return min(range(1, _QUALITIES + 1), key=lambda quality: abs(step_of_quality(quality) - step))


def check_step(step: object) -> None:
    """Raise `ValueError` unless a step is one that files may have."""
    if type(step) is not int or not FINEST_STEP <= step <= COARSEST_STEP:
        raise ValueError(
            f"`step` must be a whole number from {FINEST_STEP} to {COARSEST_STEP}. "
            f"Received: {step!r}"
        )
