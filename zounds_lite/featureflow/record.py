"""Records: one document as bytes.

Goal: everything that is known of a document in one value that a store writes at once: a strict JSON header, then the
small values themselves; large values stand in blobs and the header names them. Nothing in it is ever executed.

Layout, little-endian: magic ``ZLR1``, id length (u32), xxh3-64 of the id (u64), header length (u32), xxh3-64 of the
header (u64), id (UTF-8), header, inline values. The id stands apart, so that a document whose header is damaged can
still be named, replaced and deleted. The header holds the sources, the descriptions by lineage, what nodes noted about
their input (``marks``, left out where there are none), and per value: lineage,
source digest, content type, codec header, size, and either offset and block checksums, or blob name and the checksum of
the blob's own table. Id and header are at most 8 MiB each, and the header is nested at most 200 deep and has a bounded
number of parts; writing and reading keep the same limits.

Classes: ``Entry``, ``Record``; function ``read_id``. What ``checksums`` offers can be imported from here as well.
"""

import json
import math
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xxhash

from zounds_lite.errors import CorruptValue, ValueTooLarge
from zounds_lite.featureflow.checksums import BLOCK, Checksums, blob_table, read_blob_table, verified, verify

__all__ = [
    "BLOCK",
    "FORMAT",
    "INLINE_LIMIT",
    "Checksums",
    "Entry",
    "Marks",
    "Record",
    "blob_table",
    "read_blob_table",
    "read_id",
    "verified",
    "verify",
]

FORMAT = 1
"""Version of the stored format; a newer one is refused."""

INLINE_LIMIT = 1024 * 1024
"""Values, and records, from this size on are moved to blobs."""

_HEAD = struct.Struct("<4sIQIQ")
_MAGIC = b"ZLR1"
_MAX_HEADER = 8 * 1024 * 1024
_MAX_DEPTH = 200
_MAX_PARTS = 800_000
_BRACE = 4
"""Lists, their items and, for so many parts each, dicts: what a header may become in memory, about 50 MB."""

_SCAN = 64 * 1024
_NO_MARKS = bytes(set(range(256)) - set(b'"[]{}'))
_STEPS = np.zeros(256, np.int8)
_STEPS[[ord("["), ord("{")]] = 1
_STEPS[[ord("]"), ord("}")]] = -1
_HEXADECIMAL = set("0123456789abcdef")
_SOURCES: dict[str, dict[str, type]] = {
    "file": {"path": str, "given": str, "size": int, "mtime_ns": int},
    "url": {"url": str},
    "bytes": {"as": str},
    "wrapped": {"value": dict, "source": dict},
}
"""What the description of a source holds, by its kind; see ``sources``."""

_AGAIN = "process the document again to replace it"


Marks = dict[str, list[dict[str, str]]]
"""What nodes noted about their input: by feature, each with ``kind`` and ``message``."""


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
    """A document: its id, sources, descriptions by lineage, values by feature, and marks by feature."""

    id: str
    sources: dict[str, Any] = field(default_factory=dict)
    descriptions: dict[str, Any] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    marks: Marks = field(default_factory=dict)

    @property
    def blobs(self) -> set[str]:
        """Names of the blobs that the record refers to."""
        return {entry.blob for entry in self.entries.values() if entry.blob is not None}

    def to_bytes(self) -> bytes:
        """Write the record.

        Raises:
            ValueTooLarge: the id or the header is longer than 8 MiB, or the header is nested more than 200 deep, has
                too many parts, or holds what JSON does not.
        """
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
        body = {"format": FORMAT, "sources": self.sources, "descriptions": self.descriptions, "values": values}
        if self.marks:
            body["marks"] = self.marks
        _id = self.id.encode("utf-8", "surrogatepass")
        header = _dump(body, f"the record of {self.id[:60]!r}")
        if max(len(_id), len(header)) > _MAX_HEADER:
            raise ValueTooLarge(
                f"the record of {self.id[:60]!r} has an id of {len(_id)} and a header of {len(header)} bytes, at most "
                f"{_MAX_HEADER} each are allowed: pass large sources as a path, as bytes or as a file, not as a value"
            )
        checks = xxhash.xxh3_64_intdigest(_id), xxhash.xxh3_64_intdigest(header)
        head = _HEAD.pack(_MAGIC, len(_id), checks[0], len(header), checks[1])
        return b"".join([head, _id, header, *inline])

    @classmethod
    def from_bytes(cls, raw: bytes | memoryview, what: str = "a record") -> "Record":
        """Read a record; every part of it is checked.

        Raises:
            CorruptValue: the bytes fail their checksum or do not follow the format.
        """
        view = memoryview(raw)
        _id, header, payload = _split(view, what)
        if _has_too_many_parts(header):
            raise CorruptValue(f"the header of {what} holds too many parts; {_AGAIN}")
        if _is_too_deep(header):
            raise CorruptValue(f"the header of {what} is nested too deeply; {_AGAIN}")
        try:
            body = json.loads(header.decode("ascii"), parse_constant=_finite, parse_float=_finite)
            return _record(_id, body, payload)
        except ValueError as error:
            text = str(error)[:500]
            raise CorruptValue(f"the header of {what} does not follow the format: {text}; {_AGAIN}") from error


