"""Time stretching and pitch shifting: level and frequency of what comes out."""

from collections.abc import Iterator

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_most
from zounds_lite.spectral import fft, phase_shift, pitch_shift, time_stretch

RATE = zounds.SR44100()
FACTORS = (0.5, 0.8, 0.95, 1.05, 1.5, 2.0)
SEMITONES = (-12, -5, -1, 1, 2, 7, 12)


def _sounds() -> dict[str, np.ndarray]:
    """Three seconds each; nothing lies above 9 kHz, so that an octave up keeps all of it."""
    t = np.arange(3 * RATE.rate) / RATE.rate
    rng = np.random.default_rng(0)
    spectrum = np.fft.rfft(rng.normal(size=len(t)))
    spectrum[int(3 * 9000) :] = 0
    noise = np.fft.irfft(spectrum, len(t))
    chord = sum(np.sin(2 * np.pi * hz * t + hz) for hz in (220.0, 277.18, 329.63, 440.0, 1318.5))
    return {
        "a tone": np.sin(2 * np.pi * 440 * t),
        "a chord": np.asarray(chord) / 5,
        "noise": noise,
        "a glide": np.sin(2 * np.pi * (200 * t + 150 * t**2)),
        "chord and noise": np.asarray(chord) / 5 + noise,
    }


def _level(x: np.ndarray) -> float:
    """Root mean square, without a tenth of a second at either end."""
    return float(np.sqrt(np.mean(np.square(np.asarray(x, np.float64)[RATE.rate // 10 : -RATE.rate // 10]))))


def _cents(x: np.ndarray, hz: float) -> float:
    """How far the frequency of a tone is from what it should be: from the slope of its phase."""
    x = np.asarray(x, np.float64)[RATE.rate // 10 : -RATE.rate // 10]
    half = len(x) // 2
    window = np.hanning(half)
    down = x[: 2 * half] * np.exp(-2j * np.pi * hz * np.arange(2 * half) / RATE.rate)
    turn = np.angle((down[half:] @ window) / (down[:half] @ window)) / (2 * np.pi)
    return float(abs(1200 * np.log2(1 + turn * RATE.rate / half / hz)))


def rows() -> Iterator[Row]:
    """Level over several sounds and factors; frequency over several intervals; delays in the spectrum."""
    for dtype in (np.float32, np.float64):
        kind = np.dtype(dtype).name
        sounds = {name: zounds.AudioSamples(x.astype(dtype), RATE) for name, x in _sounds().items()}
        for name, x in sounds.items():
            changed = [time_stretch(x, factor) for factor in FACTORS]
            exact = all(len(y) == int(len(x) / factor) for y, factor in zip(changed, FACTORS, strict=True))
            worst = max(abs(_level(y) / _level(x) - 1) for y in changed)
            yield at_most(f"time_stretch, {kind}, {name}: gain away from 1", worst, 0.01, also=exact)
            changed = [pitch_shift(x, semitones) for semitones in SEMITONES]
            exact = all(len(y) == len(x) for y in changed)
            worst = max(abs(_level(y) / _level(x) - 1) for y in changed)
            yield at_most(f"pitch_shift, {kind}, {name}: gain away from 1", worst, 0.01, also=exact)
        tone = sounds["a tone"]
        yield at_most(
            f"pitch_shift, {kind}, 440 Hz + 1 semitone", _cents(pitch_shift(tone, 1), 466.1637615), 0.5, "cent"
        )
        worst = max(_cents(pitch_shift(tone, n), 440 * 2 ** (n / 12)) for n in SEMITONES)
        yield at_most(f"pitch_shift, {kind}, 440 Hz, -12 to 12 semitones", worst, 0.5, "cent")
        worst = max(_cents(time_stretch(tone, factor), 440) for factor in FACTORS)
        yield at_most(f"time_stretch, {kind}, 440 Hz stays there", worst, 0.5, "cent")
    yield _delay()


def _delay() -> Row:
    x = zounds.AudioSamples(np.random.default_rng(1).normal(size=RATE.rate), RATE)
    shifted = phase_shift(fft(x), RATE, zounds.Milliseconds(5) * 2)
    back = np.fft.irfft(np.asarray(shifted), len(x), norm="ortho")
    return at_most(
        "phase_shift by 10 ms, largest error", float(np.abs(back - np.roll(np.asarray(x), 441)).max()), 1e-10
    )
