"""A colourizer: a convolutional network from the lightness of an image to its chroma.

The idea is that of a convolutional autoencoder whose encoder sees L, and whose decoder gives a and
b of CIE LAB. Its details stay sharp because they are those of L: the decoder gets the features of
the encoder (skips), and the result the lightness of its input. The architecture is ours.
"""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ae_keras.layers import ChromaClassification, ChromaRegression, Standardization
from ae_keras.layers.chroma import ChromaHead
from ae_keras.layers.standardization import channel_statistics
from ae_keras.layers.types import Tensor
from ae_keras.models.checks import check_counts, check_divisible
from ae_keras.models.image_model import ImageModel, ImageShape
from ae_keras.models.registration import register_model
from ae_keras.recipe import Recipe
from ae_keras.system.colour import to_grey
from ae_keras.system.pixels import to_uint8, to_unit_range

# Training images, taken evenly from all, whose colours are looked at; so many at a time.
_COUNTED_IMAGES = 10_000
_BATCH = 256


@keras.saving.register_keras_serializable(package="ae_keras")
class Colourizer(ImageModel):
    """A network that predicts chroma, and a head that makes it an image.

    ```
    grey images in [0, 1] --network--> prediction --head, with the lightness--> RGB in [0, 1]
    ```

    The loss compares the prediction with what the head makes of the original, not the images.
    Outside training, the head gets the mean of the predictions for an image and for its mirror
    image; the loss is always that of the first alone.

    Args:
        network: keras.Model. Grey images to predictions at half their resolution.
        head: ChromaHead.
        name: str.

    Input shape:
        `(batch, height, width, 1)`, float32 in [0, 1]; height and width multiples of `multiple`.

    Output shape:
        `(batch, height, width, 3)`, sRGB in [0, 1].
    """

    tasks: tuple[str, ...] = ("colourization",)

    def __init__(
        self, network: keras.Model, head: ChromaHead, name: str | None = None, **kwargs: Any
    ):
        grey = keras.Input(network.input_shape[1:], name="grey")
        super().__init__(inputs=grey, outputs=head([grey, network(grey)]), name=name, **kwargs)
        self.network = network
        self.head = head
        self._prediction: Tensor | None = None

    @property
    def multiple(self) -> int:
        """What height and width of the images must be multiples of."""
        ups = sum(isinstance(layer, layers.Conv2DTranspose) for layer in self.network.layers)
        return 2 ** (ups + 1)

    @property
    def image_shape(self) -> ImageShape:
        """`(height, width, channels)` of the images that come out; `None`: any size."""
        return tuple(self.output_shape[1:])

    def predict_chroma(self, grey: Tensor) -> Tensor:
        """Return the chroma, a and b of CIE LAB, of grey images at half their size."""
        return self.head.to_chroma(self.network(grey, training=False))

    def call(
        self, inputs: Tensor, training: bool | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return the colour images of grey ones."""
        prediction = self.network(inputs, training=training)
        # Kept for the loss, which Keras computes right after this, as it keeps what layers add.
        self._prediction = prediction
        if not training:  # the mean of both ways to look at an image is better than either
            mirrored = self.network(ops.flip(inputs, axis=2), training=training)
            prediction = (prediction + ops.flip(mirrored, axis=2)) / 2
        return self.head([inputs, prediction])

    def compile(
        self, optimizer: str | keras.Optimizer = "adam", loss: Any = None, **kwargs: Any
    ) -> None:
        """Compile the model; a loss of chroma, unless the head has its own."""
        super().compile(optimizer, loss=self.head.loss or loss, **kwargs)

    def compute_loss(
        self,
        x: Tensor | None = None,
        y: Tensor | None = None,
        y_pred: Tensor | None = None,
        sample_weight: Tensor | None = None,
        training: bool = True,
    ) -> Tensor:
        """Return the loss of the last prediction for the original images `y`."""
        targets, weights = self.head.targets(y)
        return super().compute_loss(x, targets, self._prediction, weights, training)

    def adapt(self, images: np.ndarray) -> None:
        """Standardize grey images as those of training images, uint8, and adapt the head."""
        images = images[:: -(-len(images) // _COUNTED_IMAGES)]
        grey = np.empty((*images.shape[:3], 1), np.uint8)
        for start in range(0, len(images), _BATCH):
            batch = to_unit_range(images[start : start + _BATCH])
            grey[start : start + _BATCH] = to_uint8(ops.convert_to_numpy(to_grey(batch)))
        self.network.get_layer("standardization").set_statistics(*channel_statistics(grey))
        self.head.adapt(images)

    def name_loss(self, loss: str) -> str:
        """Return what the loss is, in words."""
        return self.head.loss_name or f"{loss} of chroma / 110"

    def get_config(self) -> dict[str, Any]:
        """Return the configurations of network and head."""
        parts = {"network": self.network, "head": self.head}
        serialize = keras.saving.serialize_keras_object
        return {"name": self.name} | {part: serialize(layer) for part, layer in parts.items()}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> "Colourizer":
        """Build a colourizer, with new weights, from what `get_config` returned."""
        parts = {
            part: keras.saving.deserialize_keras_object(config[part], custom_objects=custom_objects)
            for part in ("network", "head")
        }
        return cls(**parts, name=config["name"])


# python scripts/train.py --model colourizer --dataset cifar10: ab-RMSE 11.49 on the test
# images, after 37 minutes on two CPU cores.
@register_model(
    recipe=Recipe(
        model="colourizer",
        dataset="cifar10",
        splits=None,
        task="colourization",
        augmentation={"flip": 0.5, "crop": 0.25},
        batch_size=32,
        epochs=36,
        optimizer="adamw",
        # Without normalization layers, a rare large gradient would end the training.
        optimizer_arguments={"weight_decay": 0.05, "global_clipnorm": 0.1},
        learning_rate=1.5e-3,
        schedule="cosine",
    ),
    search=(
        "filters_1=16:128:16",
        "filters_2=16:128:16",
        "filters_3=16:128:16",
        "filters_4=16:128:16",
    ),
)
def colourizer(
    image_shape: ImageShape = (32, 32, 3),
    head: str = "regression",
    filters: Sequence[int] = (32, 64, 80, 96),
    spacing: float = 10.0,
    temperature: float = 0.38,
    name: str = "colourizer",
) -> Colourizer:
    """Build the colourizer.

    ```
    grey -> conv 32 -> [strided conv, conv] 64, 80, 96
      -> [transposed conv, plus the encoder's features, conv] 80, 64 -> 1x1 conv: prediction
    ```

    The grey values are standardized first. Kernels are 3x3, of transposed convolutions 2x2, with
    leaky ReLU between them. There is no dense layer, so that it takes any size.

    Args:
        image_shape: `(height, width, 3)` of the images to train on, multiples of 8.
        head: `"regression"`, or `"classification"` over bins of chroma, which is more colourful
            and less exact.
        filters: Sequence of at least two int. At the full resolution, and at each half of it.
        spacing: float. Of the bins.
        temperature: float. Of the mean over the bins, from 0 (vivid) to 1 (pale).
        name: str.

    Returns:
        A `Colourizer`.

    Raises:
        ValueError: if an argument does not fit.

    Reference:
        - [Ronneberger et al., 2015](https://arxiv.org/abs/1505.04597): skips
        - [Zhang, Isola and Efros, 2016](https://arxiv.org/abs/1603.08511): classification
    """
    check_counts("filters", filters)
    check_divisible(image_shape, 2 ** (len(filters) - 1), name)
    if image_shape[2] != 3:
        raise ValueError(f"{name!r} needs images of 3 channels. Received: {tuple(image_shape)}")
    if head not in ("regression", "classification"):
        raise ValueError(f"`head` must be regression or classification. Received: {head!r}")
    layer: ChromaHead
    if head == "regression":
        layer = ChromaRegression(name="head")
    else:
        layer = ChromaClassification(spacing, temperature, name="head")
    return Colourizer(_network(filters, layer.prediction_channels), layer, name=name)


def _network(filters: Sequence[int], prediction_channels: int) -> keras.Model:
    grey = keras.Input((None, None, 1), name="grey")
    features = Standardization(name="standardization")(grey)
    features = _activate(layers.Conv2D(filters[0], 3, padding="same")(features))
    skips = []
    for count in filters[1:]:
        for stride in (2, 1):
            convolution = layers.Conv2D(count, 3, stride, padding="same")
            features = _activate(convolution(features))
        skips.append(features)
    for count, skip in zip(filters[-2:0:-1], skips[-2::-1], strict=True):
        features = layers.Conv2DTranspose(count, 2, 2)(features)
        features = _activate(layers.Add()([features, skip]))
        features = _activate(layers.Conv2D(count, 3, padding="same")(features))
    prediction = layers.Conv2D(prediction_channels, 1, dtype="float32", name="prediction")(features)
    return keras.Model(grey, prediction, name="network")


def _activate(features: keras.KerasTensor) -> keras.KerasTensor:
    return layers.LeakyReLU(negative_slope=0.1)(features)
