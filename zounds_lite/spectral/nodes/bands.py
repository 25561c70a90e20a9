"""Spectra of streams, summed into bands or pitch classes, or weighted.

Nodes: ``BarkBands``, ``MelBands``, ``Chroma``, ``ChromaSTFT``, ``FrequencyWeighting``.
"""

from collections.abc import Iterator
from typing import Any

from zounds_lite.core import ArrayWithUnits
from zounds_lite.core.buffers import Aligned
from zounds_lite.dsp.filterbank import BLOCK
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.featureflow import Node, Pointwise
from zounds_lite.spectral.bands import FrequencyBand
from zounds_lite.spectral.filters import frequency_scale
from zounds_lite.spectral.functional.bands import apply_scale, mel_bands
from zounds_lite.spectral.functional.chroma import chroma, chroma_stft
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.spectral.perceptual import BarkScale, SlaneyMelScale
from zounds_lite.spectral.pitchclasses import ChromaScale, EllisChromaScale
from zounds_lite.spectral.scales import FrequencyScale, check_count
from zounds_lite.spectral.weighting import AWeighting
from zounds_lite.spectral.windows import HanningWindowingFunc, WindowingFunc

__all__ = ["BarkBands", "Chroma", "ChromaSTFT", "FrequencyWeighting", "MelBands"]

_HANN = HanningWindowingFunc()
_A_WEIGHTING = AWeighting()
_PIANO = FrequencyBand(27.5, 4186.01)


class _Bands(Node):
    """Sums spectra into bands, in aligned blocks of rows, so that a stream gives the same bits as the whole."""

    footprint = Pointwise(BLOCK)

    def _make_scale(self, axis: FrequencyScale) -> FrequencyScale:
        raise NotImplementedError(f"{type(self).__name__} does not say what its bands are")

    def _summed(self, rows: Any) -> ArrayWithUnits:
        raise NotImplementedError(f"{type(self).__name__} does not say how it sums")

    def _first_chunk(self, data: Any) -> Any:
        self._rows = Aligned(BLOCK)
        self._scale = self._make_scale(frequency_scale(data))
        self._nothing: Any = data[:0]
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        rows = self._rows.push(data)
        if rows is not None:
            self._nothing = None
            yield self._summed(rows)

    def _last_chunk(self) -> Iterator[Any]:
        rows = self._rows.finish() if hasattr(self, "_rows") else None
        if rows is None:
            rows = getattr(self, "_nothing", None)  # no frames at all are an empty spectrum, not none
        if rows is not None:
            yield self._summed(rows)


