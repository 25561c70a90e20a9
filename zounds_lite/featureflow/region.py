"""Regions: a stretch of a feature, read or computed for that stretch only.

Goal: ``document[TimeSlice(...)].bark`` costs what the stretch costs, whether ``bark`` is stored or not. The stretch is
pushed up through the graph, from each node's locality, to the nearest stored value or to a place in the source that can
be sought; then the nodes run on those rows alone. Conventions: rows are counted from the start of the whole document;
an axis of time translates the index, clips it as arrays do, and says where the result starts. What cannot be had in
part (a node without locality, a source that only goes forward) is computed whole and then cut, which the log says.

Classes: ``Rows`` (what can be read from anywhere), ``Computed`` (of them), ``Regions``.
"""

import abc
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from zounds_lite.errors import DimensionError, UnitIndexError, ZoundsError
from zounds_lite.featureflow.codecs import StoredValue
from zounds_lite.featureflow.feature import Aspect, Feature
from zounds_lite.featureflow.locality import Locality
from zounds_lite.featureflow.node import Chunks
from zounds_lite.featureflow.run import Run, ValueWriter

__all__ = ["Computed", "Regions", "Rows"]

_log = logging.getLogger(__name__)


class Rows(abc.ABC):
    """The rows of a feature, any of which can be read by itself."""

    size: int
    """How many there are."""

    @abc.abstractmethod
    def read(self, start: int, stop: int) -> Any:
        """Return rows ``start`` to ``stop``, with their units; none where the two are equal."""

    def checked(self, start: int, stop: int) -> Any:
        """Return the same rows for a computation, which must not rest on stored bytes that nobody checked."""
        return self.read(start, stop)

    can_part = False
    """True where ``apart`` gives the same rows to another thread."""

    def apart(self) -> "Rows":
        """Return the same rows for another thread, which do not wait for these; only where ``can_part`` is true."""
        raise NotImplementedError(f"{type(self).__name__} cannot be read by several threads apart")

    _example: Any = None

    @property
    def example(self) -> Any:
        """A few rows, or none, with the units of all."""
        if self._example is None:
            self._example = self.read(0, min(1, self.size))
        return self._example


class _Value(Rows):
    """The rows of a value that is at hand; slicing it costs its own length."""

    def __init__(self, value: Any, stored: StoredValue | None = None) -> None:
        self.size = len(value)
        self._value, self._stored = value, stored

    def read(self, start: int, stop: int) -> Any:
        return self._value[start:stop]

    def checked(self, start: int, stop: int) -> Any:
        if self._stored is not None and isinstance(self._value, np.ndarray) and self.size:
            row = len(self._stored.data) // self.size
            self._stored.verified(start * row, stop * row)
        return self.read(start, stop)


class Computed(Rows):
    """The rows of a feature that its node makes of some rows of another one.

    Args:
        feature (Feature): the feature.
        inputs (Mapping[str, Any]): the keywords of ``process``, for each ``Var``.
        need (Feature): the other one.
        above (Rows): its rows.
        locality (Locality): which of them the node needs.
    """

    def __init__(
        self, feature: Feature, inputs: Mapping[str, Any], need: Feature, above: Rows, locality: Locality
    ) -> None:
        self._feature, self._inputs = feature, inputs
        self.need, self.above, self.locality = need, above, locality
        self.size = locality.length(above.size) if above.size else 0

    @property
    def example(self) -> Any:
        if self._example is None:
            try:
                self._example = self._run(self.above.example, 0)
            except ZoundsError:  # a node may refuse an input without rows, or with very few
                return super().example
        return self._example

    def read(self, start: int, stop: int) -> Any:
        return self._part(start, stop, self._run)

    def checked(self, start: int, stop: int) -> Any:
        return self._part(start, stop, self._stream)

    def _part(self, start: int, stop: int, run: Callable[[Any, int], Any]) -> Any:
        above = self.above
        if stop <= start or not above.size:
            return self.example[:0] if self.size else self._run(above.read(0, 0), 0)
        first, last = self.locality.needs(start, stop, above.size)
        found = run(above.checked(first, last), first)
        at = self.locality.first(first)
        return found[start - at : stop - at]

    def _stream(self, rows: Any, start: int) -> Any:
        """Run the node over rows from row ``start`` on, for a node below it: as in a stream, without the codec."""
        node = self._feature.make_node({}, self._inputs)
        node.begin(start)
        chunks = Chunks(node.run([rows]))
        is_array = chunks and all(isinstance(chunk, np.ndarray) and chunk.ndim for chunk in chunks)
        return chunks.combined() if is_array else self._run(rows, start)

    def _run(self, rows: Any, start: int) -> Any:
        """Run the node over rows that begin at row ``start``; its results pass through the codec, as they always do."""
        node = self._feature.make_node({}, self._inputs)
        node.begin(start)
        encoder, writer = self._feature.make_encoder(node), ValueWriter(None)
        with node, encoder:
            for chunk in node.run([rows]):
                _write(encoder.push(chunk, node), writer)
            _write(encoder.end(node), writer)
        data = np.frombuffer(writer.data(), np.uint8)
        return self._feature.decode(StoredValue(getattr(encoder, "header", {}), data, self._feature.name or ""))


