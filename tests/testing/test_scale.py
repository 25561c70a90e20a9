"""Every scale of the library keeps the contract of scales, and the contract refuses scales that do not."""

import numpy as np
import pytest

from tests.testing.library import library_classes, names, refusals, suites
from zounds_lite.spectral import (
    BarkScale,
    ChromaScale,
    EllisChromaScale,
    ERBScale,
    ExplicitScale,
    FFTScale,
    FrequencyBand,
    FrequencyScale,
    GeometricScale,
    LinearScale,
    MelScale,
    SlaneyMelScale,
)
from zounds_lite.testing.contracts import ScaleContract

BAND = FrequencyBand(20, 8000)


class TestLinear(ScaleContract):
    tiles = True

    def create(self):
        return LinearScale(BAND, 33)

    def others(self):
        return [LinearScale(BAND, 32), LinearScale(FrequencyBand(20, 8001), 33), BarkScale(BAND, 33)]


class TestPartOfLinear(TestLinear):
    def create(self):
        return LinearScale(BAND, 50)[3:36]


class TestFFT(ScaleContract):
    tiles = is_half_open = True

    def create(self):
        return FFTScale(22050, 512)

    def others(self):
        return [FFTScale(22050, 514), FFTScale(22051, 512), FFTScale(22050, 512, 1), FFTScale(22050, 512, 0, 256)]


class TestOddFFT(TestFFT):
    def create(self):
        return FFTScale(11025, 51)


class TestPartOfFFT(TestFFT):
    def create(self):
        return FFTScale(22050, 512, 10, 70)


class TestGeometric(ScaleContract):
    def create(self):
        return GeometricScale(30, 8000, 0.1, 40)

    def others(self):
        return [
            GeometricScale(31, 8000, 0.1, 40), GeometricScale(30, 8001, 0.1, 40), GeometricScale(30, 8000, 0.2, 40),
            GeometricScale(30, 8000, 0.1, 41),
        ]  # fmt: skip


class TestBark(ScaleContract):
    def create(self):
        return BarkScale(BAND, 100)

    def others(self):
        return [BarkScale(BAND, 99), BarkScale(FrequencyBand(21, 8000), 100), MelScale(BAND, 100)]


class TestMel(ScaleContract):
    def create(self):
        return MelScale(BAND, 4)

    def others(self):
        return [MelScale(BAND, 5), BarkScale(BAND, 4)]


class TestERB(ScaleContract):
    def create(self):
        return ERBScale(BAND, 60)

    def others(self):
        return [ERBScale(BAND, 61), ERBScale(FrequencyBand(21, 8000), 60), BarkScale(BAND, 60)]


class TestERBFromBelowZero(TestERB):
    def create(self):
        return ERBScale(FrequencyBand(-50, 12_000), 7)


class TestEvenBark(TestBark):
    """Slices are rounded to an even number of bands, so they touch all that they should, and sometimes one more."""

    def create(self):
        return BarkScale(BAND, 24, always_even=True)

    def others(self):
        return []

    def test_slices_are_even(self):
        scale = self.create()
        for stop in range(30, 8000, 77):
            index = scale.get_slice(FrequencyBand(25, stop))
            assert (index.stop - index.start) % 2 == 0


class TestExplicit(ScaleContract):
    """Bands of any width, with gaps and with overlaps."""

    def create(self):
        return ExplicitScale([FrequencyBand(a, b) for a, b in [(0, 50), (40, 4000), (45, 90), (200, 201), (300, 900)]])

    def others(self):
        return [ExplicitScale([FrequencyBand(0, 50)]), ExplicitScale(())]

    # bands of any kind may have centres in any order
    def test_bands_rise_and_hold_their_centres(self):
        assert (np.diff(self.create().band_starts) >= 0).all()


class TestSlaneyMel(ScaleContract):
    may_be_empty = True

    def create(self):
        return SlaneyMelScale(FrequencyBand(0, 11025), 128)

    def others(self):
        return [SlaneyMelScale(FrequencyBand(0, 11025), 127), SlaneyMelScale(FrequencyBand(1, 11025), 128)]


