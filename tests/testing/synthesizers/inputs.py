"""Analyses that the suites of several synthesizers share."""

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import HanningWindowingFunc, OggVorbisWindowingFunc, SlidingWindow
from zounds_lite.timeseries import SR8000

VORBIS, HANN = OggVorbisWindowingFunc(), HanningWindowingFunc()


def windows(samples, window, size=512, hop=256):
    node = SlidingWindow(SR8000().windowing_scheme(size, hop), window, padwith=size - hop, padend=size - hop)
    chunks = list(node.run([samples[: len(samples) // 2], samples[len(samples) // 2 :]]))
    return ArrayWithUnits(np.concatenate([np.asarray(chunk) for chunk in chunks]), chunks[-1].dimensions)
