"""Exact time: no drift, at any rate, at any hour. Indices only; no array is as long as ten hours."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DeclarationError
from zounds_lite.timeseries import (
    AudioSampleRate,
    AudioSamples,
    HalfLapped,
    Hours,
    Microseconds,
    Milliseconds,
    Picoseconds,
    SampleRate,
    Seconds,
    Stride,
    TimeDimension,
    TimeSlice,
)
from zounds_lite.timeseries.clock import position, time_of, touching

RATES = [8000, 11025, 16000, 22050, 41100, 44100, 48000, 96000]
every_rate = pytest.mark.parametrize("rate", RATES)


def axis_of(rate):
    return TimeDimension(*AudioSampleRate(rate))


@every_rate
@pytest.mark.parametrize("at", [0, 3600, 36000])
def test_whole_seconds_are_whole_rates_at_hour_ten_as_at_zero(rate, at):
    dimension = axis_of(rate)
    for n in (1, 2, 3, 10, 30, 59, 60, 300, 3599, 3600):
        found = dimension.integer_based_slice(TimeSlice(Seconds(n), start=Seconds(at)))
        assert (found.start, found.stop - found.start) == (at * rate, n * rate)
    assert dimension.integer_based_slice(Seconds(at)) == at * rate
    found = dimension.integer_based_slice(slice(Seconds(at), Seconds(at + 1)))
    assert (found.start, found.stop) == (at * rate, (at + 1) * rate)


@every_rate
def test_every_second_of_an_hour(rate):
    dimension = axis_of(rate)
    wrong = [n for n in range(1, 4001) if dimension.integer_based_slice(TimeSlice(Seconds(n))).stop != n * rate]
    assert wrong == []


@given(st.integers(1, 10**6), st.integers(0, 10**6))
def test_whole_seconds_at_any_rate(rate, n):
    assert position(n * 10**12, 10**12 // rate, rate) == (n * rate, n * rate)


@given(st.sampled_from(RATES), st.integers(0, 36000 * 96000))
def test_multiples_of_the_truncated_period_count_samples(rate, k):
    period = 10**12 // rate
    # a whole second counts as one, should k periods ever be just that
    expected = k if (k * period) % 10**12 or rate * period == 10**12 else k * period * rate // 10**12
    assert position(k * period, period, rate) == (expected, expected)


@given(st.integers(1, 192000), st.integers(0, 2**40))
def test_exact_starts_come_back_as_their_sample(rate, k):
    period = 10**12 // rate
    t = time_of(k, period, rate)
    assert abs(Fraction(t) - Fraction(k * 10**12, rate)) <= Fraction(1, 2)
    if t % period:  # otherwise the time counts truncated periods, as documented
        assert position(t, period, rate) == (k, k)


@given(st.sampled_from(RATES), st.integers(0, 10**16))
def test_any_time_is_rounded_to_the_samples_around_it(rate, t):
    period = 10**12 // rate
    low, high = position(t, period, rate)
    exact = Fraction(t) / period if t % period == 0 and t % 10**12 else Fraction(t * rate, 10**12)
    assert high - low in (0, 1)
    assert low - Fraction(1, 200) < exact < high + Fraction(1, 200) or low == exact == high


@given(st.integers(0, 60), st.integers(0, 30), st.integers(1, 8), st.integers(1, 12), st.integers(0, 40))
def test_touching_frames_against_brute_force(start, length, hop, window, n_frames):
    first, last = touching(start, start + length, hop, window)
    found = [k for k in range(first, last) if k < n_frames and _touches(k, hop, window, start, start + length)]
    expected = [k for k in range(n_frames) if _touches(k, hop, window, start, start + length)]
    assert found == expected
    if window >= hop:  # without gaps, all in between touch
        assert list(range(first, min(last, max(first, n_frames)))) == expected


def _touches(k, hop, window, start, stop):
    return start < stop and k * hop < stop and k * hop + window > start


@given(
    st.sampled_from(RATES), st.integers(1, 3000), st.integers(1, 3000), st.integers(0, 10**11), st.integers(1, 10**11)
)
def test_windowed_axes_select_the_frames_that_touch_in_time(rate, hop, window, start, length):
    dimension = TimeDimension.windowed(hop, max(hop, window), rate)
    window = max(hop, window)
    found = dimension.integer_based_slice(TimeSlice(Picoseconds(length), start=Picoseconds(start)))
    tolerance = Fraction(10**12, rate) / 200 + 1
    period = 10**12 // rate

    def exact(t):
        return Fraction(t) if t % period or not t % 10**12 else Fraction(t // period * 10**12, rate)

    t0, t1 = exact(start), exact(start + length)
    for k in range(max(0, found.start - 2), found.stop + 3):
        begin, end = Fraction(k * hop * 10**12, rate), Fraction((k * hop + window) * 10**12, rate)
        if begin < t1 - tolerance and end > t0 + tolerance:
            assert found.start <= k < found.stop
        if begin > t1 + tolerance or end < t0 - tolerance:
            assert not found.start <= k < found.stop


@pytest.mark.parametrize(
    ("duration", "slice_duration", "start", "expected"),
    [
        (1, 0.1, 1.5, [1]), (1, 2, 1.5, [1, 2, 3]), (2, 2, 1, [0, 1, 2]), (3, 2, 5, [3, 4, 5, 6]),
        (3, 2, 6, [4, 5, 6, 7]), (1, 0, 1.5, []), (1, 2, -1, [0]), (1, 1, -5, []), (1, 5, 8, [8, 9]), (1, 1, 20, []),
    ],
)  # fmt: skip
def test_the_documented_slice_rule(duration, slice_duration, start, expected):
    x = ArrayWithUnits(np.arange(10), [TimeDimension(Seconds(1), Seconds(duration))])
    assert x[TimeSlice(Seconds(slice_duration), start=Seconds(start))].tolist() == expected


@given(st.integers(1, 50), st.integers(0, 100), st.integers(0, 100), st.integers(1, 9), st.integers(1, 30))
def test_axes_without_a_rate_against_brute_force(n, start, length, period, window):
    # seven-second grids have no whole rate
    dimension = TimeDimension(Seconds(7 * period), Seconds(7 * max(period, window)))
    assert dimension.rate is None
    window = max(period, window)
    x = ArrayWithUnits(np.arange(n), [dimension])
    found = x[TimeSlice(Seconds(length * 3), start=Seconds(start * 3))].tolist()
    t0, t1 = start * 3, (start + length) * 3
    assert found == [k for k in range(n) if t0 < t1 and 7 * k * period < t1 and 7 * (k * period + window) > t0]


@pytest.mark.parametrize("rate", [11025, 44100, 48000])
@given(st.integers(1, 500), st.integers(1, 5000))
def test_consecutive_slices_of_whole_samples_restore_the_signal(rate, size, length):
    x = AudioSamples(np.arange(length), AudioSampleRate(rate))
    d = x.frequency * size
    pieces = [np.asarray(x[TimeSlice(d, start=k * d)]) for k in range(-(-length // size))]
    np.testing.assert_array_equal(np.concatenate(pieces), np.asarray(x))


def test_a_slice_below_the_snap_still_selects_its_sample():
    x = axis_of(44100)
    assert x.integer_based_slice(TimeSlice(Picoseconds(1))) == slice(0, 1)
    found = x.integer_based_slice(TimeSlice(Picoseconds(1), start=Picoseconds(10)))
    assert found.stop - found.start == 1


def test_open_slices_reach_to_the_end():
    assert axis_of(8000).integer_based_slice(TimeSlice(start=Hours(10))) == slice(288000000, None)
    assert axis_of(8000).integer_based_slice(TimeSlice()) == slice(0, None)
    assert TimeDimension(Seconds(7)).integer_based_slice(TimeSlice(start=Seconds(14))) == slice(2, None)


def test_documented_window_of_a_quarter_second():
    scheme = SampleRate(Milliseconds(250), Milliseconds(500))
    assert scheme.discrete_samples(axis_of(11025)) == (2757, 5513)
    windowed = TimeDimension.windowed(2757, 5513, 11025)
    assert repr(windowed) == "TimeDimension(f=0.250068024879, d=0.500045346811)"


@pytest.mark.parametrize(
    ("rate", "hop"), [(96000, 2230), (48000, 1115), (44100, 1024), (22050, 512), (16000, 372), (11025, 256)]
)
def test_half_lapped_hops_and_windows_at_every_rate(rate, hop):
    assert HalfLapped().discrete_samples(axis_of(rate)) == (hop, 2 * hop)


@every_rate
@pytest.mark.parametrize(
    ("stride", "expected"),
    [((1, 1), (1, 2)), ((1, 3), (1, 4)), ((2, 4), (2, 5)), ((1, 10), (1, 11)), ((1, 11), (1, 12))],
)
def test_schemes_in_time_over_frames_count_what_they_touch(rate, stride, expected):
    hop, window = HalfLapped().discrete_samples(axis_of(rate))
    frames = TimeDimension.windowed(hop, window, rate)
    assert (HalfLapped() * Stride(*stride)).discrete_samples(frames) == expected


def test_half_lapped_with_other_overlaps():
    assert HalfLapped(2048, 512).discrete_samples(axis_of(48000)) == (558, 2232)
    assert HalfLapped(1000, 300).discrete_samples(axis_of(44100)) == (300, 1000)


def test_microseconds_at_hour_ten():
    start = Hours(10) + Microseconds(125)
    assert axis_of(8000).integer_based_slice(TimeSlice(Microseconds(125), start=start)) == slice(288000001, 288000002)


def test_years_neither_wrap_nor_fail():
    day = TimeDimension(Hours(24), size=400)
    assert (day.end, day.end_seconds, day.span.end) == (Hours(9600), 400 * 86400.0, Hours(9600))
    assert day.slice_of(200) == TimeSlice(Hours(24), start=Hours(4800))
    assert day.time_of(-400) == -Hours(9600)
    assert TimeSlice(Hours(10)) + Hours(10000) == TimeSlice(Hours(10), start=Hours(10000))
    assert TimeSlice(Hours(10000), start=Picoseconds(5)).end == Hours(10000)  # to the nearest nanosecond
    assert (TimeSlice(Hours(9000)) & TimeSlice(Hours(8000), start=Hours(4000))).end == Hours(9000)
    with pytest.raises(DeclarationError, match="allowed"):
        _ = TimeSlice(Hours(2**62), start=Hours(2**62)).end
