"""A recording, seen at as many moments as a picture has columns.

Goal: spectra at exactly the wanted number of places, whatever the length and the rate, with little memory. Conventions:
a recording is cut into equal stretches of time, one for each column; frames lie evenly in them, the first and the last
one half outside, where zeros are; what is measured of frames is averaged over each stretch. Spectra are scaled so that
a tone with the peak of the recording has a magnitude of 1, so that no level is lost. Class: ``Sound``.
"""

from collections.abc import Callable, Iterator
from functools import cached_property
from math import ceil, log2
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from zounds_lite.dsp import hann, relative_flux, tempo, windowed_rfft
from zounds_lite.errors import DeclarationError, DimensionError, EmptyAudio, NonFiniteAudio
from zounds_lite.timeseries import AudioSamples

__all__ = ["Sound"]

_FRAME_S = 2048 / 22050
"""Length of a frame, about; its size is the nearest power of two."""

_SMALLEST_FRAME = 64
_FRAMES_AT_ONCE = 128
_SAMPLES_AT_ONCE = 1 << 20
_FLUX_HALF_LIFE_S = 0.5


class Sound:
    """Samples of audio, read block by block; nothing of their length is ever made.

    Args:
        samples (AudioSamples): floating point, or integers, whose full scale becomes 1; channels are averaged.

    Raises:
        DimensionError: something else than audio.
        DeclarationError: complex samples, or integers without a sign.
        EmptyAudio: no samples.
        NonFiniteAudio: samples that are NaN or infinite.
    """

    def __init__(self, samples: Any) -> None:
        if not isinstance(samples, AudioSamples):
            raise DimensionError(
                f"a picture of {type(samples).__name__}; allowed: AudioSamples, such as AudioSamples(array, SR44100())"
            )
        self.samples = np.asarray(samples)
        if self.samples.dtype.kind not in "fi":
            raise DeclarationError(f"samples of {self.samples.dtype}; allowed: floating point, or signed integers")
        if not len(self.samples):
            raise EmptyAudio("audio without samples has no picture")
        self.rate = samples.samples_per_second
        self.full_scale = 1.0 if self.samples.dtype.kind == "f" else float(-np.iinfo(self.samples.dtype).min)
        self.n_fft = max(_SMALLEST_FRAME, 1 << round(log2(self.rate * _FRAME_S)))
        self.peak = self._checked_peak()

    def __len__(self) -> int:
        return len(self.samples)

    def _checked_peak(self) -> float:
        peak = 0.0
        for start in range(0, len(self), _SAMPLES_AT_ONCE):
            part = self.mono(start, start + _SAMPLES_AT_ONCE)
            if not np.isfinite(part).all():
                at = (start + int(np.argmin(np.isfinite(part)))) / self.rate
                raise NonFiniteAudio(
                    f"samples that are NaN or infinite, the first at {at:.3f} s; a picture needs finite ones, such as "
                    "np.nan_to_num(samples)"
                )
            peak = max(peak, float(np.abs(part).max()))
        return peak

    def mono(self, start: int, stop: int) -> np.ndarray:
        """Return the mean of the channels of a part, in float64 and of full scale 1."""
        part = self.samples[start:stop]
        with np.errstate(invalid="ignore"):  # infinite channels of different signs, which are refused
            part = part.mean(axis=1, dtype=np.float64) if part.ndim == 2 else part.astype(np.float64)
        return part if self.full_scale == 1 else part / self.full_scale

    def stretches(self, count: int) -> Iterator[np.ndarray]:
        """Yield the samples of equal stretches of time, at least one of each."""
        for i in range(count):
            start = i * len(self) // count
            yield self.mono(start, max(start + 1, (i + 1) * len(self) // count))

    def spectra(self, starts: np.ndarray, n_fft: int) -> Iterator[np.ndarray]:
        """Yield the spectra of frames, (frames, bins), complex64, some at a time.

        Args:
            starts (np.ndarray): first sample of each frame, rising; frames may reach beyond the recording.
            n_fft (int): samples in a frame.
        """
        window = hann(n_fft, periodic=True).astype(np.float32)
        scale = np.float32(2 * n_fft**0.5 / window.sum())  # of orthonormal spectra; a tone has half its amplitude
        for at in range(0, len(starts), _FRAMES_AT_ONCE):
            some = starts[at : at + _FRAMES_AT_ONCE]
            first, last = int(some[0]), int(some[-1]) + n_fft
            segment = np.zeros(last - first, np.float32)
            inside = self.mono(max(0, first), max(0, last)) / (self.peak or 1.0)
            segment[max(0, -first) : max(0, -first) + len(inside)] = inside
            yield windowed_rfft(sliding_window_view(segment, n_fft)[some - first], window) * scale

    def columns(
        self, count: int, measure: Callable[[np.ndarray], np.ndarray], start: int = 0, stop: int | None = None
    ) -> np.ndarray:
        """Measure the spectra of each of ``count`` equal stretches, and average.

        Args:
            count (int): stretches, >= 1.
            measure (Callable): from spectra (frames, bins) to numbers (frames, values).
            start, stop (int): the samples that are cut into stretches.

        Shape:
            -> [count, values], float64
        """
        length = (len(self) if stop is None else stop) - start
        each = ceil(length / (count * (self.n_fft // 2)))  # frames of a stretch: they overlap by half at least
        total = count * each
        centres = start + (2 * np.arange(total) + 1) * length // (2 * total)
        sums, at = np.zeros((count, 0)), 0
        for spectra in self.spectra(centres - self.n_fft // 2, self.n_fft):
            values = np.asarray(measure(spectra))
            if not at:
                sums = np.zeros((count, values.shape[1]))
            column = np.arange(at, at + len(values)) // each
            first = np.flatnonzero(np.diff(column, prepend=-1))
            sums[column[first]] += np.add.reduceat(values, first, axis=0, dtype=np.float64)
            at += len(values)
        return sums / each

    @cached_property
    def tempo(self) -> float:
        """The tempo in beats per minute, from the rises of the spectrum; 0 where there is no beat."""
        hop, per_second = self.n_fft // 4, 4 * self.rate / self.n_fft
        n_fft = self.n_fft // 2
        flux, previous, loudest = [], None, 0.0
        for spectra in self.spectra(np.arange(0, len(self), hop) - n_fft // 2, n_fft):
            magnitudes = np.abs(spectra)
            values, loudest = relative_flux(magnitudes, _FLUX_HALF_LIFE_S * per_second, previous, loudest=loudest)
            flux.append(values)
            previous = magnitudes[-1]
        return tempo(np.concatenate(flux), per_second)
