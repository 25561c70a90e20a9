"""The half of the contract of stores that asks what becomes of documents while others write, fail and die.

Goal: what was acknowledged stays, what nobody names goes, and nothing half done is ever seen; over threads, and over
processes where the store can be pickled. Class: ``CustodyContract``, a base of ``DatabaseContract``.
"""

import abc
import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, InvalidId, KeyNotFound, ValueTooLarge
from zounds_lite.featureflow.record import Record, read_blob_table, verify
from zounds_lite.featureflow.stores import Database
from zounds_lite.featureflow.stores.checks import MAX_RECORD
from zounds_lite.testing.contracts.records import NASTY_IDS, damaged_record, make_record, raises, write_blob

__all__ = ["CustodyContract"]

_WAIT = 60.0
_SIZE = 2_000_000


def is_shared(database: Database) -> bool:
    """Tell whether a store can be used in other processes."""
    try:
        ForkingPickler.dumps(database)
    except TypeError:
        return False
    return True


def in_child(method: str, work: Callable[..., None], *arguments: Any) -> tuple[Any, Any]:
    """Run ``work(connection, *arguments)`` in a child; return the child and our end of the connection."""
    context: Any = multiprocessing.get_context(method)
    ours, theirs = context.Pipe()
    child = context.Process(target=work, args=(theirs, *arguments))
    child.start()
    theirs.close()
    return child, ours


def _ended(child: Any) -> int:
    child.join(_WAIT)
    if child.is_alive():
        child.kill()
        raise AssertionError("a child did not come to its end")
    return int(child.exitcode)


def _said(connection: Any) -> Any:
    if not connection.poll(_WAIT):
        raise AssertionError("a child said nothing")
    return connection.recv()


def _say_durability(connection: Any, database: Database) -> None:
    connection.send(database.durability)


def _die_while_writing(connection: Any, database: Database) -> None:
    """Leave a blob that is finished and one that is not, and die as from a signal."""
    write_blob(database, bytes(_SIZE))
    database.create_blob().write(bytes(_SIZE))
    connection.send("written")
    os._exit(7)


def _write_and_wait(connection: Any, database: Database) -> None:
    """Write a blob, commit it when told to, and end when told to."""
    _, named = write_blob(database, b"child" * 400_000)
    connection.send(named[0])
    assert connection.recv() == "commit"
    database.put("child", make_record("child", blob=named, size=_SIZE))
    connection.send("committed")
    assert connection.recv() == "end"


def _count(connection: Any, database: Database, times: int) -> None:
    for _ in range(times):
        database.change({"a": _plus_one})


def _plus_one(old: bytes | None) -> bytes:
    count = 0 if old is None else int(bytes(Record.from_bytes(old).entries["text"].data or b""))
    return make_record("a", str(count + 1).encode())


def _methods() -> list[str]:
    return [method for method in ("fork", "spawn") if method in multiprocessing.get_all_start_methods()]


