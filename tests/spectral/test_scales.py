import json

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

from zounds_lite._declared import Declared
from zounds_lite.errors import DeclarationError, FrequencyBandError, UnitIndexError
from zounds_lite.spectral import (
    BarkScale,
    ChromaScale,
    ExplicitScale,
    FFTScale,
    FrequencyBand,
    GeometricScale,
    Hertz,
    LinearScale,
    MelScale,
    SlaneyMelScale,
)
from zounds_lite.timeseries import SR11025, Seconds, TimeSlice

SPAN = FrequencyBand(20, 5000)
SCALES = [
    LinearScale(SPAN, 37),
    LinearScale(SPAN, 37, always_even=True),
    FFTScale(11025, 512),
    FFTScale(22050, 743)[3:40],
    GeometricScale(30, 4000, 0.07, 41),
    ExplicitScale([FrequencyBand(0, 10), FrequencyBand(10, 30), FrequencyBand(50, 70)]),
    BarkScale(SPAN, 23),
    MelScale(SPAN, 23),
    SlaneyMelScale(SPAN, 23),
]
by_name = pytest.mark.parametrize("scale", SCALES, ids=lambda s: f"{type(s).__name__}-{len(s)}")


def test_linear_slices_as_documented():
    scale = LinearScale(FrequencyBand(0, 100), 10)
    assert scale.get_slice(FrequencyBand(0, 20)) == slice(0, 2)
    sizes = [slice(None, Hertz(50)), slice(Hertz(50), None), slice(Hertz(20), Hertz(80)), slice(Hertz(-20), None)]
    assert [len(scale[s]) for s in [*sizes, slice(None, Hertz(-20))]] == [5, 6, 7, 3, 8]
    assert LinearScale(FrequencyBand(0, 1000), 100).get_slice(FrequencyBand(500, 700)) == slice(49, 70)
    assert LinearScale(FrequencyBand(0, 1000), 10).get_slice(FrequencyBand(495, 705)) == slice(4, 8)


def test_a_part_of_a_linear_scale_is_linear():
    part = LinearScale(FrequencyBand(20, 20000), 100)[FrequencyBand(100, 1000)]
    assert isinstance(part, LinearScale)
    assert (len(part), part.start_hz) == (5, 20)
    assert part.stop_hz == pytest.approx(1019)
    assert part == LinearScale(FrequencyBand(part.start_hz, part.stop_hz), 5)


@by_name
def test_bands_rise_and_agree_with_arrays(scale):
    bands = list(scale)
    assert len(bands) == len(scale) == scale.n_bands == len(scale.bands)
    assert np.array_equal([b.start_hz for b in bands], scale.band_starts)
    assert np.array_equal([b.stop_hz for b in bands], scale.band_stops)
    assert (np.diff(scale.band_starts) > 0).all()
    assert np.allclose([b.bandwidth for b in bands], scale.bandwidths)
    assert np.allclose(scale.Q, np.array(scale.center_frequencies) / np.array(scale.bandwidths))
    if not isinstance(scale, SlaneyMelScale):
        assert np.allclose([b.center_frequency for b in bands], scale.center_frequencies)


@by_name
def test_parts_keep_their_bands_exactly(scale):
    for start, stop in [(0, 2), (1, 3), (1, 2), (2, None), (0, len(scale)), (-2, None)]:
        assert tuple(scale[start:stop].bands) == scale.bands[start:stop]
        assert tuple(scale[start:stop][0:1].bands) == scale.bands[start:stop][0:1]
    assert tuple(scale[::2].bands) == scale.bands[::2]
    assert scale[1] == scale.bands[1]
    assert scale[-1] == scale.bands[-1]
    with pytest.raises(IndexError):
        scale[len(scale)]


@settings(deadline=None)
@given(st.sampled_from(SCALES[:1] + SCALES[4:]), st.data())
def test_slices_take_every_band_they_touch(scale, data):
    hz = st.floats(-100, 6000) | st.sampled_from([*scale.band_starts.tolist(), *scale.band_stops.tolist()])
    low, high = data.draw(hz), data.draw(hz)
    assume(low < high)
    touched = [b for b in scale.bands if b.stop_hz >= low and b.start_hz < high]
    assert list(scale[FrequencyBand(low, high)].bands) == touched
    if low >= 0:
        assert scale[Hertz(low) : Hertz(high)] == scale[FrequencyBand(low, high)]


@by_name
def test_empty_selections_are_empty_scales(scale):
    for nothing in (scale[FrequencyBand(90000, 90001)], scale[2:1], scale[Hertz(800) : Hertz(800)][0:0]):
        assert len(nothing) == 0
        assert nothing.bands == ()
        assert nothing[FrequencyBand(1, 2)] == nothing
        assert nothing.Q.shape == (0,)
        assert Declared.from_dict(nothing.to_dict()) == nothing
    assert repr(ExplicitScale([])) == "ExplicitScale(bands=(), n_bands=0)"
    with pytest.raises(FrequencyBandError, match="without bands"):
        _ = ExplicitScale([]).frequency_band


@by_name
def test_scales_are_values_and_storable(scale):
    again = Declared.from_dict(json.loads(json.dumps(scale.to_dict())))
    assert type(again) is type(scale)
    assert again == scale
    assert hash(again) == hash(scale)
    assert again.bands == scale.bands
    assert again.always_even == scale.always_even
    part = scale[1:-1]
    restored = Declared.from_dict(json.loads(json.dumps(part.to_dict())))
    assert restored == part
    assert restored.bands == part.bands


