"""A store of one's own, one SQLite file, and its contract: run by ``pytest examples/contracts``.

It belongs to one process, which its connection makes plain: it cannot be pickled.
"""

import sqlite3
import threading
import uuid

import numpy as np

from zounds_lite import featureflow as ff
from zounds_lite.errors import KeyNotFound
from zounds_lite.featureflow.stores.base import BlobWriter, Database, Garbage
from zounds_lite.featureflow.stores.checks import (
    blobs_in,
    check_id,
    check_own,
    check_size,
    own_record,
    released_blobs,
)
from zounds_lite.testing.contracts import DatabaseContract

TABLES = "records", "failures", "blobs"


def key_of(_id):
    """Ids are any text, lone surrogates included, so they are kept as bytes."""
    return check_id(_id).encode("utf-8", "surrogatepass")


class SqliteBlob(BlobWriter):
    def __init__(self, store):
        super().__init__()
        self._store, self._parts = store, []
        self._name = uuid.uuid4().hex
        store.under_way.add(self._name)

    def _append(self, data):
        self._parts.append(bytes(data))

    def _publish(self):
        self._store.run("INSERT INTO blobs VALUES (?, ?)", self._name.encode(), b"".join(self._parts))
        return self._name

    def discard(self):
        self._parts = []
        self._store.remove_blob(self._name)


class SqliteDatabase(Database):
    def __init__(self, path):
        self.path = path
        self.under_way = set()  # blobs that no record names yet
        self._lock = threading.RLock()
        self._connection = None

    def _open(self):
        if self._connection is None:
            self._connection = sqlite3.connect(self.path, timeout=60, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")  # what change() wrote is durable when it returns
            for table in TABLES:
                self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (key BLOB PRIMARY KEY, value BLOB)")
        return self._connection

    def run(self, command, *arguments):
        with self._lock:
            return self._open().execute(command, arguments).fetchall()

    def _value(self, table, key):
        found = self.run(f"SELECT value FROM {table} WHERE key = ?", key)
        return found[0][0] if found else None

    def close(self):
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None

    # records and the ledger

    def get(self, _id):
        raw = self._value("records", key_of(_id))
        if raw is not None:
            check_own(raw, _id)
        return raw

    def get_failure(self, _id):
        return self._value("failures", key_of(_id))

    def change(self, changes, failures=None):
        with self._lock:
            self.run("BEGIN IMMEDIATE")
            try:
                released, named = set(), set()
                for _id, change in changes.items():
                    old = own_record(self._value("records", key_of(_id)), _id)
                    new = self._set("records", _id, change(old))
                    released |= released_blobs(old, new)
                    named |= blobs_in([new] if new is not None else [])
                for _id, change in (failures or {}).items():
                    self._set("failures", _id, change(self.get_failure(_id)))
                self.run("COMMIT")
            except BaseException:
                self.run("ROLLBACK")
                raise
            self.under_way -= named
            for name in released:
                self.remove_blob(name)

    def _set(self, table, _id, new):
        if check_size(new, _id) is None:
            self.run(f"DELETE FROM {table} WHERE key = ?", key_of(_id))
        else:
            self.run(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", key_of(_id), new)
        return new

    def iter_ids(self):
        for (key,) in self.run("SELECT key FROM records"):
            yield key.decode("utf-8", "surrogatepass")

    def iter_failures(self):
        for (entry,) in self.run("SELECT value FROM failures"):
            yield entry

    def __len__(self):
        return self.run("SELECT count(*) FROM records")[0][0]

    # blobs

    def create_blob(self):
        return SqliteBlob(self)

    def open_blob(self, name):
        data = self._value("blobs", name.encode())
        if data is None:
            raise KeyNotFound(f"no blob {name!r} in {self.path}")
        return np.frombuffer(data, np.uint8)

    def remove_blob(self, name):
        self.run("DELETE FROM blobs WHERE key = ?", name.encode())
        self.under_way.discard(name)

    def iter_blobs(self):
        for key, size in self.run("SELECT key, length(value) FROM blobs"):
            yield key.decode(), size

    def collect_garbage(self):
        with self._lock:
            named = blobs_in(value for (value,) in self.run("SELECT value FROM records"))
            unnamed = {name: size for name, size in self.iter_blobs() if name not in named}
            garbage = unnamed.keys() - self.under_way
            for name in garbage:
                self.remove_blob(name)
        return Garbage(len(garbage), sum(unnamed[name] for name in garbage), len(unnamed) - len(garbage))


class TestSqlite(DatabaseContract):
    def create(self, path):
        path.mkdir(exist_ok=True)
        return SqliteDatabase(path / "store.sqlite")


def test_documents_live_in_it(tmp_path):
    class Settings(ff.PersistenceSettings):
        id_provider = ff.UserSpecifiedIdProvider("_id")
        database = SqliteDatabase(tmp_path / "store.sqlite")

    class Text(ff.BaseModel, Settings):
        words = ff.JSONFeature(str.split, store=True)

    Text.process(words="to be or not", _id="hamlet")
    assert Text("hamlet").words == ["to", "be", "or", "not"]
