"""Redirects are checked one by one, and what a request carries reaches no host but its own, nor any message."""

import logging
import traceback

import pytest
import requests

from tests.webserver import CERTIFICATE, WebServer, hostile
from zounds_lite.errors import DeclarationError, FetchError, ForbiddenAddress
from zounds_lite.featureflow import Fetcher
from zounds_lite.featureflow.ledger import error_reason, error_traceback
from zounds_lite.featureflow.masking import masked, secrets_in, without

SECRET = "s3cr3t-0123456789"
PASSWORD = "pass-w0rd"


@pytest.fixture(scope="module")
def servers():
    with WebServer() as home, WebServer("127.0.0.2") as other:
        yield home, other


@pytest.fixture
def home(servers):
    servers[0].clear()
    return servers[0]


@pytest.fixture
def other(servers):
    servers[1].clear()
    return servers[1]


def quick(**options):
    quickly = {"backoff": 0.01, "connect_timeout": 2, "read_timeout": 2, "total_timeout": 5, "retries": 1}
    return Fetcher(**{**quickly, "private_addresses": True, **options})


def carrying(url, **more):
    headers = {"Authorization": f"Token {SECRET}", "X-Api-Key": SECRET, "Cookie": f"session={SECRET}", **more}
    return requests.Request("GET", url, headers=headers, auth=None, cookies={"more": SECRET})


# redirects


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(home, other, code):
    home.add("/there", b"found")
    other.add("/there", b"found")
    assert quick().read(home.add("/relative", hostile.redirect("there", code))) == b"found"
    assert quick().read(home.add("/other", hostile.redirect(f"{other.url}/there", code))) == b"found"
    assert quick().size(home.add("/relative", hostile.redirect("there", code))) == 5
    assert quick().open_ranges(home.add("/other", hostile.redirect(f"{other.url}/there", code))).read() == b"found"


def test_redirects_are_limited(home):
    home.add("/chain/*", hostile.redirect_chain())
    with pytest.raises(FetchError, match="redirects more than 5 times"):
        quick().read(home.url + "/chain/0")
    assert home.count("/chain/*") == 6
    home.add("/loop", hostile.redirect("/loop"))
    with pytest.raises(FetchError, match="redirects more than 2 times"):
        quick(max_redirects=2).read(home.url + "/loop")
    assert quick(max_redirects=1).read(home.add("/once", hostile.redirect(home.add("/end", b"x")))) == b"x"
    with pytest.raises(FetchError, match="more than 0 times"):
        quick(max_redirects=0).read(home.url + "/once")


@pytest.mark.parametrize(
    ("to", "words"),
    [
        ("file:///etc/passwd", "only http and https URLs are followed"),
        ("ftp://a.example/x", "only http and https URLs are followed"),
        ("data:text/plain,hello", "only http and https URLs are followed"),
        ("javascript:alert(1)", "only http and https URLs are followed"),
        ("http://a.example:port/", "which is no URL"),
        ("http://[::1", "which is no URL"),
        ("http://a.example:123456/", "which is no URL"),
        ("/" + "x" * 9000, "only http and https URLs are followed"),
        ("http://127.0.0.1:9/nobody", "could not be fetched"),
    ],
)
def test_redirects_to_nowhere(home, to, words):
    with pytest.raises(FetchError, match=words):
        quick().read(home.add("/away", hostile.redirect(to)))


def test_an_endless_body_of_a_redirect_is_not_read(home):
    def answer(exchange):
        exchange.start(302, {"Location": "/end"})
        while exchange.wait(0):
            exchange.write(bytes(65536))

    home.add("/end", b"x")
    assert quick(total_timeout=3).read(home.add("/big", answer)) == b"x"


def test_only_what_asks_for_something_is_redirected(home):
    where = home.add("/post", hostile.redirect("/end", 307))
    with pytest.raises(FetchError, match="redirects a POST, which is not followed"):
        quick().read(requests.Request("POST", where, data={"a": 1}))


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1:1/x", "http://localhost:1/", "http://10.0.0.1/", "http://169.254.169.254/meta", "http://0/",
     "http://[::1]:1/", "http://2130706433/", "http://0x7f.1/", "http://127.1:1/", "http://[::ffff:10.0.0.1]/"],
)  # fmt: skip
def test_a_redirect_to_a_private_address_is_refused(target):
    """The first host is answered for by an adapter of the test's; what it leads to is connected to as always."""
    session = requests.Session()
    session.mount("http://public.example/", Answering(302, {"Location": target}))
    with pytest.raises(ForbiddenAddress, match="an address of this machine or its network") as caught:
        Fetcher(session=session).read("http://public.example/start")
    assert caught.value.passing is False and "public.example" in str(caught.value)


