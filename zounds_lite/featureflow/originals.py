"""Originals: the bytes that a document is made from, kept beside its features.

Goal: a document stays computable when its URL dies, its folder moves or its archive is gone, at the price of the bytes.
Sources in memory and files are written down as they are hashed; what is fetched is taken from the one download that the
document needs anyway. Class: ``Originals``; function ``check_keep_source``.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from zounds_lite.errors import DeclarationError
from zounds_lite.featureflow.bytestream import ByteStream, url_of
from zounds_lite.featureflow.record import Entry
from zounds_lite.featureflow.run import ValueWriter
from zounds_lite.featureflow.sources import KEPT, describe_source, innermost
from zounds_lite.featureflow.stores.base import Database

__all__ = ["Originals", "check_keep_source"]

_PIECE = 1024 * 1024
_FETCHED = ("url", "member")
"""Kinds of sources that a byte stream brings to a temporary file."""


def check_keep_source(value: Any) -> bool | None:
    """Return a choice of what is kept.

    Raises:
        DeclarationError: it is none of the three.
    """
    if value is None or isinstance(value, bool):
        return value
    raise DeclarationError(
        f"keep_source={value!r}; allowed: None (keep what was in memory), True (keep files and what is fetched too), "
        "False (keep nothing)"
    )


class Originals:
    """Keeps the original bytes of one document's sources while it is made.

    Args:
        database (Database): takes them where they are large.
        keep_source (bool | None): None keeps what was in memory, True also files and what is fetched, False nothing.
    """

    def __init__(self, database: Database, keep_source: bool | None) -> None:
        self._database = database
        self._keep_source = keep_source
        self._writers: dict[str, ValueWriter] = {}
        self._waiting: dict[Any, str] = {}
        self.sources: dict[str, dict[str, Any]] = {}

    def describe(self, names: Iterable[str], inputs: Mapping[str, Any]) -> None:
        """Describe the values of roots and Vars, and keep what is here already."""
        for name in names:
            writer = self._writers[name] = ValueWriter(self._database.create_blob)
            keep = (lambda data: None) if self._keep_source is False else writer.write
            source = self.sources[name] = describe_source(
                inputs[name], keep, writer.write if self._keep_source else None
            )
            kind = innermost(source)["kind"]
            if self._keep_source and kind in _FETCHED:
                self._waiting[_place(inputs[name])] = name
            elif not (kind == "bytes" and self._keep_source is not False or kind == "file" and self._keep_source):
                self._writers.pop(name).discard()

    def wants(self, source: Any) -> bool:
        """Tell whether all of a URL, request or archive member is to be brought here once."""
        return _place(source) in self._waiting

    def take(self, source: Any, file: Any) -> None:
        """Keep what was brought here.

        Args:
            source (Any): the URL, request or archive member.
            file (str | BinaryIO): where all of it can be read.
        """
        name = self._waiting.pop(_place(source), None)
        if name is None:
            return
        if isinstance(file, str):
            with open(file, "rb") as opened:
                self._copy(opened, self._writers[name])
        else:
            at = file.tell()
            file.seek(0)
            self._copy(file, self._writers[name])
            file.seek(at)

    def _copy(self, file: Any, writer: ValueWriter) -> None:
        while piece := file.read(_PIECE):
            writer.write(piece)

    def finish(self, inputs: Mapping[str, Any], fetcher: Any = None) -> dict[str, Entry]:
        """Return the entries of what is kept, once the document is made.

        Args:
            inputs (Mapping): values of roots and Vars; what no byte stream brought here is read now.
            fetcher (Fetcher | None): fetches URLs.
        """
        for name in self._waiting.values():
            stream = ByteStream(_PIECE)
            stream._run["fetcher"] = fetcher
            for chunk in stream.run([inputs[name]]):
                self._writers[name].write(chunk)
        self._waiting = {}
        return {
            KEPT + name: writer.finish(Entry("", self.sources[name]["hash"], "application/octet-stream", {}, 0))
            for name, writer in self._writers.items()
        }

    def discard(self) -> None:
        """Forget what was kept."""
        for writer in self._writers.values():
            writer.discard()


def _place(value: Any) -> Any:
    """What tells apart the sources that are brought here."""
    uri = getattr(value, "uri", value)
    return url_of(uri) or uri
