"""How alike frames are: known angles and distances, and what a matrix of all sizes must be."""

import numpy as np
import pytest

from zounds_lite import dsp
from zounds_lite.errors import DeclarationError, DimensionError

RNG = np.random.default_rng(3)


def plain(rows, measure, sigma=None):
    """The definitions, pair by pair."""
    out = np.eye(len(rows))
    for i, a in enumerate(rows):
        for j, b in enumerate(rows):
            if measure == "cosine":
                out[i, j] = a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            else:
                out[i, j] = np.exp(-np.sum((a - b) ** 2) / (2 * sigma**2))
    return out


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("measure", "sigma"), [("cosine", None), ("gaussian", 2.5)])
def test_the_matrix_follows_the_definition(dtype, measure, sigma):
    rows = RNG.standard_normal((40, 7)).astype(dtype)
    found = dsp.self_similarity(rows, measure, sigma)
    assert found.dtype == dtype
    np.testing.assert_allclose(
        found, plain(rows.astype(float), measure, sigma), atol=1e-6 if dtype == np.float32 else 1e-13
    )


@pytest.mark.parametrize("count", [0, 1, 2, 511, 512, 513, 1100])
@pytest.mark.parametrize("measure", ["cosine", "gaussian"])
def test_it_is_symmetric_with_ones_on_the_diagonal_for_every_size(count, measure):
    rows = RNG.random((count, 5)).astype(np.float32)
    found = dsp.self_similarity(rows, measure)
    assert found.shape == (count, count)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.diag(found), np.ones(count, np.float32))
    assert not count or 0 <= found.min() <= found.max() <= 1


@pytest.mark.parametrize("measure", ["cosine", "gaussian"])
def test_silence_is_like_itself_alone(measure):
    found = dsp.self_similarity(np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0]]), measure)
    assert found[0, 2] == 1 and found[0, 1] < 0.7
    assert (dsp.self_similarity(np.zeros((3, 4)), measure) == 1).all()


@pytest.mark.parametrize("level", [1e-30, 1.0, 1e30])
def test_the_level_changes_no_cosine_and_only_the_chosen_width(level):
    rows = RNG.random((6, 3)).astype(np.float32)
    for measure in ("cosine", "gaussian"):
        expected = dsp.self_similarity(rows, measure)
        np.testing.assert_allclose(dsp.self_similarity(rows * np.float32(level), measure), expected, atol=1e-5)


def test_a_gaussian_of_any_width_stays_finite():
    rows = np.array([[0.0], [1.0]])
    for sigma, expected in ((1e-300, 0.0), (1e300, 1.0)):
        assert dsp.self_similarity(rows, "gaussian", sigma)[0, 1] == expected


def test_the_usual_width_is_the_median_distance():
    rows = np.array([[0.0], [0.0], [3.0], [3.0]])  # distances 0 and 3
    assert dsp.self_similarity(rows, "gaussian")[0, 2] == pytest.approx(np.exp(-0.5))


def test_complex_frames_count_by_magnitude_and_integers_as_numbers():
    rows = RNG.standard_normal((5, 4)) + 1j * RNG.standard_normal((5, 4))
    np.testing.assert_array_equal(dsp.self_similarity(rows), dsp.self_similarity(np.abs(rows)))
    assert dsp.self_similarity(np.array([[-128, 0], [0, 127]], np.int8))[0, 1] == 0


def test_what_is_not_a_number_stays_where_it_is_and_the_input_as_it_was():
    rows = RNG.random((4, 3))
    rows[1, 2], rows[2, 0] = np.nan, np.inf
    before = rows.copy()
    for measure in ("cosine", "gaussian"):
        found = dsp.self_similarity(rows, measure)
        assert np.isnan(found[1:3]).all() and np.isnan(found[:, 1:3]).all()
        assert np.isfinite(found[np.ix_([0, 3], [0, 3])]).all()
    np.testing.assert_array_equal(rows, before)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((1.0,), DimensionError, "axis"),
        (([[1.0]], "euclid"), DeclarationError, "cosine.*gaussian"),
        (([[1.0]], "cosine", 1.0), DeclarationError, "only for"),
        (([[1.0]], "gaussian", 0.0), DeclarationError, "above 0"),
        (([[1.0]], "gaussian", np.nan), DeclarationError, "above 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        dsp.self_similarity(*arguments)
