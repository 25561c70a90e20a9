"""Onset detection with units.

Goal: the detection functions of ``dsp.onset`` for arrays that know seconds. Conventions: time comes first, and spectra
last; a detection function has one value a frame on the time axis of the frames, and the change that a value measures
lies near the middle of its frame. Functions: ``measure_of_transience``, ``complex_domain``, ``spectral_flux``,
``relative_flux``, ``spectral_distance``, ``tempo``.
"""

from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits
from zounds_lite.dsp import onset as dsp
from zounds_lite.dsp.beat import tempo as dsp_tempo
from zounds_lite.errors import DimensionError
from zounds_lite.timeseries import Milliseconds, TimeDimension
from zounds_lite.timeseries.durations import in_seconds

__all__ = [
    "complex_domain",
    "frames_per_second",
    "measure_of_transience",
    "relative_flux",
    "spectral_distance",
    "spectral_flux",
    "tempo",
]

_HALF_A_SECOND = Milliseconds(500)


def measure_of_transience(spectra: Any, previous: np.ndarray | None = None) -> ArrayWithUnits:
    """Measure how suddenly the high-frequency content rises; see ``dsp.onset.measure_of_transience``.

    Args:
        spectra (ArrayWithUnits): complex spectra or their magnitudes, time first.
        previous (np.ndarray | None): the spectrum before the first one; None: the first one.

    Shape:
        [frames, bins] -> [frames], real

    Raises:
        DimensionError: the first dimension is none of time, or there is no axis of bins.

    See Also:
        MeasureOfTransience: the node.
    """
    return _of_frames(spectra, dsp.measure_of_transience(np.asarray(spectra), previous))


def spectral_flux(
    spectra: Any, previous: np.ndarray | None = None, gamma: float = 0.0, reach: int = 2
) -> ArrayWithUnits:
    """Measure how much the bins rise, on average; see ``dsp.onset.spectral_flux``.

    Args:
        spectra (ArrayWithUnits): complex spectra or their magnitudes, time first.
        previous (np.ndarray | None): the spectrum before the first one; None: the first one.
        gamma (float): compression, >= 0; 0: none.
        reach (int): neighbours on each side of a bin that may explain a rise, >= 0.

    Shape:
        [frames, bins] -> [frames], real

    Raises:
        DimensionError: the first dimension is none of time, or there is no axis of bins.
        DeclarationError: ``gamma`` or ``reach`` is negative.

    Examples:
        >>> import zounds_lite as zounds
        >>> ticks = zounds.TickSynthesizer(zounds.SR22050(), seed=1).synthesize(zounds.Seconds(2), zounds.Seconds(1))
        >>> flux = spectral_flux(zounds.spectral.stft(ticks))
        >>> loudest = 20 + int(flux[20:].argmax())
        >>> flux.dimensions[0].slice_of(loudest)
        TimeSlice(start = 0.975238095238, duration = 0.046439909297)

    See Also:
        SpectralFlux: the node.
    """
    return _of_frames(spectra, dsp.spectral_flux(np.asarray(spectra), previous, gamma, reach))


def relative_flux(
    spectra: Any,
    half_life: np.timedelta64 = _HALF_A_SECOND,
    previous: np.ndarray | None = None,
    gamma: float = 0.0,
    reach: int = 2,
    loudest: float = 0.0,
) -> tuple[ArrayWithUnits, float]:
    """Measure the spectral flux as a part of how loud it has been lately; see ``dsp.onset.relative_flux``.

    Args:
        spectra (ArrayWithUnits): complex spectra or their magnitudes, time first.
        half_life (np.timedelta64): the time in which a loudness is forgotten by half, > 0.
        previous, gamma, reach: as for ``spectral_flux``.
        loudest (float): what is left of the largest mean at the frame before the first one; for streams.

    Shape:
        [frames, bins] -> [frames], real

    Returns:
        tuple[ArrayWithUnits, float]: the values, and what is left of the largest mean at the last frame.

    Raises:
        DimensionError: not two dimensions, of which the first is time.
        DeclarationError: an argument is out of its range.

    See Also:
        SpectralFlux: the node.
    """
    frames = in_seconds(half_life) * frames_per_second(_time_of(spectra))
    values, loudest = dsp.relative_flux(np.asarray(spectra), frames, previous, gamma, reach, loudest)
    return _of_frames(spectra, values), loudest


