"""Time and pitch apart from each other, with units.

Goal: ``dsp.stretch`` on arrays that know seconds and hertz. Conventions: sound is (time,), (time, channels) or a batch
with the dimensions (Identity, Time); every channel and every item is processed as if it were alone; float32 stays
float32, other real numbers become float64. Functions: ``phase_shift``, ``time_stretch``, ``pitch_shift``.
"""

from math import isfinite
from numbers import Real
from typing import Any

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite._span import PICOSECONDS
from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.dsp import stretch
from zounds_lite.errors import DeclarationError, DimensionError, SampleRateError
from zounds_lite.spectral.bands import FrequencyBand
from zounds_lite.spectral.dimension import FrequencyDimension
from zounds_lite.spectral.functional.axes import sample_rate_of
from zounds_lite.spectral.linear import FFTScale
from zounds_lite.timeseries import HalfLapped, TimeDimension
from zounds_lite.timeseries.clock import position

__all__ = ["phase_shift", "pitch_shift", "time_stretch"]

_FRAMES = HalfLapped(2048, 512)
"""46 ms at any rate, with three quarters of overlap."""

_MOST_SEMITONES = 120


def phase_shift(
    coeffs: Any,
    samplerate: Any,
    time_shift: np.timedelta64,
    axis: int = -1,
    frequency_band: FrequencyBand | None = None,
) -> ArrayWithUnits:
    """Delay a signal, or a band of it, in its spectrum.

    Each bin of frequency f is multiplied by exp(-2 pi i f time_shift). The delay is circular: what leaves the samples
    of the transform at their end comes in at their beginning; put zeros after the signal (``fft(x,
    padding_samples=...)``) where that is not wanted. The delay is the one that is asked for, also where it is no whole
    number of samples; the original delayed by twice as much.

    Args:
        coeffs (ArrayWithUnits): the result of ``fft``; or of ``stft``, each of whose frames is then delayed in itself.
        samplerate (AudioSampleRate): samples per second of the signal.
        time_shift (np.timedelta64): the delay, such as ``Milliseconds(10)``; negative ones bring the signal forward.
        axis (int): the axis of frequency.
        frequency_band (FrequencyBand | None): the bins that are delayed; None: all.

    Shape:
        [..., bins, ...] -> the same, complex

    Raises:
        DimensionError: the axis is none of the frequencies of a Fourier transform. It is a ``ValueError``.
        SampleRateError: the axis is of a transform at another rate.
        DeclarationError: a shift that is no duration.

    Examples:
        >>> from zounds_lite.spectral import fft
        >>> from zounds_lite.timeseries import SR8000, AudioSamples, Milliseconds
        >>> click = AudioSamples(np.eye(1, 8000, k=100)[0], SR8000())
        >>> shifted = phase_shift(fft(click), SR8000(), Milliseconds(5))
        >>> from zounds_lite.dsp import irfft
        >>> int(irfft(np.asarray(shifted), n=8000).argmax())
        140

    Sources:
        A. Oppenheim, R. Schafer, "Discrete-Time Signal Processing", table 8.2: the shift theorem.
    """
    dimensions: tuple[Any, ...] = getattr(coeffs, "dimensions", ())
    if not -len(dimensions) <= axis < len(dimensions):
        raise DimensionError(f"axis={axis} of {type(coeffs).__name__} with {len(dimensions)} axes with units")
    scale = _transform(dimensions[axis], axis, samplerate)
    bins = slice(None) if frequency_band is None else scale.get_slice(frequency_band)
    start, stop, _ = bins.indices(len(scale))
    values = np.asarray(coeffs)
    shifted = np.moveaxis(values.astype(np.result_type(values.dtype, np.complex64)), axis, -1)
    part = shifted[..., start:stop]
    part[...] = stretch.phase_shift(part, _samples(time_shift, scale.samplerate), scale.n_fft, scale.start + start)
    return ArrayWithUnits(np.moveaxis(shifted, -1, axis), dimensions)


def time_stretch(x: Any, factor: float, frame_sample_rate: Any = None) -> Any:
    """Change how long a sound lasts, and neither its pitch nor its level.

    Args:
        x (AudioSamples | ArrayWithUnits): real samples: (time,), (time, channels), or a batch (Identity, Time).
        factor (float): how much faster, 1/1024 to 1024: 2 lasts half as long, 0.5 twice as long.
        frame_sample_rate (SampleRate | None): hop and window of the frames of the result, as times; None: windows of
            46 ms, a quarter of a window apart. The hop is at most half the window.

    Shape:
        [time] -> [int(time / factor)]; [time, channels] -> [int(time / factor), channels];
        [batch, time] -> [batch, int(time / factor)]

    Returns:
        AudioSamples | ArrayWithUnits: AudioSamples for AudioSamples, with the same rate.

    Raises:
        DimensionError: other dimensions than these.
        SampleRateError: time does not run at a whole number of hertz.
        DeclarationError: complex samples, a factor outside its range, or frames that overlap less than half.

    Examples:
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(2), [440.0])
        >>> longer = time_stretch(tone, 0.5)
        >>> longer.duration_in_seconds
        4.0

    See Also:
        pitch_shift

    Sources:
        J. Laroche, M. Dolson, "Improved phase vocoder time-scale modification of audio" (1999); see ``dsp.stretch``.
    """
    rows, hop, window = _rows(x, frame_sample_rate)
    return _like(x, stretch.time_stretch(rows, _number("factor", factor), window, hop))


