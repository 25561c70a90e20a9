"""Transforms and filter banks with units.

Goal: the mathematics of ``dsp`` on arrays that know seconds and hertz. Conventions: time comes first; transforms are
orthonormal (1/sqrt(N)), so energy is kept; float32 gives complex64 and float64 complex128. Functions: ``fft``,
``stft``, ``apply_scale``, ``mel_bands``, ``windowed_dimension``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.dsp.framing import frames
from zounds_lite.dsp.transforms import rfft
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.filters import filter_bank, frequency_scale
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.spectral.perceptual import ChromaScale, SlaneyMelScale
from zounds_lite.spectral.scales import FrequencyScale
from zounds_lite.spectral.windows import HanningWindowingFunc, WindowingFunc
from zounds_lite.timeseries import HalfLapped, TimeDimension

__all__ = ["apply_scale", "fft", "mel_bands", "stft", "windowed_dimension"]

_BLOCK = 64
"""Frames that are windowed and transformed at once: they stay in the cache."""

_HALF_LAPPED = HalfLapped()
_HANN = HanningWindowingFunc()


def _sample_rate(dimension: Any, axis: int) -> int:
    """Return the samples per second of an axis of samples."""
    if not isinstance(dimension, TimeDimension):
        raise DimensionError(f"axis {axis} is {dimension!r}; fft needs an axis of time, name it with axis=")
    if dimension.rate is None or not dimension.is_audio:
        raise SampleRateError(
            f"axis {axis} is {dimension!r}, which is no axis of samples at a whole number of hertz; "
            "give AudioSamples, or windows of them"
        )
    return int(dimension.rate)


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
    rate = _sample_rate(dimensions[axis], axis)
    n_fft = x.shape[axis] + padding_samples
    spectrum = rfft(np.asarray(x), n=n_fft, axis=axis)
    frequencies = FrequencyDimension(FFTScale(rate, n_fft))
    return ArrayWithUnits(spectrum, [*dimensions[:axis], frequencies, *dimensions[axis + 1 :]])


def windowed_dimension(dimension: TimeDimension, hop: int, window: int, **notes: Any) -> TimeDimension:
    """Return the time axis of windows that are cut from another time axis.

    Args:
        dimension (TimeDimension): the axis that is cut.
        hop (int): elements of it from one window to the next, >= 1.
        window (int): elements of it in a window, >= 1.
        notes (Any): what is known of the whole signal: ``start``, ``padding``, ``n_samples``.
    """
    if dimension.rate is None or dimension.hop is None or dimension.window is None:
        frequency, duration = dimension.frequency, dimension.duration
        return TimeDimension(frequency * hop, frequency * (window - 1) + duration, start=notes.get("start"))
    # n windows that overlap reach as far as n - 1 hops and one window
    span = (window - 1) * dimension.hop + dimension.window
    if not dimension.is_audio:
        # what is cut are frames already: counts of samples say nothing about them
        notes = {"start": notes.get("start")}
    return TimeDimension.windowed(dimension.hop * hop, span, dimension.rate, **notes)


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
    rate = _sample_rate(time, len(dimensions) - 1)
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


def apply_scale(tf: Any, scale: FrequencyScale, window: WindowingFunc | None = None) -> ArrayWithUnits:
    """Sum the magnitudes of a spectrum into the bands of a scale.

    Args:
        tf (ArrayWithUnits): a spectrum, complex or real; frequency is the last axis.
        scale (FrequencyScale): the bands to sum into.
        window (WindowingFunc | None): the shape of a band between its edges; None weights all of it alike.

    Shape:
        [..., bins] -> [..., bands]

    Raises:
        DimensionError: the last axis has no frequencies.
        DeclarationError: ``scale`` is no scale.

    Examples:
        >>> from zounds_lite.spectral import FrequencyBand, LinearScale
        >>> linear = FrequencyDimension(LinearScale(FrequencyBand(0, 1000), 4))
        >>> tf = ArrayWithUnits(np.array([3 + 4j, 1, 1j, -1]), [linear])
        >>> np.asarray(apply_scale(tf, LinearScale(FrequencyBand(0, 1000), 2)))
        array([6., 2.])
    """
    if not isinstance(scale, FrequencyScale):
        raise DeclarationError(f"scale={scale!r}; allowed: a scale such as BarkScale(FrequencyBand(20, 5000), 100)")
    bands = scale.apply(tf, window)
    # pitch classes gather all octaves, so their axis cannot be sliced in hertz
    last = IdentityDimension() if isinstance(scale, ChromaScale) else FrequencyDimension(scale)
    return ArrayWithUnits(bands, [*tf.dimensions[:-1], last])


def mel_bands(tf: Any, scale: SlaneyMelScale, power: float = 2.0) -> ArrayWithUnits:
    """Sum a spectrum into mel bands, as librosa does.

    Args:
        tf (ArrayWithUnits): the result of ``fft`` or ``stft``, or its magnitude; frequency is the last axis.
        scale (SlaneyMelScale): the bands to sum into.
        power (float): exponent of the magnitude, > 0: 1 for magnitude, 2 for power.

    Shape:
        [..., bins] -> [..., bands]

    Returns:
        ArrayWithUnits: values as for a transform without scaling, so ours times sqrt(n_fft).

    Raises:
        DimensionError: the last axis is none of a Fourier transform.
        DeclarationError: ``power`` is not positive.

    Sources:
        librosa 0.11, ``librosa.feature.melspectrogram``, for its conventions.
    """
    if not power > 0:
        raise DeclarationError(f"power={power!r}; allowed: above 0, such as 2 for power")
    axis = frequency_scale(tf)
    bank = filter_bank(scale, axis)  # refuses axes that are none of a transform
    raised = _raised(np.asarray(tf), power)
    raised *= raised.dtype.type(float(axis.n_fft) ** (power / 2))  # type: ignore[attr-defined]
    return ArrayWithUnits(bank.apply(raised), [*tf.dimensions[:-1], FrequencyDimension(scale)])


def _raised(x: np.ndarray, power: float) -> np.ndarray:
    """Return the magnitude to a power, as a new array of real numbers."""
    if power == 2 and x.dtype.kind == "c":
        return np.asarray(x.real * x.real + x.imag * x.imag)
    magnitude = np.abs(x)
    if magnitude.dtype.kind != "f":
        magnitude = magnitude.astype(np.float64)
    return np.asarray(magnitude**power)
