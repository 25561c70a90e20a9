"""Spectra cut into overlapping bands, each transformed on its own, and put together again.

Goal: time resolution that varies with frequency. A band of a long transform, multiplied with a window along frequency
and transformed back alone, is a signal of that band at a rate of its own: few numbers for a narrow band, many for a
wide one. Dividing the sum of the bands by the sum of their windows undoes it exactly.

Conventions: spectra are (frames, bins); a band is a slice of bins; transforms work on the last axis and are
orthonormal. A window is a function of a size. Complex spectra are halves (real signals), and a transform such as
``irfft`` drops the imaginary parts of a band's first and last bin: harmless where the window is zero there, so a band
of n bins gives 2 (n - 1) numbers; any other band is put between two zero bins first and gives 2 (n + 1). Real spectra
lose nothing: n bins give n numbers.

Names: ``BandSplit`` (holds windows and applies them), ``band_window``, ``overlap_add_at``.

Sources:
    O. Derrien, T. Necciari, P. Balazs, "A quasi-orthogonal, invertible, and perceptually relevant time-frequency
    transform for audio coding", EUSIPCO (2015); N. Holighaus, M. Doerfler, G. A. Velasco, T. Grill, "A framework for
    invertible, real-time constant-Q transforms", IEEE Trans. ASLP 21 (2013): bands that are windowed along frequency.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["BandSplit", "band_window", "overlap_add_at"]

_NOTHING = 1e-12
"""A window whose largest value is below this would delete its band."""

_ROUNDING = 1e-9
"""A residual window ends where it is below this, so that its size does not depend on the last bits of other windows."""

_EPS = float(np.finfo(np.float64).eps)


def band_window(window: Callable[[int], ArrayLike] | None, n: int) -> np.ndarray:
    """Return the window of a band of ``n`` bins, which is never zero everywhere.

    Windows that vanish at both ends have nothing left of one or two bins. There the window of two more bins is taken,
    without its ends.

    Args:
        window (Callable | None): takes a size and returns that many factors; None: all ones.
        n (int): number of bins, >= 0.

    Shape:
        -> [n] float64

    Raises:
        DeclarationError: the window gives other than one finite number per bin.

    Examples:
        >>> band_window(np.hanning, 5).round(3).tolist(), band_window(np.hanning, 2).round(3).tolist()
        ([0.0, 0.5, 1.0, 0.5, 0.0], [0.75, 0.75])
    """
    if window is None or n == 0:
        return np.ones(n)
    for size, inside in ((n, slice(None)), (n + 2, slice(1, -1))):
        values = np.asarray(window(size), dtype=np.float64)
        if values.shape != (size,) or not np.isfinite(values).all():
            raise DeclarationError(
                f"a window gave shape {values.shape} for {size} bins, or numbers that are not finite; "
                f"needed: ({size},), as np.hanning({size}) gives"
            )
        if np.abs(values[inside]).max() > _NOTHING:
            return values[inside]
    return np.ones(n)


class BandSplit:
    """Cuts spectra into windowed bands, and puts bands together to spectra.

    With ``residual``, up to two bands are added that take over where the windows of the others sum up to less than a
    half: one before the others for what lies below the bin where that sum is largest, one behind them for what lies
    above. Then the sum of all windows is at least a half everywhere, and nothing is lost.

    Args:
        bins (Sequence[slice]): the bins of each band, within 0..n_bins; they may overlap, leave gaps, or be empty.
        n_bins (int): bins of a spectrum, >= 1.
        window (Callable | None): as for ``band_window``.
        residual (bool): add the residual bands.

    Raises:
        DimensionError: no bins, or bands that reach beyond them.
        DeclarationError: as for ``band_window``.

    Examples:
        >>> split = BandSplit([slice(1, 5), slice(3, 8)], n_bins=9, window=np.hanning, residual=True)
        >>> split.bins
        (slice(0, 2, None), slice(1, 5, None), slice(3, 8, None), slice(7, 9, None))
        >>> x = np.arange(9.0)[None]
        >>> parts = split.split(x, lambda part, norm: part)
        >>> [part.shape[1] for part in parts]
        [2, 4, 5, 2]
        >>> np.allclose(split.merge(parts, lambda part: part), x)
        True
    """

    def __init__(
        self,
        bins: Sequence[slice],
        n_bins: int,
        window: Callable[[int], ArrayLike] | None = None,
        residual: bool = False,
    ) -> None:
        if n_bins < 1:
            raise DimensionError(f"spectra of {n_bins} bins: at least 1 is needed")
        for part in bins:
            if not 0 <= part.start <= part.stop <= n_bins:
                raise DimensionError(f"a band of the bins {part} in spectra of {n_bins} bins")
        self.n_bins = int(n_bins)
        pairs = [(part, band_window(window, part.stop - part.start)) for part in bins]
        below = above = None
        if residual:
            below, above = _residuals(_summed(pairs, n_bins))
            pairs = [*([below] if below else []), *pairs, *([above] if above else [])]
        self.has_below, self.has_above = below is not None, above is not None
        self.bins = tuple(part for part, _ in pairs)
        self.windows = tuple(values for _, values in pairs)
        self.total = _summed(pairs, n_bins)
        self._vanish = tuple(_vanishes(values) for values in self.windows)

    def sizes(self, is_half: bool) -> list[int]:
        """Return how many numbers each band has after its transform.

        Args:
            is_half (bool): True for complex half spectra and ``irfft``, False for real spectra and ``idct``.
        """
        counts = [part.stop - part.start for part in self.bins]
        if not is_half:
            return counts
        return [
            2 * (n - 1 if vanishes else n + 1) if n else 0 for n, vanishes in zip(counts, self._vanish, strict=True)
        ]

    def split(self, spectra: np.ndarray, transform: Callable[..., np.ndarray]) -> list[np.ndarray]:
        """Return each band of the spectra, windowed and transformed.

        Args:
            spectra (np.ndarray): complex half spectra, or real ones.
            transform (Callable): called as ``transform(band, norm="ortho")``, for example ``np.fft.irfft``.

        Shape:
            [frames, bins] -> a list of [frames, size of the band]

        Raises:
            DimensionError: another number of bins, or a transform that does not give one row per frame.
        """
        spectra = np.asarray(spectra)
        if spectra.ndim != 2 or spectra.shape[1] != self.n_bins:
            raise DimensionError(f"spectra of shape {spectra.shape}; needed: (frames, {self.n_bins})")
        if spectra.dtype.kind not in "fc":
            spectra = spectra.astype(np.float64)
        if not len(spectra):  # transforms of nothing do not say what they would give
            silence = np.zeros((1, self.n_bins), spectra.dtype)
            return [part[:0] for part in self.split(silence, transform)]
        bands = zip(self.bins, self.windows, self._vanish, strict=True)
        return [_transformed(spectra[:, part], window, vanishes, transform) for part, window, vanishes in bands]

    def merge(self, parts: Sequence[np.ndarray], transform: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """Return the spectra that the bands were cut from, the inverse of ``split``.

        Bins that no window reaches are zero. Where the sum of the windows is almost zero, below the root of the
        precision (1.5e-8 in float64, 3.5e-4 in float32, as a part of its largest value), bins fade instead of growing
        into noise.

        Args:
            parts (Sequence[np.ndarray]): the bands, at least one.
            transform (Callable): the inverse of the one of the analysis, orthonormal: ``rfft`` for ``irfft``.

        Shape:
            a list of [frames, size of the band] -> [frames, bins]

        Raises:
            DimensionError: another number of bands, or one of another size.
        """
        if len(parts) != len(self.bins) or not parts:
            raise DimensionError(f"{len(parts)} bands where {len(self.bins)} are due, one at least")
        out = None
        for bins, vanishes, part in zip(self.bins, self._vanish, parts, strict=True):
            n = bins.stop - bins.start
            if not n:
                continue
            spectrum = transform(part)
            if spectrum.dtype.kind == "c" and not vanishes:
                spectrum = spectrum[:, 1:-1]
            if spectrum.shape[1] != n:
                raise DimensionError(f"a band of {part.shape[1]} numbers, which come not from {n} bins")
            if out is None:
                out = np.zeros((len(part), self.n_bins), spectrum.dtype)
            out[:, bins] += spectrum
        if out is None:
            return np.zeros((len(parts[0]), self.n_bins))
        out *= self._inverse(out.real.dtype)
        return out

    def _inverse(self, dtype: np.dtype) -> np.ndarray:
        # rounding errors of a band are eps of its largest bin: dividing by less than the root of eps would show them
        size = np.abs(self.total)
        floor = float(np.finfo(dtype).eps) ** 0.5 * (size.max() or 1.0)
        return (self.total / np.maximum(size, floor) ** 2).astype(dtype)


_Band = tuple[slice, np.ndarray]


def _summed(pairs: Sequence[_Band], n_bins: int) -> np.ndarray:
    total = np.zeros(n_bins)
    for part, window in pairs:
        total[part] += window
    total.setflags(write=False)
    return total


def _residuals(total: np.ndarray) -> tuple[_Band | None, _Band | None]:
    """Return the bands that fill up what a sum of windows lacks, below and above its largest value."""
    # 1 where there is no window, down to 0 where they sum up to a half: continuous, and total + this is never below 1/2
    lacking = np.maximum(0.0, 1.0 - 2.0 * total)
    middle = int(np.argmax(total))
    return _trimmed(lacking[:middle], 0), _trimmed(lacking[middle:], middle)


def _trimmed(window: np.ndarray, offset: int) -> _Band | None:
    inside = np.flatnonzero(window > _ROUNDING)
    if not len(inside):
        return None
    first, stop = int(inside[0]), int(inside[-1]) + 1
    return slice(offset + first, offset + stop), window[first:stop]


def _vanishes(window: np.ndarray) -> bool:
    """Tell whether a window is zero at both ends, to rounding, and has something between them."""
    return len(window) > 2 and max(abs(window[0]), abs(window[-1])) <= _EPS * np.abs(window).max()


def _transformed(
    band: np.ndarray, window: np.ndarray, vanishes: bool, transform: Callable[..., np.ndarray]
) -> np.ndarray:
    if not band.shape[1]:
        return np.zeros(band.shape, band.real.dtype)
    band = band * window.astype(band.real.dtype)
    if band.dtype.kind == "c" and not vanishes:
        band = np.pad(band, ((0, 0), (1, 1)))
    found = np.asarray(transform(band, norm="ortho"))
    if found.ndim != 2 or len(found) != len(band):
        raise DimensionError(f"a transform made {found.shape} of {band.shape}; needed: one row of numbers per frame")
    return found


def overlap_add_at(
    frames: np.ndarray, starts: Sequence[int], weights: ArrayLike | None = None, floor: float = 0.1
) -> np.ndarray:
    """Add frames that start anywhere, and divide by the sum of their weights.

    Unlike ``overlap_add``, the distance of frames may vary, as it does where a hop is no whole number of samples.

    Args:
        frames (np.ndarray): frames of numbers.
        starts (Sequence[int]): where each frame starts, >= 0.
        weights (ArrayLike | None): the window that the frames carry, one factor per sample; None: all ones.
        floor (float): smallest divisor, as a part of the largest, > 0: what frames cover with less weight fades.

    Shape:
        [frames, window, ...] -> [time, ...]

    Raises:
        DimensionError: not one start per frame, or not one weight per sample.

    Examples:
        >>> overlap_add_at(np.ones((3, 4)), [0, 1, 3]).tolist()
        [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    """
    frames = np.asarray(frames)
    size = frames.shape[1]
    window = np.ones(size) if weights is None else np.asarray(weights, dtype=np.float64)
    if len(starts) != len(frames) or window.shape != (size,):
        raise DimensionError(
            f"{len(starts)} starts and weights of shape {window.shape} for frames of shape {frames.shape}"
        )
    n = int(max(starts)) + size if len(frames) else 0
    out, divisor = np.zeros((n, *frames.shape[2:]), frames.dtype), np.zeros(n)
    for start, frame in zip(starts, frames, strict=True):
        out[start : start + size] += frame
        divisor[start : start + size] += window
    if n:
        divisor = np.maximum(divisor, floor * divisor.max())
        out /= divisor.astype(out.real.dtype).reshape(-1, *[1] * (out.ndim - 1))
    return out
