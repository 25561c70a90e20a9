"""Indexes of a feature: every frame of every document, to be searched, kept beside the store and in step with it.

Goal: an index knows which documents it holds and what made their frames, so ``update`` touches only what was added,
replaced or deleted since. Conventions: a document is in the index once, all of it or not at all; what is added last
comes last. What differs between binary codes and vectors is in ``hamming`` and ``vectorindex``. Class:
``FeatureIndex``; function ``check_count``.
"""

import logging
import shutil
import tempfile
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from zounds_lite.errors import DeclarationError, DimensionError, KeyNotFound, WriteOnlyIndex
from zounds_lite.index.best import Nearest
from zounds_lite.index.entries import Document
from zounds_lite.index.following import Batch, IndexUpdate, fingerprint, folder_name, with_progress
from zounds_lite.index.listening import Listener
from zounds_lite.index.places import describe_rows, place_of
from zounds_lite.index.results import SearchResults
from zounds_lite.index.rowstore import RowStore
from zounds_lite.index.view import IndexView
from zounds_lite.timeseries import TimeDimension, TimeSlice, VariableRateTimeSeries

__all__ = ["FeatureIndex", "check_count"]

_log = logging.getLogger(__name__)

_TRIES = 5
_LISTENED = b"listened"


def check_count(n_results: Any) -> int:
    """Return how many results are wanted.

    Raises:
        DeclarationError: it is no count.
    """
    if isinstance(n_results, bool) or not isinstance(n_results, (int, np.integer)) or n_results < 0:
        raise DeclarationError(f"n_results={n_results!r}; allowed: 0 or more")
    return int(n_results)


