"""Banks of band filters on spectra.

Goal: turn spectra into bands at the speed of a matrix product that skips the zeros, with results that do not depend on
how a stream was cut; and build the matrices, from any list of bands or after Slaney.

Conventions: a bank is a matrix (bands, bins); spectra are real (take magnitude or power first), frequency on the last
axis and frames before it. Bands should be sorted by frequency: neighbours share their work. float32 stays float32.

Streams: frames are worked on in blocks of ``BLOCK`` = 64 from the first one, one matrix product each. So batch and
stream are equal to the last bit if every chunk but the last is a multiple of 64 frames, and within 1e-6 otherwise.

Functions: ``band_matrix``, ``slaney_mel_matrix``; and ``FilterBank``, which holds a matrix and applies it.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.dsp._checks import check_rate, check_real
from zounds_lite.dsp.curves import hz_to_slaney_mel, slaney_mel_to_hz
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["BLOCK", "FilterBank", "band_matrix", "slaney_mel_matrix"]

BLOCK = 64
"""Frames that are summed together, so that the sums have the same bits however frames arrive."""

# Measured for 128 mel bands of 1025 bins: with 16 bands a product skips most zeros and is still large.
_GROUP = 16
# blocks per call into numpy: their input stays in the second-level cache while the groups pass over it
_BLOCKS_AT_ONCE = 4


class FilterBank:
    """A matrix of band filters, cut into groups of neighbouring bands that skip the bins they do not touch.

    Args:
        matrix (ArrayLike): weights, (bands, bins); real and finite.

    Raises:
        DimensionError: not two axes, or no bands or bins.
        DeclarationError: complex or non-finite weights.

    Examples:
        >>> bank = FilterBank([[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.5, 0.5]])
        >>> bank.apply(np.array([[1.0, 2.0, 3.0, 5.0]]))
        array([[3., 4.]])
    """

    def __init__(self, matrix: ArrayLike) -> None:
        given = np.asarray(matrix)
        if given.ndim != 2 or 0 in given.shape:
            raise DimensionError(f"a filter bank of shape {given.shape}: give (bands, bins), at least one of each")
        check_real(given, "a filter bank", "give the magnitudes of the filters")
        weights = given.astype(np.float64)
        if not np.isfinite(weights).all():
            raise DeclarationError("a filter bank with NaN or infinite weights: all weights must be finite")
        weights.setflags(write=False)
        self._matrix = weights
        self._groups: dict[np.dtype, list[tuple[slice, slice, np.ndarray]]] = {}

    @property
    def matrix(self) -> np.ndarray:
        """The weights, (bands, bins), read-only float64."""
        return self._matrix

    @property
    def n_bands(self) -> int:
        """The number of bands."""
        return int(self._matrix.shape[0])

    @property
    def n_bins(self) -> int:
        """The number of bins of a spectrum."""
        return int(self._matrix.shape[1])

    def apply(self, x: np.ndarray, power: float | None = None) -> np.ndarray:
        """Sum each band of each spectrum.

        Args:
            x (np.ndarray): real spectra, or complex ones with ``power``; float32, float16 and complex64 give float32,
                all others float64.
            power (float | None): sums the magnitude to this power, > 0, made block by block. None: ``x`` as it is.

        Shape:
            [..., frames, bins] -> [..., frames, bands]; one spectrum [bins] -> [bands]

        Raises:
            DimensionError: another number of bins.
            DeclarationError: complex spectra without ``power``, or one that is not positive.

        Examples:
            >>> FilterBank([[1.0, 1.0]]).apply(np.array([[3 + 4j, 1j]]), power=2)
            array([[26.]])
        """
        x = np.asarray(x)
        if x.ndim == 0 or x.shape[-1] != self.n_bins:
            raise DimensionError(
                f"spectra of shape {x.shape} for a filter bank of {self.n_bins} bins: the last axis differs"
            )
        if power is None or x.dtype.kind != "c":
            check_real(x, "spectra", "take np.abs(x) first, or give power=")
        if power is not None and not power > 0:
            raise DeclarationError(f"power={power!r}: the exponent of the magnitude is above 0, such as 2 for power")
        dtype = np.dtype(np.float32 if x.dtype in (np.float32, np.float16, np.complex64) else np.float64)
        if x.dtype.kind != "c":
            x = x.astype(dtype, copy=False)
        out = np.empty((*x.shape[:-1], self.n_bands), dtype)
        rows = x if x.ndim > 1 else x[None]
        out_rows = out if x.ndim > 1 else out[None]
        for lead in np.ndindex(rows.shape[:-2]):
            self._apply_rows(rows[lead], out_rows[lead], power)
        return out

    def _apply_rows(self, x: np.ndarray, out: np.ndarray, power: float | None) -> None:
        n_whole = len(x) - len(x) % BLOCK
        step = BLOCK * _BLOCKS_AT_ONCE
        scratch = None if power is None else np.empty((min(step, len(x)), self.n_bins), out.dtype)
        for start in range(0, n_whole, step):
            stop = min(start + step, n_whole)
            part = _raised(x[start:stop], power, scratch)
            self._apply_blocks(part.reshape(-1, BLOCK, self.n_bins), out[start:stop])
        if n_whole < len(x):
            self._apply_blocks(_raised(x[n_whole:], power, scratch)[None], out[n_whole:])

    def _apply_blocks(self, blocks: np.ndarray, out: np.ndarray) -> None:
        # a block must reach the matrix product in one memory layout, or its rounding could differ
        blocks = blocks if blocks.flags.c_contiguous else np.ascontiguousarray(blocks)
        out_blocks = out.reshape(*blocks.shape[:2], self.n_bands)
        for bands, bins, weights in self._grouped(blocks.dtype):
            np.matmul(blocks[:, :, bins], weights, out=out_blocks[:, :, bands])

    def _grouped(self, dtype: np.dtype) -> list[tuple[slice, slice, np.ndarray]]:
        """Groups of bands as (their slice, the bins they touch, their weights there as (bins, bands))."""
        groups = self._groups.get(dtype)
        if groups is None:
            groups = []
            for start in range(0, self.n_bands, _GROUP):
                bands = slice(start, min(start + _GROUP, self.n_bands))
                touched = np.flatnonzero(self._matrix[bands].any(axis=0))
                bins = slice(int(touched[0]), int(touched[-1]) + 1) if len(touched) else slice(0, 1)
                groups.append((bands, bins, np.ascontiguousarray(self._matrix[bands, bins].T, dtype=dtype)))
            self._groups[dtype] = groups
        return groups


def _raised(x: np.ndarray, power: float | None, scratch: np.ndarray | None) -> np.ndarray:
    """Return the magnitude to a power, in the scratch buffer; without a power ``x`` itself."""
    if power is None or scratch is None:
        return x
    # the magnitude is vectorised, and so faster than the sum of two squares, whose parts do not lie side by side
    raised = np.abs(x, out=scratch[: len(x)])
    if power == 2:
        np.multiply(raised, raised, out=raised)
    elif power != 1:
        np.power(raised, power, out=raised)
    return raised


def band_matrix(
    start_hz: ArrayLike,
    stop_hz: ArrayLike,
    bin_hz: ArrayLike,
    window: Callable[[np.ndarray], np.ndarray] | ArrayLike | None = None,
    normalize: bool = False,
) -> np.ndarray:
    """Build the matrix of a filter bank from a list of bands.

    A band's window is evaluated at the bin centres that lie inside the band, start <= hz < stop. No band is ever empty:
    one that holds no bin centre, or only bins where its window is zero, takes the bin nearest to its centre, with
    weight 1.

    Args:
        start_hz (ArrayLike): where each band starts, in Hz.
        stop_hz (ArrayLike): where each band stops, in Hz; above its start.
        bin_hz (ArrayLike): the bins' centre frequencies in Hz, increasing.
        window (Callable | ArrayLike | None): the shape of a band: a function of the relative positions in the band,
            0..1, or an array that spans the band from 0 to 1 and is interpolated. None: all ones.
        normalize (bool): scale each band to a sum of 1.

    Shape:
        [bands], [bands], [bins] -> [bands, bins] float64

    Raises:
        DimensionError: starts and stops that do not pair up, or no bins.
        DeclarationError: a band that does not stop above its start, bins out of order, or a window that gives
            other than one finite number per position, or that cannot be normalized.

    Examples:
        >>> band_matrix([0, 100], [100, 250], bin_hz=[0, 50, 100, 150, 200])
        array([[1., 1., 0., 0., 0.],
               [0., 0., 1., 1., 1.]])
        >>> band_matrix([100], [200], bin_hz=[0, 50, 100, 125, 150], window=[0.0, 1.0, 0.0])
        array([[0. , 0. , 0. , 0.5, 1. ]])
        >>> band_matrix([60], [70], bin_hz=[0, 50, 100])
        array([[0., 1., 0.]])
    """
    starts, stops, bins = (np.atleast_1d(np.asarray(v, dtype=np.float64)) for v in (start_hz, stop_hz, bin_hz))
    if starts.ndim != 1 or starts.shape != stops.shape or bins.ndim != 1 or not len(bins):
        raise DimensionError(
            f"bands of shapes {starts.shape} and {stops.shape}, bins of shape {bins.shape}: "
            "give one start and one stop per band, and a row of bins"
        )
    if not (stops > starts).all():
        bad = int(np.argmin(stops > starts))
        raise DeclarationError(f"band {bad} is {starts[bad]}..{stops[bad]} Hz: a band stops above its start")
    if not (np.diff(bins) > 0).all():
        raise DeclarationError("bin_hz must increase from bin to bin")
    shape = _band_shape(window)
    matrix = np.zeros((len(starts), len(bins)))
    firsts, ends = np.searchsorted(bins, starts), np.searchsorted(bins, stops)
    for row, start, stop, first, end in zip(matrix, starts, stops, firsts, ends, strict=True):
        row[first:end] = _evaluated(shape, (bins[first:end] - start) / (stop - start))
        if not row[first:end].any():
            row[np.argmin(np.abs(bins - 0.5 * (start + stop)))] = 1.0
        if normalize:
            row /= _positive_sum(row)
    return matrix


def slaney_mel_matrix(
    sr: int,
    n_fft: int,
    n_bands: int = 128,
    start_hz: float = 0.0,
    stop_hz: float | None = None,
    norm: str | None = "slaney",
) -> np.ndarray:
    """Build triangular mel filters after Slaney, as ``librosa.filters.mel`` does.

    The corners of the triangles are equally spaced on Slaney's mel scale. A filter that is narrower than a bin may be
    empty: that is the convention.

    Args:
        sr (int): sample rate in Hz.
        n_fft (int): samples of the transform; bin k lies at k * sr / n_fft.
        n_bands (int): number of bands, >= 1.
        start_hz (float): where the first triangle starts, in Hz, >= 0.
        stop_hz (float | None): where the last triangle stops, in Hz. None: half the sample rate.
        norm (str | None): "slaney" scales each triangle to an area of 1 in Hz; None leaves all peaks at 1.

    Shape:
        -> [n_bands, n_fft // 2 + 1] float64, read-only

    Raises:
        SampleRateError: a rate that is not a positive integer.
        DeclarationError: sizes below 1, an empty range, or an unknown norm.

    Examples:
        >>> bank = slaney_mel_matrix(22050, 2048, n_bands=40)
        >>> bank.shape
        (40, 1025)
        >>> (bank.sum(axis=1) * 22050 / 2048).round(1)[-1]
        np.float64(1.0)

    Sources:
        M. Slaney, "Auditory Toolbox, version 2", Interval Research technical report 1998-010; librosa 0.11,
        ``filters.mel``.
    """
    check_rate("sr", sr)
    stop = sr / 2.0 if stop_hz is None else float(stop_hz)
    if n_fft < 1 or n_bands < 1:
        raise DeclarationError(f"n_fft={n_fft}, n_bands={n_bands}: both are at least 1")
    if not 0 <= start_hz < stop:
        raise DeclarationError(
            f"a mel filter bank of {start_hz}..{stop} Hz: it starts at 0 Hz or above and stops above that"
        )
    if norm not in ("slaney", None):
        raise DeclarationError(f"norm={norm!r}: one of 'slaney', None")
    return _slaney_mel_matrix(int(sr), int(n_fft), int(n_bands), float(start_hz), stop, norm)


@lru_cache(maxsize=16)
def _slaney_mel_matrix(sr: int, n_fft: int, n_bands: int, start: float, stop: float, norm: str | None) -> np.ndarray:
    bins = np.arange(n_fft // 2 + 1) * (sr / n_fft)
    mels = np.linspace(hz_to_slaney_mel(start), hz_to_slaney_mel(stop), n_bands + 2)
    low, peak, high = (slaney_mel_to_hz(mels[i : n_bands + i])[:, None] for i in range(3))
    matrix = np.maximum(0.0, np.minimum((bins - low) / (peak - low), (high - bins) / (high - peak)))
    if norm == "slaney":
        matrix *= 2.0 / (high - low)
    matrix.setflags(write=False)
    return matrix


def _band_shape(window: Callable[[np.ndarray], np.ndarray] | ArrayLike | None) -> Callable[[np.ndarray], np.ndarray]:
    if window is None:
        return np.ones_like
    if callable(window):
        return window
    points = np.asarray(window, dtype=np.float64)
    if points.ndim != 1 or not len(points):
        raise DimensionError(f"a band window of shape {points.shape}: give one row of numbers")
    return lambda position: np.interp(position, np.linspace(0.0, 1.0, len(points)), points)


def _positive_sum(row: np.ndarray) -> float:
    total = float(row.sum())
    if not total > 0:
        raise DeclarationError(
            f"a band window that sums to {total} cannot be scaled to a sum of 1: use normalize=False"
        )
    return total


def _evaluated(shape: Callable[[np.ndarray], np.ndarray], position: np.ndarray) -> np.ndarray:
    if not len(position):
        return position
    values = np.asarray(shape(position), dtype=np.float64)
    if values.shape != position.shape or not np.isfinite(values).all():
        raise DeclarationError(
            f"a band window gave shape {values.shape} for {len(position)} positions, or non-finite numbers: "
            "it must give one finite number per position"
        )
    return values
