"""Checksums of stored values: one per block, so that a slice can be checked without reading the whole.

Conventions: a block is 256 KiB, its checksum xxh3-64. A blob is a value followed by its table, little-endian: the
checksum of each block (u64), then size (u64), number of blocks (u32), magic ``ZLB1``; what names the blob keeps the
checksum of the table. Errors are ``CorruptValue`` and name the value and the block, counted from 0.

Classes: ``Checksums``; functions ``verify``, ``verified``, ``blob_table``, ``read_blob_table``.
"""

import struct
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import xxhash

from zounds_lite.errors import CorruptValue

__all__ = ["BLOCK", "Checksums", "blob_table", "read_blob_table", "verified", "verify"]

BLOCK = 256 * 1024
"""Bytes that one checksum covers."""

_TAIL = struct.Struct("<QI4s")
_TAIL_MAGIC = b"ZLB1"
_AGAIN = "process the document again to replace it"


def _blocks(data: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(data), BLOCK):
        yield data[start : start + BLOCK]


class Checksums:
    """Checksums of a value that arrives in pieces: one xxh3-64 per 256 KiB.

    Args:
        at (int): where in the value the first piece begins; bytes before it are those of another one that it joins.

    Examples:
        >>> whole, part = Checksums(), Checksums(at=5)
        >>> whole.update(memoryview(b"Aeoli"))
        >>> part.update(memoryview(b"an harp"))
        >>> whole.join(part)
        >>> whole.finish() == [xxhash.xxh3_64_intdigest(b"Aeolian harp")]
        True
    """

    def __init__(self, at: int = 0) -> None:
        self._done: list[int] = []
        self._open = xxhash.xxh3_64()
        self._room = BLOCK
        self._head, self._before = bytearray(), -at % BLOCK

    def update(self, data: memoryview) -> None:
        """Take in the next bytes."""
        if self._before:  # of a block that another one began
            head, data = data[: self._before], data[self._before :]
            self._head += head
            self._before -= len(head)
        while len(data):
            part, data = data[: self._room], data[self._room :]
            self._open.update(part)
            self._room -= len(part)
            if not self._room:
                self._done.append(self._open.intdigest())
                self._open, self._room = xxhash.xxh3_64(), BLOCK

    def join(self, part: "Checksums") -> None:
        """Take in the bytes of a part that began where these end; nothing can be added to the part afterwards."""
        self.update(memoryview(part._head))
        if not part._before:
            self._done += part._done
            self._open, self._room = part._open, part._room

    def finish(self) -> list[int]:
        """Return the checksums of all blocks, the last one possibly shorter."""
        return self._done + ([self._open.intdigest()] if self._room < BLOCK else [])


def verify(data: memoryview, checks: Iterable[int], what: str) -> None:
    """Check ``data`` block by block.

    Raises:
        CorruptValue: a block differs, or there are more or fewer blocks than checksums.
    """
    found = [xxhash.xxh3_64_intdigest(block) for block in _blocks(data)]
    wanted = list(checks)
    if found != wanted:
        bad = [i for i, pair in enumerate(zip(found, wanted, strict=False)) if pair[0] != pair[1]]
        where = f"block {bad[0]} of {len(wanted)}" if bad else f"{len(found)} blocks instead of {len(wanted)}"
        raise CorruptValue(f"{what} fails its checksum ({where}); {_AGAIN}")


def verified(blob: memoryview, size: int, check: int, what: str) -> Callable[[int, int], memoryview]:
    """Return a reader of a blob that checks what it hands out, and nothing else.

    The table is read once; a block is checked when a read first touches it.

    Args:
        blob (memoryview): all bytes of the blob, its table included.
        size (int): bytes of the value.
        check (int): checksum of the table, from the record.
        what (str): names the value in errors.

    Returns:
        Callable[[int, int], memoryview]: ``read(start, stop)``, bytes of the value as a slice of a sequence has them.
        It raises ``CorruptValue`` where a block that it touches differs, and may be used from several threads.

    Raises:
        CorruptValue: the blob is cut, or its table is not the one that the record names.
    """
    checks = read_blob_table(blob, size, check, what)
    value = blob[:size]
    passed = bytearray(len(checks))

    def read(start: int, stop: int) -> memoryview:
        start, stop, _ = slice(start, stop).indices(size)
        for block in range(start // BLOCK, -(-stop // BLOCK)):
            if not passed[block]:
                at = block * BLOCK
                if xxhash.xxh3_64_intdigest(value[at : at + BLOCK]) != checks[block]:
                    raise CorruptValue(f"{what} fails its checksum (block {block} of {len(checks)}); {_AGAIN}")
                passed[block] = 1
        return value[start:stop]

    return read


def blob_table(checks: list[int], size: int) -> bytes:
    """Return the bytes that end a blob."""
    return np.asarray(checks, "<u8").tobytes() + _TAIL.pack(size, len(checks), _TAIL_MAGIC)


def read_blob_table(blob: memoryview, size: int, check: int, what: str) -> list[int]:
    """Read and check the table at the end of a blob.

    Raises:
        CorruptValue: the blob is cut, or its table is not the one that the record names.
    """
    if len(blob) < _TAIL.size:
        raise CorruptValue(f"{what}: its blob holds only {len(blob)} bytes")
    found, count, magic = _TAIL.unpack(blob[-_TAIL.size :])
    fits = count == -(-size // BLOCK) and len(blob) == size + 8 * count + _TAIL.size
    if magic != _TAIL_MAGIC or found != size or not fits:
        raise CorruptValue(f"{what}: its blob does not end as a blob of {size} bytes must")
    table = bytes(blob[size : size + 8 * count])
    if xxhash.xxh3_64_intdigest(table) != check:
        raise CorruptValue(f"{what}: the checksum table of its blob is damaged")
    return [int(value) for value in np.frombuffer(table, "<u8")]
