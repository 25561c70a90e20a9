"""Hashing: rows become bits that agree where rows are alike.

Goal: the share of bits in which two codes differ tells the angle between their rows, seen from the mean of the corpus;
codes are small, and compared by the million (``zounds_lite.index``). Conventions: bits are ``uint8`` of 0 and 1, or
packed in the order of ``np.packbits`` into little-endian ``uint64`` words, the last of which ends with zeros.
Functions: ``hyperplanes``, ``simhash``. Node: ``SimHash``. Op: ``Hashed``.

Sources:
    Charikar, "Similarity estimation techniques from rounding algorithms", 2002, section 3 (random hyperplanes).
"""

from functools import cached_property
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError, RaggedCorpus
from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.ops import Op, plain_rows
from zounds_lite.learn.pipeline import PreprocessResult
from zounds_lite.learn.preprocessor import Preprocessor
from zounds_lite.learn.reservoir import whole_number
from zounds_lite.learn.statistics import Moments

__all__ = ["Hashed", "SimHash", "hyperplanes", "packed", "simhash"]

_WORD = np.dtype("<u8")
_BLOCK = 1 << 18
"""Products that are worked on at once."""


def hyperplanes(means: Any, stds: Any, n_planes: int, rng: Any = None) -> np.ndarray:
    """Draw planes that cut through the middle of data.

    The normal of a plane is the difference of two points that are drawn from normal distributions with the means and
    standard deviations of the features; so a feature that never changes has no say.

    Args:
        means (np.ndarray): the mean of each feature.
        stds (np.ndarray): the standard deviation of each feature, >= 0.
        n_planes (int): how many planes.
        rng (np.random.Generator | int | None): draws, or its seed; None draws a seed.

    Shape:
        ``[features], [features] -> [n_planes, features]``

    Raises:
        DimensionError: means and stds of different lengths.
        DeclarationError: ``n_planes`` is no whole number, or a deviation is negative or not finite.

    Examples:
        >>> hyperplanes(np.zeros(3), np.ones(3), 8, rng=0).shape
        (8, 3)
    """
    means, stds = np.asarray(means, np.float64), np.asarray(stds, np.float64)
    if means.ndim != 1 or means.shape != stds.shape:
        raise DimensionError(f"means of shape {list(means.shape)} and stds of {list(stds.shape)}; needed: one of each "
                             "for each feature")  # fmt: skip
    if not (np.isfinite(stds).all() and np.isfinite(means).all() and (stds >= 0).all()):
        raise DeclarationError("means and stds must be finite, and stds not negative")
    random = np.random.default_rng(rng)
    shape = (whole_number(n_planes, "n_planes"), len(means))
    # the means of the two points cancel; adding them before would only round
    return np.asarray((random.normal(size=shape) - random.normal(size=shape)) * stds)


def simhash(planes: Any, data: Any) -> np.ndarray:
    """Tell on which side of planes through the origin rows lie.

    The answer for a row is the same for any number of rows: where a product is as near to 0 as its rounding, it is
    computed again, alone.

    Args:
        planes (np.ndarray): the normal of one plane in each row.
        data (np.ndarray): examples along the first axis; take off what planes should go through first.

    Shape:
        ``[planes, features], [examples, ...] -> [examples, planes]``, ``uint8``: 1 in front of a plane, 0 elsewhere

    Raises:
        DimensionError: examples have another number of features than planes.

    Examples:
        >>> simhash(np.array([[1.0, 0.0], [0.0, -1.0]]), np.array([[3.0, 4.0], [-1.0, 0.0]]))
        array([[1, 0],
               [0, 0]], dtype=uint8)
    """
    rows = plain_rows(data, None, "simhash")
    planes = np.asarray(planes)
    features = int(np.prod(rows.shape[1:]))
    if planes.ndim != 2 or planes.shape[1] != features:
        raise DimensionError(
            f"examples have {features} features; needed: as many as planes, which have shape {list(planes.shape)}"
        )
    return _Planes(planes).sides(rows.reshape(len(rows), features))


