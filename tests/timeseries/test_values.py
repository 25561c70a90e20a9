"""Durations, rates and slices of time."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite import timeseries
from zounds_lite._declared import Declared
from zounds_lite._span import Span
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.timeseries import (
    SR8000,
    SR11025,
    SR44100,
    AudioSampleRate,
    HalfLapped,
    Hours,
    Microseconds,
    Milliseconds,
    Minutes,
    Nanoseconds,
    Picoseconds,
    SampleRate,
    Seconds,
    Stride,
    TimeDimension,
    TimeSlice,
    audio_sample_rate,
    nearest_audio_sample_rate,
)

UNITS = {
    Hours: "h",
    Minutes: "m",
    Seconds: "s",
    Milliseconds: "ms",
    Microseconds: "us",
    Nanoseconds: "ns",
    Picoseconds: "ps",
}
NAMED = [8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 192000]


# --- durations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("factory", "unit"), UNITS.items())
def test_whole_numbers_are_plain_timedeltas_of_their_unit(factory, unit):
    value = factory(3)
    assert type(value) is np.timedelta64
    assert np.datetime_data(value.dtype) == (unit, 1)
    assert value == np.timedelta64(3, unit)
    assert isinstance(value, factory)
    assert not isinstance(3, factory)


def test_isinstance_tells_what_a_unit_could_have_made():
    assert isinstance(Seconds(1.5), Seconds)
    assert isinstance(Milliseconds(1500), Seconds)
    assert not isinstance(Hours(1), Seconds)
    assert not isinstance(np.timedelta64(1, "M"), Seconds)


def test_fractions_are_exact():
    assert Seconds(1.5) == np.timedelta64(1500, "ms")
    assert Seconds(0.1) == np.timedelta64(100, "ms")
    assert Hours(10.1) == np.timedelta64(36360, "s")
    assert Seconds(Fraction(1, 3)) == np.timedelta64(333333333333, "ps")
    assert Seconds(np.float32(0.1)) == np.timedelta64(100, "ms")
    assert Seconds(np.float64(-2.5)) == np.timedelta64(-2500, "ms")
    assert Seconds(np.int16(3)) == Seconds(3) == Seconds(3.0)
    assert Picoseconds(2.4) == np.timedelta64(2, "ps")
    assert Picoseconds(int(1e12)) * 2.5 == Seconds(2.5)
    assert Seconds(10) / Seconds(4) == 2.5


@given(st.decimals(0, 10**6, places=9))
def test_decimals_are_what_was_written(n):
    value = Seconds(float(n)) if len(str(n).replace(".", "")) <= 15 else Seconds(Fraction(n))
    assert value == np.timedelta64(int(Fraction(n) * 10**12), "ps")


@pytest.mark.parametrize("n", ["3", None, float("nan"), float("inf"), True, 1j, np.timedelta64(1, "s"), 2**63])
def test_what_is_no_number_is_refused(n):
    with pytest.raises(ValueError, match="duration|too long"):
        Seconds(n)


# --- rates ----------------------------------------------------------------------------------------------------------


def test_strides():
    assert SampleRate(Seconds(1), Seconds(1)) * 2 == SampleRate(Seconds(2), Seconds(2))
    assert SampleRate(Seconds(1), Seconds(2)) * 2 == SampleRate(Seconds(2), Seconds(3))
    for two in ((2, 4), Stride(frequency=2, duration=4)):
        assert SampleRate(Seconds(1), Seconds(2)) * two == SampleRate(Seconds(2), Seconds(5))
    assert SampleRate(Seconds(1), Seconds(1)) * (3,) == SampleRate(Seconds(3), Seconds(3))
    assert SampleRate(Seconds(1), Seconds(1)) * 1.5 == SampleRate(Seconds(1.5), Seconds(1.5))
    with pytest.raises(DeclarationError, match="one number, or by two"):
        SampleRate(Seconds(1), Seconds(1)) * (1, 2, 3)


@pytest.mark.parametrize("bad", [Seconds(0), Seconds(-1), 1, None, "1s"])
def test_rates_need_positive_durations(bad):
    with pytest.raises(ValueError, match="frequency=.*positive duration"):
        SampleRate(bad, Seconds(1))
    with pytest.raises(ValueError, match="duration=.*positive duration"):
        SampleRate(Seconds(1), bad)


def test_rates_are_values():
    frequency, duration = SampleRate(Seconds(1), Seconds(2))
    assert (frequency, duration) == (Seconds(1), Seconds(2))
    assert len(SampleRate(Seconds(1), Seconds(2))) == 2
    period = SR44100().frequency
    assert SR44100() == SampleRate(period, period) == AudioSampleRate(44100)
    assert len({SR44100(), SampleRate(period, period), AudioSampleRate(44100), SR11025()}) == 2
    assert SampleRate(Seconds(1), Seconds(2)) == SampleRate(Milliseconds(1000), Milliseconds(2000))
    assert SR44100() != SR11025()
    assert SR44100() != 44100
    assert pickle.loads(pickle.dumps(SR44100())) == SR44100()
    with pytest.raises(AttributeError, match="frozen"):
        SR44100().hz = 3


@pytest.mark.parametrize("hz", NAMED)
def test_named_rates(hz):
    named = getattr(timeseries, f"SR{hz}")
    rate = named()
    assert type(audio_sample_rate(hz)) is named
    assert rate.rate == rate.samples_per_second == int(rate) == hz
    assert rate.nyquist == hz // 2
    assert rate.frequency == rate.duration == rate.one_sample == np.timedelta64(10**12 // hz, "ps")
    assert rate.overlap_ratio == 0
    period = (10**12 // hz) / 1e12
    assert repr(rate) == f"SR{hz}(f={period}, d={period})"
    assert nearest_audio_sample_rate(hz + 10) == rate


@pytest.mark.parametrize(
    ("hz", "window"), [(96000, 4096), (48000, 2048), (44100, 2048), (22050, 1024), (16000, 512), (11025, 512), (1, 2)]
)
def test_suggested_windows(hz, window):
    rate = audio_sample_rate(hz)
    assert (rate.suggested_window, rate.suggested_hop) == (window, window // 2)
    assert rate.half_lapped() == SampleRate(rate.frequency * (window // 2), rate.frequency * window)
    assert rate.windowing_scheme(4) == SampleRate(rate.frequency * 4, rate.frequency * 4)


@given(st.integers(1, 10**12))
def test_every_positive_integer_is_an_audio_rate(hz):
    assert audio_sample_rate(hz).rate == hz == audio_sample_rate(np.int64(hz)).rate


@pytest.mark.parametrize("hz", [0, -1, 44100.5, float("nan"), float("inf"), "44100", None, True, 10**13, 1j])
def test_impossible_rates(hz):
    with pytest.raises(SampleRateError, match="any positive integer"):
        audio_sample_rate(hz)


def test_discrete_samples_of_arrays_and_of_nothing():
    from zounds_lite.core import ArrayWithUnits

    x = ArrayWithUnits(np.zeros((2, 8000)), [None, TimeDimension(*SR8000())])
    assert SampleRate(Seconds(1), Seconds(2)).discrete_samples(x) == (8000, 16000)
    with pytest.raises(DimensionError, match="no TimeDimension"):
        SampleRate(Seconds(1), Seconds(2)).discrete_samples(ArrayWithUnits(np.zeros(3), [None]))


def test_resampled_rates_are_rounded_to_picoseconds():
    assert SampleRate(Seconds(1), Seconds(2)).resample(0.5) == SampleRate(Seconds(0.5), Seconds(1))


# --- slices ---------------------------------------------------------------------------------------------------------

times = st.integers(-(10**6), 10**6).map(Milliseconds)
lengths = st.one_of(st.none(), st.integers(0, 10**6).map(Milliseconds))
slices = st.builds(TimeSlice, duration=lengths, start=times)


def test_slices_are_values():
    assert TimeSlice(Seconds(1)) == TimeSlice(Milliseconds(1000), start=Seconds(0))
    assert len({TimeSlice(Seconds(1)), TimeSlice(Milliseconds(1000))}) == 1
    assert TimeSlice(Seconds(1)) != TimeSlice()
    assert TimeSlice(Seconds(1)) != 1
    assert repr(TimeSlice(Seconds(2))) == "TimeSlice(start = 0.0, duration = 2.0)"
    assert repr(TimeSlice()) == "TimeSlice(start = 0.0, duration = None)"
    assert TimeSlice(Seconds(2), Seconds(1)).end == Seconds(3)
    assert pickle.loads(pickle.dumps(TimeSlice(Seconds(2)))) == TimeSlice(Seconds(2))
    with pytest.raises(ValueError, match="has no end"):
        TimeSlice().end  # noqa: B018


@pytest.mark.parametrize("arguments", [{"duration": 1}, {"start": 1}, {"duration": "1s"}, {"duration": Seconds(-1)}])
def test_slices_need_durations(arguments):
    with pytest.raises(ValueError, match="needs"):
        TimeSlice(**arguments)


def test_shifting_and_comparing():
    ts = TimeSlice(Seconds(2), start=Seconds(1))
    assert ts + Seconds(1) == Seconds(1) + ts == TimeSlice(Seconds(2), start=Seconds(2))
    assert TimeSlice(start=Seconds(1)) < ts + Seconds(1) and ts <= ts and ts >= Seconds(1) and ts > Seconds(0)
    assert sorted([ts + Seconds(1), ts]) == [ts, ts + Seconds(1)]
    with pytest.raises(TypeError):
        ts + 1
    with pytest.raises(ValueError, match="no moment"):
        ts < 1  # noqa: B015


def test_containment():
    ts = TimeSlice(Seconds(2), start=Seconds(1))
    assert Seconds(2) in ts
    assert Seconds(1) not in ts and Seconds(3) not in ts and ts not in ts
    assert TimeSlice(Seconds(1), start=Seconds(1.5)) in ts
    assert ts.contains(Seconds(1)) and not ts.contains(Seconds(3)) and ts.contains(ts)
    assert TimeSlice().contains(ts) and not ts.contains(TimeSlice())
    for bad in (1, "x"):
        with pytest.raises(ValueError, match="no moment"):
            bad in ts  # noqa: B015


@given(slices, slices)
def test_intersections_keep_their_start(a, b):
    both = a & b
    assert both == b & a
    assert both.start_ps == max(a.start_ps, b.start_ps)
    for t in (both.start_ps, both.start_ps - 1, (both.stop_ps or both.start_ps + 1) - 1, both.stop_ps or 0):
        moment = Picoseconds(t)
        assert both.contains(moment) == (a.contains(moment) and b.contains(moment))


@given(slices)
def test_slices_convert_to_spans_and_back(ts):
    span = ts.to_span()
    assert span.start == max(0, ts.start_ps)
    assert (span.stop is None) == (ts.duration is None)
    if ts.start_ps >= 0:
        assert TimeSlice.from_span(span) == ts
    assert TimeSlice.from_span(Span(5, 7)).to_span() == Span(5, 7)


def test_slices_between_timestamps():
    found = list(TimeSlice.slices([Seconds(3), Seconds(1), Seconds(1.5)]))
    assert found == [TimeSlice(Seconds(0.5), Seconds(1)), TimeSlice(Seconds(1.5), Seconds(1.5))]


# --- headers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "value",
    [
        SampleRate(Seconds(1), Milliseconds(2500)),
        AudioSampleRate(41100),
        SR44100(),
        HalfLapped(),
        HalfLapped(4096, 512),
        TimeSlice(),
        TimeSlice(Seconds(1.5), start=Hours(10)),
        TimeDimension(Seconds(1)),
        TimeDimension(Seconds(7), Seconds(9), size=3),
        TimeDimension(*SR11025(), size=10),
        TimeDimension.windowed(512, 1024, 11025, size=7, start=Seconds(2), padding=512, n_samples=123),
    ],
    ids=repr,
)
def test_stored_headers_come_back_whole(value):
    import json

    header = json.loads(json.dumps(value.to_dict(), allow_nan=False))
    again = Declared.from_dict(header)
    assert type(again) is type(value)
    assert again == value
    assert hash(again) == hash(value)
    assert again.to_dict() == value.to_dict()
    assert again.fingerprint() == value.fingerprint()


@pytest.mark.parametrize("factor", ["a", None, Seconds(2), (1, "a")])
def test_rates_are_multiplied_by_numbers_only(factor):
    with pytest.raises(DeclarationError, match="multiply by"):
        SampleRate(Seconds(1), Seconds(2)) * factor
