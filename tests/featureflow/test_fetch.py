"""Downloads against a server that behaves, and one that does not: whole or an error, and always in time."""

import functools
import io
import json
import pickle
import threading
import time
import zlib
from hashlib import md5, sha1, sha256

import pytest
import requests

from tests.webserver import WebServer, hostile
from zounds_lite.errors import ChecksumMismatch, DeclarationError, FetchError, RateLimited
from zounds_lite.featureflow import FetchCache, Fetcher, default_fetcher, set_fetcher
from zounds_lite.featureflow.bodies import Checksum

DATA = bytes(range(256)) * 4096  # 1 MiB
QUICK = {"backoff": 0.01, "private_addresses": True}


@pytest.fixture(scope="module")
def server():
    with WebServer() as made:
        yield made
        assert made.faults == []


@pytest.fixture
def url(server, request):
    """Serve an answer at a path of this test's own."""
    server.clear()
    return lambda answer, **options: server.add(f"/{request.node.name}/sound.wav", answer, **options)


def quick(**options):
    return Fetcher(**{**QUICK, "connect_timeout": 2, "read_timeout": 2, "total_timeout": 5, "retries": 1, **options})


def fetched(fetcher, url, checksum=None):
    file = io.BytesIO(b"before")
    file.seek(6)
    count = fetcher.download(url, file, checksum)
    assert file.getvalue()[:6] == b"before" and len(file.getvalue()) == 6 + count
    return file.getvalue()[6:]


def refused(fetcher, url, match, error=FetchError, within=None, checksum=None):
    """Fetch what cannot be fetched: nothing is left in the file, and the time is kept."""
    file = io.BytesIO(b"before")
    file.seek(6)
    began = time.monotonic()
    with pytest.raises(error, match=match) as caught:
        fetcher.download(url, file, checksum)
    assert time.monotonic() - began <= (within or fetcher.total_timeout) + 1
    assert file.getvalue() == b"before" and file.tell() == 6
    return caught.value


# what goes well


@pytest.mark.parametrize("path", ["sound.wav", "Ünïcode & more/søund #1?.wav", "a%20b"])
def test_a_body_is_fetched_whole(server, path):
    assert fetched(quick(), server.add("/whole/" + path, DATA)) == DATA


@pytest.mark.parametrize("size", [0, 1, 256 * 1024, 256 * 1024 + 1])
def test_any_size(url, size):
    assert fetched(quick(), url(DATA[:size])) == DATA[:size]
    assert quick().read(url(DATA[:size])) == DATA[:size]


def test_the_library_names_itself_and_asks_for_nothing_packed(server, url):
    quick().read(url(b"x"))
    quick(user_agent="mine/1").read(url(b"x"))
    first, second = server.requests
    assert first.headers["User-Agent"].startswith("zounds_lite/0.")
    assert second.headers["User-Agent"] == "mine/1"
    assert first.headers["Accept-Encoding"] == "identity"


CHECKSUMS = [
    f"md5:{md5(DATA).hexdigest()}", f"sha1:{sha1(DATA).hexdigest()}", f"sha256:{sha256(DATA).hexdigest().upper()}",
    f"crc32:{zlib.crc32(DATA):x}",
]  # fmt: skip


@pytest.mark.parametrize("checksum", CHECKSUMS, ids=lambda text: text.partition(":")[0])
def test_checksums(server, url, checksum, tmp_path):
    where = url(DATA)
    assert fetched(quick(), where, checksum) == DATA
    server.clear()
    wrong = url(DATA[:-1] + b"!")
    error = refused(quick(), wrong, "its source promises", ChecksumMismatch, checksum=checksum)
    assert error.passing is False and server.count() == 2  # once more, in case it was damaged on its way
    with pytest.raises(ChecksumMismatch):
        quick().save(wrong, tmp_path / "a.wav", checksum)
    assert list(tmp_path.iterdir()) == []


def test_what_was_damaged_on_its_way_is_fetched_anew(server, url):
    assert fetched(quick(), url(hostile.turns(DATA[:-1] + b"!", DATA)), CHECKSUMS[0]) == DATA
    assert server.count() == 2


@pytest.mark.parametrize("checksum", ["md5", "md5:xyz", "sha512:00", "md5:" + "0" * 33, 7, ""])
def test_no_checksum(checksum):
    with pytest.raises(DeclarationError, match="hexadecimal digits"):
        Checksum(checksum)


