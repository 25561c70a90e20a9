"""Moments are those of all rows at once, whatever their order and chunking."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from tests.learn.corpora import rows
from zounds_lite.errors import EmptyCorpus, RaggedCorpus
from zounds_lite.learn import Moments


def moments(*chunks):
    made = Moments()
    for chunk in chunks:
        made.update(chunk)
    return made


@given(st.lists(st.integers(0, 100), max_size=6), st.sampled_from([(), (3,), (2, 3)]), st.integers(0, 5))
def test_any_chunking_gives_those_of_the_whole(cuts, shape, seed):
    whole = rows(100, seed, np.float64, shape=shape)
    found = moments(*np.split(whole, sorted(cuts)))
    assert found.count == 100
    np.testing.assert_allclose(found.mean, whole.mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.std, whole.std(0), rtol=1e-12)


def test_many_rows_are_worked_on_in_blocks():
    whole = rows(50_000, 1)
    found = moments(whole[:17], whole[17:])
    exact = whole.astype(np.float64)
    np.testing.assert_allclose(found.mean, exact.mean(0), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(found.variance, exact.var(0), rtol=1e-12)


def test_what_is_far_from_zero_loses_no_digits():
    whole = 1e9 + np.random.default_rng(0).standard_normal((10_000, 1))
    found = moments(*np.split(whole, 10))
    np.testing.assert_allclose(found.variance, (whole - 1e9).var(0), rtol=1e-6)


@pytest.mark.parametrize("value", [0.1, 1e-30, -1e30, 12345.678])
def test_a_constant_has_no_deviation_and_is_its_mean(value):
    found = moments(np.full((7, 2), value), np.full((1000, 2), value))
    assert (found.mean == value).all() and (found.std == 0).all()


def test_complex_numbers():
    whole = rows(50, 0, np.complex128) * (1 + 2j) + 1j * rows(50, 1, np.float64)
    found = moments(whole[:9], whole[9:])
    np.testing.assert_allclose(found.mean, whole.mean(0))
    np.testing.assert_allclose(found.variance, whole.var(0))


def test_two_halves_merge():
    whole = rows(30, 3, np.float64)
    left, right = moments(whole[:10]), moments(whole[10:])
    left.merge(right)
    left.merge(Moments())
    np.testing.assert_allclose(left.std, whole.std(0))
    empty = Moments()
    empty.merge(left)
    assert empty.count == 30
    with pytest.raises(RaggedCorpus, match=r"rows of shape \(3,\) cannot follow rows of shape \(4,\)"):
        left.merge(moments(np.zeros((1, 3))))


def test_without_rows_there_is_no_mean():
    with pytest.raises(EmptyCorpus, match="no rows"):
        _ = moments(np.zeros((0, 3))).mean
    with pytest.raises(RaggedCorpus, match="cannot follow"):
        moments(np.zeros((1, 3)), np.zeros((1, 4)))
