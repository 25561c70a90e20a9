"""Commit: finished values become part of a document, all at once.

Blobs are durable before the record that names them; the record is written in one transaction; where that fails, the
blobs are removed again. Features with a database of their own get a record there, written before the model's own, which
makes the document visible. Names: ``Change``, ``commit``, ``Outdated``.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from zounds_lite.errors import CorruptValue, KeyNotFound, ModelExistsError
from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.lineage import Lineage
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.stores.base import Database

__all__ = ["Change", "Outdated", "commit"]


class Outdated(Exception):
    """The document was replaced since it was read; the work has to begin again from what it is now."""


@dataclass
class Change:
    """What a commit writes.

    Args:
        id (str): the document.
        lineage (Lineage): the model's.
        entries (Mapping[Feature, Entry]): finished values by feature.
        sources (Mapping[str, Any]): descriptions of the sources, by root.
        kept (Mapping[str, Entry]): original bytes, by name.
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
            self._check(old)
        record = Record(self.id) if self.replaces or old is None else self._read(old)
        record.sources.update(self.sources)
        if is_main:
            record.entries.update(self.kept)
        for feature, entry in values.items():
            record.entries[feature.key or ""] = entry
            record.descriptions.update(self.lineage.description_tree(feature))
        used = _used_descriptions(record)
        record.descriptions = {key: value for key, value in record.descriptions.items() if key in used}
        return record.to_bytes()

    def _read(self, old: bytes) -> Record:
        return Record.from_bytes(old, f"the record of {self.id!r}")

    def _check(self, old: bytes | None) -> None:
        if self.must_be_new and old is not None:
            raise ModelExistsError(f"document {self.id!r} exists; leave out raise_if_exists to replace it")
        if self.replaces:
            return
        if old is None:
            raise KeyNotFound(f"document {self.id!r} was deleted while a feature of it was computed")
        if self._read(old).sources not in (self.based_on, self.sources):
            raise Outdated


def commit(change: Change, database_of: Callable[[Feature | None], Database]) -> None:
    """Write the values of a document.

    Args:
        change (Change): what to write.
        database_of (Callable): the database of a feature; of the model for None.

    Raises:
        StoreFull, StoreLocked: from the database; nothing of the document has changed in it.
    """
    main = database_of(None)
    parts: dict[int, tuple[Database, dict[Feature, Entry]]] = {}
    for feature, entry in change.entries.items():
        database = database_of(feature)
        parts.setdefault(id(database), (database, {}))[1][feature] = entry
    parts.setdefault(id(main), (main, {}))
    # the model's own database comes last
    waiting = sorted(parts.values(), key=lambda part: part[0] is main)
    try:
        for database, values in waiting:
            is_main = database is main
            database.change({change.id: lambda old, v=values, m=is_main: change.apply(old, v, m)})  # type: ignore[misc]
    except BaseException:
        for database, values in waiting:
            extra = change.kept.values() if database is main else ()
            _remove_unnamed(database, change.id, [*values.values(), *extra])
        raise


def _remove_unnamed(database: Database, _id: str, entries: Iterable[Entry]) -> None:
    """Remove the blobs of entries that did not become part of the document."""
    raw = database.get(_id)
    try:
        named = Record.from_bytes(raw).blobs if raw is not None else set()
    except CorruptValue:
        named = set()
    for entry in entries:
        if entry.blob is not None and entry.blob not in named:
            database.remove_blob(entry.blob)


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
