"""Kinds of features, by what their values are.

Classes: ``JSONFeature``, ``TextFeature``, ``CompressedFeature``, ``NumpyFeature``, ``PickleFeature``,
``ClobberJSONFeature``, ``ClobberPickleFeature``, ``ByteStreamFeature``.
"""

from collections.abc import Iterator
from typing import Any

from zounds_lite.featureflow import arrays, codecs
from zounds_lite.featureflow.bytestream import Chunk
from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.node import Node
from zounds_lite.featureflow.typed import TypedDecoder, TypedEncoder

__all__ = [
    "ByteStreamFeature",
    "ClobberJSONFeature",
    "ClobberPickleFeature",
    "CompressedFeature",
    "JSONFeature",
    "NumpyFeature",
    "PickleFeature",
    "TextFeature",
]


class JSONFeature(Feature):
    """One value as JSON.

    Args: as for ``Feature``.
    """

    encoder: type[Node] = codecs.JSONEncoder
    decoder = codecs.JSONDecoder()
    objects = False


class TextFeature(Feature):
    """Text; chunks are joined."""

    encoder = codecs.TextEncoder
    decoder = codecs.TextDecoder()
    objects = False


class CompressedFeature(Feature):
    """Bytes or text, compressed with bzip2; reads back as bytes."""

    encoder = codecs.BZ2Encoder
    decoder = codecs.BZ2Decoder()
    objects = False


class NumpyFeature(Feature):
    """Arrays without units; chunks are joined along axis 0, and a large one reads back as a memory map."""

    encoder = arrays.NumpyEncoder
    decoder = arrays.GreedyNumpyDecoder()
    objects = False


class PickleFeature(Feature):
    """Any value: as typed data where possible, by pickle only where ``trust=True`` says so.

    Args:
        trust (bool): allow pickle for values that are no typed data, and for reading them back. Unpickling runs
            whatever the bytes say: set it only for stores that nobody else writes.
        others: as for ``Feature``.
    """

    encoder: type[Node] = TypedEncoder

    def __init__(self, extractor: Any, *args: Any, trust: bool = False, **kwargs: Any) -> None:
        super().__init__(extractor, *args, **kwargs)
        self.trust = trust

    def make_encoder(self, need: Node) -> Node:
        encoder = super().make_encoder(need)
        if isinstance(encoder, (TypedEncoder, _LatestTyped)):
            encoder.trust = self.trust
        return encoder

    def _decoder(self) -> Any:
        return self.__dict__.get("decoder") or TypedDecoder(self.trust)

    def describe_codec(self) -> Any:
        return {**super().describe_codec(), "trust": self.trust}


class _LatestEncoder(codecs.Encoder):
    """Keeps the last chunk only and hands it to another encoder at the end."""

    def _make(self) -> Node:
        return codecs.JSONEncoder()

    def _process(self, data: Any) -> Iterator[Any]:
        self._latest = [data]
        yield from ()

    def _last_chunk(self) -> Iterator[Any]:
        self._inner = self._make()
        yield from self._inner.run(getattr(self, "_latest", []))

    @property
    def header(self) -> dict[str, Any]:
        return getattr(self._inner, "header", {})


class _LatestJSON(_LatestEncoder):
    content_type = "application/json"


class _LatestTyped(_LatestEncoder):
    content_type = "application/x-typed"
    trust = False

    def _make(self) -> Node:
        return TypedEncoder(trust=self.trust)


class ClobberJSONFeature(JSONFeature):
    """JSON of which each chunk replaces the one before: the last one is stored."""

    encoder = _LatestJSON


class ClobberPickleFeature(PickleFeature):
    """Typed data of which each chunk replaces the one before: the last one is stored."""

    encoder = _LatestTyped


class _StoredChunks:
    """The chunks of a stored byte stream; each iteration begins anew."""

    def __init__(self, decoder: "_ByteChunks", value: codecs.StoredValue) -> None:
        self._decoder = decoder
        self._value = value

    def __iter__(self) -> Iterator[Any]:
        return self._decoder.chunks(self._value)

    def __repr__(self) -> str:
        return f"<{len(self._value.data)} bytes in chunks of {int(self._decoder.chunksize)}>"


class _ByteChunks(codecs.Decoder):
    """Reads stored bytes in pieces of ``chunksize``; iterating the value yields them again."""

    def __init__(self, chunksize: Any) -> None:
        self.chunksize = chunksize

    def decode(self, value: codecs.StoredValue) -> "_StoredChunks":
        return _StoredChunks(self, value)

    def chunks(self, value: codecs.StoredValue) -> Iterator[Any]:
        total, source, span = len(value.data), value.open(), codecs.stored_span(value)
        for start in range(0, total, int(self.chunksize)):
            yield Chunk(bytes(value.verified(start, start + int(self.chunksize))), total, source, span=span)


class ByteStreamFeature(Feature):
    """The chunks of a ``ByteStream``.

    Args:
        chunksize (int | ChunkSizeBytes): bytes in a chunk, when it is computed and when it is read back.
        others: as for ``Feature``.
    """

    objects = False

    def __init__(self, extractor: Any, *args: Any, chunksize: Any = 4096, **kwargs: Any) -> None:
        super().__init__(extractor, *args, chunksize=chunksize, **kwargs)

    def _decoder(self) -> Any:
        return self.__dict__.get("decoder") or _ByteChunks(self.extractor_args["chunksize"])
