"""Inverse of the constant-Q transform.

Goal: the signal whose constant-Q transform comes closest to given coefficients, at any length in bounded memory.

How: least squares, by conjugate gradients with the transform and its exact transpose. Each band is weighted by one over
the square root of its atom's length, which makes the atoms of all bands equally strong: inside the covered frequencies
the normal equations are then almost a multiple of the identity, and a few steps are enough. Frequencies that no band
reaches stay zero. Long signals are solved in stretches of some 2^20 samples, with margins that are thrown away.

Frames must not leave gaps: the hop may be at most half the shortest atom. Otherwise the highest bands are not
determined, and ``allow_gaps`` must say that this is meant.

Function: ``icqt``.

Sources:
    M. R. Hestenes, E. Stiefel, "Methods of conjugate gradients for solving linear systems", J. Res. Nat. Bur. Standards
    49 (1952), section 10, in the form for least squares; frames and their duals: N. Holighaus et al., "A framework for
    invertible, real-time constant-Q transforms", IEEE Trans. Audio, Speech, Lang. Process. 21 (2013).
"""

import math

import numpy as np

from zounds_lite.dsp.constantq import ConstantQ, transform_into
from zounds_lite.dsp.constantq_blocks import Transpose, first_block
from zounds_lite.dsp.constantq_plan import Plan
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["icqt"]

_STRETCH = 2**20
"""Samples that are solved at once, without margins."""
_MARGIN = 4
"""The longest atoms of frames that a stretch has beyond each of its ends."""
_ENOUGH = 1e-12
"""The squared gradient, as a part of the first one, where steps end."""


def icqt(
    spectrum: np.ndarray, bank: ConstantQ, length: int | None = None, steps: int = 20, allow_gaps: bool = False
) -> np.ndarray:
    """Return the signal that a constant-Q transform was made of, as far as its bands reach.

    Args:
        spectrum (np.ndarray): complex coefficients of all bands.
        bank (ConstantQ): the transform that made them.
        length (int | None): samples of the signal, >= 0; None: a hop for each frame.
        steps (int): conjugate gradient steps at most, >= 1. Each one takes a transform and its transpose.
        allow_gaps (bool): invert even where the hop is above half the shortest atom; bands whose atoms leave gaps then
            come back too weak and full of beats.

    Shape:
        [..., frames, bands] -> [..., length]

    Returns:
        np.ndarray: float32 for complex64, otherwise float64. Frequencies outside the bands are missing, and those at
            the edges of the first and the last band come back weaker.

    Raises:
        DimensionError: other than two axes or more, or another number of bands.
        DeclarationError: the hop is too large, a negative length, or no steps.

    Examples:
        >>> bank = ConstantQ(8000, hop=16, start_hz=220.0, n_bands=48)
        >>> x = np.sin(2 * np.pi * 440.0 * np.arange(8000) / 8000) * np.hanning(8000)
        >>> again = icqt(bank.transform(x), bank, length=len(x))
        >>> len(again), bool(np.abs(again - x).max() < 1e-3)
        (8000, True)

    See Also:
        cqt (the inverse).
    """
    spectrum = np.asarray(spectrum)
    _check(spectrum, bank, length, steps, allow_gaps)
    spectrum = spectrum.astype(np.complex64 if spectrum.dtype == np.complex64 else np.complex128, copy=False)
    size = spectrum.shape[-2] * bank.hop if length is None else length
    out = np.zeros((*spectrum.shape[:-2], size), spectrum.real.dtype)
    if spectrum.size and size:
        for index in np.ndindex(spectrum.shape[:-2]):
            real = np.ascontiguousarray(spectrum[index]).view(out.dtype)
            _invert(bank, real, out[index], steps)
    return out


