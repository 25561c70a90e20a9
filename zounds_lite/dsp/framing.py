"""Cutting a signal into frames, and adding frames back together.

Goal: one rule for how many frames a signal has, the same for a whole array and for a stream in chunks of any size, and
an overlap-add that undoes any window at any hop.

Conventions: time is axis 0 and any axes may follow, so audio is (samples,) or (samples, channels) and a series of
spectra is (frames, bins); frames are (n, window, ...). ``window`` and ``hop`` are counts of samples, at least 1; a hop
longer than the window leaves gaps.

The rule, for L samples: no frame for L = 0; one for L <= window; otherwise c = (L - window) // hop + 1 complete frames,
and one more, padded with zeros, if samples remain after c hops (L - c * hop > 0).

Functions: ``frame_count``, ``frames``, ``overlap_add``, ``weight_sum``, ``divide_by_weights``,
``weighted_overlap_add``; and ``FrameStream``, the twin of ``frames`` for a signal that comes in chunks.
"""

import numpy as np
from numpy.lib.stride_tricks import as_strided

from zounds_lite.dsp._checks import fit_length
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = [
    "FrameStream",
    "divide_by_weights",
    "frame_count",
    "frames",
    "overlap_add",
    "weight_sum",
    "weighted_overlap_add",
]


# even a floor of 0 must keep the reciprocal finite in float32
_LEAST_FLOOR = 1e-30


def frame_count(length: int, window: int, hop: int) -> int:
    """Count the frames of a signal.

    Args:
        length (int): samples in the signal, >= 0.
        window (int): samples in a frame, >= 1.
        hop (int): samples from one frame to the next, >= 1.

    Raises:
        DeclarationError: a window or hop below 1, or a negative length.

    Examples:
        >>> [frame_count(n, window=4, hop=2) for n in (0, 1, 4, 5, 10, 12)]
        [0, 1, 1, 2, 5, 6]
    """
    _check_scheme(window, hop)
    if length < 0:
        raise DeclarationError(f"length={length}: a signal has 0 or more samples")
    if length <= window:
        return int(length > 0)
    complete = (length - window) // hop + 1
    return int(complete + (length > complete * hop))


def frames(x: np.ndarray, window: int, hop: int) -> np.ndarray:
    """Cut a signal into frames; the last one is padded with zeros where the signal ends.

    Nothing is copied where every frame is complete: the result is then a read-only view of ``x``.

    Args:
        x (np.ndarray): a signal of any dtype.
        window (int): samples in a frame, >= 1.
        hop (int): samples from one frame to the next, >= 1.

    Shape:
        [time, ...] -> [frames, window, ...]

    Raises:
        DeclarationError: a window or hop below 1.
        DimensionError: a 0-d input.

    Examples:
        >>> frames(np.arange(1, 6), window=4, hop=2)
        array([[1, 2, 3, 4],
               [3, 4, 5, 0]])

    See Also:
        FrameStream (for a signal in chunks), overlap_add (the inverse).
    """
    x = _as_signal(x)
    n = frame_count(len(x), window, hop)
    span = (n - 1) * hop + window
    if n and span > len(x):
        x = _join([x], span)
    return _view(x, n, window, hop)


