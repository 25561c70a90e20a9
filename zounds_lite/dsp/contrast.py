"""Local contrast: how far each number of a picture stands out from its neighbourhood, in units of how much that varies.

Goal: spectra whose loud and quiet parts are equally visible, as learned models like them. With weights w that add up to
one (a Gaussian over frames and bands), each number x becomes

    v = x - sum(w x),    s = sqrt(sum(w v^2)),    y = v / max(c, s),

sums over the neighbourhood of each number, and c, the floor, is the mean of s over the whole picture, or a number of
its own. At a border the weights of what lies inside count, divided by their sum. Conventions: the last two axes are
frames and bands; float32 stays float32, computed in float64.

What follows from the definition, whatever the input: a constant gives 0, exactly, since only differences to the
neighbours are summed; so does silence. ``y(a x + b) = y(x)`` for a > 0 with the mean as floor. No y is further from 0
than 1 / sqrt(w0), w0 being the weight in the middle, as s^2 >= w0 v^2. A number that is not finite makes its
neighbourhood NaN (twice ``size // 2`` on each side) and does not count for the mean.

Names: ``LocalContrast``, ``ContrastStream`` (the same in chunks), ``local_contrast_normalization``.

Sources:
    K. Jarrett, K. Kavukcuoglu, M. Ranzato, Y. LeCun, "What is the best multi-stage architecture for object
    recognition?", ICCV 2009, section 2.1. M. Henaff, K. Jarrett, K. Kavukcuoglu, Y. LeCun, "Unsupervised learning of
    sparse features for scalable audio classification", ISMIR 2011, for its use on constant-Q spectra.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from zounds_lite.dsp._checks import check_real
from zounds_lite.errors import DeclarationError, DimensionError

__all__ = ["ContrastStream", "LocalContrast", "local_contrast_normalization"]

_BLOCK = 1 << 17
"""Numbers that are worked on at once, so that they stay in the cache."""
_FEWEST = 64


class LocalContrast:
    """The normalisation, with its weights.

    Args:
        size (tuple[int, int]): frames and bands of the neighbourhood, both odd; (1, n) looks at the frame alone.
        sigma (float | tuple[float, float]): standard deviation of the Gaussian, in frames and bands, > 0.
        floor (float | str): ``"mean"``, or the smallest deviation to divide by, > 0, in units of the input.

    Raises:
        DeclarationError: an argument out of range.

    Examples:
        >>> contrast = LocalContrast((3, 3), sigma=1.0)
        >>> contrast.reach, [weights.round(3).tolist() for weights in contrast.weights]
        (2, [[0.274, 0.452, 0.274], [0.274, 0.452, 0.274]])
    """

    def __init__(
        self, size: tuple[int, int] = (9, 9), sigma: float | tuple[float, float] = 2.0, floor: float | str = "mean"
    ) -> None:
        self.size = _sizes(size)
        self.sigma = _sigmas(sigma)
        if floor != "mean" and not (_is_number(floor) and 0 < float(floor) < math.inf):
            raise DeclarationError(f"floor={floor!r}; allowed: 'mean', or a number above 0, such as 1e-4")
        self.floor: float | None = None if floor == "mean" else float(floor)
        self.weights = tuple(_gaussian(n, s) for n, s in zip(self.size, self.sigma, strict=True))

    @property
    def reach(self) -> int:
        """How many frames before, and behind, a frame of the result takes part in it; with a mean, all do."""
        return 2 * (self.size[0] // 2)

    @property
    def bound(self) -> float:
        """No result is further from 0 than this; at borders the middle weighs more, so the bound is lower still."""
        return 1.0 / math.sqrt(float(np.prod([weights[len(weights) // 2] for weights in self.weights])))

    def transform(self, x: ArrayLike) -> np.ndarray:
        """Normalise a picture.

        Args:
            x (ArrayLike): real numbers.

        Shape:
            [..., frames, bands] -> [..., frames, bands]

        Raises:
            DimensionError: less than two axes.
            DeclarationError: complex numbers.
        """
        picture = _checked(np.asarray(x))
        dtype = picture.dtype if picture.dtype.kind == "f" else np.dtype(np.float64)
        deviation, spread = np.empty(picture.shape, dtype), np.empty(picture.shape, dtype)
        frames = picture.shape[-2]
        step = max(_FEWEST, _BLOCK * frames // max(1, picture.size))
        for start in range(0, frames, step):
            first, stop = max(0, start - self.reach), min(frames, start + step)
            block = self._deviations(picture[..., first : stop + self.reach, :])
            for part, whole in zip(block, (deviation, spread), strict=True):
                whole[..., start:stop, :] = part[..., start - first : stop - first, :]
        return self._divided(deviation, spread)

    def stream(self) -> "ContrastStream":
        """Return what does the same in chunks.

        Raises:
            DeclarationError: the floor is a mean, for which all frames must be there.
        """
        if self.floor is None:
            raise DeclarationError("floor='mean' needs all frames; allowed in chunks: a number, such as floor=1e-4")
        return ContrastStream(self)

    def _deviations(self, block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how far numbers are from their surroundings, and how much those vary, at borders as at borders."""
        with np.errstate(invalid="ignore", over="ignore"):
            x = block.astype(np.float64)
            x[~np.isfinite(x)] = np.nan  # something divided by infinity would look like a result
            mean = x
            for axis, weights in zip((-2, -1), self.weights, strict=True):
                mean = _averaged(mean, weights, axis, around=True)
            deviation = x - mean
            power = deviation**2
            for axis, weights in zip((-2, -1), self.weights, strict=True):
                power = _averaged(power, weights, axis)
            return deviation, np.sqrt(power)

    def _divided(self, deviation: np.ndarray, spread: np.ndarray) -> np.ndarray:
        floor: Any = self.floor
        if floor is None:
            finite = np.isfinite(spread)
            counts = finite.sum(axis=(-2, -1), keepdims=True)
            sums = np.where(finite, spread, 0).sum(axis=(-2, -1), keepdims=True, dtype=np.float64)
            floor = (sums / np.maximum(counts, 1)).astype(spread.dtype)
        with np.errstate(invalid="ignore"):
            divisor = np.maximum(spread, floor, dtype=spread.dtype)
            result = np.zeros_like(deviation)
            return np.divide(deviation, divisor, out=result, where=divisor != 0)


