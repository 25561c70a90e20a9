"""Rates of audio: exact integers in hertz.

Goal: every positive integer is a rate, and the usual ones have names. Conventions: ``rate`` is exact; the period, which
``SampleRate`` calls frequency, is a view of it, truncated to picoseconds. Names: ``AudioSampleRate``, ``SR8000`` ...
``SR192000``, ``audio_sample_rate``, ``nearest_audio_sample_rate``.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite._span import PICOSECONDS
from zounds_lite.errors import SampleRateError
from zounds_lite.timeseries.samplerate import SampleRate

__all__ = [
    "SR8000",
    "SR11025",
    "SR16000",
    "SR22050",
    "SR24000",
    "SR32000",
    "SR44100",
    "SR48000",
    "SR88200",
    "SR96000",
    "SR192000",
    "AudioSampleRate",
    "audio_sample_rate",
    "nearest_audio_sample_rate",
]


class AudioSampleRate(SampleRate):
    """A rate of audio samples: an exact number per second, without overlap.

    Args:
        hz (int): samples per second, any positive integer.

    Raises:
        SampleRateError: hz is no positive integer.

    Examples:
        >>> sr = AudioSampleRate(41100)
        >>> sr.rate, sr.nyquist, sr.frequency
        (41100, 20550, np.timedelta64(24330900,'ps'))
        >>> sr.suggested_window, sr.suggested_hop
        (1024, 512)
    """

    hz: int

    def __init__(self, hz: int) -> None:
        period = np.timedelta64(PICOSECONDS // _as_rate(hz), "ps")
        Declared.__init__(self, hz=int(hz), frequency=period, duration=period)

    def validate(self) -> None:
        """Nothing is left to check: the rate was, and the period follows from it."""

    @property
    def rate(self) -> int:
        """Samples per second, exactly."""
        return self.hz

    @property
    def samples_per_second(self) -> int:
        """Samples per second, exactly."""
        return self.hz

    @property
    def one_sample(self) -> np.timedelta64:
        """The period of one sample, truncated to picoseconds."""
        return self.frequency

    @property
    def suggested_window(self) -> int:
        """A good window for spectra, in samples: the largest power of two up to 2048 / 44100 s."""
        return max(2, 1 << ((2048 * self.hz // 44100).bit_length() - 1)) if self.hz >= 44 else 2

    @property
    def suggested_hop(self) -> int:
        """Half the suggested window, in samples."""
        return self.suggested_window // 2

    def half_lapped(self) -> SampleRate:
        """Return the scheme of suggested windows with half overlap."""
        return self.windowing_scheme(self.suggested_window, self.suggested_hop)

    def windowing_scheme(self, duration_samples: int, frequency_samples: int | None = None) -> SampleRate:
        """Return a scheme of windows, from samples.

        Args:
            duration_samples (int): samples in a window.
            frequency_samples (int | None): samples from one window to the next; None: no overlap.
        """
        hop = duration_samples if frequency_samples is None else frequency_samples
        return SampleRate(self.frequency * int(hop), self.frequency * int(duration_samples))


def _as_rate(hz: Any) -> int:
    valid = isinstance(hz, (int, float, np.number)) and not isinstance(hz, (bool, np.timedelta64, np.complexfloating))
    if not valid or hz != hz or hz in (float("inf"), float("-inf")) or int(hz) != hz or not 1 <= hz <= PICOSECONDS:
        raise SampleRateError(f"{hz!r} is no sample rate; allowed: any positive integer, in Hz")
    return int(hz)


class _NamedRate(AudioSampleRate):
    """An audio rate that its class names."""

    RATE = 0

    def __init__(self) -> None:
        super().__init__(self.RATE)


class SR8000(_NamedRate):
    """8 kHz.

    Examples:
        >>> SR8000().samples_per_second
        8000
    """

    RATE = 8000


class SR11025(_NamedRate):
    """11.025 kHz.

    Examples:
        >>> sr = SR11025()
        >>> sr.samples_per_second, int(sr), sr.nyquist
        (11025, 11025, 5512)
    """

    RATE = 11025


class SR16000(_NamedRate):
    """16 kHz.

    Examples:
        >>> SR16000().suggested_window
        512
    """

    RATE = 16000


class SR22050(_NamedRate):
    """22.05 kHz.

    Examples:
        >>> SR22050().nyquist
        11025
    """

    RATE = 22050


class SR24000(_NamedRate):
    """24 kHz.

    Examples:
        >>> SR24000().nyquist
        12000
    """

    RATE = 24000


class SR32000(_NamedRate):
    """32 kHz.

    Examples:
        >>> SR32000().nyquist
        16000
    """

    RATE = 32000


class SR44100(_NamedRate):
    """44.1 kHz.

    Examples:
        >>> SR44100()
        SR44100(f=2.2675736e-05, d=2.2675736e-05)
    """

    RATE = 44100


class SR48000(_NamedRate):
    """48 kHz.

    Examples:
        >>> SR48000().nyquist
        24000
    """

    RATE = 48000


class SR88200(_NamedRate):
    """88.2 kHz.

    Examples:
        >>> SR88200().suggested_hop
        2048
    """

    RATE = 88200


class SR96000(_NamedRate):
    """96 kHz.

    Examples:
        >>> SR96000().nyquist
        48000
    """

    RATE = 96000


class SR192000(_NamedRate):
    """192 kHz.

    Examples:
        >>> SR192000().nyquist
        96000
    """

    RATE = 192000


_NAMED: dict[int, type[_NamedRate]] = {
    kind.RATE: kind
    for kind in (
        SR8000, SR11025, SR16000, SR22050, SR24000, SR32000, SR44100, SR48000, SR88200, SR96000, SR192000,
    )
}  # fmt: skip


def audio_sample_rate(hz: int) -> AudioSampleRate:
    """Return the audio rate of ``hz`` samples per second: a named one where there is one.

    Raises:
        SampleRateError: hz is no positive integer.

    Examples:
        >>> audio_sample_rate(22050), audio_sample_rate(41100).rate
        (SR22050(f=4.5351473e-05, d=4.5351473e-05), 41100)
    """
    return _made(_as_rate(hz))


@lru_cache(maxsize=64)
def _made(rate: int) -> AudioSampleRate:
    return _NAMED[rate]() if rate in _NAMED else AudioSampleRate(rate)


def nearest_audio_sample_rate(hz: float) -> AudioSampleRate:
    """Return the named audio rate that is nearest to ``hz``; the lower one of two.

    Examples:
        >>> nearest_audio_sample_rate(43000).rate
        44100
    """
    return _NAMED[min(_NAMED, key=lambda rate: abs(rate - hz))]()