class FrameStream:
    """Frames of a signal that comes in chunks: the same as ``frames`` of the whole, to the last bit.

    The last complete frame is held back until a later sample or ``finish`` comes, so ``finish`` always returns at least
    one frame if there was any input. Only the samples that later frames need are kept, at most ``max(window, hop)`` of
    them and those of a block, and they are joined to new ones only when a frame is due.

    Args:
        window (int): samples in a frame, >= 1.
        hop (int): samples from one frame to the next, >= 1.
        pad_start (int): zeros before the first sample, >= 0.
        pad_end (int): zeros after the last sample, >= 0. Both paddings come only if there is any input.
        block (int): ``push`` returns frames in multiples of it, >= 1, so that what follows works on enough at once.

    Raises:
        DeclarationError: a window or hop below 1, or a negative padding.

    Examples:
        >>> stream = FrameStream(window=4, hop=2)
        >>> stream.push(np.arange(1, 4)) is None
        True
        >>> stream.push(np.arange(4, 6))
        array([[1, 2, 3, 4]])
        >>> stream.finish()
        array([[3, 4, 5, 0]])
        >>> stream.n_samples
        5
    """

    def __init__(self, window: int, hop: int, pad_start: int = 0, pad_end: int = 0, block: int = 1) -> None:
        _check_scheme(window, hop)
        if block < 1:
            raise DeclarationError(f"block={block}: frames come in blocks of at least 1")
        if pad_start < 0 or pad_end < 0:
            raise DeclarationError(f"pad_start={pad_start}, pad_end={pad_end}: paddings are counts of zeros, 0 or more")
        self.window = int(window)
        self.hop = int(hop)
        self.pad_start = int(pad_start)
        self.pad_end = int(pad_end)
        self._block = int(block)
        self._kept: list[np.ndarray] = []  # what later frames need; starts with the next frame
        self._n_kept = 0
        self._n_in = 0  # samples so far, paddings included
        self._n_real = 0
        self._n_frames = 0
        self._finished = False

    @property
    def n_samples(self) -> int:
        """The samples pushed so far, without padding."""
        return self._n_real

    def push(self, x: np.ndarray) -> np.ndarray | None:
        """Take the next chunk and return the frames that it completes, or None.

        The frames are a read-only view, possibly of ``x`` itself; what the stream keeps is its own copy, so a caller
        may reuse its buffer once it is done with the frames.

        Shape:
            [time, ...] -> [frames, window, ...]

        Raises:
            DimensionError: a chunk whose other axes differ from those before.
            DeclarationError: a chunk of another dtype, or one after ``finish``.
        """
        x = _as_signal(x)
        if self._finished:
            raise DeclarationError("this FrameStream is finished: make a new one for the next signal")
        if not len(x):
            return None
        self._check_chunk(x)
        if self._n_real == 0 and self.pad_start:
            self._keep(np.zeros((self.pad_start, *x.shape[1:]), x.dtype))
        self._n_real += len(x)
        self._n_in += len(x)
        # frame k is due once a sample lies beyond its end and beyond the start of frame k + 1
        n_due = max(0, -(-(self._n_in - max(self.window, self.hop)) // self.hop)) - self._n_frames
        n_due -= n_due % self._block
        if n_due <= 0:
            self._kept.append(x.copy())
            self._n_kept += len(x)
            return None
        buffer = _join([*self._kept, x], self._n_kept + len(x))
        result = _view(buffer, n_due, self.window, self.hop)
        tail = buffer[n_due * self.hop :].copy()
        self._kept, self._n_kept = [tail], len(tail)
        self._n_frames += n_due
        return result

    def finish(self) -> np.ndarray | None:
        """End the stream and return its last frames, padded with zeros; None if there was no input.

        Shape:
            -> [frames, window, ...]
        """
        if self._finished or not self._n_real:
            self._finished = True
            return None
        self._finished = True
        n_due = frame_count(self._n_in + self.pad_end, self.window, self.hop) - self._n_frames
        size = max((n_due - 1) * self.hop + self.window, self._n_kept)
        buffer = _join(self._kept, size)
        self._kept = []
        self._n_frames += n_due
        return _view(buffer, n_due, self.window, self.hop)

    def _keep(self, x: np.ndarray) -> None:
        self._kept.append(x)
        self._n_kept += len(x)
        self._n_in += len(x)

    def _check_chunk(self, x: np.ndarray) -> None:
        if not self._kept:
            return
        first = self._kept[0]
        if x.shape[1:] != first.shape[1:]:
            raise DimensionError(
                f"a chunk of shape {x.shape} after chunks of shape (n, {str(first.shape[1:])[1:-1]}): "
                "all chunks of one signal share all axes but the first"
            )
        if x.dtype != first.dtype:
            raise DeclarationError(f"a chunk of {x.dtype} after chunks of {first.dtype}: convert all to one dtype")


def overlap_add(frames: np.ndarray, hop: int) -> np.ndarray:
    """Add frames at their places in time.

    Args:
        frames (np.ndarray): frames of numbers.
        hop (int): samples from one frame to the next, >= 1.

    Shape:
        [frames, window, ...] -> [(frames - 1) * hop + window, ...], or [0, ...] without frames

    Raises:
        DeclarationError: a hop below 1.
        DimensionError: fewer than two axes.

    Examples:
        >>> overlap_add(np.ones((3, 4)), hop=2)
        array([1., 1., 2., 2., 2., 2., 1., 1.])

    See Also:
        frames (the inverse, but for the windows), weighted_overlap_add (which undoes the windows).
    """
    frames = np.asarray(frames)
    if frames.ndim < 2:
        raise DimensionError(f"frames of shape {frames.shape}: overlap-add needs (frames, window, ...)")
    n, window = frames.shape[:2]
    _check_scheme(window, hop)
    if n == 0:
        return np.zeros((0, *frames.shape[2:]), frames.dtype)
    # Cut each frame into slices of one hop. Slice j of all frames at once lands on whole blocks of the output, so the
    # loop runs over slices and not over frames. Last slices first, so that each sample sums its frames in time order.
    n_slices = -(-window // hop)
    out = np.zeros((n - 1 + n_slices, hop, *frames.shape[2:]), frames.dtype)
    for j in reversed(range(n_slices)):
        part = frames[:, j * hop : (j + 1) * hop]
        out[j : j + n, : part.shape[1]] += part
    return out.reshape(-1, *frames.shape[2:])[: (n - 1) * hop + window]


def weight_sum(weights: np.ndarray, hop: int, n_frames: int) -> np.ndarray:
    """Sum a window over the frames that cover each sample: what an overlap-add of windowed frames is divided by.

    Args:
        weights (np.ndarray): analysis window times synthesis window, one row of numbers.
        hop (int): samples from one frame to the next, >= 1.
        n_frames (int): number of frames, >= 0.

    Shape:
        [window] -> [(n_frames - 1) * hop + window] float64, or [0] without frames

    Raises:
        DeclarationError: a hop below 1.
        DimensionError: weights that are not one row.

    Examples:
        >>> weight_sum(np.array([0.5, 1.0, 0.5]), hop=1, n_frames=4)
        array([0.5, 1.5, 2. , 2. , 1.5, 0.5])
    """
    weights = np.asarray(weights, dtype=np.float64)
    if weights.ndim != 1:
        raise DimensionError(f"weights of shape {weights.shape}: a window is one row of numbers")
    return overlap_add(np.broadcast_to(weights, (n_frames, len(weights))), hop)


def weighted_overlap_add(
    frames: np.ndarray, hop: int, weights: np.ndarray, length: int | None = None, floor: float | None = None
) -> np.ndarray:
    """Overlap-add frames and divide by the sum of their windows, so that any window at any hop is undone exactly.

    A sample that the frames cover with (almost) no weight cannot be recovered from them: the divisor is floored there,
    and the sample fades towards zero instead of growing into noise. To have every sample exact, put ``window - hop``
    zeros before and after the signal (``FrameStream``'s paddings) and trim them afterwards.

    Args:
        frames (np.ndarray): frames that carry both windows: analysis (when cut) and synthesis (multiplied before).
        hop (int): samples from one frame to the next, >= 1.
        weights (np.ndarray): analysis window times synthesis window, one row of ``window`` numbers.
        length (int | None): samples to return: the result is cut or filled with zeros. None: all that frames cover.
        floor (float | None): smallest divisor, as a part of the largest, 0..1. None: eps ** 0.75 of the frames' dtype
            (2e-12 in float64, 6e-6 in float32), which holds rounding errors in faded samples below eps ** 0.6.

    Shape:
        [frames, window, ...] -> [time, ...]

    Raises:
        DeclarationError: a hop below 1, a negative length, or a floor outside 0..1.
        DimensionError: weights that do not have one number per sample of a frame.

    Examples:
        >>> x = np.arange(1.0, 11.0)
        >>> w = np.array([0.5, 1.0, 0.25])
        >>> weighted_overlap_add(frames(x, 3, 2) * w * w, hop=2, weights=w * w, length=10)
        array([ 1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10.])

    Sources:
        D. Griffin, J. Lim, "Signal estimation from modified short-time Fourier transform", IEEE Trans. ASSP 32 (1984),
        eq. 6.
    """
    frames = np.asarray(frames)
    weights = np.asarray(weights, dtype=np.float64)
    if frames.ndim < 2 or weights.shape != frames.shape[1:2]:
        raise DimensionError(
            f"weights of shape {weights.shape} for frames of shape {frames.shape}: one number per sample of a frame"
        )
    if length is not None and length < 0:
        raise DeclarationError(f"length={length}: a signal has 0 or more samples")
    if not np.issubdtype(frames.dtype, np.inexact):
        frames = frames.astype(np.float64)
    if floor is not None and not 0 <= floor <= 1:
        raise DeclarationError(f"floor={floor}: a part of the largest divisor, 0 to 1")
    out = overlap_add(frames, hop)
    if len(out):
        divide_by_weights(out, weights, hop, len(frames), floor)
    return out if length is None else fit_length(out, length)


def divide_by_weights(out: np.ndarray, weights: np.ndarray, hop: int, n: int, floor: float | None = None) -> None:
    """Divide, in place, the sum of frames by the sum of their weights; for sums that are made block by block.

    The sum of weights rises over the first frames, then repeats with every hop, then falls: it is made for as few
    frames as show all three parts, and never for the whole signal.

    Args:
        out (np.ndarray): the sum of the frames, as ``overlap_add`` gives it, real floating point.
        weights (np.ndarray): as for ``weighted_overlap_add``.
        hop (int): samples from one frame to the next, >= 1.
        n (int): number of frames, >= 1.
        floor (float | None): as for ``weighted_overlap_add``.

    Shape:
        [time, ...], in place
    """
    if floor is None:
        floor = float(np.finfo(out.dtype).eps) ** 0.75
    n_short = min(n, -(-len(weights) // hop))
    short = weight_sum(weights, hop, n_short)
    peak = float(short.max())
    smallest = max(floor, _LEAST_FLOOR) * peak if peak > 0 else 1.0
    inverse = (1.0 / np.maximum(short, smallest)).astype(out.real.dtype).reshape(-1, *[1] * (out.ndim - 1))
    steady = (n_short - 1) * hop  # here starts the hop that all frames of the short sum cover
    tail = steady + (n - n_short) * hop
    out[:steady] *= inverse[:steady]
    out[tail:] *= inverse[steady:]
    block = inverse[steady : steady + hop]
    middle = out[steady:tail].reshape(n - n_short, hop, *out.shape[1:])
    middle[:, : len(block)] *= block


def _check_scheme(window: int, hop: int) -> None:
    if window < 1 or hop < 1:
        raise DeclarationError(f"window={window}, hop={hop}: both are counts of samples, at least 1")


def _as_signal(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim == 0:
        raise DimensionError("a single number has no time axis: give an array of samples")
    return x


def _join(parts: list[np.ndarray], size: int) -> np.ndarray:
    """Concatenate along time, filled with zeros up to ``size``; a single part of that size is returned as it is."""
    if len(parts) == 1 and len(parts[0]) == size:
        return parts[0]
    joined = np.empty((size, *parts[0].shape[1:]), parts[0].dtype)
    at = 0
    for part in parts:
        joined[at : at + len(part)] = part
        at += len(part)
    joined[at:] = 0
    return joined


def _view(x: np.ndarray, n: int, window: int, hop: int) -> np.ndarray:
    """Return the first n frames of x, all of which must be complete, as a read-only view."""
    if n == 0:
        return np.empty((0, window, *x.shape[1:]), x.dtype)
    shape, strides = (n, window, *x.shape[1:]), (hop * x.strides[0], *x.strides)
    if not x.flags.c_contiguous:
        return as_strided(x, shape, strides, writeable=False)
    frames: np.ndarray = np.ndarray(shape, x.dtype, x, strides=strides)  # the same, and a tenth of the time
    frames.flags.writeable = False
    return frames
