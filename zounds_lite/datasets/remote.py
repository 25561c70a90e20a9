"""What datasets from the internet share.

Goal: a source is asked politely and by one client, is asked anew by each iteration, and every failure to list it is a
typed error that names the dataset. Conventions: ``base_url`` has no slash at its end; every part of a path is quoted;
what a catalogue says of a recording becomes attributes of its item. Class: ``RemoteDataset``; functions ``check_base``,
``get``, ``naming``, ``recording``, ``url_of``.
"""

import inspect
import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

from zounds_lite._lazy import optional
from zounds_lite.errors import DeclarationError, FetchError
from zounds_lite.featureflow.fetch import default_fetcher
from zounds_lite.soundfile import AudioMetaData

__all__ = ["RemoteDataset", "check_base", "get", "naming", "recording", "url_of"]

_FIELDS = ("samplerate", "channels", "licensing", "description", "tags")
_TAKEN = frozenset({"segment", "self", "uri"})
"""Names that no catalogue may give to an attribute."""


class RemoteDataset:
    """What the declared datasets have in common: attributes for every item, a client, and a short ``repr``.

    It is mixed into a ``Declared`` whose constructor takes ``fetcher``, ``base_url`` and ``**attrs``. Where all items
    are known at once, ``_listed`` returns them: that asks the source, at each iteration and for each ``len``; an
    iteration right after ``len`` takes what that has fetched.
    """

    attributes: dict[str, Any]
    base_url: str
    fetcher: Any

    @property
    def parameters(self) -> dict[str, Any]:
        """The constructor arguments by name, attributes included."""
        declared: dict[str, Any] = super().parameters  # type: ignore[misc]
        return {**declared, **self.attributes}

    def _client(self) -> Any:
        return default_fetcher() if self.fetcher is None else self.fetcher

    def _listed(self) -> list[AudioMetaData]:
        raise NotImplementedError

    def __iter__(self) -> Iterator[AudioMetaData]:
        yield from self.__dict__.pop("_ahead", None) or self._listed()

    def __len__(self) -> int:
        self.__dict__["_ahead"] = items = self._listed()
        return len(items)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        defaults = {name: given.default for name, given in inspect.signature(type(self)).parameters.items()}
        shown = {name: value for name, value in self.parameters.items() if value is not defaults.get(name, self)}
        shown = {name: value for name, value in shown.items() if name not in defaults or value != defaults[name]}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def check_base(base_url: Any, encrypted: bool = False) -> None:
    """Refuse an address of a service that is none.

    Args:
        base_url (Any): for example ``"https://archive.org"``.
        encrypted (bool): ``http`` is allowed on this machine alone.

    Raises:
        DeclarationError: it says what is allowed.

    Examples:
        >>> check_base("https://freesound.org", encrypted=True)
        >>> check_base("http://127.0.0.1:8000", encrypted=True)
    """
    parts = urlsplit(base_url) if isinstance(base_url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise DeclarationError(f"base_url={base_url!r} is no address of a service; allowed: 'https://host' or so")
    if parts.username is not None or parts.password is not None:
        raise DeclarationError(f"base_url of {parts.hostname} holds a name or a password; leave them out")
    if encrypted and parts.scheme != "https" and not _is_loopback(parts.hostname):
        raise DeclarationError(
            f"base_url={base_url!r}: a key is sent over https only; http is allowed on this machine (127.0.0.1) alone"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def get(url: str, headers: Mapping[str, str] | None = None, params: Mapping[str, Any] | None = None) -> Any:
    """Return a request for a URL, to be sent later.

    Args:
        url (str): what to get.
        headers (Mapping | None): to send with it.
        params (Mapping | None): the query.
    """
    return optional("requests").Request("GET", url, headers=dict(headers or {}), params=dict(params or {}))


def url_of(base_url: str, *parts: str) -> str:
    """Join an address and the parts of a path; whatever a part holds stays within it.

    Examples:
        >>> url_of("https://archive.org", "download", "id", "a #1?/Ünder 5%.ogg")
        'https://archive.org/download/id/a%20%231%3F/%C3%9Cnder%205%25.ogg'
    """
    path = "/".join(quote(piece, safe="") for part in parts for piece in part.split("/"))
    return f"{base_url.rstrip('/')}/{path}"


@contextmanager
def naming(dataset: Any) -> Iterator[None]:
    """Name the dataset in the message of whatever keeps it from being fetched."""
    try:
        yield
    except FetchError as error:
        error.args = (f"{dataset!r} could not be listed: {error}",)
        raise


def recording(uri: Any, fields: Mapping[str, Any], attributes: Mapping[str, Any]) -> AudioMetaData:
    """Make an item of a dataset.

    Args:
        uri (Any): where the sound is.
        fields (Mapping): what the catalogue says of it.
        attributes (Mapping): what the caller says of every item; it goes before the catalogue.
    """
    told = {name: value for name, value in fields.items() if name not in _TAKEN}
    said = {str(name): value for name, value in {**told, **attributes}.items()}
    named = {name: said.pop(name, None) for name in _FIELDS}
    return AudioMetaData(uri, **named, **said)
