"""The contract of stores: what every ``Database`` must do.

Goal: a stranger writes a store, names it in a subclass, and pytest does the rest. ``custody`` holds the part of it that
asks what happens to documents while others write, fail and die, ``metadata`` that which finds documents by what they
hold. Class: ``DatabaseContract``; ``NASTY_IDS`` are the ids that it tries.
"""

import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite.errors import CorruptValue, InvalidId, KeyNotFound, StoreError
from zounds_lite.featureflow.record import Record, read_blob_table, verify
from zounds_lite.testing.contracts.metadata import MetadataContract
from zounds_lite.testing.contracts.records import NASTY_IDS, blob_files, damaged_record, make_record, raises

__all__ = ["NASTY_IDS", "DatabaseContract"]


class DatabaseContract(MetadataContract):
    """What every store must do. Inherit it in a test class whose name starts with ``Test`` and define ``create``.

    Examples:
        >>> from zounds_lite.featureflow import InMemoryDatabase
        >>> class TestMine(DatabaseContract):
        ...     def create(self, path):
        ...         return InMemoryDatabase()
    """

    def test_a_record_comes_back(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        database.put("a", make_record("a"))
        assert bytes(database.read("a").entries["text"].data or b"") == b"value"
        assert database.read("a").id == "a"

    def test_an_unknown_id_is_an_error(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        assert database.get("missing") is None
        for action in (database.read, database.__delitem__):
            with raises(KeyNotFound, "an unknown id") as caught:
                action("missing")
            assert "missing" in str(caught[0])

    def test_ids_are_any_text(self, tmp_path: Path) -> None:
        database = self.create(tmp_path / "inside")
        before = {path for path in tmp_path.iterdir() if path.name != "inside"}
        for _id in NASTY_IDS:
            database.put(_id, make_record(_id))
        assert sorted(database.iter_ids()) == sorted(NASTY_IDS) == sorted(iter(database))
        assert all(_id in database and database.read(_id).id == _id for _id in NASTY_IDS)
        assert {path for path in tmp_path.iterdir() if path.name != "inside"} == before

    def test_an_id_must_be_text_and_not_empty(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        refused: list[Any] = ["", None, 7, b"bytes"]
        for _id in refused:
            with raises(InvalidId, repr(_id)):
                database.put(_id, make_record("x"))

    def test_several_records_change_together(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        database.put("a", make_record("a"))

        def refuse(old: bytes | None) -> bytes | None:
            raise RuntimeError("no")

        with raises(RuntimeError, "a change that fails"):
            database.change({"a": lambda old: None, "b": refuse})
        assert list(database) == ["a"]
        database.change({"a": lambda old: None, "b": lambda old: make_record("b")})
        assert list(database) == ["b"] and len(database) == 1

    def test_a_change_sees_the_record_as_it_is(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        seen: list[bytes | None] = []

        def keep(old: bytes | None) -> bytes:
            seen.append(old)
            return make_record("a", b"new")

        database.put("a", make_record("a", b"old"))
        database.change({"a": keep})
        assert seen[-1] == make_record("a", b"old")

    def test_concurrent_changes_are_not_lost(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)

        def add(old: bytes | None) -> bytes:
            count = 0 if old is None else int(bytes(Record.from_bytes(old).entries["text"].data or b""))
            return make_record("a", str(count + 1).encode())

        def work() -> None:
            for _ in range(20):
                database.change({"a": add})

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert bytes(database.read("a").entries["text"].data or b"") == b"80"

    def test_a_blob_comes_back_in_pieces_of_any_size(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        rng = np.random.default_rng(0)
        for size in (0, 1, 262_143, 262_144, 262_145, 3_000_000):
            data = rng.integers(0, 256, size, dtype=np.uint8)
            writer, at = database.create_blob(), 0
            while at < size:
                step = int(rng.integers(1, 1_500_000))
                writer.write(data[at : at + step])
                at += step
            name, check = writer.finish()
            blob = database.open_blob(name)
            assert blob.dtype == np.uint8 and not blob.flags.writeable
            assert np.array_equal(blob[:size], data)
            verify(data.data, read_blob_table(blob.data, size, check, "a blob"), "a blob")

    def test_a_blob_can_be_written_in_parts_where_it_says_so(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        probe = database.create_blob()
        probe.discard()
        if not probe.can_part:
            return
        data = np.random.default_rng(0).integers(0, 256, 3_000_000, dtype=np.uint8)
        for borders in ([1_000_000], [7], [262_144, 524_288], [10, 20, 2_900_000], [3_000_000], [5, 5, 1_500_001]):
            whole, stretches = database.create_blob(), list(pairwise([0, *borders, len(data)]))
            writers = [whole, *(whole.part(start) for start, _ in stretches[1:])]
            for writer, (start, stop) in reversed(list(zip(writers, stretches, strict=True))):
                for at in range(start, stop, 700_001):
                    writer.write(data[at : min(at + 700_001, stop)])
            for part in writers[1:]:
                whole.join(part)
            whole.write(b"and more")
            name, check = whole.finish()
            blob, size = database.open_blob(name), len(data) + 8
            assert np.array_equal(blob[: len(data)], data) and bytes(blob[len(data) : size]) == b"and more"
            verify(blob.data[:size], read_blob_table(blob.data, size, check, "a blob"), "a blob")
            whole.discard()

    def test_parts_of_a_blob_have_to_meet_and_go_with_it(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        whole = database.create_blob()
        if not whole.can_part:
            return
        whole.write(b"x" * 2_000_000)
        for at in (1_999_999, 2_000_001):
            part = whole.part(at)
            part.write(b"y" * 2_000_000)
            with raises(StoreError, "a part that begins elsewhere"):
                whole.join(part)
            part.discard()
        left = whole.part(2_000_000)
        left.write(b"y" * 2_000_000)
        whole.discard()
        left.discard()
        assert not blob_files(tmp_path)

    def test_the_writer_may_reuse_its_buffer(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        writer, buffer = database.create_blob(), np.zeros(2_000_000, np.uint8)
        for value in (1, 2):
            buffer[:] = value
            writer.write(buffer)
        small = np.full(10, 3, np.uint8)
        writer.write(small)
        small[:] = 9
        blob = database.open_blob(writer.finish()[0])
        assert set(blob[:2_000_000].tolist()) == {1} and set(blob[4_000_000:4_000_010].tolist()) == {3}

    def test_blobs_go_with_their_record_and_open_ones_stay_readable(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        writer = database.create_blob()
        writer.write(b"x" * 2_000_000)
        name, check = writer.finish()
        database.put("a", make_record("a", blob=(name, check), size=2_000_000))
        database.put("a", make_record("a", b"changed", blob=(name, check), size=2_000_000))
        held = database.open_blob(name)
        del database["a"]
        assert bytes(held[:3]) == b"xxx"
        with raises(KeyNotFound, "a blob whose record is gone"):
            database.open_blob(name)

    def test_a_discarded_blob_leaves_nothing(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        writer = database.create_blob()
        writer.write(b"x" * 2_000_000)
        writer.discard()
        assert not blob_files(tmp_path)

    def test_a_blob_that_nothing_names_can_be_discarded_after_finish(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        writer = database.create_blob()
        writer.write(b"x" * 2_000_000)
        name, _ = writer.finish()
        held = database.open_blob(name)
        writer.discard()
        writer.discard()
        with raises(KeyNotFound, "a discarded blob"):
            database.open_blob(name)
        assert bytes(held[:3]) == b"xxx" and not blob_files(tmp_path)

    def test_a_damaged_record_can_be_replaced(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        writer = database.create_blob()
        writer.write(b"x" * 2_000_000)
        name, check = writer.finish()
        for _id in ("short", "y" * 1000):
            good = make_record(_id, blob=(name, check), size=2_000_000)
            database.put(_id, good)
            database.put(_id, damaged_record(good))
            assert database.get(_id) == damaged_record(good) and _id in database
            with raises(CorruptValue, "a damaged record"):
                database.read(_id)
            database.put(_id, make_record(_id, b"again"))
            assert bytes(database.read(_id).entries["text"].data or b"") == b"again"
        assert len(database.open_blob(name)) > 2_000_000, "what a damaged record named is left alone"

    def test_a_damaged_record_can_be_deleted(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        for _id in ("short", "y" * 1000):
            database.put(_id, damaged_record(make_record(_id)))
            del database[_id]
            assert _id not in database and database.get(_id) is None
        assert len(database) == 0

    def test_ids_survive_damaged_records(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        ids = ["a", "b", "y" * 1000, "z" * 1000]
        for _id in ids:
            database.put(_id, make_record(_id) if _id[0] in "az" else damaged_record(make_record(_id)))
        assert sorted(database.iter_ids()) == sorted(ids) and len(database) == 4
        assert {database.random_id() for _ in range(100)} == set(ids)

    def test_nothing_stops_an_iteration_over_ids(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        for _id in ("a", "y" * 1000, "z" * 1000):
            database.put(_id, make_record(_id))
        database.put("y" * 1000, b"this is no record at all")
        assert {"a", "z" * 1000} <= set(database.iter_ids())

    def test_it_can_be_closed_while_others_read(self, tmp_path: Path) -> None:
        database, again = self.create(tmp_path), self.create(tmp_path)
        database.put("a", make_record("a"))
        again.put("a", make_record("a"))
        failures: list[Exception] = []
        ended = threading.Event()

        def work() -> None:
            while not ended.is_set():
                try:
                    assert again.get("a") == make_record("a") and list(again.iter_ids()) == ["a"]
                    again.put("a", make_record("a"))
                except Exception as error:  # noqa: BLE001 - whatever it is, it is reported below
                    failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(50):
            database.close()
            assert "a" in database
        ended.set()
        for thread in threads:
            thread.join()
        assert not failures, failures[0]

    def test_it_can_be_closed_and_used_again(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        database.put("a", make_record("a"))
        database.close()
        assert "a" in database
        database.close()

    def test_random_id(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        with raises(KeyNotFound, "random_id of an empty store"):
            database.random_id()
        for _id in "abc":
            database.put(_id, make_record(_id))
        assert {database.random_id() for _ in range(100)} == {"a", "b", "c"}
