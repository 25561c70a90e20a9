"""Spectra summed into bands as modules.

Goal: the filter banks of the numpy side on tensors. Conventions: frequency is the last axis; complex spectra or
magnitudes are taken alike. Gradients are finite everywhere, also where a spectrum is zero. Classes: ``BandBank``,
``MelBank``.
"""

from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError
from zounds_lite.learn.nets._tables import TableModule, as_bins, check_positive, check_size, rate_of
from zounds_lite.learn.nets._torch import Tensor, torch
from zounds_lite.learn.nets.transforms._declarations import node_of, rate_before
from zounds_lite.learn.nets.transforms.fourier import ShortTimeFourier
from zounds_lite.spectral import FFTScale, FrequencyScale, SlaneyMelScale, WindowingFunc
from zounds_lite.spectral.filters import filter_bank

__all__ = ["BandBank", "MelBank"]


class BandBank(TableModule):
    """Sums the magnitudes of spectra into the bands of any scale, as ``apply_scale``, ``BarkBands`` and the like.

    Args:
        scale (FrequencyScale): the bands to sum into.
        axis (FrequencyScale): the scale of the spectra's axis: ``ShortTimeFourier(...).scale``, or
            ``array.dimensions[-1].scale``.
        window (WindowingFunc | Callable | None): the shape of a band between its edges; None weights all of it alike.
        power (float): exponent of the magnitude, > 0: 1 for magnitude, 2 for power.

    Shape:
        [..., bins] -> [..., bands]

    Raises:
        DeclarationError: no scales, or a power out of range; an input of another precision or device than the module's.
        DimensionError: an input with another number of bins.

    Examples:
        >>> import torch
        >>> from zounds_lite.spectral import BarkScale, FrequencyBand
        >>> from zounds_lite.timeseries import SR11025
        >>> stft = ShortTimeFourier(SR11025())
        >>> bark = BandBank(BarkScale(FrequencyBand(20, 5512), 32), stft.scale)
        >>> bark(stft(torch.randn(2, 11025))).shape
        torch.Size([2, 43, 32])

    See Also:
        apply_scale: the same on arrays with units.
    """

    bank: Tensor

    def __init__(self, scale: FrequencyScale, axis: FrequencyScale, window: Any = None, power: float = 1.0) -> None:
        super().__init__()
        for name, given in (("scale", scale), ("axis", axis)):
            if not isinstance(given, FrequencyScale):
                raise DeclarationError(f"{name}={given!r}; allowed: a scale such as FFTScale(44100, 2048)")
        check_positive("power", power)
        self.scale, self.axis, self.power = scale, axis, float(power)
        self.windowing_func = None if window is None else WindowingFunc.of(window)
        self._make_tables()

    @classmethod
    def from_feature(cls, feature: Any, samplerate: Any = None) -> "BandBank":
        """Return the module that does what a document's feature does with its spectra.

        Args:
            feature (Feature): one whose node is ``BarkBands`` or ``MelBands``, of an ``FFT``.
            samplerate (AudioSampleRate | int | None): of the audio; None: that of the ``Resampler`` before.

        Raises:
            DeclarationError: another feature.

        Examples:
            >>> from zounds_lite import SR11025, audio_graph
            >>> BandBank.from_feature(audio_graph(resample_to=SR11025()).bark)
            BandBank(257 bins -> 100 bands of BarkScale)
        """
        node = node_of(feature, "BarkBands", "MelBands")
        rate = rate_before(feature) if samplerate is None else rate_of(samplerate)
        spectra = next(iter(feature.named_needs().values()))
        axis = ShortTimeFourier.from_feature(spectra, rate).scale
        scale = node._make_scale(axis)
        if isinstance(scale, SlaneyMelScale):
            return MelBank(scale, axis, node.power)
        return BandBank(scale, axis, node.window)

    def init_arguments(self) -> dict[str, Any]:
        """Return the arguments that make a module like this one, as which networks are stored."""
        return {"scale": self.scale, "axis": self.axis, "window": self.windowing_func, "power": self.power}

    def _tables(self) -> dict[str, np.ndarray]:
        return {"bank": filter_bank(self.scale, self.axis, self.windowing_func).matrix}

    def forward(self, spectra: Tensor) -> Tensor:
        """Sum magnitudes into bands."""
        spectra = as_bins(spectra, len(self.axis), self.bank)
        return _raised(spectra, self.power) @ self.bank.T

    def extra_repr(self) -> str:
        """Return what the module's repr says."""
        return f"{len(self.axis)} bins -> {len(self.scale)} bands of {type(self.scale).__name__}"


