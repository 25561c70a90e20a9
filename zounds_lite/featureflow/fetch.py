"""The one HTTP client: everything that comes from a URL comes through here.

Conventions: only http and https; TLS is verified; connect and read have timeouts; what may pass is tried again with
growing pauses; a body has a cap; a download is complete or it is an error. Classes: ``Fetcher``; function
``default_fetcher`` (replace what it returns with ``set_fetcher``, for example in tests).
"""

import time
from collections.abc import Callable
from typing import Any, BinaryIO

from zounds_lite._declared import Declared
from zounds_lite._lazy import optional
from zounds_lite.errors import DeclarationError, FetchError

__all__ = ["Fetcher", "default_fetcher", "set_fetcher"]

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
    ) -> None:
        super().__init__(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries=retries,
            backoff=backoff,
            max_bytes=max_bytes,
            user_agent=user_agent,
        )

    connect_timeout: float
    read_timeout: float
    retries: int
    backoff: float
    max_bytes: int
    user_agent: str

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
        for attempt in range(self.retries + 1):
            try:
                return self._attempt(request, file)
            except FetchError as error:
                file.seek(start)
                file.truncate()
                if attempt == self.retries or not getattr(error, "passing", False):
                    raise
                time.sleep(self.backoff * 2**attempt)
        raise FetchError(f"{request!r} was not tried")  # pragma: no cover - the loop returns or raises

    def _attempt(self, request: Any, file: BinaryIO) -> int:
        requests = optional("requests")
        request = requests.Request("GET", request) if isinstance(request, str) else request
        if not str(request.url).startswith(("http://", "https://")):
            raise FetchError(f"{request.url!r}: only http and https URLs are fetched")
        try:
            with requests.Session() as session:
                session.headers["User-Agent"] = self.user_agent
                with session.send(
                    session.prepare_request(request), stream=True, timeout=(self.connect_timeout, self.read_timeout)
                ) as response:
                    return self._copy(response, str(request.url), file)
        except requests.RequestException as error:
            raise _failure(f"{request.url!r} could not be fetched: {error}", passing=True) from error

    def _copy(self, response: Any, url: str, file: BinaryIO) -> int:
        if response.status_code >= 400:
            raise _failure(
                f"{url!r} answered {response.status_code} {response.reason}", passing=response.status_code in _PASSING
            )
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
