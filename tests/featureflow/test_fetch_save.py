"""Files that are complete or not there, resumed by a later call; and bodies that are kept in a folder."""

import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from tests.webserver import WebServer, hostile
from zounds_lite.errors import ChecksumMismatch, DeclarationError, FetchError
from zounds_lite.featureflow import FetchCache, Fetcher, partials

ROOT = Path(__file__).parents[2]
DATA = bytes(range(256)) * 4096
MD5 = f"md5:{hashlib.md5(DATA).hexdigest()}"


@pytest.fixture
def server():
    with WebServer() as made:
        yield made
        assert made.faults == []


def quick(**options):
    quickly = {"backoff": 0.01, "connect_timeout": 2, "read_timeout": 2, "total_timeout": 10, "retries": 1}
    return Fetcher(**{**quickly, "private_addresses": True, **options})


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_saved(server, tmp_path):
    path = tmp_path / "Ünïcode søund.wav"
    assert quick().save(server.add("/a.wav", DATA), path, MD5) == path
    assert path.read_bytes() == DATA and names(tmp_path) == [path.name]
    server.add("/a.wav", b"another one")
    assert quick().save(server.url + "/a.wav", str(path)) == path
    assert path.read_bytes() == b"another one"


def test_a_file_that_stands_there_is_not_touched_by_a_failure(server, tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"before")
    with pytest.raises(FetchError, match="ended|read"):
        quick(retries=0).save(server.add("/a.wav", hostile.cut(DATA, 1000)), path)
    assert path.read_bytes() == b"before"


def test_a_later_call_goes_on(server, tmp_path):
    url = server.add("/a.wav", hostile.cut(DATA, 300_000))
    path = tmp_path / "a.wav"
    for turn in range(3):
        with pytest.raises(FetchError, match="ended|read"):
            quick(retries=0).save(url, path)
        assert names(tmp_path) == [".a.wav.part", ".a.wav.part.json"]
        assert (tmp_path / ".a.wav.part").stat().st_size == 300_000 * (turn + 1)
    quick(retries=0).save(url, path)
    assert path.read_bytes() == DATA and names(tmp_path) == ["a.wav"] and server.sent <= len(DATA)
    assert [request.headers.get("If-Range") for request in server.requests] == [None, '"cut"', '"cut"', '"cut"']


def test_another_version_begins_anew(server, tmp_path):
    path = tmp_path / "a.wav"
    with pytest.raises(FetchError, match="ended|read"):
        quick(retries=0).save(server.add("/a.wav", hostile.cut(DATA, 300_000)), path)
    quick(retries=0).save(server.add("/a.wav", DATA[::-1]), path)
    assert path.read_bytes() == DATA[::-1] and server.requests[-1].headers["Range"] == "bytes=300000-"


@pytest.mark.parametrize("change", ["url", "checksum", "boot", "note is gone", "note is no JSON", "note is odd"])
def test_what_is_not_known_to_belong_together_is_not_joined(server, tmp_path, change, monkeypatch):
    server.add("/b.wav", hostile.cut(DATA, 300_000))
    path, note = tmp_path / "a.wav", tmp_path / ".a.wav.part.json"
    with pytest.raises(FetchError, match="ended|read"):
        quick(retries=0).save(server.add("/a.wav", hostile.cut(DATA, 300_000)), path)
    url, checksum = server.url + "/a.wav", None
    if change == "url":
        url = server.url + "/b.wav"
    elif change == "checksum":
        checksum = MD5
    elif change == "boot":
        monkeypatch.setattr(partials, "owner_tag", lambda: "1-otherboot-2-3")
    elif change == "note is gone":
        note.unlink()
    else:
        note.write_text("{" if change == "note is no JSON" else json.dumps({"validator": 7, "total": True}))
    server.clear()
    server.add("/a.wav", DATA)
    server.add("/b.wav", DATA)
    quick(retries=0).save(url, path, checksum)
    assert path.read_bytes() == DATA and "Range" not in server.requests[0].headers


def test_with_a_checksum_it_goes_on_after_a_restart_and_damage_is_noticed(server, tmp_path, monkeypatch):
    path, part = tmp_path / "a.wav", tmp_path / ".a.wav.part"
    url = server.add("/a.wav", hostile.cut(DATA, 300_000))
    with pytest.raises(FetchError, match="ended|read"):
        quick(retries=0).save(url, path, MD5)
    monkeypatch.setattr(partials, "owner_tag", lambda: "1-otherboot-2-3")
    part.write_bytes(bytes(300_000))  # what the disk made of it
    server.clear()
    server.add("/a.wav", DATA, etag='"cut"')
    quick().save(url, path, MD5)
    assert path.read_bytes() == DATA
    assert [request.headers.get("Range") for request in server.requests] == ["bytes=300000-", None]