class MelBank(BandBank):
    """Sums spectra into mel bands with librosa's filters and scaling, as ``mel_bands`` and ``MelBands`` do.

    Args:
        scale (SlaneyMelScale): the bands to sum into.
        axis (FFTScale): the scale of the spectra's axis: ``ShortTimeFourier(...).scale``.
        power (float): exponent of the magnitude, > 0: 1 for magnitude, 2 for power.

    Shape:
        [..., bins] -> [..., bands]

    Raises:
        DeclarationError: other scales, or a power out of range; an input of another precision or device.
        DimensionError: an input with another number of bins.

    Examples:
        >>> import torch
        >>> from zounds_lite.spectral import FrequencyBand
        >>> from zounds_lite.timeseries import SR11025
        >>> stft = ShortTimeFourier(SR11025())
        >>> mel = MelBank(SlaneyMelScale(FrequencyBand(0, 5512.5), 40), stft.scale)
        >>> mel(stft(torch.randn(2, 11025))).shape
        torch.Size([2, 43, 40])

    See Also:
        mel_bands: the same on arrays with units.
    """

    pseudo_inverse: Tensor

    def __init__(self, scale: SlaneyMelScale, axis: FFTScale, power: float = 2.0) -> None:
        if not isinstance(scale, SlaneyMelScale) or not isinstance(axis, FFTScale):
            raise DeclarationError(
                f"mel bands {scale!r} of the axis {axis!r}; allowed: a SlaneyMelScale and an FFTScale, or BandBank"
            )
        super().__init__(scale, axis, None, power)

    def init_arguments(self) -> dict[str, Any]:
        return {name: value for name, value in super().init_arguments().items() if name != "window"}

    def _tables(self) -> dict[str, np.ndarray]:
        # the factor by which ours differs from a transform without scaling
        axis: Any = self.axis
        weights = super()._tables()["bank"] * float(axis.n_fft) ** (self.power / 2)
        gram = weights @ weights.T
        self._steepest = float(np.linalg.eigvalsh(gram).max(initial=0.0))
        return {"bank": weights, "pseudo_inverse": weights.T @ np.linalg.pinv(gram, hermitian=True)}

    def inverse(self, mel: Tensor, n_iter: int = 64) -> Tensor:
        """Find magnitudes whose mel bands are the given ones, as ``mel_to_magnitude`` does.

        Args:
            mel (Tensor): bands, >= 0.
            n_iter (int): rounds, >= 0.

        Shape:
            [..., bands] -> [..., bins]

        Raises:
            DimensionError: another number of bands.
            DeclarationError: rounds below 0.

        Sources:
            See ``dsp.nonnegative``.
        """
        mel = as_bins(mel, len(self.scale), self.bank, "bands")
        check_size("n_iter", n_iter, 0)
        x = (mel @ self.pseudo_inverse.T).clamp_min(0)
        ahead, pace = x, 1.0
        for _ in range(n_iter if self._steepest > 0 else 0):
            gradient = (ahead @ self.bank.T - mel) @ self.bank
            closer = (ahead - gradient / self._steepest).clamp_min(0)
            next_pace = (1 + (1 + 4 * pace**2) ** 0.5) / 2
            ahead = closer + (pace - 1) / next_pace * (closer - x)
            x, pace = closer, next_pace
        return _powered(x, 1 / self.power)


def _raised(spectra: Tensor, power: float) -> Tensor:
    """Return magnitudes to a power."""
    if power == 2:
        return spectra.real.square() + spectra.imag.square() if spectra.is_complex() else spectra.square()
    return _powered(spectra.abs(), power)


def _powered(x: Tensor, power: float) -> Tensor:
    """Raise numbers >= 0 to a power; the gradient at zero is zero, which a root has none of."""
    if power == 1:
        return x
    smallest = torch.finfo(x.dtype).tiny
    return torch.where(x > 0, x.clamp_min(smallest) ** power, x)
