"""Sounds made from nothing: sines, noise, ticks and silence.

Goal: known sounds for tests and examples. Conventions: a duration is rounded to the nearest whole number of samples;
results are mono; nothing reads the global random state. Classes: ``SineSynthesizer``, ``NoiseSynthesizer``,
``TickSynthesizer``, ``SilenceSynthesizer``.
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS
from zounds_lite.dsp.oscillators import noise, sample_count, sine, ticks
from zounds_lite.errors import SampleRateError
from zounds_lite.timeseries import AudioSamples

__all__ = ["NoiseSynthesizer", "SilenceSynthesizer", "SineSynthesizer", "TickSynthesizer"]


def _seconds(duration: np.timedelta64) -> Fraction:
    return Fraction(picoseconds(duration), PICOSECONDS)


class _SignalSynthesizer(Declared):
    """What all sources of sound share: a sample rate."""

    samplerate: Any

    def validate(self) -> None:
        """Refuse rates that are not a whole number of hertz."""
        if not isinstance(getattr(self.samplerate, "rate", None), (int, np.integer)):
            raise SampleRateError(f"samplerate={self.samplerate!r}; allowed: an audio sample rate such as SR44100()")

    @property
    def _rate(self) -> int:
        return int(self.samplerate.rate)


class SineSynthesizer(_SignalSynthesizer):
    """Makes sums of sine waves.

    Args:
        samplerate (AudioSampleRate): the sample rate of the sound.

    Raises:
        SampleRateError: no audio sample rate.

    Examples:
        >>> from zounds_lite.timeseries import SR22050, Seconds
        >>> samples = SineSynthesizer(SR22050()).synthesize(Seconds(1), freqs_in_hz=[220.0, 440.0])
        >>> len(samples), round(float(samples[1]), 8)
        (22050, 0.09384942)
    """

    def __init__(self, samplerate: Any) -> None:
        super().__init__(samplerate=samplerate)

    def synthesize(self, duration: np.timedelta64, freqs_in_hz: Sequence[float] = (440.0,)) -> AudioSamples:
        """Return the mean of sine waves that start at phase zero.

        Args:
            duration (np.timedelta64): length of the sound.
            freqs_in_hz (Sequence[float]): frequencies in hertz, at least one.

        Shape:
            -> [time], float64

        Raises:
            DeclarationError: no frequencies, or no duration.
        """
        return AudioSamples(sine(_seconds(duration), self._rate, freqs_in_hz), self.samplerate)


class NoiseSynthesizer(_SignalSynthesizer):
    """Makes white noise.

    Args:
        samplerate (AudioSampleRate): the sample rate of the sound.
        seed (int | np.random.Generator | None): a seed gives the same noise each time; a generator goes on where it
            is; None: other noise each time.

    Raises:
        SampleRateError: no audio sample rate.

    Examples:
        >>> from zounds_lite.timeseries import SR44100, Seconds
        >>> samples = NoiseSynthesizer(SR44100(), seed=1).synthesize(Seconds(2))
        >>> len(samples), bool(abs(samples).max() <= 1)
        (88200, True)
    """

    seed: Any

    def __init__(self, samplerate: Any, seed: Any = None) -> None:
        super().__init__(samplerate=samplerate, seed=seed)

    def synthesize(self, duration: np.timedelta64) -> AudioSamples:
        """Return noise, uniform in [-1, 1).

        Args:
            duration (np.timedelta64): length of the sound.

        Shape:
            -> [time], float64

        Raises:
            DeclarationError: no duration.
        """
        rng = np.random.default_rng(self.seed)
        return AudioSamples(noise(_seconds(duration), self._rate, rng), self.samplerate)


class TickSynthesizer(_SignalSynthesizer):
    """Makes a steady beat of short bursts of noise.

    Args:
        samplerate (AudioSampleRate): the sample rate of the sound.
        seed (int | np.random.Generator | None): as for ``NoiseSynthesizer``.

    Raises:
        SampleRateError: no audio sample rate.

    Examples:
        >>> from zounds_lite.timeseries import SR22050, Milliseconds, Seconds
        >>> samples = TickSynthesizer(SR22050(), seed=1).synthesize(Seconds(3), tick_frequency=Milliseconds(100))
        >>> len(samples), float(samples[-1])
        (66150, 0.0)
    """

    seed: Any

    def __init__(self, samplerate: Any, seed: Any = None) -> None:
        super().__init__(samplerate=samplerate, seed=seed)

    def synthesize(self, duration: np.timedelta64, tick_frequency: np.timedelta64) -> AudioSamples:
        """Return ticks that each fade over a tenth of a second; the first one starts at once.

        Args:
            duration (np.timedelta64): length of the sound.
            tick_frequency (np.timedelta64): time from one tick to the next, at least one sample.

        Shape:
            -> [time], float64

        Raises:
            DeclarationError: no durations, or ticks less than a sample apart.
        """
        rng = np.random.default_rng(self.seed)
        return AudioSamples(ticks(_seconds(duration), self._rate, _seconds(tick_frequency), rng), self.samplerate)


class SilenceSynthesizer(_SignalSynthesizer):
    """Makes silence.

    Args:
        samplerate (AudioSampleRate): the sample rate of the sound.

    Raises:
        SampleRateError: no audio sample rate.

    Examples:
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> len(SilenceSynthesizer(SR11025()).synthesize(Seconds(5)))
        55125
    """

    def __init__(self, samplerate: Any) -> None:
        super().__init__(samplerate=samplerate)

    def synthesize(self, duration: np.timedelta64) -> AudioSamples:
        """Return zeros.

        Args:
            duration (np.timedelta64): length of the sound.

        Shape:
            -> [time], float32

        Raises:
            DeclarationError: no duration.
        """
        return AudioSamples(np.zeros(sample_count(_seconds(duration), self._rate), np.float32), self.samplerate)
