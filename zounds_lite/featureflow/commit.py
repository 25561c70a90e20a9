"""Commit: finished values become part of their documents, all at once.

Blobs are durable before the record that names them; the records of several documents are written in one transaction;
where that fails, the blobs are removed again. Features with a database of their own get a record there, written before
the model's own, which makes the document visible. A value there counts only if it was made from the sources that the
model's record names, so one of an attempt that died in between is never served: it is computed anew, or cannot be had.
Names: ``Change``, ``commit``, ``discard``, ``Outdated``.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zounds_lite.errors import CorruptValue, KeyNotFound, ModelExistsError
from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.lineage import Lineage
from zounds_lite.featureflow.record import Entry, Marks, Record
from zounds_lite.featureflow.stores.base import Change as RecordChange, Database

__all__ = ["Change", "Outdated", "commit", "discard"]


class Outdated(Exception):
    """The document was replaced since it was read; the work has to begin again from what it is now."""


@dataclass
class Change:
    """What a commit writes of one document.

    Args:
        id (str): the document.
        lineage (Lineage): the model's.
        entries (Mapping[Feature, Entry]): finished values by feature.
        sources (Mapping[str, Any]): descriptions of the sources, by root.
        kept (Mapping[str, Entry]): original bytes, by name.
        marks (Marks): what the nodes that ran noted, by feature.
        replaces (bool): a new attempt: drop all that the document held before, instead of adding to it.
        must_be_new (bool): refuse a document that exists.
        based_on (Mapping[str, Any] | None): the sources that the values were computed from, where they add to a
            document.
    """

    id: str
    lineage: Lineage
    entries: Mapping[Feature, Entry]
    sources: Mapping[str, Any]
    kept: Mapping[str, Entry] = field(default_factory=dict)
    marks: Marks = field(default_factory=dict)
    replaces: bool = False
    must_be_new: bool = False
    based_on: Mapping[str, Any] | None = None

    def apply(self, old: bytes | None, values: Mapping[Feature, Entry], is_main: bool) -> bytes:
        """Return the new record of one database.

        Raises:
            KeyNotFound: the document was deleted meanwhile.
            Outdated: it was replaced meanwhile.
            ModelExistsError: it must be new and is not.
        """
        if is_main:
            self.check(old)
        record = Record(self.id) if self.replaces or old is None else self._read(old)
        record.sources.update(self.sources)
        if is_main:
            record.entries.update(self.kept)
            record.marks = {name: notes for name, notes in {**record.marks, **self.marks}.items() if notes}
        for feature, entry in values.items():
            record.entries[feature.key or ""] = entry
            record.descriptions.update(self.lineage.description_tree(feature))
        used = _used_descriptions(record)
        record.descriptions = {key: value for key, value in record.descriptions.items() if key in used}
        return record.to_bytes()

    def _read(self, old: bytes) -> Record:
        return Record.from_bytes(old, f"the record of {self.id!r}")

    def check(self, old: bytes | None) -> None:
        """Raise what ``apply`` raises where the model's own record is not what the change was made for."""
        if self.must_be_new and old is not None:
            raise ModelExistsError(f"document {self.id!r} exists; leave out raise_if_exists to replace it")
        if self.replaces:
            return
        if old is None:
            raise KeyNotFound(f"document {self.id!r} was deleted while a feature of it was computed")
        if self._read(old).sources not in (self.based_on, self.sources):
            raise Outdated


def commit(
    changes: Sequence[Change],
    database_of: Callable[[Feature | None], Database],
    failures: Mapping[str, RecordChange] | None = None,
) -> None:
    """Write the values of documents, in one transaction of each database.

    Args:
        changes (Sequence[Change]): what to write, each document once.
        database_of (Callable): the database of a feature; of the model for None.
        failures (Mapping[str, RecordChange] | None): changes of the ledger of failed documents, by id.

    Raises:
        StoreFull, StoreLocked: from the database; nothing of the documents has changed in it.
    """
    main = database_of(None)
    # the model's own database comes last
    others = {id(database): database for change in changes for database in map(database_of, change.entries)}
    others.pop(id(main), None)
    try:
        for change in changes if others else ():
            change.check(_raw(main, change.id))  # again when it is written, but the others come before that
        for database in [*others.values(), main]:
            written = {}
            for change in changes:
                values = {f: entry for f, entry in change.entries.items() if database_of(f) is database}
                if values or database is main:
                    written[change.id] = _applied(change, values, database is main)
            database.change(written, failures if database is main else None)
    except BaseException:
        for change in changes:
            discard(change, database_of)
        raise


def _raw(database: Database, _id: str) -> bytes | None:
    """Return a record as a change gets to see it."""
    try:
        return database.get(_id)
    except CorruptValue:
        return b""


def _applied(change: Change, values: Mapping[Feature, Entry], is_main: bool) -> RecordChange:
    return lambda old: change.apply(old, values, is_main)


def discard(change: Change, database_of: Callable[[Feature | None], Database]) -> None:
    """Give up a change that was not committed: remove its blobs, where no record names them."""
    entries: dict[int, tuple[Database, list[Entry]]] = {}
    placed = [*change.entries.items(), *((None, entry) for entry in change.kept.values())]
    for feature, entry in placed:
        database = database_of(feature)
        entries.setdefault(id(database), (database, []))[1].append(entry)
    for database, found in entries.values():
        _remove_unnamed(database, change.id, found)


def _remove_unnamed(database: Database, _id: str, entries: Iterable[Entry]) -> None:
    """Remove the blobs of entries that did not become part of the document."""
    entries = [entry for entry in entries if entry.blob is not None]
    if not entries:
        return
    try:
        raw = database.get(_id)
        named = Record.from_bytes(raw).blobs if raw is not None else set()
    except CorruptValue:
        named = set()
    for entry in entries:
        if entry.blob not in named:
            database.remove_blob(entry.blob or "")


def _used_descriptions(record: Record) -> set[str]:
    """Lineages that the entries of a record, or anything upstream of them, refer to."""
    used: set[str] = set()
    waiting = [entry.lineage for entry in record.entries.values()]
    while waiting:
        value = waiting.pop()
        if value in record.descriptions and value not in used:
            used.add(value)
            waiting.extend(need["lineage"] for need in record.descriptions[value]["needs"].values())
    return used
