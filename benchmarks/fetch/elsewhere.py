"""Servers that send a client elsewhere: in circles, to other hosts with its secret, to this machine, to no web."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import requests

from benchmarks.fetch.bodies import DATA, by_download, by_save
from benchmarks.fetch.table import Case, Stage, Wrong
from tests.webserver import CERTIFICATE, WebServer, hostile
from zounds_lite.featureflow import addresses

__all__ = ["ELSEWHERE"]

SECRET = "sesame-0123456789"
_PATCHING = threading.Lock()
"""Held while something of the whole process is replaced."""


def _both(name: str, go: Callable[..., None], wanted: str, deadline_s: float = 2.0, says: str = "") -> Case:
    """Return a case that is fetched both ways: ``go`` takes the stage and the way."""
    acts = [lambda stage, way=way: go(stage, way) for way in (by_save, by_download)]
    return Case(name, acts, wanted, deadline_s, says)


def _sent(name: str, to: str, wanted: str = "refused", says: str = "", deadline_s: float = 0.5) -> Case:
    """Return a case in which a server sends the client to an address."""

    def go(stage: Stage, way: Callable[..., None]) -> None:
        way(stage, stage.server.add("/from", hostile.redirect(to)))

    return _both(name, go, wanted, deadline_s, says)


def _to(name: str, url: str, says: str = "", deadline_s: float = 1.0, **changed: Any) -> Case:
    """Return a case in which a client is given an address that it must refuse; ``{port}`` is the server's."""

    def go(stage: Stage, way: Callable[..., None]) -> None:
        stage.server.add("/*", DATA)
        try:
            way(stage, url.format(port=stage.server.port), **changed)
        finally:
            if stage.server.requests and changed.get("private_addresses") is False:
                raise Wrong("a private address was asked")

    return _both(name, go, "refused", deadline_s, says)


def _circle(stage: Stage, way: Callable[..., None]) -> None:
    way(stage, stage.server.add("/circle", hostile.redirect("/circle")))


def _chain(stage: Stage, way: Callable[..., None]) -> None:
    stage.server.add("/chain/*", hostile.redirect_chain())
    try:
        way(stage, stage.server.url_of("/chain/0"))
    finally:
        if len(stage.server.requests) > 6 * 3:
            raise Wrong(f"{len(stage.server.requests)} redirects were followed")


# --- secrets


def _keyed(url: str) -> requests.Request:
    headers = {"Authorization": f"Token {SECRET}", "X-Key": SECRET, "Cookie": f"key={SECRET}"}
    return requests.Request("GET", url, headers=headers)


def _keep(stage: Stage, *trusted: WebServer, told: WebServer) -> None:
    """Fail if the secret went to any server but ``told``, or did not reach it."""
    for server in (stage.server, stage.other, *trusted):
        if server is not told and any(SECRET in request.said for request in server.requests):
            raise Wrong("the secret was sent to another host")
    if not any(SECRET in request.said for request in told.requests):
        raise Wrong("the secret did not reach the host that it was for")


def _to_other(where: Callable[[Stage], str]) -> Callable[..., None]:
    """Send the client to the other server by one of its names."""

    def go(stage: Stage, way: Callable[..., None]) -> None:
        stage.other.add("/data", DATA)
        way(stage, _keyed(stage.server.add("/from", hostile.redirect(lambda exchange: where(stage)))))
        if not stage.other.requests:
            raise Wrong("the redirect was not followed")
        _keep(stage, told=stage.server)

    return go


def _to_name(stage: Stage, way: Callable[..., None]) -> None:
    """Send the client from 127.0.0.1 to localhost, of the same port."""
    stage.server.add("/data", DATA)
    to = f"http://localhost:{stage.server.port}/data"
    way(stage, _keyed(stage.server.add("/from", hostile.redirect(to))))
    if any(SECRET in request.said for request in stage.server.requests if request.path == "/data"):
        raise Wrong("the secret was sent to another name")


def _there_and_back(stage: Stage, way: Callable[..., None]) -> None:
    """Send the client to another host, and that one back: the secret is not to come again from there."""
    stage.server.add("/data", DATA)
    stage.server.add("/from", hostile.redirect(f"{stage.other.url}/back"))
    stage.other.add("/back", hostile.redirect(f"{stage.server.url}/data"))
    way(stage, _keyed(f"{stage.server.url}/from"))
    _keep(stage, told=stage.server)


def _to_plain(stage: Stage, way: Callable[..., None]) -> None:
    """Send the client from https to http of the same host."""
    stage.server.add("/data", DATA)
    with WebServer(tls=True) as safe, requests.Session() as session:
        session.verify = CERTIFICATE
        url = safe.add("/from", hostile.redirect(f"{stage.server.url}/data"))
        try:
            way(stage, _keyed(url), session=session)
        finally:
            _keep(stage, safe, told=safe)


def _cookies(stage: Stage, way: Callable[..., None]) -> None:
    """Set a cookie for everybody and send the client on."""
    jar = ("Set-Cookie", f"key={SECRET}; Path=/; Domain=127.0.0.1"), ("Location", f"{stage.other.url}/data")
    stage.other.add("/data", DATA)
    way(stage, stage.server.add("/from", hostile.header_lines(*jar, ("Content-Length", "0"), code=302)))
    if any(SECRET in request.said for request in stage.other.requests):
        raise Wrong("a cookie was sent to another host")


