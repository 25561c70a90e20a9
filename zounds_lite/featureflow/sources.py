"""Sources: what a document was made from, remembered so that it can be read again and its changes noticed.

Goal: unstored features are computed from the source, never from a lossy copy, and a source that changed makes what came
from it stale. Kinds: ``file`` (path, size, modification time, content hash), ``member`` (of an archive: where it is,
the archive's size and time, the member's size and checksum), ``url``, ``bytes`` (kept in the document
unless ``keep_source=False``), ``value`` (plain data in the record; kept like bytes where it is large), ``wrapped`` (a
declared value around another source, such as metadata with a ``uri``), ``corpus`` (a feature of other documents, see
``corpusof``), ``opaque`` (an iterator or any other object that
cannot be written down exactly: nothing is kept). With ``keep_source=True`` files and what is fetched are kept too; the
copy then stands in for a file that is gone, and is read instead of the network.

Class: ``KeptFile``. Functions: ``describe_source``, ``restore_source``, ``refreshed``, ``is_recoverable``,
``what_changed``, ``innermost``.
"""

import io
import json
import os
import uuid
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import xxhash

from zounds_lite._declared import Declared, decode, digest, encode
from zounds_lite.errors import CorruptValue, FeatureNotComputable
from zounds_lite.featureflow.archives import ArchiveMember, member_of
from zounds_lite.featureflow.corpusof import CorpusOf, is_there, refreshed_corpus, restore_corpus
from zounds_lite.featureflow.membersources import describe_member, is_archive_there, refreshed_member, restore_member

__all__ = [
    "KEPT",
    "KeptFile",
    "describe_source",
    "hash_file",
    "innermost",
    "is_kept",
    "is_recoverable",
    "reads_kept",
    "refreshed",
    "restore_source",
    "what_changed",
]

KEPT = "source:"
"""Prefix of the record entries that keep original bytes."""

_PIECE = 1024 * 1024
_LONGEST_PATH = 4096
_LARGEST_VALUE = 16 * 1024
"""Characters of JSON up to which a plain value stands in the record's header."""

_DEEPEST_VALUE = 50
_PLAIN = "source"

Keep = Callable[[bytes | memoryview], None]
"""Takes the original bytes of a source in memory, piece by piece."""


class KeptFile(io.BufferedReader):
    """The kept original bytes of a source that was elsewhere, as a file that knows where they came from.

    Args:
        file (io.BufferedReader): the bytes; it is used up.
        url (str): the URL or the path that they came from.
    """

    def __init__(self, file: io.BufferedReader, url: str) -> None:
        super().__init__(file.detach())
        self.url = url


def hash_file(path: str | os.PathLike[str]) -> str:
    """Hash a file's content (xxh3, 128 bits, hexadecimal)."""
    with open(path, "rb", buffering=0) as file:
        return _hash_pieces(file, lambda data: None)


def _hash_pieces(file: Any, keep: Keep) -> str:
    hasher = xxhash.xxh3_128()
    while piece := file.read(_PIECE):
        hasher.update(piece)
        keep(piece)
    return hasher.hexdigest()


@lru_cache(maxsize=4096)
def _hash_of(path: str, size: int, mtime_ns: int) -> str:
    """Hash a file once for each size and time that it has in this process."""
    return hash_file(path)


def _file(path: Path, given: str | None = None, keep: Keep | None = None) -> dict[str, Any]:
    now, absolute = path.stat(), str(path.absolute())
    if keep is None:
        content = _hash_of(absolute, now.st_size, now.st_mtime_ns)
    else:  # what is kept is what was hashed, whoever writes to the file meanwhile
        with open(path, "rb", buffering=0) as file:
            content = _hash_pieces(file, keep)
    return {
        "kind": "file",
        "path": absolute,
        "given": absolute if given is None else given,
        "size": now.st_size,
        "mtime_ns": now.st_mtime_ns,
        "hash": content,
    }


def _path_of(value: Any) -> str | None:
    """Return the path of a file that ``value`` names; None where it names none."""
    if isinstance(value, Path):
        return str(value) if value.is_file() else None
    is_text = isinstance(value, str) and 0 < len(value) < _LONGEST_PATH and "\0" not in value
    return str(value) if is_text and os.path.isfile(value) else None


def describe_source(value: Any, keep: Keep = lambda data: None, keep_file: Keep | None = None) -> dict[str, Any]:
    """Describe an argument of ``process``.

    Args:
        value (Any): the argument.
        keep (Callable): takes the original bytes of a source in memory; they are read in pieces.
        keep_file (Callable | None): takes those of a file, where they are to be kept too.

    Returns:
        dict: strict JSON for the record.
    """
    if isinstance(value, CorpusOf):
        return value.describe_as_source()
    uri = getattr(value, "uri", None)
    if uri is not None and isinstance(value, Declared):
        inner = describe_source(uri, keep, keep_file)
        wrapped = value.replace(uri=_PLAIN).to_dict()
        return {"kind": "wrapped", "value": wrapped, "source": inner, "hash": digest([wrapped, inner["hash"]])}
    member = member_of(value)
    if member is not None and (isinstance(value, ArchiveMember) or os.path.isfile(member.path)):
        return describe_member(member)
    path = _path_of(value)
    if path is not None:
        return _file(Path(path), value if isinstance(value, str) else None, keep_file)
    is_url = isinstance(value, str) and value.startswith(("http://", "https://"))
    url = value if is_url else getattr(value, "url", None)
    if isinstance(url, str) and not isinstance(value, io.BytesIO):  # bytes that are here are no matter of the network
        return {"kind": "url", "url": url, "hash": digest(url)}
    return _in_memory(value, keep) or _plain_value(value, keep) or _opaque()


