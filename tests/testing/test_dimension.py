"""Every dimension of the library keeps the contract of dimensions, and the contract refuses dimensions that do not."""

import pytest
from hypothesis import given, settings, strategies as st

import zounds_lite as zounds
from tests.testing.library import library_classes, names, refusals, suites
from zounds_lite._declared.values import picoseconds
from zounds_lite.core import Dimension, IdentityDimension
from zounds_lite.errors import UnitIndexError
from zounds_lite.spectral import (
    BarkScale,
    ExplicitFrequencyDimension,
    ExplicitScale,
    FFTScale,
    FrequencyBand,
    FrequencyDimension,
    Hertz,
    LinearScale,
)
from zounds_lite.testing import strategies
from zounds_lite.testing.contracts import DimensionContract
from zounds_lite.timeseries import (
    AudioSampleRate,
    Milliseconds,
    Picoseconds,
    Seconds,
    TimeDimension,
    TimeSlice,
)
from zounds_lite.timeseries.durations import from_picoseconds

ZERO = Picoseconds(0)


class Plain(Dimension):
    """A dimension that says nothing of its own."""

    def __init__(self):
        super().__init__()


class TestDimension(DimensionContract):
    create = Plain


class TestIdentity(DimensionContract):
    foreign = Seconds(1)

    def create(self):
        return IdentityDimension()

    def indices(self):
        return [slice(3, 9), slice(None)]


class TestSeconds(DimensionContract):
    foreign = FrequencyBand(1, 2)

    def create(self):
        return TimeDimension(Seconds(1))

    def others(self):
        return [TimeDimension(Seconds(2)), TimeDimension(Seconds(1), Seconds(2)), FrequencyDimension(BarkScale(*BARK))]

    def indices(self):
        return [
            TimeSlice(Seconds(3)), TimeSlice(Seconds(2), start=Seconds(5)), TimeSlice(start=Seconds(20)), Seconds(3),
            slice(Seconds(2), Seconds(4)), slice(Seconds(2), None), slice(-Seconds(4), None), slice(None, -Seconds(1)),
            TimeSlice(Seconds(0), start=Seconds(3)), TimeSlice(Seconds(9), start=Seconds(100)),
            TimeSlice(Milliseconds(1500), start=Milliseconds(700)),
        ]  # fmt: skip

    def partition(self):
        return list(TimeSlice.slices([Seconds(n) for n in (0, 1, 2, 7, 7, 20, 24)]))


class TestAudio(TestSeconds):
    size = 4800

    def create(self):
        return TimeDimension(*AudioSampleRate(100))

    def others(self):
        return [TimeDimension.from_rate(AudioSampleRate(101)), TimeDimension.windowed(2, 2, 100)]

    def partition(self):
        return list(TimeSlice.slices([Seconds(n) for n in (0, 1, 2, 7, 20, 48)]))