class FeatureIndex(ABC):
    """What all indexes of a feature share; see ``HammingIndex`` and ``VectorIndex``."""

    kind: str

    def __init__(
        self,
        document: Any,
        feature: Any,
        version: str | None,
        path: Any,
        db_size_bytes: float,
        listen: bool,
        writeonly: bool,
        engine: Any,
        extra_data: Mapping[str, Callable[[Any, TimeSlice], Any]],
    ) -> None:
        wrong = [name for name, function in extra_data.items() if not callable(function)]
        if wrong:
            raise DeclarationError(f"extra data {wrong}: needs functions of a document and a time slice")
        self.document = document
        self.feature = document._feature(feature)
        self.version = self.feature.version if version is None else str(version)
        self.extra_data = dict(extra_data)
        self.writeonly = writeonly
        self.db_size_bytes = int(db_size_bytes)
        self.failed: dict[str, str] = {}
        """Documents that could not be indexed while listening, and why."""
        self._engine = engine
        self._listener: Listener | None = None
        self.path = self._folder(path) / folder_name(self.feature.key, self.version)
        subject = {"kind": self.kind, "feature": self.feature.key, "version": self.version}
        self._store = RowStore(self.path, subject, self.db_size_bytes)
        if listen:
            self.listen()

    def _folder(self, path: Any) -> Path:
        """Return the folder for the index: the given one, or one beside the store."""
        if str(path):
            return Path(path)
        store = getattr(self.document._database(), "path", None)
        if store is not None:
            store = Path(store)
            return store.with_name(f"{store.name}.index")
        made = tempfile.mkdtemp(prefix="zounds-index-")  # documents in memory: their index ends with them
        weakref.finalize(self, shutil.rmtree, made, True)
        return Path(made)

    # what differs

    @abstractmethod
    def _rows(self, data: Any, what: str) -> tuple[np.ndarray, dict[str, Any]]:
        """Return rows of a feature as they are stored, and their layout.

        Raises:
            DimensionError: they are no rows of the kind.
        """

    @abstractmethod
    def _query_rows(self, query: Any) -> tuple[np.ndarray, dict[str, Any]]:
        """Return a query as rows, and their layout; several where it is a batch."""

    @abstractmethod
    def _shown(self, rows: np.ndarray, layout: Mapping[str, Any]) -> Any:
        """Return a row as results show their query."""

    # filling

    def add(self, _id: str, timestamp: bytes = b"") -> bool:
        """Index a document, in place of what the index has of it.

        Args:
            _id (str): the document.
            timestamp (bytes): the entry of the event log that told of it; ``listen`` goes on behind it.

        Returns:
            bool: whether anything changed.

        Raises:
            KeyNotFound: there is no such document.
            DimensionError: its feature has no rows of this kind, or no axis of time.
            StoreFormatError: its rows are of another size than those in the index.
        """
        document = self.document(_id)
        made_by = document._read(lambda at: fingerprint(at.lineage, self.feature, at.record.sources))
        known = self._store.find(_id)
        notes = {_LISTENED: bytes(timestamp)} if timestamp else None
        if known is not None and all(known.get(name) == value for name, value in made_by.items()):
            if notes:
                self._store.change(notes=notes)
            return False
        entry, layout = self._entry(document, made_by)
        self._store.change(layout, [entry], notes=notes)
        return True

    def remove(self, _id: str) -> None:
        """Take a document out of the index; the document itself stays as it is.

        Raises:
            KeyNotFound: the index has no such document.
        """
        if self._store.find(_id) is None:
            raise KeyNotFound(f"the index {str(self.path)!r} has no document {_id!r}")
        self._store.change(removed=[_id])

    def _entry(self, document: Any, made_by: Mapping[str, str]) -> tuple[Document, dict[str, Any] | None]:
        """Return the rows of a document, to be written, and their layout; None where there are none."""
        _id, what = document._id, f"{self.feature.name} of document {document._id!r}"
        value = getattr(document, self.feature.name)
        axis: TimeDimension | None = None
        if isinstance(value, VariableRateTimeSeries):
            rows, layout = self._rows(value.slicedata, what) if len(value) else (None, None)
            slices: Iterable[TimeSlice] = value.slices
        else:
            dimensions = getattr(value, "dimensions", ())
            if not dimensions or not isinstance(dimensions[0], TimeDimension):
                raise DimensionError(f"{what} has no axis of time; an index needs one, to say where something is")
            axis = dimensions[0].replace(size=None, start=None, padding=None, n_samples=None)
            rows, layout = self._rows(value, what)
            slices = map(axis.slice_of, range(len(rows)))
        if rows is None:  # nothing to find
            rows = np.empty((0, 1), np.uint8)
        header = {**made_by, "axis": None if axis is None else axis.to_dict()}
        extras = self._extras(document, slices, axis)
        return Document(_id, rows, header, extras), layout

    def _extras(self, document: Any, slices: Iterable[TimeSlice], axis: TimeDimension | None) -> list[bytes]:
        if axis is not None and not self.extra_data:
            return []
        return list(describe_rows(document, slices, axis is not None, self.extra_data))

    def update(self, progress: bool | None = None) -> IndexUpdate:
        """Bring the index in step with the store: add what is new, replace what was made anew, drop what is gone.

        What was committed stays when this is interrupted, and the next call goes on from there.

        Args:
            progress (bool | None): show a progress bar on stderr; None: only on a terminal.
        """
        known = self._store.documents()
        report, pending = IndexUpdate(), Batch(self._store)
        lineage, database = self.document.lineage(), self.document._database()
        current = lineage.hash(self.feature)
        if known and all(header.get("lineage") != current for _, header in known.values()):
            pending.may_clear = True  # the code changed, so not one row in the index is worth keeping
        ids = list(database.iter_ids())
        for _id in with_progress(ids, progress):
            self._update_one(_id, known.pop(_id, (0, None))[1], lineage, pending, report)
        pending.removed += known
        report.deleted += known
        pending.commit()
        self._store.tidy()
        return report

    def _update_one(self, _id: str, known: Any, lineage: Any, pending: "Batch", report: IndexUpdate) -> None:
        try:
            sources = self.document._database().read(_id).sources
            made_by = fingerprint(lineage, self.feature, sources)
            if known is not None and all(known.get(name) == value for name, value in made_by.items()):
                report.unchanged += 1
                return
            entry, layout = self._entry(self.document(_id), made_by)
            pending.check(layout)
        except KeyNotFound:  # deleted since the listing
            if known is not None:
                pending.removed.append(_id)
                report.deleted.append(_id)
            return
        except Exception as error:  # noqa: BLE001 - one document must not keep the others out; the report names it
            _log.warning("document %r is not in the index: %s", _id, error)
            report.failed[_id] = f"{type(error).__name__}: {error}"
            if known is not None:
                pending.removed.append(_id)
            return
        pending.add(entry, layout)
        (report.added if known is None else report.replaced).append(_id)

    def add_all(self, progress: bool | None = None) -> IndexUpdate:
        """Index all documents of the store; the same as ``update``."""
        return self.update(progress)

    def listen(self) -> None:
        """Index documents as they are stored, in a thread of its own, from where the last one stopped.

        Documents that are deleted are not told of: ``update`` drops them.

        Raises:
            DeclarationError: the document class has no event log.
        """
        log = getattr(self.document, "event_log", None)
        if log is None:
            raise DeclarationError(
                f"{self.document.__name__} has no event log to listen to; set event_log in its settings, or call update"
            )
        if self._listener is None or not self._listener.is_alive:
            self._listener = Listener(log, self._store.note(_LISTENED) or b"", self._heard)

    def _heard(self, _id: str, key: str, timestamp: bytes) -> None:
        if key != self.feature.key and self.feature.store:
            return
        try:
            self.add(_id, timestamp)
        except KeyNotFound:  # deleted since
            self._store.change(removed=[_id], notes={_LISTENED: timestamp})
        except Exception as error:  # noqa: BLE001 - one document must not keep the others out; ``failed`` names it
            _log.warning("document %r is not in the index: %s", _id, error)
            self.failed[_id] = f"{type(error).__name__}: {error}"
            self._store.change(removed=[_id], notes={_LISTENED: timestamp})

    def stop(self) -> None:
        """Stop listening; what was heard of is indexed."""
        if self._listener is not None:
            listener, self._listener = self._listener, None
            listener.stop()

    # searching

    def search(self, query: Any, n_results: int = 10, multithreaded: bool = False, sort: bool = False) -> SearchResults:
        """Find the stretches of documents that are nearest to a query.

        Args:
            query (Any): a row of the feature, or what ``encode_query`` returns.
            n_results (int): how many to find, >= 0; fewer come where there are fewer.
            multithreaded (bool): share the work out among threads.
            sort (bool): accepted for compatibility: results are always sorted.

        Returns:
            SearchResults: nearest first; equal distances in the order in which they came into the index.

        Raises:
            DimensionError: the query is no row of the feature.
            WriteOnlyIndex: the index was opened with ``writeonly``.
        """
        self._check_readable()
        rows, layout = self._query_rows(query)
        if len(rows) != 1:
            raise DimensionError(f"{len(rows)} rows as one query; allowed: one, or search_batch for many")
        return self._search(rows, layout, n_results, multithreaded)[0]

    def search_batch(self, queries: Any, n_results: int = 10, multithreaded: bool = False) -> list[SearchResults]:
        """Find what is nearest to each of several queries; faster than one by one.

        Args:
            queries (np.ndarray): rows of the feature.
            n_results, multithreaded: as for ``search``.
        """
        self._check_readable()
        rows, layout = self._rows(queries, "queries")
        return self._search(rows, layout, n_results, multithreaded)

    def random_search(
        self,
        n_results: int = 10,
        multithreaded: bool = False,
        sort: bool = False,
        rng: np.random.Generator | None = None,
    ) -> SearchResults:
        """Search for a frame that is picked at random; an empty index gives no results and the query None.

        Args:
            n_results, multithreaded, sort: as for ``search``.
            rng (np.random.Generator | None): what chance comes from.
        """
        self._check_readable()
        check_count(n_results)
        view = self._store.view()
        if not view.alive or view.rows is None:
            return SearchResults(None, [], [], self.document)
        row = view.random_row(np.random.default_rng() if rng is None else rng)
        return self._search(np.array(view.rows[row : row + 1]), dict(view.layout or {}), n_results, multithreaded)[0]

    def _check_readable(self) -> None:
        if self.writeonly:
            raise WriteOnlyIndex(
                f"the index {str(self.path)!r} was opened with writeonly=True; open it again to search"
            )

    def _search(
        self, rows: np.ndarray, layout: Mapping[str, Any], n_results: int, multithreaded: bool
    ) -> list[SearchResults]:
        k, threads = check_count(n_results), 0 if multithreaded else 1
        shown = [self._shown(row, layout) for row in rows]
        for last in [False] * (_TRIES - 1) + [True]:
            view = self._store.view()
            if view.layout is not None and view.alive and dict(view.layout) != dict(layout):
                raise DimensionError(f"a query of {dict(layout)} for an index of {view.layout}; allowed: the same")
            count = min(k, view.alive)
            found = self._engine.search(view, rows, count, threads) if count else [Nearest(1, float)] * len(rows)
            try:
                return [self._results(q, view, nearest, last) for q, nearest in zip(shown, found, strict=True)]
            except KeyNotFound:  # a document went away meanwhile
                continue
        raise AssertionError("the last try leaves out what went away")

    def _results(self, query: Any, view: IndexView, nearest: Nearest, leave_out: bool) -> SearchResults:
        results, distances = [], []
        for (number, row), distance in zip(view.locate(nearest.rows), nearest.distances, strict=True):
            try:
                results.append(place_of(self._store, number, row, bool(self.extra_data)))
            except KeyNotFound:
                if not leave_out:
                    raise
                continue
            distances.append(distance)
        return SearchResults(query, results, np.array(distances, nearest.distances.dtype), self.document)

    # the rest

    def __len__(self) -> int:
        return len(self._store)

    def __contains__(self, _id: Any) -> bool:
        return isinstance(_id, str) and self._store.find(_id) is not None

    def compact(self) -> int:
        """Free the room of rows that are gone, and return how many these were; ``update`` does it now and then."""
        return self._store.compact()

    def verify(self) -> list[str]:
        """Compare all rows with their checksums, and return the ids of documents whose rows are damaged."""
        return self._store.verify()

    def close(self) -> None:
        """Stop listening and let go of what is open."""
        try:
            self.stop()
        finally:
            self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.document.__name__}, {self.feature.name}, {len(self)} frames)"
