"""ByteStream: any source as chunks of bytes.

Goal: one root for paths, file objects, bytes, URLs, requests and zip members. Conventions: every chunk knows the total
length and its ``source``, a path or a seekable file; where all nodes downstream open the source themselves
(``reads_source``), its bytes are not read here at all. Classes: ``Chunk``, ``FirstChunk``, ``ByteStream``,
``ZipWrapper``; function ``iter_zip``.
"""

import io
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, Self

from zounds_lite._span import Span
from zounds_lite.errors import DeclarationError, EmptyAudio, FeatureNotComputable
from zounds_lite.featureflow.archives import ArchiveMember, member_of
from zounds_lite.featureflow.fetch import default_fetcher
from zounds_lite.featureflow.masking import masked
from zounds_lite.featureflow.node import Node

__all__ = ["ByteStream", "Chunk", "FirstChunk", "ZipWrapper", "iter_zip", "url_of"]


class Chunk(bytes):
    """Some bytes of a stream.

    Args:
        data (bytes): the bytes; empty where the reader is to open ``source`` itself.
        total_length (int): bytes of the whole stream.
        source (str | BinaryIO | None): where all of it can be read: a path, or a seekable file.
        url (str | None): where it was fetched from; ``source`` is a temporary file then.
        span (Span | None): the stretch of the recording that is meant, for the nodes that decode it; None: all of it.
    """

    total_length: int
    source: Any
    url: str | None
    span: Span | None

    def __new__(
        cls, data: bytes, total_length: int, source: Any = None, url: str | None = None, span: Span | None = None
    ) -> Self:
        self = super().__new__(cls, data)
        self.total_length = total_length
        self.source = source
        self.url = url
        self.span = span
        return self


