"""Codecs: how values become bytes and come back.

Goal: each kind of value has an encoder (a node that yields bytes-like chunks and, at the end, a header) and a decoder.
Conventions: headers are strict JSON; numbers are little-endian; array chunks join along axis 0. A decoder either takes
a ``StoredValue`` (our own: it sees the header and may map) or, as users may write it, is a callable of a binary file.

Classes: ``StoredValue``; encoders ``Encoder``, ``IdentityEncoder``, ``TextEncoder``, ``JSONEncoder``, ``BZ2Encoder``,
``NumpyEncoder``, ``PackedNumpyEncoder``; decoders ``Decoder``, ``TextDecoder``, ``JSONDecoder``, ``BZ2Decoder``,
``GreedyNumpyDecoder``, ``StreamingNumpyDecoder``. ``TypedEncoder`` and ``TypedDecoder`` are in ``typed``.
"""

import bz2
import io
import json
from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from zounds_lite.errors import CorruptValue, DimensionError, UntrustedValue
from zounds_lite.featureflow.node import Aggregator, Node

__all__ = [
    "BZ2Decoder",
    "BZ2Encoder",
    "BaseNumpyDecoder",
    "Decoder",
    "Encoder",
    "GreedyNumpyDecoder",
    "IdentityEncoder",
    "JSONDecoder",
    "JSONEncoder",
    "NumpyEncoder",
    "NumpyMetaData",
    "PackedNumpyEncoder",
    "StoredValue",
    "StreamingNumpyDecoder",
    "TextDecoder",
    "TextEncoder",
]

_KINDS = "biufcSUmM"
_MAX_ITEM = 2**31
_CHUNK = 1024 * 1024


class StoredValue:
    """A value as it stands in a store.

    Args:
        header (dict): what the encoder wrote.
        data (np.ndarray): the bytes, read-only uint8; possibly a memory map.
        what (str): names the value in errors.
    """

    def __init__(self, header: dict[str, Any], data: np.ndarray, what: str = "a value") -> None:
        self.header = header
        self.data = data
        self.what = what

    def open(self) -> io.BufferedReader:
        """Return the bytes as a seekable binary file, without copying them."""
        return io.BufferedReader(cast(Any, _ArrayFile(self.data)), _CHUNK)

    def bytes(self) -> bytes:
        """Return a copy of the bytes."""
        return self.data.tobytes()


