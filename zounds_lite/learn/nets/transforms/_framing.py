"""Frames of tensors: how they are cut, and how they are added back together.

Goal: the rules of ``dsp.framing`` on the last axis of a tensor. Functions: ``framed``, ``added``, ``fitted``; class:
``LappedTransform``, the base of the short-time transforms.
"""

from typing import Any

import numpy as np

from zounds_lite.dsp.framing import divide_by_weights, frame_count
from zounds_lite.errors import DeclarationError
from zounds_lite.learn.nets._tables import TableModule, as_signal, rate_of
from zounds_lite.learn.nets._torch import Tensor, functional, torch
from zounds_lite.spectral import WindowingFunc
from zounds_lite.timeseries import TimeDimension

__all__ = ["LappedTransform", "added", "fitted", "framed"]

_KEPT = 4
"""For how many numbers of frames the sums of windows are kept."""


def framed(x: Tensor, window: int, hop: int, padding: int) -> Tensor:
    """Cut a signal into frames as ``SlidingWindow`` does; the last one is filled with zeros.

    Args:
        x (Tensor): samples.
        window (int): samples in a frame, >= 1.
        hop (int): samples from one frame to the next, >= 1.
        padding (int): zeros before and after the signal, >= 0; without samples there are none.

    Shape:
        [..., time] -> [..., frames, window]
    """
    length = x.shape[-1]
    count = frame_count(length + 2 * padding, window, hop) if length else 0
    if not count:
        return x.new_zeros((*x.shape[:-1], 0, window))
    reach = (count - 1) * hop + window
    return functional.pad(x, (padding, reach - padding - length)).unfold(-1, window, hop)


def added(frames: Tensor, hop: int) -> Tensor:
    """Add frames at their places in time.

    Args:
        frames (Tensor): frames of samples.
        hop (int): samples from one frame to the next, >= 1.

    Shape:
        [..., frames, window] -> [..., (frames - 1) * hop + window], or [..., 0] without frames
    """
    count, window = frames.shape[-2:]
    if not count:
        return frames.new_zeros((*frames.shape[:-2], 0))
    # slice j of all frames at once lands on whole hops of the sum, as in dsp.overlap_add
    slices = -(-window // hop)
    filled = functional.pad(frames, (0, slices * hop - window))
    parts = [
        functional.pad(filled[..., j * hop : (j + 1) * hop], (0, 0, j, slices - 1 - j)) for j in reversed(range(slices))
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total.flatten(-2)[..., : (count - 1) * hop + window]


def fitted(x: Tensor, padding: int, length: int | None) -> Tensor:
    """Drop the zeros that were put before a signal; cut it or fill it to its length.

    Args:
        x (Tensor): samples.
        padding (int): how many to drop before the signal, and after it where ``length`` is None.
        length (int | None): samples of the result; None: all but the padding.

    Shape:
        [..., time] -> [..., length]

    Raises:
        DeclarationError: a negative length.
    """
    if length is None:
        length = max(0, x.shape[-1] - 2 * padding)
    elif length < 0:
        raise DeclarationError(f"length={length!r}; allowed: 0 or more samples")
    return functional.pad(x, (-min(padding, x.shape[-1]), length - max(0, x.shape[-1] - padding)))


class LappedTransform(TableModule):
    """What short-time transforms share: the frames, the windows before and after, and the division by their sum.

    A subclass overrides ``_divide`` where dividing by the sum of windows is not what recovers the signal.

    Args:
        samplerate (AudioSampleRate | int): of the signals.
        window_sample_rate (SampleRate): hop and window as times.
        window (WindowingFunc | Callable | None): multiplies each frame.
        pad (bool): put window - hop zeros before and after a signal.
    """

    window: Tensor

    def __init__(self, samplerate: Any, window_sample_rate: Any, window: Any, pad: bool) -> None:
        super().__init__()
        if not hasattr(window_sample_rate, "discrete_samples"):
            raise DeclarationError(
                f"window_sample_rate={window_sample_rate!r}; allowed: a SampleRate like HalfLapped()"
            )
        self.samplerate = rate_of(samplerate)
        self.window_sample_rate = window_sample_rate
        self.windowing_func = WindowingFunc.of(window)
        self.pad = bool(pad)
        self.hop, self.window_size = window_sample_rate.discrete_samples(TimeDimension.from_rate(self.samplerate))
        self._factors: dict[Any, Tensor] = {}

    def init_arguments(self) -> dict[str, Any]:
        """Return the arguments that make a module like this one, as which networks are stored."""
        return {
            "samplerate": self.samplerate,
            "window_sample_rate": self.window_sample_rate,
            "window": self.windowing_func,
            "pad": self.pad,
        }

    @property
    def padding(self) -> int:
        """Zeros before and after a signal, in samples."""
        return max(0, self.window_size - self.hop) if self.pad else 0

    def frame_count(self, length: int) -> int:
        """Return how many frames a signal of ``length`` samples has."""
        return frame_count(length + 2 * self.padding, self.window_size, self.hop) if length else 0

    def time_dimension(self, n_samples: int | None = None) -> TimeDimension:
        """Return the axis of the frames, to put units on what comes out of a network.

        Args:
            n_samples (int | None): samples of the signal, so that a synthesizer trims to them.
        """
        return TimeDimension.windowed(
            self.hop, self.window_size, self.samplerate.rate, padding=self.padding, n_samples=n_samples
        )

    def _frames(self, x: Tensor) -> Tensor:
        """Cut a signal into windowed frames."""
        x = as_signal(x, self.window)
        return framed(x, self.window_size, self.hop, self.padding) * self.window

    def _signal(self, frames: Tensor, length: int | None) -> Tensor:
        """Window frames again, add them, and divide by the sum of both windows."""
        total = added(frames * self.window, self.hop)
        if frames.shape[-2]:
            total = total * self._inverse_weights(total, frames.shape[-2])
        return fitted(total, self.padding, length)

    def _inverse_weights(self, total: Tensor, count: int) -> Tensor:
        key = count, total.dtype, total.device
        if key not in self._factors:
            ones = np.ones(total.shape[-1], np.float32 if total.dtype == torch.float32 else np.float64)
            self._divide(ones, self.windowing_func(self.window_size) ** 2, count)
            if len(self._factors) >= _KEPT:
                self._factors.clear()
            self._factors[key] = torch.as_tensor(ones, dtype=total.dtype, device=total.device)
        return self._factors[key]

    def _divide(self, out: np.ndarray, weights: np.ndarray, count: int) -> None:
        """Divide, in place, a sum of ``count`` frames by what their windows, squared, sum up to."""
        divide_by_weights(out, weights, self.hop, count)
