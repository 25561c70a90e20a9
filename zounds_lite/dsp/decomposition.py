"""Signals as sums of parts at lower and lower rates.

Goal: a signal as a coarse version of itself with few samples, and what is lacking at each finer rate: a pyramid whose
levels are bands of frequency. Conventions: the signal axis is the last one unless ``axis`` says otherwise; a signal is
taken as one period, so resampling is exact for what lies below both Nyquist frequencies. float32 stays float32.

Functions: ``fft_resample``, ``decompose``, ``recompose`` (the inverse).

Sources:
    P. J. Burt, E. H. Adelson, "The Laplacian pyramid as a compact image code", IEEE Trans. Communications 31 (1983),
    eq. 3: what is kept of each level is its difference to the level above it, expanded.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["decompose", "fft_resample", "recompose"]


def fft_resample(x: np.ndarray, n: int, axis: int = -1) -> np.ndarray:
    """Bring one period of a signal to another number of samples, keeping its values.

    The spectrum is cut, or filled with zeros, and scaled by n over the number of samples: the same curve, sampled at
    other places. Where the shorter one has an even number of samples, its highest bin stands for both signs of that
    frequency, and is doubled or halved accordingly.

    Args:
        x (np.ndarray): real or complex samples; no samples count as silence.
        n (int): wanted samples, >= 1.
        axis (int): the axis of samples.

    Shape:
        [..., time] -> [..., n]

    Raises:
        DeclarationError: n below 1.

    Examples:
        >>> fft_resample(np.array([1.0, 0.0, -1.0, 0.0]), 8).round(3)
        array([ 1.   ,  0.707,  0.   , -0.707, -1.   , -0.707,  0.   ,  0.707])
    """
    if n < 1:
        raise DeclarationError(f"n={n}: a signal is resampled to at least 1 sample")
    x = np.asarray(x)
    if x.dtype.kind not in "fc":
        x = x.astype(np.float64)
    n_in = x.shape[axis]
    if n == n_in or not x.size:
        return x.copy() if n == n_in else np.zeros(_resized(x, n, axis), x.dtype)
    import scipy.fft

    x = np.moveaxis(x, axis, -1)
    m = min(n, n_in)
    if x.dtype.kind == "f":
        spectrum = scipy.fft.rfft(x)
        kept = np.zeros((*x.shape[:-1], n // 2 + 1), spectrum.dtype)
        kept[..., : m // 2 + 1] = spectrum[..., : m // 2 + 1]
        if m % 2 == 0:
            kept[..., m // 2] *= 2.0 if n < n_in else 0.5
        found = scipy.fft.irfft(kept, n)
    else:
        found = _resampled_complex(x, n)
    found *= n / n_in
    return np.moveaxis(found, -1, axis)


def _resampled_complex(x: np.ndarray, n: int) -> np.ndarray:
    import scipy.fft

    n_in = x.shape[-1]
    m = min(n, n_in)
    half = m // 2
    spectrum = scipy.fft.fft(x)
    kept = np.zeros((*x.shape[:-1], n), spectrum.dtype)
    kept[..., : (m + 1) // 2] = spectrum[..., : (m + 1) // 2]
    kept[..., n - (m - 1) // 2 :] = spectrum[..., n_in - (m - 1) // 2 :]
    if m % 2 == 0 and n < n_in:
        kept[..., half] = spectrum[..., half] + spectrum[..., n_in - half]
    elif m % 2 == 0:
        kept[..., half] = kept[..., n - half] = 0.5 * spectrum[..., half]
    return np.asarray(scipy.fft.ifft(kept))


def _resized(x: np.ndarray, n: int, axis: int) -> tuple[int, ...]:
    return tuple(n if i == axis % x.ndim else size for i, size in enumerate(x.shape))


def decompose(x: np.ndarray, sizes: Iterable[int]) -> list[np.ndarray]:
    """Take a signal apart into a part per number of samples, from coarse to fine.

    Each part is what the coarser ones left of the signal, resampled to its size. If the largest size is that of the
    signal, nothing is left, and ``recompose`` is exact.

    Args:
        x (np.ndarray): real samples.
        sizes (Iterable[int]): samples of the parts, each once, 1 to the samples of the signal; they are sorted.

    Shape:
        [..., time] -> a list of [..., size]

    Raises:
        DeclarationError: no sizes, one twice, or one beyond the signal.

    Examples:
        >>> [part.tolist() for part in decompose(np.array([3.0, 1.0, 3.0, 1.0]), [1, 4])]
        [[2.0], [1.0, -1.0, 1.0, -1.0]]
    """
    x = np.asarray(x)
    wanted = sorted(int(size) for size in sizes)
    if not wanted or wanted[0] < 1 or wanted[-1] > x.shape[-1] or len(set(wanted)) < len(wanted):
        raise DeclarationError(
            f"sizes={wanted} for signals of {x.shape[-1]} samples; allowed: at least one size, each once, "
            f"from 1 to {x.shape[-1]}"
        )
    left = x.astype(x.dtype if x.dtype.kind == "f" else np.float64)
    parts = []
    for size in wanted:
        part = fft_resample(left, size)
        left -= fft_resample(part, x.shape[-1])
        parts.append(part)
    return parts


def recompose(parts: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Add parts to a signal of ``n`` samples: the inverse of ``decompose``.

    Args:
        parts (Sequence[np.ndarray]): the parts, all of them or some, at least one.
        n (int): samples of the signal, >= 1.

    Shape:
        a list of [..., size] -> [..., n]

    Raises:
        DimensionError: no parts.
        DeclarationError: n below 1.

    Examples:
        >>> recompose([np.array([2.0]), np.array([1.0, -1.0, 1.0, -1.0])], 4).tolist()
        [3.0, 1.0, 3.0, 1.0]
    """
    if not parts:
        raise DimensionError("no parts to add: give at least one")
    out = fft_resample(parts[0], n)
    for part in parts[1:]:
        out += fft_resample(part, n)
    return out
