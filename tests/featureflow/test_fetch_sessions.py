"""Connections are kept open and shared by nobody: not by threads, not by forked processes."""

import gc
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.webserver import WebServer, hostile
from zounds_lite.errors import FetchError
from zounds_lite.featureflow import Fetcher
from zounds_lite.featureflow.deadlines import Deadline, current_deadline

DATA = bytes(range(256)) * 400


class Counting(WebServer):
    """Counts connections."""

    def open_connection(self, connection):
        with self._lock:
            self.opened = getattr(self, "opened", 0) + 1
        return super().open_connection(connection)


@pytest.fixture
def server():
    with Counting() as made:
        yield made
        assert made.faults == []


def quick(**options):
    quickly = {"backoff": 0.01, "connect_timeout": 2, "read_timeout": 2, "total_timeout": 10, "retries": 0}
    return Fetcher(**{**quickly, "private_addresses": True, **options})


@pytest.mark.parametrize("session", [None, requests.Session, "given"])
def test_one_connection_serves_many_requests(server, session, tmp_path):
    with requests.Session() as given:
        fetcher = quick(session=given if session == "given" else session)
        url = server.add("/a", DATA)
        for _ in range(5):
            assert fetcher.read(url) == DATA
            assert fetcher.open_ranges(url).read() == DATA
            assert fetcher.size(url) == len(DATA)
            fetcher.save(url, tmp_path / "a")
        assert server.count() == 20 and server.opened == 1


def test_each_thread_has_its_own(server):
    fetcher, url = quick(), server.add("/a", DATA)
    meet = threading.Barrier(4)

    def work(_):
        meet.wait()
        return all(fetcher.read(url) == DATA for _ in range(25))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    assert server.opened == 4 and server.count() == 100


def test_a_forked_process_opens_its_own(server):
    fetcher, url = quick(), server.add("/a", DATA)
    assert fetcher.read(url) == DATA
    file = fetcher.open_ranges(url)
    server.add("/slow", hostile.slow_headers(every=0.05))
    gc.collect()
    child = os.fork()
    if child == 0:
        try:
            fine = all(fetcher.read(url) == DATA for _ in range(5)) and file.read() == DATA
            slow = quick(total_timeout=0.3, read_timeout=30)  # the watching thread is the parent's
            try:
                slow.read(server.url + "/slow")
            except FetchError as error:
                fine = fine and "took longer" in str(error)
            os._exit(0 if fine else 1)
        finally:
            os._exit(2)
    assert all(fetcher.read(url) == DATA for _ in range(5))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert fetcher.read(url) == DATA and server.opened <= 4


def test_a_connection_that_the_server_closed_is_replaced(server):
    def once(exchange):
        exchange.send(200, DATA)
        exchange.drop()

    fetcher, url = quick(), server.add("/a", once)
    assert all(fetcher.read(url) == DATA for _ in range(5))
    assert server.opened == 5


def test_what_was_not_read_to_its_end_is_not_taken_for_the_next_answer(server):
    fetcher, url = quick(max_bytes=200_000), server.add("/a", DATA)
    long = server.add("/long", bytes(300_000))
    liar = server.add(
        "/liar", lambda exchange: (exchange.start(200, {"Content-Length": "3"}), exchange.write(b"abcHT"))
    )
    for bad in (long, liar):
        for _ in range(3):
            with pytest.raises(FetchError, match="max_bytes|more than the 3 bytes"):
                fetcher.read(bad)
            assert fetcher.read(url) == DATA


def test_errors_leave_no_connection_behind(server):
    fetcher = quick()
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for answer in (hostile.status(404), hostile.cut(DATA, 10), hostile.redirect("/loop"), hostile.garbage()):
        for _ in range(10):
            with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
                fetcher.read(server.add("/loop", answer))
    assert before == 0 or len(os.listdir("/proc/self/fd")) <= before + 4


def test_deadlines_nest():
    assert current_deadline() is None
    with Deadline(10) as outer:
        with Deadline(5) as inner:
            assert current_deadline() is inner and not inner.is_over
        assert current_deadline() is outer
    assert current_deadline() is None
