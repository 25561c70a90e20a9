"""Answers that no client likes: each function returns a function of an ``Exchange``, to be given to ``server.add``.

They never end by themselves where a hostile server would not, but do when the server closes.
"""

import gzip
import struct
import threading
import time
import zlib
from email.utils import formatdate
from functools import lru_cache

from tests.webserver.ranges import Static

__all__ = [
    "bad_chunks",
    "bad_gzip",
    "changing",
    "cut",
    "drips",
    "empty",
    "endless",
    "endless_continue",
    "endless_headers",
    "endless_trailers",
    "failing",
    "garbage",
    "gzip_bomb",
    "hang_up",
    "header_lines",
    "lying_length",
    "page",
    "rate_limited",
    "redirect",
    "redirect_chain",
    "silent",
    "slow_headers",
    "stalls",
    "status",
    "turns",
    "wrong_range",
]

_PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body>Please sign in</body></html>\n"


def turns(*answers):
    """Answer each request with the next of several answers; the last one stays. Bytes are served as files."""
    answers = [Static(answer) if isinstance(answer, bytes) else answer for answer in answers]
    lock, left = threading.Lock(), list(answers)

    def answer(exchange):
        with lock:
            turn = left.pop(0) if len(left) > 1 else left[0]
        turn(exchange)

    return answer


def status(code, body=b"", headers=None, content_type="text/plain"):
    """Answer with a status."""
    return lambda exchange: exchange.send(code, body, headers, content_type)


def failing(code=500, times=1, then=b"fine"):
    """Answer with an error a few times, and well from then on; ``times=None`` is for ever."""
    error = status(code, b"something broke")
    return error if times is None else turns(*[error] * times, then)


def rate_limited(retry_after=1, times=1, then=b"fine", code=429):
    """Answer 429 with Retry-After: seconds, any text, None for no such header, or ``("date", seconds)`` from now."""

    def limited(exchange):
        value = retry_after
        if isinstance(value, tuple):
            value = formatdate(time.time() + value[1], usegmt=True)
        headers = {} if value is None else {"Retry-After": str(value)}
        exchange.send(code, b"too many requests", headers, "text/plain")

    return limited if times is None else turns(*[limited] * times, then)


def drips(data=b"", every=0.05, size=1, length=None):
    """Send a byte now and then; without data, for ever."""

    def answer(exchange):
        total = length if length is not None else len(data) or 10**9
        exchange.start(200, {"Content-Type": "application/octet-stream", "Content-Length": str(total)})
        at = 0
        while at < total and exchange.wait(every):
            exchange.write(data[at : at + size] or b"." * size)
            at += size
        exchange.drop()

    return answer


def stalls(data, at):
    """Promise the whole, send ``at`` bytes, and nothing more, but stay."""

    def answer(exchange):
        exchange.start(200, {"Content-Type": "application/octet-stream", "Content-Length": str(len(data))})
        exchange.write(data[:at])
        exchange.wait(None)
        exchange.drop()

    return answer


def cut(data, at, with_ranges=True, etag='"cut"'):
    """Promise the whole, send ``at`` bytes, and end; each range is cut after as many bytes."""

    def answer(exchange):
        text = exchange.request.headers.get("Range", "")
        may_range = with_ranges and exchange.request.headers.get("If-Range", etag) == etag
        first = int(text[6:].partition("-")[0]) if text.startswith("bytes=") and may_range else 0
        headers = {"Content-Length": str(len(data) - first), "Content-Type": "application/octet-stream", "ETag": etag}
        if text and may_range:
            headers["Content-Range"] = f"bytes {first}-{len(data) - 1}/{len(data)}"
        if with_ranges:
            headers["Accept-Ranges"] = "bytes"
        exchange.start(206 if text and may_range else 200, headers)
        exchange.write(data[first : first + at])
        exchange.drop()

    return answer


def lying_length(data, promised):
    """Promise more or fewer bytes than are sent; then end."""

    def answer(exchange):
        exchange.start(200, {"Content-Length": str(promised), "Content-Type": "application/octet-stream"})
        exchange.write(data)
        exchange.drop()

    return answer


def header_lines(*pairs, body=b"", code=200):
    """Send just these headers and a body; then end."""

    def answer(exchange):
        exchange.start(code, pairs)
        exchange.write(body)
        exchange.drop()

    return answer


def endless(piece=64 * 1024, chunked=False):
    """Send for ever, without a length."""

    def answer(exchange):
        headers = {"Content-Type": "application/octet-stream"}
        exchange.start(
            200, {**headers, "Transfer-Encoding" if chunked else "Connection": "chunked" if chunked else "close"}
        )
        data = f"{piece:x}\r\n".encode() + bytes(piece) + b"\r\n" if chunked else bytes(piece)
        while exchange.wait(0):
            exchange.write(data)
        exchange.drop()

    return answer


