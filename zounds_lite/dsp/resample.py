"""Changing the sample rate.

Goal: band-limited resampling, for whole arrays and for streams, with exact lengths and no delay: sample k of the result
lies at k / sr_out seconds.

Conventions: time is axis 0, (samples,) or (samples, channels); rates are positive integers in Hz. float32 and float64
are kept, other real numbers become float32. The result has ``n * sr_out / sr_in`` samples, rounded half up in integers.

How: soxr in its HQ setting (20 bit). The one-shot function and the stream object run the same engine and give the same
samples.

Functions: ``output_length``, ``resample``; and ``ResampleStream``, its twin for a signal that comes in chunks.

Sources:
    The SoX Resampler library (libsoxr), R. Sykes; python-soxr.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from zounds_lite.dsp._checks import check_rate, check_real, fit_length
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["CONTEXT", "ResampleStream", "output_length", "resample"]

_QUALITY = "HQ"

CONTEXT = 160
"""Samples, at the lower of the two rates, that the result depends on at either side.

Measured over ten pairs of rates: from 96 on, what lies further away changes float32 results by their rounding only.
"""


def output_length(n: int, sr_in: int, sr_out: int) -> int:
    """Return how many samples n samples become: n * sr_out / sr_in, rounded half up, in exact integers.

    Args:
        n (int): samples at ``sr_in``, >= 0.
        sr_in (int): sample rate of the signal in Hz, >= 1.
        sr_out (int): wanted sample rate in Hz, >= 1.

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DeclarationError: a negative n.

    Examples:
        >>> output_length(44100, 44100, 11025)
        11025
        >>> [output_length(n, 2, 1) for n in (1, 2, 3)]
        [1, 1, 2]
    """
    _check_rates(sr_in, sr_out)
    if n < 0:
        raise DeclarationError(f"n={n}: a signal has 0 or more samples")
    return _scaled(int(n), int(sr_in), int(sr_out))


def resample(x: np.ndarray, sr_in: int, sr_out: int) -> np.ndarray:
    """Change the sample rate of a whole signal; equal rates return it as it is, without a copy.

    Args:
        x (np.ndarray): real samples.
        sr_in (int): sample rate of ``x`` in Hz.
        sr_out (int): wanted sample rate in Hz.

    Shape:
        [time] or [time, channels] -> the same, with ``output_length`` samples

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DimensionError: more than two axes.
        DeclarationError: complex samples.

    Examples:
        >>> x = np.sin(2 * np.pi * 100 * np.arange(8000) / 8000)
        >>> y = resample(x, 8000, 4000)
        >>> y.shape
        (4000,)
        >>> bool(np.abs(y - x[::2])[200:-200].max() < 1e-5)
        True

    See Also:
        ResampleStream (for a signal in chunks).
    """
    _check_rates(sr_in, sr_out)
    x = _as_samples(np.asarray(x), None)
    if sr_in == sr_out:
        return x
    n_out = output_length(len(x), sr_in, sr_out)
    if n_out == 0 or x.size == 0:
        return np.zeros((n_out, *x.shape[1:]), x.dtype)
    import soxr

    return fit_length(soxr.resample(np.ascontiguousarray(x), sr_in, sr_out, quality=_QUALITY), n_out)


class ResampleStream:
    """Change the sample rate of a signal that comes in chunks.

    Args:
        sr_in (int): sample rate of the signal in Hz.
        sr_out (int): wanted sample rate in Hz.
        channels (int): channels of every chunk, >= 1. With one, chunks may be (n,) or (n, 1); the results follow.
        dtype (DTypeLike): float32 or float64, the dtype of the results; chunks are converted to it.

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DeclarationError: another dtype, or channels below 1.

    Examples:
        >>> stream = ResampleStream(8000, 4000, channels=1, dtype="float32")
        >>> parts = [stream.push(np.ones(300, "float32")) for _ in range(5)] + [stream.finish()]
        >>> np.concatenate(parts).shape
        (750,)

    See Also:
        resample (the whole signal at once).
    """

    def __init__(self, sr_in: int, sr_out: int, channels: int = 1, dtype: DTypeLike = np.float32) -> None:
        _check_rates(sr_in, sr_out)
        self.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise DeclarationError(f"dtype={self.dtype}: a resampler works in float32 or float64")
        if channels < 1:
            raise DeclarationError(f"channels={channels}: a signal has at least 1 channel")
        self.sr_in = int(sr_in)
        self.sr_out = int(sr_out)
        self.channels = int(channels)
        self._engine: Any = None
        self._shape: tuple[int, ...] = () if channels == 1 else (self.channels,)
        self._n_in = 0
        self._n_out = 0
        self._finished = False

    def push(self, x: np.ndarray) -> np.ndarray:
        """Take the next chunk and return the samples that are ready, possibly none.

        With equal rates that is the chunk itself, not a copy.

        Shape:
            [time] or [time, channels] -> the same, another number of samples

        Raises:
            DimensionError: another number of channels.
            DeclarationError: complex samples, or a chunk after ``finish``.
        """
        if self._finished:
            raise DeclarationError("this ResampleStream is finished: make a new one for the next signal")
        x = _as_samples(np.asarray(x), self.dtype)
        if (x.shape[1] if x.ndim == 2 else 1) != self.channels:
            raise DimensionError(f"a chunk of shape {x.shape} for a stream of {self.channels} channels")
        self._shape = x.shape[1:]
        self._n_in += len(x)
        return self._run(x, last=False)

    def finish(self) -> np.ndarray:
        """End the stream and return its last samples; none on a second call."""
        if self._finished:
            return np.zeros((0, *self._shape), self.dtype)
        self._finished = True
        n_left = _scaled(self._n_in, self.sr_in, self.sr_out) - self._n_out
        tail = np.zeros((0, *self._shape), self.dtype)
        if n_left:
            tail = fit_length(self._run(tail, last=True), n_left)
        self._engine = None
        return tail

    def _run(self, x: np.ndarray, last: bool) -> np.ndarray:
        if self.sr_in == self.sr_out:
            self._n_out += len(x)
            return x
        if not len(x) and not last:
            return x
        if self._engine is None:
            import soxr

            self._engine = soxr.ResampleStream(
                self.sr_in, self.sr_out, self.channels, dtype=self.dtype.name, quality=_QUALITY
            )
        chunk = np.ascontiguousarray(x.reshape(len(x)) if self.channels == 1 else x)
        out = self._engine.resample_chunk(chunk, last=last).reshape(-1, *self._shape)
        # never more than the exact length, whatever the engine's rounding
        out = out[: _scaled(self._n_in, self.sr_in, self.sr_out) - self._n_out]
        self._n_out += len(out)
        return out


def _scaled(n: int, sr_in: int, sr_out: int) -> int:
    return (2 * n * sr_out + sr_in) // (2 * sr_in)


def _check_rates(sr_in: int, sr_out: int) -> None:
    check_rate("sr_in", sr_in)
    check_rate("sr_out", sr_out)


def _as_samples(x: np.ndarray, dtype: np.dtype | None) -> np.ndarray:
    if x.ndim not in (1, 2):
        raise DimensionError(f"samples of shape {x.shape}: give (samples,) or (samples, channels)")
    check_real(x, "samples", "resample real and imaginary part apart")
    if dtype is None:
        dtype = x.dtype if x.dtype in (np.float32, np.float64) else np.dtype(np.float32)
    return x.astype(dtype, copy=False)
