"""How the constant-Q transform is computed: at which rate each band, with which kernels.

Goal: the work of a transform that is thousands of times redundant, cut to what its error budget leaves. A low band
needs few samples a second: the signal is decimated by 4, and again by 4, as far as a band's spectrum allows, and
neighbouring bands of one rate share one matrix product.

The kernels are not the atoms of the lower rate. With y[j] = sum_n x[n] h(n - D j) the signal after decimation (h: all
filters so far, as one), a kernel g sees the signal through the atom a'(n) = sum_i g[i] h(n - D i). The kernel is the
one whose a' comes closest to the exact atom in least squares: it undoes the filters' droop, and their delay where a
frame's centre falls between two decimated samples. Its normal equations are banded and Toeplitz.

What remains is the part of an atom's spectrum above the band that is kept. A band goes to the lowest rate where that
tail, known from the window's transform, stays below ``TAIL``. Windows that jump, as Hamming's at its ends, have tails
that hardly fall: their transforms are computed at the full rate.

Conventions: a frame's centre is sample 0 of its atom. Types: ``Plan``, ``Level``, ``Group``; function: ``make_plan``.

Sources:
    Decimation per octave: C. Schoerkhuber, A. Klapuri, "Constant-Q transform toolbox for music processing", Sound and
    Music Computing (2010), section 2. Kaiser's formula for the length of a low-pass: J. F. Kaiser, "Nonrecursive
    digital filter design using the I0-sinh window function", IEEE Symp. Circuits and Systems (1974).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from zounds_lite.dsp.constantq_atoms import Window, atom, atom_lengths, band_centers, relative_bandwidth, window_of_size

__all__ = ["Group", "Level", "Plan", "make_plan"]

TAIL = 1e-3
"""How much of an atom's spectrum may lie beyond the band that its rate keeps: the root of its part of the energy."""

_FIRST, _THEN = (4, 0.27), (4, 0.39)
"""The first decimation, and all others: by how much, and the part of the new rate up to which nothing is lost, and onto
which nothing folds back. The first one costs most, so its filter is short."""
_STOP_DB = 100.0
_ROW = 16
"""Decimated samples that one row of a matrix product makes."""
_MARGIN = 6
"""Decimated samples that a kernel reaches beyond its atom."""
_MOST_PHASES = 16
"""How many kernels a band may need for centres that fall between decimated samples."""
_BLOCK_SAMPLES = 2**17
"""Samples in a block, roughly: all levels of it stay in the second-level cache."""
_MOST_FRAMES = 2048
"""Frames in a block, roughly, where hops are short."""
_BANDS_AT_ONCE = 16
_LENGTHS_AT_ONCE = 2.6
"""Bands share a product if the longest of their atoms is at most this many times as long as the shortest."""


@dataclass(frozen=True, eq=False)
class Group:
    """Neighbouring bands of one level that share matrix products.

    ``kernels[p]`` is (samples, 2 * bands), real and imaginary parts in turn, for frames of phase p; its first row
    belongs to decimated sample ``first``, counted from the last one at or before the frame's centre.
    """

    bands: slice
    first: int
    kernels: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Level:
    """One rate: the signal decimated by ``factor``, and the bands that are computed from it.

    Per block, its buffer covers ``behind`` samples before the block and ``ahead`` after it, both at the full rate.
    ``decimation`` is the matrix that makes it from the level before, None for the first.
    """

    factor: int
    groups: tuple[Group, ...]
    decimation: np.ndarray | None
    half: int
    behind: int
    ahead: int


@dataclass(frozen=True, eq=False)
class Plan:
    """All that a transform needs: its levels, and blocks of ``frames`` frames, in turns of ``phases``."""

    hop: int
    frames: int
    phases: int
    levels: tuple[Level, ...]
    center_hz: np.ndarray
    lengths: np.ndarray
    dtype: np.dtype

    @property
    def samples(self) -> int:
        """Samples from one block to the next."""
        return self.frames * self.hop

    @property
    def reach(self) -> int:
        """How many samples before or after its centre a frame may depend on."""
        found, filters, last = 0, 0, 1
        for level in self.levels:
            filters += level.half * last
            last = level.factor
            for group in level.groups:
                end = group.first + len(group.kernels[0]) + 1
                found = max(found, filters + max(-group.first, end) * level.factor)
        return found


