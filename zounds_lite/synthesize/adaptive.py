"""Inverses of frequency-adaptive transforms.

Goal: the sound that bands at different rates were made from. Conventions: each band is put back on the axis of the long
transform; the sum is divided by the sum of the bands' windows, so that unchanged bands give back their spectrum; what
follows is the inverse of a short-time transform, as in ``shorttime``. Frequencies that no band has stay silent.

Classes: ``FrequencyAdaptiveFFTSynthesizer``, ``FrequencyAdaptiveDCTSynthesizer``; and
``FrequencyDecompositionSynthesizer``, which adds the bands of ``frequency_decomposition``.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.decomposition import recompose
from zounds_lite.dsp.transforms import dct, idct, irfft, rfft
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral import (
    ExplicitFrequencyDimension,
    FFTScale,
    FrequencyScale,
    HanningWindowingFunc,
    LinearScale,
    OggVorbisWindowingFunc,
    WindowingFunc,
)
from zounds_lite.spectral.functional.adaptive import BandLayout, band_layout
from zounds_lite.synthesize.shorttime import TransformSynthesizer
from zounds_lite.timeseries import AudioSampleRate, AudioSamples, TimeDimension

__all__ = [
    "FrequencyAdaptiveDCTSynthesizer",
    "FrequencyAdaptiveFFTSynthesizer",
    "FrequencyDecompositionSynthesizer",
]

_HANN = HanningWindowingFunc()
_VORBIS = OggVorbisWindowingFunc()


class _FrequencyAdaptiveSynthesizer(TransformSynthesizer):
    """Puts bands back on the axis of a long transform; a subclass says which, in ``_axes`` and ``_spectrum``."""

    _is_half = False

    scale: FrequencyScale
    samplerate: AudioSampleRate
    window_func: Any

    def validate(self) -> None:
        """Refuse anything but a scale, a rate and windows."""
        if not isinstance(self.scale, FrequencyScale):
            raise DeclarationError(f"scale={self.scale!r}; allowed: the scale of the analysis")
        _check_rate(self.samplerate)
        WindowingFunc.of(self.window_func)
        super().validate()

    def _axes(self, window: int) -> Iterator[FrequencyScale]:
        """Yield the scales that the axis of the long transform can have had, for frames of ``window`` samples."""
        raise NotImplementedError(f"{type(self).__name__} does not say what its axis is")

    def _spectrum(self, band: np.ndarray) -> np.ndarray:
        """Undo the transform of one band."""
        raise NotImplementedError(f"{type(self).__name__} does not say how it inverts a band")

    def synthesize(self, freq_adaptive: Any, length: int | None = None) -> AudioSamples:
        """Return the sound that the bands were made from.

        Args:
            freq_adaptive (FrequencyAdaptive): the bands of frames in time.
            length (int | None): samples in the result; None: as many as the signal had if the frames know it,
                otherwise as far as they reach.

        Shape:
            [frames, coefficients] -> [time]

        Returns:
            AudioSamples: float32 for float32 coefficients, otherwise float64.

        Raises:
            DimensionError: the frames have no windows in time, or other bands than the scale, the window and the rate
                of this synthesizer give.
            SampleRateError: frames of another sample rate.
            DeclarationError: a negative length.
        """
        dimensions: tuple[Any, ...] = getattr(freq_adaptive, "dimensions", ())
        rate = getattr(dimensions[0], "rate", None) if dimensions else None
        if rate is not None and rate != self.samplerate.rate:
            raise SampleRateError(f"frames at {rate} Hz for a synthesizer at {self.samplerate!r}; give it their rate")
        return super().synthesize(freq_adaptive, length)

    def _linear(self, frames: np.ndarray, dimension: Any, window: int) -> np.ndarray:
        """Return the spectra of a block of frames."""
        layout = self._layout(dimension, window)
        return layout.split.merge([frames[:, part] for part in dimension.slices], self._spectrum)

    def _layout(self, dimension: Any, window: int) -> BandLayout:
        if not isinstance(dimension, ExplicitFrequencyDimension):
            raise DimensionError(f"frames of {dimension!r}; needed: the result of FrequencyAdaptiveTransform")
        found = [part.stop - part.start for part in dimension.slices]
        bands = WindowingFunc.of(self.window_func)
        for axis in self._axes(window):
            for residual in (False, True):
                layout = band_layout(self.scale, axis, bands, residual)
                if layout.split.sizes(self._is_half) == found and layout.scale.bands == dimension.scale.bands:
                    return layout
        due = band_layout(self.scale, next(iter(self._axes(window))), bands, False).split.sizes(self._is_half)
        raise DimensionError(
            f"{len(found)} bands of {_shown(found)} coefficients, where the scale of this synthesizer gives {len(due)} "
            f"of {_shown(due)} (and perhaps two residual bands) for windows of {window} samples; use the scale, the "
            "window_func and the samplerate of the analysis"
        )


def _shown(sizes: list[int]) -> str:
    return f"[{', '.join(map(str, sizes[:6]))}{', ...' if len(sizes) > 6 else ''}]"


def _check_rate(samplerate: Any) -> None:
    if not isinstance(samplerate, AudioSampleRate):
        raise DeclarationError(f"samplerate={samplerate!r}; allowed: an audio rate such as SR11025()")


class FrequencyAdaptiveFFTSynthesizer(_FrequencyAdaptiveSynthesizer):
    """The inverse of ``FrequencyAdaptiveTransform`` with ``np.fft.irfft`` on the result of ``FFT``.

    Inside the scale the inverse is exact; with ``residual=True`` in the analysis it is exact for all frequencies.
    Residual bands are recognised.

    Args:
        scale (FrequencyScale): the scale of the analysis.
        samplerate (AudioSampleRate): the rate of the sound.
        window_func (Callable | WindowingFunc | None): the window of the bands in the analysis.
        windowing_func (WindowingFunc): multiplies each frame before it is added; by default the Vorbis window, as in
            the ready-made graph.
        analysis_windowing_func (WindowingFunc | None): the window of the frames in the analysis; None: the same.
        padding_samples (int): zeros that were put behind each frame before its ``FFT``, >= 0.

    Raises:
        DeclarationError: something else than a scale, a rate, windows and a count.

    Examples:
        >>> import zounds_lite as zounds
        >>> scale = zounds.GeometricScale(100, 5000, bandwidth_ratio=0.089, n_bands=100)
        >>> tone = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(3), [440.0])
        >>> long = zounds.SampleRate(zounds.Milliseconds(500), zounds.Seconds(1))
        >>> spectra = zounds.spectral.stft(tone, long, zounds.OggVorbisWindowingFunc(), pad=True)
        >>> node = zounds.FrequencyAdaptiveTransform(np.fft.irfft, scale, np.hanning, residual=True)
        >>> (bands,) = node.run([spectra])
        >>> again = FrequencyAdaptiveFFTSynthesizer(scale, zounds.SR11025()).synthesize(bands)
        >>> len(again), bool(abs(again - tone).max() < 1e-12)
        (33075, True)

    See Also:
        FrequencyAdaptiveTransform: the inverse. FFTSynthesizer: the same without bands.
    """

    _is_half = True

    padding_samples: int

    def __init__(
        self,
        scale: FrequencyScale,
        samplerate: AudioSampleRate,
        window_func: Any = _HANN,
        windowing_func: WindowingFunc = _VORBIS,
        analysis_windowing_func: WindowingFunc | None = None,
        padding_samples: int = 0,
    ) -> None:
        Declared.__init__(
            self,
            scale=scale,
            samplerate=samplerate,
            window_func=window_func,
            windowing_func=windowing_func,
            analysis_windowing_func=analysis_windowing_func,
            padding_samples=padding_samples,
        )

    def validate(self) -> None:
        """Refuse anything but a scale, a rate, windows and a count."""
        super().validate()
        if not isinstance(self.padding_samples, (int, np.integer)) or self.padding_samples < 0:
            raise DeclarationError(f"padding_samples={self.padding_samples!r}; allowed: a whole number, 0 or more")

    def _axes(self, window: int) -> Iterator[FrequencyScale]:
        yield FFTScale(self.samplerate.rate, window + int(self.padding_samples))

    def _spectrum(self, band: np.ndarray) -> np.ndarray:
        return rfft(band)

    def _inverse(self, frames: np.ndarray, dimension: Any, window: int) -> np.ndarray:
        return irfft(self._linear(frames, dimension, window), n=window + int(self.padding_samples))[:, :window]


class FrequencyAdaptiveDCTSynthesizer(_FrequencyAdaptiveSynthesizer):
    """The inverse of ``FrequencyAdaptiveTransform`` with ``scipy.fftpack.idct`` on the result of ``DCT``.

    Inside the scale the inverse is exact; with ``residual=True`` in the analysis it is exact for all frequencies.
    Residual bands, and whether the analysis had ``scale_always_even``, are recognised.

    Args:
        scale (FrequencyScale): the scale of the analysis.
        samplerate (AudioSampleRate): the rate of the sound.
        window_func (Callable | WindowingFunc | None): the window of the bands in the analysis.
        windowing_func (WindowingFunc): multiplies each frame before it is added.
        analysis_windowing_func (WindowingFunc | None): the window of the frames in the analysis; None: the same.

    Raises:
        DeclarationError: something else than a scale, a rate and windows.

    See Also:
        FrequencyAdaptiveTransform: the inverse. DCTSynthesizer: the same without bands.
    """

    def __init__(
        self,
        scale: FrequencyScale,
        samplerate: AudioSampleRate,
        window_func: Any = _HANN,
        windowing_func: WindowingFunc = _VORBIS,
        analysis_windowing_func: WindowingFunc | None = None,
    ) -> None:
        Declared.__init__(
            self,
            scale=scale,
            samplerate=samplerate,
            window_func=window_func,
            windowing_func=windowing_func,
            analysis_windowing_func=analysis_windowing_func,
        )

    def _axes(self, window: int) -> Iterator[FrequencyScale]:
        for is_even in (True, False):
            yield LinearScale.from_sample_rate(self.samplerate, window, is_even)

    def _spectrum(self, band: np.ndarray) -> np.ndarray:
        return dct(band)

    def _inverse(self, frames: np.ndarray, dimension: Any, window: int) -> np.ndarray:
        return idct(self._linear(frames, dimension, window))


class FrequencyDecompositionSynthesizer(Declared):
    """The inverse of ``frequency_decomposition``: adds its bands, all of them or some.

    Args:
        samplerate (AudioSampleRate): the rate of the signals.
        output_size (int): samples in a signal, >= 1.

    Raises:
        DeclarationError: no rate, or a size below 1.

    Examples:
        >>> from zounds_lite.spectral import frequency_decomposition
        >>> from zounds_lite.synthesize import NoiseSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> noise = NoiseSynthesizer(SR11025(), seed=1).synthesize(Seconds(1))
        >>> fa = frequency_decomposition(noise, [1000, 3000, 11025])
        >>> again = FrequencyDecompositionSynthesizer(SR11025(), 11025).synthesize(fa)
        >>> again.shape, bool(abs(np.asarray(again)[0] - noise).max() < 1e-12)
        ((1, 11025), True)

    See Also:
        frequency_decomposition: the inverse.
    """

    samplerate: AudioSampleRate
    output_size: int

    def __init__(self, samplerate: AudioSampleRate, output_size: int) -> None:
        super().__init__(samplerate=samplerate, output_size=output_size)

    def validate(self) -> None:
        """Refuse what is no rate, and signals without samples."""
        _check_rate(self.samplerate)
        if not isinstance(self.output_size, (int, np.integer)) or self.output_size < 1:
            raise DeclarationError(f"output_size={self.output_size!r}; allowed: a whole number of samples, at least 1")

    def synthesize(self, freq_adaptive: Any, bands: Iterable[int] | None = None) -> ArrayWithUnits:
        """Return the signals that the bands were made from.

        Args:
            freq_adaptive (FrequencyAdaptive): the result of ``frequency_decomposition``, changed or not.
            bands (Iterable[int] | None): the numbers of the bands to add, from 0; None: all; without any: silence.

        Shape:
            [frames, coefficients] -> [frames, output_size]

        Raises:
            DimensionError: no bands of frames in time, or a band that is not there.
        """
        dimensions: tuple[Any, ...] = getattr(freq_adaptive, "dimensions", ())
        if len(dimensions) != 2 or not isinstance(dimensions[1], ExplicitFrequencyDimension):
            raise DimensionError(
                f"{type(freq_adaptive).__name__} with dimensions {dimensions!r}; needed: the result of "
                "frequency_decomposition"
            )
        data = np.asarray(freq_adaptive)
        slices = dimensions[1].slices
        try:
            wanted = slices if bands is None else [slices[i] for i in bands]
        except (IndexError, TypeError) as error:
            raise DimensionError(f"bands={bands!r}; allowed: numbers from 0 to {len(slices) - 1}") from error
        n = int(self.output_size)
        samples = recompose([data[:, part] for part in wanted], n) if wanted else np.zeros((len(data), n), data.dtype)
        return ArrayWithUnits(samples, [dimensions[0], TimeDimension.from_rate(self.samplerate)])
