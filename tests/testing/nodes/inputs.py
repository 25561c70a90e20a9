"""Whole inputs that the suites of several rooms feed their nodes with."""

import numpy as np

import zounds_lite as zounds
from tests.sounds import noise
from zounds_lite.core import ArrayWithUnits

RATE = zounds.SR11025()
SCHEME = RATE.windowing_scheme(512, 128)
WINDOW = zounds.OggVorbisWindowingFunc()
HANN = zounds.HanningWindowingFunc()


def samples(size=5000, channels=1, rate=RATE):
    return zounds.AudioSamples(noise(size / rate.rate, rate.rate, channels, seed=size)[:size], rate)


def windows(size=20_000):
    return joined(zounds.SlidingWindow(SCHEME, WINDOW).run([samples(size)]))


def spectra(size=20_000):
    return joined(zounds.FFT().run([windows(size)]))


def joined(chunks):
    chunks = list(chunks)
    return ArrayWithUnits(np.concatenate([np.asarray(chunk) for chunk in chunks]), chunks[-1].dimensions)
