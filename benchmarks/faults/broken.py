"""Defects to inject, by name: with one of them, rows that look for it must report losses.

A defect is a function that patches the library in this process; children apply it again. ``apply`` is called by every
process of a row, with the row's ``Setting.broken``.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

DEFECTS: dict[str, Callable[[], None]] = {}


def defect(function: Callable[[], None]) -> Callable[[], None]:
    """Register a defect under its function's name."""
    DEFECTS[function.__name__] = function
    return function


def apply(name: str | None) -> None:
    """Inject a defect into this process; None injects nothing."""
    if name is not None:
        DEFECTS[name]()


@defect
def sync_off() -> None:
    """Nothing is ever made durable."""
    import lmdb

    real = lmdb.open
    lmdb.open = lambda *args, **kwargs: real(*args, **{**kwargs, "sync": False, "metasync": False})
    os.fsync = os.fdatasync = lambda descriptor: None


@defect
def blobs_unsynced() -> None:
    """Records are made durable; blobs, and the names of their files, are not."""
    real = os.fsync

    def only_others(descriptor: int) -> None:
        if "/blobs" not in os.readlink(f"/proc/self/fd/{descriptor}"):
            real(descriptor)

    os.fsync = only_others


@defect
def no_checksum() -> None:
    """Checksums are never compared: every hash that a reader computes is the one it hopes for."""
    import xxhash

    class Agreeable(int):
        """Equal to whatever it is compared with, as far as a reader can see."""

        def __eq__(self, other: object) -> bool:
            return True

        def __ne__(self, other: object) -> bool:
            return False

        __hash__ = int.__hash__

    real = xxhash.xxh3_64_intdigest
    xxhash.xxh3_64_intdigest = lambda *arguments: Agreeable(real(*arguments))


@defect
def commit_per_feature() -> None:
    """Each feature is committed for itself, so a document becomes visible bit by bit."""
    from dataclasses import replace

    from zounds_lite.featureflow import model

    real = model.commit

    def commit(changes: Any, database_of: Any, failures: Any = None) -> None:
        for change in changes:
            for number, (feature, entry) in enumerate(change.entries.items()):
                later = {"kept": {}, "replaces": False, "must_be_new": False} if number else {}
                time.sleep(0.01 if number else 0)  # as a slow disk would take
                real([replace(change, entries={feature: entry}, **later)], database_of, failures)

    model.commit = commit


@defect
def naive_read() -> None:
    """Each feature is read from the store as it is at that moment, not as of one snapshot."""
    from zounds_lite.featureflow.commit import Outdated
    from zounds_lite.featureflow.model import BaseModel
    from zounds_lite.featureflow.snapshot import Snapshot

    def read(self: Any, action: Callable[[Any], Any]) -> Any:
        while True:
            try:
                return action(Snapshot(type(self), self._checked_id()))
            except Outdated:
                continue

    BaseModel._read = read


@defect
def acknowledge_early() -> None:
    """``change`` returns at once; what it was to write is written when the next change comes."""
    from zounds_lite.featureflow import LmdbDatabase

    real, late = LmdbDatabase.change, []

    def change(self: Any, *arguments: Any) -> None:
        while late:
            real(self, *late.pop(0))
        late.append(arguments)

    LmdbDatabase.change = change


@defect
def blobs_emptied() -> None:
    """A blob that is removed is emptied too, whoever still has it open."""
    from zounds_lite.featureflow.stores.blobs import BlobFolder

    real = BlobFolder.remove

    def remove(self: Any, name: str) -> Any:
        file = self._file(name)
        if file.exists():
            os.truncate(file, 0)
        return real(self, name)

    BlobFolder.remove = remove


@defect
def buffers_handed_out() -> None:
    """Records are handed out as views of LMDB's map, which end with their transaction."""
    from zounds_lite.featureflow import LmdbDatabase
    from zounds_lite.featureflow.stores.lmdb import _key

    def get(self: Any, _id: str) -> Any:
        return self._environment.run(lambda txn, db: txn.get(_key(_id), db=db[b"records"]), buffers=True)

    LmdbDatabase.get = get


@defect
def errors_swallowed() -> None:
    """A node that raises just yields no more."""
    from zounds_lite.featureflow.node import Node

    real = Node._results

    def results(self: Any) -> Iterator[Any]:
        with contextlib.suppress(Exception):
            yield from real(self)

    Node._results = results


