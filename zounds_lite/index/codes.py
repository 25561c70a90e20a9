"""Binary codes: packed to 64-bit words, and compared by the bits in which they differ.

Goal: the nearest of a million codes of 256 bits in some ten milliseconds, exactly. Conventions: a code is a row of
little-endian ``uint64`` words, its bits in the order of ``np.packbits``; a code whose bytes do not fill its last word
ends with zeros. Codes are compared a block at a time, in buffers that stay in the processor's cache and are used again.
Functions: ``pack_codes``, ``to_words``, ``check_code_size``, ``nearest_codes``.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError
from zounds_lite.index.best import Nearest

__all__ = ["WORD", "check_code_size", "nearest_codes", "pack_codes", "to_words"]

WORD = np.dtype("<u8")
"""One word of a code, as stored."""

_BLOCK = 512 * 1024
"""Bytes of codes that are looked at at a time."""

_PAIRS_AT_ONCE = 3
"""So many words differ in at most 192 bits, which a byte can count."""

_LOW = np.uint16(255)

_SHARE = 50_000
"""Codes that are worth a thread of their own."""

_LONGEST = 4096
"""Bytes of a code; more bits than this could overflow the count."""


def check_code_size(code_size: Any) -> int:
    """Return a code size in bytes, if codes can have it.

    Raises:
        DeclarationError: it is no multiple of 8 bytes, or too large.
    """
    if isinstance(code_size, bool) or not isinstance(code_size, (int, np.integer)) or code_size <= 0 or code_size % 8:
        raise DeclarationError(f"code_size={code_size!r}; allowed: a multiple of 8 bytes, such as 8 or 32")
    if code_size > _LONGEST:
        raise DeclarationError(f"code_size={code_size}; allowed: up to {_LONGEST} bytes")
    return int(code_size)


def pack_codes(data: Any, what: str = "codes") -> np.ndarray:
    """Return rows of binary features as bytes.

    Args:
        data (np.ndarray): bits as bool or as ``uint8`` of 0 and 1, a multiple of 8 in each row; or packed bits as
            ``uint64``, any number of words in each row.
        what (str): names the data in errors.

    Shape:
        ``[rows, ...] -> [rows, bytes]``

    Raises:
        DimensionError: another dtype, other values than 0 and 1, or bits that do not fill bytes.

    Examples:
        >>> pack_codes(np.eye(2, 16, dtype=bool))
        array([[128,   0],
               [ 64,   0]], dtype=uint8)
        >>> pack_codes(np.array([1, 256], np.uint64)).shape
        (2, 8)
    """
    array = np.asarray(data)
    if not array.ndim:
        raise DimensionError(f"{what}: a single number is no row of bits; allowed: arrays of bits or of uint64 words")
    rows = array.reshape(len(array), -1) if len(array) else array.reshape(0, int(np.prod(array.shape[1:])))
    if rows.dtype.kind == "u" and rows.dtype.itemsize == 8:
        packed = np.ascontiguousarray(rows, WORD).view(np.uint8)
    elif rows.dtype in (np.dtype(bool), np.dtype(np.uint8)):
        if rows.shape[1] % 8:
            raise DimensionError(f"{what}: {rows.shape[1]} bits in a row; allowed: a multiple of 8")
        if rows.dtype == np.uint8 and rows.size and rows.max() > 1:
            raise DimensionError(
                f"{what}: uint8 rows with the value {rows.max()}; allowed: bits as 0 and 1, or packed bits as uint64"
            )
        packed = np.packbits(rows, axis=1)
    else:
        raise DimensionError(
            f"{what}: codes of {rows.dtype}; allowed: bool, uint8 of 0 and 1, or bits that are packed to uint64"
        )
    if not 0 < packed.shape[1] <= _LONGEST:
        raise DimensionError(f"{what}: codes of {packed.shape[1]} bytes; allowed: 1 to {_LONGEST}")
    return packed


def to_words(packed: np.ndarray) -> np.ndarray:
    """Return rows of bytes as rows of words, the last of them filled up with zeros.

    Examples:
        >>> to_words(np.array([[1, 2]], np.uint8))
        array([[513]], dtype=uint64)
    """
    missing = -packed.shape[1] % 8
    if missing:
        packed = np.pad(packed, ((0, 0), (0, missing)))
    return np.ascontiguousarray(packed).view(WORD)


class _Buffers:
    """What one thread computes the distances of a block in."""

    def __init__(self, words: int) -> None:
        self.block = max(64, _BLOCK // (8 * words))
        self.differing = np.empty((self.block, words), np.uint64)
        self.query = np.empty((self.block, words), np.uint64)
        self.counts = np.empty((self.block, words), np.uint8)
        self.few = np.empty(self.block, np.uint16)
        self.sums = np.empty(self.block, np.uint16)
        self.nearer = np.empty(self.block, bool)

    def distances(self, codes: np.ndarray) -> np.ndarray:
        """Count the bits in which each code of a block differs from the query; the result is used again."""
        n, words = codes.shape
        differing, counts, few, sums = self.differing[:n], self.counts[:n], self.few[:n], self.sums[:n]
        np.bitwise_xor(codes, self.query[:n], out=differing)
        np.bitwise_count(differing, out=counts)
        if words == 1:
            return counts[:, 0]
        if words % 2:
            np.copyto(sums, counts[:, 0])
            for word in range(1, words):
                np.add(sums, counts[:, word], out=sums)
            return sums
        pairs = counts.view(np.uint16)  # two counts are added at a time, each in its half of 16 bits
        for first in range(0, words // 2, _PAIRS_AT_ONCE):
            part = pairs[:, first]
            for pair in range(first + 1, min(first + _PAIRS_AT_ONCE, words // 2)):
                part = np.add(part, pairs[:, pair], out=few)
            if first:
                np.add(sums, part & _LOW, out=sums)
            else:
                np.bitwise_and(part, _LOW, out=sums)
            np.add(sums, np.right_shift(part, 8, out=few), out=sums)
        return sums


_own = threading.local()


def _buffers(words: int) -> _Buffers:
    """Return the buffers of this thread."""
    found: _Buffers | None = getattr(_own, "buffers", None)
    if found is None or found.query.shape[1] != words:
        found = _own.buffers = _Buffers(words)
    return found


def _walk(codes: np.ndarray, queries: np.ndarray, k: int, dead: np.ndarray | None, rows: range) -> list[Nearest]:
    """Search some of the rows."""
    buffers = _buffers(codes.shape[1])
    found = [Nearest(k, np.uint16) for _ in queries]
    for query, nearest in zip(queries, found, strict=True):
        buffers.query[:] = query
        for start in range(rows.start, rows.stop, buffers.block):
            stop = min(start + buffers.block, rows.stop)
            distances = buffers.distances(codes[start:stop])
            if nearest.limit is not None:
                hits = np.flatnonzero(np.less(distances, nearest.limit, out=buffers.nearer[: stop - start]))
            else:
                hits = np.arange(stop - start)
            if dead is not None and len(hits):
                hits = hits[~dead[start:stop][hits]]
            if len(hits):
                nearest.offer(distances[hits].astype(np.uint16), hits + start)
    return found


def nearest_codes(
    codes: np.ndarray, queries: np.ndarray, k: int, dead: np.ndarray | None = None, threads: int = 1
) -> list[Nearest]:
    """Find the nearest codes of each query by Hamming distance, exactly.

    Args:
        codes (np.ndarray): words; read a block at a time, so they may be a memory map.
        queries (np.ndarray): words, one row a query.
        k (int): how many to find, >= 1; fewer come where there are fewer.
        dead (np.ndarray | None): rows that do not count, as bool.
        threads (int): how many to share the rows out among; 0 takes one for each processor.

    Shape:
        codes ``[rows, words]``, queries ``[queries, words]``

    Returns:
        list[Nearest]: for each query the distances in bits, ascending, and the rows; equal distances in their order.

    Raises:
        DimensionError: the queries are not as long as the codes.

    Examples:
        >>> codes = np.array([[0], [7], [1], [3]], np.uint64)
        >>> found, = nearest_codes(codes, np.array([[1]], np.uint64), k=3)
        >>> found.rows, found.distances
        (array([2, 0, 3]), array([0, 1, 1], dtype=uint16))
    """
    if queries.ndim != 2 or queries.shape[1] != codes.shape[1]:
        raise DimensionError(f"queries of shape {queries.shape} for codes of {codes.shape[1]} words; allowed: as long")
    wanted = min(threads or os.cpu_count() or 1, -(-len(codes) // _SHARE))
    share = -(-len(codes) // max(1, wanted))
    if wanted < 2:
        return _walk(codes, queries, k, dead, range(len(codes)))
    parts = [range(start, min(start + share, len(codes))) for start in range(0, len(codes), share)]
    with ThreadPoolExecutor(len(parts)) as pool:
        found = list(pool.map(lambda rows: _walk(codes, queries, k, dead, rows), parts))
    return [Nearest.merged(part) for part in zip(*found, strict=True)]
