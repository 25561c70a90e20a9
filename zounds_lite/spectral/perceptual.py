"""Scales that follow hearing and music.

Goal: bands that lie where ears, or keyboards, put them. Conventions: as in ``scales``. Types: ``GeometricScale``
(constant Q), ``BarkScale``, ``MelScale``, ``ERBScale`` (with bands as wide as the ear's filters), ``SlaneyMelScale``
(librosa's triangles). Pitch classes are in ``pitchclasses``.
"""

from functools import cached_property
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.dsp.curves import (
    bark_to_hz,
    erb,
    erb_rate_to_hz,
    hz_to_bark,
    hz_to_erb_rate,
    hz_to_mel,
    hz_to_slaney_mel,
    mel_to_hz,
    slaney_mel_to_hz,
)
from zounds_lite.dsp.filterbank import slaney_mel_matrix
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral.bands import FrequencyBand
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.spectral.scales import FrequencyScale, check_count, read_only

__all__ = ["BarkScale", "ERBScale", "GeometricScale", "MelScale", "SlaneyMelScale"]


class GeometricScale(FrequencyScale):
    """Bands of constant Q whose centres progress geometrically.

    Args:
        start_center_hz (float): centre of the first band in hertz, > 0.
        stop_center_hz (float): centre of the last band in hertz, > ``start_center_hz``.
        bandwidth_ratio (float): width of a band over its centre, > 0; 1 / Q.
        n_bands (int): number of bands, >= 1.
        always_even (bool): slices in hertz always take an even number of bands.

    Raises:
        DeclarationError: no bands, or centres or a ratio that are not positive and increasing.

    Examples:
        >>> scale = GeometricScale(20, 20000, 0.05, 10)
        >>> scale.start_hz, scale.stop_hz, scale.Q.round(6).tolist()[:2]
        (19.5, 20500.0, [20.0, 20.0])
    """

    start_center_hz: float
    stop_center_hz: float
    bandwidth_ratio: float

    def __init__(
        self,
        start_center_hz: float,
        stop_center_hz: float,
        bandwidth_ratio: float,
        n_bands: int,
        always_even: bool = False,
    ) -> None:
        Declared.__init__(
            self,
            start_center_hz=start_center_hz,
            stop_center_hz=stop_center_hz,
            bandwidth_ratio=bandwidth_ratio,
            n_bands=n_bands,
            always_even=always_even,
        )

    def validate(self) -> None:
        """Refuse scales without bands, and centres that do not rise from above 0 Hz."""
        check_count(self.n_bands)
        if not 0 < self.start_center_hz < self.stop_center_hz < np.inf:
            raise DeclarationError(
                f"centres {self.start_center_hz!r} to {self.stop_center_hz!r} Hz; allowed: 0 < start < stop"
            )
        if not 0 < self.bandwidth_ratio < np.inf:
            raise DeclarationError(f"bandwidth_ratio={self.bandwidth_ratio!r}; allowed: > 0, such as 0.05 for Q = 20")

    @cached_property
    def frequency_band(self) -> FrequencyBand:  # type: ignore[override]
        """From the start of the first band to the stop of the last one."""
        return FrequencyBand(float(self.band_starts[0]), float(self.band_stops[-1]))

    def _edges(self) -> tuple[Any, Any]:
        centers = np.geomspace(self.start_center_hz, self.stop_center_hz, len(self))
        half = centers * self.bandwidth_ratio / 2
        return centers - half, centers + half


class _HearingScale(FrequencyScale):
    """Centres at equal steps of a hearing scale, both ends included; each band one ERB wide around its centre."""

    def validate(self) -> None:
        """Refuse scales without bands, and starts where a filter of the ear would have no width."""
        super().validate()
        if erb(self.start_hz) <= 0:
            raise DeclarationError(f"a {type(self).__name__} from {self.start_hz} Hz; allowed: from above -228 Hz")

    def _centers(self) -> np.ndarray:
        raise NotImplementedError(f"{type(self).__name__} does not say where its centres are")

    def _edges(self) -> tuple[Any, Any]:
        centers = self._centers()
        half = erb(centers) / 2
        return centers - half, centers + half


class BarkScale(_HearingScale):
    """Centres at equal steps in bark; each band as wide as the ear's filter there.

    Bands do not tile: few of them leave gaps, many overlap. The first may start below 0 Hz.

    Args:
        frequency_band (FrequencyBand): from the centre of the first band to the centre of the last one.
        n_bands (int): number of bands, >= 1.
        always_even (bool): slices in hertz always take an even number of bands.

    Examples:
        >>> BarkScale(FrequencyBand(20, 5000), 5).center_frequencies.round(2).tolist()
        [20.0, 477.37, 1175.42, 2466.06, 5000.0]

    Sources:
        Schroeder's bark (see ``Bark``); ERB = 0.108 f + 24.7 Hz after B. C. J. Moore, B. R. Glasberg, "Suggested
        formulae for calculating auditory-filter bandwidths and excitation patterns", J. Acoust. Soc. Am. 74 (1983).
    """

    def _centers(self) -> np.ndarray:
        return bark_to_hz(np.linspace(hz_to_bark(self.start_hz), hz_to_bark(self.stop_hz), len(self)))


