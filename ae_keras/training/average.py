"""The moving average of the weights, beside the weights that are trained.

Keras's optimizers keep such an average (`use_ema`), but write it over the trained weights at the
end of each `fit`, so that training would go on from the average. Here it stays beside them; and it
forgets the first steps sooner: step `t`, from 0, leaves it the share `min(average, (1 + t) / (10 +
t))`.
"""

import contextlib
from collections.abc import Iterator, Sequence

import keras
import numpy as np
from keras import ops


def keep_average(optimizer: keras.optimizers.Optimizer) -> None:
    """Have an optimizer that was made with `use_ema` keep the average beside the weights."""
    inner = _inner(optimizer)

    def update(variables: Sequence[keras.Variable]) -> None:
        step = ops.cast(inner.iterations, "float32")
        kept = ops.minimum(inner.ema_momentum, (1 + step) / (10 + step))
        share = 1 - ops.where(step > 0, kept, 0.0)
        for variable, average in zip(variables, _averages(inner), strict=True):
            if average is not None:
                average.assign(average + share * (variable - average))

    inner._update_model_variables_moving_average = update
    inner.finalize_variable_values = lambda variables: None


@contextlib.contextmanager
def averaged(model: keras.Model) -> Iterator[None]:
    """Give a compiled model the average of its weights, if its optimizer keeps one, for a while."""
    optimizer = _inner(model.optimizer)
    if not optimizer.use_ema:
        yield
        return
    _swap(optimizer)
    try:
        yield
    finally:
        _swap(optimizer)


def _inner(optimizer: keras.optimizers.Optimizer) -> keras.optimizers.Optimizer:
    """Return the optimizer within one that scales the loss, or itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _averages(optimizer: keras.optimizers.Optimizer) -> Sequence[keras.Variable | None]:
    return optimizer._model_variables_moving_average


def _swap(optimizer: keras.optimizers.Optimizer) -> None:
    for variable, average in zip(optimizer._trainable_variables, _averages(optimizer), strict=True):
        if average is not None:
            trained = np.array(ops.convert_to_numpy(variable))  # a copy
            variable.assign(average)
            average.assign(trained)
