"""Snapshot: one document as it stands in the store at one moment, against the code and sources of now.

Goal: all that is read of a document belongs together. A value is served if its lineage and the content of its sources
are today's; otherwise it is computed from what is. A snapshot maps the blobs of its record when it is taken, so it
stays readable when another writer replaces the document. Only where a process holds very many maps are they opened when
needed; if they are gone by then, ``Outdated`` is raised. Class: ``Snapshot``.
"""

import io
import logging
import weakref
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, FeatureNotComputable, KeyNotFound, StoreError, StoreFull, StoreLocked
from zounds_lite.featureflow.codecs import StoredValue
from zounds_lite.featureflow.commit import Change, Outdated, commit
from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.lineage import Explanation, Lineage, explain_lineage
from zounds_lite.featureflow.record import INLINE_LIMIT, Entry, Marks, Record, verified, verify
from zounds_lite.featureflow.region import Regions
from zounds_lite.featureflow.run import Run
from zounds_lite.featureflow.sources import KEPT, is_recoverable, reads_kept, refreshed, restore_source, what_changed
from zounds_lite.featureflow.stores.base import Database
from zounds_lite.featureflow.stores.memory import InMemoryDatabase

__all__ = ["Snapshot"]

_log = logging.getLogger(__name__)

_MOST_MAPS = 16_384
"""Blobs that snapshots hold open in a process; Linux allows 65,530 maps by default."""

_MAPS: "weakref.WeakValueDictionary[tuple[Database, str], np.ndarray]" = weakref.WeakValueDictionary()
"""What snapshots hold open, by database and blob."""


