"""One request, followed to where it leads: each redirect is checked as if somebody had asked for its target.

Conventions: what a request carries (headers, user and password, cookies, certificate) goes to the host that it names
and to no other; once a redirect left that host, none of it is sent again. Messages name the URL without its secrets.
Class: ``Exchange``; functions ``prepared``, ``retry_after``.
"""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import mktime_tz, parsedate_tz
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar
from urllib.parse import urljoin, urlsplit, urlunsplit

from zounds_lite._lazy import optional
from zounds_lite.errors import FetchError, ForbiddenAddress, RateLimited
from zounds_lite.featureflow.addresses import resolve
from zounds_lite.featureflow.deadlines import Deadline
from zounds_lite.featureflow.masking import masked, secrets_in, without

if TYPE_CHECKING:
    from zounds_lite.featureflow.fetch import Fetcher

__all__ = ["Exchange", "prepared", "retry_after"]

_T = TypeVar("_T")

_PASSING = {408, 425, 429, 500, 502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}
_BODILESS = {204, 205}
_LONGEST_URL = 8192
_LONGEST_SHOWN = 500
_LOOK_UP_S = 2.0
"""How long a name is looked up that a proxy will look up anyway."""
_OURS = ("Range", "If-Range", "Accept-Encoding")
"""Headers that say what is wanted, and nothing on who wants it."""


def prepared(session: Any, request: Any) -> Any:
    """Return a request as it will be sent, with what its session adds.

    Args:
        session (requests.Session): that of this thread.
        request (str | requests.Request): a URL, or more.

    Raises:
        FetchError: it is no request for an http or https URL.
    """
    requests = optional("requests")
    request = requests.Request("GET", request) if isinstance(request, str) else request
    url = _shown(getattr(request, "url", None) or request)
    if not isinstance(request, requests.Request):
        raise FetchError(f"{url!r} is no URL and no requests.Request", passing=False)
    if not str(request.url).lower().startswith(("http://", "https://")):
        raise FetchError(f"{url!r}: only http and https URLs are fetched", passing=False)
    try:
        found = session.prepare_request(request)
        urlsplit(found.url).port  # noqa: B018 - checked here: a port that is no number
    except (requests.RequestException, ValueError) as error:
        reason = without(str(error), secrets_in(str(request.url)))
        raise FetchError(f"{url!r} is no valid request: {reason}", passing=False) from None
    if "Accept-Encoding" not in (request.headers or {}):
        found.headers["Accept-Encoding"] = "identity"  # what is packed may unpack to anything
    return found


