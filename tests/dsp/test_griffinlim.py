"""Sound from magnitudes: how close it comes, and what it must not do."""

import numpy as np
import pytest

from zounds_lite.dsp import frames, griffin_lim, hann, phases_of_peaks, rfft, spectral_convergence, vorbis
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.testing.contracts.checks import allocated

SR = 11025
T = np.arange(2 * SR) / SR
CHORD = sum(np.sin(2 * np.pi * f * k * T) * 0.7**k for f in (220, 277.18, 329.63) for k in range(1, 8)) / 6
GLIDE = np.sin(2 * np.pi * (300 * T + 200 * T**2)) * (1 - T / 3)
NOISE = np.random.default_rng(0).normal(size=2 * SR) * 0.1


def magnitudes(x, window, hop, n_fft=None, count=None):
    return np.abs(rfft(frames(x, len(window), hop)[:count] * window.astype(x.dtype), n=n_fft))


def error_db(wanted, window, hop, n_fft=None, **options):
    found = griffin_lim(wanted, hop, window, n_fft=n_fft, **options)
    return 20 * np.log10(spectral_convergence(magnitudes(found, window, hop, n_fft, len(wanted)), wanted))


@pytest.mark.parametrize(("x", "bar"), [(CHORD, -25), (GLIDE, -20), (NOISE, -17)])
@pytest.mark.parametrize(("window", "hop", "n_fft"), [(hann(1024), 256, None), (vorbis(743), 180, 1000)])
def test_it_comes_close(x, bar, window, hop, n_fft):
    wanted = magnitudes(x, window, hop, n_fft)
    assert error_db(wanted, window, hop, n_fft) < bar
    assert error_db(wanted, window, hop, n_fft, start="random") < -17


def test_more_rounds_momentum_and_peaks_each_bring_it_closer():
    window, hop = hann(1024), 256
    wanted = magnitudes(CHORD, window, hop)
    random = {n: error_db(wanted, window, hop, n_iter=n, start="random") for n in (0, 8, 32)}
    assert random[32] < random[8] - 3 < random[0] - 6
    assert random[32] < error_db(wanted, window, hop, momentum=0, start="random") - 3
    assert error_db(wanted, window, hop) < random[32] - 3


def test_each_round_of_the_old_method_comes_closer():
    """Griffin and Lim proved that its error never grows, with the windows of least squares."""
    window, hop = vorbis(512), 128
    wanted = magnitudes(NOISE[:5000], window, hop)
    errors = [error_db(wanted, window, hop, n_iter=n, momentum=0, start="random") for n in range(0, 12, 2)]
    assert errors == sorted(errors, reverse=True)


def test_as_close_as_librosa():
    librosa = pytest.importorskip("librosa")
    window, hop = hann(1024, periodic=True), 256
    for x in (CHORD, GLIDE, NOISE):
        wanted = np.abs(librosa.stft(x, n_fft=1024, hop_length=hop))
        theirs = librosa.griffinlim(wanted, hop_length=hop, random_state=0, length=len(x))
        again = np.abs(librosa.stft(theirs, n_fft=1024, hop_length=hop))
        ours = error_db(wanted.T / 32, window, hop)
        assert ours < 20 * np.log10(spectral_convergence(again, wanted)) + 0.5


def test_phases_of_a_steady_tone_are_right():
    window, hop = hann(512, periodic=False), 128
    x = np.cos(2 * np.pi * 0.1234 * np.arange(6000) + 1)
    spectra = rfft(frames(x, 512, hop)[:40] * window)
    guess = phases_of_peaks(np.abs(spectra), hop, 512, 512)
    peak = round(0.1234 * 512)
    for k in range(peak - 1, peak + 2):
        off = np.angle(np.exp(1j * (guess[:, k] - np.angle(spectra[:, k]))))
        # the guess does not know the first phase, and finds the frequency to a small part of a bin
        assert np.abs(np.angle(np.exp(1j * np.diff(off)))).max() < 0.1
    beside = np.angle(
        np.exp(1j * (guess[5, peak] - guess[5, peak + 1] - np.angle(spectra[5, peak] / spectra[5, peak + 1])))
    )
    assert abs(beside) < 0.01


