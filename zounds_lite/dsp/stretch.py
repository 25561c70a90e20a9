"""Time and pitch apart from each other: delays in the spectrum, time stretching, pitch shifting.

Goal: make sound longer or shorter at the same pitch, or higher or lower at the same length, at the level it had.

Conventions: time or frequency is the last axis; rows are processed as if each were alone. float32 stays float32, other
real numbers become float64. Frames are Hann windows, given as ``window`` and ``hop`` in samples of the result; a hop of
a quarter of the window is usual, and half of it the most that is allowed.

How the phase vocoder works here: the result is a sum of frames ``hop`` apart, and frame u shows the input around
``u * hop * factor``. It needs other phases than it has there, or it would cancel with its neighbour. How far each bin's
phase moves within a hop can be measured without any guess at its frequency: from a second frame of the input, one hop
earlier. So the rotation of a bin is what turns that earlier frame into the frame that the result already has. Bins
around a peak take the rotation of the peak, so that the shape of a partial, or of a click, is kept. What is still lost
to cancellation, in noise above all, is given back: each frame of the result gets the energy that the input has there.

Functions: ``phase_shift``, ``time_stretch``, ``pitch_shift``.

Sources:
    J. L. Flanagan, R. M. Golden, "Phase vocoder", Bell System Technical Journal 45 (1966): the method.
    M. Puckette, "Phase-locked vocoder", IEEE WASPAA (1995): two frames of the input, one hop apart.
    J. Laroche, M. Dolson, "Improved phase vocoder time-scale modification of audio", IEEE Trans. Speech and Audio
    Processing 7 (1999), section III.B: identity phase locking.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from math import ceil, isfinite

import numpy as np

from zounds_lite.dsp._checks import check_real
from zounds_lite.dsp.framing import divide_by_weights, overlap_add
from zounds_lite.dsp.resample import resample
from zounds_lite.dsp.transforms import irfft, rfft
from zounds_lite.dsp.windows import hann
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["phase_shift", "pitch_shift", "time_stretch"]

_MOST = 1024
"""Factors and ratios lie between one part in this many and this many."""

_BLOCK = 64
"""Frames that are transformed at once: they stay in the cache."""

_REACH = 2
"""A peak is larger than this many bins on each side: the main lobe of the Hann window is four bins wide."""

_MOST_GAIN = 2.0
"""What one frame may get back; noise needs 1.5, and a click that lies between two frames must not become two."""

_DENOMINATOR = 1_000_000
"""Of the fraction that a ratio of pitch is taken as: it is then right to one part in a million, or 0.002 cent."""


def phase_shift(spectrum: np.ndarray, delay: float, n_fft: int, first_bin: int = 0) -> np.ndarray:
    """Delay a signal, in its spectrum: bin k is multiplied by exp(-2 pi i k delay / n_fft).

    The delay is circular: what leaves the transform's n_fft samples at their end comes in at their beginning. A part of
    a sample is allowed; the bin at half the sample rate, where there is one, cannot show it and loses level.

    Args:
        spectrum (np.ndarray): coefficients of a real transform; real numbers count as complex ones.
        delay (float): samples, also negative, finite.
        n_fft (int): samples in the transform, >= 1.
        first_bin (int): the bin that the first coefficient stands for, >= 0.

    Shape:
        [..., bins] -> [..., bins], complex

    Raises:
        DeclarationError: a delay that is not finite, n_fft below 1, or a negative bin.

    Examples:
        >>> x = np.array([1.0, 2.0, 3.0, 4.0])
        >>> irfft(phase_shift(rfft(x), 1, n_fft=4), n=4).round(12)
        array([4., 1., 2., 3.])

    Sources:
        A. Oppenheim, R. Schafer, "Discrete-Time Signal Processing", table 8.2: the shift theorem.
    """
    if not isfinite(delay) or n_fft < 1 or first_bin < 0:
        raise DeclarationError(
            f"delay={delay}, n_fft={n_fft}, first_bin={first_bin}; allowed: a finite number of samples, n_fft >= 1, "
            "first_bin >= 0"
        )
    spectrum = np.asarray(spectrum)
    bins = np.arange(first_bin, first_bin + spectrum.shape[-1])
    # whole turns are taken off before the exponential, exactly for whole samples
    turns = np.fmod(bins * float(np.fmod(delay, n_fft)), n_fft) / n_fft
    dtype = np.result_type(spectrum.dtype, np.complex64)
    return np.asarray(spectrum * np.exp(-2j * np.pi * turns).astype(dtype))


def time_stretch(x: np.ndarray, factor: float, window: int, hop: int, n_out: int | None = None) -> np.ndarray:
    """Change how long a sound lasts, and neither its pitch nor its level.

    What is at sample t comes to lie at t / factor. Steady tones keep frequency and level exactly; onsets are smeared
    over a part of a window that grows with the distance of the factor from one. A factor of one returns a copy.

    Args:
        x (np.ndarray): real samples.
        factor (float): how much faster, 1/1024 to 1024: 2 lasts half as long, 0.5 twice as long.
        window (int): samples in a frame, >= 2. A frame must hold some periods of the lowest tone.
        hop (int): samples from one frame of the result to the next, 1 to window / 2.
        n_out (int | None): samples in the result; None: ``int(time / factor)``.

    Shape:
        [..., time] -> [..., n_out]

    Raises:
        DeclarationError: complex samples, or an argument outside its range.
        DimensionError: a 0-d input.

    Examples:
        >>> x = np.sin(2 * np.pi * 440 * np.arange(11025) / 11025)
        >>> y = time_stretch(x, 0.5, window=512, hop=128)
        >>> y.shape, round(float(np.std(y[1000:-1000]) / np.std(x)), 3)
        ((22050,), 1.0)

    See Also:
        pitch_shift
    """
    x = _checked(x, factor, "factor")
    if not (window >= 2 and 1 <= hop <= window // 2):
        raise DeclarationError(f"window={window}, hop={hop}; allowed: a window >= 2, and a hop of 1 to half of it")
    n_out = int(x.shape[-1] / factor) if n_out is None else n_out
    if factor == 1 and n_out == x.shape[-1]:
        return x.copy()
    out = np.zeros((*x.shape[:-1], n_out), x.dtype)
    for at in np.ndindex(x.shape[:-1]):
        if n_out and x.shape[-1]:
            out[at] = _stretched(x[at], factor, window, hop, n_out)
    return out


def pitch_shift(x: np.ndarray, ratio: float, window: int, hop: int) -> np.ndarray:
    """Multiply all frequencies of a sound, and keep its length and level.

    The sound is stretched by the ratio and then resampled to its old length, both by the same fraction, which is within
    0.002 cent of the ratio. What comes to lie above half the sample rate is dropped. A ratio of one returns a copy.

    Args:
        x (np.ndarray): real samples.
        ratio (float): new frequencies to old ones, 1/1024 to 1024; n semitones are ``2 ** (n / 12)``.
        window (int): samples in a frame, >= 2.
        hop (int): samples from one frame to the next, 1 to window / 2.

    Shape:
        [..., time] -> [..., time]

    Raises:
        DeclarationError: complex samples, or an argument outside its range.
        DimensionError: a 0-d input.

    Examples:
        >>> x = np.sin(2 * np.pi * 440 * np.arange(11025) / 11025)
        >>> y = pitch_shift(x, 2.0, window=512, hop=128)
        >>> y.shape, int(np.abs(np.fft.rfft(y)).argmax())
        ((11025,), 880)

    See Also:
        time_stretch
    """
    x = _checked(x, ratio, "ratio")
    exact = Fraction(ratio).limit_denominator(_DENOMINATOR)
    if ratio < 1:
        exact = 1 / Fraction(1 / ratio).limit_denominator(_DENOMINATOR)
    n = x.shape[-1]
    # some more than is needed, so that the resampler has no edge to ring at
    n_stretched = ceil(n * exact) + window if n else 0
    stretched = time_stretch(x, float(1 / exact), window, hop, n_stretched if exact != 1 else None)
    if exact == 1:
        return stretched
    out = np.empty_like(x)
    for at in np.ndindex(x.shape[:-1]):
        out[at] = resample(stretched[at], exact.numerator, exact.denominator)[:n]
    return out


def _checked(x: np.ndarray, factor: float, name: str) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim == 0:
        raise DimensionError("a single number has no time axis: give an array of samples")
    check_real(x, "samples", "process real and imaginary part apart")
    if not 1 / _MOST <= factor <= _MOST:
        raise DeclarationError(f"{name}={factor!r}; allowed: 1/{_MOST} to {_MOST}")
    return x if x.dtype in (np.float32, np.float64) else x.astype(np.float64)


def _stretched(x: np.ndarray, factor: float, window: int, hop: int, n_out: int) -> np.ndarray:
    """Stretch one row that is not empty."""
    # a power of two changes no digit, and keeps products of coefficients away from the ends of float32
    scale = x.dtype.type(2.0 ** np.frexp(np.abs(x[np.isfinite(x)]).max(initial=0.0))[1])
    x = x / scale
    first, last = -(window // 2 // hop), (n_out + window // 2) // hop
    centres = np.clip(np.rint(np.arange(first, last + 1) * hop * factor), -window, len(x) + window).astype(int)
    before, after = 2 * window + hop, 2 * window
    cut = np.lib.stride_tricks.sliding_window_view(np.pad(x, (before, after)), window)
    starts = centres - window // 2 + before
    weights = hann(window, periodic=True).astype(x.dtype)
    with np.errstate(invalid="ignore", over="ignore"):  # of NaN and infinity in the input
        frames = (block * weights for block in _coherent(cut, starts, weights, hop))
        out = _joined(frames, len(starts), weights, hop)
        gains = _lost(cut, starts, out, weights, hop)
        out *= _joined((block[:, None] * weights**2 for block in gains), len(starts), weights, hop)
        begin = window // 2 - first * hop
        return np.asarray(out[begin : begin + n_out] * scale)


def _coherent(cut: np.ndarray, starts: np.ndarray, weights: np.ndarray, hop: int) -> Iterator[np.ndarray]:
    """Yield blocks of frames of the input, turned so that each goes on where the one before it has come to."""
    done = None
    for at in range(0, len(starts), _BLOCK):
        places = starts[at : at + _BLOCK]
        now = rfft(cut[places] * weights)
        earlier = rfft(cut[places - hop] * weights).conj()
        owners = _owners(now.real**2 + now.imag**2)
        for spectrum, old, owner in zip(now, earlier, owners, strict=True):
            if done is not None:
                spectrum *= _turn((done * old)[owner])
            done = spectrum
        yield irfft(now, len(weights))


def _turn(z: np.ndarray) -> np.ndarray:
    """Return numbers of size one with the angles of ``z``; one where there is none."""
    size = np.abs(z)
    known = (size > 0) & np.isfinite(size)
    return np.where(known, z, 1) / np.where(known, size, 1)


def _owners(power: np.ndarray) -> np.ndarray:
    """Return, for each bin, the nearest peak; where there are no peaks, the bin itself."""
    bins = power.shape[-1]
    peak = np.ones(power.shape, bool)
    for step in range(1, min(_REACH, bins - 1) + 1):
        peak[..., step:] &= power[..., step:] > power[..., :-step]
        peak[..., :-step] &= power[..., :-step] >= power[..., step:]
    k, far = np.arange(bins), 2 * bins
    below = np.maximum.accumulate(np.where(peak, k, -far), axis=-1)
    above = np.minimum.accumulate(np.where(peak, k, far)[..., ::-1], axis=-1)[..., ::-1]
    nearest = np.where(k - below <= above - k, below, above)
    return np.where((nearest >= 0) & (nearest < bins), nearest, k)


def _lost(cut: np.ndarray, starts: np.ndarray, out: np.ndarray, weights: np.ndarray, hop: int) -> Iterator[np.ndarray]:
    """Yield, block by block, the gain that gives each frame of the result the energy of its frame of the input."""
    made = np.lib.stride_tricks.sliding_window_view(out, len(weights))[::hop]
    for at in range(0, len(starts), _BLOCK):
        wanted = ((cut[starts[at : at + _BLOCK]] * weights) ** 2).sum(axis=-1)
        found = ((made[at : at + _BLOCK] * weights) ** 2).sum(axis=-1)
        known = (wanted > 0) & (found > 0)  # and neither is NaN
        gain = np.sqrt(np.where(known, wanted, 1) / np.where(known, found, 1))
        yield np.clip(gain, 1 / _MOST_GAIN, _MOST_GAIN).astype(out.dtype)


def _joined(blocks: Iterable[np.ndarray], n_frames: int, weights: np.ndarray, hop: int) -> np.ndarray:
    """Overlap-add blocks of frames that carry the square of the weights, and divide by the sum of it."""
    out = np.zeros((n_frames - 1) * hop + len(weights), weights.dtype)
    at = 0
    for block in blocks:
        part = overlap_add(block, hop)
        out[at : at + len(part)] += part
        at += len(block) * hop
    divide_by_weights(out, weights.astype(np.float64) ** 2, hop, n_frames)
    return out
