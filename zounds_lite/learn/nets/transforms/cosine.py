"""The modified discrete cosine transform as a module, and its inverse.

Goal: ``dsp.mdct`` on tensors, by one Fourier transform of half as many complex numbers as there are coefficients.
Class: ``ModifiedCosine``.

How. Where N is even, 2N samples fold into N, whose cosine transform of type IV is wanted (see ``dsp.transforms``); and
with t[n] = exp(-i pi (n + 1/8) / N), that of the numbers z[n] = (x[2n] + i x[N - 1 - 2n]) t[n] is
X[2k] = Re y[k], X[N - 1 - 2k] = -Im y[k], with y[k] = sqrt(2 / N) t[k] sum z[n] exp(-2 pi i n k / (N / 2)). Where N is
odd, the product with the cosines themselves is taken.

Sources:
    J. Princen, A. Johnson, A. Bradley, "Subband/transform coding using filter bank designs based on time domain
    aliasing cancellation", ICASSP 1987; for the cosine transform by a Fourier transform of half the size, P. Duhamel,
    Y. Mahieux, J. P. Petit, "A fast algorithm for the implementation of filter banks based on time domain aliasing
    cancellation", ICASSP 1991.
"""

from typing import Any

import numpy as np

from zounds_lite.dsp.lapped import aliasing, divide_by_repeated_weights
from zounds_lite.dsp.transforms import mdct
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.learn.nets._tables import as_bins
from zounds_lite.learn.nets._torch import Tensor, torch
from zounds_lite.learn.nets.transforms._declarations import Scheme
from zounds_lite.learn.nets.transforms._framing import LappedTransform
from zounds_lite.spectral import LinearScale, OggVorbisWindowingFunc
from zounds_lite.timeseries import HalfLapped

__all__ = ["ModifiedCosine"]

_HALF_LAPPED = HalfLapped()
_VORBIS = OggVorbisWindowingFunc()
_AUDIBLE_ALIASING = 1e-6


