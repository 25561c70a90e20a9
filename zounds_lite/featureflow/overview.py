"""Overview: what a store holds, feature by feature.

Goal: say in one table how many documents there are, what takes the room, how much of it is stale, which features the
class of now does not declare any more, what failed, and what is left over; and which documents are the largest. Every
byte that the store takes is on one line of the table. Function: ``info``; classes ``StoreInfo``, ``FeatureInfo``,
``DocumentInfo``.
"""

import heapq
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from zounds_lite.errors import CorruptValue, DeclarationError, KeyNotFound
from zounds_lite.featureflow.display import escaped, html_table
from zounds_lite.featureflow.record import Record
from zounds_lite.featureflow.snapshot import Snapshot
from zounds_lite.featureflow.sources import KEPT
from zounds_lite.featureflow.stores.base import Database
from zounds_lite.featureflow.stores.maintenance import disk_bytes
from zounds_lite.featureflow.stores.verification import examined, with_progress

__all__ = ["DocumentInfo", "FeatureInfo", "StoreInfo", "amount", "info"]

_HEAD = ("feature", "documents", "in records", "in blobs", "stale")
_MOST_ROWS = 300
"""Lines of a table that a notebook shows."""


@dataclass
class FeatureInfo:
    """What a store holds of one feature.

    Attributes:
        documents (int): how many documents have it.
        inline (int): bytes in the records.
        blobs (int): bytes in blobs.
        stale (int | None): values that code or sources of now would not make; None where no class was given.
        declared (bool | None): whether the class stores it; None where no class was given.
    """

    documents: int = 0
    inline: int = 0
    blobs: int = 0
    stale: int | None = None
    declared: bool | None = None

    @property
    def stale_share(self) -> float | None:
        """The part of the values that is stale, 0 to 1."""
        return None if self.stale is None else self.stale / max(1, self.documents)


@dataclass
class DocumentInfo:
    """What a store holds of one document.

    Attributes:
        id (str): which one.
        bytes (int): all that it takes: its record, and the files of its blobs.
        kept (int): of these, original bytes of its sources.
        features (dict[str, int]): bytes of its values, by feature.
    """

    id: str
    bytes: int = 0
    kept: int = 0
    features: dict[str, int] = field(default_factory=dict)


