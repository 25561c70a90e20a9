"""A body on its way into a file: it knows what it has, and goes on from there where the server allows.

A download goes on only where it is sure that the rest belongs to what it has: the server must name the same entity tag
or date of change, or the whole must have a checksum. Class: ``Download``;
function ``content_length``.
"""

from collections.abc import Callable
from typing import Any, BinaryIO

from zounds_lite.errors import ChecksumMismatch, FetchError
from zounds_lite.featureflow.bodies import Checksum, content_range, pieces

__all__ = ["Download", "content_length"]


class Download:
    """The state of a download, over as many attempts as it takes.

    Args:
        file (BinaryIO): seekable; written from its current position on.
        limit (int): bytes of the longest body.
        checksum (str | None): of the whole body.
        begins (Callable): is told, before the first byte is written, that a body begins anew.

    Raises:
        DeclarationError: the checksum is none.

    Attributes:
        size (int): bytes that are in the file.
        total (int | None): bytes of the whole, as far as the server said.
        validator (str): what the server names this version of the body by; empty where it does not.
    """

    def __init__(
        self,
        file: BinaryIO,
        limit: int,
        checksum: str | None = None,
        begins: Callable[["Download"], None] = lambda download: None,
    ) -> None:
        self.file, self.limit, self._begins = file, limit, begins
        self.start = file.tell()
        self.checksum = None if checksum is None else Checksum(checksum)
        self.size, self.total, self.validator = 0, None, ""  # type: int, int | None, str
        self._asked = 0
        self._is_part = False

    def go_on(self, size: int, total: int | None, validator: str) -> None:
        """Take up what an earlier download left in the file; its bytes are read where there is a checksum."""
        self.size, self.total, self.validator = size, total, validator
        if self.checksum is not None:
            self.file.seek(self.start)
            left = size
            while left and (piece := self.file.read(min(left, 1 << 20))):
                self.checksum.update(piece)
                left -= len(piece)
            if left:
                self.restart()

    def restart(self) -> None:
        """Give up what is in the file."""
        self.size, self.total, self.validator = 0, None, ""
        if self.checksum is not None:
            self.checksum.restart()
        self.file.seek(self.start)
        self.file.truncate()

    @property
    def can_go_on(self) -> bool:
        """Tell whether an attempt that ended early was worth something."""
        return self.size > 0 and bool(self.validator or self.checksum is not None)

    def headers(self, request: Any) -> dict[str, str]:
        """Return the headers that ask for the rest; none for the whole.

        Args:
            request (requests.PreparedRequest): one that asks for a range itself gets just that, each time anew.
        """
        self._is_part = "Range" in request.headers
        if self._is_part or not self.can_go_on:
            if self.size:
                self.restart()
            self._asked = 0
            return {}
        self._asked = self.size
        condition = {"If-Range": self.validator} if self.validator else {}
        return {"Range": f"bytes={self.size}-", **condition}

    def take(self, response: Any, url: str) -> int:
        """Write what an answer holds; return the bytes in the file, which are the whole body.

        Args:
            response (requests.Response): an answer of success.
            url (str): what messages call it.

        Raises:
            FetchError: it is another part than was asked for, too long, or ends early.
            ChecksumMismatch: the whole is not what its source promises.
        """
        if response.status_code == 206 and not self._is_part:
            self._check_part(response, url)
        elif self.size:
            self.restart()
        if not self.size:
            self._begin(response)
        length = content_length(response, url)
        if length is not None and self.size + length > self.limit:
            raise FetchError(
                f"{url!r} is {self.size + length} bytes long; allowed: {self.limit} (max_bytes=...)", passing=False
            )
        self.file.seek(self.start + self.size)
        before = self.size
        for piece in pieces(response, url, self.limit - self.size):
            self.file.write(piece)
            self.size += len(piece)
            if self.checksum is not None:
                self.checksum.update(piece)
        self._check_end(url, before, length)
        return self.size

    def _begin(self, response: Any) -> None:
        packed = "Content-Encoding" in response.headers
        self.validator = "" if packed else _validator(response)
        self.total = None if packed else content_length(response)
        self._begins(self)

    def _check_part(self, response: Any, url: str) -> None:
        """Refuse a part that does not continue what is in the file, which then is given up."""
        found = content_range(response)
        now = _validator(response)
        fits = self._asked > 0 and found is not None and found[0] == self._asked
        if found is not None and found[2] is not None and self.total is not None:
            fits = fits and found[2] == self.total
        # a server may leave out a date of change here, but not say another one
        if self.validator and now and _is_tag(now) == _is_tag(self.validator):
            fits = fits and now == self.validator
        if not fits or "Content-Encoding" in response.headers:
            told = str(response.headers.get("Content-Range"))[:100]
            was = f"the bytes from {self._asked} on" if self._asked else "the whole"
            self.restart()
            raise FetchError(f"{url!r} was asked for {was} and answered with {told!r}", passing=True)

    def _check_end(self, url: str, before: int, length: int | None) -> None:
        if length is not None and self.size - before != length:
            raise FetchError(f"{url!r} ended after {self.size - before} of {length} bytes", passing=True)
        if self.total is not None and self.size != self.total:
            raise FetchError(f"{url!r} ended after {self.size} of {self.total} bytes", passing=True)
        if self.checksum is not None:
            try:
                self.checksum.check(url)
            except ChecksumMismatch:
                self.restart()
                raise


def _is_tag(validator: str) -> bool:
    return validator.endswith('"')


def _validator(response: Any) -> str:
    """Return a strong entity tag, or else the date of change."""
    tag = response.headers.get("ETag", "").strip()
    if len(tag) >= 2 and tag[0] == tag[-1] == '"':
        return str(tag)
    return str(response.headers.get("Last-Modified", "").strip())


def content_length(response: Any, url: str = "") -> int | None:
    """Return the bytes that an answer promises to send; None where it does not, or packs them.

    Args:
        response (requests.Response): the answer.
        url (str): what messages call it; without one, a promise that makes no sense is none.

    Raises:
        FetchError: the promise makes no sense.
    """
    text = response.headers.get("Content-Length", "").strip()
    # several equal ones were joined by commas
    texts = {part.strip() for part in text.split(",")}
    if not text or "Content-Encoding" in response.headers or "Transfer-Encoding" in response.headers:
        return None
    if len(texts) > 1 or not text.isascii() or not (digits := texts.pop()).isdigit() or len(digits) > 18:
        if not url:
            return None
        raise FetchError(f"{url!r} says that it is {text[:50]!r} bytes long", passing=False)
    return int(digits)