def test_a_seed_decides_and_nothing_else():
    window = hann(256)
    wanted = magnitudes(NOISE[:4000], window, 64)
    one, same = (griffin_lim(wanted, 64, window, start="random", rng=3, n_iter=4) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - griffin_lim(wanted, 64, window, start="random", rng=4, n_iter=4)).max() > 1e-3
    given = griffin_lim(wanted, 64, window, start="random", rng=np.random.default_rng(3), n_iter=4)
    np.testing.assert_array_equal(one, given)
    np.testing.assert_array_equal(*(griffin_lim(wanted, 64, window, rng=3, n_iter=4) for _ in range(2)))
    assert np.abs(phases_of_peaks(wanted, 64, 256, 256, 1) - phases_of_peaks(wanted, 64, 256, 256, 2)).max() > 1


@pytest.mark.parametrize("start", ["peaks", "random"])
def test_channels_and_dtypes(start):
    window = hann(256)
    wanted = np.stack([magnitudes(x[:4000], window, 64) for x in (CHORD, NOISE)], axis=2).astype(np.float32)
    kept = wanted.copy()
    found = griffin_lim(wanted, 64, window, n_iter=16, start=start)
    assert found.shape == (64 * (len(wanted) - 1) + 256, 2) and found.dtype == np.float32
    np.testing.assert_array_equal(wanted, kept)
    for i in range(2):
        again = magnitudes(found[:, i], window, 64, count=len(wanted))
        assert spectral_convergence(again, wanted[:, :, i]) < 0.2
    assert griffin_lim(np.ones((3, 129), int), 64, window).dtype == np.float64


@pytest.mark.parametrize(("start", "dtype"), [("peaks", np.float32), ("random", np.float32), ("peaks", np.float64)])
def test_memory_is_what_is_stated(start, dtype):
    wanted = np.random.default_rng(0).uniform(size=(2000, 513)).astype(dtype)
    _, held = allocated(lambda: griffin_lim(wanted, 256, hann(1024), n_iter=1, start=start))
    spectra, sound = 4 * wanted.nbytes, 2 * (1999 * 256 + 1024) * wanted.itemsize
    assert held < 1.2 * (spectra + sound)  # and a few blocks


def test_silence_and_nothing():
    window = hann(64)
    for start in ("peaks", "random"):
        assert not griffin_lim(np.zeros((5, 33)), 16, window, start=start).any()
    assert griffin_lim(np.zeros((0, 33, 2), np.float32), 16, window).shape == (0, 2)
    assert np.isfinite(griffin_lim(np.ones((4, 33)), 100, window)).all()  # gaps between frames
    assert griffin_lim(np.ones((2, 1)), 1, np.ones(1)).shape == (2,)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_stays_in_its_frames(value):
    window = hann(64)
    wanted = magnitudes(NOISE[:640], window, 16)
    wanted[20, 3] = value
    found = griffin_lim(wanted, 16, window)
    assert np.flatnonzero(np.isnan(found)).tolist() == list(range(320, 384))


def test_spectral_convergence():
    assert spectral_convergence(np.array([3.0, 0.0]), np.array([3.0, 4.0])) == 0.8
    assert spectral_convergence(np.zeros(2), np.zeros(2)) == 0
    assert spectral_convergence(np.ones(2), np.zeros(2)) == np.inf


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"magnitude": np.ones(33)}, DimensionError, "frames, bins"),
        ({"magnitude": -np.ones((5, 33))}, DeclarationError, "db_to_amplitude"),
        ({"magnitude": 1j * np.ones((5, 33))}, DeclarationError, r"np\.abs"),
        ({"magnitude": np.ones((5, 32))}, DimensionError, "32 bins"),
        ({"n_fft": 63}, DimensionError, "n_fft=63"),
        ({"synthesis": np.ones(63)}, DimensionError, "as many in both"),
        ({"hop": 0}, DeclarationError, "hop=0"),
        ({"n_iter": -1}, DeclarationError, "n_iter=-1"),
        ({"momentum": 1.0}, DeclarationError, r"momentum=1\.0"),
        ({"start": "zero"}, DeclarationError, "start='zero'"),
    ],
)
def test_bad_arguments_are_refused(change, error, message):
    with pytest.raises(error, match=message):
        griffin_lim(**{"magnitude": np.ones((5, 33)), "hop": 16, "analysis": hann(64), **change})
