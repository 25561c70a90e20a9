"""Amplitudes on scales that are closer to hearing than pressure is.

- ``functional``: companding curves, levels and scaling, and their inverses, units kept
- ``nodes``: the same curves in streams

The mathematics without units stands in ``zounds_lite.dsp.companding`` and ``zounds_lite.dsp.level``.
"""

from zounds_lite.loudness.functional import (
    decibel,
    instance_scale,
    inverse_log_modulus,
    inverse_mu_law,
    inverse_one_hot,
    log_modulus,
    mu_law,
    unit_scale,
)
from zounds_lite.loudness.nodes import Decibel, LogModulus, MuLaw

__all__ = [
    "Decibel",
    "LogModulus",
    "MuLaw",
    "decibel",
    "instance_scale",
    "inverse_log_modulus",
    "inverse_mu_law",
    "inverse_one_hot",
    "log_modulus",
    "mu_law",
    "unit_scale",
]
