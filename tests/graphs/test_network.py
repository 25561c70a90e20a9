"""Documents made from URLs of a real server: decoded apart, in the name of the URL, and with nothing left behind."""

import http.server
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, html, noise, wav_header
from zounds_lite.featureflow import fetch
from zounds_lite.featureflow.ledger import read_failures
from zounds_lite.media import guard

ROOT = Path(__file__).parents[2]
WAV = encoded(noise(2.0, 22050), 22050)
FLAC = encoded(noise(3.0, 22050, 2), 22050, "FLAC")
OGG = encoded(noise(1.0, 22050), 22050, "OGG")
BODIES = {
    "good.wav": WAV, "good.flac": FLAC, "good.ogg": OGG, "slow.wav": WAV, "short.wav": WAV,
    "cut.wav": WAV[: len(WAV) // 2], "claims.wav": wav_header(channels=2, frames=2**29) + bytes(2000),
    "channels.wav": wav_header(channels=1024, frames=10) + bytes(20480), "page.mp3": html(), "empty.wav": b"",
}  # fmt: skip
BAD = {
    "short.wav": "FetchError", "cut.wav": "TruncatedAudio", "claims.wav": "TruncatedAudio",
    "channels.wav": "RejectedAudio", "page.mp3": "NotAudio", "empty.wav": "EmptyAudio", "gone.wav": "FetchError",
}  # fmt: skip


class Handler(http.server.BaseHTTPRequestHandler):
    """``short`` ends before what its header promises, ``slow`` sends in small pieces, ``endless`` never ends."""

    def do_GET(self):
        name = self.path[1:]
        data = BODIES.get(name, WAV if name == "endless.wav" else None)
        if data is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(data) + (1000 if name in ("short.wav", "endless.wav") else 0)))
        self.end_headers()
        step = 10_000 if name == "slow.wav" else len(data) or 1
        for start in range(0, len(data), step):
            self.wfile.write(data[start : start + step])
            self.wfile.flush()
            if name == "slow.wav":
                time.sleep(0.01)
        if name == "endless.wav":
            self.server.stopped.wait(60)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def address():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.stopped = threading.Event()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.stopped.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def nothing_is_left(tmp_path, monkeypatch):
    """Downloads go to a folder that must be empty in the end, no decoder may be left, and nobody waits long."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    undo = fetch.set_fetcher(fetch.Fetcher(retries=1, backoff=0.01, private_addresses=True))
    yield folder
    undo()
    assert list(folder.iterdir()) == []
    assert decoders(os.getpid()) == []


def decoders(parent):
    found = []
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in (task / "children").read_text().split():
            if b"_decoder.py" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(child)
    return found


@pytest.fixture
def started(monkeypatch):
    """Counts decoders that were started."""
    found, real = [], guard._start
    monkeypatch.setattr(guard, "_start", lambda *arguments: found.append(1) or real(*arguments))
    return found


def document(path, **options):
    graph = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, **options)
    return zounds.simple_lmdb_settings(path, user_supplied_id=True)(graph)


@pytest.mark.parametrize("threads", [0, 4])
def test_each_url_is_stored_or_says_why_not_in_its_own_name(address, tmp_path, started, threads):
    cls = document(tmp_path / "store")
    urls = [address + name for name in [*BODIES, "gone.wav"]]
    with ThreadPoolExecutor(threads or 1) as pool:
        report = zounds.ingest(urls, cls, executor=pool if threads else None)
    reasons = {failure.id.removeprefix(address): failure.reason for failure in report.failed}
    assert {name: reason.partition(":")[0] for name, reason in reasons.items()} == BAD
    assert all(address + name in reason for name, reason in reasons.items())
    assert not any(word in reason for reason in reasons.values() for word in ("/proc/", "temporary"))
    assert len(started) == 2 * 4 + 1  # ogg and pcm of each that its header does not give away; the Ogg once more
    started.clear()
    sound = cls(address + "good.flac")
    assert (len(sound.pcm), len(sound.resampled)) == (66150, 33075)
    assert len(started) == 2  # also what is computed later
    passing = {entry.id.removeprefix(address) for entry in read_failures(cls.database) if entry.passing}
    assert passing == {"short.wav"}
    again = zounds.ingest(urls, cls)
    assert (len(again.skipped), again.known) == (4, len(BAD) - 1)


def test_worker_processes_store_the_same(address, tmp_path):
    names = ["good.wav", "good.flac", "good.ogg", "slow.wav", "cut.wav"]
    one, two = document(tmp_path / "one"), document(tmp_path / "two")
    urls = [address + name for name in names]
    reports = zounds.ingest(urls, one), zounds.ingest(urls, two, workers=2)
    assert [len(report.processed) for report in reports] == [4, 4]
    assert reports[0].failed[0].reason == reports[1].failed[0].reason
    for url in reports[0].processed:
        assert np.array_equal(one(url).fft, two(url).fft)


def test_what_is_kept_of_a_damaged_download_is_marked_in_the_name_of_the_url(address, tmp_path):
    cls = document(tmp_path / "store", damaged="keep", store_ogg=False)
    assert zounds.ingest([address + "cut.wav"], cls).failed == []
    (mark,) = cls(address + "cut.wav").marks["pcm"]
    assert mark["kind"] == "truncated"
    assert mark["message"].startswith(f"{address}cut.wav is cut short: ")


def test_none_decodes_in_this_process(address, tmp_path, started):
    cls = document(tmp_path / "store", limits=None)
    assert len(zounds.ingest([address + "good.wav"], cls).processed) == 1
    assert started == []


SCRIPT = """
import json, sys
import zounds_lite as zounds
from tests.graphs.test_network import document
from zounds_lite.featureflow import Fetcher, set_fetcher
set_fetcher(Fetcher(private_addresses=True))
zounds.ingest(json.loads(sys.argv[1]), document(sys.argv[2]))
"""


def test_a_download_that_is_killed_leaves_nothing(address, tmp_path, nothing_is_left):
    command = [sys.executable, "-c", SCRIPT, json.dumps([address + "endless.wav"]), str(tmp_path / "store")]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 60
    while not any("zounds_lite" in name or "(deleted)" in name for name in open_files(process.pid, nothing_is_left)):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=30)


def open_files(pid, folder):
    found = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.append(os.readlink(link))
        except OSError:
            continue
    return [name for name in found if name.startswith(str(folder))]