def read_id(read: Callable[[int, int], bytes | memoryview], what: str = "a record") -> str:
    """Read only the id of a record, which also works where the rest of the record is damaged.

    Args:
        read (Callable[[int, int], bytes | memoryview]): ``read(start, stop)`` returns these bytes of the record, fewer
            where it ends before; it is asked for the first bytes, then for those that follow.
        what (str): names the record in errors.

    Raises:
        CorruptValue: the id itself, or its checksum, is damaged.

    Examples:
        >>> raw = Record("a").to_bytes()
        >>> read_id(lambda start, stop: raw[start:stop])
        'a'
    """
    _, length, check, _, _ = _head(read(0, _HEAD.size), what)
    return _decode_id(read(_HEAD.size, _HEAD.size + length), check, what)


def _head(start: bytes | memoryview, what: str) -> tuple[bytes, int, int, int, int]:
    if len(start) < _HEAD.size:
        raise CorruptValue(f"{what} is cut short ({len(start)} bytes); {_AGAIN}")
    magic, length, *rest = _HEAD.unpack_from(start)
    if magic != _MAGIC or length > _MAX_HEADER:
        raise CorruptValue(f"{what} does not start as a record must; {_AGAIN}")
    return magic, length, rest[0], rest[1], rest[2]


def _decode_id(raw: bytes | memoryview, check: int, what: str) -> str:
    if not len(raw) or xxhash.xxh3_64_intdigest(raw) != check:
        raise CorruptValue(f"the id in {what} fails its checksum; {_AGAIN}")
    try:
        return bytes(raw).decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise CorruptValue(f"the id in {what} is no text: {error}; {_AGAIN}") from error


def _split(view: memoryview, what: str) -> tuple[str, bytes, memoryview]:
    """Return id, header and inline values, the first two checked."""
    _, id_length, id_check, length, check = _head(view, what)
    at = _HEAD.size + id_length
    if length > min(_MAX_HEADER, len(view) - at):
        raise CorruptValue(f"{what} does not start as a record must; {_AGAIN}")
    header = bytes(view[at : at + length])
    if xxhash.xxh3_64_intdigest(header) != check:
        raise CorruptValue(f"the header of {what} fails its checksum; {_AGAIN}")
    return _decode_id(view[_HEAD.size : at], id_check, what), header, view[at + length :]


def _dump(body: dict[str, Any], what: str) -> bytes:
    try:
        header = json.dumps(body, separators=(",", ":"), allow_nan=False).encode("ascii")
        too_deep = _is_too_deep(header)
    except RecursionError:
        header, too_deep = b"", True
    except (TypeError, ValueError) as error:  # no JSON, or a loop
        raise ValueTooLarge(
            f"{what} cannot be written: {error}; sources and the headers of codecs must be plain, finite JSON"
        ) from error
    if too_deep:
        raise ValueTooLarge(
            f"{what} is nested more than {_MAX_DEPTH} deep: flatten its sources and the headers of its codecs"
        )
    if _has_too_many_parts(header):
        raise ValueTooLarge(
            f"{what} has a header of more than {_MAX_PARTS} parts, such as items of lists: store long lists as arrays"
        )
    return header


def _has_too_many_parts(header: bytes) -> bool:
    if len(header) <= _MAX_PARTS // _BRACE:
        return False
    return _BRACE * header.count(b"{") + header.count(b"[") + header.count(b",") > _MAX_PARTS


def _is_too_deep(header: bytes) -> bool:
    # most records have so few brackets that there is nothing to look at
    return header.count(b"[") + header.count(b"{") > _MAX_DEPTH and _depth(header) > _MAX_DEPTH


