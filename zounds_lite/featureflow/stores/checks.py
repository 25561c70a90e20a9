"""What stores check of ids and of records as bytes, and which blobs these name.

Conventions: a record that is damaged stands in nobody's way, so functions that look at one pass it. But it still
protects what it may name: every run of 32 hexadecimal digits in it counts as the name of a blob. Functions:
``blobs_in``, ``check_id``, ``check_own``, ``check_size``, ``named_blobs``, ``own_record``, ``released_blobs``,
``short_id``.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any

from zounds_lite.errors import CorruptValue, InvalidId, ValueTooLarge
from zounds_lite.featureflow.record import Record, read_id

__all__ = [
    "MAX_RECORD",
    "blobs_in",
    "check_id",
    "check_own",
    "check_size",
    "named_blobs",
    "own_record",
    "released_blobs",
    "short_id",
]

MAX_RECORD = 64 * 1024 * 1024
"""No record and no entry of the ledger is longer; what claims to be is damaged."""

_NAME = re.compile(rb"[0-9a-f]{32}")

_log = logging.getLogger(__name__)


def check_id(_id: Any) -> str:
    """Return ``_id`` if a store can hold it.

    Raises:
        InvalidId: it is empty, or no text.

    Examples:
        >>> check_id("http://example.org/a:b/../c")
        'http://example.org/a:b/../c'
    """
    if not isinstance(_id, str) or not _id:
        raise InvalidId(f"an id must be non-empty text, got {_id!r}")
    return str(_id)


def check_size(new: bytes | None, _id: str) -> bytes | None:
    """Return what a change wants to write, if a store takes it.

    Raises:
        ValueTooLarge: it is longer than ``MAX_RECORD``.
    """
    if new is not None and len(new) > MAX_RECORD:
        raise ValueTooLarge(
            f"the record of {short_id(_id)} has {len(new)} bytes, at most {MAX_RECORD} are allowed: large values "
            "belong into blobs"
        )
    return new


def check_own(raw: bytes, _id: str) -> None:
    """Refuse the record of another document, whole as it may be; one that is damaged passes.

    Raises:
        CorruptValue: the store keeps another document under this id.
    """
    found = _owner(raw, _id)
    if found != _id:
        raise CorruptValue(
            f"the store keeps the record of {short_id(found)} under the id {short_id(_id)}: its index is damaged; "
            "process the document again to replace it"
        )


def own_record(raw: bytes | None, _id: str) -> bytes | None:
    """Return a record for a change to look at; one of another document counts as damaged, and nothing of it is shown.

    Its blobs belong to that document, so whoever replaces the record must not release them.
    """
    return b"" if raw is not None and _owner(raw, _id) != _id else raw


def _owner(raw: bytes, _id: str) -> str:
    """Return the id in a record, or ``_id`` where it cannot be read."""
    try:
        return read_id(lambda start, stop: raw[start:stop])
    except CorruptValue:
        return _id


def released_blobs(old: bytes | None, new: bytes | None) -> set[str]:
    """Names of the blobs that ``old`` refers to and ``new`` does not; none, where one of them cannot be read."""
    if old is None:
        return set()
    try:
        before = Record.from_bytes(old, "the old record").blobs
        if not before or new is None:
            return before
        return before - Record.from_bytes(new, "the new record").blobs
    except CorruptValue as error:
        _log.warning("blobs of a damaged record are left in the store, gc will find them: %s", error)
        return set()


def blobs_in(records: Iterable[bytes]) -> set[str]:
    """Return the names of all blobs that records refer to, or may refer to where they are damaged."""
    names: set[str] = set()
    for raw in records:
        try:
            names |= Record.from_bytes(raw).blobs
        except CorruptValue:
            names |= {found.decode() for found in _NAME.findall(raw)}
    return names


def named_blobs(news: Mapping[str, bytes | None]) -> set[str]:
    """Return the names of all blobs that new records refer to."""
    return blobs_in(raw for raw in news.values() if raw is not None)


def short_id(_id: str) -> str:
    """Return an id as messages show it: quoted, and not at full length where that is long."""
    return repr(_id) if len(_id) <= 80 else f"{_id[:60]!r}... ({len(_id)} characters)"