def test_json(server, url):
    assert quick().read_json(url(json.dumps({"näme": [1, 2.5]}).encode())) == {"näme": [1, 2.5]}
    assert quick().read_json(url(b"\xef\xbb\xbf[1]")) == [1]
    cases = [
        (hostile.page(), "it begins with '<!DOCTYPE html>"), (b'{"a": ', "is no JSON"), (b"[NaN]", "NaN is no JSON"),
        (b"[" * 100_000, "is no JSON"), (b"\xff\xfe", "is no JSON"), (b"", "is no JSON"),
    ]  # fmt: skip
    for body, words in cases:
        with pytest.raises(FetchError, match=words):
            quick().read_json(url(body))
    with pytest.raises(FetchError, match="allowed: 10"):
        quick().read_json(url(b"[" + b" " * 20 + b"]"), max_bytes=10)


def test_size(server, url):
    where = url(DATA)
    assert quick().size(where) == len(DATA)
    assert quick().size(requests.Request("GET", where)) == len(DATA)
    assert {request.method for request in server.requests} == {"HEAD"} and server.sent == 0
    assert quick().size(url(hostile.endless())) is None
    assert quick().size(url(hostile.status(405))) is None
    with pytest.raises(FetchError, match="answered 404"):
        quick().size(server.url + "/no/such")


def test_a_request_brings_its_headers_and_parameters(server, url):
    asked = requests.Request("GET", url(b"x"), headers={"X-More": "yes"}, params={"page": 2}, auth=("ann", "pw"))
    quick().read(asked)
    (request,) = server.requests
    assert request.headers["X-More"] == "yes" and request.query == {"page": "2"}
    assert request.headers["Authorization"].startswith("Basic ")


# what does not


TWO_LENGTHS = [("Content-Length", "3"), ("Content-Length", "5")]


@pytest.mark.parametrize(
    ("answer", "words", "passing", "attempts"),
    [
        (hostile.status(404), "answered 404", False, 1),
        (hostile.status(403), "answered 403", False, 1),
        (hostile.status(304), "answered 304", False, 1),
        (hostile.failing(times=None), "answered 500", True, 2),
        (hostile.failing(503, times=None), "answered 503", True, 2),
        (hostile.cut(DATA, 1000, with_ranges=False), "ended|read", True, 2),
        (hostile.lying_length(DATA, len(DATA) + 10), "ended|read", True, 2),
        (hostile.lying_length(DATA[:1000], 900), "sent more than the 900 bytes that it promised", False, 1),
        (hostile.lying_length(b"x", "many"), "'many' bytes long", False, 1),
        (hostile.lying_length(b"x", "-5"), "'-5' bytes long|could not be fetched", None, None),
        (hostile.header_lines(*TWO_LENGTHS, body=b"abc"), "bytes long|not be", None, None),
        (hostile.hang_up(), "could not be fetched", True, 2),
        (hostile.garbage(), "could not be fetched", True, 2),
        (hostile.bad_chunks(), "could not be fetched", True, 2),
        (hostile.bad_gzip(), "came packed and is damaged", True, 2),
        (hostile.status(200, b"x", {"Content-Encoding": "br"}), "packed as 'br'", False, 1),
        (hostile.status(206, b"x", {"Content-Range": "bytes 5-5/9"}), "was asked for the whole", True, 2),
        (hostile.endless_headers(), "could not be fetched", True, 2),
        (hostile.header_lines(("X-Long", "x" * 70_000)), "could not be fetched", True, 2),
        (hostile.redirect(""), "answered 302", False, 1),
    ],
)  # fmt: skip
def test_bad_answers(server, url, answer, words, passing, attempts):
    error = refused(quick(), url(answer), words)
    assert passing is None or error.passing is passing
    assert attempts is None or server.count() == attempts


@pytest.mark.parametrize("limit", [1000, len(DATA) - 1])
@pytest.mark.parametrize("kind", ["promised", "endless", "chunked", "bomb"])
def test_a_body_has_a_cap(url, kind, limit):
    answers = {
        "promised": DATA, "endless": hostile.endless(), "chunked": hostile.endless(chunked=True),
        "bomb": hostile.gzip_bomb(2**24),
    }  # fmt: skip
    error = refused(quick(max_bytes=limit), url(answers[kind]), "max_bytes")
    assert error.passing is False
    with pytest.raises(FetchError, match="max_bytes"):
        quick().read(url(answers[kind]), max_bytes=limit)


def test_what_is_packed_though_nobody_asked_is_unpacked_within_bounds(url):
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(DATA) + packer.flush()
    gzip = {"Content-Encoding": "gzip"}
    assert fetched(quick(), url(hostile.status(200, packed, gzip))) == DATA
    assert fetched(quick(), url(hostile.status(200, packed + packed, gzip))) == DATA * 2
    assert fetched(quick(), url(hostile.status(200, zlib.compress(DATA), {"Content-Encoding": "deflate"}))) == DATA
    refused(quick(), url(hostile.status(200, packed[:-20], gzip)), "packed and ended early")
    refused(quick(), url(hostile.gzip_bomb(2**26)), "unpacks to more than 100 times its size")
    refused(quick(), url(hostile.gzip_bomb(2**24, layers=2)), "packed as 'gzip, gzip'")