def test_all_scales_differ_but_for_rounding_of_slices():
    assert len(set(SCALES)) == len(SCALES) - 1
    assert ExplicitScale(SCALES[0].bands[:3]) != ExplicitScale(SCALES[0].bands)
    assert SCALES[0] != "scale"
    assert ExplicitScale(SCALES[4]).bands == SCALES[4].bands


@pytest.mark.parametrize("n", [1, 2, 9, 10])
def test_always_even_never_runs_past_an_end(n):
    for scale in (LinearScale(FrequencyBand(0, 100), n, True), GeometricScale(1, 100, 0.2, n + 1, True)):
        for low, high in [(0, 5), (0, 1000), (45, 50), (95, 1000), (1000, 2000), (0.5, 99)]:
            index = scale.get_slice(FrequencyBand(low, high))
            assert 0 <= index.start <= index.stop <= len(scale)
            assert (index.stop - index.start) % 2 == 0
    assert LinearScale(FrequencyBand(0, 100), 10, True)[1:4].always_even
    assert GeometricScale(1, 100, 0.2, 9, True)[1:4].always_even


def test_one_band():
    scale = LinearScale(FrequencyBand(20, 200), 1)
    assert scale.bands == (FrequencyBand(20, 200),)
    assert GeometricScale(100, 200, 0.1, 1).center_frequencies.tolist() == [100.0]
    assert len(BarkScale(SPAN, 1)) == 1


def test_from_sample_rate():
    scale = LinearScale.from_sample_rate(SR11025(), 256)
    assert scale == LinearScale(FrequencyBand(0, 5512), 256) == LinearScale.from_sample_rate(11025, 256)
    assert np.allclose(LinearScale.from_sample_rate(44100, 1024).band_starts, np.fft.rfftfreq(2048, 1 / 44100)[:-1])


def test_ensure_overlap_ratio():
    def scale(ratio):
        return GeometricScale(300, 3030, ratio, 300)

    for ratio in (0.001, 0.01):
        with pytest.raises(AssertionError, match="required: 0.5"):
            scale(ratio).ensure_overlap_ratio(0.5)
    scale(0.017).ensure_overlap_ratio(0.5)
    GeometricScale(100, 5000, 0.089, 100).ensure_overlap_ratio(0.5)
    apart = ExplicitScale([FrequencyBand(0, 10), FrequencyBand(20, 30)])
    apart.ensure_overlap_ratio(0)
    with pytest.raises(AssertionError, match="band 1 holds 0.0000 of band 0"):
        apart.ensure_overlap_ratio(0.01)


def test_the_nearest_band_of_a_frequency():
    scale = LinearScale(FrequencyBand(0, 100), 10)
    assert scale[Hertz(44)] == FrequencyBand(40, 50)
    assert scale.index_of(0) == 0
    for outside in (101, -1):
        with pytest.raises(UnitIndexError, match="outside the scale"):
            scale.index_of(outside)
    with pytest.raises(UnitIndexError):
        scale[3:3].index_of(20)


@pytest.mark.parametrize(
    "index",
    [slice(1.0, 2.0), slice(Seconds(1), Seconds(2)), slice(Hertz(1), 7), slice(Hertz(float("nan")), None),
     slice(Hertz(1), Hertz(5), Hertz(1)), TimeSlice(Seconds(1)), "C4", 3.5],
)  # fmt: skip
def test_wrong_units_are_refused(index):
    with pytest.raises(UnitIndexError, match="allowed: FrequencyBand"):
        LinearScale(SPAN, 10).get_slice(index)


@pytest.mark.parametrize("make", [lambda n: LinearScale(SPAN, n), lambda n: GeometricScale(1, 2, 0.1, n),
                                  lambda n: BarkScale(SPAN, n), lambda n: MelScale(SPAN, n),
                                  lambda n: SlaneyMelScale(SPAN, n)])  # fmt: skip
def test_a_scale_has_bands(make):
    for n in (0, -1):
        with pytest.raises(DeclarationError, match="at least one band"):
            make(n)
    for n in (1.5, "3", None):
        with pytest.raises(DeclarationError, match="whole number"):
            make(n)


def test_bad_declarations():
    with pytest.raises(DeclarationError, match="allowed: a FrequencyBand"):
        LinearScale((20, 200), 3)
    with pytest.raises(DeclarationError, match="0 < start < stop"):
        GeometricScale(0, 100, 0.1, 3)
    with pytest.raises(DeclarationError, match="bandwidth_ratio"):
        GeometricScale(10, 100, 0, 3)
    with pytest.raises(DeclarationError, match="in the bands of a scale"):
        ExplicitScale([(1, 2)])
    with pytest.raises(DeclarationError, match="sort the bands"):
        ExplicitScale([FrequencyBand(5, 6), FrequencyBand(1, 2)])
    with pytest.raises(DeclarationError, match="in rising order"):
        ExplicitScale(5)
    with pytest.raises(DeclarationError, match="above 0 Hz"):
        ChromaScale(FrequencyBand(0, 100))
    with pytest.raises(DeclarationError, match="first='B'"):
        ChromaScale(SPAN, "B")
    with pytest.raises(DeclarationError, match="from 0 Hz"):
        SlaneyMelScale(FrequencyBand(-5, 100), 3)