def _depth(header: bytes) -> int:
    """Nesting of JSON text, found without parsing it; exact up to the place where a parser would give up."""
    plain = header.replace(b"\\\\", b"").replace(b'\\"', b"")  # now every quote begins or ends a string
    # two quotes side by side change nothing for what stands behind them
    codes = np.frombuffer(plain.translate(None, _NO_MARKS).replace(b'""', b""), np.uint8)
    deepest = depth = 0
    in_text = np.False_
    for at in range(0, len(codes), _SCAN):
        block = codes[at : at + _SCAN]
        text = np.logical_xor.accumulate(block == ord('"')) ^ in_text
        levels = np.cumsum(_STEPS[block] * ~text, dtype=np.int32)
        deepest = max(deepest, depth + int(levels.max()))
        depth, in_text = depth + int(levels[-1]), text[-1]
    return deepest


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"the number {text[:20]} is not finite")
    return value


def _part(of: dict[str, Any], key: str, kind: type, where: str) -> Any:
    """Return ``of[key]``, which must be there and be of exactly that type: for JSON, a bool is no int."""
    value = of.get(key)
    if type(value) is not kind:
        found = type(value).__name__ if key in of else "nothing"
        raise ValueError(f"{key!r} in {where} must be {kind.__name__}, found {found}")
    return value


def _record(_id: str, body: Any, payload: memoryview) -> Record:
    if type(body) is not dict:
        raise ValueError("it must be a dict")
    if _part(body, "format", int, "the header") != FORMAT:
        raise ValueError(f"it has format {body['format']}, this version reads {FORMAT}")
    record = Record(_id, _part(body, "sources", dict, "the header"), _part(body, "descriptions", dict, "the header"))
    for name in record.sources:
        _check_source(_part(record.sources, name, dict, "the sources"), f"source {name!r}")
    for name in record.descriptions:
        _check_description(_part(record.descriptions, name, dict, "the descriptions"), f"description {name!r}")
    values, at = _part(body, "values", dict, "the header"), 0
    for name in values:
        entry = _entry(_part(values, name, dict, "the values"), payload, at, f"value {name!r}")
        at += entry.size if entry.blob is None else 0
        record.entries[name] = entry
    if at != len(payload):
        raise ValueError(f"its values take {at} of {len(payload)} bytes")
    if "marks" in body:
        record.marks = _part(body, "marks", dict, "the header")
        for name in record.marks:
            _check_marks(_part(record.marks, name, list, "the marks"), f"marks of {name!r}")
    return record


def _check_marks(marks: list[Any], where: str) -> None:
    for mark in marks:
        if type(mark) is not dict or mark.keys() != {"kind", "message"}:
            raise ValueError(f"the {where} must each have a kind and a message")
        for key in mark:
            _part(mark, key, str, where)


def _check_source(source: dict[str, Any], where: str) -> None:
    kind = _part(source, "kind", str, where)
    _part(source, "hash", str, where)
    for key, type_ in _SOURCES.get(kind, {}).items():
        _part(source, key, type_, where)
    if kind == "file":
        for key in ("path", "given"):
            if "\0" in source[key] or not _is_path(source[key]):
                raise ValueError(f"{key!r} in {where} is no path: {source[key][:100]!r}")
    if kind == "value" and "value" not in source:
        raise ValueError(f"{where} lacks its value")
    if kind == "wrapped":
        _check_source(source["source"], f"the wrapped {where}")


def _is_path(text: str) -> bool:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _check_description(description: dict[str, Any], where: str) -> None:
    needs = _part(description, "needs", dict, where)
    for name in needs:
        _part(_part(needs, name, dict, where), "lineage", str, where)


def _entry(value: dict[str, Any], payload: memoryview, at: int, where: str) -> Entry:
    entry = Entry(
        _part(value, "lineage", str, where), _part(value, "source", str, where),
        _part(value, "content_type", str, where), _part(value, "header", dict, where),
        _part(value, "size", int, where), checks=_part(value, "checks", list, where),
    )  # fmt: skip
    if not 0 <= entry.size < 1 << 63:
        raise ValueError(f"the size of {where} is out of range")
    if not all(type(check) is int and 0 <= check < 1 << 64 for check in entry.checks):
        raise ValueError(f"'checks' in {where} must be unsigned 64 bit numbers")
    if value.get("blob") is not None:
        entry.blob = _part(value, "blob", str, where)
        if len(entry.blob) != 32 or not set(entry.blob) <= _HEXADECIMAL or len(entry.checks) != 1:
            raise ValueError(f"{where} must have the name of a blob, 32 hexadecimal digits, and one checksum")
        return entry
    found = _part(value, "at", int, where)
    if not 0 <= found <= len(payload) - entry.size:
        raise ValueError(f"{where} lies outside the record")
    if found != at:
        raise ValueError(f"{where} begins at {found}, not behind the value before it, at {at}")
    entry.data = payload[at : at + entry.size]
    return entry
