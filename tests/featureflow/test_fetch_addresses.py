"""Connections go to public addresses, and to the very ones that were checked; a proxy is the user's own."""

import contextlib
import io
import socket
import threading
import time

import pytest
import requests

from tests.webserver import CERTIFICATE, WebServer, hostile
from zounds_lite.errors import FetchError, ForbiddenAddress
from zounds_lite.featureflow import Fetcher, addresses, connections
from zounds_lite.featureflow.addresses import is_public, resolve

PUBLIC = ["8.8.8.8", "93.184.215.14", "1.1.1.1", "2606:4700:4700::1111", "2a00:1450:4001:81b::200e",
          "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"]  # fmt: skip
PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1",
    "2002:a00:1::", "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "ff0e::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address):
    assert is_public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


def quick(**options):
    quickly = {"backoff": 0.01, "connect_timeout": 2, "read_timeout": 2, "total_timeout": 5, "retries": 1}
    return Fetcher(**{**quickly, **options})


SPELLINGS = ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "[::1]", "[::ffff:127.0.0.1]",
             "LOCALHOST", "127.0.0.1.", "[::ffff:7f00:1]", "0"]  # fmt: skip


@pytest.mark.parametrize("host", SPELLINGS)
@pytest.mark.parametrize("how", ["read", "save", "ranges", "size", "download"])
def test_no_spelling_of_this_machine_gets_through(host, how, tmp_path):
    with WebServer() as server:
        url = f"http://{host}:{server.port}/secret"
        server.add("/secret", b"inner")
        calls = {
            "read": lambda: quick().read(url), "save": lambda: quick().save(url, tmp_path / "a"),
            "ranges": lambda: quick().open_ranges(url), "size": lambda: quick().size(url),
            "download": lambda: quick().download(url, io.BytesIO()),
        }  # fmt: skip
        with pytest.raises(FetchError, match="address of this machine|there is no host|no valid request") as caught:
            calls[how]()
        assert caught.value.passing is False or not isinstance(caught.value, ForbiddenAddress)
        assert server.requests == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("session", [None, requests.Session, "given"])
def test_the_check_holds_for_sessions_of_the_users(session):
    with WebServer() as server, requests.Session() as given:
        fetcher = quick(session=given if session == "given" else session)
        with pytest.raises(ForbiddenAddress, match="private_addresses=True"):
            fetcher.read(server.add("/secret", b"inner"))
        assert server.requests == []


def answers(monkeypatch, *turns):
    """Let a name have other addresses at each look-up; the last ones stay."""
    left, asked = list(turns), []

    def getaddrinfo(host, port, *arguments):
        asked.append(host)
        found = left.pop(0) if len(left) > 1 else left[0]
        kinds = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(kinds[":" in text], socket.SOCK_STREAM, 6, "", (text, port)) for text in found]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", getaddrinfo)
    return asked