def test_from_https_to_http_is_refused(home):
    with WebServer(tls=True) as secure, requests.Session() as session:
        session.verify = CERTIFICATE
        fetcher = quick(session=session)
        assert fetcher.read(secure.add("/a", b"hello")) == b"hello"
        with pytest.raises(FetchError, match="redirects from https to"):
            fetcher.read(secure.add("/down", hostile.redirect(home.add("/end", b"x"))))
        assert home.requests == []
        assert fetcher.read(home.add("/up", hostile.redirect(secure.url + "/a"))) == b"hello"


# TLS


def test_tls_is_always_verified(home):
    with WebServer(tls=True) as secure:
        with pytest.raises(FetchError, match="certificate verify failed") as caught:
            quick(retries=3, backoff=30).read(secure.add("/a", b"hello"))
        assert caught.value.passing is False and secure.requests == []
        with requests.Session() as session:
            session.verify = False
            with pytest.raises(DeclarationError, match="TLS is always verified"):
                quick(session=session)

            def careless():
                made = requests.Session()
                made.verify = False
                return made

            with pytest.raises(DeclarationError, match="TLS is always verified"):
                quick(session=careless).read(secure.url + "/a")
    with WebServer("127.0.0.3", tls=True) as misnamed, requests.Session() as session:
        session.verify = CERTIFICATE  # trusted, but for other hosts
        with pytest.raises(FetchError, match="doesn't match|not match|not valid|mismatch"):
            quick(session=session).read(misnamed.add("/a", b"hello"))
        assert misnamed.requests == []


def test_a_host_that_speaks_no_tls(home):
    with pytest.raises(FetchError, match="could not be fetched"):
        quick().read(home.url.replace("http:", "https:") + "/a")


# what a request carries


def says(server):
    return "\n".join(request.said for request in server.requests)


@pytest.mark.parametrize("code", [301, 307])
@pytest.mark.parametrize("how", ["read", "ranges", "size"])
def test_headers_go_to_their_own_host_only(home, other, code, how):
    back = home.add("/back", b"found")
    there = other.add("/there", hostile.redirect(back))
    where = home.add("/away", hostile.redirect(there, code))
    asked = carrying(where, **{"User-Agent": f"mine/{SECRET}", "Referer": SECRET})
    asked.auth = ("ann", PASSWORD)
    if how == "read":
        assert quick().read(asked) == b"found"
    elif how == "ranges":
        assert quick().open_ranges(asked).read() == b"found"
    else:
        assert quick().size(asked) == 5
    assert SECRET in home.requests[0].said and "Basic" in home.requests[0].said
    assert len(other.requests) == 1 and SECRET not in says(other) and "Basic" not in says(other)
    assert SECRET not in home.requests[1].said  # nor again, once a redirect left the host
    names = {name.lower() for name in other.requests[0].headers}
    assert names <= {"host", "user-agent", "accept", "accept-encoding", "connection", "range"}


def test_headers_stay_with_redirects_of_the_same_host(home):
    home.add("/end", b"found")
    assert quick().read(carrying(home.add("/moved", hostile.redirect("/end")))) == b"found"
    assert all(SECRET in request.headers["X-Api-Key"] for request in home.requests)


def test_what_a_session_adds_goes_no_further_either(home, other):
    where = home.add("/away", hostile.redirect(other.add("/there", b"found")))
    with requests.Session() as session:
        session.headers["X-Session-Key"] = SECRET
        session.auth = ("ann", PASSWORD)
        session.cookies.set("chip", SECRET)
        session.params = {"page": "9"}
        before = session.headers.copy()
        assert quick(session=session).read(where) == b"found"
        assert session.headers == before and type(session.get_adapter("http://")) is requests.adapters.HTTPAdapter
    assert SECRET in home.requests[0].said and "Basic" in home.requests[0].said
    assert SECRET not in says(other) and "Basic" not in says(other) and "page" not in says(other)


def test_the_user_and_password_of_a_url_go_no_further(home, other):
    where = home.add("/away", hostile.redirect(lambda exchange: other.url.replace("//", "//eve:adam@") + "/there"))
    other.add("/there", b"found")
    assert quick().read(where.replace("//", f"//ann:{PASSWORD}@")) == b"found"
    assert "Basic" in home.requests[0].said and "Authorization" not in says(other)


def test_cookies_that_servers_set_are_not_kept(home):
    home.add("/set", hostile.status(200, b"x", {"Set-Cookie": "chip=1; Path=/"}))
    fetcher = quick()
    fetcher.read(home.url + "/set")
    fetcher.read(home.url + "/set")
    assert "Cookie" not in home.requests[1].headers


