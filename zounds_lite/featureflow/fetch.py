"""The one HTTP client: everything that comes from a URL comes through here.

Conventions: only http and https; TLS is verified; what a request carries goes to the host that it names and to no
other; only public addresses, unless told otherwise; every operation ends when its time is up; what may pass is tried
again with growing pauses; a body has a cap; a download is complete or it is an error. Classes: ``Fetcher``; functions
``default_fetcher``, ``set_fetcher``.
"""

import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable
from copy import copy
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from zounds_lite._declared import Declared
from zounds_lite._lazy import optional
from zounds_lite.errors import ChecksumMismatch, DeclarationError, FetchError
from zounds_lite.featureflow.attempts import repeated
from zounds_lite.featureflow.bodies import Checksum, content_range, pieces
from zounds_lite.featureflow.deadlines import Deadline
from zounds_lite.featureflow.downloads import Download, content_length
from zounds_lite.featureflow.exchange import Exchange, prepared
from zounds_lite.featureflow.fetchcache import FetchCache
from zounds_lite.featureflow.masking import mask_logs, masked
from zounds_lite.featureflow.partials import Partial
from zounds_lite.featureflow.ranges import BLOCK, Part, RangeFile
from zounds_lite.featureflow.sessions import Sessions, check_session

__all__ = ["Fetcher", "default_fetcher", "set_fetcher"]

_T = TypeVar("_T")

_PIECE = 256 * 1024
_SHOWN = 100
"""Bytes of a body that is not what it should be, in messages."""
_NO_HEAD = {403, 405, 501}
"""What servers answer that do not say how long a body is, though they may well give it."""