def spectral_distance(spectra: Any, previous: np.ndarray | None = None, unit_norm: bool = False) -> ArrayWithUnits:
    """Measure the Euclidean distance from each magnitude spectrum to the one before.

    Args:
        spectra (ArrayWithUnits): complex spectra or their magnitudes, time first.
        previous (np.ndarray | None): the spectrum before the first one; None: the first one.
        unit_norm (bool): scale each spectrum to a length of one first.

    Shape:
        [frames, bins] -> [frames], real

    Raises:
        DimensionError: the first dimension is none of time, or there is no axis of bins.

    See Also:
        Flux: the node.
    """
    return _of_frames(spectra, dsp.spectral_distance(np.asarray(spectra), previous, unit_norm))


def complex_domain(windows: Any) -> ArrayWithUnits:
    """Measure how badly two spectra predict the next one; see ``dsp.onset.complex_domain``.

    Args:
        windows (ArrayWithUnits): windows of consecutive complex spectra, of which the first three count.

    Shape:
        [windows, 3 or more, bins] -> [windows], real

    Returns:
        ArrayWithUnits: its time axis has the hop of the windows, and each value lasts as long as one frame: where the
        windows were padded by one frame, the one in the middle of the three, which is where the change lies.

    Raises:
        DimensionError: the first two dimensions are none of time, or there are fewer than three frames in a window.

    See Also:
        ComplexDomain: the node.
    """
    time = _time_of(windows)
    frame = _time_of(windows, 1)
    return ArrayWithUnits(dsp.complex_domain(np.asarray(windows)), [_in_the_middle(time, frame)])


def _in_the_middle(time: TimeDimension, frame: TimeDimension) -> TimeDimension:
    """Return the axis of values that each stand for the second frame of a window."""
    if time.rate is None or frame.rate != time.rate or frame.hop is None:
        return TimeDimension(time.frequency, frame.duration, start=time.start)
    assert time.hop is not None and frame.window is not None
    padding = None if time.padding is None or time.padding < frame.hop else time.padding - frame.hop
    notes = {"start": time.start, "padding": padding, "n_samples": time.n_samples}
    return TimeDimension.windowed(time.hop, frame.window, time.rate, **notes)


def tempo(
    detection: Any,
    start_bpm: float = 120.0,
    std_octaves: float = 1.0,
    min_bpm: float = 30.0,
    max_bpm: float = 320.0,
) -> float:
    """Estimate the tempo of an onset detection function; see ``dsp.beat.tempo``.

    Args:
        detection (ArrayWithUnits): one real value a frame, on an axis of time.
        start_bpm, std_octaves, min_bpm, max_bpm (float): as for ``dsp.beat.tempo``.

    Returns:
        float: beats per minute; 0 where there is no beat.

    Raises:
        DimensionError: not one dimension, of time.
        DeclarationError: complex values, or an argument out of its range.

    Examples:
        >>> import zounds_lite as zounds
        >>> synth = zounds.TickSynthesizer(zounds.SR22050(), seed=1)
        >>> ticks = synth.synthesize(zounds.Seconds(10), zounds.Milliseconds(480))
        >>> round(tempo(spectral_flux(zounds.spectral.stft(ticks))))
        125

    See Also:
        Tempo: the node.
    """
    per_second = frames_per_second(_time_of(detection))
    return dsp_tempo(np.asarray(detection), per_second, start_bpm, std_octaves, min_bpm, max_bpm)


def frames_per_second(time: TimeDimension) -> float:
    """Return how many elements of an axis start in a second."""
    if time.rate is not None and time.hop is not None:
        return time.rate / time.hop
    return 1.0 / in_seconds(time.frequency)


def _of_frames(spectra: Any, values: np.ndarray) -> ArrayWithUnits:
    _time_of(spectra)
    return ArrayWithUnits(values, spectra.dimensions[:-1])


def _time_of(x: Any, axis: int = 0) -> TimeDimension:
    dimensions = getattr(x, "dimensions", ())
    if len(dimensions) <= axis or not isinstance(dimensions[axis], TimeDimension):
        raise DimensionError(
            f"{type(x).__name__} with dimensions {dimensions!r}; dimension {axis} must be a TimeDimension, as of what "
            "SlidingWindow and FFT give"
        )
    found: TimeDimension = dimensions[axis]
    return found