class Exchange:
    """A request of an operation, which may be sent several times.

    Args:
        fetcher (Fetcher): its limits.
        session (requests.Session): that of this thread.
        request (str | requests.Request): what to ask for.
        deadline (Deadline): of the operation.

    Raises:
        FetchError: it is no request for an http or https URL.
    """

    def __init__(self, fetcher: "Fetcher", session: Any, request: Any, deadline: Deadline) -> None:
        self.fetcher, self.session, self.deadline = fetcher, session, deadline
        self.request = prepared(session, request)
        self.url = _shown(self.request.url)
        self.secrets = secrets_in(self.request.url, self.request.headers)
        if not isinstance(request, str):
            self.secrets |= secrets_in(str(request.url))  # of which the user and the password have become a header
        self._proxy: str | None = None

    def open(self, headers: Mapping[str, str] | None = None) -> Any:
        """Send the request; return the response, its body yet unread, which the caller closes.

        Args:
            headers (Mapping | None): sent in addition.

        Raises:
            FetchError: it is refused, or was not answered with success.
        """
        request = self.request.copy()
        request.headers.update(headers or {})
        at_home = True
        for _ in range(self.fetcher.max_redirects + 1):
            response = self._sent(request, at_home)
            location = response.headers.get("Location")
            if response.status_code not in _REDIRECTS or not location:
                return self._accepted(response)
            _let_go(response)
            target = self._target(request, location)
            at_home = at_home and _is_same_host(request.url, target)
            request = self._redirected(request, target, at_home)
        raise FetchError(
            f"{self.url!r} redirects more than {self.fetcher.max_redirects} times (Fetcher(max_redirects=...))",
            passing=False,
        )

    def attempt(self, headers: Mapping[str, str], take: Callable[[Any], _T]) -> _T:
        """Send the request, and return what ``take`` makes of the response.

        Raises:
            FetchError: as for ``open``, or the body ended early or too late.
        """
        response = self.open(headers)
        http = optional("http.client")
        broken = (optional("requests").RequestException, optional("urllib3").exceptions.HTTPError, http.HTTPException)
        try:
            with response:
                taken = take(response)
        except FetchError:
            if self.deadline.is_over:
                self._late()
            raise
        except broken as error:
            self.failed(error)
        if self.deadline.is_over:  # a connection that was cut looks like one that ended
            self._late()
        return taken

    def _late(self) -> NoReturn:
        raise FetchError(
            f"{self.url!r} took longer than the allowed {self.fetcher.total_timeout:g} s (Fetcher(total_timeout=...))",
            passing=True,
        ) from None

    def failed(self, error: Exception) -> NoReturn:
        """Raise what went wrong while the request was sent or its body read, without the secrets that it holds."""
        if self.deadline.is_over:
            self._late()
        kinds = optional("requests").exceptions
        reason = without(_reason(error), self.secrets)
        if isinstance(error, kinds.ProxyError):
            raise FetchError(
                f"{self.url!r} could not be fetched: the proxy {masked(self._proxy)} does not serve: {reason}; check "
                "HTTP_PROXY, HTTPS_PROXY and NO_PROXY",
                passing=True,
            ) from None
        refusal, self.deadline.refusal = self.deadline.refusal, None
        if isinstance(refusal, FetchError):
            raise type(refusal)(f"{self.url!r}: {refusal}", passing=getattr(refusal, "passing", False)) from None
        unfit = (kinds.InvalidURL, kinds.InvalidHeader, kinds.InvalidSchema, kinds.MissingSchema, UnicodeError)
        passing = not isinstance(error, unfit) and "CERTIFICATE_VERIFY_FAILED" not in reason
        raise FetchError(f"{self.url!r} could not be fetched: {reason}", passing=passing) from None

    # --- sending

    def _sent(self, request: Any, at_home: bool) -> Any:
        """Send one request; follow nothing."""
        fetcher, session, left = self.fetcher, self.session, self.deadline.left()
        requests = optional("requests")
        settings = session.merge_environment_settings(request.url, {}, True, session.verify, session.cert)
        self._proxy = requests.utils.select_proxy(request.url, settings["proxies"])
        if self._proxy and not fetcher.private_addresses:
            self._check_behind_proxy(request.url)
        how = {
            "stream": True,
            "timeout": (min(fetcher.connect_timeout, left), min(fetcher.read_timeout, left)),
            "verify": settings["verify"] or True,
            "cert": settings["cert"] if at_home else None,
            "proxies": settings["proxies"],
            "allow_redirects": False,
        }
        broken = (requests.RequestException, optional("urllib3").exceptions.HTTPError, OSError, ValueError)
        while True:
            self.deadline.is_reusing = False
            try:
                return session.send(request, **how)
            except FetchError:
                raise
            except broken as error:
                if not self._was_kept_too_long(request, error):
                    self.failed(error)

    def _was_kept_too_long(self, request: Any, error: Exception) -> bool:
        """Tell whether a server just ended a connection that was kept open; another one then gets its answer."""
        is_ended = isinstance(error, optional("requests").ConnectionError) and "timed out" not in str(error)
        return self.deadline.is_reusing and is_ended and request.method in ("GET", "HEAD") and not self.deadline.is_over

    def _check_behind_proxy(self, url: str) -> None:
        """Refuse what is this machine or its network even where a proxy connects, which looks names up itself."""
        parts = urlsplit(url)
        try:
            resolve(parts.hostname or "", parts.port or 80, timeout=min(_LOOK_UP_S, self.deadline.left()))
        except ForbiddenAddress as error:
            raise ForbiddenAddress(f"{self.url!r}: {error}", passing=False) from None
        except FetchError:
            return  # behind a proxy there may be no names but for the proxy

    def _accepted(self, response: Any) -> Any:
        """Return a response that is one of success; raise what any other one means."""
        status = response.status_code
        if 200 <= status < 300 and status not in _BODILESS:
            return response
        _let_go(response)
        message = without(f"{self.url!r} answered {status} {_printable(response.reason)}".rstrip(), self.secrets)
        pause = retry_after(response.headers) if status in _PASSING else None
        error: FetchError
        if status == 429 or pause is not None:
            error = RateLimited(message, pause or 0.0)
        else:
            error = FetchError(message, passing=status in _PASSING)
        error.status = status
        raise error

    # --- redirects

    def _target(self, request: Any, location: str) -> str:
        """Return the URL that a redirect leads to, if it may be followed."""
        if request.method not in ("GET", "HEAD"):
            raise FetchError(f"{self.url!r} redirects a {request.method}, which is not followed", passing=False)
        with suppress(UnicodeEncodeError):  # headers are read as Latin-1; who writes other characters means UTF-8
            location = location.encode("latin-1").decode("utf-8", "replace")
        shown = without(_shown(location), self.secrets)
        try:
            parts = urlsplit(urljoin(request.url, location.strip()))
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise FetchError(f"{self.url!r} redirects to {shown!r}, which is no URL", passing=False) from None
        if parts.scheme not in ("http", "https") or not host or len(location) > _LONGEST_URL:
            raise FetchError(
                f"{self.url!r} redirects to {shown!r}; only http and https URLs are followed", passing=False
            )
        if parts.scheme == "http" and request.url.lower().startswith("https:"):
            raise FetchError(
                f"{self.url!r} redirects from https to {shown!r}, which anybody could read and change", passing=False
            )
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))

    def _redirected(self, request: Any, target: str, at_home: bool) -> Any:
        requests = optional("requests")
        if at_home:
            followed = request.copy()
        else:
            if any(secret in target for secret in self.secrets):
                raise FetchError(
                    f"{self.url!r} redirects to another host with a secret of the request in the address",
                    passing=False,
                )
            followed = requests.Request(request.method, target).prepare()
            kept = {name: self.session.headers.get(name) for name in ("User-Agent", "Accept")}
            kept.update({name: request.headers.get(name) for name in _OURS})
            followed.headers = requests.structures.CaseInsensitiveDict(
                {name: value for name, value in kept.items() if value is not None}
            )
        try:
            followed.prepare_url(target, None)
        except (requests.RequestException, ValueError):
            raise FetchError(
                f"{self.url!r} redirects to {without(_shown(target), self.secrets)!r}, which is no URL", passing=False
            ) from None
        return followed


