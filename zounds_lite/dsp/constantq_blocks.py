"""A signal through the levels of a constant-Q transform, block by block, and back through their transposes.

Goal: one engine for whole signals, streams and the inverse, whose every matrix product has the same shape wherever a
signal is cut, so that all of them agree to the last bit, in memory that does not grow with the signal.

Conventions: plain real numbers; coefficients are (frames, 2 * bands), real and imaginary parts in turn. Block b starts
at sample b * samples. Its step makes the decimated samples ``ahead`` of the block, so that the first steps, which fill
the buffers, have negative numbers and no frames.

Types: ``Analysis``, ``Transpose``; ``Transpose`` takes what ``Analysis`` gives, from the last block to the first.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

import numpy as np

from zounds_lite.dsp.constantq_plan import Group, Plan

__all__ = ["Analysis", "Transpose", "first_block"]

_MOST_PRODUCTS = 2**19
"""Multiplications in one call: more of them wake further threads in BLAS, which costs more than it gives here."""
_MOST_COPIED = 2**16
"""Samples of overlapping frames that are copied beside each other at once: they stay in the second-level cache."""
_MOST_ROWS = 256
"""Frames in one call: more of them are no faster."""
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


@dataclass(frozen=True, eq=False)
class _Frames:
    """Overlapping frames of a signal, and the matrices that they are multiplied with.

    Args:
        start (int): the sample at which the first frame begins.
        hop (int): samples from frame to frame.
        count (int): frames in a block.
        products (tuple): where in a frame each matrix begins, the matrix, and the columns that its products fill.
    """

    start: int
    hop: int
    count: int
    products: tuple[tuple[int, np.ndarray, slice], ...]

    @cached_property
    def length(self) -> int:
        """Samples of a frame."""
        return max(offset + len(matrix) for offset, matrix, _ in self.products)

    @cached_property
    def at_once(self) -> int:
        """How many frames are copied beside each other."""
        return min(self.count, _rows_at_once(_MOST_COPIED, self.length))

    def multiply(self, x: np.ndarray, out: np.ndarray, scratch: np.ndarray, first: int = 0) -> None:
        """Multiply frames with the matrices, from frame ``first`` on, as many as ``out`` takes.

        The products have the same shape whether all frames are wanted or not, so that their last bits are the same too.
        They are copied beside each other in ``scratch``, as memory that is asked for anew takes longer than the copy.
        """
        strides = (self.hop * x.itemsize, x.itemsize)
        frames: np.ndarray = np.ndarray((self.count, self.length), x.dtype, x[self.start :], strides=strides)
        at_once = self.at_once
        copied = scratch[: at_once * self.length].reshape(at_once, self.length)
        for start in range(first - first % at_once, len(out), at_once):
            part = copied[: self.count - start]
            np.copyto(part, frames[start : start + at_once])
            wanted = out[start : start + at_once]
            for offset, matrix, columns in self.products:
                _multiply(part[:, offset : offset + len(matrix)], matrix, wanted[:, columns])


class Analysis(_Buffers):
    """Turns the samples of one signal into coefficients.

    Args:
        plan (Plan): what is computed.
    """

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan, first=1)
        self.block = first_block(plan)
        self._decimations, self._atoms = _forward(plan)
        self._scratch = _scratch([*self._decimations, *chain(*self._atoms)], plan.dtype)

    def step(self, window: np.ndarray, out: np.ndarray) -> bool:
        """Compute the next block; False where it comes before the first frame.

        Args:
            window (np.ndarray): the samples of the block, with ``behind`` samples of the first level before and
                ``ahead`` after them; contiguous.
            out (np.ndarray): takes the coefficients; less than all frames of the last block will do.

        Shape:
            [behind + samples + ahead]; out: [frames, 2 * bands]
        """
        levels = [window, *self._buffers]
        has_frames = self.block >= 0
        for index, rows in enumerate(self._decimations, 1):
            newest = levels[index][-self._size(index) :].reshape(rows.count, -1)
            # what later frames alone are made of is left out
            wanted = -(-len(out) * rows.count // self.plan.frames) if has_frames else rows.count
            first = 0 if has_frames else self._silent_rows(index)
            rows.multiply(levels[index - 1], newest[:wanted], self._scratch, first)
        if has_frames:
            for samples, phases in zip(levels, self._atoms, strict=True):
                for phase, frames in enumerate(phases):
                    frames.multiply(samples, out[phase :: len(phases)], self._scratch)
        for index, buffer in enumerate(self._buffers, 1):
            buffer[: -self._size(index)] = buffer[self._size(index) :]
        self.block += 1
        return has_frames

    def _silent_rows(self, index: int) -> int:
        """Return how many rows of a level's newest samples lie before all that sample 0 reaches."""
        levels = self.plan.levels
        reach = sum(lower.half * upper.factor for upper, lower in zip(levels, levels[1 : index + 1], strict=False))
        before = -(self.block * self.plan.samples + levels[index].ahead) - reach
        _, _, count, matrix = self._rows(index)
        return min(count, max(0, before // (matrix.shape[1] * levels[index].factor)))


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


def _multiply(frames: np.ndarray, matrix: np.ndarray, out: np.ndarray) -> None:
    """Multiply as many frames with a matrix as ``out`` takes, in products whose shape depends on the matrix alone."""
    at_once = _rows_at_once(_MOST_PRODUCTS, matrix.size)
    for start in range(0, len(out), at_once):
        part, wanted = frames[start : start + at_once], out[start : start + at_once]
        if len(wanted) == len(part):
            np.matmul(part, matrix, out=wanted)
        else:
            wanted[:] = (part @ matrix)[: len(wanted)]


def _rows_at_once(most: int, size: int) -> int:
    return max(8, min(_MOST_ROWS, most // size // 8 * 8))


def _scratch(of: list[_Frames], dtype: np.dtype) -> np.ndarray:
    """Return memory for frames that are copied beside each other, a kind at a time."""
    return np.empty(max(frames.at_once * frames.length for frames in of), dtype)


@lru_cache(maxsize=4)
def _forward(plan: Plan) -> tuple[list[_Frames], list[list[_Frames]]]:
    """Return the frames that each level is decimated in, and those of each level's atoms, phase by phase."""
    buffers = _Buffers(plan, first=len(plan.levels))
    decimations = []
    for index in range(1, len(plan.levels)):
        start, hop, count, matrix = buffers._rows(index)
        decimations.append(_Frames(start, hop, count, ((0, matrix, slice(None)),)))
    atoms: list[list[_Frames]] = []
    for index, level in enumerate(plan.levels):
        atoms.append([])
        for phase in range(len(level.groups[0].kernels) if level.groups else 0):
            places = [buffers._frames(index, group, phase) for group in level.groups]
            begin, hop = min(places)
            products = tuple(
                (start - begin, group.kernels[phase], slice(2 * group.bands.start, 2 * group.bands.stop))
                for (start, _), group in zip(places, level.groups, strict=True)
            )
            atoms[-1].append(_Frames(begin, hop, plan.frames // len(level.groups[0].kernels), products))
    return decimations, atoms


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
    products = _Frames(0, hops * columns, n_rows, ((0, matrix, slice(None)),))
    products.multiply(padded.reshape(-1), samples, _scratch([products], rows.dtype))
    size = min(samples.size, len(out))  # beyond lie only zeros, of frames that are none
    out[:size] += samples.reshape(-1)[:size]
