"""The one HTTP client: everything that comes from a URL comes through here.

Conventions: only http and https; TLS is verified; connect and read have timeouts; what may pass is tried again with
growing pauses; a body has a cap; a download is complete or it is an error. Classes: ``Fetcher``; function
``default_fetcher`` (replace what it returns with ``set_fetcher``, for example in tests).
"""

import re
import time
from collections.abc import Callable
from copy import copy
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from zounds_lite._declared import Declared
from zounds_lite._lazy import optional
from zounds_lite.errors import DeclarationError, FetchError
from zounds_lite.featureflow.addresses import resolve
from zounds_lite.featureflow.ranges import BLOCK, Part, RangeFile

__all__ = ["Fetcher", "default_fetcher", "set_fetcher"]

_T = TypeVar("_T")

_PIECE = 256 * 1024
_PASSING = {408, 425, 429, 500, 502, 503, 504}


class Fetcher(Declared):
    """Downloads URLs.

    Args:
        connect_timeout (float): seconds to wait for a connection, > 0.
        read_timeout (float): seconds to wait for the next bytes, > 0.
        retries (int): further attempts after the first one, >= 0.
        backoff (float): seconds before the second attempt; doubles with each further one.
        max_bytes (int): longest body, in bytes.
        user_agent (str): how the client names itself.
        private_addresses (bool): addresses of this machine and its network are allowed.

    Raises:
        DeclarationError: an argument is out of range.
    """

    def __init__(
        self,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        retries: int = 3,
        backoff: float = 0.5,
        max_bytes: int = 16 * 2**30,
        user_agent: str = "zounds_lite",
        private_addresses: bool = False,
    ) -> None:
        super().__init__(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries=retries,
            backoff=backoff,
            max_bytes=max_bytes,
            user_agent=user_agent,
            private_addresses=private_addresses,
        )

    connect_timeout: float
    read_timeout: float
    retries: int
    backoff: float
    max_bytes: int
    user_agent: str
    private_addresses: bool

    def validate(self) -> None:
        if min(self.connect_timeout, self.read_timeout) <= 0 or min(self.retries, self.backoff, self.max_bytes) < 0:
            raise DeclarationError(f"{self!r}: timeouts must be > 0, retries, backoff and max_bytes >= 0")

    def download(self, request: Any, file: BinaryIO) -> int:
        """Write the body of a URL to ``file``, from its current position on.

        Args:
            request (str | requests.Request): what to fetch.
            file (BinaryIO): seekable; after an error it is cut back to where it was.

        Returns:
            int: bytes written.

        Raises:
            FetchError: the URL is refused, unreachable, too long, or ended early.
        """
        start = file.tell()

        def attempt() -> int:
            try:
                return self._attempt(request, lambda response, url: self._copy(response, url, file))
            except FetchError:
                file.seek(start)
                file.truncate()
                raise

        return self._again(attempt)

    def open_ranges(self, request: Any) -> RangeFile | None:
        """Open a URL as a file of which only what is touched is fetched.

        Args:
            request (str | requests.Request): what to read.

        Returns:
            RangeFile | None: None where the server gives only the whole.

        Raises:
            FetchError: the URL is refused or unreachable.
        """
        requests = optional("requests")
        request = requests.Request("GET", request) if isinstance(request, str) else request
        first: list[Part | None] = [self._part(request, 0, BLOCK - 1)]
        if first[0] is None:
            return None

        def fetch(start: int, stop: int) -> Part | None:
            return first.pop() if first else self._part(request, start, stop)

        return RangeFile(fetch, str(request.url))

    def _part(self, request: Any, start: int, stop: int) -> Part | None:
        """Fetch the bytes from ``start`` to ``stop``, both inclusive."""
        ranged = copy(request)
        ranged.headers = {**(request.headers or {}), "Range": f"bytes={start}-{stop}", "Accept-Encoding": "identity"}
        return self._again(lambda: self._attempt(ranged, lambda response, url: _ranged(response, url, start, stop)))

    def _again(self, attempt: Callable[[], _T]) -> _T:
        """Try, and try again with growing pauses what may pass."""
        for turn in range(self.retries + 1):
            try:
                return attempt()
            except FetchError as error:
                if turn == self.retries or not getattr(error, "passing", False):
                    raise
                time.sleep(self.backoff * 2**turn)
        raise FetchError("nothing was tried")  # pragma: no cover - the loop returns or raises

    def _attempt(self, request: Any, take: Callable[[Any, str], _T]) -> _T:
        """Send a request, and return what ``take`` makes of the response."""
        requests = optional("requests")
        request = requests.Request("GET", request) if isinstance(request, str) else request
        if not str(request.url).startswith(("http://", "https://")):
            raise FetchError(f"{request.url!r}: only http and https URLs are fetched")
        where = urlsplit(str(request.url))
        resolve(where.hostname or "", where.port or (443 if where.scheme == "https" else 80), self.private_addresses)
        try:
            with requests.Session() as session:
                session.headers["User-Agent"] = self.user_agent
                with session.send(
                    session.prepare_request(request), stream=True, timeout=(self.connect_timeout, self.read_timeout)
                ) as response:
                    if response.status_code >= 400:
                        passing = response.status_code in _PASSING
                        raise _failure(f"{request.url!r} answered {response.status_code} {response.reason}", passing)
                    return take(response, str(request.url))
        except requests.RequestException as error:
            raise _failure(f"{request.url!r} could not be fetched: {error}", passing=True) from error

    def _copy(self, response: Any, url: str, file: BinaryIO) -> int:
        promised = response.headers.get("Content-Length")
        length = int(promised) if promised and "Content-Encoding" not in response.headers else None
        if length is not None and length > self.max_bytes:
            raise FetchError(f"{url!r} is {length} bytes long; allowed: {self.max_bytes} (Fetcher(max_bytes=...))")
        written = 0
        for piece in response.iter_content(_PIECE):
            written += len(piece)
            if written > self.max_bytes:
                raise FetchError(f"{url!r} is longer than the allowed {self.max_bytes} bytes (Fetcher(max_bytes=...))")
            file.write(piece)
        if length is not None and written != length:
            raise _failure(f"{url!r} ended after {written} of {length} bytes", passing=True)
        return written


def _ranged(response: Any, url: str, start: int, stop: int) -> Part | None:
    """Return the part that a response holds; None where it holds the whole."""
    if response.status_code != 206:
        return None
    found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", response.headers.get("Content-Range", "").strip())
    if found is None or int(found[1]) != start or int(found[2]) > stop:
        return None
    first, last, size = (int(number) for number in found.groups())
    data = b"".join(response.iter_content(_PIECE))
    if len(data) != last - first + 1:
        raise _failure(f"{url!r} ended after {len(data)} of {last - first + 1} bytes", passing=True)
    version = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    return Part(data, size, version)


def _failure(message: str, passing: bool) -> FetchError:
    error = FetchError(message)
    error.passing = passing  # type: ignore[attr-defined]
    return error


_current: list[Fetcher] = []


def default_fetcher() -> Fetcher:
    """Return the fetcher that byte streams and datasets use."""
    return _current[0] if _current else Fetcher()


def set_fetcher(fetcher: Fetcher | None) -> Callable[[], None]:
    """Replace the default fetcher; None restores it. Returns a function that undoes the change."""
    before = list(_current)
    _current[:] = [fetcher] if fetcher else []

    def undo() -> None:
        _current[:] = before

    return undo
