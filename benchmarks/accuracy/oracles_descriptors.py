"""Bands, levels, cepstra, descriptors and chroma against librosa and SciPy."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_most
from zounds_lite import spectral
from zounds_lite.dsp import a_weighting_db, power_to_db
from zounds_lite.spectral import EllisChromaScale, FrequencyBand, SlaneyMelScale

RATE = zounds.SR22050()
SR, N, HOP = 22050, 2048, 512
MUSIC = Path(__file__).parents[2] / "shared" / "data" / "music"
MEL = SlaneyMelScale(FrequencyBand(0, SR / 2), 128)


def _signal() -> np.ndarray:
    """Ten seconds of a recording if there is one, else tones that fade into noise; then a second of silence."""
    path = next(iter(sorted(MUSIC.glob("*trumpet*"))), None)
    if path is not None:
        sound = zounds.AudioSamples.from_file(str(path)).mono
        resampled = zounds.ArrayWithUnits.concat(list(zounds.Resampler(RATE).run([sound])))
        x = np.asarray(resampled, np.float64)[: 10 * SR]
    else:
        t = np.arange(5 * SR) / SR
        x = sum(np.sin(2 * np.pi * hz * t) for hz in (220.0, 277.2, 329.6)) * np.exp(-2 * t)
        x = x + np.random.default_rng(0).normal(size=len(t)) * t * 0.1
    return np.concatenate([x, np.zeros(SR)])


def _relative(found: Any, wanted: Any) -> float:
    """The largest difference, as a part of the oracle's largest value."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    return float(np.abs(found - wanted).max() / np.abs(wanted).max()) if found.shape == wanted.shape else np.nan


def _each(found: Any, wanted: Any) -> float:
    """The largest difference of a number, as a part of that number."""
    found, wanted = np.asarray(found, np.float64), np.asarray(wanted, np.float64)
    if found.shape != wanted.shape:
        return np.nan
    return float((np.abs(found - wanted) / np.maximum(np.abs(wanted), 1e-12 * np.abs(wanted).max())).max())


def rows() -> Iterator[Row]:
    """Relative differences in float64; decibels in float32 over a range of 80 dB."""
    import librosa

    x = _signal()
    count = 1 + (len(x) - N) // HOP
    window = zounds.HanningWindowingFunc(periodic=True)
    tf, single = (
        spectral.stft(zounds.AudioSamples(x.astype(dtype), RATE), RATE.windowing_scheme(N, HOP), window)[:count]
        for dtype in (np.float64, np.float32)
    )
    # the oracle's transform in double precision, not scaled
    magnitude = np.abs(librosa.stft(x, n_fft=N, hop_length=HOP, center=False, dtype=np.complex128))
    bank = librosa.filters.mel(sr=SR, n_fft=N, dtype=np.float64)
    yield from _of_bands(librosa, tf, single, magnitude, bank)
    yield from _of_frames(librosa, tf, magnitude)
    yield from _of_samples(librosa, x, count)


def _of_bands(librosa: Any, tf: Any, single: Any, magnitude: np.ndarray, bank: np.ndarray) -> Iterator[Row]:
    power = (bank @ magnitude**2).T
    mel, mel_single = spectral.mel_bands(tf, MEL), spectral.mel_bands(single, MEL)
    yield at_most("mel bands vs librosa, float64", _relative(mel, power), 1e-5)
    yield at_most("mel bands vs librosa, float64, each value", _each(mel, power), 1e-5)
    level = librosa.power_to_db(power)
    yield at_most("power_to_db vs librosa, float64", _each(power_to_db(power), level), 1e-5)
    worst = float(np.abs(power_to_db(np.asarray(mel_single)) - level).max())
    yield at_most("log-mel vs librosa, float32, top_db 80", worst, 1e-3, "dB")
    hz = np.geomspace(10, 20_000, 1000)
    worst = float(np.abs(a_weighting_db(hz) - librosa.A_weighting(hz)).max())
    yield at_most("A-weighting vs librosa", worst, 1e-3, "dB")
    with np.errstate(divide="ignore"):
        gain = 10 ** (librosa.A_weighting(np.arange(N // 2 + 1) * SR / N) / 20)
    scale = tf.dimensions[1].scale
    yield at_most("AWeighting(gain=True) vs librosa", _each(spectral.AWeighting(gain=True).weights(scale), gain), 1e-5)
    for n_coeffs, lifter in ((20, 0), (13, 22)):
        wanted = librosa.feature.mfcc(S=level.T, n_mfcc=n_coeffs, lifter=lifter).T
        found = spectral.mfcc(mel, n_coeffs, lifter)
        yield at_most(
            f"MFCC vs librosa, {n_coeffs} coefficients, lifter {lifter}, float64", _relative(found, wanted), 1e-5
        )
    yield from _chroma(librosa, tf, magnitude)


def _chroma(librosa: Any, tf: Any, magnitude: np.ndarray) -> Iterator[Row]:
    for tuning in (0.0, 0.3):
        wanted = librosa.feature.chroma_stft(S=magnitude**2, sr=SR, tuning=tuning, dtype=np.float64).T
        found = spectral.chroma_stft(tf, EllisChromaScale(tuning=tuning))
        yield at_most(f"chroma vs librosa, tuning {tuning}, float64", _relative(found, wanted), 1e-5)


def _of_frames(librosa: Any, tf: Any, magnitude: np.ndarray) -> Iterator[Row]:
    feature = librosa.feature
    pairs = {
        "centroid": (spectral.spectral_centroid(tf), feature.spectral_centroid(S=magnitude, sr=SR)),
        "spread": (spectral.spectral_spread(tf), feature.spectral_bandwidth(S=magnitude, sr=SR)),
        "rolloff 0.85": (spectral.spectral_rolloff(tf), feature.spectral_rolloff(S=magnitude, sr=SR)),
        "rolloff 0.5": (
            spectral.spectral_rolloff(tf, 0.5),
            feature.spectral_rolloff(S=magnitude, sr=SR, roll_percent=0.5),
        ),
        "flatness": (
            spectral.spectral_flatness(tf * np.sqrt(N), power=2.0, amin=1e-10),
            feature.spectral_flatness(S=magnitude),
        ),
    }
    for name, (found, wanted) in pairs.items():
        yield at_most(f"{name} vs librosa, float64, each frame", _each(found, wanted[0]), 1e-5)
    from scipy.stats import gmean

    loud = np.asarray(np.abs(tf)).sum(axis=1) > 0
    heard = np.abs(np.asarray(tf))[loud]
    wanted = gmean(heard, axis=1) / heard.mean(axis=1)
    found = np.asarray(spectral.spectral_flatness(tf))[loud]
    yield at_most("flatness of magnitudes vs scipy, float64, each frame", _each(found, wanted), 1e-5)


def _of_samples(librosa: Any, x: np.ndarray, count: int) -> Iterator[Row]:
    options = {"frame_length": N, "hop_length": HOP, "center": False}
    scheme = RATE.windowing_scheme(N, HOP)
    frames = zounds.ArrayWithUnits.concat(list(zounds.SlidingWindow(scheme).run([zounds.AudioSamples(x, RATE)])))[
        :count
    ]
    wanted = librosa.feature.rms(y=x, dtype=np.float64, **options)[0]
    yield at_most("RMS vs librosa, float64, each frame", _each(spectral.rms(frames), wanted), 1e-5)
    wanted = librosa.feature.zero_crossing_rate(x, **options)[0]
    yield at_most("zero crossing rate vs librosa", _each(spectral.zero_crossing_rate(frames), wanted), 1e-5)