@lru_cache(maxsize=8)
def make_plan(
    sr: int,
    hop: int,
    start_hz: float,
    n_bands: int,
    bands_per_octave: float,
    filter_scale: float,
    window: Window,
    exact: bool,
    dtype: np.dtype,
) -> Plan:
    """Return the plan of a transform; the last few are kept.

    Args:
        sr (int): sample rate in Hz.
        hop (int): samples from one frame to the next.
        start_hz (float): centre of the first band in Hz.
        n_bands (int): number of bands.
        bands_per_octave (float): bands in an octave.
        filter_scale (float): factor of all lengths.
        window (str | Callable): as for ``atom``.
        exact (bool): one level, with the atoms themselves.
        dtype (np.dtype): of the signal, float32 or float64.
    """
    q = filter_scale / relative_bandwidth(bands_per_octave)
    centers = band_centers(start_hz, n_bands, bands_per_octave)
    lengths = atom_lengths(centers, sr, q)
    atoms = [atom(hz, length, sr, window) for hz, length in zip(centers, lengths, strict=True)]
    factors = [1] if exact else _factors(hop)
    levels_of = _levels_of(centers * (1.0 + _tail_bins(window) / q), sr, factors)
    factors = factors[: int(levels_of.max()) + 1]
    phases = factors[-1] // math.gcd(factors[-1], hop)
    # rows of 32 frames a phase: then rows of the decimation fit into a block too
    unit = max(2, phases) * 2 * _ROW
    frames = unit * max(1, round(min(_MOST_FRAMES, _BLOCK_SAMPLES / hop) / unit))
    levels = _levels(atoms, levels_of, factors, hop, dtype)
    return Plan(hop, frames, phases, levels, _frozen(centers), _frozen(lengths), dtype)


def _frozen(values: np.ndarray) -> np.ndarray:
    values.setflags(write=False)
    return values


def _factors(hop: int) -> list[int]:
    """Return by how much each level is decimated, as far as frames' centres fall between samples in few phases."""
    factors = [1]
    step = _FIRST[0]
    while factors[-1] * step < _BLOCK_SAMPLES:
        factor = factors[-1] * step
        if factor // math.gcd(factor, hop) > _MOST_PHASES:
            break
        factors.append(factor)
        step = _THEN[0]
    return factors


def _passed(level: int) -> tuple[int, float]:
    """Return how level ``level`` is made of the one before."""
    return _FIRST if level == 1 else _THEN


@lru_cache(maxsize=16)
def _tail_bins(window: Window) -> float:
    """Return how far from its peak a window's transform holds all but ``TAIL``, in units of 1 / length.

    Twice as far there must be a fifth of that (Hann's has a sixth): what lies next to the band that is kept comes
    through in part, and what lies beyond does not. No bound at all where that is never so.
    """
    size, zoom = 1024, 16
    power = np.abs(np.fft.rfft(window_of_size(window, size), size * zoom)) ** 2
    tails = np.sqrt(np.cumsum(power[::-1])[::-1] / power.sum())
    bound = int(np.count_nonzero(tails > TAIL))
    falls = bound < len(tails) // 4 and tails[2 * bound] <= TAIL / 5
    return bound / zoom if falls else math.inf


