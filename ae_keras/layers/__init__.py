"""Keras layers of the autoencoders, in `keras.ops` only.

All are imported here, because a `.keras` file can be loaded only once its layers are registered.
"""

from ae_keras.layers.bottleneck import QuantizationNoise, Sampling
from ae_keras.layers.chroma import ChromaClassification, ChromaRegression
from ae_keras.layers.grouped_convolution import GroupedConv2D, GroupedConv2DTranspose
from ae_keras.layers.standardization import Standardization
from ae_keras.layers.upsampling import UpsamplingConv2D

__all__ = [
    "ChromaClassification",
    "ChromaRegression",
    "GroupedConv2D",
    "GroupedConv2DTranspose",
    "QuantizationNoise",
    "Sampling",
    "Standardization",
    "UpsamplingConv2D",
]
