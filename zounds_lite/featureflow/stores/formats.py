"""The version of the stored format: newer ones are refused, older ones are read by the reader that they were made for.

To add a format: raise ``FORMAT`` in ``record``, keep the function that read the old one, and name it in ``READERS``
under its number. Functions: ``describe_format``, ``read_format``, ``read_record``.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from zounds_lite.errors import StoreFormatError
from zounds_lite.featureflow.record import FORMAT, Record

__all__ = ["READERS", "describe_format", "read_format"]

READERS: Mapping[int, Callable[[bytes, str], Record]] = {1: Record.from_bytes}
"""What reads a record, by the format of its store."""

_LONGEST = 4096


def describe_format() -> bytes:
    """Return what a new store writes down about itself."""
    return json.dumps({"format": FORMAT}).encode()


def read_format(raw: bytes, where: Any) -> int:
    """Return the format of a store.

    Args:
        raw (bytes): what the store wrote down about itself.
        where (str | Path): names the store in errors.

    Raises:
        StoreFormatError: it is damaged, or this version cannot read it.

    Examples:
        >>> read_format(b'{"format": 1}', "here")
        1
    """
    try:
        body = json.loads(raw) if len(raw) <= _LONGEST else None
    except (ValueError, RecursionError):
        body = None
    version = body.get("format") if isinstance(body, dict) else None
    if type(version) is not int:
        raise StoreFormatError(
            f"{str(where)!r}: what the store says about itself is damaged: {raw[:80]!r}; if it is a store, copy its "
            'documents from a backup, or write {"format": ' + str(FORMAT) + "} there and run zounds-lite verify"
        )
    if version > FORMAT:
        raise StoreFormatError(
            f"{str(where)!r} has store format {version!r}; this version reads up to {FORMAT}: upgrade zounds_lite"
        )
    if version not in READERS:
        known = ", ".join(str(number) for number in sorted(READERS))
        raise StoreFormatError(
            f"{str(where)!r} has store format {version!r}, which this version no longer reads (it reads {known}): "
            "copy the store with the version of zounds_lite that made it, or process its documents again"
        )
    return version
