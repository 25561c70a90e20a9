"""Bytes served as a good server does: entity tag, date, HEAD, ranges, and If-Range."""

import hashlib
import mimetypes
import re

__all__ = ["Static", "entity_tag", "guess_type"]

DATE = "Tue, 03 Mar 2020 10:20:30 GMT"
_TYPES = {".ogg": "audio/ogg", ".flac": "audio/flac", ".wav": "audio/x-wav", ".mp3": "audio/mpeg"}


def guess_type(path):
    """Return the media type that a path's ending stands for."""
    suffix = "." + path.rpartition(".")[2].lower()
    return _TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"


def entity_tag(data):
    """Return a strong entity tag of bytes."""
    return f'"{hashlib.md5(data).hexdigest()[:16]}"'


class Static:
    """Answers with bytes, whole or in part.

    Args:
        data (bytes): the body.
        content_type (str): its media type.
        etag (str | None): its entity tag; made from the bytes by default, none if empty.
        date (str | None): when it was last modified; none if empty.
        with_ranges (bool): give parts.
    """

    def __init__(self, data, content_type="application/octet-stream", etag=None, date=DATE, with_ranges=True):
        self.data, self.content_type, self.date, self.with_ranges = data, content_type, date, with_ranges
        self.etag = entity_tag(data) if etag is None else etag

    def __call__(self, exchange):
        headers = {"ETag": self.etag, "Last-Modified": self.date}
        headers = {name: value for name, value in headers.items() if value}
        if self.with_ranges:
            headers["Accept-Ranges"] = "bytes"
        asked = self._asked(exchange.request.headers)
        if asked is None:
            exchange.send(200, self.data, headers, self.content_type)
            return
        first, last = asked
        if first >= len(self.data) or first > last:
            exchange.send(416, b"", {**headers, "Content-Range": f"bytes */{len(self.data)}"}, self.content_type)
            return
        headers["Content-Range"] = f"bytes {first}-{last}/{len(self.data)}"
        exchange.send(206, self.data[first : last + 1], headers, self.content_type)

    def _asked(self, headers):
        """Return first and last byte; None for the whole."""
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", headers.get("Range", ""))
        if not (self.with_ranges and found and (found[1] or found[2])):
            return None
        if "If-Range" in headers and headers["If-Range"] not in (self.etag, self.date):
            return None
        size = len(self.data)
        if not found[1]:
            return max(0, size - int(found[2])), size - 1
        return int(found[1]), min(int(found[2] or size), size - 1)
