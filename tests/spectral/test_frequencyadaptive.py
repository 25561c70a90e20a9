"""Frames of bands with a resolution of their own: units, slices, and the same resolution everywhere."""

import pickle

import numpy as np
import pytest
import scipy.signal

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import (
    ExplicitFrequencyDimension,
    ExplicitScale,
    FrequencyAdaptive,
    FrequencyBand,
    FrequencyDimension,
    GeometricScale,
    Hertz,
    LinearScale,
    OggVorbisWindowingFunc,
)
from zounds_lite.timeseries import Milliseconds, Seconds, TimeDimension, TimeSlice

SCALE = LinearScale(FrequencyBand(0, 400), 4)
SIZES = (4, 8, 0, 6)


def frames(n=5, time=None, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    arrays = [rng.normal(size=(n, size)).astype(dtype) for size in SIZES]
    return arrays, FrequencyAdaptive(arrays, time or TimeDimension(Seconds(1), Seconds(2)), SCALE)


def test_bands_stand_side_by_side():
    arrays, fa = frames()
    assert np.array_equal(fa, np.concatenate(arrays, axis=1))
    assert (fa.shape, fa.n_bands, fa.scale) == ((5, 18), 4, SCALE)
    assert fa.time_dimension == TimeDimension(Seconds(1), Seconds(2))
    assert fa.frequency_dimension.slices == (slice(0, 4), slice(4, 12), slice(12, 12), slice(12, 18))


def test_bands_can_be_walked_and_sliced():
    arrays, fa = frames()
    for array, band, found in zip(arrays, SCALE, fa.iter_bands(), strict=True):
        assert type(found) is FrequencyAdaptive
        assert np.array_equal(found, array) and np.shares_memory(found, fa) == (array.size > 0)
        assert (found.n_bands, found.scale.bands) == (1, (band,))
        assert np.array_equal(fa[:, band], array)


def test_a_second_slice_is_right_too():
    arrays, fa = frames()
    upper = fa[:, FrequencyBand(101, 400)]
    assert (upper.shape, type(upper)) == ((5, 14), FrequencyAdaptive)
    assert np.array_equal(upper[:, SCALE[3]], arrays[3])
    assert np.array_equal(upper[:, Hertz(101) : Hertz(200)][:, SCALE[1]], arrays[1])


def test_bands_can_be_set():
    arrays, fa = frames()
    fa[:, SCALE[1]] = 7
    fa[1:3, SCALE[3]] = np.ones((2, 6))
    assert (np.asarray(fa)[:, 4:12] == 7).all() and (np.asarray(fa)[1:3, 12:] == 1).all()
    assert np.array_equal(fa[:, SCALE[0]], arrays[0])


def test_what_has_no_time_or_no_whole_bands_is_a_plain_array_with_units():
    _, fa = frames()
    assert type(fa[TimeSlice(Seconds(2))]) is FrequencyAdaptive
    assert type(fa[:, 1:7]) is ArrayWithUnits and fa[:, 1:7].dimensions[1] == IdentityDimension()
    assert type(fa[[0, 2]]) is ArrayWithUnits
    assert type(fa[0]) is ArrayWithUnits and isinstance(fa[0].dimensions[0], ExplicitFrequencyDimension)
    assert type(fa.T) is ArrayWithUnits


def test_arithmetic_copies_and_pickles_keep_the_class():
    _, fa = frames()
    for same in (fa * 2, np.abs(fa), fa > 0, fa.copy(), pickle.loads(pickle.dumps(fa)), fa.zeros_like()):
        assert type(same) is FrequencyAdaptive
        assert same.dimensions == fa.dimensions


def test_concatenating_keeps_the_class():
    (_, a), (_, b) = frames(5), frames(3, seed=1)
    for joined in (a.concatenate(b), FrequencyAdaptive.concat([a, b]), np.concatenate([a, b])):
        assert type(joined) is FrequencyAdaptive
        assert (joined.shape, joined.scale) == ((8, 18), SCALE)
        assert np.array_equal(joined, np.concatenate([np.asarray(a), np.asarray(b)]))


def test_it_can_be_made_from_its_parts():
    _, fa = frames()
    for same in (
        FrequencyAdaptive(np.asarray(fa), **fa.kwargs()),
        FrequencyAdaptive.from_array_with_units(ArrayWithUnits(np.asarray(fa), fa.dimensions)),
        FrequencyAdaptive.from_example(np.asarray(fa), fa),
        fa.like_dims(np.asarray(fa)),
    ):
        assert type(same) is FrequencyAdaptive and same.dimensions == fa.dimensions and np.array_equal(same, fa)
    assert fa.like_dims(np.zeros((2, 18))).shape == (2, 18)
    with pytest.raises(DimensionError, match="17 elements"):
        fa.like_dims(np.zeros((2, 17)))


TIME = TimeDimension(Seconds(1))
EXPLICIT = ExplicitFrequencyDimension(SCALE, [slice(0, 1), slice(1, 2), slice(2, 3), slice(3, 4)])
ONES = [np.ones((2, 1))] * 4


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ((ONES, None, SCALE), "needed: a TimeDimension"),
        ((ONES, TIME), "either scale"),
        ((np.ones((2, 4)), TIME, SCALE, EXPLICIT), "either scale"),
        ((ONES, TIME, None, EXPLICIT), "one array of 2 axes"),
        ((np.ones((2, 5)), TIME, None, EXPLICIT), "5 elements"),
        ((ONES[:3], TIME, SCALE), "3 slices for 4 bands"),
        (([np.ones((2, 1)), np.ones((3, 1)), *ONES[:2]], TIME, SCALE), "same number of frames"),
        (([np.ones(2)] * 4, TIME, SCALE), "needed: \\(frames, coefficients\\)"),
    ],
)
def test_parts_that_do_not_fit_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match) as caught:
        FrequencyAdaptive(*arguments)
    assert isinstance(caught.value, DimensionError)