def _check(spectrum: np.ndarray, bank: ConstantQ, length: int | None, steps: int, allow_gaps: bool) -> None:
    if spectrum.ndim < 2 or spectrum.shape[-1] != bank.n_bands:
        raise DimensionError(f"a spectrum of shape {spectrum.shape}; needed: (..., frames, {bank.n_bands} bands)")
    if length is not None and length < 0:
        raise DeclarationError(f"length={length!r}; allowed: 0 or more samples")
    if steps < 1:
        raise DeclarationError(f"steps={steps!r}; allowed: at least 1")
    shortest = float(bank.lengths[-1])
    if bank.hop > shortest / 2 and not allow_gaps:
        raise DeclarationError(
            f"hop={bank.hop}: frames leave gaps, since the shortest atom lasts {shortest:.1f} samples; analyse with a "
            f"hop of at most {math.floor(shortest / 2)} or with fewer bands, or accept the loss with allow_gaps=True"
        )


def _invert(bank: ConstantQ, spectrum: np.ndarray, out: np.ndarray, steps: int) -> None:
    """Invert one signal, stretch by stretch."""
    plan, hop = bank.plan(out.dtype), bank.hop
    atom = math.ceil(plan.lengths[0] / hop)
    n_frames = max(1, _STRETCH // hop, 4 * atom)
    for start in range(0, len(spectrum), n_frames):
        stop = min(start + n_frames, len(spectrum))
        # some atoms of frames more on each side, and the samples that those reach
        first, last = max(0, start - _MARGIN * atom), min(len(spectrum), stop + _MARGIN * atom)
        origin = max(0, first - atom) * hop
        end = len(out) if last == len(spectrum) else min(len(out), (last + atom) * hop)
        kept = slice(start * hop, len(out) if stop == len(spectrum) else stop * hop)
        if origin < end:
            system = _System(plan, max(0, end - origin), first - origin // hop, last - first)
            solved = _least_squares(system, spectrum[first:last], steps)
            out[kept] = solved[kept.start - origin : kept.stop - origin]


class _System:
    """A stretch of the transform as a matrix, its rows weighted, and the transposed matrix."""

    def __init__(self, plan: Plan, n_samples: int, first: int, n_frames: int) -> None:
        self._plan, self._n_samples, self._first, self._n_frames = plan, n_samples, first, n_frames
        self.weights = np.repeat(1.0 / np.sqrt(plan.lengths), 2).astype(plan.dtype)

    def apply(self, x: np.ndarray) -> np.ndarray:
        """Return the weighted coefficients of a signal."""
        out = np.empty((self._first + self._n_frames, len(self.weights)), self._plan.dtype)
        transform_into(self._plan, x, out)
        out = out[self._first :]
        out *= self.weights
        return out

    def transpose(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the product of weighted coefficients with the transposed matrix."""
        plan = self._plan
        out = np.zeros(self._n_samples, plan.dtype)
        transpose = Transpose(plan)
        n_blocks = -(-(self._first + self._n_frames) // plan.frames)
        for block in range(n_blocks - 1, first_block(plan) - 1, -1):
            samples = transpose.step(self._block(coefficients, block) if block >= 0 else None)
            at = block * plan.samples + plan.levels[0].ahead
            start, stop = max(at, 0), min(at + plan.samples, len(out))
            if start < stop:
                out[start:stop] = samples[start - at : stop - at]
        return out

    def _block(self, coefficients: np.ndarray, block: int) -> np.ndarray:
        """Return the frames of a block, weighted; zeros before the first one."""
        at = block * self._plan.frames - self._first
        start, stop = max(at, 0), min(at + self._plan.frames, self._n_frames)
        out = np.zeros((max(0, stop - at), len(self.weights)), self._plan.dtype)
        if start < stop:
            np.multiply(coefficients[start:stop], self.weights, out=out[start - at :])
        return out


def _least_squares(system: _System, coefficients: np.ndarray, steps: int) -> np.ndarray:
    residual = coefficients * system.weights
    gradient = system.transpose(residual)
    x = np.zeros_like(gradient)
    direction = gradient.copy()
    first = power = _energy(gradient)
    for _ in range(steps):
        if not power > _ENOUGH * first:
            break
        moved = system.apply(direction)
        size = x.dtype.type(power / _energy(moved))
        x += size * direction
        residual -= size * moved
        gradient = system.transpose(residual)
        power, before = _energy(gradient), power
        direction *= x.dtype.type(power / before)
        direction += gradient
    return x


def _energy(x: np.ndarray) -> float:
    return float(np.vdot(x, x))
