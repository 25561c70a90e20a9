"""The part of the contract of stores that asks for documents by their metadata.

Goal: a store answers as if it had read every record at that moment, whether it keeps an index or not: nothing is
missed, nothing is found that was replaced or deleted, and types are kept apart. Class: ``MetadataContract``, a base
of ``DatabaseContract``.
"""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zounds_lite.featureflow.record import Record
from zounds_lite.featureflow.stores import Database
from zounds_lite.featureflow.stores.criteria import Criterion, between, wanted
from zounds_lite.testing.contracts.custody import CustodyContract, _ended, _said, in_child, is_shared
from zounds_lite.testing.contracts.records import NASTY_IDS, damaged_record, make_json_record, make_record

__all__ = ["MetadataContract"]

_VALUES: list[Any] = [
    None, True, False, 0, 1, -1, 7, 7.5, -7.5, 2**53, 2**53 + 1, -(2**53) - 1, 10**40, -(10**400), 1e300, 5e-324,
    "", "7", "a", "a\0", "a\0b", "b", "\u00e9", "\ud800", "x" * 200, "x" * 201, "x" * 200 + "y", "y" * 5000,
]  # fmt: skip
"""Each of them is another one; texts and numbers are in order."""


def ask(**fields: Any) -> list[Criterion]:
    """Return criteria for the fields of ``meta``."""
    return [Criterion("meta", name, wanted(value)) for name, value in fields.items()]


def _find(database: Database, **fields: Any) -> list[str]:
    return sorted(database.find(ask(**fields)))


def _fill(database: Database, values: Sequence[Any]) -> None:
    """Write documents "0", "1", ..., whose field ``x`` has these values."""
    news = {f"{n}": make_json_record(f"{n}", meta={"x": value}) for n, value in enumerate(values)}
    database.change({_id: lambda old, new=new: new for _id, new in news.items()})  # type: ignore[misc]


def _write_in_child(connection: Any, database: Database) -> None:
    database.put("1", make_json_record("1", meta={"x": "child"}))
    database.put("new", make_json_record("new", meta={"x": "child"}))
    del database["2"]
    connection.send(_find(database, x="child"))


