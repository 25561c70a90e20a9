"""Amplitudes counted over time, against numpy's own histograms."""

import numpy as np
import pytest

from zounds_lite import SR8000, AudioSamples, IdentityDimension, Seconds, TimeSlice
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.visualization import amplitude_histogram

RNG = np.random.default_rng(1)


def plain(samples, n_frames, n_bins, value_range):
    columns = [np.histogram(part, n_bins, value_range)[0] for part in np.array_split(samples, n_frames)]
    return np.array([column / max(1, column.max()) for column in columns]).T


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), None, (0.0, 0.5)])
@pytest.mark.parametrize(("size", "n_frames", "n_bins"), [(8000, 1000, 100), (8123, 100, 7), (50, 7, 3)])
def test_each_column_is_the_histogram_of_its_stretch(size, n_frames, n_bins, value_range):
    samples = RNG.uniform(-1, 1, size).astype(np.float32)
    found = amplitude_histogram(samples, n_frames, n_bins, value_range)
    np.testing.assert_array_equal(found, plain(samples, n_frames, n_bins, value_range))


def test_by_default_rows_mean_the_same_amplitude_everywhere():
    found = amplitude_histogram(np.repeat([0.0, 0.995], 4000))
    assert found.shape == (100, 1000)
    assert (found[50, :500] == 1).all() and (found[99, 500:] == 1).all() and found.sum() == 1000


def test_channels_are_averaged_and_seconds_are_kept():
    samples = AudioSamples(np.stack([np.full(16000, 0.8), np.full(16000, -0.2)], axis=1), SR8000())
    found = amplitude_histogram(samples, 20, 10)
    assert found[6].sum() == 20 and found.dimensions[0] == IdentityDimension()
    assert found[:, TimeSlice(Seconds(1))].shape == (10, 10)


def test_a_few_samples_fill_the_whole_width():
    found = amplitude_histogram(np.array([-0.9, 0.9]), 6, 2)
    np.testing.assert_array_equal(found, [[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]])
    assert amplitude_histogram(np.array([0.0])).sum() == 1000


def test_what_is_outside_or_not_a_number_is_counted_nowhere():
    stereo = np.array([[np.inf, -np.inf], [np.nan, 0.0], [3.0, 3.0], [0.1, 0.1]])
    np.testing.assert_array_equal(amplitude_histogram(stereo, 4, 1), [[0, 0, 0, 1]])
    assert (amplitude_histogram(np.full(10, np.nan), 3, 4, None) == 0).all()


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((np.zeros(0),), DimensionError, "at least one"),
        ((np.zeros((2, 2, 2)),), DimensionError, "channels"),
        ((np.zeros(4, complex),), DeclarationError, "real"),
        ((np.zeros(4), 0), DeclarationError, "n_frames=0"),
        ((np.zeros(4), 1, 0), DeclarationError, "n_bins=0"),
        ((np.zeros(4), 1, 1, (1.0, 1.0)), DeclarationError, "rising"),
    ],
)
def test_bad_arguments_are_refused(arguments, error, match):
    with pytest.raises(error, match=match):
        amplitude_histogram(*arguments)