@pytest.mark.parametrize("echo", [f"?token={SECRET}", f"/{SECRET}/", f"?next={SECRET}"])
def test_a_redirect_that_takes_a_secret_along_is_not_followed(home, other, echo):
    where = home.add("/echo", hostile.redirect(f"{other.url}/there{echo}"))
    for asked in (f"{where}?token={SECRET}", carrying(where), requests.Request("GET", where, params={"key": SECRET})):
        with pytest.raises(FetchError, match="with a secret of the request in the address") as caught:
            quick().read(asked)
        assert_silent(caught.value)
    assert other.requests == []
    home.add("/end", b"x")
    home.add("/echo", hostile.redirect(f"/end?token={SECRET}"))
    assert quick().read(f"{where}?token={SECRET}") == b"x"


# messages


def assert_silent(error):
    texts = [str(error), repr(error), error_reason(error), error_traceback(error)]
    texts.append("".join(traceback.format_exception(error)))
    for secret in (SECRET, PASSWORD):
        assert not any(secret in text for text in texts)


ANSWERS = {
    "404": hostile.status(404), "500": hostile.failing(times=None), "429": hostile.rate_limited(999, times=None),
    "cut": hostile.lying_length(b"abc", 10), "hang up": hostile.hang_up(), "silent": hostile.silent(),
    "loop": hostile.redirect(lambda exchange: exchange.request.target), "garbage": hostile.garbage(),
    "echo": hostile.redirect(lambda exchange: f"ftp://a.example{exchange.request.target}"),
    "nowhere": hostile.redirect(lambda exchange: f"http://[{exchange.request.target}"),
    "reason": hostile.page(), "long": hostile.endless(), "br": hostile.status(200, b"", {"Content-Encoding": "br"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", ANSWERS)
def test_no_message_tells_a_secret(home, kind, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    where = home.add("/secret", ANSWERS[kind]).replace("//", f"//ann:{PASSWORD}@") + f"?q=cat&api_key={SECRET}"
    fetcher = quick(total_timeout=1, max_bytes=10**6)
    calls = [fetcher.read_json, fetcher.open_ranges, lambda url: fetcher.save(url, tmp_path / "a.wav")]
    for call in calls[: 1 if kind == "reason" else 3]:
        for asked in (where, carrying(where)):
            if kind in ("cut", "long", "br") and call == fetcher.open_ranges:
                assert call(asked) is None  # the whole is not even begun
                continue
            with pytest.raises(FetchError, match="127.0.0.1") as caught:
                call(asked)
            assert_silent(caught.value)
    assert SECRET not in caplog.text and PASSWORD not in caplog.text
    assert not any(SECRET in path.read_text("latin-1") for path in tmp_path.iterdir())


@pytest.mark.parametrize("bad", ["http://ann:{p}@no-such.invalid/x?token={s}", "ftp://ann:{p}@a.example/?token={s}",
                                 "http://ann:{p}@a.example:port/?token={s}", "http://ann:{p}@[::1/?token={s}",
                                 "http://ann:{p}@127.0.0.1:9/?token={s}"])  # fmt: skip
def test_no_message_on_a_bad_url_tells_a_secret(bad):
    with pytest.raises(FetchError, match=r"\*\*\*") as caught:
        quick().read(bad.format(p=PASSWORD, s=SECRET))
    assert_silent(caught.value)


def test_masks():
    assert masked("http://a/?q=1&X-Amz-Signature=ab%20c&sig=x#token=y") == (
        "http://a/?q=1&X-Amz-Signature=***&sig=***#token=***"
    )
    plain = "https://archive.example/download/keyboard-music/monkey.wav?keyboard=1&author=ann&tokens"
    assert masked(plain) == plain
    assert masked("see //user:pw@host/x and http://me@host") == "see //***@host/x and http://***@host"
    assert secrets_in("http://[", None) == frozenset()
    assert without("a+b%2Fc or a b/c", secrets_in("http://h/?token=a+b%2Fc")) == "*** or ***"


class Answering(requests.adapters.BaseAdapter):
    """Answers without a network."""

    def __init__(self, status, headers=(), body=b""):
        super().__init__()
        self.status, self.headers, self.body, self.sent = status, dict(headers), body, []

    def send(self, request, **options):
        import io

        self.sent.append((request, options))
        response = requests.Response()
        response.status_code, response.reason = self.status, "As told"
        response.headers.update(self.headers)
        response.raw, response.request, response.url = io.BytesIO(self.body), request, request.url
        return response

    def close(self):
        pass


def test_everything_works_without_a_network():
    session = requests.Session()
    adapter = Answering(200, {"Content-Length": "5"}, b"hello")
    session.mount("https://", adapter)
    assert Fetcher(session=session).read("https://no-such-host.invalid/x") == b"hello"
    assert Fetcher(session=lambda: session).read("https://no-such-host.invalid/x") == b"hello"
    (_, options), _ = adapter.sent
    assert options["verify"] and options["timeout"] == (10, 60)
    with pytest.raises(DeclarationError, match="a requests.Session, or a function"):
        Fetcher(session="session")
    with pytest.raises(DeclarationError, match="a requests.Session, or a function"):
        Fetcher(session=lambda: 7).read("https://no-such-host.invalid/x")
