"""Every value that the user documentation shows for synthesizers."""

import numpy as np

from zounds_lite.synthesize import NoiseSynthesizer, SilenceSynthesizer, SineSynthesizer, TickSynthesizer
from zounds_lite.timeseries import SR11025, SR22050, SR44100, AudioSamples, Milliseconds, Seconds


def test_sine():
    samples = SineSynthesizer(SR22050()).synthesize(Seconds(1), freqs_in_hz=[220.0, 440.0])
    assert isinstance(samples, AudioSamples)
    assert len(samples) == 22050
    assert np.allclose(samples[:3], [0, 0.09384942, 0.18659419], atol=5e-9)
    assert np.allclose(samples[-3:], [-0.27714552, -0.18659419, -0.09384942], atol=5e-9)


def test_noise():
    samples = NoiseSynthesizer(SR44100()).synthesize(Seconds(2))
    assert isinstance(samples, AudioSamples)
    assert len(samples) == 88200
    assert abs(np.asarray(samples)).max() <= 1


def test_ticks():
    samples = TickSynthesizer(SR22050()).synthesize(duration=Seconds(3), tick_frequency=Milliseconds(100))
    assert isinstance(samples, AudioSamples)
    assert len(samples) == 66150
    assert samples[-1] == 0


def test_silence():
    samples = SilenceSynthesizer(SR11025()).synthesize(Seconds(5))
    assert isinstance(samples, AudioSamples)
    assert samples.shape == (55125,)
    assert not np.asarray(samples).any()
