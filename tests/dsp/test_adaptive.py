"""Spectra cut into bands and put together again; frames that start anywhere."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.dsp.adaptive import BandSplit, band_window, overlap_add_at
from zounds_lite.dsp.framing import overlap_add, weight_sum
from zounds_lite.dsp.transforms import dct, idct, rfft
from zounds_lite.errors import DeclarationError, DimensionError

WINDOWS = [None, np.hanning, np.hamming, np.ones, np.blackman, lambda n: np.zeros(n)]
N = 40


def spectra(kind, seed=0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    if kind == "real":
        return rng.normal(size=(5, N)).astype(dtype)
    return rfft(rng.normal(size=(5, 2 * N - 1)).astype(dtype))


def bands():
    edges = st.tuples(st.integers(0, N), st.integers(0, N)).map(sorted)
    return st.lists(edges.map(lambda pair: slice(*pair)), min_size=1, max_size=8)


def inverse_cosine(x, norm):
    return idct(x)


@settings(max_examples=60, deadline=None)
@given(bins=bands(), window=st.sampled_from(WINDOWS), kind=st.sampled_from(["real", "complex"]))
def test_any_bands_give_everything_back_with_residual_ones(bins, window, kind):
    x = spectra(kind)
    split = BandSplit(bins, N, window, residual=True)
    parts = split.split(x, np.fft.irfft if kind == "complex" else inverse_cosine)
    assert [part.shape[1] for part in parts] == split.sizes(kind == "complex")
    assert np.allclose(split.merge(parts, rfft if kind == "complex" else dct), x, rtol=0, atol=1e-12)
    assert split.total.min() >= 0.5 - 1e-9


@settings(max_examples=60, deadline=None)
@given(bins=bands(), window=st.sampled_from(WINDOWS))
def test_bins_that_a_window_reaches_come_back_and_all_others_are_zero(bins, window):
    x = spectra("complex")
    split = BandSplit(bins, N, window)
    found = split.merge(split.split(x, np.fft.irfft), rfft)
    reached = split.total > 1e-6
    assert np.allclose(found[:, reached], x[:, reached], rtol=0, atol=1e-8)
    assert not found[:, split.total == 0].any()


@pytest.mark.parametrize("n", range(1, 8))
def test_no_window_deletes_its_band(n):
    assert band_window(np.hanning, n).max() > 0.4
    assert (band_window(lambda size: np.zeros(size), n) == 1).all()
    assert band_window(np.hanning, n).tolist() == (np.hanning(n).tolist() if n != 2 else [0.75, 0.75])


@pytest.mark.parametrize(("window", "size"), [(np.hanning, 2 * (9 - 1)), (np.hamming, 2 * (9 + 1)), (None, 20)])
def test_bands_have_the_documented_size_where_nothing_is_lost_by_it(window, size):
    (part,) = BandSplit([slice(4, 13)], N, window).split(spectra("complex"), np.fft.irfft)
    assert part.shape == (5, size)


def test_a_band_is_the_transform_of_its_windowed_bins():
    x = spectra("complex")
    (part,) = BandSplit([slice(4, 13)], N, np.hanning).split(x, np.fft.irfft)
    assert np.array_equal(part, np.fft.irfft(x[:, 4:13] * np.hanning(9), norm="ortho"))


def test_imaginary_parts_at_the_ends_of_a_band_survive():
    x = np.full((1, N), 1j)
    split = BandSplit([slice(3, 9), slice(20, 21), slice(30, 32)], N)
    found = split.merge(split.split(x, np.fft.irfft), rfft)
    assert np.allclose(found[:, 3:9], 1j) and np.allclose(found[:, 20], 1j) and np.allclose(found[:, 30:32], 1j)


def test_residual_bands_take_a_gap_within_the_others():
    split = BandSplit([slice(5, 10), slice(15, 20)], 25, None, residual=True)
    assert (split.has_below, split.has_above) == (True, True)
    assert split.bins == (slice(0, 5), slice(5, 10), slice(15, 20), slice(10, 25))
    assert (split.total == 1).all()


def test_nothing_is_added_where_nothing_lacks():
    split = BandSplit([slice(0, 10), slice(10, 25)], 25, None, residual=True)
    assert (split.has_below, split.has_above, len(split.bins)) == (False, False, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_precision_is_kept(dtype):
    x = spectra("complex", dtype=dtype)
    split = BandSplit([slice(0, 30), slice(20, N), slice(7, 7)], N, np.hanning, residual=True)
    parts = split.split(x, np.fft.irfft)
    assert {part.dtype for part in parts} == {np.dtype(dtype)}
    found = split.merge(parts, rfft)
    assert found.dtype == x.dtype
    assert np.abs(found - x).max() < 30 * np.finfo(dtype).eps


def test_no_frames_have_bands_of_the_usual_kind():
    split = BandSplit([slice(0, 30), slice(20, N), slice(7, 7)], N, np.hanning)
    for kind, transform in (("complex", np.fft.irfft), ("real", inverse_cosine)):
        usual, empty = (split.split(x, transform) for x in (spectra(kind), spectra(kind)[:0]))
        assert [part.dtype for part in empty] == [part.dtype for part in usual]
        assert [part.shape for part in empty] == [(0, part.shape[1]) for part in usual]


def test_only_frames_that_hold_nan_lose_their_numbers():
    x = spectra("complex")
    x[2, 7] = np.nan
    split = BandSplit([slice(0, 30), slice(20, N)], N, np.hanning, residual=True)
    found = split.merge(split.split(x, np.fft.irfft), rfft)
    assert np.isfinite(np.delete(found, 2, axis=0)).all()


def test_inputs_are_never_changed():
    x = spectra("complex")
    before = x.copy()
    split = BandSplit([slice(0, N)], N)
    parts = split.split(x, np.fft.irfft)
    copies = [part.copy() for part in parts]
    split.merge(parts, rfft)
    assert np.array_equal(x, before) and all(np.array_equal(a, b) for a, b in zip(parts, copies, strict=True))


@pytest.mark.parametrize(
    ("action", "error", "match"),
    [
        (lambda: BandSplit([], 0), DimensionError, "spectra of 0 bins"),
        (lambda: BandSplit([slice(3, 50)], N), DimensionError, "in spectra of 40 bins"),
        (lambda: BandSplit([slice(3, 9)], N, lambda n: np.ones(n + 1)), DeclarationError, r"gave shape \(7,\)"),
        (lambda: BandSplit([slice(3, 9)], N, lambda n: np.full(n, np.nan)), DeclarationError, "not finite"),
        (lambda: BandSplit([slice(3, 9)], N).split(np.ones((3, 5)), np.fft.irfft), DimensionError, r"\(frames, 40\)"),
        (lambda: BandSplit([slice(3, 9)], N).split(np.ones((3, N)), lambda x, norm: x[0]), DimensionError, "one row"),
        (lambda: BandSplit([slice(3, 9)], N).merge([], rfft), DimensionError, "0 bands where 1"),
        (lambda: BandSplit([slice(3, 9)], N).merge([np.ones((2, 4))], rfft), DimensionError, "not from 6 bins"),
    ],
)
def test_bad_input_is_refused(action, error, match):
    with pytest.raises(error, match=match):
        action()


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 9), size=st.integers(1, 20), data=st.data())
def test_frames_at_even_places_are_overlap_add(n, size, data):
    hop = data.draw(st.integers(1, size))
    frames, weights = np.random.default_rng(n).normal(size=(n, size, 2)), np.linspace(0.5, 1, size)
    wanted = overlap_add(frames, hop) / weight_sum(weights, hop, n)[:, None]
    assert np.allclose(overlap_add_at(frames, [k * hop for k in range(n)], weights, floor=1e-9), wanted)


def test_room_between_frames_is_zero():
    assert overlap_add_at(np.ones((2, 3)), [0, 5]).tolist() == [1, 1, 1, 0, 0, 1, 1, 1]
    assert overlap_add_at(np.ones((0, 3, 2)), []).shape == (0, 2)
    with pytest.raises(DimensionError, match="1 starts"):
        overlap_add_at(np.ones((2, 3)), [0])
