"""torch modules for sound, made of the scales, windows and filters of the rest of the library.

Goal: features inside a network, equal to the ones that are stored. The names can be imported without torch (the extra
``torch``); using them then raises an ``OptionalDependencyError`` that says how to install it.

- ``FilterBank``, ``SincLayer``: signals in bands; ``PerceptualLoss``: sounds compared in bands;
- ``transforms``: the differentiable ``ShortTimeFourier``, ``ModifiedCosine``, ``BandBank``, ``MelBank``,
  ``ConstantQBank``, with inverses;
- ``layers``, ``normalization``: convolutions, gates and norms to build networks of;
- ``data``: ``FeatureDataset``, ``FeatureStream``, ``collate_ragged``: stored features for a ``DataLoader``;
- ``applying``: ``apply_network``, ``feature_map_size``.
"""

from zounds_lite.learn.nets.applying import apply_network, feature_map_size
from zounds_lite.learn.nets.data import FeatureDataset, FeatureStream, collate_ragged
from zounds_lite.learn.nets.filterbank import FilterBank
from zounds_lite.learn.nets.layers import (
    Conv1d,
    Conv2d,
    ConvTranspose1d,
    ConvTranspose2d,
    GatedConvLayer,
    GatedConvTransposeLayer,
    GatedLinearLayer,
    MultiResolutionConvLayer,
)
from zounds_lite.learn.nets.normalization import batchwise_mean_std_normalization, batchwise_unit_norm, sample_norm
from zounds_lite.learn.nets.perceptual import PerceptualLoss
from zounds_lite.learn.nets.sinc import SincLayer
from zounds_lite.learn.nets.transforms import BandBank, ConstantQBank, MelBank, ModifiedCosine, ShortTimeFourier

__all__ = [
    "BandBank",
    "ConstantQBank",
    "Conv1d",
    "Conv2d",
    "ConvTranspose1d",
    "ConvTranspose2d",
    "FeatureDataset",
    "FeatureStream",
    "FilterBank",
    "GatedConvLayer",
    "GatedConvTransposeLayer",
    "GatedLinearLayer",
    "MelBank",
    "ModifiedCosine",
    "MultiResolutionConvLayer",
    "PerceptualLoss",
    "ShortTimeFourier",
    "SincLayer",
    "apply_network",
    "batchwise_mean_std_normalization",
    "batchwise_unit_norm",
    "collate_ragged",
    "feature_map_size",
    "sample_norm",
]
