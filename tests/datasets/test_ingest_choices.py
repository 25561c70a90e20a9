"""What an ingest may be told: how to name documents, when to stop, what to keep, with what to fetch."""

import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest

import zounds_lite as zounds
from tests.datasets.documents import bound, write_pages
from tests.datasets.remote_documents import Copy
from tests.sounds import encoded, noise
from tests.webserver import WebServer, hostile
from zounds_lite import AudioMetaData, CompositeDataset, ingest, plan_ingest
from zounds_lite.datasets.ids import content_id
from zounds_lite.errors import DeclarationError, IngestError, RateLimited
from zounds_lite.featureflow import Fetcher, set_fetcher
from zounds_lite.featureflow.ledger import read_failures

WAV = encoded(noise(0.2, 11025), 11025)


@pytest.fixture
def server():
    with WebServer() as made:
        yield made
        assert made.faults == []


@pytest.fixture(name="Sound")
def sound(tmp_path):
    return zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)(Copy)


class Breaks:
    """A dataset that breaks off after some items, until it does not."""

    def __init__(self, items, after, error):
        self.items, self.after, self.error = items, after, error

    def __iter__(self):
        for number, item in enumerate(self.items):
            if number == self.after:
                raise self.error
            yield item


# what is done, what failed, what ended the run


def test_what_is_stored_is_skipped_without_a_request(Sound, server):
    urls = [server.add(f"/{n}.wav", WAV) for n in range(4)]
    assert len(ingest(urls, Sound).processed) == 4
    server.clear()
    again = ingest(urls, Sound, workers=2)
    assert (len(again.skipped), again.failed, server.requests) == (4, [], [])


def test_failures_that_pass_are_tried_again_and_others_are_not(Sound, server):
    urls = [server.add("/passes.wav", hostile.status(503)), server.add("/gone.wav", hostile.status(404))]
    fetcher = Fetcher(private_addresses=True, retries=0)
    first = ingest(urls, Sound, fetcher=fetcher)
    assert [failure.known for failure in first.failed] == [False, False]
    assert {entry.id: entry.passing for entry in read_failures(Sound.database)} == {urls[0]: True, urls[1]: False}
    server.add("/passes.wav", WAV)
    server.clear()
    second = ingest(urls, Sound, fetcher=fetcher)
    assert (second.processed, [failure.known for failure in second.failed]) == ([urls[0]], [True])
    assert server.count("/gone.wav") == 0


def test_a_dataset_that_breaks_off_says_so_and_the_same_call_goes_on(tmp_path):
    paths = write_pages(tmp_path / "in", ["a", "b", "c"])
    cls = bound(tmp_path / "store")
    report = ingest(Breaks(paths, 2, RateLimited("the day is over", 3600)), cls)
    assert (report.processed, report.failed[0].id) == (paths[:2], "the dataset itself")
    assert "stopped: the dataset broke off: RateLimited: the day is over; the same call goes on" in str(report)
    report = ingest(paths, cls)
    assert (report.processed, report.skipped, report.stopped) == (paths[2:], paths[:2], "")
    plan = plan_ingest(Breaks(paths, 1, RateLimited("the day is over", 3600)), cls)
    assert (len(plan.items), plan.stopped) == (1, "RateLimited: the day is over")


@pytest.mark.parametrize("how", ["here", "workers", "threads"])
def test_three_refusals_in_a_row_end_the_run(Sound, server, how):
    urls = [server.add(f"/{n}.wav", hostile.status(429, headers={"Retry-After": "9999"})) for n in range(40)]
    more = {"here": {}, "workers": {"workers": 2}, "threads": {"executor": ThreadPoolExecutor(2)}}[how]
    report = ingest(urls, Sound, **more)
    assert report.stopped.startswith("a server asks for a pause: RateLimited: ")
    assert 3 <= len(report.failed) < 40 and len(server.requests) == len(report.failed)
    for n in range(40):
        server.add(f"/{n}.wav", WAV)
    assert len(ingest(urls, Sound, workers=2).processed) == 40


def test_an_empty_dataset_is_said(tmp_path):
    report = ingest([], bound(tmp_path / "store"))
    assert str(report).startswith("the dataset is empty: nothing to process")


@pytest.mark.parametrize("workers", [1, 2])
def test_the_first_failure_ends_the_run_where_that_is_asked_for(tmp_path, workers):
    paths = write_pages(tmp_path / "in", ["a", "b_raise", *(f"{n}_pause" for n in range(100))])
    cls = bound(tmp_path / "store")
    with pytest.raises(IngestError, match="b_raise.txt: ValueError: .*on_error='raise' stops here") as caught:
        ingest(paths, cls, workers=workers, on_error="raise")
    report = caught.value.report
    assert sorted(report.processed) == sorted(page._id for page in cls)
    assert 1 <= len(report.processed) < 100 and len(report.failed) == 1


@pytest.mark.parametrize("workers", [1, 2])
def test_progress_is_told_after_each_item_and_may_end_the_run(tmp_path, workers):
    paths = write_pages(tmp_path / "in", ["a", "b", "c"])
    cls = bound(tmp_path / "store")
    seen = []
    ingest(paths, cls, workers=workers, progress=lambda report: seen.append(report.total))
    assert seen == [1, 2, 3]

    def enough(report):
        raise KeyError("enough")

    with pytest.raises(KeyError, match="enough") as caught:
        ingest(paths, cls, workers=workers, progress=enough)
    assert set(caught.value.report.skipped) <= set(paths) and caught.value.report.total >= 1


