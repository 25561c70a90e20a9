"""Time stretching and pitch shifting beside librosa's: the same sounds, at the same places and levels, or better."""

import numpy as np
import pytest

from zounds_lite.spectral import pitch_shift, time_stretch
from zounds_lite.timeseries import SR22050, AudioSamples

librosa = pytest.importorskip("librosa")

SR = 22050


def melody(seed=0):
    """Half-second notes of three partials each, from a seed."""
    time = np.arange(SR // 2) / SR
    shape = np.minimum(1, time / 0.02) * np.exp(-4 * time)
    notes = 220 * 2 ** (np.random.default_rng(seed).integers(0, 24, 8) / 12)
    return np.concatenate([shape * sum(np.sin(2 * np.pi * k * hz * time) / k for k in (1, 2, 3)) for hz in notes])


def bands(x):
    """The level of a sound over mel bands and tenths of a second, in dB."""
    spectrum = librosa.feature.melspectrogram(y=np.asarray(x), sr=SR, n_fft=2048, hop_length=SR // 10, n_mels=24)
    return librosa.power_to_db(spectrum, top_db=40)


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
def test_stretched_sound_is_where_librosa_has_it(factor):
    x = melody()
    ours, theirs = (
        np.asarray(time_stretch(AudioSamples(x, SR22050()), factor)),
        librosa.effects.time_stretch(y=x, rate=factor),
    )
    n = min(len(ours), len(theirs))
    assert abs(len(ours) - len(theirs)) <= 1
    assert np.corrcoef(bands(ours[:n]).ravel(), bands(theirs[:n]).ravel())[0, 1] > 0.95


@pytest.mark.parametrize("semitones", [-5, 1, 7])
def test_shifted_sound_is_where_librosa_has_it(semitones):
    x = melody(1)
    ours = np.asarray(pitch_shift(AudioSamples(x, SR22050()), semitones))
    theirs = librosa.effects.pitch_shift(y=x, sr=SR, n_steps=semitones)
    assert ours.shape == theirs.shape
    assert np.corrcoef(bands(ours).ravel(), bands(theirs).ravel())[0, 1] > 0.95


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.25, 2.0])
def test_our_level_is_no_further_from_the_level_of_the_sound(factor):
    x = melody(2)
    ours, theirs = (
        np.asarray(time_stretch(AudioSamples(x, SR22050()), factor)),
        librosa.effects.time_stretch(y=x, rate=factor),
    )
    miss = [abs(np.log(np.std(y) / np.std(x))) for y in (ours, theirs)]
    assert miss[0] < 0.01 and miss[0] <= miss[1] + 1e-3
