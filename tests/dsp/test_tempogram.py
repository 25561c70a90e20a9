"""The tempogram and its tempo against librosa, on beats at known tempi, and on nothing."""

import numpy as np
import pytest

from zounds_lite.dsp import onset_strength, tempogram, tempogram_tempo
from zounds_lite.errors import DeclarationError, DimensionError

FRAMES_PER_S = 22050 / 512


def beats(bpm, frames=1300, seed=0):
    """Rises of two frames at every beat, placed between the frames, in noise."""
    at = np.arange(3.0, frames - 3, 60 * FRAMES_PER_S / bpm)
    x = 0.05 * np.random.default_rng(seed).random(frames)
    for time in at:
        x[int(time)] += 1 - time % 1
        x[int(time) + 1] += time % 1
    return x


@pytest.mark.parametrize("frames", [1, 2, 100, 1300, 2500])
@pytest.mark.parametrize("size", [383, 384])
def test_tempogram_is_librosas(frames, size):
    librosa = pytest.importorskip("librosa")
    x = beats(110, 2500)[:frames]
    wanted = librosa.feature.tempogram(onset_envelope=x, sr=22050, win_length=size).T
    found = tempogram(x, size)
    assert found.shape == (frames, size) and np.allclose(found, wanted, atol=1e-12)


@pytest.mark.parametrize("bpm", [50, 60, 71.3, 90, 107, 128, 155, 200])
def test_tempo_is_librosas_in_whole_lags_and_right_between_them(bpm):
    librosa = pytest.importorskip("librosa")
    x = beats(bpm)
    for start_bpm in (120.0, 60.0):
        wanted = librosa.feature.tempo(onset_envelope=x, sr=22050, start_bpm=start_bpm)[0]
        found = tempogram_tempo(x, FRAMES_PER_S, start_bpm, refined=False)
        assert found == pytest.approx(wanted, rel=1e-9)
    # near the usual tempo it is the beat's own, and not half or double of it
    assert tempogram_tempo(x, FRAMES_PER_S, start_bpm=bpm) == pytest.approx(bpm, rel=0.01)


def test_onset_strength_is_librosas_without_the_zeros_before_it():
    librosa = pytest.importorskip("librosa")
    levels = np.random.default_rng(0).normal(size=(50, 40)) * 20
    wanted = librosa.onset.onset_strength(S=levels.T, center=False)
    assert np.allclose(onset_strength(levels), wanted, atol=1e-12)
    assert onset_strength(levels.astype(np.float32)).dtype == np.float32


def test_nothing_begins():
    for x in (np.zeros(0), np.zeros(1), np.zeros(500), np.ones(500) * 0):
        assert tempogram_tempo(x, FRAMES_PER_S) == 0.0
    assert tempogram(np.zeros(0), 8).shape == (0, 8) and not tempogram(np.zeros(20), 8).any()
    assert onset_strength(np.zeros((0, 4))).shape == (0,) and onset_strength(np.zeros((1, 4))).tolist() == [0.0]
    x = beats(128)
    x[[5, 70]] = np.nan, np.inf
    assert tempogram_tempo(x, FRAMES_PER_S) == pytest.approx(128, rel=0.01)
    assert tempogram_tempo(x, FRAMES_PER_S, max_bpm=1.0) == 0.0


def test_bad_arguments():
    with pytest.raises(DimensionError, match="one value a frame"):
        tempogram(np.zeros((3, 3)), 8)
    with pytest.raises(DeclarationError, match="size=0"):
        tempogram(np.zeros(3), 0)
    with pytest.raises(DeclarationError, match="take magnitudes"):
        tempogram_tempo(np.zeros(30, complex), FRAMES_PER_S)
    for bad in ({"start_bpm": 0}, {"std_octaves": -1.0}, {"max_bpm": 0}, {"window_s": 0}):
        with pytest.raises(DeclarationError, match="allowed: above 0"):
            tempogram_tempo(np.zeros(30), FRAMES_PER_S, **bad)
    with pytest.raises(DimensionError, match="frames of bands"):
        onset_strength(np.zeros(4))
    with pytest.raises(DeclarationError, match="take decibels"):
        onset_strength(np.zeros((4, 2), complex))
