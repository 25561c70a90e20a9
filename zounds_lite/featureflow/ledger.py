"""The ledger: which documents could not be made, why, and how often that was tried.

Goal: what failed is not tried again for ever, and is tried again as soon as there is reason to: its source changed, the
code that makes the document changed, or the failure was one that passes. Entries live in the store beside the records,
and a document that is stored leaves the ledger in the same transaction.

Layout of an entry: magic ``ZLF1``, xxh3-64 of the rest (u64, little-endian), strict JSON in ASCII. Class:
``FailedDocument``; functions ``read_failures``, ``describe_failed_source``, ``is_same_source``, ``lineage_digest``,
``is_passing``, ``error_reason``, ``error_traceback``.
"""

import errno
import json
import logging
import os
import struct
import traceback
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import xxhash

from zounds_lite._declared import Declared, digest
from zounds_lite.errors import CorruptValue, ZoundsError
from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.lineage import Lineage
from zounds_lite.featureflow.sources import describe_source, refreshed
from zounds_lite.featureflow.stores.base import Database

__all__ = [
    "FailedDocument",
    "describe_failed_source",
    "error_reason",
    "error_traceback",
    "is_passing",
    "is_same_source",
    "lineage_digest",
    "read_failures",
]

_HEAD = struct.Struct("<4sQ")
_MAGIC = b"ZLF1"
_LONGEST = {"reason": 2000, "traceback": 8000}
"""Characters that are kept of a text: its beginning and its end."""
_LARGEST_SOURCE = 32 * 1024
_UNKNOWN = {"kind": "unknown", "hash": ""}
_PASSING_KINDS = {"ConnectionError", "InterruptedError", "Timeout", "TimeoutError"}
"""By name, since HTTP clients have their own."""
_PASSING_ERRORS = {
    errno.EAGAIN, errno.EDQUOT, errno.EHOSTUNREACH, errno.EMFILE, errno.ENETDOWN, errno.ENETUNREACH, errno.ENFILE,
    errno.ENOMEM, errno.ENOSPC, errno.ESTALE, errno.ETIMEDOUT,
}  # fmt: skip
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FailedDocument:
    """A document that could not be made.

    Attributes:
        id (str): the document.
        reason (str): the last error's type and message.
        traceback (str): where it was raised, shortened where it is long.
        attempts (int): how often it was tried.
        deaths (int): how many worker processes died of it, since an attempt last ended in another way.
        quarantined (bool): it killed workers too often, and is not tried again by itself.
        passing (bool): the failure may pass without any change, such as a server that did not answer.
        source (dict): what the document was to be made from, as in a record.
        lineage (str): digest of what was to make it.

    Examples:
        >>> entry = FailedDocument("a.wav", "EmptyAudio: 'a.wav' holds no bytes")
        >>> FailedDocument.from_bytes(entry.to_bytes()) == entry
        True
    """

    id: str
    reason: str
    traceback: str = ""
    attempts: int = 1
    deaths: int = 0
    quarantined: bool = False
    passing: bool = False
    source: dict[str, Any] = field(default_factory=lambda: dict(_UNKNOWN))
    lineage: str = ""

    @property
    def is_open(self) -> bool:
        """True where a worker died and the retry that is due has not been made."""
        return self.deaths > 0 and not self.quarantined

    def to_bytes(self) -> bytes:
        """Write the entry; texts that are too long are cut in the middle."""
        texts = {name: _shortened(getattr(self, name), limit) for name, limit in _LONGEST.items()}
        body = json.dumps({**asdict(self), **texts}, separators=(",", ":"), allow_nan=False).encode("ascii")
        return _HEAD.pack(_MAGIC, xxhash.xxh3_64_intdigest(body)) + body

    @classmethod
    def from_bytes(cls, raw: bytes | memoryview) -> "FailedDocument":
        """Read an entry; every part of it is checked.

        Raises:
            CorruptValue: the bytes fail their checksum or do not follow the format.
        """
        view = memoryview(raw)
        body = bytes(view[_HEAD.size :])
        if len(view) < _HEAD.size or _HEAD.unpack_from(view) != (_MAGIC, xxhash.xxh3_64_intdigest(body)):
            raise CorruptValue("an entry of the ledger of failed documents fails its checksum; ingest again")
        try:
            values = json.loads(body.decode("ascii"))
        except (ValueError, RecursionError) as error:
            raise CorruptValue(f"an entry of the ledger of failed documents is no JSON: {error}") from error
        _check(values)
        return cls(**values)


