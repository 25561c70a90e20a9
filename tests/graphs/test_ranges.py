"""Stretches of recordings on a server: only what is touched is fetched, and a file that changes is noticed."""

import http.server
import re
import threading

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise
from zounds_lite.errors import FetchError
from zounds_lite.featureflow import Fetcher
from zounds_lite.featureflow.fetch import set_fetcher
from zounds_lite.featureflow.ranges import BLOCK

WAV = encoded(noise(60, 22050), 22050)
FLAC = encoded(noise(60, 22050), 22050, "FLAC")


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives parts, but for what is called ``whole``; counts the bytes that it sent."""

    def do_GET(self):
        server, name = self.server, self.path[1:]
        data = server.files.get(name)
        if data is None or server.failures > 0:
            server.failures -= 1
            self.send_error(404 if data is None else 503)
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and not name.startswith("whole"):
            first, last = int(asked[1]), min(int(asked[2] or len(data)), len(data) - 1)
            part = data[first : last + 1]
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
            self.send_header("ETag", server.tag)
        else:
            part = data
            self.send_response(200)
        if name.startswith("cut"):
            part = part[: len(part) // 2]
            self.send_header("Content-Length", str(len(part) * 2))
        else:
            self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        server.sent += len(part)  # before the client can go on
        self.wfile.write(part)

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server():
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.files = {"a.wav": WAV, "a.flac": FLAC, "whole.wav": WAV, "cut.wav": WAV}
    made.sent, made.tag, made.failures = 0, "first", 0
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    undo = set_fetcher(Fetcher(retries=1, backoff=0.01, read_timeout=5, private_addresses=True))
    yield made
    undo()
    made.shutdown()
    thread.join()
    made.server_close()


def url(server, name):
    return f"http://127.0.0.1:{server.server_address[1]}/{name}"


def document(server, name, limits=None):
    base = zounds.stft(resample_to=zounds.SR11025(), store_ogg=False, limits=limits)

    @zounds.simple_in_memory_settings
    class Sound(base):
        bark = zounds.ArrayWithUnitsFeature(zounds.BarkBands, n_bands=30, needs=base.fft)

    found = Sound(Sound.process(meta=url(server, name)))
    server.sent = 0
    return found


SECOND = zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(30))


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_second_of_a_minute_fetches_a_part(server, name):
    found = document(server, name)
    part = found[SECOND].bark
    size = len(server.files[name])
    assert 0 < server.sent < size / 2
    server.sent = 0
    assert np.array_equal(found[SECOND].bark, part) and server.sent == 0  # what was touched last is kept
    whole = found.bark
    assert server.sent >= size
    assert np.abs(np.asarray(part) - np.asarray(whole[SECOND])).max() <= 2e-6 * np.abs(whole).max()


@pytest.mark.parametrize("case", ["no parts", "limits"])
def test_otherwise_all_of_it_is_fetched(server, case):
    found = document(server, "whole.wav" if case == "no parts" else "a.wav", "network" if case == "limits" else None)
    part = found[SECOND].bark
    assert server.sent >= len(WAV)
    assert np.array_equal(part, found.bark[SECOND])


def test_a_file_that_changes_while_it_is_read_is_an_error(server):
    found = document(server, "a.wav")
    assert len(found[SECOND].pcm) == 22050
    server.tag = "second"
    with pytest.raises(FetchError, match="changed while it was read"):
        found[zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(55))].pcm  # noqa: B018


def test_what_may_pass_is_tried_again(server):
    found = document(server, "a.wav")
    server.failures = 1
    assert len(found[SECOND].pcm) == 22050
    server.failures = 100
    with pytest.raises(FetchError, match="answered 503"):
        found[zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(55))].pcm  # noqa: B018


def test_parts_that_are_cut_are_errors(server):
    file = Fetcher(retries=0, private_addresses=True).open_ranges(url(server, "a.wav"))
    assert file.read(4) == b"RIFF" and file.seek(0, 2) == len(WAV)
    assert file.read() == b""
    file.seek(-10, 2)
    assert file.read(100) == WAV[-10:]
    file.seek(BLOCK - 5)
    assert file.read(10) == WAV[BLOCK - 5 : BLOCK + 5]
    with pytest.raises(FetchError):
        Fetcher(retries=0, private_addresses=True).open_ranges(url(server, "cut.wav"))
    with pytest.raises(FetchError, match="only http and https"):
        Fetcher().open_ranges("file:///etc/passwd")