@pytest.mark.parametrize(
    "answer",
    [hostile.status(404), hostile.failing(times=None), hostile.cut(DATA, 1000, with_ranges=False, etag='W/"weak"'),
     hostile.gzip_bomb(2**24), hostile.hang_up()],
)  # fmt: skip
def test_nothing_is_left_of_what_cannot_be_gone_on_with(server, tmp_path, answer):
    with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
        quick(max_bytes=len(DATA)).save(server.add("/a.wav", answer), tmp_path / "a.wav")
    assert names(tmp_path) == []


def test_a_wrong_checksum_leaves_nothing(server, tmp_path):
    with pytest.raises(ChecksumMismatch, match="its source promises"):
        quick().save(server.add("/a.wav", DATA[1:]), tmp_path / "a.wav", MD5)
    with pytest.raises(DeclarationError, match="hexadecimal digits"):
        quick().save(server.url + "/a.wav", tmp_path / "a.wav", "md5")
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["x" * 255, "." + "y" * 240, "ü" * 120, ".part"])
def test_long_names(server, tmp_path, name):
    quick().save(server.add("/a.wav", DATA), tmp_path / name)
    assert names(tmp_path) == [name]


def test_a_folder_that_is_not_there(server, tmp_path):
    with pytest.raises(FileNotFoundError, match="no/such|No such file"):
        quick().save(server.add("/a.wav", DATA), tmp_path / "no" / "such" / "a.wav")


