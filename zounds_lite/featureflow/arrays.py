"""Codecs of plain arrays.

Goal: rows as raw little-endian bytes, which read back as a view, not a copy. Conventions: chunks join along axis 0;
dtype and shape stand in the header, and every claim of a header is checked before anything is made from it. Classes:
``NumpyMetaData``; ``NumpyEncoder``, ``PackedNumpyEncoder``; ``BaseNumpyDecoder``, ``GreedyNumpyDecoder``,
``StreamingNumpyDecoder``; function ``packed``.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, DimensionError
from zounds_lite.featureflow.codecs import Decoder, Encoder, StoredValue

__all__ = [
    "BaseNumpyDecoder",
    "GreedyNumpyDecoder",
    "NumpyEncoder",
    "NumpyMetaData",
    "PackedNumpyEncoder",
    "StreamingNumpyDecoder",
    "packed",
]

_KINDS = "biufcSUmM"
_MAX_ITEM = 2**31
_MAX_AXES = 64
_MAX_FIELDS = 1024
_MAX_NAME = 64
_LAST_CHARACTER = 0x10FFFF
_CHUNK = 1024 * 1024


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
        if not _allowed(self.dtype) or len(self.shape) > _MAX_AXES or not all(map(_is_size, self.shape)):
            raise DimensionError(
                f"dtype {str(self.dtype)[:200]} and shape {str(self.shape)[:200]}: allowed are numbers, text, "
                f"durations and packed records of these (up to {_MAX_FIELDS} fields), with non-negative sizes, in at "
                f"most {_MAX_AXES} axes; convert with astype()"
            )

    @property
    def header(self) -> dict[str, Any]:
        """The header, little-endian."""
        little = self.dtype.newbyteorder("<")
        described = little.str if little.names is None else [_described(*part) for part in little.descr]
        return {"dtype": described, "shape": [int(n) for n in self.shape]}

    @classmethod
    def from_header(cls, header: dict[str, Any]) -> "NumpyMetaData":
        """Read a header."""
        try:
            described, shape = header["dtype"], header["shape"]
            if type(shape) is not list or len(shape) > _MAX_AXES:
                raise TypeError(f"a shape is a list of at most {_MAX_AXES} sizes")
            if type(described) is not str and (type(described) is not list or len(described) > _MAX_FIELDS):
                raise TypeError(f"a dtype is text, or a list of at most {_MAX_FIELDS} fields")
            dtype = _name(described) if type(described) is str else [_record_part(part) for part in described]
            return cls(dtype, shape)
        except (KeyError, IndexError, TypeError, ValueError, ArithmeticError, SyntaxError) as error:
            raise CorruptValue(f"malformed array header: {str(error)[:400]}") from error

    @property
    def size(self) -> int:
        """Bytes of the array."""
        return math.prod(int(n) for n in self.shape) * self.dtype.itemsize

    def array(self, value: StoredValue) -> np.ndarray:
        """View the bytes of ``value`` as the array; nothing is copied."""
        if self.size != len(value.data):
            raise CorruptValue(
                f"{value.what}: {self.dtype}{list(self.shape)} needs {self.size} bytes, not {len(value.data)}"
            )
        array = value.data.view(np.ndarray) if self.size else np.empty(0, np.uint8)
        if array.ctypes.data % max(1, self.dtype.alignment):
            array = np.frombuffer(value.verified(), np.uint8).copy()
        try:
            array = array.view(self.dtype).reshape(self.shape)
        except ValueError as error:
            raise CorruptValue(f"{value.what}: {self.dtype}{list(self.shape)} is no array: {error}") from error
        if not _is_text(array):
            raise CorruptValue(f"{value.what}: some of its text is beyond the last character, U+10FFFF")
        array.flags.writeable = False
        return array


def _is_size(n: Any) -> bool:
    return isinstance(n, (int, np.integer)) and not isinstance(n, bool) and 0 <= int(n) < 2**62


def _described(name: Any, dtype: str, *shape: tuple[int, ...]) -> list[Any]:
    """Describe one field of a record, without tuples, which JSON does not have."""
    return [name, dtype, *map(list, shape)]


def _name(dtype: str) -> str:
    """Return the name of a dtype of plain values; numpy reads lists and shapes out of longer ones."""
    if len(dtype) > _MAX_NAME or "," in dtype or "(" in dtype:
        raise ValueError(f"{dtype[:_MAX_NAME]!r} names no dtype of plain values")
    return dtype


def _record_part(part: Any) -> tuple[Any, ...]:
    """Read one field of a record: name, dtype of plain values, and shape where it has one."""
    name, dtype, *shape = part
    if not isinstance(name, str) or not isinstance(dtype, str) or np.dtype(_name(dtype)).shape:
        raise ValueError(f"field {str(name)[:_MAX_NAME]!r} of dtype {str(dtype)[:_MAX_NAME]!r}")
    return (name, dtype, tuple(shape[0])) if shape else (name, dtype)


def _is_text(array: np.ndarray) -> bool:
    """Tell whether all text in an array is made of characters: numpy cannot read anything else."""
    if array.dtype.names is not None:
        return all(_is_text(array[name]) for name in array.dtype.names)
    if array.dtype.kind != "U" or not array.size:
        return True
    codes = np.ascontiguousarray(array).view(array.dtype.str[0] + "u4")
    return bool((codes <= _LAST_CHARACTER).all())


def _allowed(dtype: np.dtype) -> bool:
    """Tell whether values of ``dtype`` are plain data, laid out as its description says."""
    if dtype.names is not None:
        if len(dtype.names) > _MAX_FIELDS:
            return False
        packed = sum(dtype[name].itemsize for name in dtype.names) == dtype.itemsize
        return packed and all(dtype[name].names is None and _allowed(dtype[name].base) for name in dtype.names)
    return not dtype.shape and dtype.kind in _KINDS and 0 < dtype.itemsize < _MAX_ITEM


class NumpyEncoder(Encoder):
    """Arrays as raw little-endian rows; chunks join along axis 0.

    Raises:
        DimensionError: a chunk has another dtype or row shape than the first one.
    """

    content_type = "application/octet-stream"

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self._first: np.ndarray | None = None
        self.rows = 0

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
        if not (fits and first.ndim) and (self.rows or first.ndim):
            raise DimensionError(
                f"a chunk of {array.dtype}{list(array.shape)} cannot follow rows of "
                f"{first.dtype}{list(first.shape[1:])}; all chunks need the same dtype and row shape"
            )
        self.rows += len(array) if array.ndim else 1
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        yield np.ascontiguousarray(little).reshape(-1).view(np.uint8).data if little.size else b""

    can_join = True

    @classmethod
    def join(cls, headers: Sequence[dict[str, Any]]) -> dict[str, Any]:
        first = headers[0]
        return {**first, "shape": [sum(header["shape"][0] for header in headers), *first["shape"][1:]]}

    @property
    def header(self) -> dict[str, Any]:
        return self._header()

    def _header(self) -> dict[str, Any]:
        """Describe the rows that were yielded."""
        assert self._first is not None, "a run refuses values of which nothing was yielded"
        shape = (self.rows, *self._first.shape[1:]) if self._first.ndim else ()
        return NumpyMetaData(self._first.dtype, shape).header


def packed(array: np.ndarray) -> np.ndarray:
    """Pack the truth of numbers along the last axis, eight to a byte; NaN counts as true, as everywhere in numpy."""
    with np.errstate(invalid="ignore"):  # some patterns of NaN warn when they are cast
        return np.packbits(array.astype(bool), axis=-1)


class PackedNumpyEncoder(NumpyEncoder):
    """Boolean arrays with the bits of the last axis packed, eight to a byte."""

    def _array(self, data: Any) -> np.ndarray:
        return packed(np.asarray(data))


class BaseNumpyDecoder(Decoder):
    """Base of array decoders."""

    def _wrap(self, array: np.ndarray, value: StoredValue) -> Any:
        """Give the array its units; the default has none."""
        return array

    def _whole(self, value: StoredValue) -> Any:
        return self._wrap(NumpyMetaData.from_header(value.header).array(value), value)

    def decode(self, value: StoredValue) -> Any:
        return self._whole(value)


class GreedyNumpyDecoder(BaseNumpyDecoder):
    """The whole array; a large one is mapped, not read."""

    def chunks(self, value: StoredValue) -> Iterator[Any]:
        """Yield blocks of rows; an array without rows, or without axes, comes whole."""
        array = self._whole(value)
        if not array.ndim or not len(array):
            yield array
            return
        rows = max(1, _CHUNK // max(1, array[:1].nbytes))
        size = len(value.data) // len(array)
        for start in range(0, len(array), rows):
            # what nodes compute from a chunk must not rest on bytes that nobody checked
            value.verified(start * size, (start + rows) * size)
            yield array[start : start + rows] if start + rows < len(array) else self._last_rows(array, start)

    def _last_rows(self, array: Any, start: int) -> Any:
        """Return the rows from ``start`` on, as the chunk that ends the stream."""
        return array[start:]


class StreamingNumpyDecoder(GreedyNumpyDecoder):
    """An iterable of blocks of rows.

    Args:
        n_examples (int): rows in a block.
    """

    def __init__(self, n_examples: int = 100) -> None:
        self.n_examples = n_examples

    def decode(self, value: StoredValue) -> Any:
        array = self._whole(value)
        if not array.ndim or not len(array):
            return iter([array])
        return self._blocks(array, value)

    def _blocks(self, array: np.ndarray, value: StoredValue) -> Iterator[np.ndarray]:
        size = len(value.data) // len(array)
        for start in range(0, len(array), self.n_examples):
            value.verified(start * size, (start + self.n_examples) * size)
            yield array[start : start + self.n_examples]