class ZipWrapper:
    """A member of a zip file, as a readable and seekable binary file.

    Args:
        archive (zipfile.ZipFile): open as long as the member is read.
        filename (str): the member's name.
    """

    def __init__(self, archive: zipfile.ZipFile, filename: str) -> None:
        self.zipfile = archive
        self.filename = filename
        self.file_size = archive.getinfo(filename).file_size
        self._member: Any = None

    def _open(self) -> Any:
        if self._member is None:
            self._member = self.zipfile.open(self.filename)
        return self._member

    def read(self, size: int = -1) -> bytes:
        """Read up to ``size`` bytes."""
        return self._open().read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position."""
        return self._open().seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._open().tell()

    def close(self) -> None:
        """Close the member; it opens again when read."""
        if self._member is not None:
            self._member.close()
            self._member = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ZipWrapper({self.filename!r}, {self.file_size} bytes)"


def iter_zip(path_or_file: Any) -> Iterator[ZipWrapper]:
    """Yield the non-empty members of a zip file; nothing is unpacked to disk.

    Args:
        path_or_file (str | Path | BinaryIO): the archive; members stay readable as long as it is.
    """
    archive = zipfile.ZipFile(path_or_file)
    for info in archive.infolist():
        if not info.is_dir() and info.file_size:
            yield ZipWrapper(archive, info.filename)


def _uri_of_stored(meta: Mapping[str, Any]) -> Any:
    """Return the uri of stored metadata, if it can still be read."""
    uri = meta.get("uri")
    is_url = isinstance(uri, str) and uri.startswith(("http://", "https://"))
    member = member_of(uri)
    if not is_url and not (isinstance(uri, str) and os.path.isfile(uri if member is None else member.path)):
        where = "was in memory and was not kept" if uri is None else f"{uri!r} is gone"
        raise FeatureNotComputable(
            f"the source {where}; process the document again, or store a feature closer to it, such as resampled"
        )
    return uri


def _span_of(data: Any) -> Span | None:
    """Return the stretch of a recording that metadata, also as it was stored, names; None for all of it."""
    if not isinstance(data, Mapping):
        span = getattr(data, "span", None)
        return span if isinstance(span, Span) else None
    segment = data.get("segment")
    if not isinstance(segment, Mapping) or type(segment.get("start_ps")) is not int:
        return None  # a field of that name that is not ours
    start, duration = segment["start_ps"], segment.get("duration_ps")
    return Span(max(0, start), None if duration is None else max(0, start + duration))


def url_of(data: Any) -> str | None:
    """Return the URL that a source is to be fetched from; None for all others."""
    url = data if isinstance(data, str) and data.startswith(("http://", "https://")) else getattr(data, "url", None)
    return url if isinstance(url, str) and not hasattr(data, "read") else None


def _url_behind(file: Any) -> str | None:
    """Return the URL whose body a file holds, where it says so: what came from a network stays suspect."""
    url = getattr(file, "url", None)
    return url if isinstance(url, str) and url.startswith(("http://", "https://")) else None


class FirstChunk(Node):
    """Keeps the first chunk of a stream of bytes, which names the source that all of it can be read from.

    A source on another machine is not fetched for it.

    Args:
        needs (Node): the stream.
        takes_parts (bool): take a source on another machine, if its server gives parts of it.
    """

    reads_source = True

    def __init__(self, needs: Any, takes_parts: bool = False) -> None:
        super().__init__(needs=needs)
        self.takes_parts = takes_parts
        self.chunk: Any = None

    def _process(self, data: Any) -> Iterator[Any]:
        self.chunk = data if self.chunk is None else self.chunk
        yield from ()


class ByteStream(Node):
    """Yields any source as chunks of bytes.

    Takes a path, bytes, a binary file (read from its start), a URL, a ``requests.Request``, a member of an archive (an
    ``ArchiveMember``, its text form, or what ``iter_zip`` yields), anything that has one of these as ``uri``, or a
    mapping with the key ``uri``. URLs are fetched completely before the first chunk; but for a segment of a recording
    (``AudioMetaData.segment``) only what is read of it, where its server gives parts and all nodes that need it decode
    it in this process. The bytes are always those of the whole recording: chunks carry the segment as their ``span``,
    for the nodes that decode them.

    Args:
        chunksize (int | ChunkSizeBytes): bytes in a chunk, >= 1; the last one may be shorter.
        needs: as for ``Node``.

    Raises:
        DeclarationError: ``chunksize`` is not positive.
        FileNotFoundError: there is no such file.
        FetchError: a URL could not be fetched.
        ArchiveError: a member of an archive is refused or damaged.
        EmptyAudio: the source holds no bytes.

    Examples:
        >>> [bytes(chunk) for chunk in ByteStream(chunksize=4).run([b"some bytes"])]
        [b'some', b' byt', b'es']
    """

    neutral_parameters = ("chunksize",)

    def __init__(self, chunksize: Any = 4096, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.chunksize = chunksize
        if int(chunksize) < 1:
            raise DeclarationError(f"chunksize={chunksize!r}: a chunk needs at least one byte")
        self._spooled: list[Any] = []
        self._url: str | None = None
        self.span: Span | None = None

    def __exit__(self, *error: object) -> None:
        for file in self._spooled:
            file.close()
        self._spooled = []

    def _process(self, data: Any) -> Iterator[Any]:
        subscribers = self._run.get("subscribers")
        self.span = _span_of(data)
        url = data.get("uri") if isinstance(data, Mapping) else getattr(data, "uri", data)
        if subscribers and all(isinstance(node, FirstChunk) for node in subscribers):
            if url_of(url) is not None:
                takes_parts = all(node.takes_parts for node in subscribers) and not self._is_wanted_whole(url)
                yield from self._in_parts(url, takes_parts)
                return
        elif self._reads_segment_apart(data, url, subscribers):
            chunks = list(self._in_parts(url, takes_parts=True))
            yield from chunks
            if chunks:
                return
        source = self._source(data)
        length = os.path.getsize(source) if isinstance(source, str) else source.seek(0, io.SEEK_END)
        if not length:
            raise EmptyAudio(f"{self._url or source!r} holds no bytes")
        if subscribers and all(node.reads_source for node in subscribers):
            yield Chunk(b"", length, source, self._url, self.span)
            return
        if isinstance(source, str):
            with open(source, "rb") as file:
                yield from self._chunks(file, length, source)
        else:
            yield from self._chunks(source, length, source)

    def _in_parts(self, request: Any, takes_parts: bool) -> Iterator[Chunk]:
        """Yield a remote source that is read where it is looked at; nothing where that cannot be."""
        file = self._fetcher.open_ranges(request) if takes_parts else None
        if file is not None:
            yield Chunk(b"", file.seek(0, io.SEEK_END), file, masked(url_of(request)), self.span)

    def _reads_segment_apart(self, data: Any, url: Any, subscribers: Any) -> bool:
        """Tell whether a segment of a remote recording is read in parts: a checksum can only be of all of it."""
        checksum = data.get("checksum") if isinstance(data, Mapping) else getattr(data, "checksum", None)
        if self.span is None or url_of(url) is None or checksum or self._is_wanted_whole(url):
            return False
        return bool(subscribers) and all(node.reads_source and node.takes_parts for node in subscribers)

    def _chunks(self, file: Any, length: int, source: Any) -> Iterator[Chunk]:
        size, at = int(self.chunksize), 0
        while at < length:
            file.seek(at)  # a node downstream may have moved the shared position
            chunk = file.read(size)
            if not chunk:
                break
            at += len(chunk)
            yield Chunk(chunk, length, source, self._url, self.span)

    def _source(self, data: Any) -> Any:
        """Return a path, or a seekable binary file."""
        checksum = getattr(data, "checksum", None)
        if isinstance(data, Mapping):
            checksum, data = data.get("checksum"), _uri_of_stored(data)
        data = getattr(data, "uri", data)
        if isinstance(data, (bytes, bytearray, memoryview)):
            return io.BytesIO(bytes(data))
        if url_of(data) is not None:
            return self._fetch(data, checksum)
        member = member_of(data)
        if member is not None:
            return self._opened_member(member, data)
        if isinstance(data, (str, os.PathLike)):
            if not os.path.isfile(data):
                raise FileNotFoundError(f"{os.fspath(data)!r} is no file; pass a path, bytes, a binary file or a URL")
            return os.fspath(data)
        if hasattr(data, "read") and hasattr(data, "seek"):
            self._url = _url_behind(data)
            return data
        raise DeclarationError(f"{data!r} is no byte source; pass a path, bytes, a binary file or a URL")

    def _opened_member(self, member: ArchiveMember, data: Any) -> Any:
        file, originals = member.open(), self._run.get("originals")
        if originals is not None:
            originals.take(data, file)
        return file

    def _fetch(self, request: Any, checksum: str | None) -> str:
        self._url = masked(request if isinstance(request, str) else request.url)
        file: Any = tempfile.TemporaryFile(prefix="zounds_lite-")  # noqa: SIM115 - closed in __exit__
        path = f"/proc/self/fd/{file.fileno()}"
        if not os.path.exists(path):  # only Linux can open a file again that has no name, and so is never left behind
            file.close()
            file = tempfile.NamedTemporaryFile(prefix="zounds_lite-")  # noqa: SIM115 - closed in __exit__
            path = file.name
        self._spooled.append(file)
        self._fetcher.download(request, file, checksum)
        file.flush()
        originals = self._run.get("originals")
        if originals is not None:
            originals.take(request, path)
        return path

    @property
    def _fetcher(self) -> Any:
        """The fetcher of the run, or the default one."""
        return self._run.get("fetcher") or default_fetcher()

    def _is_wanted_whole(self, request: Any) -> bool:
        """Tell whether the original bytes are kept, which are not to be fetched twice for that."""
        originals = self._run.get("originals")
        return originals is not None and bool(originals.wants(request))