def gzip_bomb(size=2**30, layers=1):
    """Send a short body that unpacks to ``size`` zeros."""
    return status(200, _bomb(size, layers), {"Content-Encoding": ", ".join(["gzip"] * layers)}, "audio/ogg")


@lru_cache(maxsize=4)
def _bomb(size, layers):
    if layers > 1:
        return gzip.compress(_bomb(size, layers - 1), 9)
    # after a full flush a packed mebibyte of zeros stands by itself, and can be repeated without being packed again
    zeros, count = bytes(2**20), size // 2**20
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(count):
        checksum = zlib.crc32(zeros, checksum)
    head, tail = b"\x1f\x8b\x08" + bytes(6) + b"\xff", struct.pack("<II", checksum, count * len(zeros) % 2**32)
    return head + packed * count + packer.flush() + tail


def bad_gzip(body=b"this is not gzip"):
    """Say that the body is packed, which it is not."""
    return status(200, body, {"Content-Encoding": "gzip"}, "application/octet-stream")


def page(body=_PAGE, code=200):
    """Send an HTML page, whatever was asked for."""
    return status(code, body, None, "text/html; charset=utf-8")


def empty():
    """Send nothing, well."""
    return status(200, b"")


def redirect(to, code=302):
    """Send elsewhere; ``to`` is a URL, or a function of the exchange."""

    def answer(exchange):
        where = to(exchange) if callable(to) else to
        exchange.start(code, {"Location": where, "Content-Length": "0"})

    return answer


def redirect_chain(prefix="/chain/"):
    """Send from number to number, for ever; add it at ``prefix*``."""

    def next_one(exchange):
        number = exchange.request.path.rpartition("/")[2]
        return f"{prefix}{int(number) + 1 if number.isdigit() else 0}"

    return redirect(next_one)


def slow_headers(every=0.05):
    """Send a byte of a header now and then, never all of it."""

    def answer(exchange):
        exchange.raw(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while exchange.wait(every):
            exchange.raw(b"x")
        exchange.drop()

    return answer


def endless_headers():
    """Send header lines for ever, fast."""

    def answer(exchange):
        exchange.raw(b"HTTP/1.1 200 OK\r\n")
        while exchange.wait(0):
            exchange.raw(b"X-More: " + b"m" * 8000 + b"\r\n")
        exchange.drop()

    return answer


def endless_continue():
    """Say "go on" for ever."""

    def answer(exchange):
        while exchange.wait(0.001):
            exchange.raw(b"HTTP/1.1 100 Continue\r\n\r\n")
        exchange.drop()

    return answer


def endless_trailers(body=b"hello"):
    """Send a body in one chunk, and header lines after it for ever."""

    def answer(exchange):
        exchange.start(200, {"Transfer-Encoding": "chunked"})
        exchange.raw(f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n")
        while exchange.wait(0.001):
            exchange.raw(b"X-More: trailers\r\n")
        exchange.drop()

    return answer


def silent():
    """Accept the request and never answer."""

    def answer(exchange):
        exchange.wait(None)
        exchange.drop()

    return answer


def hang_up():
    """End without an answer."""
    return lambda exchange: exchange.drop()


def garbage(data=b"\x00\x01\x02 this is no HTTP \xff\r\n\r\n"):
    """Answer with bytes that are no HTTP."""

    def answer(exchange):
        exchange.raw(data)
        exchange.drop()

    return answer


def bad_chunks(body=b"5\r\nhello\r\nzz\r\nworld\r\n"):
    """Send chunks whose lengths are no numbers, or that end early."""
    return header_lines(("Transfer-Encoding", "chunked"), body=body)


def wrong_range(data, shift=100, code=206, says=None):
    """Answer a range with other bytes than were asked for; the whole, with the truth.

    ``says`` replaces the Content-Range: a text with ``{first}``, ``{last}`` and ``{size}``.
    """

    def answer(exchange):
        text = exchange.request.headers.get("Range", "")
        if not text.startswith("bytes="):
            Static(data, etag='"wrong"')(exchange)
            return
        first = max(0, int(text[6:].partition("-")[0] or 0) + shift)
        body, last = data[first:], len(data) - 1
        told = (says or "bytes {first}-{last}/{size}").format(first=first, last=last, size=len(data))
        exchange.send(code, body, {"Content-Range": told, "ETag": '"wrong"'})

    return answer


def changing(*versions, cut_first_at=None):
    """Serve another version of a file at each request, each with its own entity tag; the first may be cut short."""
    answers = [Static(data, etag=f'"version-{number}"') for number, data in enumerate(versions)]
    if cut_first_at is not None:
        answers[0] = cut(versions[0], cut_first_at, etag='"version-0"')
    return turns(*answers)