@defect
def ids_as_paths() -> None:
    """The files of records are named by their ids, and keys are cut to the longest that LMDB takes."""
    from zounds_lite.featureflow import FileSystemDatabase
    from zounds_lite.featureflow.stores import lmdb
    from zounds_lite.featureflow.stores.base import check_id

    FileSystemDatabase._record_file = lambda self, _id: self.path / "records" / "00" / f"{check_id(_id)}.record"
    lmdb._key = lambda _id: b"i" + check_id(_id).encode("utf-8", "surrogatepass")[:400]


@defect
def map_never_grows() -> None:
    """A full map is the caller's problem."""
    import lmdb

    from zounds_lite.featureflow.stores.environment import Environment

    def resize(self: Any, *arguments: Any) -> None:
        raise lmdb.MapFullError("the map is full")

    Environment._resize = resize


@defect
def full_map_ignored() -> None:
    """What meets a full map is dropped, and the map grows for the next one only."""
    import lmdb

    from zounds_lite.featureflow.stores.environment import Environment

    class Dropped(Exception):
        pass

    real = Environment.run

    def run(self: Any, action: Any, write: bool = False, **how: Any) -> Any:
        def careless(*arguments: Any) -> Any:
            try:
                return action(*arguments)
            except lmdb.MapFullError:
                raise Dropped from None

        try:
            return real(self, careless if write else action, write=write, **how)
        except Dropped:
            self._resize(2 * os.path.getsize(self.path / "data.mdb"))
            return set()

    Environment.run = run


@defect
def unchecked_headers() -> None:
    """Nothing that a recording claims is compared with anything before it is decoded."""
    import importlib

    from zounds_lite.media.claims import Layout

    probe = importlib.import_module("zounds_lite.media.probe")  # the package gives its function of that name

    def believed(source, handle):
        return probe.AudioInfo(handle.format, handle.subtype, handle.samplerate, handle.channels, handle.frames)

    probe.inspect = lambda source, container: Layout()
    probe._info = believed


@defect
def swallowed_damage() -> None:
    """A recording that ends early, or holds no finite numbers, passes for a whole one."""
    from zounds_lite.media.decode import AudioReader

    AudioReader._meet = AudioReader._mark = lambda *arguments: None
    AudioReader._finite = lambda reader, data, start: data


@defect
def blob_names_collide() -> None:
    """Blobs get names that others have had, so a record may name what belongs to another one."""
    import random
    from types import SimpleNamespace

    from zounds_lite.featureflow.stores import blobs

    blobs.uuid = SimpleNamespace(uuid4=lambda: SimpleNamespace(hex=f"{random.randrange(16):032x}"))


@defect
def leases_ignored() -> None:
    """Garbage is all that no record names, also what a live process is writing."""
    from zounds_lite.featureflow.stores.leases import Leases

    Leases.live = lambda self: set()


@defect
def ledger_off() -> None:
    """What failed is not written down."""
    from zounds_lite.featureflow import LmdbDatabase

    real = LmdbDatabase.change

    def change(self: Any, changes: Any, failures: Any = None) -> None:
        for entry in (failures or {}).values():
            entry(None)  # nobody notices
        real(self, changes)

    LmdbDatabase.change = change


@defect
def quarantine_late() -> None:
    """What kills its worker is tried six times."""
    from zounds_lite.datasets import supervisor

    supervisor._DEATHS = 6


@defect
def swallow_full() -> None:
    """A full disk is passed over in silence, and the commit acknowledged."""
    from zounds_lite.errors import StoreFull
    from zounds_lite.featureflow import LmdbDatabase

    real = LmdbDatabase.change

    def change(self: LmdbDatabase, changes: Any, failures: Any = None) -> None:
        with contextlib.suppress(StoreFull):
            real(self, changes, failures)

    LmdbDatabase.change = change  # type: ignore[method-assign]


@defect
def trusting() -> None:
    """What a record says is believed: codec headers are not checked, and what says that it is pickled is unpickled."""
    import pickle

    import numpy as np

    from zounds_lite.errors import CorruptValue
    from zounds_lite.featureflow.arrays import NumpyMetaData
    from zounds_lite.featureflow.typed import TypedDecoder

    def array(self: NumpyMetaData, value: Any) -> Any:
        made = np.zeros(self.shape, self.dtype)
        raw = np.frombuffer(value.verified(), np.uint8)
        made.reshape(-1).view(np.uint8)[: len(raw)] = raw[: made.nbytes]
        return made

    def decode(self: TypedDecoder, value: Any) -> Any:
        if value.header.get("pickle"):
            return pickle.loads(value.bytes())
        raise CorruptValue("no array")

    NumpyMetaData.array = array  # type: ignore[method-assign]
    TypedDecoder.decode = decode  # type: ignore[method-assign]
