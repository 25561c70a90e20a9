"""Frequency-adaptive transforms and back."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_least, at_most, snr_db
from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import frequency_decomposition

RATE = zounds.SR11025()
SCALE = zounds.GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=100)
LONG = zounds.SampleRate(frequency=zounds.Milliseconds(500), duration=zounds.Seconds(1))
SIZE = 110_251


def _analysis(sound: Any, transform: str, residual: bool) -> Any:
    import scipy.fftpack

    hop, window = LONG.discrete_samples(sound.time_dimension)
    padding = window - hop
    frames = zounds.SlidingWindow(LONG, zounds.OggVorbisWindowingFunc(), padwith=padding, padend=padding)
    spectrum, inverse = {
        "DCT": (zounds.DCT(scale_always_even=True), scipy.fftpack.idct),
        "FFT": (zounds.FFT(), np.fft.irfft),
    }[transform]
    chunks = [sound]
    for node in (frames, spectrum, zounds.FrequencyAdaptiveTransform(inverse, SCALE, np.hanning, residual=residual)):
        chunks = list(node.run(chunks))
    # the last chunk knows how long the sound was
    return zounds.FrequencyAdaptive(np.concatenate([np.asarray(chunk) for chunk in chunks]), **chunks[-1].kwargs())


def _noise(start_hz: float, stop_hz: float, dtype: Any = np.float64) -> Any:
    """Noise between two frequencies that fades in and out: a sudden end would hold all frequencies."""
    rng = np.random.default_rng(5)
    spectrum = np.fft.rfft(rng.normal(size=SIZE))
    hz = np.fft.rfftfreq(SIZE, 1 / RATE.rate)
    spectrum[(hz < start_hz) | (hz > stop_hz)] = 0
    return zounds.AudioSamples((np.fft.irfft(spectrum, SIZE) * np.hanning(SIZE)).astype(dtype), RATE)


def rows() -> Iterator[Row]:
    """The documented scale and windows of a second: inside the scale, and all frequencies with residual bands."""
    synthesizers = {"DCT": zounds.FrequencyAdaptiveDCTSynthesizer, "FFT": zounds.FrequencyAdaptiveFFTSynthesizer}
    for transform, synthesizer in synthesizers.items():
        for what, sound, residual, bar in (
            ("noise of 110 to 4800 Hz", _noise(110, 4800), False, 60),
            ("noise of all frequencies, residual bands", _noise(0, 6000), True, 120),
            ("the same in float32", _noise(0, 6000, np.float32), True, 120),
        ):
            back = synthesizer(SCALE, RATE).synthesize(_analysis(sound, transform, residual))
            right = len(back) == SIZE and back.dtype == sound.dtype
            yield at_least(f"frequency-adaptive {transform} and back, {what}", snr_db(sound, back), bar, "dB", right)
    yield _decomposition()


def _decomposition() -> Row:
    windows = _noise(0, 6000).sliding_window(LONG)
    n = windows.shape[1]
    bands = frequency_decomposition(windows, [n // 16, n // 8, n // 4, n // 2, n])
    back = zounds.FrequencyDecompositionSynthesizer(RATE, n).synthesize(bands)
    difference = np.abs(np.asarray(back) - np.asarray(windows)).max() / np.abs(np.asarray(windows)).max()
    also = isinstance(back, ArrayWithUnits) and back.shape == windows.shape
    return at_most("frequency decomposition and back, part of the largest", float(difference), 1e-12, also=also)
