"""Ways to fetch, and servers that give bad bodies, headers and statuses, or none at all."""

import hashlib
import io
import random
from collections.abc import Callable
from typing import Any

from benchmarks.fetch.table import Case, Stage, Wrong
from tests.webserver import Exchange, hostile
from tests.webserver.ranges import Static
from zounds_lite.errors import FetchError

__all__ = ["BODIES", "DATA", "by_download", "by_save", "served"]

DATA = random.Random(1).randbytes(300_000)
_THIRD = len(DATA) // 3
_MD5 = f"md5:{hashlib.md5(DATA).hexdigest()}"
_OTHER = random.Random(2).randbytes(200_000)
_PLAIN = ("Content-Type", "application/octet-stream")


def by_download(stage: Stage, request: Any, data: bytes = DATA, checksum: str | None = None, **changed: Any) -> None:
    """Fetch into an open file, which holds ``data`` afterwards, or what it held before."""
    file = io.BytesIO(b"before")
    file.seek(0, io.SEEK_END)
    try:
        stage.fetcher(**changed).download(request, file, checksum=checksum)
    except FetchError:
        if file.getvalue() != b"before":
            raise Wrong("a refused body stands in the file") from None
        raise
    if file.getvalue() != b"before" + data:
        raise Wrong(f"{len(file.getvalue()) - 6} wrong bytes were taken for complete")


def by_save(stage: Stage, request: Any, data: bytes = DATA, checksum: str | None = None, **changed: Any) -> None:
    """Fetch to a path, where ``data`` stands afterwards, or nothing; what waits to be resumed is never another file.

    A fetch that failed is followed by one of a good server, which has to give all of it and leave nothing beside.
    """
    path, url = stage.folder / "file", getattr(request, "url", request)
    try:
        stage.fetcher(**changed).save(request, path, checksum=checksum)
    except FetchError as error:
        if path.exists():
            raise Wrong("a refused body stands under the file's name") from None
        if not error.passing and any(stage.folder.iterdir()):
            raise Wrong("something is left of what was refused for good") from None
        _resume(stage, str(url))
        raise
    if path.read_bytes() != data:
        raise Wrong(f"{path.stat().st_size} wrong bytes were taken for complete")
    path.unlink()


def _resume(stage: Stage, url: str) -> None:
    path = stage.folder / "file"
    if url.startswith(stage.server.url) and any(stage.folder.iterdir()):
        stage.server.add(url.removeprefix(stage.server.url), Static(_OTHER))
        stage.fetcher().save(url, path)
        if path.read_bytes() != _OTHER:
            raise Wrong("what was left beside the file was mixed with another version of it")
        path.unlink()


def served(
    name: str,
    answer: Callable[[], Callable[[Exchange], Any]],
    wanted: str,
    deadline_s: float = 2.0,
    says: str = "",
    path: str = "/case",
    **given: Any,
) -> Case:
    """Return a case: an answer at a path, fetched both ways; ``answer`` is made anew for each."""

    def way(fetch: Callable[..., None]) -> Callable[[Stage], None]:
        return lambda stage: fetch(stage, stage.server.add(path, answer()).replace("%2A", "0"), **given)

    return Case(name, [way(by_save), way(by_download)], wanted, deadline_s, says, before=answer)


def _body(*pairs: tuple[str, str], body: bytes = DATA, code: int = 200) -> Callable[[], Callable[[Exchange], Any]]:
    return lambda: hostile.header_lines(_PLAIN, *pairs, body=body, code=code)


_STATUSES = [
    served("404", lambda: hostile.status(404), "refused", 0.5, "404"),
    served("403", lambda: hostile.status(403), "refused", 0.5, "403"),
    served("500 for ever", lambda: hostile.failing(500, None), "refused", says="500"),
    served("500 twice, then fine", lambda: hostile.failing(500, 2, DATA), "recovered"),
    served("429, Retry-After: 1", lambda: hostile.rate_limited(1, 1, DATA), "recovered"),
    served("429, Retry-After a date", lambda: hostile.rate_limited(("date", 1), 1, DATA), "recovered"),
    served("503, Retry-After: 1", lambda: hostile.rate_limited(1, 1, DATA, 503), "recovered"),
    served("429, Retry-After: a day", lambda: hostile.rate_limited(86400, None), "refused", 0.5, "RateLimited"),
    served("429, Retry-After: soon", lambda: hostile.rate_limited("soon", 1, DATA), "recovered"),
    served("429, Retry-After: -5", lambda: hostile.rate_limited("-5", 1, DATA), "recovered"),
    served("429, Retry-After: 10^400", lambda: hostile.rate_limited("9" * 400, None), "refused", 0.5, "RateLimited"),
    served("206 that nobody asked for", _body(("Content-Range", "bytes 0-9/300000"), body=DATA[:10], code=206),
           "refused"),
    served("204, no body", lambda: hostile.status(204), "refused"),
]  # fmt: skip

