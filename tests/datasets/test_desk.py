"""A desk: what is committed together, what is made meanwhile, and what is acknowledged when."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.datasets.documents import bound, write_pages
from zounds_lite import ingest
from zounds_lite.datasets.desk import Desk
from zounds_lite.datasets.tasks import Job, Task
from zounds_lite.errors import StoreFull

SOON_S = 20


class Commits:
    """The commits of a store: each is counted, and waits for its turn if it has to; the first one goes through.

    Args:
        database (Database): the store.
        waits (bool): later ones wait until ``go`` is set.
        error (Exception | None): what the second one raises.
    """

    def __init__(self, database, waits=False, error=None):
        self.sizes, self.go, self.began = [], threading.Event(), threading.Event()
        self._change, self._waits, self._error = database.change, waits, error

    def __call__(self, changes, failures=None):
        self.sizes.append(len(changes))
        if len(self.sizes) > 1:
            self.began.set()
            assert not self._waits or self.go.wait(SOON_S)
        if len(self.sizes) == 2 and self._error is not None:
            raise self._error
        self._change(changes, failures)


@pytest.fixture(autouse=True)
def slow_commits(monkeypatch):
    """Commits pass for slow ones, and no batch for an old one."""
    monkeypatch.setattr("zounds_lite.datasets.desk._SHARE", 0.0)
    monkeypatch.setattr("zounds_lite.datasets.desk._LONGEST_S", 1e9)


@pytest.fixture
def commits(cls, monkeypatch):
    def patch(**options):
        found = Commits(cls.database, **options)
        monkeypatch.setattr(cls.database, "change", found)
        return found

    return patch


@pytest.fixture
def cls(tmp_path):
    return bound(tmp_path / "store")


def pages(tmp_path, count):
    return write_pages(tmp_path / "in", [str(i) for i in range(count)])


def test_small_documents_share_a_transaction_and_are_reported_once_they_are_durable(tmp_path, cls, commits):
    found, receipts = commits(), []
    desk = Desk(Job.of(cls, "meta"), receipts.extend)
    for number, path in enumerate(pages(tmp_path, 100)):
        desk.do(Task(number, path, path))
        assert len(receipts) == sum(found.sizes)
    desk.flush()
    assert found.sizes == [1, 32, 32, 32, 3]  # nothing is known of the first one
    assert [receipt.number for receipt in receipts] == list(range(100))


def test_large_documents_do_not_wait_for_each_other(tmp_path, cls, monkeypatch):
    monkeypatch.setattr("zounds_lite.datasets.desk._MOST_BYTES", 50)
    desk, stored = Desk(Job.of(cls, "meta"), lambda receipts: None), []
    for number, path in enumerate(pages(tmp_path, 10)):
        desk.do(Task(number, path, path))
        stored.append(len(cls.database))
    assert stored == [1, 1, 1, 1, 1, 6, 6, 6, 6, 6]


def test_documents_are_made_while_others_are_committed(tmp_path, cls, commits):
    found, reported = commits(waits=True), []

    def items():
        for number, path in enumerate(pages(tmp_path, 40)):
            if number == 20:
                assert found.began.wait(SOON_S)
                assert reported == [1] and found.sizes == [1, 1]  # the commit of the second one is under way
                found.go.set()
            yield path

    report = ingest(items(), cls, progress=lambda report: reported.append(len(report.processed)))
    assert reported == list(range(1, 41)) and len(report.processed) == len(cls.database) == 40
    assert found.sizes[:2] == [1, 1] and sum(found.sizes) == 40 and len(found.sizes) < 40


def test_one_commit_waits_for_the_other_where_much_has_been_made(tmp_path, cls, commits):
    found, receipts, threads = commits(waits=True), [], []

    def do_all(desk):
        for number, path in enumerate(pages(tmp_path, 70)):
            desk.do(Task(number, path, path))
            threads.append(number)

    with ThreadPoolExecutor(1) as beside:
        desk = Desk(Job.of(cls, "meta"), receipts.extend, beside=beside)
        doing = threading.Thread(target=do_all, args=(desk,))
        doing.start()
        while len(threads) < 33:
            assert doing.is_alive()
        doing.join(0.1)
        assert len(threads) == 33 and found.sizes == [1, 1] and len(receipts) == 1
        found.go.set()
        doing.join()
        desk.flush()
    assert found.sizes[:3] == [1, 1, 32] and sum(found.sizes) == len(receipts) == len(cls.database) == 70


def test_a_store_that_is_full_ends_the_run_and_keeps_what_it_took(tmp_path, cls, commits):
    commits(error=StoreFull("no space"))
    paths = write_pages(tmp_path / "in", [f"{i}_large" for i in range(6)])
    with pytest.raises(StoreFull, match="no space") as caught:
        ingest(paths, cls)
    kept = caught.value.report.processed
    assert kept and paths[1] not in kept and sorted(kept) == sorted(page._id for page in cls)
    assert all(len(cls(_id).meta) > 2**20 for _id in kept)
    assert len(list(cls.database.iter_blobs())) == len(kept) and not list(tmp_path.rglob("*.part"))
    assert ingest(paths, cls).processed == [path for path in paths if path not in kept]


def test_an_interruption_waits_for_the_commit_under_way(tmp_path, cls, commits):
    found, paths = commits(waits=True), pages(tmp_path, 5)

    def items():
        yield from paths
        assert found.began.wait(SOON_S)
        threading.Timer(0.05, found.go.set).start()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        ingest(items(), cls)
    assert caught.value.report.processed == paths and len(cls.database) == 5


def test_what_a_commit_beside_refuses_fails_alone(tmp_path, cls, commits):
    commits(error=ValueError("says so"))
    paths = pages(tmp_path, 6)
    report = ingest(paths, cls)
    assert [failure.id for failure in report.failed] == [paths[1]] and "says so" in report.failed[0].reason
    assert report.processed == [path for path in paths if path != paths[1]]
