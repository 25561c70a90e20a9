"""Windows of lapped transforms: which pairs cancel aliasing, and what the sum of frames is divided by."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.dsp import (
    aliasing,
    divide_by_repeated_weights,
    frames,
    hamming,
    hann,
    imdct,
    mdct,
    overlap_add,
    vorbis,
    weight_sum,
)
from zounds_lite.errors import DimensionError


def remainder(analysis, synthesis, hop):
    """How far a random signal is from its frames, transformed, inverted, added and divided, inside."""
    size = len(analysis)
    x = np.random.default_rng(0).standard_normal(20 * size)
    out = overlap_add(imdct(mdct(frames(x, size, hop)[: (len(x) - size) // hop + 1] * analysis)) * synthesis, hop)
    divide_by_repeated_weights(out, analysis * synthesis, hop)
    inside = slice(size - hop, len(out) - size + hop)
    return np.abs(out[inside] - x[: len(out)][inside]).max()


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 60), st.data())
def test_any_symmetric_window_with_itself(n, data):
    half = np.random.default_rng(n).uniform(0.1, 1, n)
    window = np.concatenate([half, half[::-1]])
    hop = data.draw(st.sampled_from([h for h in range(1, n + 1) if n % h == 0]))
    assert aliasing(window, window) == 0
    assert remainder(window, window, hop) < 1e-11


@pytest.mark.parametrize("hop", [32, 16, 8])
def test_pairs_that_differ_by_a_symmetric_half(hop):
    half = vorbis(64)[:32]
    balance = half**2 + half[::-1] ** 2 + 1
    synthesis = np.concatenate([half / balance, half[::-1] / balance[::-1]])
    assert aliasing(vorbis(64), synthesis) < 1e-15
    assert remainder(vorbis(64), synthesis, hop) < 1e-12


def test_pairs_that_leave_aliasing_are_found():
    ones = np.ones(64)
    for a, s in ((hann(64), ones), (vorbis(64), hann(64)), (hamming(64, periodic=True), hamming(64, periodic=True))):
        assert aliasing(a, s) > 1e-3
        assert remainder(a, s, 32) > 1e-3
    assert aliasing(ones, ones) == 0 == aliasing(np.zeros(64), np.zeros(64))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("trailing", [(), (2,)])
def test_every_sample_is_divided_by_what_the_middle_has(dtype, trailing):
    weights = np.random.default_rng(1).uniform(0.5, 1, 12)
    middle = weight_sum(weights, 4, 20)[8:-8]
    out = np.ones((40, *trailing), dtype)
    divide_by_repeated_weights(out, weights, 4)
    assert out.dtype == dtype
    assert np.allclose(out.reshape(40, -1)[:, -1], 1 / middle[:40], rtol=1e-6)


def test_no_weight_gives_no_nan():
    for weights in (np.zeros(4), np.array([0.0, 1.0, 0.0, 1.0])):
        out = np.zeros(8)
        divide_by_repeated_weights(out, weights, 2)
        assert not out.any()


def test_bad_input_is_refused():
    for a, s in ((np.ones(3), np.ones(3)), (np.ones(4), np.ones(6)), (np.ones((2, 2)), np.ones((2, 2)))):
        with pytest.raises(DimensionError, match="same even number"):
            aliasing(a, s)
    with pytest.raises(DimensionError, match="divides both"):
        divide_by_repeated_weights(np.ones(6), np.ones(4), 3)
