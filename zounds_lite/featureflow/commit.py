"""Commit: finished values become a document, all at once.

Blobs are durable before the record that names them; the record is written in one transaction; where that fails, the
blobs are removed again. Features with a database of their own get a record there, written before the model's own, which
makes the document visible. Functions: ``commit``.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.lineage import Lineage
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.stores.base import Database

__all__ = ["commit"]


def commit(
    _id: str,
    lineage: Lineage,
    entries: Mapping[Feature, Entry],
    database_of: Callable[[Feature | None], Database],
    sources: Mapping[str, Any],
    kept: Mapping[str, Entry],
    replace: bool,
) -> None:
    """Write the values of a document.

    Args:
        _id (str): the document.
        lineage (Lineage): the model's.
        entries (Mapping[Feature, Entry]): finished values by feature.
        database_of (Callable): the database of a feature; of the model for None.
        sources (Mapping[str, Any]): descriptions of the sources, by root.
        kept (Mapping[str, Entry]): original bytes, by name.
        replace (bool): drop all that the document held before, instead of adding to it.

    Raises:
        StoreFull, StoreLocked: from the database; nothing of the document has changed in it.
    """
    main = database_of(None)
    own: dict[int, tuple[Database, dict[Feature, Entry]]] = {}
    for feature, entry in entries.items():
        database = database_of(feature)
        own.setdefault(id(database), (database, {}))[1][feature] = entry
    own.setdefault(id(main), (main, {}))
    # the model's own database comes last
    waiting = sorted(own.values(), key=lambda pair: pair[0] is main)
    try:
        while waiting:
            database, values = waiting[0]
            extra = kept if database is main else {}
            database.change({_id: _change(_id, lineage, values, sources, extra, replace)})
            waiting.pop(0)
    except BaseException:
        for database, values in waiting:
            _remove_blobs(database, values.values())
        _remove_blobs(main, kept.values())
        raise


def _remove_blobs(database: Database, entries: Iterable[Entry]) -> None:
    for entry in entries:
        if entry.blob is not None:
            database.remove_blob(entry.blob)


def _change(
    _id: str,
    lineage: Lineage,
    values: Mapping[Feature, Entry],
    sources: Mapping[str, Any],
    kept: Mapping[str, Entry],
    replace: bool,
) -> Callable[[bytes | None], bytes]:
    """Return the change of one record."""

    def change(old: bytes | None) -> bytes:
        record = Record(_id) if replace or old is None else Record.from_bytes(old, f"the record of {_id!r}")
        record.sources.update(sources)
        record.entries.update(kept)
        for feature, entry in values.items():
            record.entries[feature.key or ""] = entry
            record.descriptions.update(lineage.description_tree(feature))
        used = _used_descriptions(record)
        record.descriptions = {key: value for key, value in record.descriptions.items() if key in used}
        return record.to_bytes()

    return change


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