# names of documents


def test_ids_by_content(tmp_path, Sound, server):
    (tmp_path / "a.wav").write_bytes(WAV)
    (tmp_path / "copy.wav").write_bytes(WAV)
    report = ingest([str(tmp_path / "a.wav"), str(tmp_path / "copy.wav")], Sound, id_of="content")
    assert report.processed == [content_id(WAV)]
    assert "another item has the id" in report.failed[0].reason
    url = server.add("/a.wav", WAV)
    report = ingest([url, AudioMetaData(uri=f"{url}?again", checksum="md5:" + "0" * 32)], Sound, id_of="content")
    assert [failure.id for failure in report.failed] == [repr(url), "md5:" + "0" * 32]
    assert "no checksum to serve as its id" in report.failed[0].reason
    assert "ChecksumMismatch" in report.failed[1].reason


# the documented names


def test_the_documented_names_of_arguments(tmp_path):
    cls = bound(tmp_path / "store")
    composite = CompositeDataset(write_pages(tmp_path / "in", ["a"]), write_pages(tmp_path / "in", ["b", "c"]))
    assert len(ingest(composite, cls).processed) == 3
    assert len(ingest(composite, cls, skip_if_exists=True).skipped) == 3
    assert len(ingest(composite, cls, skip_if_exists=False).processed) == 3
    assert len(ingest(composite, cls, skip_if_exists=False, multi_process=True, cores=2).processed) == 3
    threads = []
    more = {"multi_threaded": True, "cores": 2, "progress": lambda report: threads.append(threading.active_count())}
    assert len(ingest(composite, cls, skip_if_exists=False, **more).processed) == 3
    assert max(threads) > 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"multi_process": True, "multi_threaded": True}, "multi_process and multi_threaded are both set"),
        ({"multi_process": True, "workers": 3}, "choose the workers themselves"),
        ({"cores": 2}, "goes with multi_process or multi_threaded"),
        ({"multi_process": True, "cores": 0}, "cores=0: needs at least 1"),
        ({"on_error": "stop"}, "on_error='stop'; allowed: 'skip'"),
        ({"progress": "yes"}, "progress='yes'; allowed"),
        ({"fetcher": "curl"}, "fetcher='curl' has no download"),
        ({"id_of": "name"}, "id_of='name' is no function"),
        ({"keep_source": 1}, "keep_source=1; allowed"),
    ],
)
def test_arguments_that_are_none(tmp_path, arguments, said):
    with pytest.raises(DeclarationError, match=said):
        ingest([], bound(tmp_path / "store"), **arguments)


# fetchers and what is kept, in every place where work is done


@pytest.mark.parametrize("how", ["here", "workers", "threads", "processes"])
def test_the_fetcher_and_what_is_kept_reach_every_place(Sound, server, how):
    urls = [server.add(f"/{n}.wav", WAV) for n in range(3)]
    undo = set_fetcher(None)  # loopback is refused then
    try:
        refused = ingest(urls, Sound)
        assert all("ForbiddenAddress" in failure.reason for failure in refused.failed) and len(refused.failed) == 3
        executors = {"threads": ThreadPoolExecutor, "processes": ProcessPoolExecutor}
        more = {"workers": 2} if how == "workers" else {}
        if how in executors:
            more = {"executor": executors[how](2)}
        fetcher = Fetcher(private_addresses=True, user_agent="mine")
        report = ingest(urls, Sound, retry_failed=True, fetcher=fetcher, keep_source=True, **more)
        if "executor" in more:
            more["executor"].shutdown()
    finally:
        undo()
    assert (len(report.processed), report.failed) == (3, [])
    assert {request.headers["User-Agent"] for request in server.requests} == {"mine"}
    assert len(server.requests) == 3
    assert all(Sound(url).open_source("meta").read() == WAV for url in urls)


class Unsendable:
    """A session that lives in this process alone."""

    def __init__(self):
        self.lock = threading.Lock()
        self.verify, self.cert = True, None

    def send(self, request, **keywords):
        raise OSError("never asked")


@pytest.mark.parametrize("how", ["workers", "processes"])
def test_a_fetcher_that_cannot_be_sent_is_refused(tmp_path, how):
    fetcher = Fetcher(session=lambda: Unsendable())
    cls = bound(tmp_path / "store")
    paths = write_pages(tmp_path / "in", ["a"])
    with ProcessPoolExecutor(1) as pool:
        more = {"workers": 2} if how == "workers" else {"executor": pool}
        said = r"cannot be sent to another process .*executor=ThreadPoolExecutor\(n\).* or workers=1"
        with pytest.raises(DeclarationError, match=said):
            ingest(paths, cls, fetcher=fetcher, **more)
    assert len(ingest(paths, cls, fetcher=fetcher).processed) == 1
    with ThreadPoolExecutor(1) as threads:
        assert len(ingest(paths, cls, fetcher=fetcher, executor=threads).skipped) == 1
