"""How alike the frames of a signal are, with units.

Goal: ``dsp.self_similarity`` on arrays that know seconds. Conventions: frames come first, and both axes of the matrix
are theirs. Function: ``self_similarity``.
"""

from typing import Any

import numpy as np

from zounds_lite import dsp
from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.spectral.functional.axes import windowed_dimension
from zounds_lite.timeseries import AudioSamples, TimeDimension

__all__ = ["self_similarity"]


def self_similarity(
    array: Any, measure: str = "cosine", sigma: float | None = None, max_frames: int | None = None
) -> ArrayWithUnits:
    """Compare every frame of a feature with every other one: repetition shows as stripes, and sections as squares.

    The matrix has frames x frames elements: a minute of frames at 43 a second has 6.7 million, 27 MB in float32, and
    ten minutes have 2.7 GB. ``max_frames`` averages groups of frames that follow each other until so many are left.

    Args:
        array (ArrayWithUnits): spectra, bands, descriptors or pitch classes, frames first. Of complex values the
            magnitude counts. Arrays without units are taken, too.
        measure (str): ``"cosine"``, which the level does not change, or ``"gaussian"``, of the distance.
        sigma (float | None): width of the Gaussian, in the unit of the values, > 0; None: the median distance.
        max_frames (int | None): the largest size of the matrix, >= 1; None: one row for each frame.

    Shape:
        [time, ...] -> [time, time]

    Returns:
        ArrayWithUnits: symmetric, 1 on its diagonal; cosines are 0..1 where no value is negative. Silent frames are
        like each other and like no other frame. A frame with NaN gives a row and a column of NaN.

    Raises:
        DimensionError: samples of audio, which are no frames, or an array without axes.
        DeclarationError: another measure, or an argument out of its range.

    Examples:
        >>> from zounds_lite.spectral import stft
        >>> from zounds_lite.synthesize import SineSynthesizer
        >>> from zounds_lite.timeseries import SR11025, Seconds, TimeSlice
        >>> synth = SineSynthesizer(SR11025())
        >>> low, high = (synth.synthesize(Seconds(1), [hz]) for hz in (440.0, 880.0))
        >>> matrix = self_similarity(stft(low.concatenate(high)))
        >>> first, second = TimeSlice(Seconds(1)), TimeSlice(Seconds(1), start=Seconds(1))
        >>> matrix.shape, bool(matrix[first, first].mean() > 0.9), bool(matrix[first, second].mean() < 0.1)
        ((86, 86), True, True)

    See Also:
        dsp.self_similarity: of plain arrays.

    Sources:
        As for ``dsp.self_similarity``.
    """
    if max_frames is not None and not max_frames >= 1:
        raise DeclarationError(f"max_frames={max_frames!r}; allowed: 1 or more, or None for all frames")
    frames = np.asarray(array)
    if not frames.ndim:
        raise DimensionError("an array without an axis; give frames, such as the result of stft")
    time = getattr(array, "dimensions", (IdentityDimension(),))[0]
    if isinstance(array, AudioSamples):
        raise DimensionError(f"samples of shape {frames.shape} are no frames; give spectra, such as stft(samples)")
    count = 1 if max_frames is None else max(1, -(-len(frames) // max_frames))
    if count > 1:
        frames, time = _averaged(frames, count), _axis_of_groups(time, count)
    return ArrayWithUnits(dsp.self_similarity(frames, measure, sigma), [time, time])


def _averaged(frames: np.ndarray, count: int) -> np.ndarray:
    """Return the means of groups of ``count`` frames; the last group may be smaller."""
    dtype = np.float32 if frames.dtype in (np.float16, np.float32, np.complex64) else np.float64
    out = np.empty((-(-len(frames) // count), *frames.shape[1:]), dtype)
    for i in range(len(out)):
        group = frames[i * count : (i + 1) * count]
        out[i] = (np.abs(group) if group.dtype.kind == "c" else group).mean(axis=0, dtype=dtype)
    return out


def _axis_of_groups(time: Dimension, count: int) -> Dimension:
    if isinstance(time, TimeDimension):
        return windowed_dimension(time, count, count, start=time.start)
    return IdentityDimension()