class MetadataContract(CustodyContract):
    """What every store must answer when it is asked for documents by their metadata."""

    def test_a_value_is_found_by_its_type(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        _fill(database, _VALUES)
        for number, value in enumerate(_VALUES):
            assert _find(database, x=value) == [f"{number}"], repr(value)[:50]
        assert _find(database, x=7.0) == [f"{_VALUES.index(7)}"] and _find(database, x="8") == []
        assert _find(database, x=_VALUES) == sorted(f"{number}" for number in range(len(_VALUES)))
        assert _find(database, x=[]) == [] == _find(database, y=1)
        counts = database.count_values("meta", "x")
        assert sorted(map(repr, counts)) == sorted(repr((value, 1)) for value in _VALUES)
        short = [value for value, _ in counts if not (isinstance(value, str) and len(value) > 200)]
        assert list(map(repr, short)) == list(map(repr, _ordered(short)))

    def test_ranges_are_found(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        values = [-3, -2.5, 0, 0.1, 2, 2**60, 2**60 + 1, "10", "2", "2a", "b", True]
        _fill(database, values)
        for low, high in [(-2.5, 2), (None, 0), (0.05, None), (2**60 + 1, 2**61), ("2", "b"), (None, "2"), (5, 1)]:
            expected = [f"{n}" for n, value in enumerate(values) if _lies(value, low, high)]
            assert _find(database, x=between(low, high)) == sorted(expected), (low, high)
        assert _find(database, x=[between(0, 1), "b"]) == ["10", "2", "3"]

    def test_all_criteria_must_be_met(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        for number in range(60):
            meta = {"label": number % 10, "speaker": "ann" if number % 3 else "theo", "take": number}
            database.put(f"{number}", make_json_record(f"{number}", meta=meta, other={"label": 7}))
        assert _find(database, label=7, speaker="theo") == ["27", "57"]
        assert _find(database, label=7, speaker="theo", take=between(30, 60)) == ["57"]
        assert len(database.find([Criterion("other", "label", wanted(7))])) == 60
        assert database.count_values("meta", "speaker", ask(label=7)) == [("ann", 4), ("theo", 2)]

    def test_fields_and_values_are_counted(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        assert database.count_fields() == {} and database.count_values("meta", "x") == []
        long = "z" * 1000
        _fill(database, [1, 1.0, "1", long, long])
        database.put("5", make_json_record("5", meta={"y": None, "list": [1], "dict": {"x": 1}}, words=["a"], n=3))
        database.put("6", make_record("6"))
        assert database.count_fields() == {("meta", "x"): 5, ("meta", "y"): 1}
        assert database.count_values("meta", "x") == [(1, 2), ("1", 1), (long, 2)]
        assert database.count_values("meta", "nothing") == []

    def test_replaced_and_deleted_documents_are_not_found(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        _fill(database, ["a"] * 200)
        assert len(_find(database, x="a")) == 200
        for number in range(50):
            database.put(f"{number}", make_json_record(f"{number}", meta={"x": "b", "y": number}))
            del database[f"{number + 50}"]
            database.put(f"{number + 100}", make_record(f"{number + 100}"))
        database.change({"0": lambda old: old})
        assert len(_find(database, x="a")) == 50 and len(_find(database, x="b")) == 50
        assert _find(database, y=49) == ["49"]
        assert database.count_fields() == {("meta", "x"): 100, ("meta", "y"): 50}
        for _id in list(database):
            del database[_id]
        assert database.count_fields() == {} and _find(database, x=["a", "b"]) == []
        _fill(database, ["a"])
        assert _find(database, x="a") == ["0"] and not list(database.inspect_index())

    def test_a_change_that_fails_leaves_the_metadata_alone(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        _fill(database, ["a", "a"])
        assert _find(database, x="a") == ["0", "1"]

        def refuse(old: bytes | None) -> bytes | None:
            raise RuntimeError("no")

        try:
            database.change({"0": lambda old: make_json_record("0", meta={"x": "b"}), "1": refuse})
        except RuntimeError:
            assert _find(database, x="a") == ["0", "1"] and _find(database, x="b") == []

    def test_any_id_is_found(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        for times in range(2):
            for _id in NASTY_IDS:
                database.put(_id, make_json_record(_id, meta={"x": times}))
            assert _find(database, x=times) == sorted(NASTY_IDS)

    def test_damaged_documents_are_left_out(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        for _id in ("good", "bad", "y" * 1000):
            database.put(_id, make_json_record(_id, meta={"x": 1}))
        assert len(_find(database, x=1)) == 3
        for _id in ("bad", "y" * 1000):
            database.put(_id, damaged_record(make_json_record(_id, meta={"x": 1})))
        assert _find(database, x=1) == ["good"] and database.count_fields() == {("meta", "x"): 1}
        database.put("bad", make_json_record("bad", meta={"x": 1}))
        assert _find(database, x=1) == ["bad", "good"] and not list(database.inspect_index())

    def test_the_record_of_another_document_is_not_found(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        other = make_json_record("other", meta={"x": 1})
        database.put("other", other)
        database.put("a", other)
        assert _find(database, x=1) == ["other"]
        database.put("a", make_json_record("a", meta={"x": 1}))
        assert _find(database, x=1) == ["a", "other"]

    def test_large_values_are_counted_as_left_out(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        database.put("long", make_json_record("long", meta={"x": "a" * 100_000}))
        database.put("wide", make_json_record("wide", meta={f"{n}": n for n in range(300)}))
        blob = Record.from_bytes(make_record("blob", blob=("0" * 32, 1), size=2_000_000))
        blob.entries["large"].content_type = "application/json"
        database.put("blob", blob.to_bytes())
        assert database.count_fields() == {("", "meta"): 2, ("", "large"): 1}

    def test_it_finds_what_other_processes_wrote(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        if not is_shared(database):
            return
        _fill(database, ["ours"] * 4)
        assert len(_find(database, x="ours")) == 4
        child, connection = in_child("spawn", _write_in_child, database)
        assert _said(connection) == ["1", "new"] and _ended(child) == 0
        assert _find(database, x="ours") == ["0", "3"] and _find(database, x="child") == ["1", "new"]

    def test_it_finds_what_stands_while_others_write(self, tmp_path: Path) -> None:
        database, ended = self.create(tmp_path), threading.Event()
        _fill(database, ["fixed"] * 30)
        failures: list[Exception] = []

        def work(name: str) -> None:
            number = 0
            try:
                while not ended.is_set():
                    number += 1
                    _id = f"{name}{number % 40}"
                    database.put(_id, make_json_record(_id, meta={"x": ["odd", "even"][number % 2], "n": number}))
                    if number % 3 == 0:
                        database.change({f"{name}{(number + 7) % 40}": lambda old: None})
            except Exception as error:  # noqa: BLE001 - whatever it is, it is reported below
                failures.append(error)

        threads = [threading.Thread(target=work, args=(name,)) for name in ("first ", "second ")]
        for thread in threads:
            thread.start()
        try:
            for _ in range(15):
                assert _find(database, x="fixed") == sorted(f"{n}" for n in range(30))
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert not failures, failures[0]
        for value in ("odd", "even"):
            expected = [_id for _id in database if _id[0] in "fs" and _x(database, _id) == value]
            assert _find(database, x=value) == sorted(expected)
        assert not list(database.inspect_index())

    def test_metadata_are_there_when_it_is_opened_again(self, tmp_path: Path) -> None:
        database = self.create(tmp_path)
        _fill(database, ["a", "b"])
        assert _find(database, x="a") == ["0"]
        database.close()
        assert _find(database, x="b") == ["1"] and not list(database.inspect_index())


def _x(database: Database, _id: str) -> Any:
    import json

    return json.loads(bytes(database.read(_id).entries["meta"].data or b""))["x"]


def _ordered(values: Sequence[Any]) -> list[Any]:
    """Return values as a store lists them: constants, numbers, texts."""
    constants = [value for value in (None, False, True) if any(value is one for one in values)]
    numbers = [value for value in values if type(value) in (int, float)]
    texts = [value for value in values if type(value) is str]
    return [*constants, *sorted(numbers), *sorted(texts, key=lambda text: text.encode("utf-8", "surrogatepass"))]


def _lies(value: Any, low: Any, high: Any) -> bool:
    kind = str if isinstance(low if low is not None else high, str) else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind):
        return False
    return (low is None or value >= low) and (high is None or value <= high)