SLOW = {
    "drip": hostile.drips(every=0.1), "drip of what was promised": hostile.drips(DATA, every=0.1),
    "headers that drip": hostile.slow_headers(every=0.1), "silence": hostile.silent(),
    "stall": hostile.stalls(DATA, 5000), "go on, go on": hostile.endless_continue(),
    "trailers": hostile.endless_trailers(),
}  # fmt: skip


@pytest.mark.parametrize("kind", SLOW)
def test_the_total_time_holds_whatever_a_server_does(url, kind, tmp_path):
    fetcher = quick(total_timeout=0.5, read_timeout=60, retries=5)
    began = time.monotonic()
    error = refused(fetcher, url(SLOW[kind]), r"took longer than the allowed 0.5 s")
    assert time.monotonic() - began >= 0.4 and error.passing is True
    with pytest.raises(FetchError, match="took longer"):
        fetcher.save(url(SLOW[kind]), tmp_path / "a.wav")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["silence", "stall"])
def test_reading_has_a_time_of_its_own(url, kind):
    error = refused(quick(read_timeout=0.3, retries=0), url(SLOW[kind]), "could not be fetched.*timed out", within=0.5)
    assert error.passing is True


def test_a_drip_without_a_length_is_not_taken_for_a_body_that_ended(url):
    def answer(exchange):
        exchange.start(200, {"Connection": "close"})
        while exchange.wait(0.05):
            exchange.write(b".")
        exchange.drop()

    refused(quick(total_timeout=0.5), url(answer), "took longer")


def test_nobody_there(server):
    refused(quick(), "http://127.0.0.1:9/x", "could not be fetched: no connection")
    error = refused(quick(), "http://no-such-host.invalid/x", "there is no host 'no-such-host.invalid'")
    assert error.passing is True


NO_URL = "only http|no valid request|is no URL|there is no host"


@pytest.mark.parametrize(
    "bad",
    ["ftp://a.example/x", "file:///etc/passwd", "", "sound.wav", "//a.example/x", "http://", "http:///x",
     "http://a.example:port/x", "http://a.example:99999/x", "http://[::1/x", "javascript:alert(1)",
     "http://" + "a" * 300 + "/x", "http://a..b/x", 7, None, b"http://a.example"],
)  # fmt: skip
def test_no_urls(bad):
    error = refused(
        quick(retries=3, backoff=30), bad, "only http|no valid request|is no URL|there is no host", within=0
    )
    assert error.passing is False


# trying again


def test_what_may_pass_is_tried_again(server, url):
    assert fetched(quick(retries=2), url(hostile.failing(500, times=2, then=DATA))) == DATA
    assert server.count() == 3


def test_pauses_grow(url, monkeypatch):
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    refused(quick(retries=6, backoff=0.5, max_wait=4, total_timeout=60), url(hostile.failing(times=None)), "500")
    assert pauses == [0.5, 1, 2, 4, 4, 4]


def test_no_pause_goes_beyond_the_total_time(url):
    began = time.monotonic()
    refused(quick(retries=5, backoff=3, total_timeout=2), url(hostile.failing(times=None)), "answered 500")
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("value", [1, "1", ("date", 1.6)])
@pytest.mark.parametrize("code", [429, 503])
def test_a_server_that_asks_for_a_pause_gets_it(server, url, value, code):
    began = time.monotonic()
    assert fetched(quick(), url(hostile.rate_limited(value, times=1, then=DATA, code=code))) == DATA
    assert 0.5 <= time.monotonic() - began < 4 and server.count() == 2


@pytest.mark.parametrize("value", [3600, ("date", 3600), "99999999999"])
def test_a_pause_that_is_too_long_is_an_error_that_passes(server, url, value):
    error = refused(quick(max_wait=2), url(hostile.rate_limited(value, times=None)), "allowed: 2 s", RateLimited, 0.5)
    assert error.passing is True and error.retry_after_s >= 3590 and error.status == 429 and server.count() == 1


def test_a_pause_beyond_the_total_time_is_an_error_at_once(url):
    refused(quick(max_wait=60), url(hostile.rate_limited(30, times=None)), "answered 429", RateLimited, 0.5)


@pytest.mark.parametrize("value", [None, "soon", "-5", "1e9", ("date", -1000)])
def test_a_pause_that_says_nothing_is_ours(server, url, value):
    assert fetched(quick(), url(hostile.rate_limited(value, times=1, then=DATA))) == DATA
    error = refused(quick(), url(hostile.rate_limited(value, times=None)), "answered 429", RateLimited)
    assert error.retry_after_s == 0