def _write(parts: Iterator[Any], writer: ValueWriter) -> None:
    for part in parts:
        writer.write(part)


class Regions:
    """All regions of one document, as one snapshot shows it.

    Args:
        run (Callable): makes a ``Run`` over what is stored and over the sources.
        stored (Callable): returns the stored and fresh value of a feature, or None.
        what (str): names the document, for the log and for errors.
    """

    def __init__(self, run: Callable[[], Run], stored: Callable[[Feature], StoredValue | None], what: str) -> None:
        self._make_run, self._stored, self._what = run, stored, what
        self._rows: dict[str, Rows | None] = {}

    def read(self, feature: Feature, index: Any, whole: Callable[[], Any]) -> Any:
        """Return a feature for a stretch.

        Args:
            feature (Feature): what to read.
            index (Any): a stretch that the first axis of the feature translates to rows.
            whole (Callable): returns the whole feature, where there is no other way.

        Raises:
            DimensionError: the feature has no axis of time.
        """
        rows = self.rows(feature)
        if rows is None:
            _log.info("%s of %s is read whole for a part of it", feature.name, self._what)
            value = whole()
            if hasattr(value, "iter_slices") and _axis(value) is None:
                return value[index]  # a series with a variable rate: what overlaps the stretch
            rows = None if _axis(value) is None else _Value(value)
        axis = self.axis(feature, rows)
        found = index if index == slice(None) else axis.integer_based_slice(index)
        if not isinstance(found, slice) or found.step not in (None, 1):
            raise UnitIndexError(
                f"{index!r} is no stretch of time; allowed: a TimeSlice, or a slice of durations such as "
                "[Seconds(1):Seconds(2)]"
            )
        assert rows is not None  # or it had no axis
        return _part(rows, axis, *found.indices(rows.size)[:2])

    def crop(self, feature: Feature, duration: np.timedelta64, rng: np.random.Generator) -> Any:
        """Return a random stretch of a feature, of as many rows as begin within ``duration``; None of a shorter one."""
        rows = self.rows(feature)
        axis = self.axis(feature, rows)
        length = max(1, axis.samples_in(duration))
        if rows is None or rows.size < length:
            return None
        start = int(rng.integers(rows.size - length + 1))
        return _part(rows, axis, start, start + length)

    def end(self, features: Iterable[Feature]) -> np.timedelta64:
        """Return when the document ends, by the first of its features that has an axis of time.

        Raises:
            DimensionError: none has.
        """
        for feature in features:
            rows = self.rows(feature)
            if rows is not None and _axis(rows.example) is not None:
                end: np.timedelta64 = self.axis(feature, rows).end
                return end
        raise DimensionError(f"no feature of {self._what} can be read in part, so it has no windows in time")

    def axis(self, feature: Feature, rows: Rows | None) -> Any:
        """Return the axis of time of a feature.

        Raises:
            DimensionError: it has none.
        """
        axis = None if rows is None else _axis(rows.example)
        if rows is None or axis is None:
            raise DimensionError(
                f"{feature.name} of {self._what} has no axis of time, so a stretch of time means nothing for it; "
                "read it from the document itself"
            )
        return axis.with_size(rows.size)

    def rows(self, feature: Feature) -> Rows | None:
        """Return what reads rows of a feature; None where it can only be had whole."""
        name = feature.name or ""
        if name not in self._rows:
            self._rows[name] = self._found(feature)
        return self._rows[name]

    def _found(self, feature: Feature) -> Rows | None:
        value = self._stored(feature)
        if value is not None:
            decoded = feature.decode(value)
            return _Value(decoded, value) if _axis(decoded) is not None else None
        needs = list(feature.named_needs().values())
        if len(needs) != 1 or isinstance(needs[0], Aspect):
            return None
        run = self._make_run()
        need = run.lineage.resolve(needs[0])
        node = feature.make_node({}, run.inputs)
        if node.reads_source:
            return node.open_rows(self._make_run().first_chunk(need, node.takes_parts))
        above = self.rows(need)
        if above is None:
            return None
        locality = node.locality(above.example)
        return None if locality is None else Computed(feature, run.inputs, need, above, locality)


def _part(rows: Rows, axis: Any, start: int, stop: int) -> Any:
    """Return some rows, which know where they start."""
    part = rows.read(start, max(start, stop))
    return part.placed(axis.part(start, len(part)))


def _axis(value: Any) -> Any:
    """Return the axis of time of a value, which can place a part of it; None where it has none."""
    dimensions = getattr(value, "dimensions", None)
    axis = dimensions[0] if dimensions else getattr(value, "time_dimension", None)
    return axis if hasattr(axis, "part") else None
