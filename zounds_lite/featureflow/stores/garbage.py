"""Garbage: which blobs records name, so that the others can go.

A record that is damaged still protects what it may name: every run of 32 hexadecimal digits in it counts as a name.
Functions: ``blobs_in``, ``named_blobs``.
"""

import re
from collections.abc import Iterable, Mapping

from zounds_lite.errors import CorruptValue
from zounds_lite.featureflow.record import Record

__all__ = ["blobs_in", "named_blobs"]

_NAME = re.compile(rb"[0-9a-f]{32}")


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