class ModifiedCosine(LappedTransform):
    """Transforms signals to modified cosine coefficients, as the nodes ``SlidingWindow`` and ``MDCT`` do.

    Args:
        samplerate (AudioSampleRate | int): of the signals.
        window_sample_rate (SampleRate): hop and window as times; the window must have an even number of samples.
        window (WindowingFunc | Callable | None): multiplies each frame, before the transform and after the inverse.
        pad (bool): put window - hop zeros before and after a signal, so that its first and last samples can be
            recovered too.

    Shape:
        [..., time] -> [..., frames, window / 2]; the last frame is filled with zeros

    Raises:
        SampleRateError: no sample rate of audio.
        DimensionError: a window of an odd number of samples.
        DeclarationError: other arguments out of range; an input of another precision or device than the module's.

    Examples:
        >>> import torch
        >>> from zounds_lite.timeseries import SR11025
        >>> mdct = ModifiedCosine(SR11025(), pad=True)
        >>> x = torch.randn(2, 11025)
        >>> coefficients = mdct(x)
        >>> coefficients.shape, bool((mdct.inverse(coefficients, 11025) - x).abs().max() < 1e-5)
        (torch.Size([2, 45, 256]), True)

    See Also:
        MDCT, MDCTSynthesizer: the same on arrays with units.
    """

    turns: Tensor
    cosines: Tensor

    def __init__(
        self, samplerate: Any, window_sample_rate: Any = _HALF_LAPPED, window: Any = _VORBIS, pad: bool = False
    ) -> None:
        super().__init__(samplerate, window_sample_rate, window, pad)
        if self.window_size % 2:
            raise DimensionError(
                f"windows of {self.window_size} samples: an MDCT takes 2 N samples, so choose a window one sample "
                "longer or shorter"
            )
        self._make_tables()

    @classmethod
    def from_feature(cls, feature: Any, samplerate: Any = None) -> "ModifiedCosine":
        """Return the module that does what a document's feature does.

        Args:
            feature (Feature): one whose node is ``MDCT``, of windows.
            samplerate (AudioSampleRate | int | None): of the audio; None: that of the ``Resampler`` before the windows.

        Raises:
            DeclarationError: another feature, or windows that no module cuts.
        """
        scheme = Scheme.of_transform(feature, "MDCT", samplerate)
        return cls(scheme.samplerate, scheme.wscheme, scheme.wfunc, scheme.pad)

    def _tables(self) -> dict[str, np.ndarray]:
        n = self.n_coefficients
        tables = {"window": self.windowing_func(self.window_size)}
        if n % 2:
            # rows are samples: the transforms of single ones
            tables["cosines"] = mdct(np.eye(2 * n))
        else:
            turns = np.exp(-1j * np.pi / n * (np.arange(n // 2) + 0.125)) * (2.0 / n) ** 0.25
            tables["turns"] = np.stack([turns.real, turns.imag], axis=-1)
        return tables

    @property
    def n_coefficients(self) -> int:
        """Coefficients of a frame."""
        return self.window_size // 2

    @property
    def scale(self) -> LinearScale:
        """The bands of the coefficients."""
        return LinearScale.from_sample_rate(self.samplerate, self.n_coefficients)

    def forward(self, x: Tensor) -> Tensor:
        """Transform signals."""
        frames = self._frames(x)
        if self.n_coefficients % 2:
            return frames @ self.cosines
        a, b, c, d = frames.unflatten(-1, (4, -1)).unbind(-2)
        return self._cosine4(torch.cat([-c.flip(-1) - d, a - b.flip(-1)], dim=-1))

    def inverse(self, coefficients: Tensor, length: int | None = None) -> Tensor:
        """Return the signals that coefficients were made of.

        Args:
            coefficients (Tensor): all of them.
            length (int | None): samples of the result; None: as far as the frames reach, without padding.

        Shape:
            [..., frames, window / 2] -> [..., length]

        Raises:
            DimensionError: another number of coefficients, or a hop that does not divide half the window.
            DeclarationError: a window that leaves aliasing, or a negative length.
        """
        self._check_inverse()
        n = self.n_coefficients
        coefficients = as_bins(coefficients, n, self.window, "coefficients")
        if n % 2:
            return self._signal(coefficients @ self.cosines.T, length)
        first, last = self._cosine4(coefficients).tensor_split(2, dim=-1)
        frames = torch.cat([last, -last.flip(-1), -first.flip(-1), -first], dim=-1)
        return self._signal(frames, length)

    def _cosine4(self, x: Tensor) -> Tensor:
        """Return the orthonormal cosine transform of type IV."""
        if not x.numel():
            return x
        turns = torch.view_as_complex(self.turns)
        z = torch.complex(x[..., ::2], x.flip(-1)[..., ::2]) * turns
        y = torch.fft.fft(z) * turns
        return torch.stack([y.real, -y.imag.flip(-1)], dim=-1).flatten(-2)

    def _check_inverse(self) -> None:
        n, window = self.n_coefficients, self.windowing_func(self.window_size)
        if n % self.hop:
            raise DimensionError(
                f"windows of {self.window_size} samples, {self.hop} apart: aliasing cancels between frames half a "
                f"window apart, so the hop must divide {n}"
            )
        left = aliasing(window, window)
        if left > _AUDIBLE_ALIASING:
            raise DeclarationError(
                f"{self.windowing_func!r} leaves aliasing of {left:.2g}; allowed: a symmetric window"
            )

    def _divide(self, out: np.ndarray, weights: np.ndarray, count: int) -> None:
        divide_by_repeated_weights(out, weights, self.hop)

    def extra_repr(self) -> str:
        """Return what the module's repr says."""
        return f"{self.samplerate.rate} Hz, window={self.window_size}, hop={self.hop}"
