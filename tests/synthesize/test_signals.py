import json

import numpy as np
import pytest

from zounds_lite._declared import Declared
from zounds_lite.errors import DeclarationError, SampleRateError
from zounds_lite.synthesize import NoiseSynthesizer, SilenceSynthesizer, SineSynthesizer, TickSynthesizer
from zounds_lite.timeseries import (
    SR11025,
    SR22050,
    SR44100,
    AudioSampleRate,
    AudioSamples,
    Milliseconds,
    SampleRate,
    Seconds,
)

SIGNALS = [SineSynthesizer, NoiseSynthesizer, TickSynthesizer, SilenceSynthesizer]


def make(kind, rate, duration):
    synthesizer = kind(rate)
    arguments = (Milliseconds(100),) if kind is TickSynthesizer else ()
    return synthesizer.synthesize(duration, *arguments)


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("rate", [SR11025(), SR44100(), AudioSampleRate(41100)])
def test_lengths_are_exact(kind, rate):
    for duration, n in [(Seconds(2), 2 * rate.rate), (Milliseconds(3333), round(3.333 * rate.rate)), (Seconds(0), 0)]:
        samples = make(kind, rate, duration)
        assert isinstance(samples, AudioSamples)
        assert samples.shape == (n,)
        assert samples.samplerate == rate
        assert samples.dtype == (np.float32 if kind is SilenceSynthesizer else np.float64)


def test_one_peak_per_tone():
    samples = SineSynthesizer(SR22050()).synthesize(Seconds(4), freqs_in_hz=[220.0, 440.0, 880.0])
    spectrum = np.abs(np.fft.rfft(np.asarray(samples), norm="ortho"))
    assert np.flatnonzero(spectrum > 1).tolist() == [880, 1760, 3520]


def test_seeds():
    for kind, arguments in ((NoiseSynthesizer, ()), (TickSynthesizer, (Milliseconds(200),))):
        first, again, other = (kind(SR11025(), seed=s).synthesize(Seconds(1), *arguments) for s in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        fresh = kind(SR11025())
        assert not np.array_equal(fresh.synthesize(Seconds(1), *arguments), fresh.synthesize(Seconds(1), *arguments))
        rng = kind(SR11025(), seed=np.random.default_rng(3))
        assert not np.array_equal(rng.synthesize(Seconds(1), *arguments), rng.synthesize(Seconds(1), *arguments))


def test_noise_fills_its_range():
    samples = np.asarray(NoiseSynthesizer(SR44100(), seed=0).synthesize(Seconds(2)))
    assert -1 <= samples.min() < -0.999
    assert 0.999 < samples.max() < 1


def test_ticks_do_not_drift():
    samples = np.asarray(TickSynthesizer(SR11025(), seed=0).synthesize(Seconds(10), Milliseconds(333)))
    tick = samples[:1102]
    for k in range(29):
        at = int(np.floor(k * 0.333 * 11025 + 0.5))
        assert np.array_equal(samples[at : at + 1102], tick)


def test_synthesizers_are_values():
    for kind in SIGNALS:
        assert Declared.from_dict(json.loads(json.dumps(kind(SR11025()).to_dict()))) == kind(SR11025())


@pytest.mark.parametrize("kind", SIGNALS)
@pytest.mark.parametrize("rate", [44100, None, SampleRate(Seconds(1), Seconds(2))])
def test_rates_are_audio_rates(kind, rate):
    with pytest.raises(SampleRateError, match="allowed: an audio sample rate"):
        kind(rate)


def test_bad_durations():
    for duration in (1.5, Seconds(-1), None):
        with pytest.raises(DeclarationError):
            SineSynthesizer(SR11025()).synthesize(duration)
    with pytest.raises(DeclarationError, match="finite"):
        SineSynthesizer(SR11025()).synthesize(Seconds(1), [])
    with pytest.raises(DeclarationError, match="at least one sample"):
        TickSynthesizer(SR11025()).synthesize(Seconds(1), Seconds(0))
