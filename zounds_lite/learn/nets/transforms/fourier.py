"""The short-time Fourier transform as a module, and its inverse. Class: ``ShortTimeFourier``."""

from typing import Any

import numpy as np

from zounds_lite.learn.nets._tables import as_bins, check_size
from zounds_lite.learn.nets._torch import Tensor, torch
from zounds_lite.learn.nets.transforms._declarations import Scheme
from zounds_lite.learn.nets.transforms._framing import LappedTransform
from zounds_lite.spectral import FFTScale, HanningWindowingFunc
from zounds_lite.timeseries import HalfLapped

__all__ = ["ShortTimeFourier"]

_HALF_LAPPED = HalfLapped()
_HANN = HanningWindowingFunc()


class ShortTimeFourier(LappedTransform):
    """Transforms signals to short-time spectra, as ``stft`` and the nodes ``SlidingWindow`` and ``FFT`` do.

    Args:
        samplerate (AudioSampleRate | int): of the signals.
        window_sample_rate (SampleRate): hop and window as times.
        window (WindowingFunc | Callable | None): multiplies each frame, before the transform and after the inverse.
        pad (bool): put window - hop zeros before and after a signal, so that its first and last samples can be
            recovered too.
        padding_samples (int): zeros put after each frame, >= 0; they interpolate the spectrum.

    Shape:
        [..., time] -> [..., frames, bins], complex; the last frame is filled with zeros

    Raises:
        SampleRateError: no sample rate of audio.
        DeclarationError: other arguments out of range; an input of another precision or device than the module's.

    Examples:
        >>> import torch
        >>> from zounds_lite.timeseries import SR11025
        >>> stft = ShortTimeFourier(SR11025(), pad=True)
        >>> x = torch.randn(2, 3, 11025)
        >>> spectra = stft(x)
        >>> spectra.shape, bool((stft.inverse(spectra, 11025) - x).abs().max() < 1e-5)
        (torch.Size([2, 3, 45, 257]), True)

    See Also:
        stft, FFTSynthesizer: the same on arrays with units.
    """

    def __init__(
        self,
        samplerate: Any,
        window_sample_rate: Any = _HALF_LAPPED,
        window: Any = _HANN,
        pad: bool = False,
        padding_samples: int = 0,
    ) -> None:
        super().__init__(samplerate, window_sample_rate, window, pad)
        check_size("padding_samples", padding_samples, 0)
        self.padding_samples = int(padding_samples)
        self._make_tables()

    @classmethod
    def from_feature(cls, feature: Any, samplerate: Any = None) -> "ShortTimeFourier":
        """Return the module that does what a document's feature does.

        Args:
            feature (Feature): one whose node is ``FFT``, of windows: ``Sound.fft``.
            samplerate (AudioSampleRate | int | None): of the audio; None: that of the ``Resampler`` before the windows.

        Raises:
            DeclarationError: another feature, or windows that no module cuts.

        Examples:
            >>> from zounds_lite import SR11025, stft
            >>> ShortTimeFourier.from_feature(stft(resample_to=SR11025()).fft).window_size
            512
        """
        scheme = Scheme.of_transform(feature, "FFT", samplerate)
        return cls(scheme.samplerate, scheme.wscheme, scheme.wfunc, scheme.pad, scheme.padding_samples)

    def init_arguments(self) -> dict[str, Any]:
        return {**super().init_arguments(), "padding_samples": self.padding_samples}

    def _tables(self) -> dict[str, np.ndarray]:
        return {"window": self.windowing_func(self.window_size)}

    @property
    def n_fft(self) -> int:
        """Samples in the transform."""
        return self.window_size + self.padding_samples

    @property
    def scale(self) -> FFTScale:
        """The frequencies of the bins."""
        return FFTScale(self.samplerate.rate, self.n_fft)

    def forward(self, x: Tensor) -> Tensor:
        """Transform signals."""
        frames = self._frames(x)
        if not frames.numel():  # which a Fourier transform does not take
            return torch.complex(frames, frames).new_zeros((*frames.shape[:-1], self.n_fft // 2 + 1))
        return torch.fft.rfft(frames, n=self.n_fft, norm="ortho")

    def inverse(self, spectra: Tensor, length: int | None = None) -> Tensor:
        """Return the signals that spectra were made of: those with the least squared error.

        Args:
            spectra (Tensor): all bins.
            length (int | None): samples of the result; None: as far as the frames reach, without padding.

        Shape:
            [..., frames, bins] -> [..., length]

        Raises:
            DimensionError: another number of bins.
            DeclarationError: a negative length.

        Sources:
            D. W. Griffin, J. S. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP
            32 (1984), eq. 6.
        """
        spectra = as_bins(spectra, self.n_fft // 2 + 1, self.window)
        if not spectra.numel():
            return self._signal(spectra.real.new_zeros((*spectra.shape[:-1], self.window_size)), length)
        frames = torch.fft.irfft(spectra, n=self.n_fft, norm="ortho")[..., : self.window_size]
        return self._signal(frames, length)

    def extra_repr(self) -> str:
        """Return what the module's repr says."""
        return f"{self.samplerate.rate} Hz, window={self.window_size}, hop={self.hop}, n_fft={self.n_fft}"