_SLOW = [
    served("never answers", lambda: hostile.silent(), "refused"),
    served("hangs up without an answer", lambda: hostile.hang_up(), "refused"),
    served("hangs up once", lambda: hostile.turns(hostile.hang_up(), DATA), "recovered"),
    served("headers drip", lambda: hostile.slow_headers(), "refused"),
    served("headers without end", lambda: hostile.endless_headers(), "refused"),
    served("100 Continue without end", lambda: hostile.endless_continue(), "refused"),
    served("body drips", lambda: hostile.drips(length=10**5), "refused"),
    served("body stalls", lambda: hostile.stalls(DATA, _THIRD), "refused"),
    served("stalls once", lambda: hostile.turns(hostile.stalls(DATA, _THIRD), DATA), "recovered"),
]

_LENGTHS = [
    served("cut body, each time", lambda: hostile.cut(DATA, 1000, with_ranges=False), "refused"),
    served("cut body, once", lambda: hostile.turns(hostile.cut(DATA, 1000, etag=Static(DATA).etag), DATA), "recovered"),
    served("Content-Length too long", lambda: hostile.lying_length(DATA, 400_000), "refused"),
    served("Content-Length too short", lambda: hostile.lying_length(DATA, 200_000), "refused", checksum=_MD5),
    served("Content-Length: 10^18", lambda: hostile.lying_length(DATA, 10**18), "refused", 0.5, "bytes long"),
    served("Content-Length: many", _body(("Content-Length", "many")), "either"),
    served("Content-Length: -1", _body(("Content-Length", "-1")), "either"),
    served("Content-Length twice, not alike", _body(("Content-Length", "300000"), ("Content-Length", "10")), "either"),
    served("body without end", lambda: hostile.endless(), "refused", says="allowed"),
    served("chunks without end", lambda: hostile.endless(chunked=True), "refused", says="allowed"),
    served("chunk of 2^62 bytes", _body(("Transfer-Encoding", "chunked"), body=b"4" + b"0" * 15 + b"\r\nabc"),
           "refused"),
    served("chunk lengths are no numbers", lambda: hostile.bad_chunks(), "refused"),
    served("chunks cut short", lambda: hostile.bad_chunks(b"5\r\nhello\r\n"), "refused"),
    served("trailers without end", lambda: hostile.endless_trailers(DATA), "either"),
]  # fmt: skip

_PACKED = [
    served("gzip bomb, 1 GiB", lambda: hostile.gzip_bomb(2**30), "refused", says="allowed"),
    served("gzip bomb in a bomb", lambda: hostile.gzip_bomb(2**30, layers=2), "refused"),
    served("gzip that is none", lambda: hostile.bad_gzip(), "refused"),
    served("no HTTP at all", lambda: hostile.garbage(), "refused"),
    served("another file, by its checksum", lambda: Static(_OTHER), "refused", says="Checksum", checksum=_MD5),
    served("HTML with 200, by the checksum", lambda: hostile.page(), "refused", says="Checksum", checksum=_MD5),
]


def _cut_then(second: Callable[[Exchange], Any]) -> Callable[[Exchange], Any]:
    return hostile.turns(hostile.cut(DATA, _THIRD, etag='"one"'), second)


_PARTS = [
    served("cut, then parts of the same file", lambda: _cut_then(Static(DATA, etag='"one"')), "recovered"),
    served("cut, then another file (new tag)", lambda: _cut_then(Static(_OTHER, etag='"two"')), "recovered",
           data=_OTHER),
    served("cut, then parts that are refused", lambda: _cut_then(Static(DATA, with_ranges=False)), "recovered"),
    served("cut, then another stretch (206)", lambda: _cut_then(hostile.wrong_range(DATA)), "either"),
    served("cut, then a stretch that lies", lambda: _cut_then(hostile.wrong_range(
        DATA, says=f"bytes {_THIRD}-{len(DATA) - 1}/{len(DATA)}")), "either"),
    served("cut, then 206 without a range", lambda: _cut_then(hostile.wrong_range(DATA, says="bytes")), "either"),
    served("cut, then 416", lambda: _cut_then(hostile.status(416)), "either"),
]  # fmt: skip

BODIES = [*_STATUSES, *_SLOW, *_LENGTHS, *_PACKED, *_PARTS]