class BarkBands(_Bands):
    """Sums the magnitudes of spectra into bands that follow the ear.

    No band is empty: where bins are farther apart than bands are wide, a band takes its share of the nearest one.

    Args:
        frequency_band (FrequencyBand | None): from the centre of the first band to that of the last one; None: 20 Hz to
            the Nyquist frequency.
        n_bands (int): number of bands, >= 1.
        window (WindowingFunc | None): the shape of a band between its edges; None weights all of it alike.
        needs (Node): gives spectra; frequency is the last axis.
        samplerate (SampleRate | None): where ``frequency_band`` is None, the rate whose Nyquist frequency is meant;
            None: that of the spectra.

    Shape:
        [frames, bins] -> [frames, n_bands]

    Raises:
        DimensionError: the last axis has no frequencies.
        DeclarationError: no bands.
    """

    revision = 1

    def __init__(
        self,
        frequency_band: FrequencyBand | None = None,
        n_bands: int = 100,
        window: WindowingFunc | None = _HANN,
        needs: Any = None,
        samplerate: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        check_count(n_bands)
        self.frequency_band = frequency_band
        self.n_bands = n_bands
        self.window = window
        self.samplerate = samplerate

    def _make_scale(self, axis: FrequencyScale) -> FrequencyScale:
        band = self.frequency_band
        if band is None and self.samplerate is not None:
            band = FrequencyBand.audible_range(self.samplerate)
        elif band is None:
            band = FrequencyBand(20, axis.stop_hz)
        return BarkScale(band, self.n_bands)

    def _summed(self, rows: Any) -> ArrayWithUnits:
        return apply_scale(rows, self._scale, self.window)


class MelBands(_Bands):
    """Sums spectra into mel bands, with the filters and the scaling of ``librosa.feature.melspectrogram``.

    Args:
        frequency_band (FrequencyBand | None): from the start of the first triangle to the stop of the last one; None: 0
            Hz to half the sample rate.
        n_bands (int): number of bands, >= 1.
        power (float): exponent of the magnitude, > 0: 1 for magnitude, 2 for power.
        needs (Node): gives the result of ``FFT``; for librosa's values, windowed by
            ``HanningWindowingFunc(periodic=True)``.

    Shape:
        [frames, bins] -> [frames, n_bands]

    Raises:
        DimensionError: the last axis is none of a Fourier transform.
        DeclarationError: no bands, or ``power`` is not positive.
    """

    revision = 1

    def __init__(
        self,
        frequency_band: FrequencyBand | None = None,
        n_bands: int = 128,
        power: float = 2.0,
        needs: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        check_count(n_bands)
        if not power > 0:
            raise DeclarationError(f"power={power!r}; allowed: above 0, such as 2 for power")
        self.frequency_band = frequency_band
        self.n_bands = n_bands
        self.power = power

    def _make_scale(self, axis: FrequencyScale) -> FrequencyScale:
        if not isinstance(axis, FFTScale):
            raise DimensionError(f"mel bands of a {type(axis).__name__}; allowed: the result of FFT")
        return SlaneyMelScale(self.frequency_band or FrequencyBand(0, axis.samplerate / 2), self.n_bands)

    def _summed(self, rows: Any) -> ArrayWithUnits:
        return mel_bands(rows, self._scale, self.power)  # type: ignore[arg-type]


class Chroma(_Bands):
    """Sums the weighted magnitudes of spectra into the twelve pitch classes.

    A note reaches from its lower neighbour to its upper one, so low notes are told apart only where bins lie closer
    than they do: all 88 keys of a piano need windows of at least 0.6 s.

    Args:
        frequency_band (FrequencyBand | None): the notes that count, from > 0 Hz; None: the keys of a piano.
        window (WindowingFunc | None): the shape of a note between its neighbours; None weights all of it alike.
        needs (Node): gives spectra; frequency is the last axis.
        first (str): the class that comes first, "A" or "C".
        weighting (FrequencyWeighting | None): how much each frequency counts: by default the documented factors of
            ``AWeighting``, which are shaped like decibels; ``AWeighting(gain=True)`` is the true one; None: all alike.

    Shape:
        [frames, bins] -> [frames, 12]

    Raises:
        DimensionError: the last axis has no frequencies.
        DeclarationError: notes from 0 Hz, or another first class.

    See Also:
        ChromaSTFT: with the filters and the scaling of librosa.
    """

    revision = 1

    def __init__(
        self,
        frequency_band: FrequencyBand | None = None,
        window: WindowingFunc | None = _HANN,
        needs: Any = None,
        first: str = "A",
        weighting: Any = _A_WEIGHTING,
    ) -> None:
        super().__init__(needs=needs)
        ChromaScale(_PIANO if frequency_band is None else frequency_band, first)  # refuses what cannot be
        self.frequency_band = frequency_band
        self.window = window
        self.first = first
        self.weighting = weighting

    def _make_scale(self, axis: FrequencyScale) -> FrequencyScale:
        return ChromaScale(_PIANO if self.frequency_band is None else self.frequency_band, self.first)

    def _summed(self, rows: Any) -> ArrayWithUnits:
        return chroma(rows, self._scale, self.window, self.weighting)  # type: ignore[arg-type]


class ChromaSTFT(_Bands):
    """Sums spectra into the twelve pitch classes, as ``librosa.feature.chroma_stft``; each frame's largest value is 1.

    Args:
        scale (EllisChromaScale | None): the filters; None: those of librosa, from C, tuned to 440 Hz.
        power (float): exponent of the magnitude, > 0: 1 for magnitude, 2 for power.
        needs (Node): gives the result of ``FFT``; for librosa's values, windowed by
            ``HanningWindowingFunc(periodic=True)``.

    Shape:
        [frames, bins] -> [frames, 12]

    Raises:
        DimensionError: the last axis is none of a Fourier transform.
        DeclarationError: ``power`` is not positive.
    """

    revision = 1

    def __init__(self, scale: EllisChromaScale | None = None, power: float = 2.0, needs: Any = None) -> None:
        super().__init__(needs=needs)
        if not power > 0:
            raise DeclarationError(f"power={power!r}; allowed: above 0, such as 2 for power")
        self.scale = scale
        self.power = power

    def _make_scale(self, axis: FrequencyScale) -> FrequencyScale:
        return EllisChromaScale() if self.scale is None else self.scale

    def _summed(self, rows: Any) -> ArrayWithUnits:
        return chroma_stft(rows, self._scale, self.power)  # type: ignore[arg-type]


class FrequencyWeighting(Node):
    """Multiplies spectra with a weighting.

    Args:
        weighting (FrequencyWeighting | None): one factor per band; None: ``AWeighting()``.
        needs (Node): gives arrays with a frequency axis.

    Raises:
        DimensionError: no axis has frequencies.
    """

    revision = 1
    footprint = Pointwise()

    def __init__(self, weighting: Any = None, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.weighting = weighting

    def _process(self, data: Any) -> Iterator[Any]:
        yield data * (AWeighting() if self.weighting is None else self.weighting)
