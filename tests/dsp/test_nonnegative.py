"""Non-negative least squares against scipy's exact solver."""

import numpy as np
import pytest
from scipy.optimize import nnls

from zounds_lite.dsp import nonnegative_least_squares, slaney_mel_matrix
from zounds_lite.errors import DeclarationError, DimensionError

RNG = np.random.default_rng(0)


def test_a_unique_answer_is_found():
    matrix = RNG.normal(size=(30, 6))
    values = RNG.normal(size=(5, 30))
    wanted = [nnls(matrix, row)[0] for row in values]
    np.testing.assert_allclose(nonnegative_least_squares(matrix, values, 2000), wanted, atol=1e-8)


def test_bands_are_met_without_negative_numbers():
    matrix = slaney_mel_matrix(22050, 1024, 64)
    power = RNG.chisquare(2, (20, 513))
    bands = power @ matrix.T
    errors = []
    for n_iter in (0, 16, 64, 256):
        found = nonnegative_least_squares(matrix, bands, n_iter)
        assert (found >= 0).all()
        errors.append(np.linalg.norm(found @ matrix.T - bands) / np.linalg.norm(bands))
    assert errors == sorted(errors, reverse=True) and errors[2] < 1e-3


def test_vectors_are_worked_on_each_by_itself():
    matrix, values = RNG.uniform(size=(3, 8)), RNG.uniform(size=(2, 5, 3))
    kept = values.copy()
    found = nonnegative_least_squares(matrix, values)
    assert found.shape == (2, 5, 8)
    np.testing.assert_array_equal(values, kept)
    np.testing.assert_allclose(found[1, 2], nonnegative_least_squares(matrix, values[1, 2]), rtol=1e-9, atol=1e-12)
    values[0, 3, 1] = np.nan
    bad = np.isnan(nonnegative_least_squares(matrix, values)).any(axis=-1)
    assert np.argwhere(bad).tolist() == [[0, 3]]


def test_dtypes_silence_and_nothing():
    matrix = np.eye(2, 3)
    assert nonnegative_least_squares(matrix, np.ones((1, 2), np.float32)).dtype == np.float32
    assert nonnegative_least_squares(matrix, np.ones((1, 2), int)).dtype == np.float64
    assert not nonnegative_least_squares(matrix, np.zeros((4, 2))).any()
    assert not nonnegative_least_squares(np.zeros((2, 3)), np.ones((4, 2))).any()
    assert nonnegative_least_squares(matrix, np.zeros((0, 2))).shape == (0, 3)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((np.eye(2), np.ones(3)), DimensionError, "bands differ"),
        ((np.ones(2), np.ones(2)), DimensionError, r"shape \(2,\)"),
        ((np.eye(2), np.ones(2), -1), DeclarationError, "n_iter=-1"),
        ((np.eye(2) * np.nan, np.ones(2)), DeclarationError, "finite"),
        ((np.eye(2), np.ones(2) * 1j), DeclarationError, r"np\.abs"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        nonnegative_least_squares(*arguments)
