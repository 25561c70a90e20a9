"""Sounds that a search of freesound.org finds. Class: ``FreeSoundSearch``."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from zounds_lite.datasets.remote import check_base, get, recording, url_of
from zounds_lite.errors import DatasetError, DeclarationError, EmptyDataset, FetchError, RateLimited, UnknownDataset
from zounds_lite.featureflow.fetch import default_fetcher
from zounds_lite.soundfile import AudioMetaData

__all__ = ["FreeSoundSearch"]

_FIELDS = (
    "id", "url", "name", "tags", "description", "geotag", "created", "license", "type", "channels", "filesize",
    "bitrate", "bitdepth", "duration", "samplerate", "username", "pack", "previews", "num_downloads", "avg_rating",
    "num_ratings", "md5",
)  # fmt: skip
"""What a page of results is to tell of each sound, so that no further request is needed for it."""

_PREVIEWS = ("preview-hq-ogg", "preview-lq-ogg", "preview-hq-mp3", "preview-lq-mp3")
_SEARCHES = (("search", "text"), ("search",))
_RENAMED = {"license": "licensing", "url": "web_url"}
_log = logging.getLogger(__name__)


class _Key:
    """A key that no ``repr``, log or traceback shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def header(self) -> dict[str, str]:
        """What goes with a request to the API."""
        return {"Authorization": f"Token {self._text}"}

    def hidden(self, text: str) -> str:
        """Take the key out of a text: a server may repeat what it was sent."""
        return text.replace(self._text, "...")

    def __repr__(self) -> str:
        return "..."


