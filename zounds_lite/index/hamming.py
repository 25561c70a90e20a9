"""HammingIndex: the frames of a binary feature of every document, searched by Hamming distance."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from zounds_lite.errors import DimensionError
from zounds_lite.index.codes import WORD, pack_codes, to_words
from zounds_lite.index.engines import code_engine
from zounds_lite.index.featureindex import FeatureIndex
from zounds_lite.timeseries import TimeSlice

__all__ = ["HammingIndex"]


class HammingIndex(FeatureIndex):
    """Finds frames whose binary codes differ least from a query, exactly.

    The feature's frames are bits (bool, or ``uint8`` of 0 and 1, a multiple of 8 of them) or bits that are packed to
    ``uint64``. The codes stand in a folder of their own and are searched through a memory map; many processes may
    search while one writes.

    Args:
        document (type[BaseModel]): the class of the documents.
        feature (Feature | str): a binary feature with an axis of time, or a variable-rate series of codes.
        version (str | None): names the index's folder; None: the feature's own ``version``, if it has one.
        path (str | Path): where the folder ``index.{key}.{version}`` is made; empty: in ``{store}.index`` beside the
            documents' store, or for documents in memory in a folder that goes away with the index.
        db_size_bytes (int): initial size of the map of the index's catalogue, in bytes; it grows by itself.
        listen (bool): index documents as they are stored, see ``listen``.
        writeonly (bool): only add to the index.
        engine (str): "numpy", or "faiss", which keeps a copy of all codes in memory.
        extra_data (Callable): functions of a document and a time slice, whose values, JSON, are kept for each frame.

    Raises:
        StoreFormatError: the folder holds something else, or the index of another feature or version.
        KeyNotFound: the document class has no such feature.
        DeclarationError: an argument is out of range; or ``listen`` without an event log.

    Examples:
        >>> import zounds_lite as zounds
        >>> from zounds_lite import featureflow as ff
        >>> @zounds.simple_in_memory_settings
        ... class Sound(ff.BaseModel):
        ...     code = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        >>> bits = np.eye(16, dtype=bool)
        >>> _id = Sound.process(code=[zounds.ArrayWithUnits(bits, [zounds.TimeDimension(zounds.Seconds(1)), None])])
        >>> index = HammingIndex(Sound, Sound.code)
        >>> print(index.update())
        1 added, 0 replaced, 0 deleted, 0 unchanged, 0 failed
        >>> results = index.search(bits[3], n_results=2)
        >>> results.distances, [timeslice for _, timeslice in results]
        (array([0, 2], dtype=uint16), [TimeSlice(start = 3.0, duration = 1.0), TimeSlice(start = 0.0, duration = 1.0)])
    """

    kind = "hamming"

    def __init__(
        self,
        document: Any,
        feature: Any,
        version: str | None = None,
        path: Any = "",
        db_size_bytes: float = 10**9,
        listen: bool = False,
        writeonly: bool = False,
        engine: str = "numpy",
        **extra_data: Callable[[Any, TimeSlice], Any],
    ) -> None:
        super().__init__(
            document, feature, version, path, db_size_bytes, listen, writeonly, code_engine(engine), extra_data
        )

    @property
    def code_size(self) -> int | None:
        """Bytes of a code; None before the first one."""
        layout = self._store.layout
        return None if layout is None else int(layout["code_size"])

    def _rows(self, data: Any, what: str) -> tuple[np.ndarray, dict[str, Any]]:
        packed = pack_codes(data, what)
        words = to_words(packed)
        return words, {"dtype": WORD.str, "columns": words.shape[1], "code_size": packed.shape[1]}

    def _query_rows(self, query: Any) -> tuple[np.ndarray, dict[str, Any]]:
        packed = np.frombuffer(self.encode_query(query), np.uint8)[None]
        words = to_words(packed)
        return words, {"dtype": WORD.str, "columns": words.shape[1], "code_size": packed.shape[1]}

    def _shown(self, rows: np.ndarray, layout: Mapping[str, Any]) -> bytes:
        return rows.tobytes()[: int(layout["code_size"])]

    def encode_query(self, query: Any) -> bytes:
        """Return a query as the bytes of a code.

        Args:
            query (bytes | np.ndarray): a code, or one frame of the feature.

        Raises:
            DimensionError: it is neither.
        """
        if isinstance(query, (bytes, bytearray, memoryview)):
            if not len(query):
                raise DimensionError("a query of 0 bytes; allowed: a code, or a frame of the feature")
            return bytes(query)
        if not isinstance(query, np.ndarray):
            raise DimensionError(f"a query of type {type(query).__name__}; allowed: bytes, or a frame of the feature")
        return pack_codes(np.asarray(query).reshape(1, -1), "query").tobytes()

    def decode_query(self, query: bytes) -> np.ndarray:
        """Return the bits of a code, as ``uint8`` of 0 and 1; ``encode_query`` makes the same bytes of them."""
        return np.unpackbits(np.frombuffer(query, np.uint8))