def _levels_of(reach_hz: np.ndarray, sr: int, factors: list[int]) -> np.ndarray:
    """Return the level of each band: the deepest that keeps all frequencies up to the band's reach.

    Where a level would have other than a multiple of 8 bands, it takes some that could be deeper.
    """
    found = np.zeros(len(reach_hz), int)
    for level in range(1, len(factors)):
        found[reach_hz <= _passed(level)[1] * sr / factors[level]] = level
    end = len(found)
    for level in range(int(found.max())):
        count = int(np.count_nonzero(found[:end] == level))
        start = max(0, end - -(-count // 8) * 8)
        found[start:end] = level
        end = start
    return found


def _levels(
    atoms: list[tuple[int, np.ndarray]], levels_of: np.ndarray, factors: list[int], hop: int, dtype: np.dtype
) -> tuple[Level, ...]:
    filters = [np.ones(1), *(_low_pass(*_passed(level)) for level in range(1, len(factors)))]
    groups: list[tuple[Group, ...]] = []
    response = np.ones(1)
    for level, factor in enumerate(factors):
        if level:
            response = np.convolve(response, _stretched(filters[level], factors[level - 1]))
        groups.append(tuple(_groups(atoms, np.flatnonzero(levels_of == level), response, factor, hop, dtype)))
    result: list[Level] = []
    ahead = 0
    for level in reversed(range(len(factors))):
        factor = factors[level]
        behinds = [-group.first * factor for group in groups[level]]
        aheads = [(group.first + len(kernel)) * factor for group in groups[level] for kernel in group.kernels[:1]]
        if result:
            # the deeper level is made of samples up to its own end, and half a filter more
            aheads.append(ahead + result[0].half * factor)
            behinds.append(result[0].half * factor - ahead)
        # samples of a level are multiples of its factor, and so are those of the deeper ones
        ahead = -(-max(aheads) // factor) * factor
        matrix = _decimation_matrix(filters[level], _passed(level)[0]).astype(dtype) if level else None
        half = len(filters[level]) // 2
        result.insert(0, Level(factor, groups[level], matrix, half, max(behinds), ahead))
    return tuple(result)


def _low_pass(step: int, passed: float) -> np.ndarray:
    """Return the filter before a decimation: a sinc under Kaiser's window, cut off at half the new rate."""
    width = 2 * np.pi * (1 - 2 * passed) / step
    half = math.ceil((_STOP_DB - 7.95) / (2.285 * width) / 2)
    n = np.arange(-half, half + 1)
    taps = np.sinc(n / step) * np.kaiser(2 * half + 1, 0.1102 * (_STOP_DB - 8.7))
    return taps / taps.sum()


def _decimation_matrix(taps: np.ndarray, step: int) -> np.ndarray:
    """Return the matrix that makes a row of decimated samples from a row of samples."""
    matrix = np.zeros((step * (_ROW - 1) + len(taps), _ROW))
    for i in range(_ROW):
        matrix[step * i : step * i + len(taps), i] = taps
    return matrix


def _stretched(taps: np.ndarray, factor: int) -> np.ndarray:
    out = np.zeros((len(taps) - 1) * factor + 1)
    out[::factor] = taps
    return out


def _groups(
    atoms: list[tuple[int, np.ndarray]],
    bands: np.ndarray,
    response: np.ndarray,
    factor: int,
    hop: int,
    dtype: np.dtype,
) -> Iterator[Group]:
    """Yield the groups of one level, the shortest atoms first: products are fast with many bands of like lengths."""
    stop = len(bands)
    while stop:
        shortest = len(atoms[bands[stop - 1]][1])
        start = stop - 1
        while start and stop - start < _BANDS_AT_ONCE:
            if len(atoms[bands[start - 1]][1]) > _LENGTHS_AT_ONCE * shortest:
                break
            start -= 1
        # sizes of products that fill the processor's registers
        if start and stop - start > 8:
            start = stop - (stop - start) // 8 * 8
        chosen = slice(int(bands[start]), int(bands[stop - 1]) + 1)
        yield _group(atoms[chosen], chosen, response, factor, hop, dtype)
        stop = start


def _group(
    atoms: list[tuple[int, np.ndarray]], bands: slice, response: np.ndarray, factor: int, hop: int, dtype: np.dtype
) -> Group:
    margin = _MARGIN if factor > 1 else 0
    before = min(first for first, _ in atoms)
    after = max(first + len(numbers) for first, numbers in atoms)
    first = before // factor - margin
    size = -(-after // factor) + 1 + margin - first
    phases = factor // math.gcd(factor, hop)
    # where a frame's centre lies after the decimated sample before it, and where all samples lie from the centre
    offsets = (np.arange(phases) * hop) % factor
    at = factor * (first + np.arange(size)) - offsets[:, None]
    kernels = np.stack([_correlation(start, numbers, response, at) for start, numbers in atoms], axis=-1)
    if factor > 1:
        kernels = _least_squares(kernels, response, factor)
    stacked = np.stack([kernels.real, kernels.imag], axis=-1).reshape(phases, size, -1)
    return Group(bands, first, tuple(_frozen(np.ascontiguousarray(kernel, dtype)) for kernel in stacked))


def _correlation(start: int, numbers: np.ndarray, response: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Correlate an atom that starts at ``start`` with the filters centred at each of the samples ``at``."""
    if len(response) == 1:
        whole = numbers
    else:
        n_fft = 1 << (len(numbers) + len(response)).bit_length()
        # the filters are symmetric, so that this convolution is a correlation
        whole = np.fft.ifft(np.fft.fft(numbers, n_fft) * np.fft.fft(response, n_fft))
    index = at - start + len(response) // 2
    inside = (index >= 0) & (index < len(numbers) + len(response) - 1)
    return np.where(inside, whole[np.where(inside, index, 0)], 0)


def _least_squares(correlations: np.ndarray, response: np.ndarray, factor: int) -> np.ndarray:
    """Solve the normal equations: the filters' autocorrelation, banded, against their correlation with the atoms."""
    from scipy.linalg import solveh_banded

    phases, size, n = correlations.shape
    auto = np.convolve(response, response)[len(response) - 1 :: factor]
    bands = np.zeros((min(len(auto), size), size))
    bands[:] = auto[: len(bands), None]
    right = np.ascontiguousarray(correlations.transpose(1, 0, 2).reshape(size, -1))
    solved = solveh_banded(bands, right.view(float), lower=True)
    return np.ascontiguousarray(solved).view(complex).reshape(size, phases, n).transpose(1, 0, 2)