class ContrastStream:
    """The normalisation of frames that come in chunks, to the last bit that of the whole.

    Args:
        contrast (LocalContrast): with a number as floor.

    Examples:
        >>> picture = np.arange(40.0).reshape(10, 4) ** 2
        >>> contrast = LocalContrast((3, 3), 1.0, floor=0.5)
        >>> stream = contrast.stream()
        >>> parts = [stream.push(picture[:6]), stream.push(picture[6:]), stream.finish()]
        >>> [part.shape for part in parts], np.array_equal(np.concatenate(parts), contrast.transform(picture))
        ([(4, 4), (4, 4), (2, 4)], True)
    """

    def __init__(self, contrast: LocalContrast) -> None:
        self._contrast = contrast
        self._kept: np.ndarray | None = None
        self._before = 0  # frames of what is kept that have been handed on

    def push(self, frames: np.ndarray) -> np.ndarray:
        """Take frames in, and return those whose neighbours are there by now.

        Shape:
            [..., frames, bands] -> [..., frames ready, bands]
        """
        frames = _checked(np.asarray(frames))
        self._kept = np.array(frames) if self._kept is None else np.concatenate([self._kept, frames], axis=-2)
        return self._handed_on(self._kept.shape[-2] - self._contrast.reach)

    def finish(self) -> np.ndarray:
        """Return the last frames.

        Raises:
            DimensionError: no frames were pushed, so nobody knows how many bands there are.
        """
        if self._kept is None:
            raise DimensionError("a stream of no chunk at all has no bands; push one, it may be without frames")
        return self._handed_on(self._kept.shape[-2])

    def _handed_on(self, stop: int) -> np.ndarray:
        assert self._kept is not None
        contrast, start = self._contrast, self._before
        stop = max(start, stop)
        block = self._kept if stop > start else self._kept[..., :0, :]
        ready = contrast.transform(block)[..., start:stop, :]
        first = max(0, stop - contrast.reach)
        self._kept, self._before = np.array(self._kept[..., first:, :]), stop - first
        return ready


