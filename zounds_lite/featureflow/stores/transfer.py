"""Transfer: documents of one store become documents of another, every byte checked on the way.

A batch of documents is committed at once; their blobs are in the target before. What fails takes its blobs back.
Classes: ``Transfer``, ``CopyReport``.
"""

import itertools
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from zounds_lite.errors import CorruptValue, KeyNotFound, ModelExistsError, StoreLocked
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.stores.base import BlobWriter, Change, Damage, Database
from zounds_lite.featureflow.stores.checks import short_id
from zounds_lite.featureflow.stores.verification import (
    check_document,
    is_current,
    read_ledger,
    read_verified,
    with_progress,
)

__all__ = ["CopyReport", "Transfer"]

_BATCH = 32
_BATCH_BYTES = 32 * 2**20
_TRIES = 20


@dataclass
class CopyReport:
    """What was copied from one or more stores into another.

    Attributes:
        copied (int): documents that the target did not have.
        replaced (int): documents that the target had with other values, which are gone.
        kept (int): documents that the target has with other values, which it kept.
        same (int): documents that the target had already, value for value.
        failures (int): entries of the ledger of failed documents.
        blobs (int): large values.
        bytes (int): size of all values.
        damaged (list[Damage]): what could not be copied.
    """

    copied: int = 0
    replaced: int = 0
    kept: int = 0
    same: int = 0
    failures: int = 0
    blobs: int = 0
    bytes: int = 0
    damaged: list[Damage] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as strict JSON."""
        return asdict(self)

    def __str__(self) -> str:
        counts = {
            "copied": self.copied, "replaced": self.replaced, "kept as they were": self.kept,
            "there already": self.same,
        }  # fmt: skip
        said = ", ".join(f"{count} {what}" for what, count in counts.items() if count or what == "copied")
        lines = [f"documents: {said}; {self.blobs} blobs, {self.bytes} bytes, {self.failures} entries of the ledger"]
        return "\n".join(lines + [f"  left out: {damage}" for damage in self.damaged])


@dataclass
class _Prepared:
    """A document that is about to be committed: what the target held, and what it will hold."""

    id: str
    old: bytes | None
    record: Record
    writers: list[BlobWriter]
    is_beaten: bool = False  # another writer put the document there first, and it is kept


class Transfer:
    """Copies documents into a store, a batch at a time.

    Args:
        target (Database): where they go.
        on_conflict (str): what becomes of a document that the target has with other values: "refuse", "keep",
            "replace", which also checks those that are the same, and replaces them where they are damaged.
        skip_damaged (bool): leave out and report what is damaged.
        progress (bool): show a bar.
    """

    def __init__(self, target: Database, on_conflict: str, skip_damaged: bool, progress: bool) -> None:
        self.target = target
        self.on_conflict = on_conflict
        self.skip_damaged = skip_damaged
        self.progress = progress
        self.report = CopyReport()

    def run(self, sources: list[tuple[Database, list[Damage]]]) -> CopyReport:
        """Copy all documents of all sources, each given with the damage of its structure, then their ledgers.

        Raises:
            CorruptValue: something is damaged, and is not to be skipped.
            ModelExistsError: documents differ, and ``on_conflict`` is "refuse".
        """
        for _, damage in sources:
            for found in damage:
                self._leave_out(found)
        if self.on_conflict == "refuse":
            self._refuse_conflicts([source for source, _ in sources])
        for source, damage in sources:
            self._documents(source, {found.id for found in damage})
            self._ledger(source)
        return self.report

    def _leave_out(self, damage: Damage) -> None:
        if not self.skip_damaged:
            raise CorruptValue(f"{damage}; skip_damaged=True (--skip-damaged) leaves it out")
        self.report.damaged.append(damage)

    def _refuse_conflicts(self, sources: list[Database]) -> None:
        """Look for documents with one id and other values, before anything is copied."""
        found: set[str] = set()
        first: dict[str, Database] = {}
        for source in sources:
            for _id in source.iter_ids():
                others = {self.target, first.setdefault(_id, source)} - {source}
                if any(_differ(_raw(source, _id), _raw(other, _id)) for other in others):
                    found.add(_id)
        if found:
            names = ", ".join(short_id(_id) for _id in sorted(found)[:3]) + (", ..." if len(found) > 3 else "")
            raise ModelExistsError(
                f"{len(found)} documents differ from those of the same id ({names}): "
                'say on_conflict="keep" or "replace" (--on-conflict)'
            )

    def _documents(self, source: Database, named: set[str | None]) -> None:
        ids = iter(with_progress(source.iter_ids(), len(source), "document", self.progress))
        while True:
            batch: list[_Prepared] = []
            try:
                for prepared in filter(None, (self._prepare(source, _id, named) for _id in ids)):
                    batch.append(prepared)
                    size = sum(entry.size for part in batch for entry in part.record.entries.values() if not entry.blob)
                    if len(batch) >= _BATCH or size > _BATCH_BYTES:
                        break
                self._commit(batch)
            except BaseException:
                for writer in itertools.chain.from_iterable(part.writers for part in batch):
                    writer.discard()
                raise
            if not batch:
                return

    def _prepare(self, source: Database, _id: str, named: set[str | None]) -> _Prepared | None:
        """Copy the blobs of a document, and return what to commit; None where there is nothing to do."""
        for _ in range(_TRIES):
            old = _raw(self.target, _id)
            try:
                record = source.read(_id)
            except KeyNotFound:
                return None  # deleted since it was listed
            except CorruptValue as error:
                if _id not in named:
                    self._leave_out(Damage(_id, None, str(error)))
                return None
            if old is not None and self._stays(record, old):
                return None
            found = self._values(source, record)
            if found is not None:
                return _Prepared(_id, old, *found)
        raise StoreLocked(f"document {short_id(_id)} was replaced {_TRIES} times while it was copied; try again")

    def _stays(self, record: Record, old: bytes) -> bool:
        """Tell whether the target's document is left alone, and count why."""
        if not _differ(record, old) and (
            self.on_conflict != "replace" or not any(check_document(self.target, record.id))
        ):
            self.report.same += 1
            return True
        if self.on_conflict == "keep":
            self.report.kept += 1
            return True
        return False

    def _values(self, source: Database, record: Record) -> tuple[Record, list[BlobWriter]] | None:
        """Copy the values of a document; None where it was replaced meanwhile and has to be read again."""
        writers: list[BlobWriter] = []
        entries: dict[str, Entry] = {}
        damaged: list[Damage] = []
        try:
            for name, entry in record.entries.items():
                try:
                    entries[name] = self._value(source, entry, writers)
                except CorruptValue as error:
                    damaged.append(Damage(record.id, name, str(error)))
            if not damaged or is_current(source, record.id, record):
                for found in damaged:
                    self._leave_out(found)
                return replace(record, entries=entries), writers
        except BaseException:
            for writer in writers:
                writer.discard()
            raise
        for writer in writers:
            writer.discard()
        return None

    def _value(self, source: Database, entry: Entry, writers: list[BlobWriter]) -> Entry:
        """Copy one value; its blob, where it has one, gets a writer that is added to ``writers``."""
        if entry.blob is None:
            for _ in read_verified(source, entry, "it"):
                pass
            return entry
        writer = self.target.create_blob()
        try:
            for block in read_verified(source, entry, "it"):
                writer.write(block)
            name, check = writer.finish()
        except BaseException:
            writer.discard()
            raise
        writers.append(writer)
        if check != entry.checks[0]:
            raise CorruptValue("it changed while it was copied")
        return replace(entry, blob=name)

    def _commit(self, batch: list[_Prepared]) -> None:
        if not batch:
            return
        # a document that is there leaves the ledger of those that failed
        self.target.change({part.id: self._change(part) for part in batch}, {part.id: _no_entry for part in batch})
        for part in batch:
            if part.is_beaten:
                self.report.kept += 1
                for writer in part.writers:
                    writer.discard()
                continue
            self.report.copied += part.old is None
            self.report.replaced += part.old is not None
            self.report.blobs += len(part.writers)
            self.report.bytes += sum(entry.size for entry in part.record.entries.values())

    def _change(self, part: _Prepared) -> Change:
        new = part.record.to_bytes()

        def change(old: bytes | None) -> bytes | None:
            part.is_beaten = old not in (None, part.old) and self.on_conflict != "replace"
            if part.is_beaten and self.on_conflict == "refuse":
                raise ModelExistsError(f"document {short_id(part.id)} was made by another writer meanwhile")
            return old if part.is_beaten else new

        return change

    def _ledger(self, source: Database) -> None:
        """Copy the ledger; an entry that the target has stays, and one of a document that it has is not needed."""
        entries: dict[str, bytes] = {}
        for found in read_ledger(source):
            if isinstance(found, Damage):
                self._leave_out(found)
                continue
            failed, raw = found
            is_needed = failed.id not in self.target or failed.id in source
            if is_needed and self.target.get_failure(failed.id) is None:
                entries[failed.id] = raw
            if len(entries) >= _BATCH:
                self._add_failures(entries)
                entries = {}
        self._add_failures(entries)

    def _add_failures(self, entries: dict[str, bytes]) -> None:
        if entries:
            self.target.change({}, {_id: _keep_or(raw) for _id, raw in entries.items()})
            self.report.failures += len(entries)


def _no_entry(old: bytes | None) -> bytes | None:
    return None


def _keep_or(raw: bytes) -> Change:
    return lambda old: raw if old is None else old


def _raw(database: Database, _id: str) -> bytes | None:
    """Return a record, or no bytes where it is damaged so much that the store does not hand it out."""
    try:
        return database.get(_id)
    except CorruptValue:
        return b""


def _differ(first: bytes | Record | None, second: bytes | None) -> bool:
    """Tell whether two documents hold other values; blobs are told apart by their checksums, not by their names."""
    if first is None or second is None or first == second:
        return False
    try:
        return _content(first) != _content(second)
    except CorruptValue:
        return True


def _content(record: bytes | Record) -> Record:
    found = record if isinstance(record, Record) else Record.from_bytes(record)
    values = {name: replace(entry, blob=entry.blob and "blob", data=None) for name, entry in found.entries.items()}
    return replace(found, entries=values)