def test_a_post_is_not_repeated(server, url):
    with pytest.raises(FetchError, match="answered 500"):
        quick(retries=3).read(requests.Request("POST", url(hostile.failing(times=None)), data={"a": 1}))
    assert server.count() == 1


# going on


def test_a_download_goes_on_where_it_was_cut(server, url):
    where = url(hostile.cut(DATA, 300_000))
    assert fetched(quick(retries=3), where, CHECKSUMS[0]) == DATA
    ranges = [request.headers.get("Range") for request in server.requests]
    assert ranges == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]
    assert {request.headers.get("If-Range") for request in server.requests[1:]} == {'"cut"'}
    assert server.sent <= len(DATA)


def test_attempts_that_bring_much_do_not_count(server, url):
    data = DATA * 8
    assert fetched(quick(retries=1, total_timeout=30), url(hostile.cut(data, 2**20 + 7))) == data
    assert server.count() == 8 and server.sent <= len(data)


def test_without_a_version_it_begins_anew_unless_a_checksum_tells(server, url):
    where = url(hostile.turns(hostile.stalls(DATA, 1000), DATA))
    assert fetched(quick(read_timeout=0.2), where) == DATA
    assert [request.headers.get("Range") for request in server.requests] == [None, None]
    server.clear()
    where = url(hostile.turns(hostile.stalls(DATA, 1000), DATA))
    assert fetched(quick(read_timeout=0.2), where, CHECKSUMS[0]) == DATA
    assert [request.headers.get("Range") for request in server.requests] == [None, "bytes=1000-"]


def test_a_body_that_changed_meanwhile_is_never_mixed(url):
    other = DATA[::-1]
    assert fetched(quick(retries=2), url(hostile.changing(DATA, other, cut_first_at=5000))) == other


@pytest.mark.parametrize("says", ["bytes {first}-{last}/{size}", "bytes 0-1/2", "sounds 1-2/3", "bytes 9-5/*", ""])
def test_a_wrong_part_is_refused_and_the_whole_is_fetched(server, url, says):
    wrong = hostile.wrong_range(DATA, says=says)
    assert fetched(quick(retries=3), url(hostile.turns(hostile.cut(DATA, 5000, etag='"wrong"'), wrong, DATA))) == DATA


def test_a_body_that_became_shorter(url):
    answers = hostile.turns(hostile.cut(DATA, 5000), hostile.status(416), DATA[:100])
    assert fetched(quick(retries=3), url(answers)) == DATA[:100]


def test_a_range_of_the_users_own_stays_that(server, url):
    asked = requests.Request("GET", url(DATA), headers={"Range": "bytes=10-19"})
    assert quick().read(asked) == DATA[10:20]


# a fetcher is a value


@pytest.mark.parametrize(
    "options",
    [{"connect_timeout": 0}, {"read_timeout": -1}, {"total_timeout": 0}, {"retries": -1}, {"backoff": -1},
     {"max_wait": -1}, {"max_redirects": -1}, {"max_bytes": -1}, {"total_timeout": float("nan")}],
)  # fmt: skip
def test_numbers_out_of_range(options):
    with pytest.raises(DeclarationError, match="timeouts must be > 0"):
        Fetcher(**options)


def test_a_session_is_no_part_of_the_identity(tmp_path):
    plain, cached = Fetcher(retries=1), Fetcher(retries=1, cache=FetchCache(tmp_path))
    with requests.Session() as session:
        own = Fetcher(retries=1, session=session)
        assert own == plain and hash(own) == hash(plain) and own.to_dict() == plain.to_dict()
        assert own.fingerprint() == plain.fingerprint() != cached.fingerprint()
    again = pickle.loads(pickle.dumps(Fetcher(retries=1, session=requests.Session)))
    assert again == plain and again.session is requests.Session
    with pytest.raises(DeclarationError, match="a FetchCache, or None"):
        Fetcher(cache=str(tmp_path))


def test_the_default_fetcher_is_one_and_can_be_replaced():
    undo = set_fetcher(None)
    assert default_fetcher() is default_fetcher() == Fetcher()
    other = Fetcher(retries=9)
    undo_other = set_fetcher(other)
    assert default_fetcher() is other
    undo_other()
    assert default_fetcher() == Fetcher()
    undo()


def test_the_watching_thread_ends_when_it_has_nothing_to_watch(url, monkeypatch):
    from zounds_lite.featureflow import deadlines

    monkeypatch.setattr(deadlines, "_IDLE_S", 0.1)
    monkeypatch.setattr(deadlines, "_watch", deadlines._Watch())
    named = functools.partial(filter, lambda thread: thread is deadlines._watch._thread)
    quick().read(url(b"x"))
    time.sleep(0.5)
    assert list(named(threading.enumerate())) == []
    refused(quick(total_timeout=0.3), url(hostile.silent()), "took longer")
