"""Codecs: how values become bytes and come back.

Goal: each kind of value has an encoder (a node that yields bytes-like chunks and, at the end, a header) and a decoder.
Conventions: headers are strict JSON; numbers are little-endian; array chunks join along axis 0. A decoder either takes
a ``StoredValue`` (our own: it sees the header and may map) or, as users may write it, is a callable of a binary file.

Classes: ``StoredValue``; encoders ``Encoder``, ``IdentityEncoder``, ``TextEncoder``, ``JSONEncoder``, ``BZ2Encoder``;
decoders ``Decoder``, ``BytesDecoder``, ``TextDecoder``, ``JSONDecoder``, ``BZ2Decoder``. Arrays are in ``arrays``,
typed values in ``typed``.
"""

import bz2
import io
import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

import numpy as np

from zounds_lite._span import Span
from zounds_lite.errors import CorruptValue, UntrustedValue, ValueTooLarge
from zounds_lite.featureflow.bytestream import Chunk
from zounds_lite.featureflow.node import Aggregator, Node

__all__ = [
    "BZ2Decoder",
    "BZ2Encoder",
    "BytesDecoder",
    "Decoder",
    "Encoder",
    "IdentityEncoder",
    "JSONDecoder",
    "JSONEncoder",
    "StoredValue",
    "TextDecoder",
    "TextEncoder",
    "stored_span",
]

_CHUNK = 1024 * 1024
_ROOM = 16 * 1024 * 1024
_RATIO = 1000
"""What is compressed holds at most so many bytes, and so many times its own: a small value cannot fill the memory."""


class StoredValue:
    """A value as it stands in a store.

    Args:
        header (dict): what the encoder wrote.
        data (np.ndarray): the bytes, read-only uint8; possibly a memory map.
        what (str): names the value in errors.
        check (Callable[[int, int], object] | None): verifies the bytes from start to stop; None where they are verified
            already. Whoever copies bytes calls ``verified``; a memory map that is handed out is not read, so not
            checked.
    """

    def __init__(
        self,
        header: dict[str, Any],
        data: np.ndarray,
        what: str = "a value",
        check: Callable[[int, int], object] | None = None,
    ) -> None:
        self.header = header
        self.data = data
        self.what = what
        self._check = check

    def verified(self, start: int = 0, stop: int | None = None) -> memoryview:
        """Return the bytes from ``start`` to ``stop``, after checking them.

        Raises:
            CorruptValue: they fail their checksum.
        """
        stop = len(self.data) if stop is None else min(stop, len(self.data))
        if self._check is not None and start < stop:
            self._check(start, stop)
        return self.data[start:stop].data if start < stop else memoryview(b"")

    def open(self) -> io.BufferedReader:
        """Return the bytes as a seekable binary file; what is read is checked."""
        return io.BufferedReader(cast(Any, _ValueFile(self)), _CHUNK)

    def bytes(self) -> bytes:
        """Return a checked copy of the bytes."""
        return bytes(self.verified())


class _ValueFile(io.RawIOBase):
    """A read-only file over a stored value."""

    def __init__(self, value: StoredValue) -> None:
        self._value = value
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._value.data)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        part = self._value.verified(self._at, self._at + len(buffer))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


class Encoder(Node):
    """Base of encoders: ``_process`` yields bytes-like chunks; ``header`` is read when the stream has ended."""

    content_type = "application/octet-stream"

    can_join = False
    """True where a value can be written in stretches that are put end to end; ``join`` makes one header of theirs."""

    rows = 0
    """Rows that were encoded so far, each to the same number of bytes; only counted where ``can_join`` is true."""

    @classmethod
    def join(cls, headers: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return the header of a whole value from those of its stretches, in order."""
        raise NotImplementedError(f"{cls.__name__} does not write values in stretches")

    @property
    def header(self) -> dict[str, Any]:
        """What the decoder needs to know, strict JSON."""
        return {}


class Decoder:
    """Base of decoders: reads a whole value, or its chunks."""

    def decode(self, value: StoredValue) -> Any:
        """Return the value; the default returns its bytes as a file."""
        return value.open()

    def chunks(self, value: StoredValue) -> Iterator[Any]:
        """Yield the value in pieces for the nodes that need it; the default yields it whole."""
        yield self.decode(value)

    def __call__(self, flo: Any) -> Any:
        """Decode from a binary file."""
        return self.decode(StoredValue({}, np.frombuffer(flo.read(), np.uint8)))


class BytesDecoder(Decoder):
    """Bytes as they are: a file to read, or pieces."""

    def chunks(self, value: StoredValue) -> Iterator[Any]:
        total, span = len(value.data), stored_span(value)
        for start in range(0, total, _CHUNK):
            yield Chunk(bytes(value.verified(start, start + _CHUNK)), total, span=span)


def stored_span(value: StoredValue) -> Span | None:
    """Return the stretch of a recording that is meant by its stored bytes; None for all of it.

    Raises:
        CorruptValue: the header is malformed.
    """
    span = value.header.get("span")
    if span is None:
        return None
    try:
        start, stop = span
        if type(start) is not int or type(stop) not in (int, type(None)):
            raise TypeError(f"{span!r} are no two integers")
        return Span(start, stop)
    except (TypeError, ValueError) as error:
        raise CorruptValue(f"{value.what}: malformed span: {str(error)[:200]}") from error


class IdentityEncoder(Encoder):
    """Bytes as they are; of a byte stream also the stretch that its chunks name."""

    _span: Span | None = None

    @property
    def header(self) -> dict[str, Any]:
        return {} if self._span is None else {"span": [self._span.start, self._span.stop]}

    def _process(self, data: Any) -> Iterator[Any]:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise UntrustedValue(
                f"a plain Feature stores bytes, got {type(data).__qualname__}; declare a JSONFeature, TextFeature, "
                "NumpyFeature or ArrayWithUnitsFeature, or pass encoder= and decoder="
            )
        self._span = getattr(data, "span", None)
        yield data


class TextEncoder(Encoder):
    """Text as UTF-8."""

    content_type = "text/plain"

    def _process(self, data: Any) -> Iterator[Any]:
        yield str(data).encode("utf-8", "surrogatepass")


class TextDecoder(Decoder):
    """UTF-8 to text."""

    def decode(self, value: StoredValue) -> str:
        return _text(value.bytes(), value)


def _text(raw: bytes, value: StoredValue) -> str:
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise CorruptValue(f"{value.what} is no text: {error}") from error


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_constant(text[:20])


def _plain(value: Any) -> Any:
    """Let JSON take numpy numbers and arrays."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise UntrustedValue(
        f"{type(value).__qualname__} is no JSON; a JSONFeature holds numbers, text, lists and dicts: convert it, "
        "or pass an encoder="
    )


