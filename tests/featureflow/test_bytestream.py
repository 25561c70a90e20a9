"""Any source as the same bytes, in chunks of any size; URLs are fetched whole from a real server, or not at all."""

import contextlib
import http.server
import io
import threading
import zipfile

import pytest
import requests

from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError, EmptyAudio, FeatureNotComputable, FetchError

DATA = bytes(range(256)) * 40


class _Server(http.server.BaseHTTPRequestHandler):
    """Serves DATA under several kinds of bad conditions."""

    hits: dict[str, int] = {}

    def do_GET(self):
        count = self.hits[self.path] = self.hits.get(self.path, 0) + 1
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/data")
            self.end_headers()
        elif self.path == "/missing" or (self.path == "/flaky" and count < 3):
            self.send_error(404 if self.path == "/missing" else 503)
        elif self.path == "/chunked":
            self.protocol_version = "HTTP/1.1"
            self.send_response(200)
            self.end_headers()
            self.wfile.write(DATA)
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(DATA)))
            self.end_headers()
            cut = len(DATA) // 2 if self.path == "/cut" or (self.path == "/cut-once" and count < 2) else len(DATA)
            self.wfile.write(DATA[:cut])

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def server():
    httpd = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


@pytest.fixture(autouse=True)
def impatient():
    _Server.hits.clear()
    undo = ff.set_fetcher(
        ff.Fetcher(connect_timeout=2, read_timeout=2, retries=2, backoff=0.01, max_bytes=20_000, private_addresses=True)
    )
    yield
    undo()


@contextlib.contextmanager
def _source(kind, tmp_path, server):
    path = tmp_path / "some data.bin"
    path.write_bytes(DATA)
    if kind == "zip":
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("folder/", b"")
            archive.writestr("empty", b"")
            archive.writestr("folder/member", DATA)
        (member,) = ff.iter_zip(tmp_path / "a.zip")
        assert (member.filename, member.file_size) == ("folder/member", len(DATA))
        with member, member.zipfile:
            yield member
        return
    if kind == "file":
        with open(path, "rb") as file:
            file.seek(100)
            yield file
        return

    class WithUri:
        uri = str(path)

    yield {
        "str": str(path),
        "path": path,
        "bytes": DATA,
        "bytesio": io.BytesIO(DATA),
        "uri": WithUri(),
        "mapping": {"uri": str(path)},
        "url": f"{server}/data",
        "redirect": f"{server}/redirect",
        "chunked": f"{server}/chunked",
        "request": requests.Request("GET", f"{server}/data", headers={"Range": "bytes=0-"}),
    }[kind]


KINDS = ["str", "path", "bytes", "bytesio", "file", "uri", "mapping", "zip", "url", "redirect", "chunked", "request"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunksize", [1000, len(DATA), 10**6])
def test_every_source_gives_the_same_bytes(kind, chunksize, tmp_path, server):
    with _source(kind, tmp_path, server) as source:
        chunks = list(ff.ByteStream(chunksize=chunksize).run([source]))
    assert b"".join(chunks) == DATA
    assert {len(chunk) for chunk in chunks[:-1]} <= {chunksize} and len(chunks[-1]) <= chunksize
    assert {chunk.total_length for chunk in chunks} == {len(DATA)}


def test_passing_faults_of_a_server_are_tried_again(server):
    for path in ("/flaky", "/cut-once"):
        assert b"".join(ff.ByteStream(chunksize=999).run([server + path])) == DATA
    assert _Server.hits["/flaky"] == 3


@pytest.mark.parametrize(
    ("path", "words", "hits"), [("/missing", "answered 404", 1), ("/cut", "ended after|5120 bytes read", 3)]
)
def test_a_url_that_cannot_be_fetched_is_an_error(server, path, words, hits):
    with pytest.raises(FetchError, match=words):
        list(ff.ByteStream().run([server + path]))
    assert _Server.hits[path] == hits


def test_limits_of_a_fetch(server):
    ff.set_fetcher(ff.Fetcher(max_bytes=100, retries=0, private_addresses=True))
    for path in ("/data", "/chunked"):
        with pytest.raises(FetchError, match="max_bytes"):
            list(ff.ByteStream().run([server + path]))
    with pytest.raises(FetchError, match="could not be fetched"):
        list(ff.ByteStream().run(["http://127.0.0.1:9/nobody-listens"]))
    with pytest.raises(FetchError, match="only http"):
        list(ff.ByteStream().run([requests.Request("GET", "ftp://127.0.0.1/x")]))
    with pytest.raises(DeclarationError, match="timeouts must be > 0"):
        ff.Fetcher(read_timeout=0)


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ("/no/such/file", FileNotFoundError, "no such|is no file"),
        (b"", EmptyAudio, "no bytes"),
        (7, DeclarationError, "7 is no byte source"),
        ({"uri": None}, FeatureNotComputable, "in memory and was not kept"),
    ],
)
def test_sources_that_cannot_be_read(source, error, words):
    with pytest.raises(error, match=words):
        list(ff.ByteStream().run([source]))


def test_chunks_need_a_size():
    with pytest.raises(DeclarationError, match="at least one byte"):
        ff.ByteStream(chunksize=0)


def test_bytes_are_not_read_for_nodes_that_open_the_source(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(DATA)
    seen = []

    class Opens(ff.Node):
        reads_source = True

        def _process(self, data):
            seen.append((bytes(data), data.total_length, data.source))
            yield data

    stream = ff.ByteStream(chunksize=10)
    ff.Graph(stream=stream, opens=Opens(needs=stream)).process(stream=path)
    assert seen == [(b"", len(DATA), str(path))]


def test_stored_bytes_come_back_in_chunks():
    @ff.simple_in_memory_settings
    class Document(ff.BaseModel):
        raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=1000, store=True)

    document = Document(Document.process(raw=DATA))
    chunks = list(document.raw)
    assert b"".join(chunks) == DATA and len(chunks) == 11
    assert b"".join(document.raw) == DATA  # a second time, too