class Fetcher(Declared):
    """Downloads URLs.

    Args:
        connect_timeout (float): seconds to wait for a connection, > 0.
        read_timeout (float): seconds to wait for the next bytes, > 0.
        total_timeout (float): seconds for an operation with all its attempts, redirects and pauses, > 0; it ends then
            even where a server sends a byte now and then.
        retries (int): further attempts after the first one, >= 0.
        backoff (float): seconds before the second attempt; doubles with each further one.
        max_wait (float): longest pause between two attempts, in seconds; a server that asks for a longer one
            (``Retry-After``) is told so by ``RateLimited``.
        max_redirects (int): how often a server may send elsewhere, >= 0.
        max_bytes (int): longest body, in bytes.
        private_addresses (bool): addresses of this machine and its network are allowed.
        user_agent (str | None): how the client names itself; None: the library and its version.
        session (requests.Session | Callable | None): what requests are sent with, or a function that makes one for each
            thread. It brings its headers, user, certificates, proxies and adapters; it is copied for each thread, and
            never changed. Addresses are checked whatever the session, except for schemes for which it has an adapter of
            its own (``session.mount``), whose connections are its own business; redirects, caps, times and the rule on
            secrets hold for these too. No part of the identity of a fetcher.
        cache (FetchCache | None): where bodies of ``download`` and ``save`` are kept and looked for.

    Raises:
        DeclarationError: an argument is out of range, or the session does not verify TLS.

    Examples:
        >>> Fetcher(retries=1).replace(total_timeout=30).total_timeout
        30
        >>> Fetcher().read("http://localhost/secrets")
        Traceback (most recent call last):
        ...
        zounds_lite.errors.ForbiddenAddress: 'http://localhost/secrets': 'localhost' is ..., an address of this ...
    """

    def __init__(
        self,
        connect_timeout: float = 10.0,
        read_timeout: float = 60.0,
        total_timeout: float = 3600.0,
        retries: int = 3,
        backoff: float = 0.5,
        max_wait: float = 60.0,
        max_redirects: int = 5,
        max_bytes: int = 16 * 2**30,
        private_addresses: bool = False,
        user_agent: str | None = None,
        session: Any = None,
        cache: FetchCache | None = None,
    ) -> None:
        super().__init__(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            total_timeout=total_timeout,
            retries=retries,
            backoff=backoff,
            max_wait=max_wait,
            max_redirects=max_redirects,
            max_bytes=max_bytes,
            private_addresses=private_addresses,
            user_agent=user_agent,
            session=session,
            cache=cache,
        )
        self.__dict__["_sessions"] = Sessions(session, private_addresses, user_agent)

    connect_timeout: float
    read_timeout: float
    total_timeout: float
    retries: int
    backoff: float
    max_wait: float
    max_redirects: int
    max_bytes: int
    private_addresses: bool
    user_agent: str | None
    session: Any
    cache: FetchCache | None
    _sessions: Sessions

    def validate(self) -> None:
        times = (self.connect_timeout, self.read_timeout, self.total_timeout)
        counts = (self.retries, self.backoff, self.max_wait, self.max_redirects, self.max_bytes)
        if not all(0 < time < float("inf") for time in times) or not all(count >= 0 for count in counts):
            raise DeclarationError(
                f"{self!r}: timeouts must be > 0, retries, backoff, max_wait, max_redirects and max_bytes >= 0"
            )
        is_factory = callable(self.session) and (isinstance(self.session, type) or not hasattr(self.session, "send"))
        if self.session is not None and not is_factory:
            check_session(self.session)
        if self.cache is not None and not isinstance(self.cache, FetchCache):
            raise DeclarationError(f"cache={self.cache!r}: a FetchCache, or None")

    def to_dict(self) -> dict[str, Any]:
        return super().to_dict() if self.session is None else self.replace(session=None).to_dict()

    def describe(self) -> dict[str, Any]:
        return super().describe() if self.session is None else self.replace(session=None).describe()

    def _identity(self) -> Any:
        return super()._identity() if self.session is None else self.replace(session=None)._identity()

    def __getstate__(self) -> dict[str, Any]:
        return self.parameters

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def download(self, request: Any, file: BinaryIO, checksum: str | None = None) -> int:
        """Write the body of a URL to ``file``, from its current position on.

        What came before an attempt ended early is kept, and the next one asks for the rest, where the server says
        which version of the body it sends, or there is a checksum.

        Args:
            request (str | requests.Request): what to fetch.
            file (BinaryIO): seekable; after an error it is cut back to where it was.
            checksum (str | None): of the body: ``md5:``, ``sha1:``, ``sha256:`` or ``crc32:`` and hexadecimal digits.

        Returns:
            int: bytes written.

        Raises:
            FetchError: the URL is refused, unreachable, too long, or ended early.
            ChecksumMismatch: the body is not what its source promises.
            DeclarationError: the checksum is none.
        """
        start = file.tell()
        try:
            if self.cache is None:
                return self._fill(request, Download(file, self.max_bytes, checksum))
            key = self._key(request)
            found = self._from_cache(key, file, request, checksum)
            if found is not None:
                return found
            with self.cache.adding(key) as kept:
                size = self._fill(request, Download(kept, self.max_bytes, checksum))
                kept.seek(0)
                shutil.copyfileobj(kept, file, _PIECE)
            return size
        except BaseException:
            file.seek(start)
            file.truncate()
            raise

    def save(self, request: Any, path: str | os.PathLike[str], checksum: str | None = None) -> Path:
        """Fetch a URL into a file, which is complete or not there; one that stands there is replaced.

        Until it is complete it stands beside, as ``.NAME.part``, and is gone on with by a later call where the server
        says which version of the body it sends, or there is a checksum.

        Args:
            request (str | requests.Request): what to fetch.
            path (str | Path): the file; its folder must exist.
            checksum (str | None): as for ``download``.

        Returns:
            Path: the file.

        Raises:
            FetchError: as for ``download``.
        """
        url = request if isinstance(request, str) else str(getattr(request, "url", request))
        key = self._key(request) if self.cache is not None else ""
        with Partial(path, url, checksum) as partial:
            found = None
            if self.cache is not None:
                found = self._from_cache(key, partial.file, request, checksum)
            if found is None:
                self._fill(request, partial.download(self.max_bytes))
            partial.complete()
        if self.cache is not None and found is None:
            self.cache.add(key, path)
        return Path(path)

    def read(self, request: Any, max_bytes: int = 256 * 2**20) -> bytes:
        """Fetch a body into memory.

        Args:
            request (str | requests.Request): what to fetch.
            max_bytes (int): longest body.

        Raises:
            FetchError: as for ``download``.
        """
        file = io.BytesIO()
        self._fill(request, Download(file, min(max_bytes, self.max_bytes)))
        return file.getvalue()

    def read_json(self, request: Any, max_bytes: int = 16 * 2**20) -> Any:
        """Fetch JSON.

        Args:
            request (str | requests.Request): what to fetch.
            max_bytes (int): longest body.

        Raises:
            FetchError: as for ``download``; or the body is no JSON, such as a page that asks to sign in.
        """
        body = self.read(request, max_bytes)
        try:
            return json.loads(body.decode("utf-8-sig"), parse_constant=_refused)
        except (ValueError, RecursionError) as error:
            url = masked(request if isinstance(request, str) else request.url)
            begins = masked(body[:_SHOWN].decode("utf-8", "replace"))
            raise FetchError(f"{url!r} is no JSON ({error}); it begins with {begins!r}", passing=False) from None

    def size(self, request: Any) -> int | None:
        """Ask how many bytes a body has, without fetching it; None where the server does not say.

        Args:
            request (str | requests.Request): what to ask for.

        Raises:
            FetchError: the URL is refused or unreachable.
        """
        requests = optional("requests")
        asked = requests.Request("GET", request) if isinstance(request, str) else copy(request)
        if isinstance(asked, requests.Request):
            asked.method = "HEAD"
        try:
            return self._run(asked, lambda exchange: exchange.attempt({}, _promised))
        except FetchError as error:
            if error.status in _NO_HEAD:
                return None
            raise

    def open_ranges(self, request: Any) -> RangeFile | None:
        """Open a URL as a file of which only what is touched is fetched.

        Args:
            request (str | requests.Request): what to read.

        Returns:
            RangeFile | None: None where the server gives only the whole.

        Raises:
            FetchError: the URL is refused or unreachable.
        """
        first: list[Part | None] = [self._part(request, 0, BLOCK - 1)]
        if first[0] is None:
            return None

        def fetch(start: int, stop: int) -> Part | None:
            return first.pop() if first else self._part(request, start, stop)

        return RangeFile(fetch, masked(request if isinstance(request, str) else request.url))

    def _part(self, request: Any, start: int, stop: int) -> Part | None:
        """Fetch the bytes from ``start`` to ``stop``, both inclusive."""
        headers = {"Range": f"bytes={start}-{stop}", "Accept-Encoding": "identity"}

        def take(exchange: Exchange) -> Part | None:
            return exchange.attempt(headers, lambda response: _ranged(response, exchange.url, start, stop))

        return self._run(request, take)

    def _fill(self, request: Any, download: Download) -> int:
        """Fetch a body into where a download says."""

        def attempt(exchange: Exchange) -> int:
            headers = download.headers(exchange.request)
            try:
                return exchange.attempt(headers, lambda response: download.take(response, exchange.url))
            except FetchError as error:
                if error.status == 416 and headers:  # the body became shorter
                    download.restart()
                    error.passing = True
                raise

        return self._run(request, attempt, lambda: download.size)

    def _run(self, request: Any, attempt: Callable[[Exchange], _T], progress: Callable[[], int] = lambda: 0) -> _T:
        mask_logs()
        with Deadline(self.total_timeout) as deadline:
            return repeated(Exchange(self, self._sessions.current(), request, deadline), attempt, progress)

    def _key(self, request: Any) -> str:
        """Name what a request asks for, in the cache."""
        found = prepared(self._sessions.current(), request)
        headers = sorted((name.lower(), str(value)) for name, value in found.headers.items())
        asked = [found.method, found.url, [pair for pair in headers if pair[0] not in ("user-agent", "connection")]]
        return hashlib.sha256(json.dumps(asked).encode("utf-8")).hexdigest()

    def _from_cache(self, key: str, file: BinaryIO, request: Any, checksum: str | None) -> int | None:
        """Copy a body from the cache; return its bytes, or None where it is not there, or not what it should be."""
        assert self.cache is not None
        known = None if checksum is None else Checksum(checksum)
        found = self.cache.find(key)
        if found is None:
            return None
        start = file.tell()
        file.truncate()
        with found:
            while piece := found.read(_PIECE):
                file.write(piece)
                if known is not None:
                    known.update(piece)
        try:
            if known is not None:
                known.check("")
        except ChecksumMismatch:
            self.cache.remove(key)
            file.seek(start)
            file.truncate()
            return None
        return file.tell() - start


