"""One recording over several threads: each computes a stretch of every feature, and the stretches are joined.

Goal: a long recording takes as many processors as there are, with the result that one takes alone. Conventions: a
thread runs the nodes of a graph over its stretch of the source; each node begins at the row that its locality asks for,
and what lies outside of the stretch is cut off again. What depends on the whole recording in another way (a copy of it,
its metadata) is computed beside it. Where a feature cannot be split, or the recording is short, nothing is, and the log
says so. Decoding, transforms and writing do not hold the interpreter, so threads are enough.

Class: ``SplitRun``.
"""

import logging
import threading
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

from zounds_lite.errors import GraphError
from zounds_lite.featureflow.ahead import in_one_thread, side_by_side
from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.graph import Graph
from zounds_lite.featureflow.lineage import Lineage
from zounds_lite.featureflow.node import Node
from zounds_lite.featureflow.record import Entry
from zounds_lite.featureflow.region import Computed, Regions, Rows
from zounds_lite.featureflow.run import Run, Sink, ValueWriter
from zounds_lite.featureflow.stores.base import BlobWriter, Database

__all__ = ["SplitRun"]

_log = logging.getLogger(__name__)

_LEAST = 2**21
"""Rows of the source that a thread is worth: 48 seconds of audio at 44.1 kHz."""
_PIECE = 2**19
"""Rows of the source that are read at once."""
_ALIGNED = 64
"""Stretches begin at multiples of it, where filter banks begin their blocks."""


class _Ended(Exception):
    """Another thread failed, or the caller was interrupted."""


class _Source(Node):
    """Yields a stretch of a source in pieces."""

    def __init__(self, rows: Rows, start: int, stop: int, is_over: threading.Event) -> None:
        super().__init__()
        self._rows, self._start, self._stop, self._is_over = rows, start, stop, is_over

    def _process(self, data: Any) -> Iterator[Any]:
        for start in range(self._start, self._stop, _PIECE):
            if self._is_over.is_set():
                raise _Ended
            yield self._rows.read(start, min(start + _PIECE, self._stop))


class _Cut(Node):
    """Passes the rows of a stretch on, of a stream that begins at another row; what passes whole keeps its notes."""

    def __init__(self, needs: Node, at: int, start: int, stop: int) -> None:
        super().__init__(needs=needs)
        self._at, self._start, self._stop = at, start, stop

    def _process(self, data: Any) -> Iterator[Any]:
        first, last = max(0, self._start - self._at), min(len(data), self._stop - self._at)
        self._at += len(data)
        if first < last:
            yield data if (first, last) == (0, len(data)) else data[first:last]


