"""Time stretching, pitch shifting and delays with units: axes, classes, and what is refused."""

import numpy as np
import pytest

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.dsp import irfft
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral import (
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    LinearScale,
    fft,
    phase_shift,
    pitch_shift,
    stft,
    time_stretch,
)
from zounds_lite.synthesize import SineSynthesizer
from zounds_lite.timeseries import (
    SR11025,
    SR22050,
    SR44100,
    AudioSamples,
    HalfLapped,
    Milliseconds,
    SampleRate,
    Seconds,
    TimeDimension,
)

RATE = SR11025()


def sound(shape=11025, seed=0, dtype=np.float64):
    return AudioSamples(np.random.default_rng(seed).normal(size=shape).astype(dtype), RATE)


def batch(n=3, length=4000):
    return ArrayWithUnits(np.asarray(sound((length, n))).T, [IdentityDimension(), TimeDimension.from_rate(RATE)])


# --- phase_shift


def delayed(x, *arguments, **keywords):
    spectrum = fft(x)
    return irfft(np.asarray(phase_shift(spectrum, x.samplerate, *arguments, **keywords)), len(x))


@pytest.mark.parametrize("length", [11025, 11024, 501])
def test_the_shift_is_the_one_that_was_asked_for(length):
    x = sound(length)
    for shift, samples in ((Seconds(0), 0), (Milliseconds(40), 441), (-Milliseconds(40), -441), (Seconds(3), 33075)):
        assert np.allclose(delayed(x, shift), np.roll(np.asarray(x), samples), atol=1e-11)
    # durations that were made by counting truncated periods count as whole samples
    assert np.allclose(delayed(x, RATE.frequency * 123), np.roll(np.asarray(x), 123), atol=1e-11)


def test_a_part_of_a_sample():
    tone = AudioSamples(np.sin(2 * np.pi * 100 * np.arange(11025) / 11025), RATE)
    wanted = np.sin(2 * np.pi * 100 * (np.arange(11025) / 11025 - 0.00123))
    assert np.allclose(delayed(tone, Milliseconds(1) + np.timedelta64(230, "us")), wanted, atol=1e-9)


def test_only_the_band_is_shifted():
    tones = [SineSynthesizer(RATE).synthesize(Seconds(1), [hz]) for hz in (300.0, 2000.0)]
    shifted = delayed(tones[0] + tones[1], Milliseconds(1), frequency_band=FrequencyBand(200, 400))
    wanted = np.sin(2 * np.pi * 300 * (np.arange(11025) / 11025 - 0.001)) + np.asarray(tones[1])
    assert np.allclose(shifted, wanted, atol=1e-9)


def test_frames_are_each_delayed_in_themselves_and_keep_their_units():
    x = sound(5000, dtype=np.float32)
    spectrum = stft(x, RATE.windowing_scheme(512, 256), window=None)
    before = np.array(spectrum)
    shifted = phase_shift(spectrum, RATE, RATE.frequency * 10)
    assert shifted.dtype == np.complex64 and shifted.dimensions == spectrum.dimensions
    assert shifted.dimensions[0].n_samples == 5000
    assert np.array_equal(np.asarray(spectrum), before)
    frames = irfft(np.asarray(shifted), 512)
    assert np.allclose(frames[3], np.roll(np.asarray(x[768:1280]), 10), atol=1e-5)


def test_any_axis_and_parts_of_an_axis():
    spectrum = fft(sound((400, 3)), axis=0)
    shifted = phase_shift(spectrum, RATE, Milliseconds(5), axis=0)
    assert shifted.shape == spectrum.shape
    for channel in range(3):
        alone = phase_shift(fft(sound((400, 3))[:, channel]), RATE, Milliseconds(5))
        assert np.allclose(np.asarray(shifted)[:, channel], np.asarray(alone), atol=1e-12)
    part = fft(sound(400))[FrequencyBand(1000, 2000)]
    whole = phase_shift(fft(sound(400)), RATE, Milliseconds(5))[FrequencyBand(1000, 2000)]
    assert np.allclose(phase_shift(part, RATE, Milliseconds(5)), whole, atol=1e-12)


def test_an_axis_declared_as_documented_is_that_of_an_even_transform():
    spectrum = fft(sound(400))
    declared = ArrayWithUnits(np.asarray(spectrum), [FrequencyDimension(LinearScale.from_sample_rate(RATE, 201))])
    shifted = phase_shift(declared, RATE, Milliseconds(5))
    assert np.allclose(np.asarray(shifted), np.asarray(phase_shift(spectrum, RATE, Milliseconds(5))), atol=1e-12)


