"""What overlap-add asks of windows where frames hold aliasing, as those of ``transforms.imdct`` do.

Goal: the signal from frames of half as many numbers as samples. Conventions: a window has 2N samples; ``hop`` divides
N, so that the frames N samples apart, from each of the first N / hop ones on, are complete sets: in each of them, and
so in their sum, aliasing cancels by itself.

A frame holds, times its synthesis window s, the windowed signal a x minus its mirror image in the first half, and plus
it in the second. Where the second half of one frame meets the first half of the next one of its set, the mirror image
has the weight s[N + n] a[2N - 1 - n] - s[n] a[N - 1 - n], which must vanish, and the signal has the weight that the sum
is divided by, s[N + n] a[N + n] + s[n] a[n].

Functions: ``aliasing``, ``divide_by_repeated_weights``.

Sources:
    J. Princen, A. Bradley, "Analysis/synthesis filter bank design based on time domain aliasing cancellation", IEEE
    Trans. ASSP 34 (1986), eq. 28-32, where both windows are the same and the signal's weight is one.
"""

import numpy as np

from zounds_lite.dsp.framing import weight_sum
from zounds_lite.errors import DimensionError

__all__ = ["aliasing", "divide_by_repeated_weights"]


def aliasing(analysis: np.ndarray, synthesis: np.ndarray) -> float:
    """Measure what a pair of windows leaves of aliasing, as a part of the largest product of both.

    Args:
        analysis (np.ndarray): the window before the transform, an even number of samples.
        synthesis (np.ndarray): the window after the inverse, as many.

    Shape:
        [window], [window] -> a number, 0 where all aliasing cancels

    Raises:
        DimensionError: windows of an odd or of different sizes.

    Examples:
        >>> from zounds_lite.dsp import hann, vorbis
        >>> aliasing(vorbis(8), vorbis(8)) < 1e-15, round(aliasing(hann(8), np.ones(8)), 6)
        (True, 1.0)
    """
    a, s = np.asarray(analysis, np.float64), np.asarray(synthesis, np.float64)
    if a.ndim != 1 or a.shape != s.shape or len(a) % 2:
        raise DimensionError(f"windows of shapes {a.shape} and {s.shape}: both have the same even number of samples")
    n = len(a) // 2
    left = s[n:] * a[n:][::-1] - s[:n] * a[:n][::-1]
    largest = np.abs(a * s).max(initial=0)
    return float(np.abs(left).max(initial=0) / largest) if largest else 0.0


def divide_by_repeated_weights(out: np.ndarray, weights: np.ndarray, hop: int) -> None:
    """Divide, in place, the sum of frames by the sum of all weights that repeat with every hop.

    The first and last window - hop samples, where sets of frames are not complete, are divided alike: dividing them by
    the small weights that they have would only raise the aliasing that is left there.

    Args:
        out (np.ndarray): the sum of the frames, as ``overlap_add`` gives it, real floating point.
        weights (np.ndarray): analysis window times synthesis window.
        hop (int): samples from one frame to the next; it divides the window.

    Shape:
        [time, ...], in place

    Raises:
        DimensionError: a hop that does not divide the window, or a sum that is not whole hops.

    Examples:
        >>> out = np.full(6, 3.0)
        >>> divide_by_repeated_weights(out, np.array([1.0, 2.0, 0.5, 1.0]), hop=2)
        >>> out
        array([2., 1., 2., 1., 2., 1.])
    """
    if len(weights) % hop or len(out) % hop:
        raise DimensionError(f"a hop of {hop} for weights of {len(weights)} and a sum of {len(out)}: it divides both")
    n = len(weights) // hop
    repeated = weight_sum(weights, hop, n)[(n - 1) * hop : n * hop]
    peak = float(repeated.max())
    inverse = 1.0 / np.maximum(repeated, float(np.finfo(out.dtype).eps) * peak if peak > 0 else 1.0)
    blocks = out.reshape(-1, hop, *out.shape[1:])
    blocks *= inverse.astype(out.dtype).reshape(hop, *[1] * (out.ndim - 1))
