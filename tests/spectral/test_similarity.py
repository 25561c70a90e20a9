"""Similarity of frames with units: seconds on both axes, and matrices that fit into memory."""

import numpy as np
import pytest

from zounds_lite import (
    SR11025,
    ArrayWithUnits,
    AudioSamples,
    IdentityDimension,
    Seconds,
    SineSynthesizer,
    TimeDimension,
    TimeSlice,
)
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral import self_similarity, stft


def melody(*pitches):
    synth = SineSynthesizer(SR11025())
    return AudioSamples.concat([synth.synthesize(Seconds(1), [hz]) for hz in pitches])


def test_what_comes_back_is_bright_at_the_seconds_where_it_does():
    matrix = self_similarity(stft(melody(440.0, 1000.0, 440.0)))
    first, second, third = (TimeSlice(Seconds(1), start=Seconds(i)) for i in range(3))
    assert matrix[first, third].mean() > 0.9 and matrix[first, second].mean() < 0.1


def test_both_axes_are_the_axis_of_the_frames():
    spectra = stft(melody(440.0))
    matrix = self_similarity(spectra)
    assert matrix.dimensions == (spectra.dimensions[0],) * 2
    assert matrix.dtype == np.abs(spectra).dtype


@pytest.mark.parametrize(("count", "most", "size"), [(100, 100, 100), (100, 99, 50), (101, 10, 10), (3, 1, 1)])
def test_groups_of_frames_are_averaged_until_the_matrix_is_small_enough(count, most, size):
    values = np.random.default_rng(0).random((count, 4))
    frames = ArrayWithUnits(values, [TimeDimension.windowed(256, 512, 11025), IdentityDimension()])
    matrix = self_similarity(frames, max_frames=most)
    group = -(-count // most)
    means = [values[i : i + group].mean(axis=0) for i in range(0, count, group)]
    np.testing.assert_allclose(matrix, self_similarity(np.array(means)), atol=1e-12)
    assert matrix.shape == (size, size)
    time = matrix.dimensions[0]
    assert (time.hop, time.window) == (256 * group, 256 * group + 256)


def test_frames_with_periods_are_averaged_too_and_arrays_without_units_have_indices():
    frames = ArrayWithUnits(np.ones((10, 2)), [TimeDimension(Seconds(2)), None])
    assert self_similarity(frames, max_frames=5).dimensions[0].frequency == Seconds(4)
    assert self_similarity(np.ones((10, 2, 3)), max_frames=4).dimensions == (IdentityDimension(),) * 2


def test_frames_of_a_second_are_frames():
    frames = ArrayWithUnits(np.ones((10, 2)), [TimeDimension(Seconds(1)), None])
    assert self_similarity(frames).dimensions[0].frequency == Seconds(1)


def test_what_is_no_frame_is_refused():
    with pytest.raises(DimensionError, match=r"stft\(samples\)"):
        self_similarity(melody(440.0))
    with pytest.raises(DimensionError, match="axis"):
        self_similarity(np.float64(1))
    with pytest.raises(DeclarationError, match="max_frames=0"):
        self_similarity(np.ones((2, 2)), max_frames=0)