def test_two_that_save_the_same_file_at_the_same_time(server, tmp_path):
    started = threading.Event()

    def slow(exchange):
        started.set()
        exchange.start(200, {"Content-Length": str(len(DATA)), "ETag": '"one"'})
        for at in range(0, len(DATA), 2**18):
            exchange.write(DATA[at : at + 2**18])
            exchange.wait(0.1)

    url = server.add("/a.wav", slow)
    threads = [threading.Thread(target=quick().save, args=(url, tmp_path / "a.wav", MD5)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "a.wav").read_bytes() == DATA and names(tmp_path) == ["a.wav"]


SCRIPT = """
import sys
from zounds_lite.featureflow import Fetcher
Fetcher(private_addresses=True).save(sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_program_that_is_killed_goes_on_when_it_is_started_again(server, tmp_path, number):
    url = server.add("/a.wav", hostile.turns(stalling_with_tag, DATA))
    server.add("/a.wav", hostile.turns(stalling_with_tag, lambda exchange: whole(exchange)))
    command = [sys.executable, "-c", SCRIPT, url, str(tmp_path / "a.wav")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    part, deadline = tmp_path / ".a.wav.part", time.monotonic() + 60
    while not part.exists() or part.stat().st_size < 300_000:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    process.wait(timeout=30)
    assert names(tmp_path) == [".a.wav.part", ".a.wav.part.json"]
    subprocess.run(command, env=environment, check=True, timeout=60)
    assert (tmp_path / "a.wav").read_bytes() == DATA and names(tmp_path) == ["a.wav"]
    assert server.requests[-1].headers["Range"] == "bytes=300000-"


def stalling_with_tag(exchange):
    exchange.start(200, {"Content-Length": str(len(DATA)), "ETag": '"one"'})
    exchange.write(DATA[:300_000])
    exchange.wait(None)
    exchange.drop()


def whole(exchange):
    hostile.cut(DATA, len(DATA), etag='"one"')(exchange)


# the cache


def test_what_was_fetched_is_not_fetched_again(server, tmp_path):
    fetcher = quick(cache=FetchCache(tmp_path / "cache", 10**7))
    url = server.add("/a.wav", DATA)
    for turn in range(2):
        file = io.BytesIO(b"before")
        file.seek(6)
        assert fetcher.download(url, file, MD5) == len(DATA) and file.getvalue() == b"before" + DATA
        assert fetcher.save(url, tmp_path / f"{turn}.wav", MD5).read_bytes() == DATA
    with open(tmp_path / "written", "wb") as file:  # which cannot be read
        assert fetcher.download(url, file) == len(DATA)
    assert server.count() == 1
    assert names(tmp_path) == ["0.wav", "1.wav", "cache", "written"]
    other = quick(cache=FetchCache(tmp_path / "other"))
    other.save(url, tmp_path / "a.wav")
    other.save(url, tmp_path / "b.wav")
    assert server.count() == 2 and len(other.cache) == 1


def test_another_request_is_another_body(server, tmp_path):
    fetcher = quick(cache=FetchCache(tmp_path / "cache"))
    url = server.add("/a.wav", DATA)
    for asked in (url, url + "?page=2", requests.Request("GET", url, headers={"Authorization": "Token secret"})):
        fetcher.save(asked, tmp_path / "a.wav")
        fetcher.save(asked, tmp_path / "a.wav")
    assert server.count() == 3
    assert not any("secret" in name or "127.0.0.1" in name for name in names(tmp_path / "cache"))


def test_a_kept_body_that_is_not_what_the_source_promises_is_fetched_anew(server, tmp_path):
    cache = FetchCache(tmp_path / "cache")
    fetcher = quick(cache=cache)
    url = server.add("/a.wav", DATA)
    fetcher.save(url, tmp_path / "a.wav")
    (kept,) = (tmp_path / "cache").iterdir()
    kept.write_bytes(DATA[:-1])
    fetcher.save(url, tmp_path / "a.wav", MD5)
    assert kept.read_bytes() == DATA == (tmp_path / "a.wav").read_bytes()
    kept.write_bytes(DATA[1:])
    file = io.BytesIO()
    fetcher.download(url, file, MD5)
    assert kept.read_bytes() == DATA == file.getvalue() and server.count() == 3


def test_nothing_is_kept_of_a_failure(server, tmp_path):
    fetcher = quick(cache=FetchCache(tmp_path / "cache"))
    for answer in (hostile.status(404), hostile.cut(DATA, 1000), hostile.gzip_bomb(2**26)):
        with pytest.raises(FetchError, match=r"127\.0\.0\.1"):
            fetcher.download(server.add("/a.wav", answer), io.BytesIO())
    assert names(tmp_path / "cache") == []


def test_the_oldest_use_goes_first_and_the_limit_holds(server, tmp_path):
    cache = FetchCache(tmp_path / "cache", max_bytes=2500)
    fetcher = quick(cache=cache)
    urls = [server.add(f"/{number}", bytes([number]) * 1000) for number in range(4)]
    for url in (*urls[:2], urls[0], urls[2]):  # 1 was used longest ago when 2 comes
        fetcher.download(url, io.BytesIO())
        time.sleep(0.01)
    assert cache.size == 2000 and len(cache) == 2
    server.clear()
    for url in (urls[0], urls[2]):
        fetcher.download(url, io.BytesIO())
    assert server.requests == []
    fetcher.download(urls[1], io.BytesIO())
    assert server.count() == 1
    server.add("/long", bytes(2501))
    fetcher.download(server.url + "/long", io.BytesIO())
    assert cache.size == 2000
    cache.clear()
    assert cache.size == 0 == len(cache) and bool(cache)


def test_bodies_grow_old(server, tmp_path):
    fetcher = quick(cache=FetchCache(tmp_path / "cache", max_age=0.3))
    url = server.add("/a.wav", DATA)
    fetcher.download(url, io.BytesIO())
    fetcher.download(url, io.BytesIO())
    assert server.count() == 1
    time.sleep(0.4)
    fetcher.download(url, io.BytesIO())
    assert server.count() == 2


def test_lists_are_always_asked_for(server, tmp_path):
    fetcher = quick(cache=FetchCache(tmp_path / "cache"))
    url = server.add("/list", b"[1]")
    assert fetcher.read_json(url) == fetcher.read_json(url) == [1]
    assert server.count() == 2 and not (tmp_path / "cache").exists()


def test_what_a_killed_process_left_is_removed_after_a_day(tmp_path):
    cache = FetchCache(tmp_path)
    for age, name in ((0, ".new.coming"), (2 * 24 * 3600, ".old.coming")):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    (tmp_path / "notes.txt").write_text("not ours")
    with cache.adding("key") as file:
        file.write(b"body")
    assert names(tmp_path) == [".new.coming", "key.body", "notes.txt"] and cache.size == 4


CACHING = """
import io, sys
from zounds_lite.featureflow import FetchCache
cache = FetchCache(sys.argv[1], max_bytes=50_000)
for turn in range(200):
    key = f"{(turn * 7 + int(sys.argv[2])) % 40:03d}"
    found = cache.find(key)
    if found is None:
        with cache.adding(key) as file:
            file.write(key.encode() * 1000)
    else:
        with found:
            assert found.read() == key.encode() * 1000, key
print(cache.size)
"""


def test_several_processes_share_a_folder(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CACHING, str(tmp_path), str(number)],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for number in range(3)
    ]  # fmt: skip
    for process in processes:
        out, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
    assert 0 < FetchCache(tmp_path).size <= 50_000
    assert not [name for name in names(tmp_path) if name.endswith(".coming")]


@pytest.mark.parametrize("options", [{"max_bytes": 0}, {"max_bytes": -5}, {"max_age": -1}])
def test_limits_of_a_cache(options):
    with pytest.raises(DeclarationError, match="max_bytes must be > 0"):
        FetchCache("folder", **options)