class _Planes:
    """Planes through the origin."""

    def __init__(self, planes: np.ndarray) -> None:
        self.planes = planes.astype(np.float64)
        self._factors: dict[np.dtype, np.ndarray] = {}
        self._longest = float(np.sqrt(np.einsum("ij,ij->i", self.planes, self.planes).max(initial=0.0)))

    def sides(self, rows: np.ndarray) -> np.ndarray:
        """Return 1 for each plane that a row is in front of, else 0."""
        dtype: np.dtype = np.dtype(np.float32 if rows.dtype == np.float32 else np.float64)
        if dtype not in self._factors:
            self._factors[dtype] = np.ascontiguousarray(self.planes.T, dtype)
        reach = float(np.finfo(dtype).eps) * (4 + rows.shape[1] ** 0.5) * self._longest
        out = np.empty((len(rows), len(self.planes)), np.uint8)
        step = max(1, _BLOCK // len(self.planes))
        for start in range(0, len(rows), step):
            block = np.ascontiguousarray(rows[start : start + step], dtype)
            products = block @ self._factors[dtype]
            np.greater(products, 0, out=out[start : start + step].view(bool))
            self._settle(block, products, reach, out[start : start + step])
        return out

    def _settle(self, block: np.ndarray, products: np.ndarray, reach: float, out: np.ndarray) -> None:
        """Compute products that are as near to 0 as rounding again, one by one."""
        flat = block.reshape(-1)
        # no row is longer than all of them together, whose length is quickly made
        least = products.dtype.type(reach * float(np.dot(flat, flat)) ** 0.5)
        np.abs(products, out=products)
        close = np.flatnonzero(products.reshape(-1) < least)
        step = max(1, _BLOCK // max(1, block.shape[1]))
        for start in range(0, len(close), step):
            rows, planes = np.divmod(close[start : start + step], len(self.planes))
            alone = np.einsum("ij,ij->i", block[rows].astype(np.float64), self.planes[planes])
            out[rows, planes] = alone > 0


def packed(bits: np.ndarray) -> np.ndarray:
    """Pack rows of bits into 64-bit words; the last one ends with zeros where bits do not fill it.

    Args:
        bits (np.ndarray): 0 and 1.

    Shape:
        ``[examples, bits] -> [examples, ceil(bits / 64)]``

    Examples:
        >>> packed(np.ones((1, 70), np.uint8)).shape
        (1, 2)
    """
    size = bits.shape[1]
    whole = np.zeros((len(bits), -(-size // 64) * 8), np.uint8)
    part = np.packbits(bits, axis=1)
    whole[:, : part.shape[1]] = part
    return whole.view(_WORD)


class Hashed(Op):
    """The sides of planes on which rows lie.

    Args:
        planes (np.ndarray): the normal of one plane in each row.
        mean (np.ndarray): the point that all planes go through, of the shape of one example.
        packbits (bool): pack the bits.
    """

    is_rowwise = True

    def __init__(self, planes: Any, mean: Any, packbits: bool = False) -> None:
        super().__init__(planes=np.asarray(planes), mean=np.asarray(mean), packbits=packbits)

    planes: np.ndarray
    mean: np.ndarray
    packbits: bool

    def validate(self) -> None:
        if self.planes.ndim != 2 or not self.planes.size or self.planes.shape[1] != self.mean.size:
            raise DeclarationError(
                f"planes of shape {list(self.planes.shape)} and a mean of {list(self.mean.shape)}; needed: one plane "
                "in each row, with as many features as the mean"
            )

    @cached_property
    def _planes(self) -> _Planes:
        return _Planes(self.planes)

    def __call__(self, data: Any) -> np.ndarray:
        rows = plain_rows(data, self.mean.shape, "SimHash")
        if rows.dtype.kind not in "biuf":
            raise DimensionError(f"SimHash was given {rows.dtype}; needed: real numbers, such as AbsoluteValue gives")
        dtype = np.dtype(np.float32 if rows.dtype == np.float32 else np.float64)
        centred = np.subtract(rows, self.mean.astype(dtype), dtype=dtype).reshape(len(rows), self.mean.size)
        bits = self._planes.sides(centred)
        return packed(bits) if self.packbits else bits


class SimHash(Preprocessor):
    """Hashes rows by the sides of random planes on which they lie; the planes go through the mean of the corpus.

    Args:
        bits (int): how many planes, and so bits, 1 or more.
        packbits (bool): pack the bits into 64-bit words, for an index.
        seed (int): of the planes; rows are comparable where their hash was learned from the same corpus and seed.
        needs (Node): where the features come from.

    Shape: ``[examples, ...] -> [examples, bits]`` as ``uint8``, or ``[examples, ceil(bits / 64)]`` as ``uint64``; the
        first dimension kept

    Raises:
        DeclarationError: ``bits`` is no whole number, or less than 1.
        RaggedCorpus: features are complex.

    Examples:
        >>> chunk = np.random.default_rng(0).normal(size=(100, 20))
        >>> [step] = SimHash(bits=1024, packbits=True).run([chunk])
        >>> codes = step.op(chunk)
        >>> codes.shape, codes.dtype
        ((100, 16), dtype('uint64'))
    """

    def __init__(self, bits: Any = None, packbits: bool = False, seed: int = 0, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.bits = whole_number(bits, "bits")
        self.packbits = bool(packbits)
        self.seed = whole_number(seed, "seed", least=0)

    def _train(self, corpus: Corpus) -> PreprocessResult:
        moments = Moments()
        for block in corpus.blocks():
            moments.update(block)
        mean, std = moments.mean, moments.std
        if mean.dtype.kind == "c":
            raise RaggedCorpus(f"features are {mean.dtype}; SimHash needs real numbers: take AbsoluteValue first")
        planes = hyperplanes(mean.reshape(-1), std.reshape(-1), self.bits, self.seed)
        op = Hashed(planes, mean, self.packbits)
        return PreprocessResult(corpus.map(op), op)
