"""Axes that are time."""

import numpy as np
import pytest

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError, UnitIndexError
from zounds_lite.timeseries import (
    SR8000,
    SR44100,
    HalfLapped,
    Milliseconds,
    SampleRate,
    Seconds,
    TimeDimension,
    TimeSlice,
)


def seconds(n=10, duration=1):
    return ArrayWithUnits(np.arange(n), [TimeDimension(Seconds(1), Seconds(duration))])


def test_properties():
    d = TimeDimension(Seconds(1), Seconds(2), size=10)
    assert (d.overlap, d.overlap_ratio, d.duration_in_seconds, d.samples_per_second) == (Seconds(1), 0.5, 2.0, 1)
    assert (d.end, d.end_seconds, d.span) == (Seconds(11), 11.0, TimeSlice(Seconds(11)))
    assert d.samplerate == SampleRate(Seconds(1), Seconds(2))
    assert TimeDimension(*SR44100()).samplerate == SR44100()
    assert type(TimeDimension(*SR44100()).samplerate) is SR44100
    assert TimeDimension(Seconds(1), size=0).end_seconds == 0
    assert d.resample(0.5) == TimeDimension(Seconds(0.5), Seconds(1))
    with pytest.raises(DimensionError, match="no size"):
        TimeDimension(Seconds(1)).end  # noqa: B018


def test_equality_ignores_size_and_notes():
    a = TimeDimension.windowed(512, 1024, 8000, size=3, start=Seconds(1), padding=4, n_samples=5)
    assert a == TimeDimension.windowed(512, 1024, 8000) != TimeDimension.windowed(512, 1025, 8000)
    assert hash(a) == hash(TimeDimension.windowed(512, 1024, 8000))
    assert a == TimeDimension(a.frequency, a.duration)
    assert a != "time"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({}, "frequency=None"),
        ({"frequency": 1}, "frequency=1"),
        ({"frequency": Seconds(1), "duration": 2}, "duration=2"),
        ({"frequency": Seconds(0)}, "positive"),
        ({"frequency": Seconds(1), "size": -1}, "size=-1"),
        ({"frequency": Seconds(1), "hop": 2, "window": 2, "rate": 1}, "contradict"),
        ({"frequency": Seconds(1), "hop": 1}, "all three or none"),
        ({"frequency": Seconds(1), "hop": 1, "window": 1, "rate": 1.0}, "rate=1.0"),
    ],
)
def test_bad_declarations(arguments, match):
    with pytest.raises(DeclarationError, match=match):
        TimeDimension(**arguments)


def test_bad_windows():
    with pytest.raises(ValueError, match="hop=0"):
        TimeDimension.windowed(0, 1, 8000)


def test_whole_hertz_are_found_out():
    assert TimeDimension(*SR44100()).rate == 44100
    assert TimeDimension(Milliseconds(500)).rate == 2
    assert TimeDimension(Milliseconds(300)).rate is None
    assert TimeDimension(*HalfLapped()).rate is None
    assert TimeDimension(Seconds(1), Seconds(2)).rate is None


def test_durations_in_plain_slices_count_from_the_end_where_negative():
    x = seconds()
    assert x[Seconds(2) : Seconds(5)].tolist() == [2, 3, 4]
    assert x[Seconds(7) :].tolist() == [7, 8, 9]
    assert x[: Seconds(2)].tolist() == [0, 1]
    assert x[-Seconds(2) :].tolist() == [8, 9]
    assert x[: -Seconds(7)].tolist() == [0, 1, 2]
    assert x[-Seconds(100) : Seconds(2)].tolist() == [0, 1]
    assert x[Seconds(1) : Seconds(7) : 2].tolist() == [1, 3, 5]
    assert seconds(duration=2)[-Seconds(2) :].tolist() == [8, 9]
    with pytest.raises(UnitIndexError, match="axis 0"):
        x[Seconds(1) : Seconds(7) : -1]


def test_a_single_duration_selects_the_element_at_that_time():
    x = seconds()
    assert type(x[Seconds(2)]) is np.int64
    assert x[Seconds(2)] == x[Seconds(2.9)] == 2
    assert x[-Seconds(1)] == 9
    with pytest.raises(IndexError, match="out of bounds"):
        x[Seconds(10)]
    frames = ArrayWithUnits(np.zeros((5, 3)), [TimeDimension.windowed(512, 1024, 8000), None])
    row = frames[Milliseconds(64)]
    assert row.shape == (3,)
    assert row.dimensions == (IdentityDimension(),)


def test_assignment_by_time():
    x = seconds().copy()
    x[TimeSlice(Seconds(2), start=Seconds(3))] = -1
    x[Seconds(9)] = 100
    assert x.tolist() == [0, 1, 2, -1, -1, 5, 6, 7, 8, 100]


def test_steps_stretch_the_period_and_reversal_drops_it():
    x = ArrayWithUnits(np.zeros(100), [TimeDimension(*SR8000())])
    every_other = x[::2].dimensions[0]
    assert (every_other.hop, every_other.window, every_other.rate, every_other.size) == (2, 1, 8000, 50)
    assert every_other.frequency == x.dimensions[0].frequency * 2
    assert every_other.duration == x.dimensions[0].duration
    assert x[::2][TimeSlice(Milliseconds(1))].shape == (4,)
    assert x[::-1].dimensions == (IdentityDimension(),)
    slow = ArrayWithUnits(np.zeros(9), [TimeDimension(Seconds(7), Seconds(8))])[::3].dimensions[0]
    assert slow == TimeDimension(Seconds(21), Seconds(8))


def test_slicing_drops_the_notes_and_other_axes_leave_them():
    d = TimeDimension.windowed(4, 8, 8000, start=Seconds(1), padding=4, n_samples=40)
    x = ArrayWithUnits(np.zeros((10, 3)), [d, None])
    for kept in (x, x[:, 1:], x[...], x[:, 0], x * 2, x.copy(), x.sum(axis=1)):
        assert (kept.dimensions[0].n_samples, kept.dimensions[0].padding) == (40, 4)
        assert kept.dimensions[0].start == Seconds(1)
    for sliced in (x[1:], x[:5], x[TimeSlice(Seconds(1))], x[::2], ArrayWithUnits.concat([x, x])):
        notes = sliced.dimensions[0]
        assert (notes.n_samples, notes.padding, notes.start) == (None, None, None)
        assert notes.size == len(sliced)


def test_windows_of_an_axis():
    windows, inside = TimeDimension.windowed(512, 1024, 44100, size=9).modified_dimension(4, 5, 2)
    assert (windows.hop, windows.window, windows.size) == (1024, 512 * 5 + 512, 4)
    assert inside.size == 5
    assert list(TimeDimension(Seconds(1), size=9).modified_dimension(1, slice(None))) == [TimeDimension(Seconds(9))]


def test_elements_know_their_time():
    d = TimeDimension.windowed(512, 1024, 44100)
    assert d.time_of(44100) == Seconds(512)
    ts = d.slice_of(44100)
    assert ts.start == Seconds(512)
    assert ts.duration == np.timedelta64(23219954649, "ps")
    assert TimeDimension(Seconds(7), Seconds(9)).slice_of(2) == TimeSlice(Seconds(9), start=Seconds(14))


def test_units_of_other_kinds_are_refused():
    with pytest.raises(UnitIndexError, match="TimeDimension.*cannot be indexed by 'x'; allowed: TimeSlice"):
        TimeDimension(Seconds(1)).integer_based_slice("x")
