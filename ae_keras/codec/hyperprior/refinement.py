"""Latents that cost less: rate-distortion optimized quantization, by the decoder's gradient.

Rounding takes the symbol nearest to each latent. Another one, a step away, may take fewer bits or,
because the decoder is no orthogonal transform, even make a better picture. Such ones are looked for
in rounds: the decoder's gradient tells which moves by a step promise to lower
bits + lambda * squared error; a random share of them is tried at once, and kept in each block of
16x16 pixels whose own cost has become lower. Files are those of any encoder, and are decoded alike.
"""

from typing import Any, NamedTuple

import keras
import numpy as np

from ae_keras.codec.protocols import QualityTransform
from ae_keras.layers.gaussian import gaussian_bits
from ae_keras.layers.hyperprior import LATENT_BLOCK, even_places
from ae_keras.layers.types import Tensor
from ae_keras.models.hyperprior import HyperpriorAutoencoder
from ae_keras.system.quality import lambda_of_position
from ae_keras.system.quiet import import_tensorflow_quietly

# Rounds of the efforts 1 to 9.
ROUNDS = (0, 2, 4, 8, 12, 16, 24, 32, 64)
# Of lambda, what bits are exchanged at for squared error along the curve of a codec: 1.0 to 1.6.
_SLOPE = 1.2
# Moves that are tried at once: many where there are few rounds.
_SHARE, _LARGEST_SHARE = 16, 0.5
# What the curvature is taken for, first and last: sure moves come before others.
_CAUTION = (1.5, 1.0)
# Of a step, how far latents are moved to measure the curvature.
_PROBE = 0.1
_LEAST_CURVATURE = 1e-3


class _Costs(NamedTuple):
    """What symbols of an image cost.

    Args:
        known: `(1, height, width, channels)`. The latents that they stand for.
        symbols: Of the same shape.
        scales: Of the same shape. Those of the Gaussians that symbols are coded with.
        blocks: `(1, height, width, 1)`. Bits + lambda * squared error of each block of pixels.
        gradient: Of the shape of the first. The change of the errors' part with each known latent.
    """

    known: Tensor
    symbols: Tensor
    scales: Tensor
    blocks: Tensor
    gradient: Tensor