class JSONEncoder(Aggregator, Encoder):
    """One value as JSON; several chunks become a list, and reach the nodes that need them one by one again."""

    content_type = "application/json"

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self._values: list[Any] = []

    def _enqueue(self, data: Any, pusher: Any) -> None:
        self._values.append(data)
        self._cache = self._values

    def _process(self, data: list[Any]) -> Iterator[Any]:
        value = data[0] if len(data) == 1 else data
        try:
            yield json.dumps(value, default=_plain, allow_nan=False).encode("utf-8")
        except ValueError as error:
            raise UntrustedValue(f"no JSON: {error}; JSON has no NaN and no infinity: use None instead") from error
        except RecursionError as error:
            raise ValueTooLarge("a value that is nested too deeply for JSON; allowed: a few hundred levels") from error

    @property
    def header(self) -> dict[str, Any]:
        return {"chunks": len(self._values)} if len(self._values) > 1 else {}


class JSONDecoder(Decoder):
    """JSON to a value."""

    def decode(self, value: StoredValue) -> Any:
        try:
            return json.loads(value.bytes(), parse_constant=_no_constant, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise CorruptValue(f"{value.what} is no JSON: {error}") from error

    def chunks(self, value: StoredValue) -> Iterator[Any]:
        decoded, chunks = self.decode(value), value.header.get("chunks")
        if chunks and not (type(decoded) is list and len(decoded) == chunks):
            raise CorruptValue(f"{value.what} is not the {str(chunks)[:20]} chunks that its header promises")
        yield from decoded if chunks else [decoded]


class BZ2Encoder(Encoder):
    """Bytes or text, compressed with bzip2."""

    content_type = "application/octet-stream"

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self._compressor = bz2.BZ2Compressor()
        self._size = 0
        self._written = 0
        self._is_text = False

    def _process(self, data: Any) -> Iterator[Any]:
        self._is_text = isinstance(data, str)
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)
        self._size += len(raw)
        yield self._counted(self._compressor.compress(raw))

    def _counted(self, data: bytes) -> bytes:
        self._written += len(data)
        return data

    def _last_chunk(self) -> Iterator[Any]:
        yield self._counted(self._compressor.flush())
        if self._size > _most(self._written):
            raise ValueTooLarge(
                f"{self._size} bytes that compress to {self._written}: allowed are {_ROOM} bytes, or {_RATIO} times "
                "what is stored, so that a small value cannot fill the memory of a reader; store it uncompressed"
            )

    @property
    def header(self) -> dict[str, Any]:
        return {"size": self._size, "text": self._is_text}


def _most(stored: int) -> int:
    """Bytes that ``stored`` compressed bytes may hold."""
    return max(_ROOM, _RATIO * stored)


class BZ2Decoder(Decoder):
    """Decompresses, all at once or in pieces, and never to more or less than was stored."""

    def decode(self, value: StoredValue) -> Any:
        data = b"".join(self._pieces(value))
        return _text(data, value) if value.header.get("text") else data

    def chunks(self, value: StoredValue) -> Iterator[Any]:
        if value.header.get("text"):
            yield self.decode(value)  # a piece may end inside a character
        else:
            yield from self._pieces(value)

    def _pieces(self, value: StoredValue) -> Iterator[bytes]:
        left = value.header.get("size", 0)
        if type(left) is not int or not 0 <= left <= _most(len(value.data)):
            raise CorruptValue(f"{value.what}: {len(value.data)} bytes are not {str(left)[:40]} bytes, compressed")
        decompressor, file = bz2.BZ2Decompressor(), value.open()
        while not decompressor.eof:
            data = file.read(_CHUNK) if decompressor.needs_input else b""
            if decompressor.needs_input and not data:
                raise CorruptValue(f"{value.what} is cut short: its bzip2 data have no end")
            try:
                chunk = decompressor.decompress(data, min(_CHUNK, left + 1))
            except OSError as error:
                raise CorruptValue(f"{value.what} is no bzip2 data: {error}") from error
            left -= len(chunk)
            if left < 0:
                raise CorruptValue(f"{value.what} decompresses to more bytes than were stored")
            if chunk:
                yield chunk
        if left:
            raise CorruptValue(f"{value.what} lacks {left} of the bytes that were stored")
        if decompressor.unused_data or file.read(1):
            raise CorruptValue(f"{value.what} goes on after the end of its bzip2 data")
