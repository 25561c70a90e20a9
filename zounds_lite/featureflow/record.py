"""Records: one document as bytes.

Goal: everything that is known of a document in one value that a store writes at once: a strict JSON header, then the
small values themselves; large values stand in blobs and the header names them. Nothing in it is ever executed.

Layout, little-endian: magic ``ZLR1``, header length (u32), xxh3-64 of the header (u64), header, inline values. The
header holds the id, the sources, the descriptions by lineage, and per value: lineage, source digest, content type,
codec header, size, and either offset and block checksums, or blob name and the checksum of the blob's own table.

A blob ends with its table: one xxh3-64 per block of 256 KiB, then size (u64), block count (u32), magic ``ZLB1``.
Classes: ``Entry``, ``Record``, ``Checksums``.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xxhash

from zounds_lite.errors import CorruptValue

__all__ = ["BLOCK", "FORMAT", "INLINE_LIMIT", "Checksums", "Entry", "Record", "blob_table", "read_blob_table", "verify"]

FORMAT = 1
"""Version of the stored format; a newer one is refused."""

BLOCK = 256 * 1024
"""Bytes that one checksum covers."""

INLINE_LIMIT = 1024 * 1024
"""Values, and records, from this size on are moved to blobs."""

_HEAD = struct.Struct("<4sIQ")
_MAGIC = b"ZLR1"
_TAIL = struct.Struct("<QI4s")
_TAIL_MAGIC = b"ZLB1"
_MAX_HEADER = 64 * 1024 * 1024
_MAX_DEPTH = 200


def _blocks(data: memoryview) -> Iterator[memoryview]:
    for start in range(0, len(data), BLOCK):
        yield data[start : start + BLOCK]


class Checksums:
    """Checksums of a value that arrives in pieces: one xxh3-64 per 256 KiB."""

    def __init__(self) -> None:
        self._done: list[int] = []
        self._open = xxhash.xxh3_64()
        self._room = BLOCK

    def update(self, data: memoryview) -> None:
        """Take in the next bytes."""
        while len(data):
            part, data = data[: self._room], data[self._room :]
            self._open.update(part)
            self._room -= len(part)
            if not self._room:
                self._done.append(self._open.intdigest())
                self._open, self._room = xxhash.xxh3_64(), BLOCK

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
        raise CorruptValue(f"{what} fails its checksum ({where}); process the document again to replace it")


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
    if magic != _TAIL_MAGIC or found != size or len(blob) != size + 8 * count + _TAIL.size:
        raise CorruptValue(f"{what}: its blob does not end as a blob of {size} bytes must")
    table = bytes(blob[size : size + 8 * count])
    if xxhash.xxh3_64_intdigest(table) != check:
        raise CorruptValue(f"{what}: the checksum table of its blob is damaged")
    return [int(value) for value in np.frombuffer(table, "<u8")]


@dataclass(slots=True)
class Entry:
    """One stored value of a document, or where it stands.

    Args:
        lineage (str): what made it.
        source (str): digest of the sources it was made from.
        content_type (str): media type.
        header (dict): what the codec needs to read it back, strict JSON.
        size (int): bytes of the value.
        data (bytes | memoryview | None): the value itself, where it is small.
        blob (str | None): the blob's name, where it is large.
        checks (list[int]): checksums of the blocks; for a blob the checksum of its table alone.
    """

    lineage: str
    source: str
    content_type: str
    header: dict[str, Any]
    size: int
    data: bytes | memoryview | None = None
    blob: str | None = None
    checks: list[int] = field(default_factory=list)


@dataclass(slots=True)
class Record:
    """A document: its id, sources, descriptions by lineage, and values by feature."""

    id: str
    sources: dict[str, Any] = field(default_factory=dict)
    descriptions: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)

    @property
    def blobs(self) -> set[str]:
        """Names of the blobs that the record refers to."""
        return {entry.blob for entry in self.entries.values() if entry.blob is not None}

    def to_bytes(self) -> bytes:
        """Write the record."""
        values, inline, offset = {}, [], 0
        for key, entry in self.entries.items():
            values[key] = {
                "lineage": entry.lineage,
                "source": entry.source,
                "content_type": entry.content_type,
                "header": entry.header,
                "size": entry.size,
                "checks": entry.checks,
                **({"blob": entry.blob} if entry.blob is not None else {"at": offset}),
            }
            if entry.blob is None:
                inline.append(entry.data or b"")
                offset += entry.size
        body = {
            "format": FORMAT,
            "id": self.id,
            "sources": self.sources,
            "descriptions": self.descriptions,
            "values": values,
        }
        header = json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii")
        return b"".join([_HEAD.pack(_MAGIC, len(header), xxhash.xxh3_64_intdigest(header)), header, *inline])

    @classmethod
    def from_bytes(cls, raw: bytes | memoryview, what: str = "a record") -> "Record":
        """Read a record.

        Raises:
            CorruptValue: the bytes fail their checksum or do not follow the format.
        """
        view = memoryview(raw)
        header, payload = _split(view, what)
        if _depth(header) > _MAX_DEPTH:
            raise CorruptValue(f"the header of {what} is nested too deeply")
        try:
            body = json.loads(header)
            record = cls(body["id"], body["sources"], body["descriptions"])
            for key, value in body["values"].items():
                record.entries[key] = _entry(value, payload)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise CorruptValue(f"the header of {what} does not follow the format: {error!r}") from error
        return record


def _split(view: memoryview, what: str) -> tuple[bytes, memoryview]:
    if len(view) < _HEAD.size:
        raise CorruptValue(f"{what} is cut short ({len(view)} bytes)")
    magic, length, check = _HEAD.unpack(view[: _HEAD.size])
    if magic != _MAGIC or length > min(_MAX_HEADER, len(view) - _HEAD.size):
        raise CorruptValue(f"{what} does not start as a record must")
    header = bytes(view[_HEAD.size : _HEAD.size + length])
    if xxhash.xxh3_64_intdigest(header) != check:
        raise CorruptValue(f"the header of {what} fails its checksum; process the document again to replace it")
    return header, view[_HEAD.size + length :]


def _depth(header: bytes) -> int:
    """Upper bound of the nesting of JSON text, without parsing it."""
    codes = np.frombuffer(header, np.uint8)
    steps = np.isin(codes, (0x5B, 0x7B)).astype(np.int64) - np.isin(codes, (0x5D, 0x7D))
    return int(np.cumsum(steps).max(initial=0))


def _entry(value: dict[str, Any], payload: memoryview) -> Entry:
    size = value["size"]
    if not isinstance(size, int) or size < 0 or not isinstance(value["header"], dict):
        raise ValueError("size or header of a value")
    entry = Entry(
        str(value["lineage"]), str(value["source"]), str(value["content_type"]), value["header"], size,
        blob=value.get("blob"), checks=[int(check) for check in value["checks"]],
    )  # fmt: skip
    if entry.blob is None:
        at = value["at"]
        if not isinstance(at, int) or at < 0 or at + size > len(payload):
            raise ValueError("a value that lies outside the record")
        entry.data = payload[at : at + size]
    return entry
