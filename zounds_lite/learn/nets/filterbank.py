"""A bank of wavelets to convolve signals with, as a module. Class: ``FilterBank``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.learn.nets._correlation import correlated, spread
from zounds_lite.learn.nets._tables import TableModule, as_bins, as_signals, check_size, rate_of
from zounds_lite.learn.nets._torch import Tensor, functional, torch
from zounds_lite.spectral import AWeighting, FrequencyDimension, FrequencyScale, morlet_filter_bank
from zounds_lite.timeseries import TimeDimension

__all__ = ["FilterBank"]


class FilterBank(TableModule):
    """Filters signals with Morlet wavelets, one at the centre of each band of a scale.

    Results have as many samples as the signals, for even kernels too: sample n of a band is the sum of the products of
    the wavelet with the samples from n - kernel_size // 2 on, with zeros outside the signal.

    Args:
        samplerate (AudioSampleRate | int): of the signals.
        kernel_size (int): samples in a wavelet, >= 2.
        scale (FrequencyScale): whose centres are the wavelets' frequencies.
        scaling_factors (float | Sequence[float]): one for all or one per band, 0 to 1: small ones tell frequencies
            apart, large ones times.
        normalize_filters (bool): scale each wavelet to a Euclidean norm of 1.
        a_weighting (bool): multiply each wavelet with the documented factor of ``AWeighting``, which is shaped like
            decibels.

    Shape:
        [..., time] -> [signals, bands, time]

    Raises:
        SampleRateError: no sample rate of audio.
        DeclarationError: other arguments out of range; an input of another precision or device than the module's.

    Examples:
        >>> import torch
        >>> from zounds_lite.spectral import GeometricScale
        >>> from zounds_lite.timeseries import SR11025
        >>> bank = FilterBank(SR11025(), 512, GeometricScale(100, 4000, 0.05, 64), 0.25)
        >>> tone = torch.sin(2 * torch.pi * 1000 / 11025 * torch.arange(11025))
        >>> loudest = int(bank(tone, normalize=False)[0].mean(dim=-1).argmax())
        >>> bank.scale.bands[loudest].start_hz < 1000 < bank.scale.bands[loudest].stop_hz
        True

    See Also:
        morlet_filter_bank: the wavelets, with units. BandBank: bands of spectra.
    """

    filter_bank: Tensor

    def __init__(
        self,
        samplerate: Any,
        kernel_size: int,
        scale: FrequencyScale,
        scaling_factors: float | Sequence[float],
        normalize_filters: bool = True,
        a_weighting: bool = True,
    ) -> None:
        super().__init__()
        self.samplerate = rate_of(samplerate)
        self.kernel_size = kernel_size
        self.scale = scale
        self.scaling_factors = scaling_factors
        self.normalize_filters = normalize_filters
        self.a_weighting = a_weighting
        self._make_tables()

    def _tables(self) -> dict[str, np.ndarray]:
        bank = morlet_filter_bank(
            self.samplerate, self.kernel_size, self.scale, self.scaling_factors, self.normalize_filters
        )
        if self.a_weighting:
            bank = bank * AWeighting()
        return {"filter_bank": np.asarray(bank)[:, None]}

    @property
    def n_bands(self) -> int:
        """The number of bands."""
        return len(self.scale)

    def convolve(self, x: Tensor) -> Tensor:
        """Correlate signals with all wavelets.

        Args:
            x (Tensor): real samples; all axes but the last are taken for batches.

        Shape:
            [..., time] -> [signals, bands, time]
        """
        size = self.kernel_size
        return correlated(as_signals(x, self.filter_bank), self.filter_bank[:, 0], size // 2, (size - 1) // 2)

    def transposed_convolve(self, x: Tensor) -> Tensor:
        """Add the wavelets of all bands at their places: the transpose of ``convolve``, with its factors.

        Args:
            x (Tensor): signals in bands.

        Shape:
            [signals, bands, time] -> [signals, 1, time]

        Raises:
            DimensionError: another number of bands or axes.
        """
        if getattr(x, "ndim", 0) != 3:
            raise DimensionError(f"bands of shape {tuple(np.shape(x))}; needed: (signals, {self.n_bands}, time)")
        x = as_bins(x.transpose(1, 2), self.n_bands, self.filter_bank, "bands").transpose(1, 2)
        return spread(x, self.filter_bank[:, 0], self.kernel_size // 2)

    def log_magnitude(self, x: Tensor) -> Tensor:
        """Return the positive half of waves in decibels over one: 20 log10(1 + max(x, 0))."""
        return 20 * torch.log10(1 + functional.relu(x))

    def temporal_pooling(self, x: Tensor, kernel_size: int, stride: int) -> Tensor:
        """Average along time. Frame t is centred at sample t * stride; zeros outside the signal count.

        Args:
            x (Tensor): signals in bands.
            kernel_size (int): samples in an average, >= 1.
            stride (int): samples from one to the next, >= 1.

        Shape:
            [signals, bands, time] -> [signals, bands, frames], with
            (time + 2 * (kernel_size // 2) - kernel_size) // stride + 1 frames
        """
        check_size("kernel_size", kernel_size)
        check_size("stride", stride)
        return functional.avg_pool1d(x, kernel_size, stride, padding=kernel_size // 2)

    def transform(self, samples: Any, pooling_kernel_size: int, pooling_stride: int) -> ArrayWithUnits:
        """Filter a sound, and return its log magnitude in frames, with units.

        Args:
            samples (AudioSamples): one channel, at the rate of the filters.
            pooling_kernel_size (int): samples in a frame, >= 1.
            pooling_stride (int): samples from one frame to the next, >= 1.

        Shape:
            [time] -> [frames, bands]

        Raises:
            DimensionError: no sound of one channel.
            DeclarationError: another rate.

        Examples:
            >>> from zounds_lite.spectral import GeometricScale
            >>> from zounds_lite.synthesize import SineSynthesizer
            >>> from zounds_lite.timeseries import SR11025, Seconds
            >>> bank = FilterBank(SR11025(), 512, GeometricScale(100, 4000, 0.05, 64), 0.25)
            >>> frames = bank.transform(SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0]), 512, 256)
            >>> frames.shape, frames.dimensions[0].hop, frames.dimensions[1].scale == bank.scale
            ((44, 64), 256, True)
        """
        time = samples.dimensions[0] if getattr(samples, "dimensions", ()) else None
        if not isinstance(time, TimeDimension) or samples.ndim != 1:
            raise DimensionError(f"{type(samples).__name__} of shape {np.shape(samples)}; needed: AudioSamples (time,)")
        if time.rate != self.samplerate.rate or not time.is_audio:
            raise DeclarationError(f"samples at {time!r} for filters at {self.samplerate!r}; resample them first")
        x = torch.as_tensor(np.array(samples), dtype=self.filter_bank.dtype, device=self.filter_bank.device)
        with torch.no_grad():
            pooled = self.temporal_pooling(self.log_magnitude(self.convolve(x)), pooling_kernel_size, pooling_stride)
        frames = TimeDimension.windowed(
            pooling_stride,
            pooling_kernel_size,
            self.samplerate.rate,
            padding=pooling_kernel_size // 2,
            n_samples=len(samples),
        )
        return ArrayWithUnits(pooled[0].T.cpu().numpy(), [frames, FrequencyDimension(self.scale)])

    def forward(self, x: Tensor, normalize: bool = True) -> Tensor:
        """Filter signals and take the log magnitude.

        Args:
            x (Tensor): real samples.
            normalize (bool): bring each signal to a mean of 0 and a standard deviation of 1 over bands and time; one
                that does not vary becomes 0.
        """
        x = self.log_magnitude(self.convolve(x))
        if not normalize or x[0:1].numel() < 2:
            return x
        x = x - x.mean(dim=(1, 2), keepdim=True)
        spread = x.std(dim=(1, 2), keepdim=True)
        return x / torch.where(spread > 0, spread, torch.ones_like(spread))

    def extra_repr(self) -> str:
        """Return what the module's repr says."""
        return (
            f"{self.samplerate.rate} Hz, {self.n_bands} bands of {type(self.scale).__name__}, {self.kernel_size} taps"
        )
