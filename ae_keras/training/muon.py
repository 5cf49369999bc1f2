"""The optimizer of the photo codec: `Muon` for the weights of dense layers, Adam for all else."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ae_keras.layers.types import Tensor

# Of the quintic polynomial a x + b x**3 + c x**5 whose iteration takes singular values to about 1.
_A, _B, _C = 3.4445, -4.7750, 2.0315
_ITERATIONS = 5


def orthogonalize(matrices: Tensor, dtype: str = "bfloat16") -> Tensor:
    """Return matrices with the same singular vectors and all singular values between 0.7 and 1.2.

    Five Newton-Schulz iterations `x <- a x + b (x x') x + c (x x')**2 x`, written such that each
    takes three products and two sums.

    Args:
        matrices: Tensor `(count, rows, columns)`, float32, rows <= columns.
        dtype: str. Of the products. bfloat16 is enough.
    """
    norms = ops.sqrt(ops.sum(ops.square(matrices), axis=(1, 2), keepdims=True))
    scale = _C**0.25  # with it, the coefficient of the square is 1
    iterate = ops.cast(matrices * (scale / (norms + 1e-7)), dtype)
    unit = np.eye(matrices.shape[1], dtype="float32")
    linear, constant = (ops.cast(value * unit, dtype) for value in (_B / scale**2, _A))
    for _ in range(_ITERATIONS):
        square = ops.matmul(iterate, ops.transpose(iterate, (0, 2, 1)))
        iterate = ops.matmul(ops.matmul(square + linear, square) + constant, iterate)
    return ops.cast(iterate, "float32") / scale


@keras.saving.register_keras_serializable(package="ae_keras")
class Muon(keras.optimizers.Optimizer):
    """Muon for the kernels of `Dense` layers, and Adam for all other weights.

    The update of a kernel is its momentum with all singular values near 1, times the learning
    rate and `sqrt(max(1, outputs / inputs))`: so a layer's outputs change alike whatever its shape.
    A kernel is a weight with two axes that is called `kernel`; tables, biases and
    depthwise kernels are not.

    Keras's own `Muon` takes all weights with two axes, scales the update by the longer axis and
    decays weights. It also updates one weight after the other; here kernels of one shape,
    or its transpose, are one stack of matrices, and all weights of Adam are one vector, which
    takes a fifth of the operations.

    Args:
        learning_rate: float or Keras schedule. Of Muon.
        adam_ratio: float. Adam's learning rate, in units of Muon's.
        momentum: float. Of Muon, with Nesterov's correction.
        beta_1: float. Of Adam: decay of the mean gradient.
        beta_2: float. Of Adam: decay of the mean squared gradient.
        epsilon: float. Of Adam.
        exclude: tuple of str. Adam trains kernels with one of these in their path.
        product_dtype: str. Of Muon's products.
        **kwargs: The other arguments of any Keras optimizer; `weight_decay` is not taken.

    Reference:
        - [Jordan et al., 2024](https://kellerjordan.github.io/posts/muon/)
    """

    def __init__(
        self,
        learning_rate: Any = 1e-2,
        adam_ratio: float = 0.1,
        momentum: float = 0.95,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        epsilon: float = 1e-8,
        exclude: Sequence[str] = ("klt",),
        product_dtype: str = "bfloat16",
        name: str = "muon",
        **kwargs: Any,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        if self.weight_decay is not None:
            raise ValueError(f"`weight_decay` is not taken. Received: {self.weight_decay}")
        self.adam_ratio, self.momentum = adam_ratio, momentum
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon
        self.exclude, self.product_dtype = tuple(exclude), product_dtype

    def takes(self, variable: keras.Variable) -> bool:
        """Return whether Muon, not Adam, trains a variable."""
        is_kernel = len(variable.shape) == 2 and variable.path.split("/")[-1] == "kernel"
        return is_kernel and not any(name in variable.path for name in self.exclude)

    def build(self, variables: list[keras.Variable]) -> None:
        """Create a stack of momenta for each shape of kernels, and two vectors for Adam."""
        if self.built:
            return
        super().build(variables)
        self._stacks: dict[tuple[int, ...], list[int]] = {}
        self._momenta: dict[tuple[int, ...], keras.Variable] = {}
        self._rest: list[int] = []
        for index, variable in enumerate(variables):
            if self.takes(variable):
                self._stacks.setdefault(tuple(sorted(variable.shape)), []).append(index)
            else:
                self._rest.append(index)
        for shape, indices in self._stacks.items():
            self._momenta[shape] = self.add_variable(
                (len(indices), *shape), name=f"momentum_{shape[0]}x{shape[1]}"
            )
        length = sum(math.prod(variables[index].shape) for index in self._rest)
        self._mean = self.add_variable((length,), name="mean")
        self._square = self.add_variable((length,), name="square")

    def _backend_update_step(
        self, grads: list[Tensor], trainable_variables: list[keras.Variable], learning_rate: Tensor
    ) -> None:
        gradients: list[Tensor] = [None] * len(self._trainable_variables)
        for gradient, variable in zip(grads, trainable_variables, strict=True):
            # Backends may not know the shape of a gradient before they run.
            known = ops.reshape(ops.cast(gradient, "float32"), variable.shape)
            gradients[self._get_variable_index(variable)] = known
        for index, variable in enumerate(self._trainable_variables):
            if gradients[index] is None:
                gradients[index] = ops.zeros(variable.shape)
        learning_rate = ops.cast(learning_rate, "float32")
        for shape in self._stacks:
            self._update_kernels(shape, gradients, learning_rate)
        if self._rest:
            self._update_rest(gradients, learning_rate * self.adam_ratio)

    def _update_kernels(
        self, shape: tuple[int, ...], gradients: list[Tensor], learning_rate: Tensor
    ) -> None:
        """Update the kernels of one shape, or its transpose, by Muon."""
        indices = self._stacks[shape]
        gradient = ops.stack([_lay_flat(gradients[index]) for index in indices])
        momentum = self._momenta[shape]
        self.assign(momentum, momentum * self.momentum + gradient)
        matrices = orthogonalize(gradient + self.momentum * momentum, self.product_dtype)
        for index, matrix in zip(indices, ops.unstack(matrices, len(indices)), strict=True):
            variable = self._trainable_variables[index]
            inputs, outputs = variable.shape
            update = ops.transpose(matrix) if inputs > outputs else matrix
            scale = math.sqrt(max(1.0, outputs / inputs))
            self.assign_sub(variable, update * (learning_rate * scale))

    def _update_rest(self, gradients: list[Tensor], learning_rate: Tensor) -> None:
        """Update all other weights, as one vector, by Adam."""
        variables = [self._trainable_variables[index] for index in self._rest]
        gradient = ops.concatenate([ops.reshape(gradients[index], -1) for index in self._rest])
        step = ops.cast(self.iterations + 1, "float32")
        self.assign(self._mean, self._mean * self.beta_1 + (1 - self.beta_1) * gradient)
        square = (1 - self.beta_2) * ops.square(gradient)
        self.assign(self._square, self._square * self.beta_2 + square)
        # Bias corrections: means of few gradients are too small.
        mean = self._mean * (learning_rate / (1 - ops.power(self.beta_1, step)))
        root = ops.sqrt(self._square * (1 / (1 - ops.power(self.beta_2, step)))) + self.epsilon
        ends = np.cumsum([math.prod(variable.shape) for variable in variables])
        updates = ops.split(mean / root, ends[:-1].tolist())
        for variable, update in zip(variables, updates, strict=True):
            self.assign_sub(variable, ops.reshape(update, variable.shape))

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs."""
        config = super().get_config()
        own = ("adam_ratio", "momentum", "beta_1", "beta_2", "epsilon", "exclude", "product_dtype")
        return {**config, **{name: getattr(self, name) for name in own}}


def _lay_flat(matrix: Tensor) -> Tensor:
    """Return a matrix with no more rows than columns: itself or its transpose."""
    rows, columns = matrix.shape
    return ops.transpose(matrix) if rows > columns else matrix
