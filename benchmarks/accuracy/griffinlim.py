"""Sound from magnitudes: how close its spectra come to those that were asked for, beside librosa on the same input."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_most
from zounds_lite.dsp import frames, griffin_lim, hann, rfft, slaney_mel_matrix, spectral_convergence
from zounds_lite.dsp.nonnegative import nonnegative_least_squares

SR, N_FFT, HOP = 22050, 2048, 512
MUSIC = Path(__file__).parents[3] / "shared" / "data" / "music"

_BAR_DB = -20.0
"""A tenth of the spectrum's norm is wrong: what the method of 1984 does not reach in 32 rounds on these sounds."""

_BESIDE_DB = 1.0
"""How far ours may be behind the mean of two of librosa's: its seeds differ by more than that on speech."""


def _sounds() -> dict[str, np.ndarray]:
    t = np.arange(3 * SR) / SR
    chord = sum(np.sin(2 * np.pi * hz * k * t) * 0.8**k for hz in (220.0, 277.18, 329.63) for k in range(1, 12))
    turns = np.cumsum(130 * (1 + 0.03 * np.sin(2 * np.pi * 5 * t)) * (1 + t / 10)) / SR
    formants = [(k, np.exp(-(((130 * k - 700) / 900) ** 2)) + 0.1 * np.exp(-(((130 * k - 2300) / 500) ** 2)))
                for k in range(1, 40)]  # fmt: skip
    sounds = {
        "a chord that fades": np.asarray(chord) * np.minimum(1, 20 * t) * np.exp(-0.8 * t) / 8,
        "a voice with vibrato": np.sum([level * np.sin(2 * np.pi * k * turns) for k, level in formants], axis=0) / 8,
    }
    for path in sorted(MUSIC.glob("*.ogg"))[:4]:
        whole = zounds.AudioSamples.from_file(path.open("rb")).mono
        resampled = zounds.Resampler(zounds.SR22050()).run([whole[zounds.TimeSlice(zounds.Seconds(5))]])
        sounds[path.name[:24]] = np.concatenate([np.asarray(part) for part in resampled]).astype(np.float64)
    return sounds


def _error_db(found: np.ndarray, wanted: np.ndarray) -> float:
    window = hann(N_FFT, periodic=True)
    return 20 * np.log10(spectral_convergence(np.abs(rfft(frames(found, N_FFT, HOP)[: len(wanted)] * window)), wanted))


def _librosa_db(wanted: np.ndarray, length: int, seed: int) -> float:
    import librosa

    magnitude = wanted.T * np.sqrt(N_FFT)
    sound = librosa.griffinlim(magnitude, n_iter=32, hop_length=HOP, random_state=seed, length=length)
    found = np.abs(librosa.stft(sound, n_fft=N_FFT, hop_length=HOP)).T / np.sqrt(N_FFT)
    return 20 * np.log10(spectral_convergence(found, wanted))


def rows() -> Iterator[Row]:
    """Spectral convergence after 32 rounds at 75 % overlap; then the bands of magnitudes found from mel bands."""
    import librosa

    window = hann(N_FFT, periodic=True)
    for name, x in _sounds().items():
        wanted = np.abs(librosa.stft(x, n_fft=N_FFT, hop_length=HOP)).T / np.sqrt(N_FFT)
        what = f"Griffin-Lim, 32 rounds, {name}"
        if name.startswith("a "):
            for dtype in (np.float32, np.float64):
                found = griffin_lim(wanted.astype(dtype), HOP, window)
                yield at_most(f"{what}, {np.dtype(dtype).name}", _error_db(found, wanted), _BAR_DB, "dB")
        beside = np.mean([_librosa_db(wanted, len(x), seed) for seed in (0, 1)])
        ours = _error_db(griffin_lim(wanted, HOP, window), wanted)
        yield at_most(f"{what}, beside librosa's {beside:.1f} dB", ours, round(beside + _BESIDE_DB, 1), "dB")
    yield from _mel_rows()


def _mel_rows() -> Iterator[Row]:
    import librosa

    x = _sounds()["a voice with vibrato"]
    power = np.abs(rfft(frames(x, N_FFT, HOP) * hann(N_FFT, periodic=True))) ** 2 * N_FFT
    for n_bands in (40, 128):
        matrix = slaney_mel_matrix(SR, N_FFT, n_bands)
        mel = power @ matrix.T
        ours = spectral_convergence(nonnegative_least_squares(matrix, mel) @ matrix.T, mel)
        theirs = librosa.feature.inverse.mel_to_stft(mel.T, sr=SR, n_fft=N_FFT, power=1.0).T
        beside = spectral_convergence(theirs @ matrix.T, mel)
        what = f"magnitudes from {n_bands} mel bands, their bands"
        yield at_most(f"{what}: beside librosa's {beside:.2g}", ours, min(1e-2, beside))