def test_every_address_of_a_name_is_checked(monkeypatch):
    answers(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(ForbiddenAddress, match="is 10.0.0.1"):
        resolve("sounds.example", 80)
    assert [found[4][0] for found in resolve("sounds.example", 80, private=True)] == ["8.8.8.8", "10.0.0.1"]


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    """A name that means this machine at the second look gains nothing, since nobody looks twice."""
    tried = []

    class Socket(socket.socket):
        def connect(self, address):
            tried.append(address)
            raise ConnectionRefusedError("tried")

    asked = answers(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    monkeypatch.setattr(connections.socket, "socket", Socket)
    with pytest.raises(FetchError, match="tried"):
        quick(retries=0).read("http://rebinding.example:8080/x")
    assert asked == ["rebinding.example"] and tried == [("8.8.8.8", 8080)]
    with pytest.raises(ForbiddenAddress, match="is 127.0.0.1"):
        quick(retries=0).read("http://rebinding.example:8080/x")
    assert len(tried) == 1


def test_the_name_stays_what_the_server_and_its_certificate_are_asked_for(monkeypatch):
    with WebServer(tls=True, name="localhost") as server, requests.Session() as session:
        session.verify = CERTIFICATE
        asked = answers(monkeypatch, ["127.0.0.1"])
        assert quick(private_addresses=True, session=session).read(server.add("/a", b"hello")) == b"hello"
        assert asked == ["localhost"] and server.requests[0].headers["Host"] == f"localhost:{server.port}"
        with pytest.raises(FetchError, match="match|mismatch|not valid"):
            quick(private_addresses=True, session=session).read(f"https://sounds.example:{server.port}/a")


def test_the_next_address_is_tried_where_one_is_dead(monkeypatch):
    with WebServer() as server:
        server.add("/a", b"hello")
        answers(monkeypatch, ["127.0.0.9", "127.0.0.1"])
        assert quick(private_addresses=True).read(f"http://sounds.example:{server.port}/a") == b"hello"


def test_a_look_up_that_takes_for_ever(monkeypatch):
    monkeypatch.setattr(addresses.socket, "getaddrinfo", lambda *arguments: time.sleep(1) or [])
    began = time.monotonic()
    with pytest.raises(FetchError, match="there is no host 'slow.example': no answer within 0.3 s"):
        quick(connect_timeout=0.3, retries=0).read("http://slow.example/x")
    assert time.monotonic() - began < 0.9
    time.sleep(1)  # its thread ends with it


def test_connecting_takes_its_time_at_most(monkeypatch):
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    fillers = []
    try:
        for _ in range(4):  # a queue that is full lets nobody in
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
            fillers.append(filler)
        began = time.monotonic()
        with pytest.raises(FetchError, match="could not be fetched: no connection within|timed out"):
            quick(connect_timeout=0.5, retries=0, private_addresses=True).read(
                f"http://127.0.0.1:{full.getsockname()[1]}/"
            )
        assert time.monotonic() - began < 1.5
    finally:
        for one in (full, *fillers):
            one.close()


# proxies


@pytest.fixture
def proxied(monkeypatch):
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)

    def use(url):
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.setenv("http_proxy", url)
        monkeypatch.setenv("https_proxy", url)

    return use


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", ["127.0.0.1:9", "no-such-proxy.invalid:3128"])
def test_a_dead_proxy_is_named_without_its_password(proxied, scheme, host):
    proxied(f"http://ann:pass-w0rd@{host}")
    with pytest.raises(FetchError, match=rf"the proxy http://\*\*\*@{host} does not serve: .*HTTP_PROXY") as caught:
        quick().read(f"{scheme}://93.184.215.14/x")
    assert "pass-w0rd" not in str(caught.value) and caught.value.passing is True


def test_a_proxy_may_be_on_this_machine(proxied):
    with WebServer() as proxy:
        proxied(proxy.url)
        proxy._below = lambda path: hostile.status(200, b"through the proxy")
        assert quick().read("http://93.184.215.14/x") == b"through the proxy"
        assert proxy.requests[0].headers["Host"] == "93.184.215.14"
        for inner in ("http://127.0.0.1:1/x", "http://localhost/x", "http://10.0.0.1/x", "http://0x7f.1/x"):
            with pytest.raises(ForbiddenAddress, match="an address of this machine or its network"):
                quick().read(inner)
        assert len(proxy.requests) == 1


def test_a_proxy_that_drips_or_refuses_a_tunnel(proxied):
    with WebServer() as proxy:
        proxied(proxy.url)
        proxy._below = lambda path: hostile.slow_headers(every=0.05)
        began = time.monotonic()
        with pytest.raises(FetchError, match="took longer than"):
            quick(total_timeout=0.5).read("http://93.184.215.14/x")
        assert time.monotonic() - began < 1.5
        with pytest.raises(FetchError, match="the proxy .* does not serve: Tunnel connection failed: 501"):
            quick().read("https://93.184.215.14/x")


def dripping(first=b""):
    """Accept connections and send a byte now and then, whatever is asked; return the port and what ends it."""
    listener, ended = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def serve():
        with listener:
            while not ended.is_set():
                connection, _ = listener.accept()
                with connection, contextlib.suppress(OSError):
                    connection.sendall(first)
                    while not ended.wait(0.05):
                        connection.sendall(b"\x16")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()

    def end():
        ended.set()
        with contextlib.suppress(OSError), socket.create_connection(listener.getsockname()):
            pass
        thread.join()

    return listener.getsockname()[1], end


@pytest.mark.parametrize("where", ["handshake", "tunnel"])
def test_the_total_time_holds_before_there_is_a_request(proxied, where):
    # the length of a record of TLS that never comes; a status line that never ends
    port, end = dripping(b"\x16\x03\x03\x40\x00" if where == "handshake" else b"HTTP/1.1 200 ")
    if where == "tunnel":
        proxied(f"http://127.0.0.1:{port}")
    url = f"https://127.0.0.1:{port}/x" if where == "handshake" else "https://93.184.215.14/x"
    began = time.monotonic()
    with pytest.raises(FetchError, match="took longer than the allowed 0.5 s"):
        quick(connect_timeout=30, read_timeout=30, total_timeout=0.5, private_addresses=where == "handshake").read(url)
    assert time.monotonic() - began < 1.5
    end()
