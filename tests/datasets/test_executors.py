"""Executors of all kinds do what workers do; their faults are typed and lose nothing."""

import errno
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

import zounds_lite as zounds
from tests.datasets.documents import Page, bound, contents, write_pages
from zounds_lite import featureflow as ff, ingest
from zounds_lite.errors import DeclarationError, StoreFull, WorkerError
from zounds_lite.featureflow.ledger import read_failures

NAMES = [*(f"{i}" for i in range(50)), "x_large", "y_raise", "z_large_raise"]


class Direct:
    """The least that an executor can be: it works at once, and its results have nothing but ``result``."""

    def __init__(self):
        self.sizes = []

    def submit(self, function, *arguments):
        self.sizes.append(len(arguments[-1]))
        result = function(*arguments)

        class Result:
            def result(self):
                return result

        return Result()


class Late:
    """Gives results back in the reverse order, each from a thread of its own, and cannot be waited for otherwise."""

    def submit(self, function, *arguments):
        future = Future()

        def work():
            time.sleep(0.05)
            future.set_result(function(*arguments))

        threading.Thread(target=work).start()
        return future


def spawned():
    return ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))


@pytest.mark.parametrize("make", [lambda: ThreadPoolExecutor(3), spawned])
def test_pools_store_what_one_process_does(tmp_path, make):
    paths = write_pages(tmp_path / "in", NAMES)
    one, other = bound(tmp_path / "one"), bound(tmp_path / "other")
    whole = ingest(paths, one)
    with make() as executor:
        report = ingest(paths, other, executor=executor)
        again = ingest(paths, other, executor=executor)
    assert sorted(report.processed) == sorted(whole.processed) == sorted(again.skipped)
    assert {f.id: f.reason for f in report.failed} == {f.id: f.reason for f in whole.failed}
    assert [failure.known for failure in again.failed] == [True, True]
    assert contents(one) == contents(other)


@pytest.mark.parametrize("make", [Direct, Late])
def test_anything_with_submit_will_do(tmp_path, make):
    paths, cls = write_pages(tmp_path / "in", NAMES), bound(tmp_path / "store")
    executor = make()
    report = ingest(iter(paths), cls, executor=executor)
    assert (len(report.processed), len(report.failed), report.total) == (51, 2, 53)
    assert set(getattr(executor, "sizes", [8])) <= set(range(1, 33))
    assert getattr(executor, "sizes", [8])[0] == 8


def test_few_items_are_spread(tmp_path):
    executor = Direct()
    ingest(write_pages(tmp_path / "in", ["a", "b", "c"]), bound(tmp_path / "store"), executor=executor)
    assert executor.sizes[0] == 1


def memory_document():
    @zounds.simple_in_memory_settings
    class Memory(Page):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    return Memory


def test_threads_share_a_store_in_memory(tmp_path):
    paths, cls = write_pages(tmp_path / "in", NAMES), memory_document()
    with ThreadPoolExecutor(3) as executor:
        report = ingest(paths, cls, executor=executor)
    assert (len(report.processed), len(report.failed)) == (51, 2)
    assert len(contents(cls)) == 51
    assert {Path(entry.id).stem for entry in read_failures(cls.database)} == {"y_raise", "z_large_raise"}


def test_processes_cannot_and_the_error_says_what_can(tmp_path):
    paths = write_pages(tmp_path / "in", ["a"])
    with spawned() as executor, pytest.raises(DeclarationError, match=r"executor=ThreadPoolExecutor\(n\)") as caught:
        ingest(paths, memory_document(), executor=executor)
    assert caught.value.report.total == 0


def test_a_broken_pool_is_a_typed_error_and_a_rerun_goes_on(tmp_path):
    paths, cls = write_pages(tmp_path / "in", [*NAMES[:20], "k_kill"]), bound(tmp_path / "store")
    with spawned() as executor, pytest.raises(WorkerError, match=r"the executor broke.*workers=n") as caught:
        ingest(paths, cls, executor=executor)
    assert set(caught.value.report.processed) <= set(contents(cls))
    with pytest.raises(WorkerError, match="takes no more tasks.*make a new one"):
        ingest(paths, cls, executor=executor)
    report = ingest(paths, cls, workers=2)
    assert [Path(failure.id).stem for failure in report.failed] == ["k_kill"]
    assert len(contents(cls)) == 20


def test_items_that_cannot_be_sent_fail_alone(tmp_path):
    paths, cls = write_pages(tmp_path / "in", NAMES[:9]), bound(tmp_path / "store")
    with spawned() as executor:
        report = ingest([*paths, threading.Lock()], cls, executor=executor, id_of=lambda item: repr(item))
    assert len(report.processed) == 9
    (failure,) = report.failed
    assert "did not bring the item through" in failure.reason
    assert "paths, bytes or AudioMetaData" in failure.reason


class Halts(ff.InMemoryDatabase):
    """A store that is full behind its tenth document."""

    def change(self, changes, failures=None):
        if changes and len(self) >= 10:
            raise StoreFull(errno.ENOSPC, "no room left; free some space")
        super().change(changes, failures)


def test_a_full_store_stops_the_run(tmp_path):
    class Full(Page, ff.PersistenceSettings.clone(ff.UserSpecifiedIdProvider("_id"), database=Halts())):
        pass

    paths = write_pages(tmp_path / "in", [f"{i}_pause" for i in range(200)])
    with ThreadPoolExecutor(2) as executor, pytest.raises(StoreFull, match="no room left") as caught:
        ingest(paths, Full, executor=executor)
    report = caught.value.report
    assert (report.failed, set(report.processed) <= set(contents(Full))) == ([], True)
    assert len(contents(Full)) < 50
    assert list(read_failures(Full.database)) == []


def test_an_interrupt_lets_threads_end_and_keeps_what_they_did(tmp_path):
    paths, cls = write_pages(tmp_path / "in", [f"{i}_pause" for i in range(500)]), bound(tmp_path / "store")

    def items():
        for i, path in enumerate(paths):
            if i == 60:
                os.kill(os.getpid(), signal.SIGINT)
            yield path

    began = time.monotonic()
    with ThreadPoolExecutor(2) as executor, pytest.raises(KeyboardInterrupt) as caught:
        ingest(items(), cls, executor=executor)
    assert time.monotonic() - began < 20
    report = caught.value.report
    assert 0 < len(report.processed) < 100
    assert set(report.processed) == set(contents(cls))


def test_code_that_differs_in_other_processes_is_refused(tmp_path, monkeypatch):
    """A process that imports the module anew would store something else under the same name."""
    monkeypatch.setattr("tests.datasets.documents.LARGE", 7)
    with spawned() as executor, pytest.raises(DeclarationError, match="another lineage, or another store, in a worker"):
        ingest(write_pages(tmp_path / "in", ["a"]), bound(tmp_path / "store"), executor=executor)
