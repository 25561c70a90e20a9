"""Test signals: tones, noise and ticks.

Goal: exact, reproducible signals for examples, tests and quick starts.

Conventions: mono float64, (samples,). A duration is a number of seconds, best an integer or a Fraction, which are
exact; it becomes ``round half up (duration_s * sr)`` samples. Sample k lies at k / sr seconds. Nothing reads the global
random state: random signals take ``rng``.

Functions: ``sample_count``, ``sine``, ``noise``, ``ticks``.
"""

from collections.abc import Sequence
from fractions import Fraction
from math import floor, isfinite

import numpy as np

from zounds_lite.dsp._checks import check_rate
from zounds_lite.errors import DeclarationError

__all__ = ["noise", "sample_count", "sine", "ticks"]


def sample_count(duration_s: float | Fraction, sr: int) -> int:
    """Return how many samples a duration has, rounded half up.

    Args:
        duration_s (float | Fraction): seconds, >= 0.
        sr (int): sample rate in Hz, >= 1.

    Raises:
        DeclarationError: a negative or infinite duration.
        SampleRateError: a rate that is not a positive integer.

    Examples:
        >>> sample_count(3.333, 44100)
        146985
        >>> sample_count(Fraction(1, 3), 44100)
        14700
    """
    check_rate("sr", sr)
    if not isfinite(duration_s) or duration_s < 0:
        raise DeclarationError(f"duration_s={duration_s}: a duration is 0 seconds or more, and finite")
    return floor(Fraction(duration_s) * int(sr) + Fraction(1, 2))


def sine(duration_s: float | Fraction, sr: int, freqs_hz: Sequence[float] = (440.0,)) -> np.ndarray:
    """Return the mean of sine waves that start at phase zero.

    Args:
        duration_s (float | Fraction): seconds, >= 0.
        sr (int): sample rate in Hz, >= 1.
        freqs_hz (Sequence[float]): the frequencies in Hz, at least one.

    Shape:
        -> [time], between -1 and 1

    Raises:
        DeclarationError: no frequency, one that is not finite, or a bad duration.
        SampleRateError: a rate that is not a positive integer.

    Examples:
        >>> sine(1, 22050, [220.0, 440.0])[:3].round(8)
        array([0.        , 0.09384942, 0.18659419])
    """
    freqs = np.atleast_1d(np.asarray(freqs_hz, dtype=np.float64))
    if freqs.ndim != 1 or not freqs.size or not np.isfinite(freqs).all():
        raise DeclarationError(f"freqs_hz={freqs_hz!r}: one or more finite frequencies, in Hz")
    k = np.arange(sample_count(duration_s, sr))
    total = np.zeros(len(k))
    for freq in freqs:
        # whole turns are taken off before the sine, exactly for integer frequencies: no phase noise after hours
        total += np.sin(np.fmod(k * freq, sr) * (2.0 * np.pi / sr))
    return total / len(freqs)


def noise(duration_s: float | Fraction, sr: int, rng: np.random.Generator | int) -> np.ndarray:
    """Return white noise, uniform in [-1, 1).

    Args:
        duration_s (float | Fraction): seconds, >= 0.
        sr (int): sample rate in Hz, >= 1.
        rng (np.random.Generator | int): a generator, or a seed for a new one.

    Shape:
        -> [time]

    Raises:
        DeclarationError: a bad duration.
        SampleRateError: a rate that is not a positive integer.

    Examples:
        >>> x = noise(1, 8000, rng=0)
        >>> x.shape, bool(abs(x.mean()) < 0.02)
        ((8000,), True)
    """
    return np.random.default_rng(rng).uniform(-1.0, 1.0, sample_count(duration_s, sr))


def ticks(
    duration_s: float | Fraction, sr: int, period_s: float | Fraction, rng: np.random.Generator | int
) -> np.ndarray:
    """Return short bursts of noise in a steady beat.

    Each tick is the same 0.1 s of uniform noise under a ramp from one to zero; tick k starts at sample
    ``round half up (k * period_s * sr)``, so the beat does not drift. Ticks that overlap add up.

    Args:
        duration_s (float | Fraction): seconds, >= 0.
        sr (int): sample rate in Hz, >= 1.
        period_s (float | Fraction): seconds from one tick to the next, at least one sample.
        rng (np.random.Generator | int): a generator, or a seed for a new one.

    Shape:
        -> [time]

    Raises:
        DeclarationError: a bad duration, or a period shorter than one sample.
        SampleRateError: a rate that is not a positive integer.

    Examples:
        >>> x = ticks(2, 8000, period_s=0.5, rng=0)
        >>> x.shape, bool((x[:800] == x[4000:4800]).all()), float(np.abs(x[800:4000]).max())
        ((16000,), True, 0.0)
    """
    n = sample_count(duration_s, sr)
    if not isfinite(period_s) or period_s * sr < 1:
        raise DeclarationError(f"period_s={period_s} at {sr} Hz: ticks are at least one sample apart")
    size = sr // 10
    tick = np.random.default_rng(rng).uniform(-1.0, 1.0, size) * np.linspace(1.0, 0.0, size)
    step = Fraction(period_s) * int(sr)
    out = np.zeros(n)
    for k in range(floor(n / step) + 1):
        start = floor(k * step + Fraction(1, 2))
        stop = min(start + size, n)
        if start < n:
            out[start:stop] += tick[: stop - start]
    return out