def local_contrast_normalization(
    x: ArrayLike,
    size: tuple[int, int] = (9, 9),
    sigma: float | tuple[float, float] = 2.0,
    floor: float | str = "mean",
) -> np.ndarray:
    """Return how far each number stands out from its neighbourhood, in units of how much that varies.

    Args:
        x (ArrayLike): real numbers, such as magnitudes.
        size (tuple[int, int]): frames and bands of the neighbourhood, both odd; (1, n) looks at the frame alone.
        sigma (float | tuple[float, float]): standard deviation of the Gaussian, in frames and bands, > 0.
        floor (float | str): what to divide by at least: ``"mean"``, the mean deviation of the picture, or a number
            above 0.

    Shape:
        [..., frames, bands] -> [..., frames, bands]

    Returns:
        np.ndarray: 0 for silence and for constants.

    Raises:
        DimensionError: less than two axes.
        DeclarationError: an argument out of range, or complex numbers.

    Examples:
        >>> picture = np.zeros((5, 5))
        >>> picture[2, 2] = 7.0
        >>> local_contrast_normalization(picture, (3, 3), sigma=1.0).round(2)[2]
        array([ 0.  , -0.42,  2.14, -0.42,  0.  ])

    See Also:
        LocalContrast: the same with its weights kept. zounds_lite.spectral.local_contrast_normalization: with units.
    """
    return LocalContrast(size, sigma, floor).transform(x)


def _averaged(x: np.ndarray, weights: np.ndarray, axis: int, around: bool = False) -> np.ndarray:
    """Average neighbours along an axis; ``around`` sums their differences to the middle, of which a constant has none.

    At borders, the weights of what lies inside count.
    """
    half, n = len(weights) // 2, x.shape[axis]
    moved = np.moveaxis(x, axis, 0)
    sums, total = np.zeros_like(moved), np.full(n, weights[half])
    for offset in range(-half, half + 1):
        here, there = slice(max(0, -offset), n - max(0, offset)), slice(max(0, offset), n - max(0, -offset))
        if not offset or abs(offset) >= n:
            continue
        neighbours = moved[there] - moved[here] if around else moved[there]
        sums[here] += weights[half + offset] * neighbours
        total[here] += weights[half + offset]
    total = total.reshape(-1, *[1] * (x.ndim - 1))
    averaged = moved + sums / total if around else (weights[half] * moved + sums) / total
    return np.moveaxis(averaged, 0, axis)


def _gaussian(n: int, sigma: float) -> np.ndarray:
    weights = np.exp(-0.5 * ((np.arange(n) - n // 2) / sigma) ** 2)
    return np.asarray(weights / weights.sum())


def _checked(x: np.ndarray) -> np.ndarray:
    check_real(x, "a picture", "take np.abs(x) first")
    if x.ndim < 2:
        raise DimensionError(f"an array of shape {x.shape}; needed are frames and bands: at least two axes")
    return x


def _sizes(size: Any) -> tuple[int, int]:
    pair = tuple(size) if isinstance(size, (tuple, list)) else (size,)
    if len(pair) != 2 or not all(
        isinstance(n, (int, np.integer)) and not isinstance(n, bool) and n >= 1 and n % 2 for n in pair
    ):
        raise DeclarationError(f"size={size!r}; allowed: two odd numbers, of frames and of bands, such as (9, 9)")
    return int(pair[0]), int(pair[1])


def _sigmas(sigma: Any) -> tuple[float, float]:
    pair = tuple(sigma) if isinstance(sigma, (tuple, list)) else (sigma, sigma)
    if len(pair) != 2 or not all(_is_number(s) and 0 < float(s) < math.inf for s in pair):
        raise DeclarationError(f"sigma={sigma!r}; allowed: a number above 0, or one for frames and one for bands")
    return float(pair[0]), float(pair[1])


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
