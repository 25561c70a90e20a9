"""Codecs of arrays with units.

Goal: what a node yields in chunks reads back as one array with the same units. Conventions: chunks join along axis 0
and must agree in dtype, row shape and dimensions; sizes count rows; what is known only when a stream ends
(``n_samples``, ``padding``) is taken from its last chunk. Classes: ``ArrayWithUnitsEncoder``,
``ArrayWithUnitsDecoder``, ``AudioSamplesDecoder``, ``PackedArrayWithUnitsEncoder``, ``PackedArrayWithUnitsDecoder``.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from zounds_lite._declared import decode
from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension
from zounds_lite.errors import CorruptValue, DimensionError, UnitsError
from zounds_lite.featureflow.arrays import GreedyNumpyDecoder, NumpyEncoder, packed
from zounds_lite.featureflow.codecs import StoredValue
from zounds_lite.featureflow.stores.maps import ReadAhead
from zounds_lite.timeseries import AudioSamples, TimeDimension, audio_sample_rate

__all__ = [
    "ArrayWithUnitsDecoder",
    "ArrayWithUnitsEncoder",
    "AudioSamplesDecoder",
    "PackedArrayWithUnitsDecoder",
    "PackedArrayWithUnitsEncoder",
]


def _dimensions_of(array: Any) -> tuple[Dimension, ...]:
    """The dimensions of an array; identity for one without units."""
    return getattr(array, "dimensions", None) or (IdentityDimension(),) * np.ndim(array)


def _named(array: ArrayWithUnits, value: StoredValue) -> ArrayWithUnits:
    """Let an array know where it was read from."""
    array.origin = value.what
    return array.reading_ahead(ReadAhead.of(array))


class ArrayWithUnitsEncoder(NumpyEncoder):
    """Rows as raw little-endian bytes, dimensions in the header.

    Raises:
        DimensionError: a chunk's dtype, row shape or dimensions differ from those of the first.
    """

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self._head: tuple[Dimension, ...] | None = None
        self._tail: tuple[Dimension, ...] = ()

    def _array(self, data: Any) -> np.ndarray:
        dimensions = _dimensions_of(data)
        if self._head is None:
            self._head = dimensions
        elif dimensions != self._head:
            raise DimensionError(
                f"a chunk with dimensions {dimensions} cannot follow one with {self._head}; "
                "all chunks of a feature need equal dimensions"
            )
        self._tail = dimensions
        return np.asarray(data)

    @classmethod
    def join(cls, headers: Sequence[dict[str, Any]]) -> dict[str, Any]:
        joined = super().join(headers)
        first, last = (decode(headers[i]["dimensions"][0]) for i in (0, -1))
        if isinstance(last, TimeDimension):  # only the last stretch knows how the whole ended
            last = last.replace(start=first.start)
        return {**joined, "dimensions": [last.with_size(joined["shape"][0]).to_dict(), *headers[0]["dimensions"][1:]]}

    @property
    def header(self) -> dict[str, Any]:
        header = self._header()
        return header if self._head is None else {**header, "dimensions": self._joined(header["shape"])}

    def _joined(self, shape: list[int]) -> list[dict[str, Any]]:
        """Describe the dimensions of all rows: those of the first chunk, with what the last one knows of the end."""
        assert self._head is not None
        joined = [self._tail[0], *self._head[1:]] if shape else []
        if joined and isinstance(joined[0], TimeDimension):
            joined[0] = joined[0].replace(start=self._head[0].start)  # type: ignore[attr-defined]
        return [dimension.with_size(n).to_dict() for dimension, n in zip(joined, shape, strict=True)]


class ArrayWithUnitsDecoder(GreedyNumpyDecoder):
    """An ``ArrayWithUnits``, read-only; a large one is a memory map of which only what is touched is read."""

    def _dimensions(self, value: StoredValue, shape: tuple[int, ...]) -> tuple[Dimension, ...]:
        try:
            dimensions = [decode(part) for part in value.header.get("dimensions", [{"type": "IdentityDimension"}])]
            return tuple(dim.with_size(n) for dim, n in zip(dimensions, shape, strict=True))
        except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
            if isinstance(error, LookupError):
                raise
            raise CorruptValue(f"{value.what}: malformed dimensions: {error}") from error

    def _wrap(self, array: np.ndarray, value: StoredValue) -> Any:
        return _named(ArrayWithUnits(array, self._dimensions(value, array.shape)), value)

    def _last_rows(self, array: Any, start: int) -> Any:
        """Slice the last rows and keep what the stream knew at its end, which slicing drops."""
        part = array[start:]
        first = array.dimensions[0]
        if not isinstance(first, TimeDimension) or first.n_samples is None:
            return part
        first = first.replace(size=len(part), start=None)
        return ArrayWithUnits(np.asarray(part), (first, *part.dimensions[1:]))


class AudioSamplesDecoder(ArrayWithUnitsDecoder):
    """``AudioSamples``, read-only."""

    def _wrap(self, array: np.ndarray, value: StoredValue) -> Any:
        time = self._dimensions(value, array.shape)[0]
        if not isinstance(time, TimeDimension) or time.rate is None or (time.hop, time.window) != (1, 1):
            raise CorruptValue(f"{value.what} is no audio: its first dimension is {time!r}")
        try:
            return _named(AudioSamples(array, audio_sample_rate(time.rate)), value)
        except UnitsError as error:
            raise CorruptValue(f"{value.what} is no audio: {error}") from error


class PackedArrayWithUnitsEncoder(ArrayWithUnitsEncoder):
    """Boolean arrays with the bits of the last axis packed, eight to a byte.

    Raises:
        DimensionError: as for ``ArrayWithUnitsEncoder``; or an array of one axis comes in several chunks, since the
            axis that chunks join cannot be the packed one.
    """

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self._row: tuple[int, ...] | None = None
        self._bits = 0

    def _array(self, data: Any) -> np.ndarray:
        array = super()._array(data)
        if not array.ndim or (self._row is not None and (array.ndim == 1 or array.shape[1:] != self._row)):
            raise DimensionError(
                f"a chunk of bits of shape {array.shape} cannot follow rows of {self._row}; all chunks need the same "
                "row shape, and an array of one axis is one chunk"
            )
        self._row, self._bits = array.shape[1:], array.shape[-1]
        return packed(array)

    @property
    def header(self) -> dict[str, Any]:
        packed = self._header()
        if self._head is None:
            return packed
        return {**packed, "bits": self._bits, "dimensions": self._joined([*packed["shape"][:-1], self._bits])}


class PackedArrayWithUnitsDecoder(ArrayWithUnitsDecoder):
    """Unpacks bits to a boolean ``ArrayWithUnits``."""

    def _wrap(self, array: np.ndarray, value: StoredValue) -> Any:
        if value.header.get("empty"):
            return super()._wrap(array.astype(bool), value)
        bits: Any = value.header.get("bits")
        is_count = isinstance(bits, int) and not isinstance(bits, bool) and bits >= 0
        if not is_count or array.dtype != np.uint8 or not array.ndim or array.shape[-1] != (bits + 7) // 8:
            raise CorruptValue(f"{value.what}: {array.dtype}{list(array.shape)} does not hold rows of {bits!r} bits")
        dimensions = self._dimensions(value, (*array.shape[:-1], bits))
        value.verified()  # unpacking copies
        return ArrayWithUnits(np.unpackbits(array, axis=-1, count=bits).astype(bool), dimensions)