def pitch_shift(x: Any, semitones: float, frame_sample_rate: Any = None) -> Any:
    """Make a sound higher or lower, and neither longer nor louder.

    All frequencies are multiplied by 2 ** (semitones / 12); what comes to lie above half the sample rate is dropped.

    Args:
        x (AudioSamples | ArrayWithUnits): real samples: (time,), (time, channels), or a batch (Identity, Time).
        semitones (float): twelfths of an octave, -120 to 120; parts of one are allowed.
        frame_sample_rate (SampleRate | None): as for ``time_stretch``.

    Shape:
        the shape of ``x``

    Returns:
        AudioSamples | ArrayWithUnits: AudioSamples for AudioSamples, with the same rate.

    Raises:
        DimensionError: other dimensions than these.
        SampleRateError: time does not run at a whole number of hertz.
        DeclarationError: complex samples, semitones outside their range, or frames that overlap less than half.

    Examples:
        >>> from zounds_lite.spectral import fft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds
        >>> tone = SineSynthesizer(SR11025()).synthesize(Seconds(1), [440.0])
        >>> int(np.abs(fft(pitch_shift(tone, 1))).argmax())
        466

    See Also:
        time_stretch
    """
    if not abs(_number("semitones", semitones)) <= _MOST_SEMITONES:
        raise DeclarationError(f"semitones={semitones!r}; allowed: {-_MOST_SEMITONES} to {_MOST_SEMITONES}")
    rows, hop, window = _rows(x, frame_sample_rate)
    return _like(x, stretch.pitch_shift(rows, 2.0 ** (float(semitones) / 12.0), window, hop))


def _number(name: str, value: Any) -> float:
    if not isinstance(value, (Real, np.number)) or isinstance(value, (bool, np.timedelta64)) or not isfinite(value):
        raise DeclarationError(f"{name}={value!r}; allowed: a finite number")
    return float(value)


def _transform(dimension: Any, axis: int, samplerate: Any) -> FFTScale:
    """Return the scale of a transform's axis, checked against the rate that the caller names."""
    rate = getattr(samplerate, "samples_per_second", samplerate)
    scale = getattr(dimension, "scale", None)
    if not isinstance(dimension, FrequencyDimension) or scale is None:
        raise DimensionError(f"axis {axis} is {dimension!r}, which has no frequencies; name the right one with axis=")
    if not isinstance(scale, FFTScale):
        # an axis that was declared as documented is that of an even transform
        whole = FFTScale(rate, max(1, 2 * (len(scale) - 1)))
        if scale != whole:
            raise DimensionError(
                f"axis {axis} has the frequencies of {scale!r}, not of a Fourier transform; give the result of fft"
            )
        return whole
    if scale.samplerate != rate:
        raise SampleRateError(f"samplerate={samplerate!r} for a transform of sound at {scale.samplerate} Hz")
    return scale


def _samples(time_shift: Any, rate: int) -> float:
    """Return a duration in samples: a whole number for what counts as one, by the rule of time axes."""
    if not isinstance(time_shift, np.timedelta64):
        raise DeclarationError(f"time_shift={time_shift!r}; allowed: a duration, such as Milliseconds(10)")
    shift = picoseconds(time_shift)
    low, high = position(shift, PICOSECONDS // rate, rate)
    return float(low) if low == high else shift * rate / PICOSECONDS


def _rows(x: Any, frame_sample_rate: Any) -> tuple[np.ndarray, int, int]:
    """Return samples with time last, and the hop and window of frames in samples."""
    dimensions: tuple[Any, ...] = getattr(x, "dimensions", ())
    axis = _time_axis(dimensions)
    if axis is None:
        raise DimensionError(
            f"{type(x).__name__} with dimensions {dimensions!r}; allowed: AudioSamples, (time,), (time, channels), or "
            "a batch with (IdentityDimension, TimeDimension)"
        )
    sample_rate_of(dimensions[axis], axis)
    scheme = _FRAMES if frame_sample_rate is None else frame_sample_rate
    if not hasattr(scheme, "discrete_samples"):
        raise DeclarationError(f"frame_sample_rate={scheme!r}; allowed: a sample rate such as HalfLapped(2048, 512)")
    hop, window = scheme.discrete_samples(dimensions[axis])
    return np.moveaxis(np.asarray(x), axis, -1), hop, window


def _time_axis(dimensions: tuple[Any, ...]) -> int | None:
    """Return the axis of time: the only one, or the one beside an axis without units."""
    kinds = [type(dimension) for dimension in dimensions]
    for axis, allowed in enumerate(([TimeDimension, IdentityDimension], [IdentityDimension, TimeDimension])):
        if kinds == allowed:
            return axis
    return 0 if kinds == [TimeDimension] else None


def _like(x: Any, rows: np.ndarray) -> Any:
    """Give samples with time last the axes, the units and the class of ``x``."""
    axis = _time_axis(x.dimensions)
    assert axis is not None
    data = np.moveaxis(rows, -1, axis)
    dimensions = list(x.dimensions)
    dimensions[axis] = TimeDimension.from_rate(dimensions[axis].samplerate, size=data.shape[axis])
    return x._rewrap(np.ascontiguousarray(data), dimensions)