class MelScale(_HearingScale):
    """Centres at equal steps in mel; each band as wide as the ear's filter there.

    Args:
        frequency_band (FrequencyBand): from the centre of the first band to the centre of the last one.
        n_bands (int): number of bands, >= 1.
        always_even (bool): slices in hertz always take an even number of bands.

    Examples:
        >>> MelScale(FrequencyBand(20, 5000), 5).center_frequencies.round(2).tolist()
        [20.0, 507.73, 1325.83, 2698.12, 5000.0]

    See Also:
        SlaneyMelScale: the mel bands of librosa.
    """

    def _centers(self) -> np.ndarray:
        return mel_to_hz(np.linspace(hz_to_mel(self.start_hz), hz_to_mel(self.stop_hz), len(self)))


class ERBScale(_HearingScale):
    """Centres at equal steps of the ERB-rate; each band one equivalent rectangular bandwidth wide.

    The widths of the bands are the steps of the scale itself, so bands one ERB-rate apart just touch; twice as many
    overlap by half, as a bank of gammatone filters does.

    Args:
        frequency_band (FrequencyBand): from the centre of the first band to the centre of the last one, above -228 Hz.
        n_bands (int): number of bands, >= 1.
        always_even (bool): slices in hertz always take an even number of bands.

    Raises:
        DeclarationError: no bands, or a start below -228 Hz, where no filter has a width.

    Examples:
        >>> ERBScale(FrequencyBand(20, 5000), 5).center_frequencies.round(2).tolist()
        [20.0, 303.93, 911.83, 2213.36, 5000.0]

    See Also:
        gammatone_filter_bank: filters on this scale.

    Sources:
        B. R. Glasberg, B. C. J. Moore, "Derivation of auditory filter shapes from notched-noise data", Hearing Research
        47 (1990), eq. 4 for the centres and eq. 3, rounded to 24.7 + 0.108 f, for the widths.
    """

    def _centers(self) -> np.ndarray:
        start, stop = hz_to_erb_rate(self.start_hz), hz_to_erb_rate(self.stop_hz)
        return erb_rate_to_hz(np.linspace(start, stop, len(self)))


class SlaneyMelScale(FrequencyScale):
    """The mel bands of librosa: overlapping triangles whose corners lie at equal steps of Slaney's mel.

    A triangle reaches from the peak of its left neighbour to that of its right one, and has unit area in hertz. Where
    bins are farther apart than corners, a low band may hold no bin and stays zero, as it does in librosa.

    Args:
        frequency_band (FrequencyBand): from the start of the first triangle to the stop of the last one, from >= 0 Hz.
        n_bands (int): number of bands, >= 1.
        always_even (bool): slices in hertz always take an even number of bands.

    Examples:
        >>> SlaneyMelScale(FrequencyBand(0, 11025), 128).center_frequencies[:2].round(3).tolist()
        [25.794, 51.587]

    Sources:
        M. Slaney, "Auditory Toolbox", Technical Report 1998-010, Interval Research (1998), function mfcc.
    """

    def validate(self) -> None:
        """Refuse scales without bands, and bands below 0 Hz, where mel is not defined."""
        super().validate()
        if self.start_hz < 0:
            raise DeclarationError(f"a mel scale from {self.start_hz} Hz; allowed: from 0 Hz")

    @cached_property
    def _corners(self) -> np.ndarray:
        start, stop = hz_to_slaney_mel(self.start_hz), hz_to_slaney_mel(self.stop_hz)
        return slaney_mel_to_hz(np.linspace(start, stop, len(self) + 2))

    def _edges(self) -> tuple[Any, Any]:
        return self._corners[:-2], self._corners[2:]

    @cached_property
    def center_frequencies(self) -> np.ndarray:
        """Peak of each triangle in hertz; not the middle of its band."""
        return read_only(self._corners[1:-1])

    def basis(self, other: FrequencyScale, window: Any = None) -> np.ndarray:
        """Return the triangles; they are their own window, so none else is taken.

        Args:
            other (FrequencyScale): the axis of a Fourier transform.
            window (None): must be None.

        Shape:
            -> [len(self), len(other)]

        Raises:
            DimensionError: ``other`` is no axis of a Fourier transform.
            DeclarationError: a window was given.
        """
        if not isinstance(other, FFTScale):
            raise DimensionError(f"mel triangles on a {type(other).__name__}; allowed: the axis of fft or stft")
        if window is not None:
            raise DeclarationError(f"window={window!r} for mel triangles, which have their own shape; give None")
        matrix = slaney_mel_matrix(other.samplerate, other.n_fft, len(self), self.start_hz, self.stop_hz)
        return matrix[:, other.start : other.stop]