class TestAudioOfAnOddRate(TestAudio):
    """No whole number of picoseconds is the period, and the slices do not fall on samples."""

    size = 5 * 11025

    def create(self):
        return TimeDimension(*AudioSampleRate(11025))

    def partition(self):
        return list(
            TimeSlice.slices([Seconds(0), *(Picoseconds(n * 10**12 // 11025) for n in (1, 7, 999, 5555)), Seconds(5)])
        )


class TestWindows(TestSeconds):
    shares_edges = True

    def create(self):
        return TimeDimension.windowed(256, 512, 1024, padding=256, n_samples=6000)

    def others(self):
        return [TimeDimension.windowed(128, 512, 1024), TimeDimension.windowed(256, 256, 1024)]

    def partition(self):
        return list(TimeSlice.slices([Milliseconds(n) for n in (0, 250, 300, 1000, 5000, 7000)]))


BARK = (FrequencyBand(20, 4000), 24)


class _Frequencies(DimensionContract):
    shares_edges = True
    foreign = Seconds(1)

    def others(self):
        return [FrequencyDimension(BarkScale(FrequencyBand(20, 4001), 24)), TimeDimension(Seconds(1))]

    def indices(self):
        return [
            FrequencyBand(200, 800), FrequencyBand(9000, 9001), slice(Hertz(200), Hertz(800)), slice(Hertz(200), None),
            slice(Hertz(-500), None), slice(None, Hertz(-500)), Hertz(440),
        ]  # fmt: skip

    def partition(self):
        edges = [0, 100, 200, 555.5, 1000, 4000, 6000]
        return [FrequencyBand(a, b) for a, b in zip(edges[:-1], edges[1:], strict=True)]


class TestBark(_Frequencies):
    def create(self):
        return FrequencyDimension(BarkScale(*BARK))


class TestLinear(_Frequencies):
    def create(self):
        return FrequencyDimension(LinearScale(FrequencyBand(0, 4800), 24))


class TestFFT(_Frequencies):
    shares_edges = False

    def create(self):
        return FrequencyDimension(FFTScale(11025, 46))


class TestExplicit(_Frequencies):
    """Bands of 1, 2, 3 ... elements."""

    def create(self):
        bands = [FrequencyBand(100 * i, 100 * (i + 1)) for i in range(6)]
        slices = [slice(i * (i + 1) // 2, (i + 1) * (i + 2) // 2) for i in range(6)]
        return ExplicitFrequencyDimension(ExplicitScale(bands), slices)

    size = 21

    def indices(self):
        return [FrequencyBand(200, 300), FrequencyBand(120, 130), slice(Hertz(200), None), Hertz(250), slice(None)]


def test_every_dimension_is_here():
    tested = {type(suite().create()) for suite in suites(DimensionContract, globals())}
    assert names(library_classes(Dimension) - tested - {Dimension}) == []


# what the contract refuses


class _Broken(TimeDimension):
    pass


class OffByOne(TimeDimension):
    def integer_based_slice(self, index):
        found = super().integer_based_slice(index)
        return slice(found.start + 1, found.stop) if isinstance(found, slice) and found.start else found


class Leaky(TimeDimension):
    """Says that a slice has as many elements as before."""

    def metaslice(self, index, size):
        return self._changed(size=24)


class Forgetful(TimeDimension):
    def to_dict(self):
        return {**super().to_dict(), "duration": super().to_dict()["frequency"]}


class Counts(Dimension):
    """A dimension that knows where it starts, and forgets it when it is sliced."""

    def __init__(self, start=0):
        super().__init__(start=start)

    def metaslice(self, index, size):
        return Counts(self.start + 1)


class Changes(Dimension):
    def __init__(self, seen=0):
        super().__init__(seen=seen)

    def integer_based_slice(self, index):
        self.__dict__["seen"] += 1
        raise UnitIndexError("no units")


class TakesAnything(Dimension):
    def __init__(self):
        super().__init__()

    def integer_based_slice(self, index):
        return 0


class LosesItself(TimeDimension):
    def with_size(self, size):
        return IdentityDimension() if size == 1 else super().with_size(size)

    def joined(self, size):
        return Plain() if size > 20 else super().joined(size)


def seconds(cls):
    return lambda self: cls(Seconds(1))


BROKEN = {
    OffByOne: (seconds, {"neighbours_cover_the_axis"}),
    Leaky: (seconds, {"slices_of_integers_keep_valid_units", "a_slice_outside_selects_nothing_and_keeps_valid_units"}),
    Counts: (lambda cls: lambda self: cls(), {"a_slice_of_a_slice_is_a_slice"}),
    Changes: (lambda cls: lambda self: cls(), {"slicing_leaves_it_as_it_was"}),
    TakesAnything: (lambda cls: lambda self: cls(), {"units_that_it_does_not_have_are_refused"}),
    LosesItself: (seconds, {"parts_can_be_put_together_again"}),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_the_contract_refuses(broken):
    create, tests = BROKEN[broken]
    assert refusals(type("Broken", (TestSeconds,), {"create": create(broken)}), tests) == tests


def test_the_contract_refuses_what_does_not_read_back():
    suite = type("Broken", (TestSeconds,), {"create": lambda self: Forgetful(Seconds(1), Seconds(2))})
    assert refusals(suite) >= {"it_reads_back_from_a_header", "it_reads_back_from_a_store"}


def test_a_slice_of_time_is_exact_at_hour_ten():
    time = TimeDimension.from_rate(zounds.SR44100())
    index = time.integer_based_slice(TimeSlice(Seconds(1), start=zounds.Hours(10)))
    assert index == slice(36_000 * 44_100, 36_001 * 44_100)


@given(dimension=strategies.time_dimensions(), edges=st.lists(strategies.durations(100), max_size=5))
@settings(max_examples=200)
def test_slices_of_time_that_lie_side_by_side_leave_no_element_out(dimension, edges):
    edges = sorted({picoseconds(edge) for edge in edges})
    starts = [None, *map(from_picoseconds, edges)]
    found = [
        dimension.integer_based_slice(TimeSlice(start=start, duration=None if stop is None else stop - (start or ZERO)))
        for start, stop in zip(starts, [*starts[1:], None], strict=True)
    ]
    assert found[0].start == 0 and found[-1].stop is None
    for before, after in zip(found, found[1:], strict=False):
        assert before.start <= before.stop
        assert after.start <= before.stop, f"{dimension.to_dict()} leaves out {before.stop} to {after.start}"