class Snapshot:
    """A document at one moment.

    Args:
        model (type[BaseModel]): the document's class.
        _id (str): the document.

    Raises:
        KeyNotFound: there is no such document.
        CorruptValue: its record is damaged.
        Outdated: it was replaced while it was opened.
    """

    def __init__(self, model: Any, _id: str) -> None:
        self.model = model
        self.id = _id
        self.record: Record = model._database().read(_id)
        self.is_used = False
        self._others: dict[int, Record] = {}
        self._maps: dict[str, np.ndarray] = {}
        self._hold(self.record.blobs, model._database())

    def _hold(self, blobs: Iterable[str], database: Database) -> None:
        """Map blobs, so that they stay readable when they are removed."""
        for name in blobs:
            found = _MAPS.get((database, name))
            if found is None:
                if len(_MAPS) >= _MOST_MAPS:
                    return
                try:
                    found = database.open_blob(name)
                except KeyNotFound:
                    self._check_current(name, database)
                    continue  # it is missing; whoever reads it is told
                except (StoreError, OSError):
                    continue  # whoever reads it is told, and all other values are readable
                _MAPS[database, name] = found
            self._maps[name] = found

    @cached_property
    def lineage(self) -> Lineage:
        """The lineage of the model, as its code is now."""
        return self.model.lineage()

    @cached_property
    def sources(self) -> dict[str, Any]:
        """The sources as they are now."""
        return {name: refreshed(source) for name, source in self.record.sources.items()}

    @property
    def source_changed(self) -> bool:
        """True where a stored value was made from other content than its source has now."""
        stored = [(f, self.entry(f)) for f in self.model.features.values() if f.store]
        return any(entry is not None and not self._is_from_today(feature, entry) for feature, entry in stored)

    def entry(self, feature: Feature) -> Entry | None:
        """Return what is stored of a feature, fresh or not; None where nothing is."""
        database = self.model._database(feature)
        record = self.record if database is self.model._database() else self._other(database)
        return record.entries.get(feature.key or "") if feature.store else None

    def _other(self, database: Database) -> Record:
        """Return what another database has of the document, as of the moment when it was first asked."""
        found = self._others.get(id(database))
        if found is None:
            raw = database.get(self.id)
            other = Record(self.id) if raw is None else Record.from_bytes(raw, f"the record of {self.id!r}")
            found = self._others.setdefault(id(database), other)
            self._hold(found.blobs, database)
        return found

    def _is_from_today(self, feature: Feature, entry: Entry) -> bool:
        """Tell whether a value was made from the sources as they are now."""
        hashes = {name: source["hash"] for name, source in self.sources.items()}
        return entry.source == self.lineage.source_digest(feature, hashes)

    def stored(self, feature: Feature) -> StoredValue | None:
        """Return the stored value of a feature if it is fresh."""
        entry = self.entry(feature)
        if entry is None or entry.lineage != self.lineage.hash(feature) or not self._is_from_today(feature, entry):
            return None
        return self.value(entry, feature.name or "", self.model._database(feature))

    def value(self, entry: Entry, name: str, database: Database) -> StoredValue:
        """Return the bytes of an entry: from the record, checked, or a map of its blob, checked where it is copied.

        Raises:
            CorruptValue: they are damaged.
        """
        what = f"feature {name!r} of document {self.id!r}"
        self.is_used = True
        if entry.blob is None:
            data = memoryview(entry.data or b"")
            verify(data, entry.checks, what)
            return StoredValue(entry.header, np.frombuffer(data, np.uint8), what)
        try:
            blob = self._maps[entry.blob] if entry.blob in self._maps else database.open_blob(entry.blob)
        except KeyNotFound as error:
            self._check_current(entry.blob, database)
            raise CorruptValue(f"{what}: {error}; process the document again to replace it") from error
        except CorruptValue as error:
            raise CorruptValue(f"{what}: {error}") from error
        if len(blob) < entry.size:
            raise CorruptValue(f"{what}: its blob is cut to {len(blob)} of {entry.size} bytes; process it again")
        # the checksum table is read when something is copied, not when the blob is mapped
        check = _on_first_use(lambda: verified(blob.data, entry.size, entry.checks[0], what))
        return StoredValue(entry.header, blob[: entry.size], what, check)

    def _check_current(self, blob: str, database: Database) -> None:
        """Raise ``Outdated`` if the document no longer names the blob, because it was replaced."""
        raw = database.get(self.id)
        if raw is None or blob not in Record.from_bytes(raw, f"the record of {self.id!r}").blobs:
            raise Outdated

    def fetch(self, feature: Feature) -> Any:
        """Return the value of a feature: stored and fresh, or computed (and stored, if the feature is)."""
        value = self.stored(feature)
        if value is None:
            return self.compute([feature])[feature.name or ""]
        return feature.decode(value)

    @cached_property
    def regions(self) -> Regions:
        """What reads and computes stretches of the features."""
        return Regions(
            lambda: Run(self.lineage, self._inputs(), self.stored, self.model._database),
            self.stored,
            f"document {self.id!r}",
        )

    def open_source(self, name: str) -> io.BufferedReader | None:
        """Return the kept original bytes of a root as a file, or None where they were not kept."""
        entry = self.record.entries.get(KEPT + name)
        return None if entry is None else self.value(entry, KEPT + name, self.model._database()).open()

    def _inputs(self) -> dict[str, Any]:
        """Values for the roots and Vars that can be had again."""
        return {
            name: restore_source(source, self.open_source(name) if self._is_kept(name) and reads_kept(source) else None)
            for name, source in self.record.sources.items()
            if is_recoverable(source, self._is_kept(name))
        }

    def _is_kept(self, name: str) -> bool:
        """Tell whether the document holds the original bytes of a root as they are now."""
        entry = self.record.entries.get(KEPT + name)
        return entry is not None and entry.source == self.sources[name]["hash"]

    def compute(self, features: list[Feature], must_store: bool = False) -> dict[str, Any]:
        """Compute features from what is stored and fresh, commit those that are stored, and return all values by name.

        Args:
            features (list[Feature]): what to compute.
            must_store (bool): raise where another writer replaced the document meanwhile, or where the store takes
                nothing, instead of handing out the values, which belong to this snapshot, without storing them.

        Raises:
            FeatureNotComputable: nothing that is stored leads to one of them.
            KeyNotFound: the document was deleted meanwhile.
            Outdated: it was replaced meanwhile, and ``must_store`` is set.
            StoreFull, StoreLocked: the store is full, read-only or held by another program, and ``must_store`` is set.
        """
        try:
            return self._computed_in(self.model._database, features, must_store)
        except (StoreFull, StoreLocked) as error:
            if must_store:
                raise
            _log.warning("what was computed of document %r is not kept: %s", self.id, error)
        scratch = InMemoryDatabase()
        return self._computed_in(lambda feature: scratch, features, is_kept=False)

    def _computed_in(
        self,
        database_of: Callable[[Feature], Database],
        features: list[Feature],
        must_store: bool = False,
        is_kept: bool = True,
    ) -> dict[str, Any]:
        """Compute features with a database for large values; commit them, unless they are not to be kept."""
        run = Run(self.lineage, self._inputs(), self.stored, database_of)
        names = ", ".join(feature.name or "" for feature in features)
        try:
            run.compute(features)
            inline = sum(entry.size for entry in self.record.entries.values() if entry.blob is None)
            hashes = {name: source["hash"] for name, source in self.sources.items()}
            entries = run.entries(hashes, room=max(0, INLINE_LIMIT - inline))
            values = {feature.name or "": self._computed(run, entries, feature, database_of) for feature in features}
        except FeatureNotComputable as error:
            run.discard()
            raise FeatureNotComputable(f"{names} of document {self.id!r}: {error}") from error
        except BaseException:
            run.discard()
            raise
        if entries and is_kept:
            try:
                self._commit(entries, run.marks())
            except Outdated:
                if must_store:
                    raise
        return values

    def _computed(
        self, run: Run, entries: dict[Feature, Entry], feature: Feature, database_of: Callable[[Feature], Database]
    ) -> Any:
        """Return the value of a computed feature; a blob is mapped, so it outlives a commit that is refused."""
        if not feature.store:
            return run.value(feature)
        return feature.decode(self.value(entries[feature], feature.name or "", database_of(feature)))

    def _commit(self, entries: dict[Feature, Entry], marks: Marks) -> None:
        change = Change(self.id, self.lineage, entries, self.sources, marks=marks, based_on=self.record.sources)
        for feature, entry in entries.items():
            self._hold([entry.blob] if entry.blob else [], self.model._database(feature))
        commit([change], self.model._database)
        self.model._announce(self.id, entries)
        main = self.model._database()
        added = {f.key or "": entry for f, entry in entries.items() if self.model._database(f) is main}
        # made anew, never changed: other threads may be reading the document
        self.record = replace(
            self.record,
            sources=self.sources,
            marks={**self.record.marks, **marks},
            entries={**self.record.entries, **added},
        )
        self._others = {}

    def explain(self, feature: Feature) -> Explanation:
        """Say whether a stored value is fresh and, if not, what differs."""
        name = feature.name or ""
        entry = self.entry(feature)
        if entry is None:
            return Explanation(name, stored=False)
        current = self.lineage.hash(feature)
        tree = self.lineage.description_tree(feature)
        reasons = explain_lineage(name, entry.lineage, current, self.record.descriptions, tree)
        if not self._is_from_today(feature, entry):
            changed = [
                what_changed(self.record.sources[r]) for r in sorted(self.lineage.roots(feature)) if r in self.sources
            ]
            reasons.append(f"the content of the source changed: {', '.join(changed)}")
        return Explanation(name, stored=True, reasons=reasons)


def _on_first_use(make: Callable[[], Callable[[int, int], memoryview]]) -> Callable[[int, int], memoryview]:
    """Return a function that is made when it is first called."""
    made: list[Callable[[int, int], memoryview]] = []

    def call(start: int, stop: int) -> memoryview:
        if not made:
            made.append(make())
        return made[0](start, stop)

    return call
