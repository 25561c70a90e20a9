"""A signal through the levels of a constant-Q transform, block by block, and back through their transposes.

Goal: one engine for whole signals, streams and the inverse, whose every matrix product has the same shape wherever a
signal is cut, so that all of them agree to the last bit, in memory that does not grow with the signal.

Conventions: plain real numbers; coefficients are (frames, 2 * bands), real and imaginary parts in turn. Block b starts
at sample b * samples. Its step makes the decimated samples ``ahead`` of the block, so that the first steps, which fill
the buffers, have negative numbers and no frames.

Types: ``Analysis``, ``Transpose``; ``Transpose`` takes what ``Analysis`` gives, from the last block to the first.
"""

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import as_strided

from zounds_lite.dsp.constantq_plan import Group, Plan

__all__ = ["Analysis", "Transpose", "first_block"]

_MOST_PRODUCTS = 2**19
"""Multiplications in one call: more of them wake further threads in BLAS, which costs more than it gives here."""
_COLUMNS = 32
"""Samples that a row of the transposed products makes, at least."""


def first_block(plan: Plan) -> int:
    """Return the number of the step that reads sample 0: zero or below."""
    return -plan.levels[0].ahead // plan.samples


class _Buffers:
    """What all levels hold of the samples around a block."""

    def __init__(self, plan: Plan, first: int) -> None:
        self.plan = plan
        self._buffers = [
            np.zeros((plan.samples + level.behind + level.ahead) // level.factor, plan.dtype)
            for level in plan.levels[first:]
        ]

    def _size(self, index: int) -> int:
        """How many samples of a level a block has."""
        return self.plan.samples // self.plan.levels[index].factor

    def _frames(self, index: int, group: Group, phase: int) -> tuple[int, int]:
        """Where the atoms of the first frame of a phase start in a level's buffer, and those of the next."""
        level, hop = self.plan.levels[index], self.plan.hop
        start = level.behind // level.factor + phase * hop // level.factor + group.first
        return start, len(group.kernels) * hop // level.factor

    def _rows(self, index: int) -> tuple[int, int, int, np.ndarray]:
        """How level ``index`` is made of the one above: start, step and number of rows there, and the matrix."""
        upper, lower = self.plan.levels[index - 1], self.plan.levels[index]
        assert lower.decimation is not None
        row = lower.decimation.shape[1]
        start = (lower.ahead + upper.behind) // upper.factor - lower.half
        return start, row * (lower.factor // upper.factor), self._size(index) // row, lower.decimation


class Analysis(_Buffers):
    """Turns the samples of one signal into coefficients.

    Args:
        plan (Plan): what is computed.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, first=1)
        self.block = first_block(plan)

    def step(self, window: np.ndarray, out: np.ndarray) -> bool:
        """Compute the next block; False where it comes before the first frame.

        Args:
            window (np.ndarray): the samples of the block, with ``behind`` samples of the first level before and
                ``ahead`` after them; contiguous.
            out (np.ndarray): takes the coefficients; less than all frames of the block will do.

        Shape:
            [behind + samples + ahead]; out: [frames, 2 * bands]
        """
        levels = [window, *self._buffers]
        for index in range(1, len(levels)):
            start, hop, n, matrix = self._rows(index)
            _multiply(levels[index - 1][start:], hop, n, matrix, levels[index][-self._size(index) :].reshape(n, -1))
        has_frames = self.block >= 0
        if has_frames:
            for index, samples in enumerate(levels):
                self._coefficients(index, samples, out)
        for index, buffer in enumerate(self._buffers, 1):
            buffer[: -self._size(index)] = buffer[self._size(index) :]
        self.block += 1
        return has_frames

    def _coefficients(self, index: int, samples: np.ndarray, out: np.ndarray) -> None:
        for group in self.plan.levels[index].groups:
            phases, columns = len(group.kernels), slice(2 * group.bands.start, 2 * group.bands.stop)
            for phase, kernel in enumerate(group.kernels):
                start, hop = self._frames(index, group, phase)
                _multiply(samples[start:], hop, self.plan.frames // phases, kernel, out[phase::phases, columns])


class Transpose(_Buffers):
    """Turns coefficients into samples by the transpose of ``Analysis``, the last block first.

    Args:
        plan (Plan): whose transpose is computed.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, first=0)

    def step(self, coefficients: np.ndarray | None) -> np.ndarray:
        """Return the samples that are complete: those that the step of the same block reads last.

        Args:
            coefficients (np.ndarray | None): of the block; less than all frames will do; None for blocks without any.

        Shape:
            [frames, 2 * bands] -> [samples of a block]
        """
        groups, decimations = _transposed(self.plan)
        if coefficients is not None:
            for index, kernels in enumerate(groups):
                self._spread(index, kernels, coefficients)
        for index in reversed(range(1, len(self._buffers))):
            start, hop, n, _ = self._rows(index)
            newest = self._buffers[index][-self._size(index) :]
            _add(newest.reshape(n, -1), decimations[index - 1], self._buffers[index - 1][start:], hop)
        samples = self._buffers[0][-self.plan.samples :].copy()
        for index, buffer in enumerate(self._buffers):
            buffer[self._size(index) :] = buffer[: -self._size(index)]
            buffer[: self._size(index)] = 0
        return samples

    def _spread(self, index: int, kernels: list[tuple[np.ndarray, ...]], coefficients: np.ndarray) -> None:
        for group, matrices in zip(self.plan.levels[index].groups, kernels, strict=True):
            phases, columns = len(matrices), slice(2 * group.bands.start, 2 * group.bands.stop)
            for phase, matrix in enumerate(matrices):
                start, hop = self._frames(index, group, phase)
                _add(coefficients[phase::phases, columns], matrix, self._buffers[index][start:], hop)


def _multiply(x: np.ndarray, hop: int, n: int, matrix: np.ndarray, out: np.ndarray) -> None:
    """Multiply the first of n frames of a signal with a matrix, as many as ``out`` takes.

    The products have the same shape whether all frames are wanted or not, so that their last bits are the same too.
    """
    rows = as_strided(x, (n, len(matrix)), (hop * x.itemsize, x.itemsize), writeable=False)
    at_once = max(8, min(128, _MOST_PRODUCTS // matrix.size // 8 * 8))
    for start in range(0, len(out), at_once):
        part = np.ascontiguousarray(rows[start : start + at_once])
        wanted = out[start : start + at_once]
        if len(wanted) == len(part):
            np.matmul(part, matrix, out=wanted)
        else:
            wanted[:] = (part @ matrix)[: len(wanted)]


@lru_cache(maxsize=4)
def _transposed(plan: Plan) -> tuple[list[list[tuple[np.ndarray, ...]]], list[np.ndarray]]:
    """Return what ``_add`` takes for the kernels of each level's groups, and for each decimation."""
    groups = [
        [
            tuple(_turned(kernel, len(group.kernels) * plan.hop // level.factor) for kernel in group.kernels)
            for group in level.groups
        ]
        for level in plan.levels
    ]
    decimations = []
    for upper, lower in zip(plan.levels, plan.levels[1:], strict=False):
        assert lower.decimation is not None
        decimations.append(_turned(lower.decimation, lower.decimation.shape[1] * (lower.factor // upper.factor)))
    return groups, decimations


def _turned(matrix: np.ndarray, hop: int) -> np.ndarray:
    """Turn the matrix of frames into the one that makes samples of the coefficients of all frames that reach them.

    The samples of several hops are made at once, ``_COLUMNS`` or more, so that products stay wide.
    """
    length, n = matrix.shape
    hops = -(-_COLUMNS // hop)
    reach = -(-length // hop)
    out = np.zeros((hops + reach - 1, n, hops * hop), matrix.dtype)
    for i in range(hops + reach - 1):
        # frame i of those that reach these samples starts reach - 1 hops before them
        first = (i - reach + 1) * hop
        start, stop = max(first, 0), min(first + length, hops * hop)
        out[i, :, start:stop] = matrix[start - first : stop - first].T
    return out.reshape(-1, hops * hop)


def _add(rows: np.ndarray, matrix: np.ndarray, out: np.ndarray, hop: int) -> None:
    """The transpose of ``_multiply``: add to a signal what its frames, of the given coefficients, are made of."""
    n, columns = rows.shape
    if not n:
        return
    hops = matrix.shape[1] // hop
    frames = len(matrix) // columns
    reach = frames - hops + 1
    n_rows = -(-(n + reach - 1) // hops)
    padded = np.zeros(((n_rows - 1) * hops + frames, columns), rows.dtype)
    padded[reach - 1 : reach - 1 + n] = rows
    samples = np.empty((n_rows, matrix.shape[1]), rows.dtype)
    _multiply(padded.reshape(-1), hops * columns, n_rows, matrix, samples)
    size = min(samples.size, len(out))  # beyond lie only zeros, of frames that are none
    out[:size] += samples.reshape(-1)[:size]