class CustodyContract(abc.ABC):
    """What every store must do for documents that others change, and for those that were never finished."""

    @abc.abstractmethod
    def create(self, path: Path) -> Database:
        """Return an empty store; ``path`` is a fresh folder for its files. A second call opens the same store."""

    # the ledger of failed documents

    def test_an_entry_of_the_ledger_comes_back(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        assert database.get_failure("a") is None and list(database.iter_failures()) == []
        entries = {_id: b"why " + str(number).encode() for number, _id in enumerate(NASTY_IDS)}
        database.change({}, {_id: lambda old, e=entry: e for _id, entry in entries.items()})  # type: ignore[misc]
        assert {_id: database.get_failure(_id) for _id in entries} == entries
        assert sorted(database.iter_failures()) == sorted(entries.values())
        database.change({}, {_id: lambda old: None for _id in entries})
        assert list(database.iter_failures()) == []

    def test_the_ledger_holds_no_documents(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        database.change({"stored": lambda old: make_record("stored")}, {"failed": lambda old: b"why"})
        assert list(database) == ["stored"] and len(database) == 1 and "failed" not in database
        assert database.get("failed") is None and database.get_failure("stored") is None
        with raises(InvalidId, "an empty id in the ledger"):
            database.change({}, {"": lambda old: b"why"})

    def test_a_change_sees_the_ledger_as_it_is(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        seen: list[bytes | None] = []

        def attempt(old: bytes | None) -> bytes:
            seen.append(old)
            return (old or b"") + b"."

        for _ in range(3):
            database.change({}, {"a": attempt})
        assert seen[-1] == b".." and database.get_failure("a") == b"..."

    def test_documents_and_ledger_change_together(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        database.change({}, {"a": lambda old: b"why"})

        def refuse(old: bytes | None) -> bytes | None:
            raise RuntimeError("no")

        with raises(RuntimeError, "a change that fails"):
            database.change({"a": lambda old: make_record("a")}, {"a": lambda old: None, "b": refuse})
        assert "a" not in database and database.get_failure("a") == b"why"
        with raises(RuntimeError, "a change that fails"):
            database.change({"b": refuse}, {"a": lambda old: None})
        assert database.get_failure("a") == b"why", "the ledger changed, though the documents could not"
        database.change({"a": lambda old: make_record("a")}, {"a": lambda old: None})
        assert "a" in database and database.get_failure("a") is None

    # what a store says, and what it refuses

    def test_it_says_how_durable_it_is(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        assert database.durability in ("full", "relaxed", "none")
        if is_shared(database):
            child, connection = in_child("spawn", _say_durability, database)
            assert _said(connection) == database.durability != "none"
            assert _ended(child) == 0

    def test_a_record_that_is_too_long_is_refused(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        database.put("a", make_record("a"))
        too_long = bytes(MAX_RECORD + 1)
        with raises(ValueTooLarge, "a record of more than 64 MiB"):
            database.change({"b": lambda old: make_record("b"), "a": lambda old: too_long})
        assert list(database) == ["a"] and database.get("a") == make_record("a")

    def test_the_record_of_another_document_is_not_served(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        _, named = write_blob(database, bytes(_SIZE))
        other = make_record("other", blob=named, size=_SIZE)
        database.put("other", other)
        for _id in ("a", "y" * 1000):
            database.put(_id, other)
            for read in (database.get, database.read):
                with raises(CorruptValue, "a record that is another document's"):
                    read(_id)
            assert _id in database
            database.put(_id, make_record(_id))
            assert database.read(_id).id == _id
            database.put(_id, other)
            del database[_id]
        assert database.get("other") == other and len(database.open_blob(named[0])) > _SIZE

    # blobs that nobody names

    def test_blobs_are_listed(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        assert list(database.iter_blobs()) == []
        names = {write_blob(database, bytes(size))[1][0] for size in (0, 300_000)}
        database.create_blob().discard()
        found = dict(database.iter_blobs())
        assert found.keys() == names
        assert all(len(database.open_blob(name)) == size for name, size in found.items())

    def test_garbage_is_what_no_record_names_and_nobody_writes(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        _, named = write_blob(database, bytes(_SIZE))
        database.put("a", make_record("a", blob=named, size=_SIZE))
        unfinished = database.create_blob()
        unfinished.write(bytes(_SIZE))
        finished, (name, check) = write_blob(database, b"x" * _SIZE)
        found = database.collect_garbage()
        assert (found.blobs, found.bytes) == (0, 0) and found.kept >= 1
        database.put("b", make_record("b", blob=(name, check), size=_SIZE))
        unfinished.discard()
        found = database.collect_garbage()
        assert (found.blobs, found.bytes, found.kept) == (0, 0, 0)
        assert bytes(database.open_blob(name)[:3]) == b"xxx" and len(database.open_blob(named[0])) > _SIZE

    def test_blobs_of_a_damaged_record_go_when_it_has_gone(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        _, named = write_blob(database, bytes(_SIZE))
        good = make_record("a", blob=named, size=_SIZE)
        database.put("a", good)
        database.put("a", damaged_record(good))
        assert database.collect_garbage().blobs == 0 and len(database.open_blob(named[0])) > _SIZE
        database.put("a", make_record("a", b"again"))
        found = database.collect_garbage()
        assert found.blobs == 1 and found.bytes > _SIZE
        with raises(KeyNotFound, "a blob that was garbage"):
            database.open_blob(named[0])

    def test_garbage_is_collected_while_others_write(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        failures: list[Exception] = []

        def work(name: str) -> None:
            try:
                for number in range(12):
                    _, named = write_blob(database, bytes([number]) * 300_000)
                    _id = f"{name}{number % 3}"
                    database.put(_id, make_record(_id, blob=named, size=300_000))
                    entry = database.read(_id).entries["large"]
                    blob = database.open_blob(entry.blob or "")
                    value = blob.data[:300_000]
                    verify(value, read_blob_table(blob.data, 300_000, entry.checks[0], _id), _id)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported below
                failures.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in "abc"]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            database.collect_garbage()
        for thread in threads:
            thread.join()
        assert not failures, failures[0]
        assert len(list(database.iter_blobs())) == 9, "what is named stays, what is replaced goes"

    def test_what_a_dead_process_left_is_garbage(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        if not is_shared(database):
            return
        _, named = write_blob(database, bytes(_SIZE))
        database.put("a", make_record("a", blob=named, size=_SIZE))
        child, connection = in_child(_methods()[0], _die_while_writing, database)
        assert _said(connection) == "written" and _ended(child) == 7
        found = database.collect_garbage()
        assert found.blobs == 2 and found.bytes > 2 * _SIZE - 2_000_000 and found.kept == 0
        assert [name for name, _ in database.iter_blobs()] == [named[0]]
        assert database.collect_garbage().blobs == 0

    def test_what_a_live_process_writes_is_no_garbage(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        if not is_shared(database):
            return
        for method in _methods():
            child, connection = in_child(method, _write_and_wait, database)
            name = _said(connection)
            found = database.collect_garbage()
            assert (found.blobs, found.kept) == (0, 1)
            connection.send("commit")
            assert _said(connection) == "committed"
            found = database.collect_garbage()
            assert (found.blobs, found.kept) == (0, 0)
            connection.send("end")
            assert _ended(child) == 0
            found = database.collect_garbage()
            assert (found.blobs, found.kept) == (0, 0) and bytes(database.open_blob(name)[:5]) == b"child"
            del database["child"]

    # others who write

    def test_ids_are_complete_while_others_write(self, tmp_path: Path) -> None:
        database, ended = self.create(tmp_path), threading.Event()
        fixed = {f"fixed {number}" for number in range(60)} | {f"{number}" * 500 for number in range(5)}
        for _id in fixed:
            database.put(_id, make_record(_id))

        def work() -> None:
            number = 0
            while not ended.is_set():
                number += 1
                passing, again = f"passing {number % 20}", sorted(fixed)[number % len(fixed)]
                database.change({passing: lambda old, i=passing: make_record(i), again: lambda old: old})  # type: ignore[misc]
                database.change({passing: lambda old: None})

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(15):
                ids = list(database.iter_ids())
                assert len(ids) == len(set(ids)), "an id came twice"
                assert fixed <= set(ids), "a document that stands throughout was left out"
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def test_processes_change_one_record(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        if not is_shared(database):
            return
        database.change({"a": _plus_one})
        children = [in_child(method, _count, database, 25)[0] for method in _methods() for _ in range(2)]
        for _ in range(25):
            database.change({"a": _plus_one})
        assert [_ended(child) for child in children] == [0] * len(children)
        count = int(bytes(database.read("a").entries["text"].data or b""))
        assert count == 1 + 25 * (len(children) + 1)

    def test_an_open_blob_outlives_everything(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        data = np.random.default_rng(0).integers(0, 256, _SIZE, dtype=np.uint8)
        _, named = write_blob(database, data.tobytes())
        database.put("a", make_record("a", blob=named, size=_SIZE))
        held = database.open_blob(named[0])
        for number in range(20):
            database.put(f"b{number}", make_record(f"b{number}", bytes(50_000)))
        database.put("a", make_record("a", b"replaced"))
        database.collect_garbage()
        database.close()
        assert np.array_equal(held[:_SIZE], data)
