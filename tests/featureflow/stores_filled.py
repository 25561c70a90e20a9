"""Stores that hold something, and ways to look at all of it and to damage it."""

import multiprocessing

import numpy as np
import pytest

from zounds_lite import featureflow as ff
from zounds_lite.featureflow.ledger import FailedDocument
from zounds_lite.featureflow.record import Entry, Record
from zounds_lite.featureflow.stores.verification import read_verified

FORK = multiprocessing.get_context("fork")
LONG = "x" * 700
NAMES = ["a", "b/c", "../d", "e" * 300, LONG, "ümlaut", "\ud800 lone"]


def put(database, _id, version=0, large=300_000):
    """Store a document with a small value and a large one."""
    small = f"{_id} {version}".encode("utf-8", "surrogatepass") * 3
    writer = database.create_blob()
    data = (np.arange(large) + version).astype(np.uint8).tobytes()
    writer.write(data)
    name, check = writer.finish()
    record = Record(_id, {"root": {"kind": "value", "hash": str(version), "value": version}})
    record.entries["small"] = Entry("l", "s", "text/plain", {}, len(small), small, None, _checks(small))
    record.entries["large"] = Entry("l", "s", "application/octet-stream", {}, large, None, name, [check])
    record.marks = {"small": [{"kind": "truncated", "message": "short"}]}
    database.put(_id, record.to_bytes())
    return name


def _checks(data):
    from zounds_lite.featureflow.checksums import Checksums

    checks = Checksums()
    checks.update(memoryview(data))
    return checks.finish()


def fail(database, _id):
    entry = FailedDocument(_id, "NotAudio: no audio")
    database.change({}, {_id: lambda old: entry.to_bytes()})


def contents(database):
    """All values of a store by document and feature, checked as they are read, and its ledger."""
    values = {}
    for _id in database.iter_ids():
        record = database.read(_id)
        values[_id] = (
            record.sources,
            record.marks,
            {name: b"".join(read_verified(database, entry, "it")) for name, entry in record.entries.items()},
        )
    return values, sorted(database.iter_failures())


def make(kind, path):
    if kind == "memory":
        return ff.InMemoryDatabase()
    return ff.LmdbDatabase(path) if kind == "lmdb" else ff.FileSystemDatabase(path, createdirs=True)


KINDS = ["memory", "files", "lmdb"]
every_kind = pytest.mark.parametrize("kind", KINDS)


def blob_file(database, _id):
    name = database.read(_id).entries["large"].blob
    return database.path / "blobs" / name[:2] / f"{name}.blob"


def named(damage):
    return {(found.id, found.feature) for found in damage}


def flip(file, at):
    with open(file, "r+b") as opened:
        opened.seek(at)
        byte = opened.read(1)
        opened.seek(at)
        opened.write(bytes([byte[0] ^ 1]))


def kind_of(database):
    return {"InMemoryDatabase": "memory", "FileSystemDatabase": "files", "LmdbDatabase": "lmdb"}[
        type(database).__name__
    ]
