"""Transforms of real signals: Fourier and cosine, whole or lapped.

Goal: one place that calls the FFT, with one normalisation; float32 in, complex64 or float32 out.

Conventions: plain arrays, the last axis by default. Transforms are orthonormal, so that energy is kept; for the Fourier
transform (1 / sqrt(n) each way) that is ``|X[0]|^2 + 2 sum |X[k]|^2 + |X[n/2]|^2 = sum x^2``. The lapped one, ``mdct``,
is orthonormal as a whole: over frames half a window apart, with a power-complementary window. A row's result is the
same to the last bit whether it is transformed alone or with others.

Functions: ``rfft``, ``irfft``, ``windowed_rfft``; ``dct``, ``idct``, ``dct4``, ``mdct``, ``imdct``, ``dct_basis``.
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from zounds_lite.dsp._checks import check_real
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["dct", "dct4", "dct_basis", "idct", "imdct", "irfft", "mdct", "rfft", "windowed_rfft"]

# measured: frames of 2048 samples that are windowed and transformed at once stay in the second-level cache
_FRAMES_AT_ONCE = 32
_SAMPLES_AT_ONCE = 2**17
_SQRT_2 = float(np.sqrt(2.0))

_Rows = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


def rfft(x: np.ndarray, n: int | None = None, axis: int = -1) -> np.ndarray:
    """Transform a real signal to its spectrum.

    Args:
        x (np.ndarray): real samples; float32 gives complex64, float64 and integers give complex128.
        n (int | None): samples to transform: the signal is cut or padded with zeros at its end. None: all.
        axis (int): the axis of time.

    Shape:
        [..., time] -> [..., n // 2 + 1]

    Raises:
        DeclarationError: a complex signal, or n below 1.
        DimensionError: no samples to transform.

    Examples:
        >>> rfft(np.array([1.0, 0.0, 0.0, 0.0]))
        array([0.5+0.j, 0.5+0.j, 0.5+0.j])

    See Also:
        irfft (the inverse).
    """
    x = _as_real(x)
    _check(x, n, axis)
    import scipy.fft

    return scipy.fft.rfft(x, n=n, axis=axis, norm="ortho")


def irfft(spectrum: np.ndarray, n: int, axis: int = -1) -> np.ndarray:
    """Transform a spectrum back to its real signal.

    Args:
        spectrum (np.ndarray): complex or real coefficients; complex64 gives float32.
        n (int): samples of the signal. It cannot be told from the spectrum: n = 2m and n = 2m + 1 both have m + 1 bins.
        axis (int): the axis of frequency.

    Shape:
        [..., n // 2 + 1] -> [..., n]

    Raises:
        DeclarationError: n below 1.
        DimensionError: no coefficients, or another number of them than n // 2 + 1.

    Examples:
        >>> irfft(rfft(np.array([1.0, 2.0, 3.0])), n=3)
        array([1., 2., 3.])

    See Also:
        rfft (the inverse).
    """
    spectrum = np.asarray(spectrum)
    _check(spectrum, n, axis)
    if spectrum.shape[axis] != n // 2 + 1:
        raise DimensionError(
            f"{spectrum.shape[axis]} bins for a signal of n={n} samples, which has {n // 2 + 1}: "
            "give the n_fft of the analysis"
        )
    import scipy.fft

    return scipy.fft.irfft(spectrum, n=n, axis=axis, norm="ortho")


def windowed_rfft(frames: np.ndarray, window: np.ndarray | None = None, out: np.ndarray | None = None) -> np.ndarray:
    """Multiply frames with a window and transform them: ``rfft(frames * window)`` without the product of all frames.

    Args:
        frames (np.ndarray): real frames, such as the view that ``framing.frames`` gives.
        window (np.ndarray | None): one factor per sample of a frame, used in the precision of the frames. None: none.
        out (np.ndarray | None): where the spectra go, any complex array of the right shape. None: a new one.

    Shape:
        [frames, window] -> [frames, window // 2 + 1]

    Raises:
        DeclarationError: complex frames.
        DimensionError: frames that are no matrix, or a window of another size.

    Examples:
        >>> windowed_rfft(np.ones((2, 4)), np.array([0.0, 1.0, 1.0, 0.0])).real
        array([[ 1. , -0.5,  0. ],
               [ 1. , -0.5,  0. ]])

    See Also:
        rfft.
    """
    frames = _as_real(frames)
    shape = frames.shape[1:] if window is None else np.shape(window)
    if frames.ndim != 2 or shape != frames.shape[1:]:
        raise DimensionError(f"frames of shape {frames.shape}, a window of shape {shape}: give (frames, w) and (w,)")
    _check(frames, None, -1)
    import scipy.fft

    real = _float_of(frames.dtype)
    factors = None if window is None else np.asarray(window).astype(real)
    scratch = np.empty((min(_FRAMES_AT_ONCE, len(frames)), frames.shape[1]), real)
    if out is None:
        out = np.empty((len(frames), frames.shape[1] // 2 + 1), np.result_type(real, np.complex64))
    for start in range(0, len(frames), _FRAMES_AT_ONCE):
        part = frames[start : start + _FRAMES_AT_ONCE]
        if factors is not None:
            part = np.multiply(part, factors, out=scratch[: len(part)])
        out[start : start + _FRAMES_AT_ONCE] = scipy.fft.rfft(part, norm="ortho")
    return out


def dct(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Transform a real signal by the orthonormal cosine transform of type II.

    X[k] = s[k] sqrt(2 / N) sum x[n] cos(pi / N (n + 1/2) k), with s[0] = 1 / sqrt(2) and s[k] = 1 otherwise.

    Args:
        x (np.ndarray): real samples; float32 stays float32, integers become float64.
        axis (int): the axis of time.

    Shape:
        [..., time] -> [..., time]

    Raises:
        DeclarationError: a complex signal.
        DimensionError: no samples to transform.

    Examples:
        >>> dct(np.array([1.0, 1.0, 1.0, 1.0]))
        array([2., 0., 0., 0.])

    See Also:
        idct (the inverse), dct_basis.

    Sources:
        N. Ahmed, T. Natarajan, K. R. Rao, "Discrete cosine transform", IEEE Trans. Computers C-23 (1974), eq. 1.
    """
    return _cosine(x, 2, axis)


def idct(coefficients: np.ndarray, axis: int = -1) -> np.ndarray:
    """Undo ``dct``: the orthonormal cosine transform of type III.

    Args:
        coefficients (np.ndarray): real coefficients; float32 stays float32.
        axis (int): the axis of frequency.

    Shape:
        [..., bins] -> [..., bins]

    Raises:
        DeclarationError: complex coefficients.
        DimensionError: no coefficients.

    Examples:
        >>> idct(dct(np.array([1.0, 2.0, 3.0])))
        array([1., 2., 3.])

    See Also:
        dct (the inverse).
    """
    return _cosine(coefficients, 3, axis)


def dct4(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Transform a real signal by the orthonormal cosine transform of type IV, which is its own inverse.

    X[k] = sqrt(2 / N) sum x[n] cos(pi / N (n + 1/2) (k + 1/2)).

    Args:
        x (np.ndarray): real samples, or coefficients; float32 stays float32, integers become float64.
        axis (int): the axis of time, or of frequency.

    Shape:
        [..., time] -> [..., time]

    Raises:
        DeclarationError: a complex signal.
        DimensionError: no samples to transform.

    Examples:
        >>> dct4(dct4(np.array([1.0, 2.0, 3.0])))
        array([1., 2., 3.])

    Sources:
        Z. Wang, "Fast algorithms for the discrete W transform and for the discrete Fourier transform", IEEE Trans.
        ASSP 32 (1984), eq. 4 (the transform named C-IV).
    """
    return _cosine(x, 4, axis)


def mdct(x: np.ndarray, axis: int = -1) -> np.ndarray:
    """Transform frames of 2N samples to N coefficients by the modified discrete cosine transform.

    X[k] = sqrt(2 / N) sum x[n] cos(pi / N (n + 1/2 + N/2) (k + 1/2)), the sum over all 2N samples.

    One frame alone cannot be recovered from half as many numbers. Frames half a window apart, windowed before and after
    by a power-complementary window, cancel each other's aliasing and add up to the signal.

    Args:
        x (np.ndarray): real frames, windowed already; float32 stays float32, integers become float64.
        axis (int): the axis of time.

    Shape:
        [..., 2 N] -> [..., N]

    Raises:
        DeclarationError: complex frames.
        DimensionError: frames of an odd size, or of none.

    Examples:
        >>> mdct(np.array([1.0, 2.0, 3.0, 4.0])).round(6)
        array([-6.84984 , -1.754904])

    See Also:
        imdct (its transpose; the inverse with windows and overlap-add), dct4.

    Sources:
        J. Princen, A. Johnson, A. Bradley, "Subband/transform coding using filter bank designs based on time domain
        aliasing cancellation", ICASSP 1987, eq. 1-4.
    """
    x = _as_real(x)
    _check(x, None, axis)
    size = x.shape[axis]
    if size % 2:
        raise DimensionError(
            f"frames of {size} samples: an MDCT takes 2 N samples, so choose a window one sample longer or shorter, "
            "or put a zero after each frame"
        )
    return _lapped(x, size // 2, axis, _analysed, size)


def imdct(coefficients: np.ndarray, axis: int = -1) -> np.ndarray:
    """Turn N coefficients of ``mdct`` into 2N samples, which still hold the aliasing that overlap-add cancels.

    y[n] = sqrt(2 / N) sum X[k] cos(pi / N (n + 1/2 + N/2) (k + 1/2)): the transpose of ``mdct``, with its factor.

    Args:
        coefficients (np.ndarray): real coefficients; float32 stays float32.
        axis (int): the axis of frequency.

    Shape:
        [..., N] -> [..., 2 N]

    Raises:
        DeclarationError: complex coefficients.
        DimensionError: no coefficients.

    Examples:
        >>> from zounds_lite.dsp import frames, overlap_add, vorbis
        >>> x, w = np.array([0.0, 0.0, 1.0, 2.0, 3.0, 4.0, 0.0, 0.0]), vorbis(4)
        >>> overlap_add(imdct(mdct(frames(x, 4, 2) * w)) * w, 2)[2:6].round(12)
        array([1., 2., 3., 4.])

    See Also:
        mdct.
    """
    coefficients = _as_real(coefficients)
    _check(coefficients, None, axis)
    n = coefficients.shape[axis]
    return _lapped(coefficients, 2 * n, axis, _synthesised, n)


def dct_basis(n: int) -> np.ndarray:
    """Return the cosines of the DCT-II, unnormalised: row k is cos(pi / n k (j + 1/2)).

    Args:
        n (int): number of cosines, and of samples, >= 1.

    Shape:
        -> [n, n], float64; the squares of row 0 sum to n, those of any other row to n / 2

    Raises:
        DeclarationError: n below 1.

    Examples:
        >>> dct_basis(2).round(6)
        array([[ 1.      ,  1.      ],
               [ 0.707107, -0.707107]])

    See Also:
        dct (the same rows, normalised, applied).
    """
    if n < 1:
        raise DeclarationError(f"n={n}: a basis has at least 1 cosine")
    # the phase repeats after 4 n: reduced as integers, large products lose no digits
    phase = np.outer(np.arange(n), 2 * np.arange(n) + 1) % (4 * n)
    return np.cos(np.pi / (2 * n) * phase)


def _cosine(x: np.ndarray, kind: Literal[2, 3, 4], axis: int) -> np.ndarray:
    x = _as_real(x)
    _check(x, None, axis)
    import scipy.fft

    return scipy.fft.dct(x, type=kind, axis=axis, norm="ortho")


def _lapped(x: np.ndarray, size: int, axis: int, transform: _Rows, row: int) -> np.ndarray:
    """Transform rows to rows of another size, block by block."""
    rows = np.moveaxis(x, axis, -1)
    out = np.empty((*rows.shape[:-1], size), _float_of(x.dtype))
    flat, out_flat = rows.reshape(-1, row), out.reshape(-1, size)
    step = max(1, _SAMPLES_AT_ONCE // max(row, size))
    scratch = np.empty((min(step, len(flat)), min(row, size)), out.dtype)
    # infinities of both signs in one frame make NaN, as in a Fourier transform, and are no reason to warn
    with np.errstate(invalid="ignore"):
        for start in range(0, len(flat), step):
            part = flat[start : start + step]
            transform(part, scratch[: len(part)], out_flat[start : start + step])
    return out if axis in (-1, x.ndim - 1) else np.ascontiguousarray(np.moveaxis(out, -1, axis))


# The cosine of the MDCT is that of a DCT of N points, continued to 2N: where N is even its phase lies between samples,
# (n + 1/2 + N/2), as in the type IV; where N is odd on them, as in the type III. The continuation is odd around N and
# changes its sign every 2N, so that the 2N samples fold into N, and N values unfold into 2N:
#   frame     a        |  middle, reversed     |  d        sizes N // 2, N, N // 2 (where N is odd, one sample at n = N
#   folded    + [last] |  -                    |  - [first]   // 2 lies on a zero of all cosines and is left out)


def _analysed(x: np.ndarray, folded: np.ndarray, out: np.ndarray) -> None:
    import scipy.fft

    n = folded.shape[1]
    half, odd = divmod(n, 2)
    start = half + odd
    x = x if x.dtype == folded.dtype else x.astype(folded.dtype)
    middle = x[:, start : start + n][:, ::-1]
    first, last = folded[:, odd:start], folded[:, start:]
    np.add(middle[:, odd:start], x[:, start + n :], out=first)
    np.subtract(middle[:, start:], x[:, :half], out=last)
    if odd:
        np.multiply(middle[:, 0], _SQRT_2, out=folded[:, 0])
    # the sign changes on the way out, where it costs nothing
    np.negative(scipy.fft.dct(folded, type=3 if odd else 4, norm="ortho", overwrite_x=True), out=out)


def _synthesised(x: np.ndarray, scratch: np.ndarray, out: np.ndarray) -> None:
    import scipy.fft

    n = scratch.shape[1]
    half, odd = divmod(n, 2)
    start = half + odd
    scratch[...] = x
    values = scipy.fft.dct(scratch, type=2 if odd else 4, norm="ortho", overwrite_x=True)
    if odd:
        values[:, 0] *= _SQRT_2
        out[:, half] = 0
    out[:, :half] = values[:, start:]
    np.negative(values[:, ::-1], out=out[:, start : start + n])
    np.negative(values[:, odd:start], out=out[:, start + n :])


def _as_real(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    check_real(x, "a signal", "transform real and imaginary part apart")
    return x


def _float_of(dtype: np.dtype) -> np.dtype:
    """Return the type that samples are transformed in: integers of any size become float64."""
    return np.dtype(np.float32 if dtype in (np.float16, np.float32) else np.float64)


def _check(x: np.ndarray, n: int | None, axis: int) -> None:
    if n is not None and n < 1:
        raise DeclarationError(f"n={n}: a transform has at least 1 sample")
    if not -x.ndim <= axis < x.ndim:
        raise DimensionError(f"axis={axis} of an array of shape {x.shape}, which has {x.ndim} axes")
    if x.shape[axis] == 0:
        raise DimensionError(f"an array of shape {x.shape} has nothing to transform along axis {axis}")
