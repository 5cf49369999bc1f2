"""Timing of alternatives that take turns, so that a noisy machine is noisy for all."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

OURS = "ae-keras"
Name = TypeVar("Name")


@dataclass(frozen=True)
class Alternative:
    """Something to time.

    Args:
        run: Callable without arguments.
        count: int. Images, or steps, that a call works through.
    """

    run: Callable[[], object]
    count: int


def check_rounds(rounds: int) -> None:
    """Raise `ValueError` if there are no rounds."""
    if rounds < 1:
        raise ValueError(f"`rounds` must be at least 1. Received: {rounds}")


def take_turns(alternatives: dict[Name, Alternative], rounds: int) -> dict[Name, np.ndarray]:
    """Time some alternatives in turn, after one call of each that does not count.

    Each turn begins with a call that is not timed, because the threads of the one before may
    still be waiting for work.

    Returns:
        For each alternative, the seconds of one image, or step, in each round.

    Raises:
        ValueError: if there are no rounds.
    """
    check_rounds(rounds)
    seconds = {name: np.empty(rounds) for name in alternatives}
    for alternative in alternatives.values():
        alternative.run()
    for number in range(rounds):
        for name, alternative in alternatives.items():
            alternative.run()
            start = time.perf_counter()
            alternative.run()
            seconds[name][number] = (time.perf_counter() - start) / alternative.count
    return seconds


def compare(seconds: dict[str, np.ndarray]) -> list[tuple[str, str, str]]:
    """Return a row for each alternative: its images a second, and how much faster we are.

    Both are medians; the ratio is that of the two times within a round, so that a machine that
    is slower in some rounds does not change it.
    """
    return [
        (name, f"{np.median(1 / times):,.0f}", f"{np.median(times / seconds[OURS]):.2f}")
        for name, times in seconds.items()
    ]
