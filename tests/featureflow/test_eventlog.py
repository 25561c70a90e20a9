"""The event log: every entry once, in order, for subscribers who come early, late, and go."""

import gc
import itertools
import multiprocessing
import threading

import pytest

from zounds_lite.errors import StoreFormatError
from zounds_lite.featureflow import EventLog, InMemoryChannel


@pytest.fixture
def log(tmp_path):
    made = EventLog(tmp_path / "log", InMemoryChannel())
    yield made
    made.close()


def texts(log, last_id=b""):
    return [text for _, text in log.subscribe(last_id, raise_when_empty=True)]


def test_entries_come_in_order_after_the_last_one_seen(log):
    ids = [log.append(str(i)) for i in range(2500)]
    assert ids == sorted(ids) and texts(log) == [str(i) for i in range(2500)]
    assert texts(log, ids[1999]) == [str(i) for i in range(2000, 2500)] and texts(log, ids[-1]) == []


def test_a_subscriber_who_has_ended_is_forgotten(log):
    log.append("first")
    for _ in range(3):
        assert texts(log) == ["first"]
        left_early = log.subscribe()
        assert next(left_early)[1] == "first"
        left_early.close()
    abandoned = log.subscribe()
    next(abandoned)
    del abandoned
    gc.collect()
    assert log.channel._queues == []


def test_a_live_subscriber_gets_every_entry_once_and_in_order(log):
    log.append("before")
    subscriber, got = log.subscribe(), []
    got.append(next(subscriber))
    threads = [
        threading.Thread(target=lambda name=name: [log.append(f"{name}{i}") for i in range(50)]) for name in "abc"
    ]
    for thread in threads:
        thread.start()
    got += itertools.islice(subscriber, 150)
    for thread in threads:
        thread.join()
    log.unsubscribe()
    assert list(subscriber) == []
    ids = [_id for _id, _ in got]
    assert ids == sorted(set(ids)) and len(got) == 151
    for name in "abc":
        assert [text for _, text in got if text[0] == name and text != "before"] == [f"{name}{i}" for i in range(50)]


def test_the_same_folder_may_be_opened_twice(tmp_path):
    one, other = (EventLog(tmp_path, InMemoryChannel()) for _ in range(2))
    one.append("one")
    other.append("other")
    assert texts(one) == texts(other) == ["one", "other"]
    one.close()
    other.append("after close")
    assert texts(one)[-1] == "after close"
    one.close()


def test_a_clock_that_is_set_back_does_not_move_entries(log, monkeypatch):
    times = iter([5_000_000, 1_000, 2_000])
    monkeypatch.setattr("time.time_ns", lambda: next(times))
    ids = [log.append(text) for text in "abc"]
    assert ids == sorted(ids) and texts(log) == ["a", "b", "c"]


def _append_many(path, name, count):
    log = EventLog(path, InMemoryChannel(), map_size=1 << 20)
    for i in range(count):
        log.append(f"{name}{i} " + "x" * 10_000)


def test_several_processes_grow_the_map_together(tmp_path):
    context = multiprocessing.get_context("spawn")
    log = EventLog(tmp_path, InMemoryChannel(), map_size=1 << 20)
    workers = [context.Process(target=_append_many, args=(tmp_path, name, 150)) for name in "ab"]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        texts(log)
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert sorted(text.split()[0] for text in texts(log)) == sorted(f"{name}{i}" for name in "ab" for i in range(150))
    log.close()


def test_a_folder_that_holds_something_else_is_refused(tmp_path):
    (tmp_path / "data.mdb").write_bytes(b"this is no LMDB file" * 1000)
    with pytest.raises(StoreFormatError, match="no store"):
        EventLog(tmp_path, InMemoryChannel())
