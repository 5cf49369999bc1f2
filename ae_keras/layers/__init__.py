"""Keras layers of the autoencoders, in `keras.ops` only.

All are imported here, because a `.keras` file can be loaded only once its layers are registered.
"""

from ae_keras.layers.bottleneck import QuantizationNoise, Sampling
from ae_keras.layers.chroma import ChromaClassification, ChromaRegression
from ae_keras.layers.clipping import Clip
from ae_keras.layers.depth_to_space import DepthToSpace, SpaceToDepth
from ae_keras.layers.factorized_prior import FactorizedPrior
from ae_keras.layers.grouped_convolution import GroupedConv2D, GroupedConv2DTranspose
from ae_keras.layers.hyperprior import Hyperprior
from ae_keras.layers.quality import Gain, Modulation
from ae_keras.layers.rescale import Rescale
from ae_keras.layers.residual import Pointwise, ResidualBlock
from ae_keras.layers.standardization import Standardization
from ae_keras.layers.upsampling import UpsamplingConv2D

__all__ = [
    "ChromaClassification",
    "ChromaRegression",
    "Clip",
    "DepthToSpace",
    "FactorizedPrior",
    "Gain",
    "GroupedConv2D",
    "GroupedConv2DTranspose",
    "Hyperprior",
    "Modulation",
    "Pointwise",
    "QuantizationNoise",
    "Rescale",
    "ResidualBlock",
    "Sampling",
    "SpaceToDepth",
    "Standardization",
    "UpsamplingConv2D",
]