class _ArrayFile(io.RawIOBase):
    """A read-only file over an array of bytes."""

    def __init__(self, data: np.ndarray) -> None:
        self._data = data.data.cast("B") if len(data) else memoryview(b"")
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        part = self._data[self._at : self._at + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


class Encoder(Node):
    """Base of encoders: ``_process`` yields bytes-like chunks; ``header`` is read when the stream has ended."""

    content_type = "application/octet-stream"

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
        """Yield the value in pieces, as the node that made it would have; the default yields it whole."""
        yield self.decode(value)

    def __call__(self, flo: Any) -> Any:
        """Decode from a binary file."""
        return self.decode(StoredValue({}, np.frombuffer(flo.read(), np.uint8)))


class IdentityEncoder(Encoder):
    """Bytes as they are."""

    def _process(self, data: Any) -> Iterator[Any]:
        if not isinstance(data, (bytes, bytearray, memoryview)):
            raise UntrustedValue(
                f"a plain Feature stores bytes, got {type(data).__qualname__}; declare a JSONFeature, TextFeature, "
                "NumpyFeature or ArrayWithUnitsFeature, or pass encoder= and decoder="
            )
        yield data


class TextEncoder(Encoder):
    """Text as UTF-8."""

    content_type = "text/plain"

    def _process(self, data: Any) -> Iterator[Any]:
        yield str(data).encode("utf-8", "surrogatepass")


class TextDecoder(Decoder):
    """UTF-8 to text."""

    def decode(self, value: StoredValue) -> str:
        return value.bytes().decode("utf-8", "surrogatepass")


def _plain(value: Any) -> Any:
    """Let JSON take numpy numbers and arrays."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    raise UntrustedValue(
        f"{type(value).__qualname__} is no JSON; a JSONFeature holds numbers, text, lists and dicts: convert it, "
        "or pass an encoder="
    )


class JSONEncoder(Aggregator, Encoder):
    """One value as JSON; several chunks become a list."""

    content_type = "application/json"

    def _process(self, data: Any) -> Iterator[Any]:
        yield json.dumps(data, default=_plain).encode("utf-8")


class JSONDecoder(Decoder):
    """JSON to a value."""

    def decode(self, value: StoredValue) -> Any:
        try:
            return json.loads(value.bytes())
        except ValueError as error:
            raise CorruptValue(f"{value.what} is no JSON: {error}") from error


class BZ2Encoder(Encoder):
    """Bytes or text, compressed with bzip2."""

    content_type = "application/octet-stream"

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self._compressor = bz2.BZ2Compressor()

    def _process(self, data: Any) -> Iterator[Any]:
        data = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        yield self._compressor.compress(data)

    def _last_chunk(self) -> Iterator[Any]:
        yield self._compressor.flush()


class BZ2Decoder(Decoder):
    """Decompresses: all at once, or chunk by chunk."""

    def decode(self, value: StoredValue) -> Any:
        return b"".join(self.chunks(value))

    def chunks(self, value: StoredValue) -> Iterator[bytes]:
        with bz2.open(value.open(), "rb") as file:
            while chunk := file.read(_CHUNK):
                yield chunk


class NumpyMetaData:
    """dtype and shape of an array as a header, and back, with every claim checked.

    Args:
        dtype: anything ``np.dtype`` takes; numbers, text, durations, and records of these.
        shape (Sequence[int]): the shape of the whole array.

    Raises:
        DimensionError: the dtype or shape is not allowed.

    Examples:
        >>> NumpyMetaData("float32", (10, 3)).header
        {'dtype': '<f4', 'shape': [10, 3]}
    """

    def __init__(self, dtype: Any, shape: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.shape = tuple(shape)
        if not _allowed(self.dtype) or any(not isinstance(n, (int, np.integer)) or n < 0 for n in self.shape):
            raise DimensionError(
                f"dtype {self.dtype} and shape {self.shape}: allowed are numbers, text, durations, and records of "
                "these, "
                "with non-negative sizes; convert with astype()"
            )

    @property
    def header(self) -> dict[str, Any]:
        """The header, little-endian."""
        little = self.dtype.newbyteorder("<")
        described = little.str if little.names is None else [list(part) for part in little.descr]
        return {"dtype": described, "shape": [int(n) for n in self.shape]}

    @classmethod
    def from_header(cls, header: dict[str, Any]) -> "NumpyMetaData":
        """Read a header."""
        try:
            described = header["dtype"]
            dtype = described if isinstance(described, str) else [_record_part(part) for part in described]
            return cls(dtype, header["shape"])
        except (KeyError, TypeError, ValueError) as error:
            raise CorruptValue(f"malformed array header: {error}") from error

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return int(np.prod(self.shape, dtype=object)) * self.dtype.itemsize

    def array(self, value: StoredValue) -> np.ndarray:
        """View the bytes of ``value`` as the array; nothing is copied."""
        if self.size != len(value.data):
            raise CorruptValue(
                f"{value.what}: {self.dtype}{list(self.shape)} needs {self.size} bytes, not {len(value.data)}"
            )
        array = value.data.view(np.ndarray) if self.size else np.empty(0, np.uint8)
        if array.ctypes.data % max(1, self.dtype.alignment):
            array = array.copy()
        array = array.view(self.dtype).reshape(self.shape)
        array.flags.writeable = False
        return array


def _record_part(part: list[Any]) -> tuple[Any, ...]:
    return (part[0], part[1], tuple(part[2])) if len(part) == 3 else (part[0], part[1])


def _allowed(dtype: np.dtype) -> bool:
    if dtype.names is not None:
        return all(_allowed(dtype[name]) for name in dtype.names)
    base = dtype.base
    return base.kind in _KINDS and 0 < dtype.itemsize < _MAX_ITEM


class NumpyEncoder(Encoder):
    """Arrays as raw little-endian rows; chunks join along axis 0.

    Raises:
        DimensionError: a chunk has another dtype or row shape than the first one.
    """

    content_type = "application/octet-stream"

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self._first: np.ndarray | None = None
        self._rows = 0

    def _array(self, data: Any) -> np.ndarray:
        """Return the chunk as the array that is stored."""
        return np.asarray(data)

    def _process(self, data: Any) -> Iterator[Any]:
        array = self._array(data)
        if self._first is None:
            self._first = array[:0] if array.ndim else array
            NumpyMetaData(array.dtype, array.shape)
        first = self._first
        fits = array.dtype == first.dtype and array.shape[1:] == first.shape[1:]
        if not (fits and first.ndim) and (self._rows or first.ndim):
            raise DimensionError(
                f"a chunk of {array.dtype}{list(array.shape)} cannot follow rows of "
                f"{first.dtype}{list(first.shape[1:])}; all chunks need the same dtype and row shape"
            )
        self._rows += len(array) if array.ndim else 1
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        yield np.ascontiguousarray(little).reshape(-1).view(np.uint8).data if little.size else b""

    @property
    def header(self) -> dict[str, Any]:
        return self._header()

    def _header(self) -> dict[str, Any]:
        """Describe the rows that were yielded."""
        if self._first is None:
            return {"empty": True}
        shape = (self._rows, *self._first.shape[1:]) if self._first.ndim else ()
        return NumpyMetaData(self._first.dtype, shape).header


class PackedNumpyEncoder(NumpyEncoder):
    """Boolean arrays with the bits of the last axis packed, eight to a byte."""

    def _array(self, data: Any) -> np.ndarray:
        return np.packbits(np.asarray(data).astype(bool), axis=-1)


class BaseNumpyDecoder(Decoder):
    """Base of array decoders."""

    def _wrap(self, array: np.ndarray, value: StoredValue) -> Any:
        """Give the array its units; the default has none."""
        return array

    def decode(self, value: StoredValue) -> Any:
        if value.header.get("empty"):
            return self._wrap(np.empty((0,), np.float32), value)
        return self._wrap(NumpyMetaData.from_header(value.header).array(value), value)


class GreedyNumpyDecoder(BaseNumpyDecoder):
    """The whole array; a large one is mapped, not read."""

    def chunks(self, value: StoredValue) -> Iterator[Any]:
        array = self.decode(value)
        rows = max(1, _CHUNK // max(1, array[:1].nbytes)) if array.ndim else 1
        for start in range(0, len(array), rows) if array.ndim else ():
            yield array[start : start + rows]


class StreamingNumpyDecoder(GreedyNumpyDecoder):
    """An iterable of blocks of rows.

    Args:
        n_examples (int): rows in a block.
    """

    def __init__(self, n_examples: int = 100) -> None:
        self.n_examples = n_examples

    def decode(self, value: StoredValue) -> Any:
        array = GreedyNumpyDecoder.decode(GreedyNumpyDecoder(), value)
        if not len(array):
            return iter([array])
        return (array[start : start + self.n_examples] for start in range(0, len(array), self.n_examples))
