"""Overview: what a store holds, feature by feature.

Goal: say in one table how many documents there are, what takes the room, how much of it is stale, which features the
class of now does not declare any more, what failed, and what is left over. Function: ``info``; classes ``StoreInfo``,
``FeatureInfo``.
"""

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from zounds_lite.errors import CorruptValue, DeclarationError, KeyNotFound
from zounds_lite.featureflow.record import Record
from zounds_lite.featureflow.snapshot import Snapshot
from zounds_lite.featureflow.sources import KEPT
from zounds_lite.featureflow.stores.base import Database
from zounds_lite.featureflow.stores.maintenance import disk_bytes
from zounds_lite.featureflow.stores.verification import examined, with_progress

__all__ = ["FeatureInfo", "StoreInfo", "amount", "info"]


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
        bytes (int): room that the store takes, on its disk or in memory.
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
    bytes: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the overview as strict JSON."""
        values = asdict(self)
        for name, feature in self.features.items():
            values["features"][name]["stale_share"] = feature.stale_share
        return values

    def __str__(self) -> str:
        lines = [
            f"{self.store}: format {self.format}, durability {self.durability}",
            f"{self.documents} documents, {self.damaged} of them damaged; {self.failed} failed",
            f"{amount(self.bytes)} in all; {self.blobs} blobs, {self.orphans} of them ({amount(self.orphan_bytes)}) "
            "named by no document",
        ]
        rows = [("feature", "documents", "in records", "in blobs", "stale")] if self.features else []
        for name, one in self.features.items():
            share = one.stale_share
            stale = "" if share is None else "not declared" if one.declared is False else f"{100 * share:.0f} %"
            rows.append((name, str(one.documents), amount(one.inline), amount(one.blobs), stale))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for name, *cells in rows:
            numbers = (cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True))
            lines.append("  ".join([name.ljust(widths[0]), *numbers]).rstrip())
        return "\n".join(lines)


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


def info(store: Any, model: Any = None, progress: bool = False) -> StoreInfo:
    """Say what a store holds.

    Args:
        store (Database | str | Path): the store; a damaged one is read as far as it can be.
        model (type[BaseModel] | None): a document class of that store. With it, the overview says what is stale and
            what the class does not store any more.
        progress (bool): show a bar on stderr, if that is a terminal.

    Raises:
        StoreFormatError: there is no store, or it has a newer format.
        DeclarationError: the class belongs to another store.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> @ff.simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     words = ff.JSONFeature(ff.IteratorNode, store=True)
        >>> _id = Document.process(words=["a"])
        >>> found = info(Document.database, Document)
        >>> found.documents, found.features["words"].stale_share
        (1, 0.0)
    """
    database, damage = examined(store)
    if model is not None:
        _check_model(model, database)
    if damage:
        model = None  # it would read the store through its index
    found = StoreInfo(str(getattr(database, "path", database)), database.format, database.durability)
    named: set[str] = set()
    for record in _records(database, found, progress):
        named |= record.blobs
        _count(found, record, None if model is None else _fresh(model, record.id))
    if model is not None:
        _compare(found, {f.key or "" for f in model.features.values() if f.store and _is_at_home(model, f)})
    found.failed = sum(1 for _ in database.iter_failures())
    for name, size in database.iter_blobs():
        found.blobs += 1
        if name not in named:
            found.orphans += 1
            found.orphan_bytes += size
    found.bytes = disk_bytes(database)
    return found


def _is_at_home(model: Any, feature: Any) -> bool:
    return model._database(feature) is model._database()


def _check_model(model: Any, database: Database) -> None:
    own = model._database()
    places = [os.path.realpath(path) if (path := getattr(d, "path", None)) else None for d in (own, database)]
    if own is not database and (places[0] is None or places[0] != places[1]):
        raise DeclarationError(f"{model.__name__} keeps its documents in {own!r}, not in {database!r}")


def _records(database: Database, found: StoreInfo, progress: bool) -> Iterator[Record]:
    for _id in with_progress(database.iter_ids(), len(database), "document", progress):
        try:
            record = database.read(_id)
        except KeyNotFound:  # deleted since it was listed
            continue
        except CorruptValue:
            found.documents += 1
            found.damaged += 1
            continue
        found.documents += 1
        yield record


def _fresh(model: Any, _id: str) -> set[str]:
    """Return the keys of the stored values of a document that code and sources of now would make again."""
    stored = [feature for feature in model.features.values() if feature.store and _is_at_home(model, feature)]

    def fresh(snapshot: Snapshot) -> set[str]:
        return {feature.key or "" for feature in stored if not snapshot.explain(feature).stale}

    try:
        return model(_id)._read(fresh)
    except (CorruptValue, KeyNotFound):
        return set()


def _count(found: StoreInfo, record: Record, fresh: set[str] | None) -> None:
    for name, entry in record.entries.items():
        one = found.features.setdefault(name, FeatureInfo())
        one.documents += 1
        if entry.blob is None:
            one.inline += entry.size
        else:
            one.blobs += entry.size
        if fresh is not None:
            one.stale = (one.stale or 0) + (name not in fresh and not name.startswith(KEPT))


def _compare(found: StoreInfo, declared: set[str]) -> None:
    for name, one in found.features.items():
        one.declared = name in declared or name.startswith(KEPT)
    found.undeclared = sorted(name for name, one in found.features.items() if not one.declared)
