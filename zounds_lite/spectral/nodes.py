"""Spectral nodes: the functions of ``functional``, in streams.

Goal: features that are the same whether a sound comes whole or in chunks of any size. Conventions: chunks are arrays
with units whose first axis is time; each node does one thing. Nodes: ``SlidingWindow``, ``FFT``, ``BarkBands``,
``MelBands``, ``FrequencyWeighting``.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.core.buffers import Aligned
from zounds_lite.dsp.filterbank import BLOCK
from zounds_lite.dsp.framing import FrameStream
from zounds_lite.errors import DeclarationError, DimensionError, UnitsError
from zounds_lite.featureflow import Node
from zounds_lite.spectral.bands import FrequencyBand
from zounds_lite.spectral.filters import frequency_scale
from zounds_lite.spectral.functional import apply_scale, fft, mel_bands, windowed_dimension
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.spectral.perceptual import BarkScale, SlaneyMelScale
from zounds_lite.spectral.scales import FrequencyScale, check_count
from zounds_lite.spectral.weighting import AWeighting
from zounds_lite.spectral.windows import HanningWindowingFunc, WindowingFunc
from zounds_lite.timeseries import TimeDimension

__all__ = ["FFT", "BarkBands", "FrequencyWeighting", "MelBands", "SlidingWindow"]

_HANN = HanningWindowingFunc()

_SAMPLES_AT_ONCE = 2**20
"""Samples of windowed frames that are made at once, so that one long chunk does not multiply in memory."""


class SlidingWindow(Node):
    """Cuts a stream into windows that may overlap.

    The number of windows follows one rule for any chunking: every sample is in a window, and the last one is filled
    with zeros. The chunk that ends the stream says on its time axis how many samples there were, and how many zeros
    were put before them, so that synthesizers give back the length exactly.

    Args:
        wscheme (SampleRate): hop (``frequency``) and window (``duration``) as times; on axes whose elements overlap,
            the window counts as time too.
        wfunc (WindowingFunc | Callable | None): multiplies each window along its time.
        padwith (int): zeros before the first sample, >= 0.
        padend (int): zeros after the last sample, >= 0. With ``padwith`` = ``padend`` = window - hop, the inverse of a
            short-time transform is exact from the first sample to the last.
        needs (Node): gives arrays whose first dimension is a ``TimeDimension``.

    Shape:
        [time, ...] -> [frames, window, ...]

    Raises:
        DimensionError: the first dimension is none of time.
        UnitsError: a chunk has other dimensions than the first one.
        DeclarationError: negative padding.

    Examples:
        >>> from zounds_lite.timeseries import AudioSamples, SR11025, HalfLapped
        >>> sound = AudioSamples(np.ones(1000), SR11025())
        >>> [windows.shape for windows in SlidingWindow(HalfLapped()).run([sound])]
        [(2, 512), (1, 512)]
    """

    revision = 1

    def __init__(
        self,
        wscheme: Any,
        wfunc: Any = None,
        padwith: int = 0,
        padend: int = 0,
        needs: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        if not hasattr(wscheme, "discrete_samples"):
            raise DeclarationError(f"wscheme={wscheme!r}; allowed: a SampleRate such as HalfLapped()")
        for name, padding in (("padwith", padwith), ("padend", padend)):
            if not isinstance(padding, (int, np.integer)) or padding < 0:
                raise DeclarationError(f"{name}={padding!r}; allowed: a whole number of samples, 0 or more")
        self.wscheme = wscheme
        self.wfunc = wfunc
        self.padwith = padwith
        self.padend = padend
        self._window = WindowingFunc.of(wfunc)
        self._stream: FrameStream | None = None

    def _first_chunk(self, data: Any) -> Any:
        time = _time_dimension(data)
        hop, window = self.wscheme.discrete_samples(time)
        self._stream = FrameStream(window, hop, self.padwith, self.padend)
        self._dimensions = data.dimensions
        self._rows_of, self._dtype = data.shape[1:], data.dtype
        self._is_empty = True
        self._start: Any = None
        return data

    def _process(self, data: Any) -> Iterator[Any]:
        if data.dimensions != self._dimensions:
            raise UnitsError(
                f"a chunk with dimensions {data.dimensions!r} after chunks with {self._dimensions!r}; "
                "all chunks of a stream have the same"
            )
        assert self._stream is not None
        self._start = self._start if data.dimensions[0].start is None else data.dimensions[0].start
        yield from self._with_units(self._stream.push(np.asarray(data)), ended=False)

    def _last_chunk(self) -> Iterator[Any]:
        if self._stream is not None:
            yield from self._with_units(self._stream.finish(), ended=True)

    def _with_units(self, frames: np.ndarray | None, ended: bool) -> Iterator[ArrayWithUnits]:
        assert self._stream is not None
        if frames is None and not (ended and self._is_empty):
            return
        if frames is None:  # no samples at all are an empty signal, not none
            frames = np.empty((0, self._stream.window, *self._rows_of), self._dtype)
        self._is_empty = False
        stream, (time, *others) = self._stream, self._dimensions
        frame = windowed_dimension(time, stream.hop, stream.window)
        notes = {"start": self._start, "padding": stream.pad_start, "n_samples": stream.n_samples}
        last = windowed_dimension(time, stream.hop, stream.window, **notes)
        inside = time.joined(stream.window)
        # whole blocks, so that filter banks downstream need not join them again
        step = max(1, _SAMPLES_AT_ONCE // max(1, int(np.prod(frames.shape[1:])) * BLOCK)) * BLOCK
        for start in range(0, max(1, len(frames)), step):
            part = self._window.apply(frames[start : start + step], axis=1)
            is_last = ended and start + step >= len(frames)
            yield ArrayWithUnits(part, [last if is_last else frame, inside, *others])


def _time_dimension(data: Any) -> TimeDimension:
    dimensions = getattr(data, "dimensions", ())
    if not dimensions or not isinstance(dimensions[0], TimeDimension):
        raise DimensionError(
            f"{type(data).__name__} with dimensions {dimensions!r}; windows are cut along time, "
            "so the first dimension must be a TimeDimension, as of AudioSamples"
        )
    return dimensions[0]


class FFT(Node):
    """Transforms windows to spectra, as ``fft``.

    Args:
        needs (Node): gives real arrays with an axis of samples.
        axis (int): the axis of samples.
        padding_samples (int): zeros put after the samples, >= 0.

    Shape:
        [..., time] -> [..., (time + padding_samples) // 2 + 1]

    Raises:
        DimensionError: the axis is none of time.
        SampleRateError: the axis is none of samples at a whole number of hertz.
        DeclarationError: negative padding.

    See Also:
        FFTSynthesizer: the inverse.
    """

    revision = 1

    def __init__(self, needs: Any = None, axis: int = -1, padding_samples: int = 0) -> None:
        super().__init__(needs=needs)
        if padding_samples < 0:
            raise DeclarationError(f"padding_samples={padding_samples!r}; allowed: 0 or more")
        self.axis = axis
        self.padding_samples = padding_samples

    def _process(self, data: Any) -> Iterator[Any]:
        yield fft(data, self.axis, self.padding_samples)


class _Bands(Node):
    """Sums spectra into bands, in aligned blocks of rows, so that a stream gives the same bits as the whole."""

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


class FrequencyWeighting(Node):
    """Multiplies spectra with a weighting.

    Args:
        weighting (FrequencyWeighting | None): one factor per band; None: ``AWeighting()``.
        needs (Node): gives arrays with a frequency axis.

    Raises:
        DimensionError: no axis has frequencies.
    """

    revision = 1

    def __init__(self, weighting: Any = None, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.weighting = weighting

    def _process(self, data: Any) -> Iterator[Any]:
        yield data * (AWeighting() if self.weighting is None else self.weighting)
