"""Scales that follow hearing and music.

Goal: bands that lie where ears, or keyboards, put them. Conventions: as in ``scales``. Types: ``GeometricScale``
(constant Q), ``BarkScale``, ``MelScale`` (both with bands as wide as the ear's filters), ``SlaneyMelScale`` (librosa's
triangles), ``ChromaScale`` (the twelve pitch classes).
"""

from functools import cached_property
from typing import Any, NoReturn

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.dsp.curves import (
    bark_to_hz,
    erb,
    hz_to_bark,
    hz_to_mel,
    hz_to_slaney_mel,
    mel_to_hz,
    slaney_mel_to_hz,
)
from zounds_lite.dsp.filterbank import slaney_mel_matrix
from zounds_lite.errors import DeclarationError, DimensionError, UnitIndexError
from zounds_lite.spectral.bands import FrequencyBand
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.spectral.scales import ExplicitScale, FrequencyScale, check_count, read_only

__all__ = ["BarkScale", "ChromaScale", "GeometricScale", "MelScale", "SlaneyMelScale"]


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


_CLASSES = {"A": 69, "C": 60}
"""Pitch classes that may come first, with a MIDI note of each."""


class ChromaScale(FrequencyScale):
    """The twelve pitch classes, each summed over all octaves.

    It has no bands of its own, only a way to sum a spectrum: a note reaches from the note below it to the note above
    it, with its own pitch in the middle.

    Args:
        frequency_band (FrequencyBand): the notes that count, from > 0 Hz.
        first (str): the class that comes first: "A", or "C" as in librosa.

    Raises:
        DeclarationError: a band from 0 Hz or below, or another first class.

    Examples:
        >>> scale = ChromaScale(FrequencyBand(50, 5000))
        >>> weights = scale.basis(FFTScale(44100, 8192))
        >>> int(weights[:, round(440 * 8192 / 44100)].argmax())
        0

    Sources:
        Equal temperament, A4 = 440 Hz (ISO 16:1975).
    """

    first: str
    always_even = False

    def __init__(self, frequency_band: FrequencyBand, first: str = "A") -> None:
        Declared.__init__(self, frequency_band=frequency_band, first=first)

    def validate(self) -> None:
        """Refuse bands without a lowest note, and classes that cannot come first."""
        super().validate()
        if self.start_hz <= 0:
            raise DeclarationError(f"notes from {self.start_hz} Hz; allowed: from above 0 Hz, such as 27.5 Hz")
        if self.first not in _CLASSES:
            raise DeclarationError(f"first={self.first!r}; allowed: {', '.join(map(repr, _CLASSES))}")

    @property
    def n_bands(self) -> int:  # type: ignore[override]
        """Twelve."""
        return 12

    def _edges(self) -> NoReturn:
        raise UnitIndexError(
            "a pitch class has no band of its own: it gathers all octaves; slice the spectrum before, or use integers"
        )

    @cached_property
    def notes(self) -> ExplicitScale:
        """One band per note: from the note below to the note above."""
        low, high = np.round(12 * np.log2(np.array([self.start_hz, self.stop_hz]) / 440)).astype(int)
        hz = (440 * 2.0 ** (np.arange(low - 1, high + 2) / 12)).tolist()
        return ExplicitScale(FrequencyBand(a, b) for a, b in zip(hz[:-2], hz[2:], strict=True))

    def basis(self, other: FrequencyScale, window: Any = None) -> np.ndarray:
        """Return the weights that sum an axis into pitch classes.

        Args:
            other (FrequencyScale): the scale of the axis to sum.
            window (WindowingFunc | None): the shape of a note between its neighbours; None weights all of it alike.

        Shape:
            -> [12, len(other)]
        """
        weights = self.notes.basis(other, window)
        lowest = round(12 * np.log2(self.start_hz / 440)) + 69
        classes = (np.arange(len(weights)) + lowest - _CLASSES[self.first]) % 12
        result = np.zeros((12, weights.shape[1]), weights.dtype)
        np.add.at(result, classes, weights)
        return result

    def get_slice(self, index: Any) -> slice:
        """Pass slices of integers on; pitch classes cannot be sliced in hertz."""
        if isinstance(index, slice) and not any(isinstance(b, float) for b in (index.start, index.stop)):
            return index
        return self._edges()