def _let_go(response: Any) -> None:
    """Close an answer whose body nobody wants; where there is none, its connection stays open for the next one."""
    if response.headers.get("Content-Length") == "0":
        with suppress(OSError, optional("urllib3").exceptions.HTTPError):
            response.raw.read(1)
    response.close()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the pause in seconds that a server asks for; None where it asks for none that can be read.

    Args:
        headers (Mapping): of its answer.

    Examples:
        >>> retry_after({"Retry-After": "120"}), retry_after({"Retry-After": "soon"})
        (120.0, None)
        >>> retry_after({"Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT", "Date": "Thu, 01 Jan 2026 00:00:00 GMT"})
        60.0
    """
    text = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,12}(\.\d+)?", text, re.ASCII):
        return float(text)
    until, now = _seconds(text), _seconds(headers.get("Date", ""))
    if until is None:
        return None
    # by the server's own clock, which need not be ours
    return max(0.0, until - (time.time() if now is None else now))


def _seconds(date: str) -> float | None:
    try:
        found = parsedate_tz(date)
        return None if found is None else float(mktime_tz(found))
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _is_same_host(one: str, other: str) -> bool:
    """Tell whether two URLs lead to the same server; from http to https on the usual ports counts as that."""
    first, second = urlsplit(one), urlsplit(other)
    ports = {"http": 80, "https": 443}
    from_to = [(parts.scheme, parts.port or ports[parts.scheme]) for parts in (first, second)]
    if (first.hostname or "").lower() != (second.hostname or "").lower():
        return False
    return from_to[0] == from_to[1] or from_to == [("http", 80), ("https", 443)]


def _shown(url: Any) -> str:
    text = masked(url)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "..."


def _printable(text: Any) -> str:
    return "".join(character if character.isprintable() else "?" for character in str(text or ""))[:100]


def _reason(error: BaseException) -> str:
    """Return what an error of the HTTP library means, without the URLs and objects that it is wrapped in."""
    for _ in range(10):
        inner = getattr(error, "reason", None) or getattr(error, "original_error", None)
        if not isinstance(inner, BaseException):
            inner = next((part for part in error.args if isinstance(part, BaseException)), None)
        if inner is None:
            break
        error = inner
    said = error.args[-1] if error.args and isinstance(error.args[-1], str) else str(error)
    text = re.sub(r"^<?[\w.]*HTTPS?Connection(?:Pool)?\([^)]*\)>?:? ?", "", said) or type(error).__name__
    return "".join(character if character.isprintable() else "?" for character in text)