def test_other_units_are_refused():
    with pytest.raises(DimensionError, match="needed: a TimeDimension and an ExplicitFrequencyDimension"):
        FrequencyAdaptive.from_array_with_units(ArrayWithUnits(np.ones((2, 4)), [TIME, FrequencyDimension(SCALE)]))


# the same resolution everywhere


def documented(time, sizes=range(1, 121)):
    scale = GeometricScale(100, 5000, 0.089, len(sizes))
    rng = np.random.default_rng(3)
    return FrequencyAdaptive([rng.normal(size=(10, size)) for size in sizes], time, scale)


def test_the_documented_shapes():
    fa = documented(TimeDimension(Milliseconds(500), Seconds(1)))
    square = fa.square(50)
    assert square.shape == (10, 50, 120)
    assert square.dimensions == (fa.time_dimension, TimeDimension(Milliseconds(20)), FrequencyDimension(fa.scale))
    rows = fa.square(50, do_overlap_add=True)
    assert rows.shape == (275, 120)
    assert rows.dimensions == (TimeDimension(Milliseconds(20)), FrequencyDimension(fa.scale))
    assert (rows.dimensions[0].end_seconds, rows.dimensions[0].frequency) == (5.5, Milliseconds(20))
    side_by_side = documented(TimeDimension(Seconds(1)))
    assert side_by_side.square(50, True, None).shape == (500, 120)
    assert np.array_equal(side_by_side.square(50, True, None), side_by_side.square(50).reshape(500, 120))


def test_rasterize_is_square():
    fa = documented(TimeDimension(Milliseconds(500), Seconds(1)))
    assert np.array_equal(fa.rasterize(20), fa.square(20))


def test_each_band_is_resampled_as_scipy_does():
    fa = documented(TimeDimension(Seconds(1)))
    square = np.asarray(fa.square(50))
    for i, band in enumerate(fa.iter_bands()):
        assert np.allclose(square[:, :, i], scipy.signal.resample(np.asarray(band), 50, axis=1), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("hop", "rows"), [(250, 14), (500, 20), (750, 26), (1000, 32), (1500, 44)])
def test_the_hop_is_right_at_every_overlap(hop, rows):
    """Four frames of eight coefficients; a hop longer than a frame leaves room between them."""
    fa = FrequencyAdaptive(
        [np.ones((4, 8))], TimeDimension(Milliseconds(hop), Seconds(1)), ExplicitScale([FrequencyBand(0, 9)])
    )
    square = np.asarray(fa.square(8, True, None))
    assert len(square) == rows
    covered = np.zeros(rows, bool)
    for k in range(4):
        covered[k * hop * 8 // 1000 :][:8] = True
    assert np.allclose(square[:, 0], covered)


def test_the_places_of_frames_do_not_drift():
    """A hop of 10/3 rows: the last of 1000 frames is where its time says."""
    time = TimeDimension(Seconds(1), Seconds(3))
    data = np.zeros((1000, 10))
    data[-1] = 1
    rows = FrequencyAdaptive([data], time, ExplicitScale([FrequencyBand(0, 9)])).square(10, True, None)
    assert len(rows) == 3330 + 10
    assert rows.dimensions[0].end_seconds == pytest.approx(999 + 3, abs=1e-6)
    assert np.flatnonzero(rows).tolist()[0] == 3330


@pytest.mark.parametrize("hop", [250, 500])
def test_the_level_of_windowed_frames_does_not_depend_on_the_overlap(hop):
    """Frames that were cut from a constant and multiplied with a window give the constant back."""
    window = OggVorbisWindowingFunc()(64)
    fa = FrequencyAdaptive(
        [np.tile(window, (12, 1))], TimeDimension(Milliseconds(hop), Seconds(1)), ExplicitScale([FrequencyBand(0, 9)])
    )
    rows = np.asarray(fa.square(64, True))[:, 0]
    assert np.allclose(rows[32:-32], 1, rtol=0, atol=1e-12)
    assert (rows >= 0).all() and rows.max() < 1 + 1e-12


def test_silence_and_the_sign_of_small_bands_are_kept():
    arrays, fa = frames()
    fa[:, SCALE[0]] = 0
    fa[:, SCALE[1]] = -1e-9
    square = np.asarray(fa.square(5))
    assert not square[:, :, 0].any() and not square[:, :, 2].any()
    assert np.allclose(square[:, :, 1], -1e-9, rtol=1e-9, atol=0)


def test_precision_is_kept_and_nothing_is_changed():
    _, fa = frames(dtype=np.float32)
    before = np.array(fa)
    assert fa.square(7).dtype == fa.square(7, True).dtype == np.float32
    assert np.array_equal(fa, before)
    assert fa[:0].square(7).shape == (0, 7, 4) and fa[:0].square(7, True).shape == (0, 4)


def test_nan_stays_in_its_frame_and_band():
    _, fa = frames()
    fa[2, SCALE[1]] = np.nan
    square = np.asarray(fa.square(6))
    assert np.argwhere(np.isnan(square)).tolist() == [[2, i, 1] for i in range(6)]


def test_no_coefficients_are_refused():
    with pytest.raises(DeclarationError, match="n_coeffs=0"):
        frames()[1].square(0)
