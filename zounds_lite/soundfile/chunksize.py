"""Sizes of byte chunks, in terms of the audio that they hold.

Class: ``ChunkSizeBytes``.
"""

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.errors import DeclarationError
from zounds_lite.timeseries import AudioSampleRate, SampleRate, TimeDimension

__all__ = ["ChunkSizeBytes"]


class ChunkSizeBytes(Declared):
    """As many bytes as uncompressed audio of a duration has.

    Args:
        samplerate (SampleRate): the rate.
        duration (np.timedelta64): how much audio a chunk holds.
        channels (int): channels, >= 1.
        bit_depth (int): bits in a sample, >= 8.

    Raises:
        DeclarationError: the chunk would hold no whole sample.

    Examples:
        >>> from zounds_lite.timeseries import SR44100, Seconds
        >>> chunksize = ChunkSizeBytes(SR44100(), Seconds(30))
        >>> chunksize
        ChunkSizeBytes(samplerate=SR44100(f=2.2675736e-05, d=2.2675736e-05), duration=30 seconds, channels=2,
        bit_depth=16)
        >>> int(chunksize)
        5292000
    """

    samplerate: SampleRate
    duration: np.timedelta64
    channels: int
    bit_depth: int

    def __init__(
        self, samplerate: SampleRate, duration: np.timedelta64, channels: int = 2, bit_depth: int = 16
    ) -> None:
        super().__init__(samplerate=samplerate, duration=duration, channels=channels, bit_depth=bit_depth)

    def validate(self) -> None:
        """Refuse what is no rate, no duration, or holds no whole sample."""
        if not isinstance(self.samplerate, SampleRate) or not isinstance(self.duration, np.timedelta64):
            raise DeclarationError(
                f"samplerate={self.samplerate!r}, duration={self.duration!r}; allowed: a SampleRate such as SR44100() "
                "and a duration such as Seconds(30)"
            )
        counts = (self.channels, self.bit_depth)
        if any(not isinstance(n, (int, np.integer)) or isinstance(n, bool) for n in counts):
            raise DeclarationError(f"channels, bit_depth = {str(counts)[:80]}; allowed: whole numbers")
        if int(self) < 1:
            raise DeclarationError(
                f"{self!r} holds no whole sample; use a longer duration, channels from 1, bits from 8"
            )

    def __int__(self) -> int:
        if isinstance(self.samplerate, AudioSampleRate):
            samples = TimeDimension.from_rate(self.samplerate).integer_based_slice(self.duration)
        else:
            samples = int(self.duration / self.samplerate.frequency)
        return int(samples) * (self.bit_depth // 8) * self.channels

    __index__ = __int__

    def __repr__(self) -> str:
        return (
            f"ChunkSizeBytes(samplerate={self.samplerate!r}, duration={self.duration!s}, "
            f"channels={self.channels}, bit_depth={self.bit_depth})"
        )