class RefiningTransform:
    """The encoder and decoder of a photo codec, of whose latents symbols cost less.

    Args:
        transform: QualityTransform. That of the codec.
        model: HyperpriorAutoencoder. The same model.
        effort: int. From 2 to 9.

    Raises:
        ValueError: if Keras is not on TensorFlow, whose gradients this takes.
    """

    def __init__(self, transform: QualityTransform, model: HyperpriorAutoencoder, effort: int):
        if keras.config.backend() != "tensorflow":
            raise ValueError("An effort above 1 is for KERAS_BACKEND=tensorflow alone.")
        self.channels = transform.channels
        self._transform, self._model = transform, model.in_float32()
        self._rounds = ROUNDS[effort - 1]
        self._share = min(_LARGEST_SHARE, _SHARE / self._rounds)
        self._tf = import_tensorflow_quietly()
        compiled = [
            self._tf.function(method, reduce_retracing=True)
            for method in (self._prepare, self._improve)
        ]
        self._compiled_prepare, self._compiled_improve = compiled

    def analyse(self, images: np.ndarray, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return latents and hyper-latents; where a symbol has moved, the latent is its own."""
        latents, hyper_latents = self._transform.analyse(images, positions)
        refined = [
            self._refine(*(part[np.newaxis] for part in parts))
            for parts in zip(images, latents, hyper_latents, positions, strict=True)
        ]
        return np.concatenate(refined), hyper_latents

    def synthesize(self, latents: np.ndarray, positions: np.ndarray) -> np.ndarray:
        """Return the images, in [0, 1], of known latents."""
        return self._transform.synthesize(latents, positions)

    def _refine(
        self, image: np.ndarray, latents: np.ndarray, hyper_latents: np.ndarray, position: Any
    ) -> np.ndarray:
        tf = self._tf
        image, position = tf.constant(image, tf.float32), tf.constant(position, tf.float32)
        predicted, curvature = self._compiled_prepare(
            image, tf.constant(latents), tf.constant(hyper_latents), position
        )
        even = even_places(latents)
        refined = tf.constant(latents)
        # Odd places come second: what their symbols cost depends on the even ones.
        for parity, places in enumerate((even, 1 - even)):
            for number, caution in enumerate(np.linspace(*_CAUTION, self._rounds // 2)):
                feared = tf.cast(caution, tf.float32) * curvature
                given = image, refined, predicted, position, feared, places
                refined = self._compiled_improve(*given, tf.constant([parity, number]))
        return refined.numpy()

    def _prepare(
        self, image: Tensor, latents: Tensor, hyper_latents: Tensor, position: Tensor
    ) -> tuple[Any, Tensor]:
        """Return what hyper-latents predict, and the curvature of the error in each channel."""
        tf = self._tf
        predicted = self._model.entropy_model.predict(tf.round(hyper_latents), position)
        costs = self._costs(image, latents, predicted, position)
        signs = tf.sign(tf.random.stateless_uniform(tf.shape(latents), (0, 1), -1, 1))
        _, moved = self._errors(image, costs.known + _PROBE * signs, position)
        curvature = signs * (moved - costs.gradient) / _PROBE
        curvature = tf.reduce_mean(curvature, axis=(0, 1, 2), keepdims=True)
        return predicted, tf.maximum(curvature, _LEAST_CURVATURE)

    def _improve(
        self,
        image: Tensor,
        latents: Tensor,
        predicted: Any,
        position: Tensor,
        curvature: Tensor,
        places: Tensor,
        seed: Tensor,
    ) -> Tensor:
        """Return latents of which some have moved by a step to where they cost less."""
        tf = self._tf
        costs = self._costs(image, latents, predicted, position)
        moves = self._best_moves(costs, curvature) * places
        tried = tf.random.stateless_uniform(tf.shape(latents), seed) < self._share
        moved = tf.where(tried & (moves != 0), costs.known + moves, latents)
        blocks = self._costs(image, moved, predicted, position).blocks
        return tf.where(blocks < costs.blocks, moved, latents)

    def _best_moves(self, costs: _Costs, curvature: Tensor) -> Tensor:
        """Return -1, 0 or 1 for each symbol: the move that promises to cost the least."""
        before = gaussian_bits(costs.symbols, costs.scales)
        lower, higher = (
            move * costs.gradient
            + curvature / 2
            + gaussian_bits(costs.symbols + move, costs.scales)
            - before
            for move in (-1.0, 1.0)
        )
        move = self._tf.where(lower < higher, -1.0, 1.0)
        return self._tf.where(self._tf.minimum(lower, higher) < 0, move, 0.0)

    def _costs(self, image: Tensor, latents: Tensor, predicted: Any, position: Tensor) -> _Costs:
        """Return what latents cost that are rounded."""
        tf = self._tf
        means, scales = self._model.entropy_model.latent_moments(latents, predicted, position)
        symbols = tf.round(latents - means)
        known = means + symbols
        bits = tf.reduce_sum(gaussian_bits(symbols, scales), axis=-1, keepdims=True)
        errors, gradient = self._errors(image, known, position)
        return _Costs(known, symbols, scales, bits + errors, gradient)

    def _errors(self, image: Tensor, known: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
        """Return lambda * squared error of each block of pixels, in bits, and its gradient."""
        tf = self._tf
        weight = _SLOPE * lambda_of_position(position)[:, None, None, None]
        with tf.GradientTape() as tape:
            tape.watch(known)
            squares = tf.square(255 * (self._model.decoder([known, position]) - image))
            errors = weight * tf.reduce_mean(squares, axis=-1, keepdims=True)
            blocks = LATENT_BLOCK**2 * tf.nn.avg_pool2d(errors, LATENT_BLOCK, LATENT_BLOCK, "VALID")
        return blocks, tape.gradient(blocks, known)