@dataclass
class StoreInfo:
    """What a store holds.

    Attributes:
        store (str): which one.
        format (int): version of the stored format.
        durability (str): "full", "relaxed" or "none".
        documents (int): how many there are.
        damaged (int): documents whose record cannot be read; ``verify`` names them.
        failed (int): documents that could not be made, by the ledger.
        features (dict[str, FeatureInfo]): what is stored, by feature.
        undeclared (list[str]): features that the class does not store: renamed or removed since.
        blobs (int): large values.
        orphans (int): blobs that no document names; ``gc`` removes those that nobody is writing.
        orphan_bytes (int): their size.
        kept (int): bytes of original sources, which ``features`` lists too, as ``source:`` and the root.
        headers (int): bytes of the records beside the values: names, units, lineage, checksums.
        tables (int): bytes of the blobs' files beside the values: checksums.
        rest (int): everything else: the index, free pages, what failed, and what the disk rounds up. With it, the
            values, the headers, the tables and the orphans, the sum is ``bytes``.
        bytes (int): room that the store takes, on its disk or in memory.
        largest (list[DocumentInfo]): the largest documents, where they were asked for.
    """

    store: str
    format: int
    durability: str
    documents: int = 0
    damaged: int = 0
    failed: int = 0
    features: dict[str, FeatureInfo] = field(default_factory=dict)
    undeclared: list[str] = field(default_factory=list)
    blobs: int = 0
    orphans: int = 0
    orphan_bytes: int = 0
    kept: int = 0
    headers: int = 0
    tables: int = 0
    rest: int = 0
    bytes: int = 0
    largest: list[DocumentInfo] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the overview as strict JSON."""
        values = asdict(self)
        for name, feature in self.features.items():
            values["features"][name]["stale_share"] = feature.stale_share
        return values

    def __str__(self) -> str:
        rows = self._rows()
        table = [_HEAD, *rows] if self.features else rows
        return "\n".join([*self._summary(), *_table(table), *self._documents()])

    def _repr_html_(self) -> str:
        parts = [f"<div>{'<br>'.join(map(escaped, self._summary()))}</div>"]
        rows = self._rows()
        if len(rows) > _MOST_ROWS:
            parts.append(f"<div>the first {_MOST_ROWS} of {len(rows)} lines; print it to see all</div>")
        parts.append(html_table(_HEAD, rows[:_MOST_ROWS]))
        if self.largest:
            largest = [(one.id, amount(one.bytes), amount(one.kept)) for one in self.largest[:_MOST_ROWS]]
            parts.append(html_table(["document", "all", "kept source"], largest))
        return f"<div>{''.join(parts)}</div>"

    def _summary(self) -> list[str]:
        return [
            f"{self.store}: format {self.format}, durability {self.durability}",
            f"{self.documents} documents, {self.damaged} of them damaged; {self.failed} failed",
            f"{amount(self.bytes)} in all; {self.blobs} blobs, {self.orphans} of them ({amount(self.orphan_bytes)}) "
            "named by no document",
        ]

    def _rows(self) -> list[tuple[str, ...]]:
        """A line for each feature, and for what is beside them."""
        rows: list[tuple[str, ...]] = []
        rows += [self._row(name, one) for name, one in self.features.items() if not name.startswith(KEPT)]
        rows += [self._row(name, one) for name, one in self.features.items() if name.startswith(KEPT)]
        if rows:
            rows.append(("headers and checksums", "", amount(self.headers), amount(self.tables), ""))
            rows.append(("index and the rest", "", amount(self.rest), "", ""))
        return rows

    def _row(self, name: str, one: FeatureInfo) -> tuple[str, ...]:
        title, share = name, one.stale_share
        if name.startswith(KEPT):
            title, share = f"kept source of {name.removeprefix(KEPT)}", None
        stale = "" if share is None else "not declared" if one.declared is False else f"{100 * share:.0f} %"
        return title, str(one.documents), amount(one.inline), amount(one.blobs), stale

    def _documents(self) -> list[str]:
        """A line for each of the largest documents."""
        if not self.largest:
            return []
        names = sorted({name for one in self.largest for name in one.features if not name.startswith(KEPT)})
        rows: list[tuple[str, ...]] = [("document", "all", "kept source", *names)]
        for one in self.largest:
            sizes = (amount(one.features[name]) if name in one.features else "" for name in names)
            rows.append((one.id, amount(one.bytes), amount(one.kept) if one.kept else "", *sizes))
        return ["", *_table(rows)]


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    """Lay out rows in columns: text, then numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for name, *cells in rows:
        numbers = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
        lines.append("  ".join([name.ljust(widths[0]), *numbers]).rstrip())
    return lines