def _opaque() -> dict[str, Any]:
    # no two are taken for the same
    return {"kind": "opaque", "hash": uuid.uuid4().hex}


def _in_memory(value: Any, keep: Keep) -> dict[str, Any] | None:
    """Describe bytes, or an open binary file, whose position is put back."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        keep(value if isinstance(value, bytes) else bytes(value))
        return {"kind": "bytes", "as": "bytes", "hash": xxhash.xxh3_128_hexdigest(value)}
    if not all(hasattr(value, name) for name in ("read", "seek", "tell")) or isinstance(value, io.TextIOBase):
        return None
    at = value.tell()
    value.seek(0)
    found = {"kind": "bytes", "as": "file", "hash": _hash_pieces(value, keep)}
    value.seek(at)
    return found


def _plain_value(value: Any, keep: Keep) -> dict[str, Any] | None:
    if not _is_exact(value):
        return None
    encoded = encode(value)
    text = json.dumps(encoded)
    if len(text) <= _LARGEST_VALUE:
        return {"kind": "value", "value": encoded, "hash": digest(encoded)}
    keep(text.encode("ascii"))
    return {"kind": "bytes", "as": "value", "hash": digest(encoded)}


def _is_exact(value: Any, depth: int = 0) -> bool:
    """Tell whether a value comes back from JSON exactly as it is."""
    if value is None or type(value) in (bool, int, float, str):
        return True
    if depth > _DEEPEST_VALUE:
        return False
    if type(value) is list:
        return all(_is_exact(item, depth + 1) for item in value)
    if type(value) is dict:
        return all(type(key) is str for key in value) and all(_is_exact(item, depth + 1) for item in value.values())
    return False


def innermost(source: dict[str, Any]) -> dict[str, Any]:
    """Return the source that a described one is wrapped around."""
    return innermost(source["source"]) if source["kind"] == "wrapped" else source


def is_kept(source: dict[str, Any]) -> bool:
    """Tell whether a document keeps the original bytes of a source unless it is told otherwise."""
    return bool(innermost(source)["kind"] == "bytes")


def reads_kept(source: dict[str, Any]) -> bool:
    """Tell whether kept bytes are to be read: always, except for a file, or an archive, that is still there."""
    inner = innermost(source)
    if inner["kind"] == "member":
        return not is_archive_there(inner)
    return not (inner["kind"] == "file" and os.path.isfile(inner["path"]))


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
    if kind == "member":
        return kept or is_archive_there(source)
    if kind == "corpus":
        return is_there(source)
    return {"file": kept or os.path.isfile(source.get("path", "")), "bytes": kept}.get(kind, kind in ("url", "value"))


def restore_source(source: dict[str, Any], kept: Any = None) -> Any:
    """Return an argument of ``process`` that stands for the original one.

    Args:
        source (dict): what ``describe_source`` returned.
        kept (BinaryIO | None): the original bytes, where the document holds them and they are to be read.

    Raises:
        FeatureNotComputable: the source is gone.
    """
    kind = source["kind"]
    if kind == "wrapped":
        return _wrapping(source["value"]).replace(uri=restore_source(source["source"], kept))
    if kept is not None and kind in ("file", "url", "member"):
        return KeptFile(kept, str(source.get("url") or source.get("given") or source.get("location")))
    if kind == "member":
        return restore_member(source)
    if kind == "corpus":
        return restore_corpus(source)
    if kind == "file":
        # as it was given, unless that means another file by now
        return source["given"] if os.path.abspath(source["given"]) == source["path"] else source["path"]
    if kind == "url":
        return source["url"]
    if kind == "value":
        return decode(source["value"])
    if kind == "bytes" and kept is not None:
        restore: dict[str, Callable[[Any], Any]] = {
            "bytes": lambda file: file.read(),
            "value": lambda file: decode(_loaded(file.read())),
        }
        return restore.get(source["as"], lambda file: file)(kept)
    raise FeatureNotComputable(
        "the original source was in memory and was not kept; process the document again, or keep it (keep_source=True)"
    )


def _wrapping(described: Any) -> Declared:
    value = decode(described)
    if not isinstance(value, Declared) or not hasattr(value, "uri"):
        raise CorruptValue(f"a stored source is wrapped in {type(value).__name__}; process the document again")
    return value


def _loaded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CorruptValue(f"a stored source is no JSON: {error}; process the document again") from error


def refreshed(source: dict[str, Any]) -> dict[str, Any]:
    """Describe the source as it is now.

    A file is read only where its size or time moved; one that is gone counts as unchanged.
    """
    if source["kind"] == "wrapped":
        inner = refreshed(source["source"])
        if inner is source["source"]:
            return source
        return {**source, "source": inner, "hash": digest([source["value"], inner["hash"]])}
    if source["kind"] == "member":
        return refreshed_member(source)
    if source["kind"] == "corpus":
        return refreshed_corpus(source)
    if source["kind"] == "file":
        try:
            now = os.stat(source["path"])
            if (now.st_size, now.st_mtime_ns) != (source["size"], source["mtime_ns"]):
                return _file(Path(source["path"]), source["given"])
        except OSError:
            return source
    return source


def what_changed(source: dict[str, Any]) -> str:
    """Name the source for people."""
    if source["kind"] == "wrapped":
        return what_changed(source["source"])
    if source["kind"] == "corpus":
        return f"{source['feature']} of {source['model'].rpartition('.')[2].rpartition(':')[2]}"
    return str(source.get("path") or source.get("url") or source.get("location") or "the source in memory")
