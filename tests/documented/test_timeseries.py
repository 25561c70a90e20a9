"""The documented values of timeseries: the user documentation, run with today's Python."""

import numpy as np
import pytest

import zounds_lite
from zounds_lite import (
    SR11025,
    SR22050,
    SR44100,
    ArrayWithUnits,
    AudioSamples,
    Hours,
    Microseconds,
    Milliseconds,
    Minutes,
    SampleRate,
    Seconds,
    TimeDimension,
    TimeSlice,
)


def test_audio_samples():
    raw = np.random.default_rng(0).normal(0, 1, 44100 * 10)
    samples = AudioSamples(raw, SR44100())
    assert samples.samples_per_second == 44100
    assert samples.channels == 1
    sliced = samples[TimeSlice(Seconds(2))]
    assert sliced.shape == (88200,)


def test_audio_samples_refuse_what_is_no_audio_rate():
    with pytest.raises(TypeError, match="no audio rate"):
        AudioSamples(np.zeros(10), SampleRate(Seconds(1), Seconds(1)))


def test_audio_samples_mono_is_a_no_op_for_mono():
    samples = AudioSamples(np.ones(10), SR22050())
    assert samples.mono is samples


def test_audio_samples_encode():
    silence = np.zeros(11025 * 10)
    samples = AudioSamples(silence, SR11025())
    bio = samples.encode()
    assert bio.read(10) == b"RIFFx]\x03\x00WA"


def test_time_dimension():
    raw = np.zeros(100)
    timeseries = ArrayWithUnits(raw, [TimeDimension(Seconds(1))])
    assert repr(timeseries.dimensions[0]) == "TimeDimension(f=1.0, d=1.0)"
    assert timeseries.dimensions[0].end_seconds == 100.0
    sliced = timeseries[TimeSlice(Seconds(50))]
    assert sliced.shape == (50,)


@pytest.mark.parametrize("arguments", [(None,), (1,), (Seconds(1), 2)])
def test_time_dimension_needs_durations(arguments):
    with pytest.raises(ValueError, match="duration"):
        TimeDimension(*arguments)


def test_time_slice():
    raw = np.zeros(100)
    ts = ArrayWithUnits(raw, [TimeDimension(Seconds(1))])
    sliced = ts[TimeSlice(duration=Seconds(5), start=Seconds(50))]
    assert sliced.shape == (5,)


@pytest.mark.parametrize("arguments", [{"duration": 5}, {"start": 5}])
def test_time_slice_needs_durations(arguments):
    with pytest.raises(ValueError, match="needs a duration"):
        TimeSlice(**arguments)


@pytest.mark.parametrize(
    ("name", "hz", "nyquist"),
    [
        ("SR96000", 96000, 48000), ("SR48000", 48000, 24000), ("SR44100", 44100, 22050), ("SR22050", 22050, 11025),
        ("SR11025", 11025, 5512),
    ],
)  # fmt: skip
def test_audio_sample_rates(name, hz, nyquist):
    sr = getattr(zounds_lite, name)()
    assert sr.samples_per_second == hz
    assert int(sr) == hz
    assert sr.nyquist == nyquist


def test_sample_rate():
    sr = SampleRate(Seconds(1), Seconds(2))
    assert sr.frequency == np.timedelta64(1, "s")
    assert sr.duration == np.timedelta64(2, "s")
    assert sr.overlap == np.timedelta64(1, "s")
    assert sr.overlap_ratio == 0.5


@pytest.mark.parametrize("bad", [Seconds(0), Seconds(-1)])
def test_sample_rate_needs_positive_durations(bad):
    with pytest.raises(ValueError, match="positive"):
        SampleRate(bad, Seconds(1))


def test_durations():
    assert Hours(3) == np.timedelta64(3, "h")
    assert Minutes(3) == np.timedelta64(3, "m")
    assert Seconds(3) == np.timedelta64(3, "s")
    assert Milliseconds(3) == np.timedelta64(3, "ms")
    assert Microseconds(3) == np.timedelta64(3, "us")
    assert all(type(d) is np.timedelta64 for d in (Hours(3), Minutes(3), Seconds(3), Milliseconds(3), Microseconds(3)))


def test_the_repr_of_a_rate_within_others():
    assert repr(SR44100()) == "SR44100(f=2.2675736e-05, d=2.2675736e-05)"


def test_the_documented_sliding_window():
    scheme = SampleRate(frequency=Milliseconds(250), duration=Milliseconds(500))
    samples = AudioSamples(np.zeros(11025 * 5), SR11025())
    windowed = samples.sliding_window(scheme)
    assert repr(windowed.dimensions[0]) == "TimeDimension(f=0.250068024879, d=0.500045346811)"
    assert repr(windowed.dimensions[1]) == "TimeDimension(f=9.0702947e-05, d=9.0702947e-05)"
