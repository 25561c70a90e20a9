"""VectorIndex: the frames of a feature of numbers of every document, searched by distance, angle or inner product."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from zounds_lite.errors import DimensionError
from zounds_lite.index.engines import vector_engine
from zounds_lite.index.featureindex import FeatureIndex
from zounds_lite.index.vectors import VALUE, check_metric, with_norms
from zounds_lite.timeseries import TimeSlice

__all__ = ["VectorIndex"]


class VectorIndex(FeatureIndex):
    """Finds frames that are nearest to a query, exactly.

    Frames of several axes count as one row of all their numbers. Rows are kept as ``float32`` in a folder of their
    own, with half of their squared norm, and searched through a memory map, so the index may be larger than memory;
    the folder serves all three metrics.

    Args:
        document (type[BaseModel]): the class of the documents.
        feature (Feature | str): a feature of real numbers with an axis of time, or a variable-rate series of them.
        version, path, db_size_bytes, listen, writeonly, extra_data: as for ``HammingIndex``.
        metric (str): "euclidean"; "cosine", 1 - the cosine of the angle; or "inner_product", whose distances are inner
            products with their sign turned, so that smaller is nearer.
        engine (str): "numpy", or "faiss", which keeps a copy of all rows in memory and measures in single precision.

    Raises:
        StoreFormatError, KeyNotFound, DeclarationError: as for ``HammingIndex``.

    Examples:
        >>> import zounds_lite as zounds
        >>> @zounds.simple_in_memory_settings
        ... class Sound(zounds.stft(resample_to=zounds.SR11025(), store_ogg=False)):
        ...     bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=20, needs=zounds.stft().fft, store=True)
        >>> tones = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(1), [440.0])
        >>> sound = Sound(Sound.process(meta=tones.encode()))
        >>> index = VectorIndex(Sound, Sound.bark, metric="cosine")
        >>> print(index.update())
        1 added, 0 replaced, 0 deleted, 0 unchanged, 0 failed
        >>> results = index.search(sound.bark[20], n_results=3)
        >>> results[0].timeslice == sound.bark.dimensions[0].slice_of(20)
        True
        >>> [samples.shape for samples in results[:1].samples()]
        [(512,)]
    """

    kind = "vectors"

    def __init__(
        self,
        document: Any,
        feature: Any,
        version: str | None = None,
        path: Any = "",
        db_size_bytes: float = 10**9,
        listen: bool = False,
        writeonly: bool = False,
        metric: str = "euclidean",
        engine: str = "numpy",
        **extra_data: Callable[[Any, TimeSlice], Any],
    ) -> None:
        self.metric = check_metric(metric)
        super().__init__(
            document,
            feature,
            version,
            path,
            db_size_bytes,
            listen,
            writeonly,
            vector_engine(engine, metric),
            extra_data,
        )

    def _rows(self, data: Any, what: str) -> tuple[np.ndarray, dict[str, Any]]:
        rows = with_norms(data, what)
        return rows, {"dtype": VALUE.str, "columns": rows.shape[1]}

    def _query_rows(self, query: Any) -> tuple[np.ndarray, dict[str, Any]]:
        is_raw = isinstance(query, (bytes, bytearray, memoryview))
        values = self.decode_query(bytes(query)) if is_raw else np.asarray(query)
        return self._rows(values.reshape(1, -1), "query")

    def _shown(self, rows: np.ndarray, layout: Mapping[str, Any]) -> bytes:
        return rows[:-1].tobytes()

    def encode_query(self, query: Any) -> bytes:
        """Return a query as bytes, its numbers as ``float32``, little-endian.

        Raises:
            DimensionError: it holds no real numbers.
        """
        return self._shown(self._query_rows(query)[0][0], {})

    def decode_query(self, query: bytes) -> np.ndarray:
        """Return the numbers of a query.

        Raises:
            DimensionError: these are not the bytes of one.
        """
        if not len(query) or len(query) % VALUE.itemsize:
            raise DimensionError(f"a query of {len(query)} bytes; allowed: a multiple of {VALUE.itemsize}")
        return np.frombuffer(query, VALUE)