def _error_text(stage: Stage, way: Callable[..., None]) -> None:
    """Fail with a secret in the URL: the error is not to show it."""
    try:
        way(stage, f"{stage.server.add('/gone', hostile.status(404))}?token={SECRET}")
    except OSError as error:
        if SECRET in str(error):
            raise Wrong(f"the error shows the secret: {error}") from None
        raise


_SECRETS = [
    _both("key, redirected to another address", _to_other(lambda stage: f"{stage.other.url}/data"), "recovered"),
    _both("key, redirected by //host/path", _to_other(lambda stage: f"{stage.other.url[5:]}/data"), "recovered"),
    _both("key, redirected to another name", _to_name, "recovered"),
    _both("key, redirected there and back", _there_and_back, "recovered"),
    _both("key, redirected from https to http", _to_plain, "either"),
    _both("cookie, redirected to another host", _cookies, "recovered"),
    _both("key in the URL of an error", _error_text, "refused", 0.5, "404"),
]


# --- this machine


@contextmanager
def _counted_as_public(*public: str) -> Iterator[None]:
    """Let addresses of this machine count as public, so that the rest of the rule can be watched."""
    with _PATCHING:
        real = addresses.is_public
        with mock.patch.object(addresses, "is_public", lambda address: address in public or real(address)):
            yield


def _public_to_private(stage: Stage, way: Callable[..., None]) -> None:
    """A public server sends the client to this machine."""
    stage.server.add("/data", DATA)
    url = stage.other.add("/from", hostile.redirect(f"{stage.server.url}/data"))
    with _counted_as_public("127.0.0.2"):
        try:
            way(stage, url, private_addresses=False)
        finally:
            if stage.server.requests or not stage.other.requests:
                raise Wrong("a redirect to this machine was followed")


def _rebound(stage: Stage, way: Callable[..., None]) -> None:
    """A name that is public when it is checked, and this machine when it is looked up again."""
    stage.other.add("/data", DATA)
    real, asked = socket.getaddrinfo, []

    def lookup(host: Any, port: Any, *rest: Any, **named: Any) -> Any:
        if host != "rebound.example":
            return real(host, port, *rest, **named)
        asked.append(host)
        return real("127.0.0.2" if len(asked) == 1 else "127.0.0.1", port, *rest, **named)

    with _counted_as_public("127.0.0.2"), mock.patch.object(socket, "getaddrinfo", lookup):
        way(stage, f"http://rebound.example:{stage.other.port}/data", private_addresses=False)


_MACHINE = [
    *(
        _to(f"private address {host}", f"http://{host}:{{port}}/a", "address", 1.0, private_addresses=False)
        for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]")
    ),
    _to("cloud metadata 169.254.169.254", "http://169.254.169.254/latest/", "address", private_addresses=False),
    _both("public host redirects to this machine", _public_to_private, "refused", 0.5, "address"),
    _both("name that moves after the check", _rebound, "recovered"),
]

# --- no web at all


def _untrusted(stage: Stage, way: Callable[..., None]) -> None:
    with WebServer(tls=True) as server:
        way(stage, server.add("/a", DATA))


def _dead_proxy(stage: Stage, way: Callable[..., None]) -> None:
    """A proxy that is not there; or the client passes by it, which is as good."""
    proxies = {"HTTP_PROXY": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
    with _PATCHING, mock.patch.dict("os.environ", proxies):
        way(stage, stage.server.add("/a", DATA))


_NOWHERE = [
    _both("redirect in a circle", _circle, "refused", 0.5, "redirect"),
    _both("redirects without end", _chain, "refused", 0.5, "redirect"),
    _sent("redirect to file:", "file:///etc/passwd", says="http"),
    _sent("redirect to ftp:", "ftp://127.0.0.1/a", says="http"),
    _sent("redirect to data:", "data:audio/wav;base64,AAAA", says="http"),
    _sent("redirect to no address", "http://[::1"),
    _sent("redirect to nowhere", ""),
    _to("nobody listens", "http://127.0.0.1:9/a"),
    _to("no such host", "http://nobody.invalid/a", deadline_s=2.0),
    _to("file: URL", "file:///etc/passwd", "http"),
    _to("URL without a host", "http:///a"),
    _to("URL with a broken host", "http://[::1/a"),
    _to("URL with a port that is none", "http://127.0.0.1:99999/a"),
    _both("certificate that nobody signed", _untrusted, "refused", says="certificate"),
    _both("dead proxy", _dead_proxy, "either"),
]

# --- answers to read at once


def _json(name: str, body: bytes, wanted: str = "refused", says: str = "", kind: str = "application/json") -> Case:
    def act(stage: Stage) -> None:
        url = stage.server.add("/json", hostile.status(200, body, None, kind))
        stage.fetcher().read_json(url, max_bytes=2**20)

    return Case(f"JSON: {name}", [act], wanted, 0.5, says)


_JSON = [
    _json("HTML with status 200", b"<html><head><title>Sign in</title></head></html>", says="<html", kind="text/html"),
    _json("nothing", b""),
    _json("cut short", b'{"files": [{"name": "a.o'),
    _json("100,000 lists in lists", b"[" * 100_000),
    _json("a number of 100,000 digits", b"9" * 100_000),
    _json("not UTF-8", b'{"a": "\xff\xfe"}'),
    _json("2 MiB", b" " * 2**21 + b"{}", says="allowed"),
]

ELSEWHERE = [*_NOWHERE, *_SECRETS, *_MACHINE, *_JSON]