class _Joint:
    """The blob of a value, of which every thread writes a stretch; stretches have blobs where a store has no parts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._blob: BlobWriter | None = None

    def blob(self) -> BlobWriter:
        """Return the blob, for the first stretch."""
        with self._lock:
            if self._blob is None:
                self._blob = self._database.create_blob()
            return self._blob

    def part(self, at: int) -> BlobWriter:
        """Return what writes a later stretch, from byte ``at`` on."""
        blob = self.blob()
        return blob.part(at) if blob.can_part else self._database.create_blob()

    def join(self, whole: ValueWriter, part: ValueWriter) -> None:
        """Append a later stretch to the first one."""
        if part.in_memory or self.blob().can_part:
            whole.join(part)
            return
        entry = part.finish(Entry("", "", "", {}, 0))
        whole.write(self._database.open_blob(entry.blob or "")[: entry.size].data)
        part.discard()

    def discard(self) -> None:
        """Remove the blob."""
        if self._blob is not None:
            self._blob.discard()


class _LaterSink(Sink):
    """Writes a stretch that does not begin at the first row; its first bytes tell where it begins in the value."""

    def __init__(self, joint: _Joint, start: int, encoder: Any) -> None:
        super().__init__(ValueWriter(lambda: joint.part(self._at)), encoder)
        self._encoder = encoder
        self._start, self._at = start, -1

    def _process(self, data: Any) -> Iterator[Any]:
        if self._at < 0 and self._encoder.rows:
            self._at = self._start * (memoryview(data).nbytes // self._encoder.rows)
        yield from super()._process(data)


class _Share:
    """What one thread computes: a stretch of each target, in a graph of its own."""

    def __init__(self, run: "SplitRun", regions: Regions, parts: dict[Feature, tuple[int, int]]) -> None:
        self._run, self._regions = run, regions
        self._wanted: dict[str, tuple[int, int]] = {}
        self._begins: dict[str, int] = {}
        self.nodes = Graph()
        self._arguments: dict[str, Any] = {}
        self.parts = parts
        self.outputs: dict[Feature, tuple[Any, ValueWriter]] = {}
        for feature, part in parts.items():
            self._want(feature, part)
        for feature, part in parts.items():
            self._write(feature, part)

    def _want(self, feature: Feature, part: tuple[int, int]) -> None:
        """Widen what is wanted of a feature, and of all that it is made of."""
        name, rows = feature.name or "", self._regions.rows(feature)
        start, stop = self._wanted.get(name, part)
        self._wanted[name] = start, stop = min(start, part[0]), max(stop, part[1])
        if isinstance(rows, Computed):
            self._want(rows.need, rows.locality.needs(start, stop, rows.above.size))

    def _write(self, feature: Feature, part: tuple[int, int]) -> None:
        joint, start = self._run.joints[feature], part[0]
        encoder = feature.make_encoder(self._cut(feature, *part))
        sink = _LaterSink(joint, start, encoder) if start else Sink(ValueWriter(joint.blob), encoder)
        self.nodes[f"{feature.name}/encoder"] = encoder
        self.nodes[f"{feature.name}/sink"] = sink
        self.outputs[feature] = encoder, sink.writer

    def _cut(self, feature: Feature, start: int, stop: int) -> Node:
        node = self._node(feature)
        cut = _Cut(node, self._begins[feature.name or ""], start, stop)
        self.nodes[f"{feature.name}/cut {len(self.nodes)}"] = cut
        return cut

    def _node(self, feature: Feature) -> Node:
        name, rows = feature.name or "", self._regions.rows(feature)
        if name in self.nodes:
            return self.nodes[name]
        start, stop = self._wanted[name]
        if isinstance(rows, Computed):
            first, last = rows.locality.needs(start, stop, rows.above.size)
            above = self._cut(rows.need, first, last)
            node = feature.make_node(dict.fromkeys(feature.named_needs(), above), self._run.inputs)
            node.begin(first)
            self._begins[name] = rows.locality.first(first)
        else:
            assert rows is not None
            node = _Source(rows.apart(), start, stop, self._run.is_over)
            self._arguments[name], self._begins[name] = None, start
        self.nodes[name] = node
        return node

    def compute(self) -> None:
        """Run the graph."""
        with in_one_thread():
            self.nodes.process(**self._arguments)

    def discard(self) -> None:
        """Remove what was written."""
        for _, writer in self.outputs.values():
            writer.discard()


class SplitRun(Run):
    """A computation over one document, of which long stretches are computed side by side.

    Args: as for ``Run``, and

        workers (int): threads, >= 1.
    """

    def __init__(self, *arguments: Any, workers: int = 1) -> None:
        super().__init__(*arguments)
        self.is_over = threading.Event()
        self._workers = workers
        self._shares: list[_Share] = []
        self.joints: dict[Feature, _Joint] = {}

    def compute(self, targets: Iterable[Feature]) -> None:
        targets = list(targets)
        split = self._split(targets) if self._workers > 1 else {}
        if not split:
            super().compute(targets)
            return
        regions = self._regions()
        self.joints = {feature: _Joint(self.database_of(feature)) for feature in split}
        for i in range(self._workers):
            parts = {feature: _part(rows.size, i, self._workers) for feature, rows in split.items()}
            self._shares.append(_Share(self, regions, parts))
        self._compute_beside([feature for feature in targets if feature not in split])
        for feature in split:
            self._join(feature)

    def _regions(self) -> Regions:
        return Regions(self._apart, self.stored, "it")

    def _apart(self) -> Run:
        return Run(self.lineage, self.inputs, self.stored, self.database_of, self.graph.context)

    def _split(self, targets: list[Feature]) -> dict[Feature, Rows]:
        """Return what can be split, with its rows; nothing where all has to be computed in one piece."""
        regions = self._regions()
        found: dict[Feature, Rows] = {}
        sources: set[str] = set()
        for feature in targets:
            rows = regions.rows(feature) if getattr(feature.encoder, "can_join", False) else None
            if rows is None or not _has_parts(rows.size, self._workers):
                continue
            made_of = _chain(regions, feature)
            top = regions.rows(made_of[-1])
            if top is None or not top.can_part or top.size < _LEAST * self._workers:
                continue
            found[feature] = rows
            sources |= {each.name or "" for each in made_of}
        for feature in targets:
            if feature not in found and sources & _ancestors(self.lineage, feature):
                _log.info("%s cannot be split, so nothing is that it is made of; one thread computes it", feature.name)
                return {}
        return found

    def _compute_beside(self, rest: list[Feature]) -> None:
        """Run all shares in threads, and what cannot be split in this one."""
        failures: list[BaseException] = []

        def work(share: _Share) -> None:
            try:
                share.compute()
            except _Ended:
                pass
            except BaseException as error:  # noqa: BLE001 - raised again below
                failures.append(error)
                self.is_over.set()

        threads = [threading.Thread(target=work, args=(s,), name="zounds_lite split") for s in self._shares]
        with side_by_side:
            try:
                for thread in threads:
                    thread.start()
                super().compute(rest)
                for thread in threads:
                    thread.join()
            finally:
                self.is_over.set()
                for thread in threads:
                    thread.join()
        if failures:
            raise failures[0]

    def _join(self, feature: Feature) -> None:
        """Join all stretches of a value.

        Raises:
            GraphError: one of them has other rows than the locality of its node says.
        """
        outputs = [share.outputs[feature] for share in self._shares]
        for share, (encoder, _) in zip(self._shares, outputs, strict=True):
            start, stop = share.parts[feature]
            if encoder.rows != stop - start:
                raise GraphError(
                    f"{feature.name}: rows {start} to {stop} came out as {encoder.rows} rows, so the locality of "
                    f"{type(share.nodes[feature.name or '']).__name__} is wrong; mend it, or pass workers=1"
                )
        whole = outputs[0][1]
        for _, writer in outputs[1:]:
            self.joints[feature].join(whole, writer)
        header = type(outputs[0][0]).join([encoder.header for encoder, _ in outputs])
        joined: Any = SimpleNamespace(header=header, has_input=True)
        self.writers[feature.name or ""] = feature, joined, whole

    def discard(self) -> None:
        super().discard()
        for share in self._shares:
            share.discard()
        for joint in self.joints.values():
            joint.discard()

    def marks(self) -> Any:
        found = super().marks()
        for share in self._shares:
            for name, node in share.nodes.items():
                if name in self.lineage.features:
                    noted = found.setdefault(name, [])
                    noted.extend(note for note in node.marks if note not in noted)
        return found


def _chain(regions: Regions, feature: Feature) -> list[Feature]:
    """Return a feature and what it is made of, up to what is read from the source."""
    chain = [feature]
    while isinstance(rows := regions.rows(chain[-1]), Computed):
        chain.append(rows.need)
    return chain


def _ancestors(lineage: Lineage, feature: Feature) -> set[str]:
    """Return the names of all that a feature is made of, directly or not."""
    found: set[str] = set()
    for name, need in lineage.needs(feature).items():
        found |= {need.name or name} | _ancestors(lineage, need)
    return found


def _has_parts(size: int, count: int) -> bool:
    """Tell whether there is something of a feature for every thread."""
    return all(start < stop for start, stop in (_part(size, i, count) for i in range(count)))


def _part(size: int, i: int, n: int) -> tuple[int, int]:
    """Return the i-th of n stretches of ``size`` rows."""
    edges = [size * k // n - size * k // n % _ALIGNED for k in range(n)] + [size]
    return edges[i], edges[i + 1]