def test_shifts_that_are_refused():
    spectrum = fft(sound(400))
    with pytest.raises(ValueError, match="no frequencies"):
        phase_shift(stft(sound(4000)).T, RATE, Milliseconds(5))
    with pytest.raises(ValueError, match="no frequencies"):
        phase_shift(sound(400), RATE, Milliseconds(5))
    with pytest.raises(DimensionError, match="axes with units"):
        phase_shift(np.zeros(10), RATE, Milliseconds(5))
    with pytest.raises(DimensionError, match="not of a Fourier transform"):
        scale = LinearScale(FrequencyBand(100, 1000), 201)
        phase_shift(ArrayWithUnits(np.asarray(spectrum), [FrequencyDimension(scale)]), RATE, Milliseconds(5))
    with pytest.raises(SampleRateError, match="sound at 11025 Hz"):
        phase_shift(spectrum, SR22050(), Milliseconds(5))
    with pytest.raises(DeclarationError, match="such as Milliseconds"):
        phase_shift(spectrum, RATE, 441)
    assert isinstance(spectrum.dimensions[0].scale, FFTScale)


# --- time_stretch and pitch_shift


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(11025,), (11025, 1), (11025, 2), (0,), (0, 2), (1,), (100,)])
def test_sound_stays_sound(shape, dtype):
    x = sound(shape, dtype=dtype)
    y, z = time_stretch(x, 0.75), pitch_shift(x, -3)
    for result in (y, z):
        assert isinstance(result, AudioSamples) and result.samplerate == RATE
        assert result.dtype == dtype and np.isfinite(result).all()
    assert y.shape == (int(shape[0] / 0.75), *shape[1:]) and z.shape == shape


def test_each_channel_is_as_if_alone():
    x = sound((11025, 2))
    for change in (lambda part: time_stretch(part, 1.3), lambda part: pitch_shift(part, 2.5)):
        assert np.array_equal(np.asarray(change(x))[:, 1], np.asarray(change(x[:, 1])))


def test_a_batch_has_the_documented_shape():
    x = batch()
    y = time_stretch(x, 1.5)
    assert y.shape == (3, int(4000 / 1.5))
    assert isinstance(y.dimensions[0], IdentityDimension) and y.dimensions[1] == TimeDimension.from_rate(RATE)
    assert pitch_shift(x, 1).shape == x.shape
    assert np.array_equal(np.asarray(y[1]), np.asarray(time_stretch(x[1], 1.5)))
    assert time_stretch(x[:0], 1.5).shape == (0, int(4000 / 1.5))


def test_integers_become_float64():
    x = AudioSamples(np.arange(-2000, 2000, dtype=np.int16), RATE)
    assert time_stretch(x, 2).dtype == pitch_shift(x, 2).dtype == np.float64


def test_a_semitone_above_a440():
    tone = SineSynthesizer(SR44100()).synthesize(Seconds(3), [440.0])
    shifted = np.asarray(pitch_shift(tone, 1))[4410:-4410]
    turns = np.unwrap(np.angle(_analytic(shifted)))[4410:-4410] / (2 * np.pi)
    hz = np.polyfit(np.arange(len(turns)), turns, 1)[0] * 44100
    assert abs(1200 * np.log2(hz / 466.1637615)) < 0.01
    assert np.std(shifted) / np.std(np.asarray(tone)) == pytest.approx(1, abs=0.001)


def _analytic(x):
    from scipy.signal import hilbert

    return hilbert(x)


def test_frames_can_be_chosen():
    x = sound(5000)
    long = time_stretch(x, 0.5, HalfLapped(4096, 1024))
    default = time_stretch(x, 0.5)
    assert len(long) == len(default) and not np.allclose(long, default)
    assert np.array_equal(default, time_stretch(x, 0.5, HalfLapped(2048, 512)))
    exact = RATE.windowing_scheme(512, 128)
    assert np.array_equal(np.asarray(pitch_shift(x, 1, exact)), np.asarray(pitch_shift(x, 1)))


@pytest.mark.parametrize("function", [time_stretch, pitch_shift])
def test_what_is_refused(function):
    x = sound(1000)
    for bad in ("2", None, np.nan, np.inf, True, Seconds(1), 1j):
        with pytest.raises(DeclarationError, match="allowed: a finite number"):
            function(x, bad)
    with pytest.raises(DimensionError, match="a batch with"):
        function(np.zeros(100), 2)
    with pytest.raises(DimensionError, match="a batch with"):
        function(stft(x), 2)
    with pytest.raises(DimensionError, match="a batch with"):
        function(ArrayWithUnits(np.zeros((2, 3, 4)), [IdentityDimension()] * 2 + [x.dimensions[0]]), 2)
    frames = ArrayWithUnits(np.zeros(10), [TimeDimension(Seconds(1), Seconds(2))])
    with pytest.raises(SampleRateError, match="give AudioSamples"):
        function(frames, 2)
    with pytest.raises(DeclarationError, match="a hop of 1 to half of it"):
        function(x, 2, SampleRate(Milliseconds(40), Milliseconds(60)))
    with pytest.raises(DeclarationError, match="frame_sample_rate=512"):
        function(x, 2, 512)
    with pytest.raises(DeclarationError, match="real numbers"):
        function(x.astype(complex), 2)


def test_factors_and_intervals_have_bounds():
    for factor in (0, -1, 1e-6, 1e6):
        with pytest.raises(DeclarationError, match="allowed: 1/1024 to 1024"):
            time_stretch(sound(100), factor)
    for semitones in (-121, 1e9):
        with pytest.raises(DeclarationError, match="-120 to 120"):
            pitch_shift(sound(100), semitones)
