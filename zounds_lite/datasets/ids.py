"""The ids of documents: what tells one item of a dataset from another, today and in every later run.

Functions: ``uri_id`` (where it is, the default of ``ingest``), ``content_id`` (what it holds), ``id_function``.
"""

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow.archives import member_of
from zounds_lite.featureflow.sources import describe_source, innermost
from zounds_lite.soundfile import AudioMetaData
from zounds_lite.soundfile.metadata import portable_uri

__all__ = ["content_id", "id_function", "uri_id"]

_HASHED = ("file", "bytes")
"""Kinds of sources whose hash is one of their content."""


def uri_id(item: Any) -> str:
    """Return the URL or path of an item, and the segment of the recording that is meant, if not all of it.

    Raises:
        DeclarationError: it has none.

    Examples:
        >>> uri_id("music/a.wav"), uri_id(AudioMetaData(uri="https://example.org/b.ogg", label=7))
        ('music/a.wav', 'https://example.org/b.ogg')
    """
    request = getattr(item, "request", None)
    uri = request.url if request is not None else getattr(item, "uri", item)
    uri = getattr(uri, "filename", None) or portable_uri(uri) or uri
    if isinstance(uri, os.PathLike):
        uri = os.fspath(uri)
    if not isinstance(uri, str):
        raise DeclarationError(f"{item!r} has no path or URL to serve as its id; pass id_of=")
    return uri + _fragment(item)


def content_id(item: Any) -> str:
    """Return the hash of what an item holds, so that copies of one recording are one document.

    A file, or a member of an archive, is read for it; what is elsewhere needs a checksum that its source gives.

    Raises:
        DeclarationError: it is elsewhere and comes without a checksum.

    Examples:
        >>> content_id(b"some bytes"), content_id(AudioMetaData(uri="https://example.org/b.ogg", checksum="md5:00ff"))
        ('xxh3:99736577b441a1bbd3ec197fe371e984', 'md5:00ff')
    """
    uri = getattr(item, "uri", item)
    member = member_of(uri)
    with nullcontext(uri) if member is None else member.open() as held:
        source = innermost(describe_source(held))
    if source["kind"] in _HASHED:
        return f"xxh3:{source['hash']}{_fragment(item)}"
    checksum = getattr(item, "extras", {}).get("checksum")
    if not isinstance(checksum, str):
        raise DeclarationError(f"{item!r} is not here, and has no checksum to serve as its id; pass id_of='uri'")
    return checksum + _fragment(item)


def _fragment(item: Any) -> str:
    fragment = item.fragment if isinstance(item, AudioMetaData) else None
    return "" if fragment is None else f"#{fragment}"


_NAMED: dict[str, Callable[[Any], str]] = {"uri": uri_id, "content": content_id}


def id_function(id_of: Any) -> Callable[[Any], str]:
    """Return the function that makes ids.

    Args:
        id_of (Callable | str): the function, or "uri" or "content".

    Raises:
        DeclarationError: it is neither.
    """
    if isinstance(id_of, str) and id_of in _NAMED:
        return _NAMED[id_of]
    if not callable(id_of):
        raise DeclarationError(
            f"id_of={id_of!r} is no function; pass one that takes an item and returns its id, or 'uri' or 'content'"
        )
    function: Callable[[Any], str] = id_of
    return function