def _promised(response: Any) -> int | None:
    """Return the length that an answer without a body promises, and leave its connection open."""
    response.raw.read(1)
    return content_length(response)


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _ranged(response: Any, url: str, start: int, stop: int) -> Part | None:
    """Return the part that a response holds; None where it holds the whole."""
    if response.status_code != 206 or "Content-Encoding" in response.headers:
        return None
    found = content_range(response)
    if found is None or found[0] != start or found[1] > stop or found[2] is None:
        return None
    first, last, size = found[0], found[1], found[2]
    data = b"".join(pieces(response, url, last - first + 1))
    if len(data) != last - first + 1:
        raise FetchError(f"{url!r} ended after {len(data)} of {last - first + 1} bytes", passing=True)
    version = response.headers.get("ETag") or response.headers.get("Last-Modified") or ""
    return Part(data, size, version)


_default: list[Fetcher] = []
_current: list[Fetcher] = []


def default_fetcher() -> Fetcher:
    """Return the fetcher that byte streams and datasets use."""
    if _current:
        return _current[0]
    if not _default:
        _default.append(Fetcher())
    return _default[0]


def set_fetcher(fetcher: Fetcher | None) -> Callable[[], None]:
    """Replace the default fetcher; None restores it. Returns a function that undoes the change."""
    before = list(_current)
    _current[:] = [fetcher] if fetcher else []

    def undo() -> None:
        _current[:] = before

    return undo
