"""Tempo: exact between the frames, of any number a second; and where there is none."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from zounds_lite.dsp import tempo
from zounds_lite.errors import DeclarationError, DimensionError


def pulses(bpm, frames_per_s, seconds=12.0, width=1.5, at=0.3):
    """Smooth pulses at exact times, whatever the frames."""
    k = np.arange(round(seconds * frames_per_s))
    period = 60 / bpm * frames_per_s
    times = np.arange(at, seconds * frames_per_s, period)
    return np.exp(-0.5 * ((k[:, np.newaxis] - times) / width) ** 2).sum(axis=1)


@settings(max_examples=40)
@given(st.floats(60, 180), st.sampled_from([21.5, 43.07, 86.1, 172.3]), st.floats(0, 10))
def test_any_tempo_between_the_frames(bpm, frames_per_s, at):
    assert tempo(pulses(bpm, frames_per_s, at=at), frames_per_s) == pytest.approx(bpm, rel=2e-3)


def test_weak_beats_between_do_not_double_it():
    beats = pulses(90, 43) + 0.25 * pulses(90, 43, at=0.3 + 43 * 60 / 90 / 2)
    assert tempo(beats, 43) == pytest.approx(90, rel=2e-3)


def test_the_prior_can_be_moved():
    both = pulses(160, 43) + 0.5 * pulses(80, 43)
    slow, fast = (tempo(both, 43, start_bpm=start, std_octaves=0.3) for start in (70, 170))
    assert (slow, fast) == (pytest.approx(80, rel=5e-3), pytest.approx(160, rel=5e-3))


def test_bounds_are_kept():
    both = pulses(200, 86) + pulses(100, 86)
    assert tempo(both, 86, max_bpm=150) == pytest.approx(100, rel=5e-3)
    assert tempo(both, 86, min_bpm=150) == pytest.approx(200, rel=5e-3)


def test_level_and_offset_do_not_matter():
    x = pulses(100, 43)
    assert tempo(7 + 1e-3 * x, 43) == pytest.approx(tempo(x, 43), rel=1e-6)
    assert tempo(x.astype(np.float32), 43) == pytest.approx(tempo(x, 43), rel=1e-4)
    assert tempo((1000 * x).astype(int), 43) == pytest.approx(tempo(x, 43), rel=1e-3)


def test_gaps_of_nan_are_left_out():
    x = pulses(100, 43)
    x[200:210] = np.nan
    assert tempo(x, 43) == pytest.approx(100, rel=2e-3)


@pytest.mark.parametrize("x", [np.zeros(0), np.zeros(1), np.zeros(500), np.full(500, 0.1), np.full(9, np.nan), [1, 2]])
def test_no_beat_is_zero(x):
    assert tempo(np.asarray(x, float), 43.0) == 0.0


def test_arguments_are_checked():
    for arguments in ({"std_octaves": 0}, {"start_bpm": -1}, {"min_bpm": 200, "max_bpm": 100}, {"min_bpm": 0}):
        with pytest.raises(DeclarationError, match="allowed: above 0"):
            tempo(np.zeros(10), 43, **arguments)
    with pytest.raises(DeclarationError, match="frames_per_s=0"):
        tempo(np.zeros(10), 0)
    with pytest.raises(DimensionError, match="one value a frame"):
        tempo(np.zeros((3, 3)), 43)
    with pytest.raises(DeclarationError, match="take magnitudes"):
        tempo(np.zeros(5, complex), 43)
