"""The drum breaks of phatdrumloops.com. Class: ``PhatDrumLoops``."""

from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin, urlsplit

from zounds_lite._declared import Declared
from zounds_lite._lazy import optional
from zounds_lite.datasets.remote import RemoteDataset, check_base, get, naming, recording, url_of
from zounds_lite.errors import DeclarationError, EmptyDataset
from zounds_lite.soundfile import AudioMetaData

__all__ = ["PhatDrumLoops"]

_LONGEST_PAGE = 16 * 2**20


class PhatDrumLoops(RemoteDataset, Declared):
    """The drum breaks that http://phatdrumloops.com/beats.php links to, in the order of the page, each once.

    Each item has ``web_url``, the page. Each iteration, and each ``len``, reads the page anew; an iteration right after
    ``len`` uses what that has read.

    Args:
        fetcher (Fetcher | None): reads the page; None for ``default_fetcher()``.
        base_url (str): where the site is.
        attrs: put on each item, for example ``licensing``.

    Raises:
        DeclarationError: an argument is of the wrong kind.
        EmptyDataset: on iteration: the page links to no WAV file.
        FetchError: on iteration: the page could not be read.

    Examples:
        >>> PhatDrumLoops(label="drums")
        PhatDrumLoops(label='drums')
    """

    def __init__(self, *, fetcher: Any = None, base_url: str = "http://phatdrumloops.com", **attrs: Any) -> None:
        self.__dict__["attributes"] = attrs
        super().__init__(fetcher=fetcher, base_url=base_url)

    def validate(self) -> None:
        check_base(self.base_url)
        if "uri" in self.attributes:
            raise DeclarationError("uri= is where each drum break is, which the page says; leave it out")

    @property
    def web_url(self) -> str:
        """The page."""
        return url_of(self.base_url, "beats.php")

    def _listed(self) -> list[AudioMetaData]:
        with naming(self):
            page = self._client().read(get(self.web_url), max_bytes=_LONGEST_PAGE)
        links = _Links(self.web_url)
        links.feed(page.decode("utf-8", "replace"))
        links.close()
        if not links.found:
            raise EmptyDataset(f"{self!r}: {self.web_url} links to no WAV file; the site may have changed")
        return [recording(get(url), {"web_url": self.web_url}, self.attributes) for url in links.found]


class _Links(HTMLParser):
    """The WAV files that a page links to, as whole URLs, in order, each once."""

    def __init__(self, page_url: str) -> None:
        super().__init__()
        self._base = page_url
        self._found: dict[str, None] = {}

    @property
    def found(self) -> list[str]:
        return list(self._found)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: (value or "").strip() for name, value in attrs}
        if tag == "base" and given.get("href"):
            self._base = urljoin(self._base, given["href"])
        for name in ("href", "src"):
            self._add(given.get(name, ""))

    def _add(self, link: str) -> None:
        try:
            url = urljoin(self._base, link)
            parts = urlsplit(url)
        except ValueError:  # no address at all, such as "http://[broken"
            return
        if parts.scheme in ("http", "https") and parts.path.lower().endswith((".wav", ".wave")):
            whole = parts._replace(fragment="").geturl()
            self._found.setdefault(optional("requests").utils.requote_uri(whole))
