"""Sources: what a document was made from, remembered so that it can be read again and its changes noticed.

Goal: unstored features are computed from the source, never from a lossy copy, and a source that changed makes what came
from it stale. Kinds: ``file`` (path, size, modification time, content hash), ``url``, ``bytes`` (kept in the document
unless ``keep_source=False``), ``value`` (plain data), ``wrapped`` (a declared value around another source, such as
metadata with a ``uri``), ``opaque`` (an iterator or other one-time object: nothing is kept).

Functions: ``describe_source``, ``restore_source``, ``refreshed``, ``is_recoverable``, ``what_changed``.
"""

import io
import os
from pathlib import Path
from typing import Any

import xxhash

from zounds_lite._declared import decode, digest, encode
from zounds_lite.errors import DeclarationError, FeatureNotComputable

__all__ = ["KEPT", "describe_source", "hash_file", "is_recoverable", "refreshed", "restore_source", "what_changed"]

KEPT = "source:"
"""Prefix of the record entries that keep original bytes."""

_PIECE = 1024 * 1024
_LONGEST_PATH = 4096
_PLAIN = "source"


def hash_file(path: str | os.PathLike[str]) -> str:
    """Hash a file's content (xxh3, 128 bits, hexadecimal)."""
    hasher = xxhash.xxh3_128()
    buffer = memoryview(bytearray(_PIECE))
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            hasher.update(buffer[:count])
    return hasher.hexdigest()


def _file(path: Path) -> dict[str, Any]:
    before = path.stat()
    return {
        "kind": "file",
        "path": str(path.absolute()),
        "size": before.st_size,
        "mtime_ns": before.st_mtime_ns,
        "hash": hash_file(path),
    }


def _is_file(value: Any) -> bool:
    if isinstance(value, Path):
        return value.is_file()
    return isinstance(value, str) and 0 < len(value) < _LONGEST_PATH and "\0" not in value and os.path.isfile(value)


def _is_url(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _bytes_of(value: Any) -> bytes | None:
    """Return the bytes of an in-memory source, its position kept; None where ``value`` is none."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, io.BytesIO):
        return value.getvalue()
    if hasattr(value, "read") and hasattr(value, "seek") and hasattr(value, "tell"):
        at = value.tell()
        value.seek(0)
        data = value.read()
        value.seek(at)
        return data if isinstance(data, bytes) else None
    return None


def describe_source(value: Any) -> tuple[dict[str, Any], bytes | None]:
    """Describe an argument of ``process``.

    Returns:
        tuple: strict JSON for the record, and the original bytes where the source is in memory.
    """
    uri = getattr(value, "uri", None)
    if uri is not None and hasattr(value, "replace") and hasattr(value, "to_dict"):
        inner, data = describe_source(uri)
        wrapped = value.replace(uri=_PLAIN).to_dict()
        return {"kind": "wrapped", "value": wrapped, "source": inner, "hash": digest([wrapped, inner["hash"]])}, data
    if _is_file(value):
        return _file(Path(value)), None
    url = value if _is_url(value) else getattr(value, "url", None)
    if isinstance(url, str):
        return {"kind": "url", "url": url, "hash": digest(url)}, None
    data = _bytes_of(value)
    if data is not None:
        return {"kind": "bytes", "size": len(data), "hash": xxhash.xxh3_128_hexdigest(data)}, data
    try:
        encoded = encode(value)
    except DeclarationError:
        return {"kind": "opaque", "hash": "opaque"}, None
    return {"kind": "value", "value": encoded, "hash": digest(encoded)}, None


def is_recoverable(source: dict[str, Any] | None, kept: bool) -> bool:
    """Tell whether the source can be read again.

    Args:
        source (dict | None): what ``describe_source`` returned.
        kept (bool): whether the document holds the original bytes.
    """
    if source is None:
        return False
    kind = source["kind"]
    if kind == "wrapped":
        return is_recoverable(source["source"], kept)
    return {"file": os.path.isfile(source.get("path", "")), "bytes": kept}.get(kind, kind in ("url", "value"))


def restore_source(source: dict[str, Any], kept: Any = None) -> Any:
    """Return an argument of ``process`` that stands for the original one.

    Args:
        source (dict): what ``describe_source`` returned.
        kept (BinaryIO | None): the original bytes, where the document holds them.

    Raises:
        FeatureNotComputable: the source is gone.
    """
    kind = source["kind"]
    if kind == "wrapped":
        return decode(source["value"]).replace(uri=restore_source(source["source"], kept))
    if kind == "file":
        return source["path"]
    if kind == "url":
        return source["url"]
    if kind == "bytes" and kept is not None:
        return kept
    if kind == "value":
        return decode(source["value"])
    raise FeatureNotComputable(
        "the original source was in memory and was not kept; process the document again, or keep it (keep_source=True)"
    )


def refreshed(source: dict[str, Any]) -> dict[str, Any]:
    """Describe the source as it is now; a file is read only where its size or time moved, and one that is gone counts
    as
    unchanged."""
    if source["kind"] == "wrapped":
        inner = refreshed(source["source"])
        if inner is source["source"]:
            return source
        return {**source, "source": inner, "hash": digest([source["value"], inner["hash"]])}
    if source["kind"] == "file":
        try:
            now = os.stat(source["path"])
            if (now.st_size, now.st_mtime_ns) != (source["size"], source["mtime_ns"]):
                return _file(Path(source["path"]))
        except OSError:
            return source
    return source


def what_changed(source: dict[str, Any]) -> str:
    """Name the source for people."""
    if source["kind"] == "wrapped":
        return what_changed(source["source"])
    return str(source.get("path") or source.get("url") or "the source in memory")
