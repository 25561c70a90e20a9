"""Audio at another rate, in streams. Node: ``Resampler``."""

from collections.abc import Iterator
from math import gcd
from typing import Any

import numpy as np

from zounds_lite.dsp.resample import CONTEXT, ResampleStream, output_length
from zounds_lite.errors import DeclarationError, SampleRateError
from zounds_lite.featureflow import Locality, Node, Pointwise
from zounds_lite.timeseries import SR44100, AudioSampleRate, AudioSamples, audio_sample_rate

__all__ = ["Resampler"]


class _Resampling(Locality):
    """Output sample k lies at input sample k * old / new, and depends on the input around it.

    A run begins where an input sample and an output sample fall together.
    """

    def __init__(self, old: int, new: int) -> None:
        self.old, self.new = old, new
        self._down, self._up = old // gcd(old, new), new // gcd(old, new)
        self._context = CONTEXT * -(-max(old, new) // new)

    def length(self, size: int) -> int:
        return output_length(size, self.old, self.new)

    def needs(self, start: int, stop: int, size: int) -> tuple[int, int]:
        first = max(0, start * self._down // self._up - self._context)
        last = -(-stop * self._down // self._up) + self._context
        return first - first % self._down, min(size, last)

    def first(self, start: int) -> int:
        return start // self._down * self._up


class Resampler(Node):
    """Brings ``AudioSamples`` to another rate, without delay; chunks at that rate already pass untouched.

    The total length is ``round(n * new / old)`` for any chunking.

    Args:
        samplerate (AudioSampleRate | None): the wanted rate; None: ``SR44100()``.
        needs: a feature of ``AudioSamples``.

    Raises:
        SampleRateError: chunks of one stream have different rates.

    Examples:
        >>> from zounds_lite.timeseries import SR11025, SR22050
        >>> chunks = [AudioSamples(np.zeros(11025, np.float32), SR22050())] * 2
        >>> sum(len(out) for out in Resampler(SR11025()).run(chunks))
        11025
    """

    runs_ahead = True

    def __init__(self, samplerate: AudioSampleRate | None = None, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.samplerate = SR44100() if samplerate is None else samplerate
        if not isinstance(self.samplerate, AudioSampleRate):
            raise DeclarationError(f"samplerate={samplerate!r}; allowed: SR44100() and the like, AudioSampleRate(hz)")
        self._stream: ResampleStream | None = None
        self._hz: int | None = None
        self._is_empty = True

    def locality(self, example: AudioSamples) -> Locality:
        same = example.samplerate == self.samplerate
        return Pointwise() if same else _Resampling(example.samplerate.rate, self.samplerate.rate)

    def _process(self, data: AudioSamples) -> Iterator[AudioSamples]:
        # the rate of the axis, as the samplerate of a chunk is an object that is made anew
        hz = getattr(data.dimensions[0], "rate", None) or data.samplerate.rate
        if self._hz is None:
            self._hz = hz
        if hz != self._hz:
            first = audio_sample_rate(self._hz)
            raise SampleRateError(f"a chunk at {data.samplerate!r} follows chunks at {first!r} in one stream")
        if hz == self.samplerate.rate:
            yield data
            return
        if self._stream is None:
            dtype = np.float64 if data.dtype == np.float64 else np.float32
            self._stream = ResampleStream(hz, self.samplerate.rate, data.channels, dtype)
        out = self._stream.push(np.asarray(data))
        if len(out):
            self._is_empty = False
            yield AudioSamples(out, self.samplerate)

    def _last_chunk(self) -> Iterator[AudioSamples]:
        if self._stream is not None:
            out = self._stream.finish()
            if len(out) or self._is_empty:  # too short for a single sample is an empty signal, not none
                yield AudioSamples(out, self.samplerate)
