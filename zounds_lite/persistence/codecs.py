"""Codecs of arrays with units.

Goal: what a node yields in chunks reads back as one array with the same units. Conventions: chunks join along axis 0
and must agree in dtype, row shape and dimensions; sizes count rows; what is known only when a stream ends
(``n_samples``, ``padding``) is taken from its last chunk. Classes: ``ArrayWithUnitsEncoder``,
``ArrayWithUnitsDecoder``, ``AudioSamplesDecoder``, ``PackedArrayWithUnitsEncoder``, ``PackedArrayWithUnitsDecoder``.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite._declared import decode
from zounds_lite.core import ArrayWithUnits, Dimension, IdentityDimension
from zounds_lite.errors import CorruptValue, DimensionError
from zounds_lite.featureflow.codecs import GreedyNumpyDecoder, NumpyEncoder, StoredValue
from zounds_lite.timeseries import AudioSamples, TimeDimension, audio_sample_rate

__all__ = [
    "ArrayWithUnitsDecoder",
    "ArrayWithUnitsEncoder",
    "AudioSamplesDecoder",
    "PackedArrayWithUnitsDecoder",
    "PackedArrayWithUnitsEncoder",
]

_ROWS = 1024 * 1024
"""Bytes of the pieces in which a stored array is fed to the nodes that need it."""


def _dimensions_of(array: Any) -> tuple[Dimension, ...]:
    """The dimensions of an array; identity for one without units."""
    return getattr(array, "dimensions", None) or (IdentityDimension(),) * np.ndim(array)


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

    @property
    def header(self) -> dict[str, Any]:
        header = self._header()
        if self._head is None:
            return header
        shape = header["shape"]
        joined = [self._tail[0], *self._head[1:]] if shape else []
        if joined and isinstance(joined[0], TimeDimension):
            joined[0] = joined[0].replace(start=self._head[0].start)  # type: ignore[attr-defined]
        dimensions = [dimension.with_size(n).to_dict() for dimension, n in zip(joined, shape, strict=True)]
        return {**header, "dimensions": dimensions}


class ArrayWithUnitsDecoder(GreedyNumpyDecoder):
    """An ``ArrayWithUnits``, read-only; a large one is a memory map of which only what is touched is read."""

    def _dimensions(self, value: StoredValue, array: np.ndarray) -> tuple[Dimension, ...]:
        try:
            dimensions = [decode(part) for part in value.header.get("dimensions", [{"type": "IdentityDimension"}])]
            return tuple(dim.with_size(n) for dim, n in zip(dimensions, array.shape, strict=True))
        except (TypeError, ValueError, AttributeError) as error:
            if isinstance(error, LookupError):
                raise
            raise CorruptValue(f"{value.what}: malformed dimensions: {error}") from error

    def _wrap(self, array: np.ndarray, value: StoredValue) -> Any:
        return ArrayWithUnits(array, self._dimensions(value, array))

    def chunks(self, value: StoredValue) -> Iterator[Any]:
        """Yield blocks of rows; the last one carries what its stream knew at the end."""
        array = self.decode(value)
        rows = max(1, _ROWS // max(1, array[:1].nbytes))
        for start in range(0, len(array), rows):
            yield array[start : start + rows] if start + rows < len(array) else _last_rows(array, start)


def _last_rows(array: ArrayWithUnits, start: int) -> Any:
    """Slice the last rows and keep the metadata that slicing drops."""
    part = array[start:]
    first = array.dimensions[0]
    if not isinstance(first, TimeDimension) or first.n_samples is None:
        return part
    first = first.replace(size=len(part), start=None)
    return ArrayWithUnits(np.asarray(part), (first, *part.dimensions[1:]))


class AudioSamplesDecoder(ArrayWithUnitsDecoder):
    """``AudioSamples``, read-only."""

    def _wrap(self, array: np.ndarray, value: StoredValue) -> Any:
        time = self._dimensions(value, array)[0]
        if not isinstance(time, TimeDimension) or time.rate is None or (time.hop, time.window) != (1, 1):
            raise CorruptValue(f"{value.what} is no audio: its first dimension is {time!r}")
        return AudioSamples(array, audio_sample_rate(time.rate))


class PackedArrayWithUnitsEncoder(ArrayWithUnitsEncoder):
    """Boolean arrays with the bits of the last axis packed, eight to a byte."""

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self._bits = 0

    def _array(self, data: Any) -> np.ndarray:
        array = super()._array(data)
        self._bits = array.shape[-1]
        return np.packbits(array.astype(bool), axis=-1)

    @property
    def header(self) -> dict[str, Any]:
        packed = self._header()
        if self._head is None:
            return packed
        dimensions = [dim.with_size(n) for dim, n in zip(self._head, [*packed["shape"][:-1], self._bits], strict=True)]
        return {**packed, "bits": self._bits, "dimensions": [dim.to_dict() for dim in dimensions]}


class PackedArrayWithUnitsDecoder(ArrayWithUnitsDecoder):
    """Unpacks bits to a boolean ``ArrayWithUnits``."""

    def _wrap(self, array: np.ndarray, value: StoredValue) -> Any:
        bits = value.header.get("bits", 8 * array.shape[-1])
        unpacked = np.unpackbits(array, axis=-1, count=bits).astype(bool)
        return ArrayWithUnits(unpacked, self._dimensions(value, unpacked))
