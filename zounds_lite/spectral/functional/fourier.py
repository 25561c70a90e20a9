"""Fourier transforms with units.

Goal: ``dsp.rfft`` on arrays that know seconds and hertz. Conventions: time comes first; transforms are orthonormal
(1/sqrt(N)), so energy is kept; float32 gives complex64 and float64 complex128. Functions: ``fft``, ``stft``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.dsp.framing import frames
from zounds_lite.dsp.transforms import rfft
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.functional.axes import sample_rate_of, windowed_dimension
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.spectral.windows import HanningWindowingFunc, WindowingFunc
from zounds_lite.timeseries import HalfLapped

__all__ = ["fft", "stft"]

_BLOCK = 64
"""Frames that are windowed and transformed at once: they stay in the cache."""

_HALF_LAPPED = HalfLapped()
_HANN = HanningWindowingFunc()


def fft(x: Any, axis: int = -1, padding_samples: int = 0) -> ArrayWithUnits:
    """Transform real samples to the frequencies they hold.

    Args:
        x (ArrayWithUnits): real samples, for example windows of audio.
        axis (int): the axis of samples; the others are kept.
        padding_samples (int): zeros put after the samples, >= 0; they interpolate the spectrum.

    Shape:
        [..., time] -> [..., (time + padding_samples) // 2 + 1]

    Returns:
        ArrayWithUnits: complex; its frequency axis knows the length of the transform, so that the inverse is exact.

    Raises:
        DimensionError: the axis is no axis of time, or holds no samples.
        SampleRateError: the axis is none of samples at a whole number of hertz.
        DeclarationError: negative padding.

    Examples:
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> int(np.abs(fft(tone)).argmax())
        440

    See Also:
        FFT: the node. FFTSynthesizer: the inverse.
    """
    dimensions = getattr(x, "dimensions", None)
    if dimensions is None:
        raise DimensionError(f"{type(x).__name__} has no units; give an array with units, such as AudioSamples")
    if not -x.ndim <= axis < x.ndim:
        raise DimensionError(f"axis={axis} of an array with {x.ndim} axes")
    if padding_samples < 0:
        raise DeclarationError(f"padding_samples={padding_samples!r}; allowed: 0 or more")
    axis %= x.ndim
    rate = sample_rate_of(dimensions[axis], axis)
    n_fft = x.shape[axis] + padding_samples
    spectrum = rfft(np.asarray(x), n=n_fft, axis=axis)
    frequencies = FrequencyDimension(FFTScale(rate, n_fft))
    return ArrayWithUnits(spectrum, [*dimensions[:axis], frequencies, *dimensions[axis + 1 :]])


def stft(
    x: Any,
    window_sample_rate: Any = _HALF_LAPPED,
    window: WindowingFunc | None = _HANN,
    pad: bool = False,
) -> ArrayWithUnits:
    """Transform a signal to a series of short-time spectra.

    One signal is cut by the rule of ``SlidingWindow``: the last frame is filled with zeros. A batch of signals is not
    filled: only complete frames count.

    Args:
        x (AudioSamples | ArrayWithUnits): real samples: (time,), or a batch with the dimensions (Identity, Time).
        window_sample_rate (SampleRate): hop and window as times.
        window (WindowingFunc | None): multiplies each frame; None leaves frames as they are.
        pad (bool): True puts window - hop zeros before and after the signal, so that ``FFTSynthesizer`` can give back
            its first and last samples exactly; they are trimmed there.

    Shape:
        [time] -> [frames, bins]; [batch, time] -> [batch, frames, bins]

    Raises:
        DimensionError: other dimensions than these.
        SampleRateError: time does not run at a whole number of hertz.

    Examples:
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR22050, Seconds
        >>> tone = SineSynthesizer(SR22050()).synthesize(Seconds(1), [440.0])
        >>> stft(tone).shape
        (43, 513)

    See Also:
        FFTSynthesizer: the inverse. SlidingWindow, FFT: the nodes.
    """
    dimensions: tuple[Any, ...] = getattr(x, "dimensions", ())
    if not (len(dimensions) == 1 or (len(dimensions) == 2 and isinstance(dimensions[0], IdentityDimension))):
        raise DimensionError(
            f"stft of {type(x).__name__} with dimensions {dimensions!r}; allowed: one signal (time,), such as "
            "AudioSamples.mono, or a batch with (IdentityDimension, TimeDimension)"
        )
    time = dimensions[-1]
    rate = sample_rate_of(time, len(dimensions) - 1)
    hop, size = window_sample_rate.discrete_samples(time)
    window = WindowingFunc.of(window)
    frequencies = FrequencyDimension(FFTScale(rate, size))
    samples = np.asarray(x)
    if samples.ndim == 2:
        units = [dimensions[0], windowed_dimension(time, hop, size), frequencies]
        return ArrayWithUnits(_batch_stft(samples, hop, size, window), units)
    # without samples there is nothing to pad, and no frame
    padding = size - hop if pad and size > hop and len(x) else 0
    if padding:
        samples = np.pad(samples, padding)
    spectra = _spectra(frames(samples, size, hop), window)
    notes = {"start": time.start, "padding": padding, "n_samples": len(x)}
    return ArrayWithUnits(spectra, [windowed_dimension(time, hop, size, **notes), frequencies])


def _batch_stft(x: np.ndarray, hop: int, size: int, window: WindowingFunc) -> np.ndarray:
    count = max(0, (x.shape[1] - size) // hop + 1)
    out = np.empty((len(x), count, size // 2 + 1), _spectrum_dtype(x))
    for i, row in enumerate(x):
        if count:
            _spectra(frames(row, size, hop)[:count], window, out[i])
    return out


def _spectrum_dtype(x: np.ndarray) -> type:
    """Return the type that a transform of ``x`` has: integers of any size become float64 first."""
    return np.complex64 if x.dtype in (np.float16, np.float32) else np.complex128


def _spectra(cut: np.ndarray, window: WindowingFunc, out: np.ndarray | None = None) -> np.ndarray:
    """Window and transform frames, block by block."""
    if out is None:
        out = np.empty((len(cut), cut.shape[1] // 2 + 1), _spectrum_dtype(cut))
    for start in range(0, len(cut), _BLOCK):
        out[start : start + _BLOCK] = rfft(window.apply(cut[start : start + _BLOCK]))
    return out
