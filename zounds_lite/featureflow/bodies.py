"""Bodies of answers: in pieces, unpacked within bounds, and checked against what was promised.

Functions: ``pieces``, ``content_range``; class ``Checksum``.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator
from typing import Any

from zounds_lite.errors import ChecksumMismatch, DeclarationError, FetchError

__all__ = ["Checksum", "content_range", "pieces"]

_PIECE = 256 * 1024
_RATIO = 100
"""How many times as long as it came a body may get by unpacking, once it is longer than ``_FREE``."""
_FREE = 16 * 2**20
_KINDS = {"md5": 32, "sha1": 40, "sha256": 64, "crc32": 8}
"""Checksums, and how many hexadecimal digits each has."""


def pieces(response: Any, url: str, limit: int) -> Iterator[bytes]:
    """Yield a body piece by piece, unpacked where the server packed it although it was asked not to.

    Args:
        response (requests.Response): its body is read here.
        url (str): what messages call it.
        limit (int): bytes of the longest body, before and after unpacking.

    Raises:
        FetchError: it is too long, packed in another way than gzip or deflate, or damaged.
    """
    kind = response.headers.get("Content-Encoding", "").strip().lower()
    packed = _raw(response)
    if kind in ("", "identity"):
        found = packed
    elif kind in ("gzip", "x-gzip", "deflate"):
        found = _unpacked(packed, url)
    else:
        raise FetchError(f"{url!r} came packed as {kind[:50]!r}, which was not asked for", passing=False)
    total = 0
    for piece in found:
        total += len(piece)
        if total > limit:
            raise FetchError(f"{url!r} is longer than the allowed {limit} bytes (max_bytes=...)", passing=False)
        yield piece
    if getattr(getattr(response.raw, "_fp", None), "overrun", False):
        raise FetchError(f"{url!r} sent more than the {total} bytes that it promised", passing=False)


def _raw(response: Any) -> Iterator[bytes]:
    raw = response.raw
    if hasattr(raw, "read1") and hasattr(raw, "stream") and not raw.chunked:
        while piece := raw.read1(_PIECE, decode_content=False):  # what is there: it counts even if no more comes
            yield piece
    elif hasattr(raw, "stream"):
        yield from raw.stream(_PIECE, decode_content=False)
    else:
        while piece := raw.read(_PIECE):  # a session of the user's may answer with any file
            yield piece


def _unpacked(packed: Iterator[bytes], url: str) -> Iterator[bytes]:
    unpack, came, left = None, 0, 0
    for piece in packed:
        came += len(piece)
        while piece:
            if unpack is None:
                # a gzip or zlib header, or none at all, which some call deflate too
                unpack = zlib.decompressobj(47 if piece[:1] in (b"\x1f", b"\x78") else -15)
            try:
                out = unpack.decompress(piece, _PIECE)
            except zlib.error as error:
                raise FetchError(f"{url!r} came packed and is damaged: {error}", passing=True) from None
            left += len(out)
            if left > max(_FREE, _RATIO * came):
                raise FetchError(f"{url!r} unpacks to more than {_RATIO} times its size", passing=False)
            yield out
            piece = unpack.unconsumed_tail or unpack.unused_data
            if unpack.eof:
                unpack = None
    if unpack is not None:
        yield from (rest for rest in [unpack.flush()] if rest)
        if not unpack.eof:
            raise FetchError(f"{url!r} came packed and ended early", passing=True)


def content_range(response: Any) -> tuple[int, int, int | None] | None:
    """Return first byte, last byte and size (None: unknown) that an answer says it holds; None where it makes no sense.

    Args:
        response (requests.Response): an answer with status 206.
    """
    text = response.headers.get("Content-Range", "").strip()
    found = re.fullmatch(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", text, re.ASCII)
    if found is None:
        return None
    first, last, size = int(found[1]), int(found[2]), None if found[3] == "*" else int(found[3])
    return None if last < first or (size is not None and last >= size) else (first, last, size)


class Checksum:
    """A checksum that a source gives, and what of the body came so far.

    Args:
        given (str): ``md5:``, ``sha1:``, ``sha256:`` or ``crc32:`` and hexadecimal digits.

    Raises:
        DeclarationError: it is anything else.

    Examples:
        >>> checksum = Checksum("crc32:cbf43926")
        >>> checksum.update(b"123456789")
        >>> checksum.check("http://here/digits")
    """

    def __init__(self, given: str) -> None:
        kind, _, digits = given.strip().lower().partition(":") if isinstance(given, str) else ("", "", "")
        length = _KINDS.get(kind)
        if kind == "crc32" and re.fullmatch("[0-9a-f]{1,8}", digits):
            digits = digits.zfill(8)  # some catalogues leave zeros out
        if length is None or not re.fullmatch(f"[0-9a-f]{{{length}}}", digits):
            raise DeclarationError(f"checksum={given!r}: one of {', '.join(_KINDS)}, a colon, and hexadecimal digits")
        self.kind, self.digits = kind, digits
        self.restart()

    def restart(self) -> None:
        """Forget what came."""
        self._crc = 0
        self._hash: Any = None if self.kind == "crc32" else hashlib.new(self.kind, usedforsecurity=False)

    def update(self, data: Any) -> None:
        """Take the next bytes."""
        if self._hash is None:
            self._crc = zlib.crc32(data, self._crc)
        else:
            self._hash.update(data)

    def check(self, url: str) -> None:
        """Compare.

        Raises:
            ChecksumMismatch: what came is something else.
        """
        found = f"{self._crc:08x}" if self._hash is None else self._hash.hexdigest()
        if found != self.digits:
            raise ChecksumMismatch(
                f"{url!r} has the {self.kind} {found}; its source promises {self.digits}", passing=False
            )