def amount(count: float) -> str:
    """Bytes for people.

    Examples:
        >>> amount(999), amount(1234567)
        ('999 B', '1.2 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def info(store: Any, model: Any = None, progress: bool = False, largest: int = 0) -> StoreInfo:
    """Say what a store holds.

    Args:
        store (Database | str | Path): the store; a damaged one is read as far as it can be.
        model (type[BaseModel] | None): a document class of that store. With it, the overview says what is stale and
            what the class does not store any more.
        progress (bool): show a bar on stderr, if that is a terminal.
        largest (int): list so many of the largest documents.

    Raises:
        StoreFormatError: there is no store, or it has a newer format.
        DeclarationError: the class belongs to another store, or ``largest`` is negative.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> @ff.simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     words = ff.JSONFeature(ff.IteratorNode, store=True)
        >>> _id = Document.process(words=["a"])
        >>> found = info(Document.database, Document, largest=1)
        >>> found.documents, found.features["words"].stale_share, found.largest[0].features
        (1, 0.0, {'words': 3})
    """
    if not isinstance(largest, int) or largest < 0:
        raise DeclarationError(f"largest={largest!r}; allowed: a number of documents, 0 or more")
    database, damage = examined(store)
    if model is not None:
        _check_model(model, database)
    if damage:
        model = None  # it would read the store through its index
    found = StoreInfo(str(getattr(database, "path", database)), database.format, database.durability)
    sizes = dict(database.iter_blobs())
    named: set[str] = set()
    ranked: list[tuple[int, int, DocumentInfo]] = []
    for number, (record, size) in enumerate(_records(database, found, progress)):
        named |= record.blobs
        one = _count(found, record, size, sizes, None if model is None else _fresh(model, record.id))
        (heapq.heappush if len(ranked) < largest else heapq.heappushpop)(ranked, (one.bytes, -number, one))
    found.largest = [one for _, _, one in sorted(ranked, reverse=True)]
    if model is not None:
        _compare(found, {f.key or "" for f in model.features.values() if f.store and _is_at_home(model, f)})
    found.failed = sum(1 for _ in database.iter_failures())
    _sum(found, database, named)
    return found


def _sum(found: StoreInfo, database: Database, named: set[str]) -> None:
    """Put every byte of the store on one line."""
    blobs = 0
    for name, size in database.iter_blobs():
        found.blobs += 1
        blobs += size
        if name not in named:
            found.orphans += 1
            found.orphan_bytes += size
    found.kept = sum(one.inline + one.blobs for name, one in found.features.items() if name.startswith(KEPT))
    found.bytes = disk_bytes(database)
    inline = sum(one.inline for one in found.features.values())
    found.tables = blobs - found.orphan_bytes - sum(one.blobs for one in found.features.values())
    found.rest = found.bytes - blobs - inline - found.headers


def _is_at_home(model: Any, feature: Any) -> bool:
    return model._database(feature) is model._database()


def _check_model(model: Any, database: Database) -> None:
    own = model._database()
    places = [os.path.realpath(path) if (path := getattr(d, "path", None)) else None for d in (own, database)]
    if own is not database and (places[0] is None or places[0] != places[1]):
        raise DeclarationError(f"{model.__name__} keeps its documents in {own!r}, not in {database!r}")


def _records(database: Database, found: StoreInfo, progress: bool) -> Iterator[tuple[Record, int]]:
    """Yield the records, and their bytes."""
    for _id in with_progress(database.iter_ids(), len(database), "document", progress):
        try:
            size = len(database.get(_id) or b"")
            record = database.read(_id)
        except KeyNotFound:  # deleted since it was listed
            continue
        except CorruptValue:
            found.documents += 1
            found.damaged += 1
            continue
        found.documents += 1
        yield record, size


def _fresh(model: Any, _id: str) -> set[str]:
    """Return the keys of the stored values of a document that code and sources of now would make again."""
    stored = [feature for feature in model.features.values() if feature.store and _is_at_home(model, feature)]

    def fresh(snapshot: Snapshot) -> set[str]:
        return {feature.key or "" for feature in stored if not snapshot.explain(feature).stale}

    try:
        return model(_id)._read(fresh)
    except (CorruptValue, KeyNotFound):
        return set()


def _count(found: StoreInfo, record: Record, size: int, blobs: dict[str, int], fresh: set[str] | None) -> DocumentInfo:
    document = DocumentInfo(record.id, size + sum(blobs.get(name, 0) for name in record.blobs))
    for name, entry in record.entries.items():
        one = found.features.setdefault(name, FeatureInfo())
        one.documents += 1
        if entry.blob is None:
            one.inline += entry.size
            size -= entry.size
        else:
            one.blobs += entry.size
        document.features[name] = entry.size
        document.kept += entry.size if name.startswith(KEPT) else 0
        if fresh is not None:
            one.stale = (one.stale or 0) + (name not in fresh and not name.startswith(KEPT))
    found.headers += size
    return document


def _compare(found: StoreInfo, declared: set[str]) -> None:
    for name, one in found.features.items():
        one.declared = name in declared or name.startswith(KEPT)
    found.undeclared = sorted(name for name, one in found.features.items() if not one.declared)
