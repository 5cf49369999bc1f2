"""The file of a hyperprior: all integers that decoding depends on, and the digest of them."""

import functools
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ae_keras.codec.entropy_coding import FrequencyTables
from ae_keras.codec.hyperprior.checks import check_arrays
from ae_keras.codec.hyperprior.coder import Exchange, LatentWalk
from ae_keras.codec.hyperprior.levels import NAMES, QUALITIES, SCALE_COUNT, Level, Scales
from ae_keras.codec.hyperprior.networks import Networks
from ae_keras.codec.hyperprior.section import Analysed, Decoding, Encoding
from ae_keras.codec.hyperprior.strips import Strips
from ae_keras.codec.progress import Progress
from ae_keras.codec.table_files import split_tables

_WEIGHTS, _LEVELS = "weights/", "levels/"


@dataclass(frozen=True)
class Geometry:
    """What strips of a model need around them, in pixels.

    Args:
        encoder_margin: int. Rows above and below that latents and hyper-latents of a strip depend
            on; a multiple of 64.
        decoder_margin: int. The same for pixels and latents; a multiple of 16.
    """

    encoder_margin: int
    decoder_margin: int


class HyperpriorModel:
    """What is known of the latents of a model with a hyperprior; see `protocols.EntropyModel`.

    Args:
        arrays: The file's, by name:
            `weights/...`: see `networks.Networks`;
            `levels/...`: `(100, channels)`, for each quality what `levels.Level` says;
            `scales`: lowest and spacing of `levels.Scales`;
            `offsets`: `(64,)`, how far latents lie nearer to their means than their symbols say;
            `lowest`, `lengths`, `frequencies`: of the 64 tables, see `FrequencyTables`;
            `margins`: those of `Geometry`;
            `preview`: `(channels, 12)`, from coefficients to the means of 8x8 pixels.
        weights_digest: str. Of the model's weights; the file is of no use with others.
        default_step: int. The quality of a codec that is given none.

    Raises:
        ValueError: if arrays are missing, or do not fit together.
    """

    def __init__(
        self, arrays: Mapping[str, np.ndarray], weights_digest: str = "", default_step: int = 50
    ):
        self._arrays = dict(sorted(arrays.items()))
        self.weights_digest, self.default_step = weights_digest, default_step
        try:
            check_arrays(self._arrays)
            self._networks = Networks(self._part(_WEIGHTS))
            self._levels = self._part(_LEVELS)
            self._scales = Scales(*self._arrays["scales"].tolist())
            self._offsets = self._arrays["offsets"].astype(float)
            self.geometry = Geometry(*self._arrays["margins"].tolist())
            self.preview = self._arrays["preview"]
            frequencies = split_tables(self._arrays["frequencies"], self._arrays["lengths"])
            self.tables = FrequencyTables(self._arrays["lowest"].tolist(), frequencies)
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError(f"Expected the arrays of a hyperprior: {error}") from error
        if len(self.tables) != SCALE_COUNT or set(self._levels) != set(NAMES):
            raise ValueError(f"Expected {SCALE_COUNT} tables, and levels of {', '.join(NAMES)}.")
        self.check_step(default_step)

    def _part(self, prefix: str) -> dict[str, np.ndarray]:
        names = [name for name in self._arrays if name.startswith(prefix)]
        return {name.removeprefix(prefix): self._arrays[name] for name in names}

    @property
    def bound(self) -> float:
        """The largest sum of integers that any layer can reach; exact below 2^53."""
        return self._networks.bound

    @functools.cached_property
    def digest(self) -> bytes:
        """Eight bytes of the SHA-256 of the weights' digest and of all arrays, by name."""
        checksum = hashlib.sha256(self.weights_digest.encode())
        for name, array in self._arrays.items():
            checksum.update(f"{name} {array.shape} {array.dtype.str[1:]}".encode())
            checksum.update(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).data)
        return checksum.digest()[:8]

    def step_of_quality(self, quality: int) -> int:
        """Return the step of a quality, which is the quality itself.

        Raises:
            ValueError: if it is not a whole number from 1 to 100.
        """
        if type(quality) is not int or quality not in QUALITIES:
            raise ValueError(
                f"`quality` must be a whole number from 1 to 100. Received: {quality!r}"
            )
        return quality

    def rounded(self, latents: np.ndarray) -> np.ndarray:
        """Return the whole numbers nearest to latents, which are those of their quality."""
        return np.rint(latents)

    def quality_of_step(self, step: int) -> int:
        """Return the quality of a step."""
        return step

    def check_step(self, step: object) -> None:
        """Raise `ValueError` unless a step is a quality."""
        if type(step) is not int or step not in QUALITIES:
            raise ValueError(f"`step` must be a quality from 1 to 100. Received: {step!r}")

    def level(self, quality: int) -> Level:
        """Return the numbers of a quality from 1 to 100."""
        row = QUALITIES.index(quality)
        return Level(*(self._levels[name][row].astype(float) for name in NAMES))

    def walk(self, level: Level, strips: Strips, exchange: Exchange) -> LatentWalk:
        """Return what yields the latents of each strip, float64; see `coder.LatentWalk`."""
        return LatentWalk(self._networks, self._scales, self._offsets, level, strips, exchange)

    def encode(
        self, quality: int, strips: Strips, analysed: Iterator[Analysed], progress: Progress
    ) -> bytes:
        """Return the section of an image.

        Args:
            quality: int.
            strips: Strips.
            analysed: Of each strip the latents `(rows, width, channels)` and hyper-latents.
            progress: Progress. Is told when a strip is done.

        Raises:
            ValueError: if a latent is not a number, or too large.
        """
        level = self.level(quality)
        encoding = Encoding(self.tables, level, strips, analysed)
        for done, _ in enumerate(self.walk(level, strips, encoding), 1):
            progress(done / strips.count)
        return encoding.to_bytes()

    def decode(self, quality: int, strips: Strips, data: bytes) -> Iterator[np.ndarray]:
        """Yield the latents of each strip, float64 `(rows, width, channels)`, of a section.

        Raises:
            BitstreamError: if the section is damaged; some strips may have come before.
        """
        level = self.level(quality)
        decoding = Decoding(self.tables, level, strips, data)
        yield from self.walk(level, strips, decoding)
        decoding.finish()

    def save(self, path: str | Path) -> None:
        """Write everything as a compressed `.npz` file."""
        settings = {"default_step": self.default_step, "weights_digest": self.weights_digest}
        everything: dict[str, Any] = {**self._arrays, **settings}
        with open(path, "wb") as file:
            np.savez_compressed(file, **everything)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "HyperpriorModel":
        """Return what `save` wrote the arrays of.

        Raises:
            KeyError: if a setting is missing.
            ValueError: if arrays are missing, or do not fit together.
        """
        rest = dict(arrays)
        settings = str(rest.pop("weights_digest")), int(rest.pop("default_step"))
        return cls(rest, *settings)