_KINDS: dict[str, type] = {
    "id": str, "reason": str, "traceback": str, "attempts": int, "deaths": int, "quarantined": bool, "passing": bool,
    "source": dict, "lineage": str,
}  # fmt: skip
assert list(_KINDS) == [part.name for part in fields(FailedDocument)]


def _check(values: Any) -> None:
    if not isinstance(values, dict) or values.keys() != _KINDS.keys():
        raise CorruptValue(f"an entry of the ledger of failed documents must name {', '.join(_KINDS)}")
    wrong = [name for name, kind in _KINDS.items() if type(values[name]) is not kind]
    if wrong or not values["id"] or min(values["attempts"], values["deaths"]) < 0:
        raise CorruptValue(f"an entry of the ledger of failed documents has a wrong {wrong[0] if wrong else 'value'}")
    if not isinstance(values["source"].get("kind"), str) or not isinstance(values["source"].get("hash"), str):
        raise CorruptValue("an entry of the ledger of failed documents has a source without kind and hash")


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = limit // 4
    return f"{text[:head]}\n... ({len(text) - limit} characters left out) ...\n{text[head - limit :]}"


def read_failures(database: Database) -> Iterator[FailedDocument]:
    """Yield the documents that failed; a damaged entry is passed over, with a warning in the log.

    Args:
        database (Database): the store.
    """
    for raw in database.iter_failures():
        try:
            yield FailedDocument.from_bytes(raw)
        except CorruptValue as error:
            _log.warning("passed over: %s", error)


def lineage_digest(lineage: Lineage, features: Iterable[Feature]) -> str:
    """Digest of what makes a document: the lineages of the features that it stores.

    Raises:
        LineageError: code or a parameter of one of them cannot be fingerprinted.
    """
    return digest({feature.key or "": lineage.hash(feature) for feature in features if feature.store})


def describe_failed_source(value: Any) -> dict[str, Any]:
    """Describe what a document was to be made from, whatever state it is in."""
    try:
        source = describe_source(value)
    except Exception as error:  # noqa: BLE001 - it may be what failed, and may be of any kind
        return {"kind": "unreadable", "hash": digest(type(error).__name__)}
    if source["kind"] == "opaque" or source.get("source", {}).get("kind") == "opaque":
        return dict(_UNKNOWN)  # no two of them are equal, and one must not be tried again for ever
    if len(json.dumps(source)) > _LARGEST_SOURCE:
        return {"kind": source["kind"], "hash": source["hash"]}
    return source


def is_same_source(source: Mapping[str, Any], value: Any) -> bool:
    """Tell whether a document would be made from what it was made from when it failed.

    Args:
        source (Mapping): what ``describe_failed_source`` returned then.
        value (Any): what it would be made from now; a file is read only where its size or time moved.
    """
    inner = source.get("source")
    if isinstance(inner, dict) and isinstance(value, Declared) and _is_file_at(inner, getattr(value, "uri", None)):
        now = describe_failed_source(value.replace(uri="source"))  # all but the file
        return bool(now.get("value") == source.get("value") and is_same_source(inner, value.uri))  # type: ignore[attr-defined]
    if _is_file_at(source, value):
        return bool(refreshed(dict(source))["hash"] == source["hash"])
    return bool(describe_failed_source(value)["hash"] == source["hash"])


def _is_file_at(source: Mapping[str, Any], value: Any) -> bool:
    """Tell whether ``value`` is the path of a file that was described in full."""
    is_path = source.get("kind") == "file" and isinstance(value, (str, os.PathLike))
    return is_path and os.path.abspath(value) == source.get("path") and {"size", "mtime_ns", "given"} <= source.keys()


def is_passing(error: BaseException) -> bool:
    """Tell whether an error may pass without any change: the network, or a machine that is short of something."""
    if hasattr(error, "passing"):
        return bool(error.passing)
    if any(kind.__name__ in _PASSING_KINDS for kind in type(error).__mro__):
        return True
    return isinstance(error, OSError) and error.errno in _PASSING_ERRORS


def error_reason(error: BaseException) -> str:
    """One line on an error: its type, its message and, unless the message is made to be enough, the place."""
    frames = traceback.extract_tb(error.__traceback__)
    place = ""
    if frames and not isinstance(error, (ZoundsError, OSError)):
        place = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}, in {frames[-1].name})"
    return _shortened(f"{type(error).__name__}: {error}{place}", _LONGEST["reason"])


def error_traceback(error: BaseException) -> str:
    """The traceback of an error as text, shortened where it is long."""
    return _shortened("".join(traceback.format_exception(error)), _LONGEST["traceback"])