class FreeSoundSearch:
    """The sounds that a search on freesound.org finds: their previews, in the service's order.

    The key goes to the API alone, as a header and over https; previews need none. A page of results tells all of up to
    150 sounds, so that a search takes few of the requests that a key has for each minute and each day. Each iteration
    asks anew. How many there are is not known before: there is no ``len``.

    Each item has ``samplerate``, ``channels``, ``licensing``, ``description``, ``tags``, ``web_url``, and what else
    the service says: ``id``, ``name``, ``username``, ``duration`` (seconds), ``created``, ``type``, ... All of that
    describes what was uploaded; the preview is Ogg Vorbis at 44.1 kHz, about 192 kbit/s.

    Args:
        api_key (str): the key of an account, from https://freesound.org/apiv2/apply/.
        query (str): words to look for.
        n_results (int): yield no more than that, >= 1.
        delay (float): seconds between two requests to the API, >= 0.
        fetcher (Fetcher | None): asks the API; None for ``default_fetcher()``.
        base_url (str): where the service is; https, unless it is on this machine.
        attrs: put on each item; they go before what the service says.

    Raises:
        DeclarationError: no key or no query, or an argument is out of range; it is a ``ValueError``.
        EmptyDataset: on iteration: nothing was found.
        RateLimited: on iteration: the key has used up its requests. It says how many sounds were yielded; ``ingest`` of
            the same search passes over what is stored, and so goes on from there.
        DatasetError: on iteration: the answer is not what it should be.
        FetchError: on iteration: the API could not be asked, or refuses the key.

    Examples:
        >>> FreeSoundSearch("YOUR_API_KEY", "guitar", n_results=3)
        FreeSoundSearch(api_key=..., query='guitar', n_results=3, delay=0.2)
    """

    _largest_page = 150
    _search: tuple[str, ...] = _SEARCHES[0]

    def __init__(
        self,
        api_key: str,
        query: str,
        n_results: int = 10,
        delay: float = 0.2,
        *,
        fetcher: Any = None,
        base_url: str = "https://freesound.org",
        **attrs: Any,
    ) -> None:
        _check(api_key, query, n_results, delay, attrs)
        check_base(base_url, encrypted=True)
        self._key = _Key(api_key)
        self.query, self.n_results, self.delay = query, int(n_results), delay
        self.fetcher, self.base_url, self.attributes = fetcher, base_url, attrs

    def __iter__(self) -> Iterator[AudioMetaData]:
        yielded = 0
        try:
            for result in self._results():
                item = self._item(self._complete(result))
                if item is not None:
                    yielded += 1
                    yield item
                if yielded == self.n_results:
                    return
        except RateLimited as error:
            error.args = (
                f"{error}; {yielded} of at most {self.n_results} sounds were yielded; run it again later: ingest "
                "passes over what is stored, and so goes on from there",
            )
            raise
        if not yielded:
            raise EmptyDataset(f"{self!r}: no sound was found; try other or fewer words")

    def get_by_id(self, id: int | str) -> AudioMetaData:
        """Return one sound.

        Args:
            id (int | str): its number, as in the address of its page.

        Raises:
            DeclarationError: it is no number.
            UnknownDataset: there is no such sound, or nothing of it can be heard.
            FetchError: the API could not be asked.
        """
        if not str(id).isascii() or not str(id).isdigit():
            raise DeclarationError(f"id={id!r}: a sound has a number, as in the address of its page")
        item = self._item(self._details(id))
        if item is None:
            raise UnknownDataset(f"{self!r}: the sound {id} has no preview")
        return item

    def _results(self) -> Iterator[dict[str, Any]]:
        """Yield what the pages of results tell, page after page."""
        first = {"query": self.query, "fields": ",".join(_FIELDS), "page_size": min(self.n_results, self._largest_page)}
        params: dict[str, Any] = first
        for number in range(1 + self.n_results):  # each page but the last has a result
            if number:
                time.sleep(self.delay)
            page = self._page(params, is_first=not number)
            results = page.get("results")
            if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
                raise DatasetError(f"{self!r}: a page has no list of results: {self._key.hidden(repr(page)[:200])}")
            yield from results
            if not results or not isinstance(page.get("next"), str):
                return
            # only the query is taken from what the server names: the key goes to no other place
            asked = {name: value for name, value in parse_qsl(urlsplit(page["next"]).query) if name != "token"}
            params = {**first, **asked}

    def _page(self, params: Mapping[str, Any], is_first: bool) -> dict[str, Any]:
        """Ask for a page, at the newer place of searches where there is none at the older one."""
        try:
            return self._ask(url_of(self.base_url, "apiv2", *self._search, ""), params)
        except FetchError as error:
            if not is_first or error.status != 404 or self._search == _SEARCHES[-1]:
                raise
        self._search = _SEARCHES[-1]
        time.sleep(self.delay)
        return self._page(params, is_first)

    def _complete(self, result: dict[str, Any]) -> dict[str, Any]:
        """Ask for the details of a sound of which the page does not tell enough."""
        if result.get("previews") or result.get("id") is None:
            return result
        time.sleep(self.delay)
        return {**result, **self._details(result["id"])}

    def _details(self, number: Any) -> dict[str, Any]:
        try:
            return self._ask(url_of(self.base_url, "apiv2", "sounds", str(number), ""), {})
        except FetchError as error:
            if error.status != 404:
                raise
            raise UnknownDataset(f"{self!r}: there is no sound {number}") from error

    def _item(self, sound: Mapping[str, Any]) -> AudioMetaData | None:
        """Make an item; None where nothing can be heard of it."""
        previews = sound.get("previews")
        previews = previews if isinstance(previews, dict) else {}
        url = next((previews[name] for name in _PREVIEWS if isinstance(previews.get(name), str)), None)
        if url is None:
            _log.warning("%r: passed over the sound %r, which has no preview", self, sound.get("id"))
            return None
        known = {name: sound[name] for name in _FIELDS if name in sound and name not in ("previews", "samplerate")}
        fields = {_RENAMED.get(name, name): value for name, value in known.items()}
        return recording(get(url), {**fields, "samplerate": _hertz(sound.get("samplerate"))}, self.attributes)

    def _ask(self, url: str, params: Mapping[str, Any]) -> dict[str, Any]:
        client = default_fetcher() if self.fetcher is None else self.fetcher
        with self._naming():
            found = client.read_json(get(url, self._key.header(), params))
        if not isinstance(found, dict):
            raise DatasetError(f"{self!r}: {url} answers {self._key.hidden(repr(found)[:200])}; try again later")
        return found

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Name the search, and not the key, in the message of whatever goes wrong."""
        try:
            yield
        except FetchError as error:
            refused = "; the service refuses this api_key" if error.status in (401, 403) else ""
            error.args = (f"{self!r} could not be listed: {self._key.hidden(str(error))}{refused}",)
            raise

    def __repr__(self) -> str:
        given = f"query={self.query!r}, n_results={self.n_results!r}, delay={self.delay!r}"
        more = "".join(f", {name}={value!r}" for name, value in self.attributes.items())
        return f"{type(self).__name__}(api_key={self._key!r}, {given}{more})"


def _check(api_key: Any, query: Any, n_results: Any, delay: Any, attributes: Mapping[str, Any]) -> None:
    if not isinstance(api_key, str) or not api_key:
        raise DeclarationError("api_key: a key of freesound.org is needed, from https://freesound.org/apiv2/apply/")
    if not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise DeclarationError("api_key: a key has only letters and digits; there is something else in the given one")
    if not isinstance(query, str) or not query.strip():
        raise DeclarationError(f"query={query!r}: words to look for are needed, such as 'guitar'")
    is_whole = hasattr(n_results, "__index__") and not isinstance(n_results, bool)
    if not is_whole or n_results < 1:
        raise DeclarationError(f"n_results={n_results!r}: needs at least 1, as a whole number")
    if not isinstance(delay, (int, float)) or not 0 <= delay < float("inf"):
        raise DeclarationError(f"delay={delay!r}: seconds between two requests are needed, >= 0")
    if "uri" in attributes:
        raise DeclarationError("uri= is where each sound is, which the service says; leave it out")


def _hertz(value: Any) -> Any:
    """A rate that the service gives as a float, as the whole number that it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
