"""Slices between onsets: where they lie, where the last one ends, and when they are known."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import zounds_lite as zounds
from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.segment import SliceStream

RATE = 1000
AXIS = zounds.TimeDimension.windowed(hop=100, window=200, rate=RATE)


def edges(slices):
    """The ends of slices that follow each other, in seconds."""
    starts = [ts.start_ps / 1e12 for ts in slices]
    stops = [ts.stop_ps / 1e12 for ts in slices]
    assert starts[1:] == stops[:-1]
    return [*starts, stops[-1]]


def found(at, count=40, n_samples=3950, **arguments):
    stream = SliceStream(AXIS, AXIS, **arguments)
    peaks = np.isin(np.arange(count), at)
    return edges(stream.push(peaks) + stream.finish(n_samples))


def test_an_onset_lies_in_the_middle_of_its_frame():
    assert found([5, 20]) == [0, 0.6, 2.1, 3.95]


def test_frames_that_reach_before_the_signal():
    assert found([5, 20], padding=150) == [0, 0.45, 1.95, 3.95]


def test_nothing_begins_within_a_frame_of_the_start():
    assert found([0, 1]) == [0, 3.95]
    assert found([2]) == [0, 0.3, 3.95]


def test_nothing_begins_after_the_end():
    assert found([37, 39]) == [0, 3.8, 3.95]


def test_onsets_that_are_near_each_other_are_one():
    assert found([5, 7, 9, 20]) == [0, 0.6, 0.8, 1.0, 2.1, 3.95]
    assert found([5, 7, 9, 20], spacing=zounds.Milliseconds(250)) == [0, 0.6, 1.0, 2.1, 3.95]
    assert found([5, 20], spacing=zounds.Seconds(1)) == [0, 2.1, 3.95]


def test_without_onsets_there_is_one_slice():
    assert found([]) == [0, 3.95]
    assert found([], count=1, n_samples=3) == [0, 0.003]


def test_without_windows_there_is_none():
    assert SliceStream(AXIS, AXIS).finish(0) == []


def test_where_the_end_is_unknown_it_is_that_of_the_last_frame():
    assert found([5], n_samples=None) == [0, 0.6, 4.1]


def test_axes_without_a_sample_rate():
    axis = zounds.TimeDimension(zounds.Milliseconds(1500), zounds.Seconds(3))
    stream = SliceStream(axis, axis)
    assert edges(stream.push(np.isin(np.arange(9), [4])) + stream.finish()) == [0, 7.5, 15]


def test_ends_are_exact_where_no_picosecond_is():
    axis = zounds.TimeDimension.windowed(hop=1, window=1, rate=44100)
    stream = SliceStream(axis, axis)
    (last,) = stream.push(np.zeros(10, bool)) + stream.finish(3600 * 44100)
    assert last.end == zounds.Seconds(3600)


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, 40), max_size=5))
def test_any_chunks_give_the_same_slices_and_early(seed, cuts):
    peaks = np.random.default_rng(seed).random(40) < 0.3
    whole = SliceStream(AXIS, AXIS)
    wanted = whole.push(peaks) + whole.finish(3950)
    stream, slices = SliceStream(AXIS, AXIS), []
    for part in np.split(peaks, sorted(cuts)):
        slices += stream.push(part)
    assert len(slices) >= len(wanted) - 1 - peaks[-6:].sum()
    assert slices + stream.finish(3950) == wanted


# the node


def windows(values, padwith=5, padend=5, n_samples=None):
    time = AXIS if n_samples is None else AXIS.replace(n_samples=n_samples, padding=0)
    values = ArrayWithUnits(np.asarray(values, float), [time])
    scheme = zounds.SampleRate(AXIS.frequency, AXIS.frequency * 11)
    return list(zounds.SlidingWindow(scheme, padwith=padwith, padend=padend).run([values]))


def picked(chunks, **arguments):
    node = zounds.MovingAveragePeakPicker(**arguments)
    slices = [ts for series in node.run(chunks) for ts in series.slices]
    return edges(slices), node.marks


def bumps(*at, count=40):
    return np.isin(np.arange(count), at).astype(float)


def test_the_slices_end_where_the_file_does():
    assert picked(windows(bumps(5, 20), n_samples=3950)) == ([0, 0.6, 2.1, 3.95], [])


def test_the_last_values_count_with_padding_at_the_end_alone():
    x = bumps(5, 20, 37)
    assert picked(windows(x, n_samples=3950))[0] == [0, 0.6, 2.1, 3.8, 3.95]
    assert picked(windows(x, padend=0, n_samples=3950))[0] == [0, 0.6, 2.1, 3.95]


def test_slices_beside_the_sound_are_noted():
    _, marks = picked(windows(bumps(5), padwith=4, n_samples=3950))
    assert [mark["kind"] for mark in marks] == ["shifted"]
    assert "-100 samples late" in marks[0]["message"]


def test_steady_noise_begins_once():
    x = 1 + 0.05 * np.random.default_rng(0).normal(size=40)
    assert picked(windows(x, n_samples=3950), factor=1.5)[0] == [0, 3.95]


def test_windows_of_values_at_moments_are_needed():
    spectra = zounds.spectral.stft(zounds.SilenceSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(1)))
    with pytest.raises(DimensionError, match="windows of a detection function"):
        picked([spectra])
    with pytest.raises(DimensionError, match="3 or more values"):
        picked([ArrayWithUnits(np.zeros((9, 2)), [AXIS, AXIS])])


def test_arguments_are_checked():
    with pytest.raises(DeclarationError, match="spacing=3"):
        zounds.MovingAveragePeakPicker(spacing=3)
    with pytest.raises(DeclarationError, match="such as np.mean"):
        zounds.MovingAveragePeakPicker(aggregate="mean")
    with pytest.raises(DeclarationError, match="padding=-1"):
        zounds.MovingAveragePeakPicker(padding=-1)
