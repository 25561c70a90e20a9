"""Fourier transforms with units.

Goal: ``dsp.rfft`` on arrays that know seconds and hertz. Conventions: time comes first; transforms are orthonormal
(1/sqrt(N)), so energy is kept; float32 gives complex64 and float64 complex128. Functions: ``fft``, ``stft``.
"""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp.framing import frame_count, frames
from zounds_lite.dsp.transforms import rfft, windowed_rfft
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.functional.axes import number_of_axis, sample_rate_of, windowed_dimension
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.spectral.windows import HanningWindowingFunc, WindowingFunc
from zounds_lite.timeseries import HalfLapped, TimeDimension

__all__ = ["fft", "stft"]

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
    axis = number_of_axis(x, axis)
    if padding_samples < 0:
        raise DeclarationError(f"padding_samples={padding_samples!r}; allowed: 0 or more")
    rate = sample_rate_of(dimensions[axis], axis)
    n_fft = x.shape[axis] + padding_samples
    spectrum = rfft(np.asarray(x), n=n_fft, axis=axis)
    return ArrayWithUnits(spectrum, [*dimensions[:axis], _frequencies(rate, n_fft), *dimensions[axis + 1 :]])


@lru_cache(maxsize=32)
def _frequencies(rate: int, n_fft: int) -> FrequencyDimension:
    """Return the axis of a transform, made once for all chunks of a stream."""
    return FrequencyDimension(FFTScale(rate, n_fft))


def stft(
    x: Any,
    window_sample_rate: Any = _HALF_LAPPED,
    window: WindowingFunc | None = _HANN,
    pad: bool | str = False,
    axis: int | None = None,
) -> ArrayWithUnits:
    """Transform a signal to a series of short-time spectra.

    Where time comes first, a signal is cut by the rule of ``SlidingWindow``: the last frame is filled with zeros. Where
    it comes later, as in a batch of signals, nothing is filled and only complete frames count, unless ``pad`` is set.

    Args:
        x (AudioSamples | ArrayWithUnits): real samples; any axes may stand before and after that of time.
        window_sample_rate (SampleRate): hop and window as times.
        window (WindowingFunc | None): multiplies each frame; None leaves frames as they are.
        pad (bool | str): True puts window - hop zeros before and after the signal, so that ``FFTSynthesizer`` can give
            back its first and last samples exactly; they are trimmed there. ``"centre"`` puts half a window of zeros
            on either side, as librosa does: frame t is centred at sample t * hop, and n samples give 1 + n // hop
            frames of an even window.
        axis (int | None): the axis of samples; None: the only axis of time.

    Shape:
        [time] -> [frames, bins]; [time, channels] -> [frames, bins, channels];
        [batch, time] -> [batch, frames, bins]; [..., time, ...] -> [..., frames, bins, ...]

    Raises:
        DimensionError: no axis of time, or several and ``axis`` does not say which.
        SampleRateError: time does not run at a whole number of hertz.
        DeclarationError: another ``pad``.

    Examples:
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR22050, Seconds
        >>> tone = SineSynthesizer(SR22050()).synthesize(Seconds(1), [440.0])
        >>> stft(tone).shape
        (43, 513)
        >>> stft(tone, SR22050().windowing_scheme(2048, 512), pad="centre").shape
        (44, 1025)

    See Also:
        FFTSynthesizer: the inverse. SlidingWindow, FFT: the nodes.
    """
    axis = _axis_of_time(x) if axis is None else number_of_axis(x, axis)
    dimensions = x.dimensions
    time = dimensions[axis]
    rate = sample_rate_of(time, axis)
    hop, size = window_sample_rate.discrete_samples(time)
    n_samples = x.shape[axis]
    if pad not in (False, True, "centre"):
        raise DeclarationError(f"pad={pad!r}; allowed: False, True, 'centre'")
    # without samples there is nothing to pad, and no frame
    padding = (size // 2 if pad == "centre" else max(0, size - hop)) if pad and n_samples else 0
    count, notes = frame_count(n_samples + 2 * padding, size, hop), {}
    if axis == 0 or pad:
        notes = {"start": time.start, "padding": padding, "n_samples": n_samples}
    if pad == "centre" or not notes:
        count = max(0, (n_samples + 2 * padding - size) // hop + 1)
    spectra = _spectra(np.asarray(x), axis, (count, hop, size), padding, WindowingFunc.of(window))
    units = [windowed_dimension(time, hop, size, **notes), _frequencies(rate, size)]
    return ArrayWithUnits(spectra, [*dimensions[:axis], *units, *dimensions[axis + 1 :]])


def _axis_of_time(x: Any) -> int:
    dimensions: tuple[Any, ...] = getattr(x, "dimensions", ())
    found = [i for i, dimension in enumerate(dimensions) if isinstance(dimension, TimeDimension)]
    if len(found) != 1:
        raise DimensionError(
            f"stft of {type(x).__name__} with dimensions {dimensions!r}; allowed: one signal (time,), its channels "
            "(time, channels) such as AudioSamples, or a batch (signals, time); with several axes of time, set axis="
        )
    return found[0]


def _spectra(x: np.ndarray, axis: int, scheme: tuple[int, int, int], padding: int, window: WindowingFunc) -> np.ndarray:
    """Cut, window and transform signal after signal."""
    count, hop, size = scheme
    before, after = x.shape[:axis], x.shape[axis + 1 :]
    dtype = np.complex64 if x.dtype in (np.float16, np.float32) else np.complex128
    out = np.empty((*before, count, size // 2 + 1, *after), dtype)
    factors = None if window.is_identity else window(size)
    every = slice(None)
    for lead in np.ndindex(before):
        for trail in np.ndindex(after):
            signal, spectra = x[(*lead, every, *trail)], out[(*lead, every, every, *trail)]
            signal = np.pad(signal, padding) if padding else signal
            # complete frames are views of the signal; filling the last one would copy all of it
            complete = min(count, max(0, (len(signal) - size) // hop + 1))
            if complete:
                windowed_rfft(sliding_window_view(signal, size)[::hop][:complete], factors, spectra[:complete])
            if complete < count:
                windowed_rfft(frames(signal[complete * hop :], size, hop), factors, spectra[complete:])
    return out
