"""Run: computes some features of one document, and only what they need.

Goal: from the features that are wanted, walk up to the nearest values that are stored and fresh, or to the source;
build nodes for the rest; run them; and hand back finished entries for a record. Nothing is visible in the store before
the caller commits them. Classes: ``Run``, ``Sink``, ``ValueWriter``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from zounds_lite.errors import FeatureNotComputable
from zounds_lite.featureflow.bytestream import FirstChunk
from zounds_lite.featureflow.codecs import StoredValue
from zounds_lite.featureflow.feature import Aspect, Feature, selector
from zounds_lite.featureflow.graph import Graph
from zounds_lite.featureflow.lineage import Lineage
from zounds_lite.featureflow.node import Chunks, Node
from zounds_lite.featureflow.record import INLINE_LIMIT, Checksums, Entry, Marks
from zounds_lite.featureflow.stores.base import BlobWriter, Database

__all__ = ["Run", "Sink", "ValueWriter"]


class ValueWriter:
    """Takes the bytes of one value: in memory while it is small, in a blob from 1 MiB on.

    Args:
        create_blob (Callable | None): makes the blob (``Database.create_blob``); None keeps everything in memory.
    """

    def __init__(self, create_blob: Callable[[], BlobWriter] | None) -> None:
        self._create_blob = create_blob
        self._parts: list[bytes] = []
        self._blob: BlobWriter | None = None
        self.size = 0

    def write(self, data: Any) -> None:
        """Append bytes; the caller may reuse its buffer."""
        size = len(data) if isinstance(data, (bytes, bytearray)) else memoryview(data).nbytes
        if not size:
            return
        self.size += size
        if self._blob is not None:
            self._blob.write(data)
            return
        self._parts.append(bytes(data))
        if self._create_blob is not None and self.size >= INLINE_LIMIT:
            self.spill()

    def spill(self) -> None:
        """Move what is in memory to a blob."""
        assert self._create_blob is not None
        self._blob = self._create_blob()
        for part in self._parts:
            self._blob.write(part)
        self._parts = []

    @property
    def in_memory(self) -> bool:
        """True while the value is not in a blob."""
        return self._blob is None

    def data(self) -> bytes:
        """Return the bytes of a value in memory."""
        return b"".join(self._parts)

    def join(self, part: "ValueWriter") -> None:
        """Append what was written to another one; its blob, where it has one, is a part of the blob of this one."""
        if part._blob is None:
            self.write(part.data())
            return
        if self._blob is None:
            self.spill()
        assert self._blob is not None
        self._blob.join(part._blob)
        self.size += part.size

    def finish(self, entry: Entry) -> Entry:
        """Fill in where the value stands."""
        entry.size = self.size
        if self._blob is not None:
            entry.blob, check = self._blob.finish()
            entry.checks = [check]
        else:
            entry.data = self.data()
            checksums = Checksums()
            checksums.update(memoryview(entry.data))
            entry.checks = checksums.finish()
        return entry

    def discard(self) -> None:
        """Forget the value and remove its blob."""
        self._parts = []
        if self._blob is not None:
            self._blob.discard()


class Sink(Node):
    """Writes what an encoder yields."""

    def __init__(self, writer: ValueWriter, needs: Any) -> None:
        super().__init__(needs=needs)
        self.writer = writer

    def _process(self, data: Any) -> Iterator[Any]:
        self.writer.write(data)
        yield from ()


class _Collector(Node):
    """Keeps what a node yields, for features that are handed over as objects."""

    def __init__(self, needs: Any) -> None:
        super().__init__(needs=needs)
        self.chunks = Chunks()

    def _process(self, data: Any) -> Iterator[Any]:
        self.chunks.append(data)
        yield from ()


class _StoredNode(Node):
    """A root that yields a stored value in pieces."""

    def __init__(self, feature: Feature, value: StoredValue) -> None:
        super().__init__()
        self._feature = feature
        self._value = value

    def _process(self, data: Any) -> Iterator[Any]:
        yield from self._feature.chunks(self._value)


class Run:
    """One computation over one document.

    Args:
        lineage (Lineage): the model's.
        inputs (Mapping[str, Any]): values of roots and Vars, by keyword.
        stored (Callable): returns the stored and fresh value of a feature, or None.
        database_of (Callable): returns the database of a feature.
        context (Mapping[str, Any]): what all nodes are told (``Graph.context``).
    """

    def __init__(
        self,
        lineage: Lineage,
        inputs: Mapping[str, Any],
        stored: Callable[[Feature], StoredValue | None],
        database_of: Callable[[Feature], Database],
        context: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        self.lineage = lineage
        self.inputs = inputs
        self.stored = stored
        self.database_of = database_of
        self.graph = Graph()
        self.graph.context = context
        self.arguments: dict[str, Any] = {}
        self.writers: dict[str, tuple[Feature, Node, ValueWriter]] = {}
        self.collectors: dict[str, _Collector] = {}

    # building the graph

    def _add(self, name: str, node: Node) -> Node:
        self.graph[name] = node
        return node

    def _node(self, feature: Feature, wanted: bool = False) -> Node:
        """Return the node of a feature, built with everything above it that is not stored."""
        name = feature.name or ""
        if name in self.graph:
            return self.graph[name]
        if feature.is_root:
            return self._root(feature, wanted)
        value = None if wanted else self.stored(feature)
        if value is not None:
            self.arguments[name] = value
            return self._add(name, _StoredNode(feature, value))
        needs = {key: self._need(need) for key, need in feature.named_needs().items()}
        node = self._add(name, feature.make_node(needs, self.inputs))
        if feature.store and not wanted:
            self._store(feature, node)  # missing or stale on the way: written too
        return node

    def _root(self, feature: Feature, wanted: bool) -> Node:
        name = feature.name or ""
        if name in self.inputs:
            self.arguments[name] = self.inputs[name]
            node = self._add(name, feature.make_node({}, self.inputs))
            if feature.store and not wanted and self.stored(feature) is None:
                self._store(feature, node)
            return node
        value = None if wanted else self.stored(feature)
        if value is None:
            raise FeatureNotComputable(
                f"{name} cannot be computed: its source is not available (gone, or in memory and not kept) and no "
                "fresh value of it is stored; process the document again"
            )
        self.arguments[name] = value
        return self._add(name, _StoredNode(feature, value))

    def _need(self, need: Feature | Aspect) -> Node:
        node = self._node(self.lineage.resolve(need))
        if not isinstance(need, Aspect):
            return node
        name = f"{need.name}[{need.aspect_key}]"
        return self.graph.get(name) or self._add(name, selector(need, node))

    def _store(self, feature: Feature, node: Node) -> None:
        name = feature.name or ""
        if name not in self.writers:
            writer = ValueWriter(self.database_of(feature).create_blob if feature.store else None)
            encoder = self._add(f"{name}/encoder", feature.make_encoder(node))
            self._add(f"{name}/sink", Sink(writer, encoder))
            self.writers[name] = (feature, encoder, writer)

    # running it

    def compute(self, targets: Iterable[Feature]) -> None:
        """Run the graph for ``targets``; where it raises, the caller discards."""
        for feature in targets:
            self._target(feature)
        self.graph.process(**self.arguments)

    def first_chunk(self, feature: Feature, takes_parts: bool = False) -> Any:
        """Return the first chunk of a feature of bytes; None where its source is on another machine.

        Args:
            feature (Feature): yields bytes.
            takes_parts (bool): return one all the same, where the other machine gives parts of the source.
        """
        first = FirstChunk(self._node(feature), takes_parts)
        self._add("first chunk", first)
        try:
            self.graph.process(**self.arguments)
        finally:
            self.discard()  # what was made on the way is not kept
        return first.chunk

    def _target(self, feature: Feature) -> None:
        node = self._node(feature, wanted=True)
        if feature.objects and not feature.store:
            collector = self.collectors[feature.name or ""] = _Collector(node)
            self._add(f"{feature.name}/collector", collector)
        else:
            self._store(feature, node)

    def discard(self) -> None:
        """Remove what was written."""
        for _, _, writer in self.writers.values():
            writer.discard()

    def entries(self, source_hashes: Mapping[str, str], room: int = INLINE_LIMIT) -> dict[Feature, Entry]:
        """Finish the values of the stored features.

        Args:
            source_hashes (Mapping[str, str]): the hash of each root's source.
            room (int): bytes that the record has left; the largest values go to blobs where they need more.

        Raises:
            FeatureNotComputable: the node of a stored feature yielded nothing.
        """
        stored = [(feature, encoder, writer) for feature, encoder, writer in self.writers.values() if feature.store]
        headers = {feature: _header(feature, encoder) for feature, encoder, _ in stored}
        small = sorted((w for _, _, w in stored if w.in_memory), key=lambda writer: writer.size)
        while small and sum(writer.size for writer in small) > room:
            small.pop().spill()
        return {
            feature: writer.finish(
                Entry(
                    self.lineage.hash(feature),
                    self.lineage.source_digest(feature, source_hashes),
                    feature.content_type,
                    headers[feature],
                    0,
                )
            )
            for feature, _, writer in stored
        }

    def marks(self) -> Marks:
        """Return what the nodes noted, by feature: an empty list for each that ran and noted nothing."""
        features = self.lineage.features
        return {
            name: list(node.marks)
            for name, node in self.graph.items()
            if name in features and not isinstance(node, _StoredNode)
        }

    def value(self, feature: Feature) -> Any:
        """Return the value of an unstored target."""
        name = feature.name or ""
        if name in self.collectors:
            chunks = self.collectors[name].chunks
            if not chunks:
                raise FeatureNotComputable(f"{name} yielded nothing for this document")
            return chunks.combined()
        _, encoder, writer = self.writers[name]
        data = np.frombuffer(writer.data(), np.uint8)
        return feature.decode(StoredValue(_header(feature, encoder), data, name))


def _header(feature: Feature, encoder: Node) -> dict[str, Any]:
    """Return what an encoder says of its value, once the stream has ended."""
    if not encoder.has_input:
        raise FeatureNotComputable(f"{feature.name} yielded nothing for this document; a node must yield something")
    return dict(getattr(encoder, "header", {}))