class TestChroma(ScaleContract):
    has_bands = False

    def create(self):
        return ChromaScale(FrequencyBand(50, 5000))

    def others(self):
        return [ChromaScale(FrequencyBand(50, 5000), "C"), ChromaScale(FrequencyBand(51, 4000))]


class TestEllisChroma(ScaleContract):
    has_bands = False

    def create(self):
        return EllisChromaScale()

    def others(self):
        return [
            EllisChromaScale("A"), EllisChromaScale(tuning=0.1), EllisChromaScale(center_octave=4.0),
            EllisChromaScale(octave_width=None), EllisChromaScale(octave_width=1.0),
        ]  # fmt: skip


def test_every_scale_is_here():
    tested = {type(suite().create()) for suite in suites(ScaleContract, globals())}
    assert names(library_classes(FrequencyScale) - tested - {FrequencyScale}) == []


# what the contract refuses


class HasGaps(LinearScale):
    def _edges(self):
        starts, stops = super()._edges()
        return starts, stops - 5


class SlicesTooFew(BarkScale):
    def _touched(self, start_hz, stop_hz):
        start, stop = super()._touched(start_hz, stop_hz)
        return start, max(start, stop - 1)


class LeavesBandsEmpty(BarkScale):
    def basis(self, other, window=None):
        weights = super().basis(other, window)
        weights[1] = 0
        return weights


class Weighs(BarkScale):
    def apply(self, tf, window=None):
        return super().apply(tf, window) * 1.01


class Writeable(BarkScale):
    @property
    def band_starts(self):
        return np.array(super().band_starts)


class Falls(BarkScale):
    def _edges(self):
        starts, stops = super()._edges()
        return starts[::-1], stops[::-1]


class RoundsParts(BarkScale):
    def _part(self, start, stop):
        return BarkScale(FrequencyBand(round(self.band_starts[start]), round(self.band_stops[stop - 1])), stop - start)


class Miscounts(BarkScale):
    def __len__(self):
        return super().__len__() + 1


class Unhashable(BarkScale):
    __hash__ = None


class EqualsAll(BarkScale):
    def _identity(self):
        return ()


class SharesBins(FFTScale):
    def _touched(self, start_hz, stop_hz):
        start, stop = super()._touched(start_hz, stop_hz)
        return start, min(len(self), stop + 1)


class Nearest(BarkScale):
    def index_of(self, hz):
        return max(0, super().index_of(hz) - 1)


BROKEN = {
    HasGaps: (TestLinear, {"bands_rise_and_hold_their_centres"}),
    SlicesTooFew: (TestBark, {"a_slice_takes_the_bands_that_it_touches"}),
    LeavesBandsEmpty: (TestBark, {"every_band_gets_something"}),
    Weighs: (TestBark, {"spectra_are_summed_by_its_weights"}),
    Writeable: (TestBark, {"nobody_can_change_its_numbers"}),
    Falls: (TestBark, {"bands_rise_and_hold_their_centres"}),
    RoundsParts: (TestBark, {"a_part_has_the_bands_of_the_whole"}),
    Miscounts: (TestBark, {"there_are_as_many_bands_as_it_says"}),
    Unhashable: (TestBark, {"equal_arguments_make_one_value", "an_axis_can_carry_it"}),
    EqualsAll: (TestBark, {"other_arguments_make_another_value"}),
    SharesBins: (TestFFT, {"neighbouring_slices_leave_no_band_out", "a_slice_takes_the_bands_that_it_touches"}),
    Nearest: (TestBark, {"a_frequency_belongs_to_the_nearest_band"}),
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_the_contract_refuses(broken):
    suite, tests = BROKEN[broken]
    good = suite()
    create = {"create": lambda self: broken(**good.create().parameters)}
    others = {"others": lambda self: [broken(BAND, 99)]} if broken is EqualsAll else {}
    assert refusals(type("Broken", (suite,), {**create, **others}), tests) == tests
