"""Times and stretches as tables state them."""

from fractions import Fraction

import pytest

from zounds_lite import Seconds, TimeSlice
from zounds_lite.datasets.stretches import seconds_of, stretch_of
from zounds_lite.errors import InvalidItem


@pytest.mark.parametrize(
    "value, seconds",
    [("0", 0), ("1.5", Fraction(3, 2)), (" 2 ", 2), (".5", Fraction(1, 2)), ("1e-05", Fraction(1, 10**5)), (7, 7),
     (0.1, Fraction(1, 10)), ("1:30", 90), ("90:00", 5400), ("01:02:03.25", Fraction(14893, 4)), ("100:00:00", 360000)],
)  # fmt: skip
def test_times(value, seconds):
    assert seconds_of("start", value) == seconds


@pytest.mark.parametrize(
    "value", ["", "x", "1:60", "1:99:00", "1,5", "2010-05-01", "nan", "inf", float("nan"), True, [1], None, "1:2:3:4",
              "1e999", "٣", "9" * 40],
)  # fmt: skip
def test_no_times(value):
    with pytest.raises(InvalidItem, match=r"start is .*allowed: seconds, or hh:mm:ss; pass segments=False"):
        seconds_of("start", value)


@pytest.mark.parametrize("value", ["-1", "-0.5", "-1:00", -3, -0.1])
def test_negative_times(value):
    with pytest.raises(InvalidItem, match="duration is .*which is negative"):
        seconds_of("duration", value)


def test_stretches():
    wanted = TimeSlice(start=Seconds(1), duration=Seconds(2))
    for name, value in (("duration", 2), ("end", "3"), ("stop", "0:03")):
        assert stretch_of({"start": "1", name: value}) == wanted
    assert stretch_of({"start": 1, "duration": 2, "end": 3.0004}) == wanted  # tools round
    assert stretch_of({"start": 1, "duration": None}) == TimeSlice(start=Seconds(1))
    assert stretch_of({"start": None, "duration": 2}) == TimeSlice(Seconds(2))
    assert stretch_of({"start": None, "end": None}) is None
    assert stretch_of({"start": "0.1", "end": "0.4"}).duration == Seconds(Fraction(3, 10))  # exact


@pytest.mark.parametrize(
    "values, match",
    [({"start": 1, "duration": 0}, "duration is 0, so the stretch is empty"),
     ({"start": 2, "end": 1}, "end is 1, so the stretch is empty: it starts at 2"),
     ({"start": 1, "duration": 2, "end": 4}, "start 1, duration 2, end 4 contradict each other"),
     ({"start": 1, "duration": -2}, "negative"),
     ({"start": 1e300}, "too long")],
)  # fmt: skip
def test_no_stretches(values, match):
    with pytest.raises(InvalidItem, match=match):
        stretch_of(values)
