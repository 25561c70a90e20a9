"""Secrets out of what people read: messages, logs, the ledger of what failed.

Conventions: what stands for a secret is ``***``. In a URL these are the user and password before the host, and the
values of query parameters that are named like a key, a token or a signature. Functions: ``masked``, ``secrets_in``,
``without``, ``mask_logs``.
"""

import logging
import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, unquote_plus, urlsplit

__all__ = ["mask_logs", "masked", "secrets_in", "without"]

_STARS = "***"
_SECRET_NAMES = (
    r"[\w.~%-]*(?:token|api[_.-]?key|apikey|secret|passw(?:or)?d|signature|credential|auth(?!or)|session)[\w.~%-]*"
    r"|key|sig|pwd|pass|code|hmac|sid|jwt"
)
_QUERY = re.compile(rf"(?i)(?<=[?&;#])({_SECRET_NAMES})=[^&;#\s'\"<>]+")
_USERINFO = re.compile(r"(?i)(\b[a-z][a-z0-9+.-]*://|(?<![\w:/])//)[^/?#\s'\"<>]*@")
_NAMES = re.compile(rf"(?i)(?:{_SECRET_NAMES})")
_SHORTEST = 4
"""Characters of a secret; shorter ones would be found everywhere."""
_PLAIN_HEADERS = {
    "accept", "accept-encoding", "accept-language", "cache-control", "connection", "content-length", "content-type",
    "if-match", "if-modified-since", "if-none-match", "if-range", "range", "user-agent",
}  # fmt: skip


def masked(text: Any) -> str:
    """Write a URL, or any text with URLs in it, without the secrets that they hold.

    Args:
        text (Any): is turned to text first.

    Examples:
        >>> masked("https://ann:pw@sounds.example/search?query=cat&token=abcdef&page=2")
        'https://***@sounds.example/search?query=cat&token=***&page=2'
    """
    return _QUERY.sub(rf"\1={_STARS}", _USERINFO.sub(rf"\1{_STARS}@", str(text)))


def secrets_in(url: str, headers: Mapping[str, Any] | None = None) -> frozenset[str]:
    """Return what a request holds that nobody else may see, in the spellings in which it may turn up.

    Args:
        url (str): with its user, password and query.
        headers (Mapping | None): of the request; the values of all but the usual ones are secrets.

    Examples:
        >>> sorted(secrets_in("https://ann:secret@a.example/?api_key=k12345", {"X-Key": "987654"}))
        ['987654', 'k12345', 'secret']
    """
    found: set[str] = set()
    try:
        parts = urlsplit(url)
        found.update(part for part in (parts.password,) if part)
    except ValueError:
        return frozenset()
    pairs = [*parse_qsl(parts.query), *(pair.partition("=")[::2] for pair in parts.query.split("&"))]
    found.update(value for name, value in pairs if _NAMES.fullmatch(name))
    for name, value in (headers or {}).items():
        if name.lower() not in _PLAIN_HEADERS:
            text = value.decode("latin-1") if isinstance(value, bytes) else str(value)
            found.update((text, text.rpartition(" ")[2]))
    spellings = {spelling for text in found for spelling in (text, unquote(text), unquote_plus(text), quote(text, ""))}
    return frozenset(text for text in spellings if len(text) >= _SHORTEST)


def without(text: str, secrets: Iterable[str]) -> str:
    """Mask a text, and whatever of ``secrets`` stands in it.

    Examples:
        >>> without("refused: Token 987654", ["987654"])
        'refused: Token ***'
    """
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _STARS)
    return masked(text)


class _Masked(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(masked(part) if isinstance(part, str) else part for part in record.args)
        return True


@cache
def mask_logs() -> None:
    """Keep secrets out of what the HTTP library logs, which writes down every URL where debugging is on."""
    for name in ("urllib3.connectionpool", "urllib3.connection", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(_Masked())
