"""Whole stores: copied, merged, and made small again.

Goal: no value passes from one store to another unchecked. Every block of every value is compared with its checksum as
it is read, and stands in the target under the same checksum; nothing is linked, so a copy survives damage of the
original. Documents are copied while others write: each is as it was at one moment, all of its values together; one that
is added or deleted meanwhile may be in the copy or not.

Interrupted work can be started again and goes on: documents that are in the target already, value for value, are passed
over. Functions: ``copy``, ``merge``, ``compact``, ``disk_bytes``; class ``Compaction``.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zounds_lite.errors import CorruptValue, DeclarationError, ModelExistsError
from zounds_lite.featureflow.stores.base import Database
from zounds_lite.featureflow.stores.compaction import compact_file
from zounds_lite.featureflow.stores.files import FileSystemDatabase
from zounds_lite.featureflow.stores.folders import sync_folder
from zounds_lite.featureflow.stores.lmdb import LmdbDatabase
from zounds_lite.featureflow.stores.transfer import CopyReport, Transfer
from zounds_lite.featureflow.stores.verification import examined

__all__ = ["Compaction", "CopyReport", "compact", "copy", "disk_bytes", "merge"]

_CONFLICTS = ("refuse", "keep", "replace")


@dataclass(frozen=True)
class Compaction:
    """Bytes that a store took on the disk before and after it was compacted, and how many blobs went."""

    before: int
    after: int
    blobs: int

    def __str__(self) -> str:
        return f"{self.before} bytes before, {self.after} after; {self.blobs} blobs that no document names were removed"


def copy(source: Any, target: Any, skip_damaged: bool = False, progress: bool = False) -> CopyReport:
    """Copy a store: its documents with all their values, and its ledger of failed documents.

    Args:
        source (Database | str | Path): the store; others may write to it meanwhile. A damaged structure is read
            without trusting it, and documents that can be brought back are.
        target (Database | str | Path): an empty store, or a path where nothing is. There the store appears once it is
            whole; until then it stands beside it, as ``NAME.unfinished``, and is gone on with.
        skip_damaged (bool): leave out values that are damaged, and documents whose record is, and report them.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        CopyReport: what was copied.

    Raises:
        CorruptValue: something is damaged, and ``skip_damaged`` is not set.
        ModelExistsError: there is something at the target.
        StoreFull: there is no room left.

    Examples:
        >>> from zounds_lite.featureflow import InMemoryDatabase
        >>> print(copy(InMemoryDatabase(), InMemoryDatabase()))
        documents: 0 copied; 0 blobs, 0 bytes, 0 entries of the ledger
    """
    if isinstance(target, Database):
        if len(target):
            raise ModelExistsError(f"{target!r} holds {len(target)} documents; copy to a new place, or use merge")
        return merge([source], target, "replace", skip_damaged, progress)
    path = Path(os.path.abspath(target))
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise ModelExistsError(f"there is something at {str(path)!r}; copy to a new place, or use merge")
    if not isinstance(source, Database):
        _check_apart(Path(source), path)
    database, damage = examined(source)
    unfinished = path.with_name(f"{path.name}.unfinished")
    made: Database = (
        FileSystemDatabase(unfinished, createdirs=True)
        if isinstance(database, FileSystemDatabase)
        else LmdbDatabase(unfinished)
    )
    try:
        for _id in [_id for _id in made.iter_ids() if _id not in database]:
            made.change({_id: lambda old: None})  # deleted since an attempt that was interrupted
        report = Transfer(made, "replace", skip_damaged, progress).run([(database, damage)])
        made.collect_garbage()
    finally:
        made.close()
    if path.exists():
        path.rmdir()
    os.replace(unfinished, path)
    sync_folder(path.parent)
    return report


def _check_apart(source: Path, target: Path) -> None:
    here = Path(os.path.realpath(source))
    if here == Path(os.path.realpath(target)) or here in Path(os.path.realpath(target)).parents:
        raise DeclarationError(f"{str(target)!r} lies in the store {str(source)!r} itself; copy to another place")


def merge(
    sources: Sequence[Any], target: Any, on_conflict: str = "refuse", skip_damaged: bool = False, progress: bool = False
) -> CopyReport:
    """Copy the documents of stores into one store.

    Documents are committed 32 at a time, so a merge that is interrupted can be started again and goes on. The target
    may be in use meanwhile.

    Args:
        sources (Sequence[Database | str | Path]): the stores, or one of them; they are not changed.
        target (Database | str | Path): where the documents go; a store on LMDB is made where there is none.
        on_conflict (str): what becomes of a document that the target has with other values. "refuse" raises before
            anything is copied; "keep" leaves the target's; "replace" takes the source's, of several sources the last,
            and also mends documents of the target that are damaged.
        skip_damaged (bool): leave out values that are damaged, and documents whose record is, and report them.
        progress (bool): show a bar on stderr, if that is a terminal.

    Returns:
        CopyReport: what was copied.

    Raises:
        ModelExistsError: two documents have one id, and ``on_conflict`` is "refuse".
        CorruptValue: something is damaged, and ``skip_damaged`` is not set.
        DeclarationError: ``on_conflict`` is none of these, or a source is the target.
    """
    if on_conflict not in _CONFLICTS:
        raise DeclarationError(f"on_conflict={on_conflict!r}: use one of {', '.join(_CONFLICTS)}")
    if isinstance(sources, (str, os.PathLike, Database)):
        sources = [sources]  # the letters of a path are no stores
    opened = [examined(source) for source in sources]
    if not isinstance(target, Database) and (not Path(target).is_dir() or not any(Path(target).iterdir())):
        target = LmdbDatabase(target)
    database, damage = examined(target)
    if damage:
        raise CorruptValue(
            f"{damage[0]}; a damaged store takes no documents: copy it with skip_damaged=True (--skip-damaged)"
        )
    for source, _ in opened:
        if source is database or _place(source) == _place(database) is not None:
            raise DeclarationError(f"{source!r} is the target itself; leave it out of the sources")
    return Transfer(database, on_conflict, skip_damaged, progress).run(opened)


def _place(database: Database) -> str | None:
    path = getattr(database, "path", None)
    return None if path is None else os.path.realpath(path)


def compact(store: Any) -> Compaction:
    """Make a store as small as it can be: blobs that no document names go, and LMDB's file is written anew.

    The index of metadata is made anew as well, from the records.

    LMDB keeps the room of what was deleted for later; this gives it back. Nobody else may have the store open
    meanwhile. A crash at any moment leaves a store that works.

    Args:
        store (Database | str | Path): the store.

    Returns:
        Compaction: bytes on the disk before and after.

    Raises:
        StoreLocked: another program has the store open, or it is read-only.
        CorruptValue: the store is damaged; ``copy`` makes a new one of what is whole.
        StoreFull: there is no room for the new file, which stands beside the old one for a moment.
    """
    database, damage = examined(store)
    if damage:
        raise CorruptValue(
            f"{damage[0]}; a damaged store is not compacted: copy it with skip_damaged=True (--skip-damaged)"
        )
    before = disk_bytes(database)
    garbage = database.collect_garbage()
    if isinstance(database, LmdbDatabase):
        compact_file(database)
    return Compaction(before, disk_bytes(database), garbage.blobs)


def disk_bytes(database: Database) -> int:
    """Return the bytes that a store takes on its disk, or in memory."""
    path = getattr(database, "path", None)
    if path is None:
        records = (database.get(_id) for _id in database.iter_ids())
        return sum(len(raw or b"") for raw in records) + sum(size for _, size in database.iter_blobs())
    total = 0
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                found = os.stat(os.path.join(folder, name))
            except FileNotFoundError:
                continue
            # a file may have holes: LMDB's lock file, say
            total += found.st_blocks * 512 if hasattr(found, "st_blocks") else found.st_size
    return total
