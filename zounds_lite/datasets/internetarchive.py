"""Recordings of an item of the Internet Archive (archive.org). Class: ``InternetArchive``."""

import logging
from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from zounds_lite._declared import Declared
from zounds_lite.datasets.remote import RemoteDataset, check_base, get, naming, recording, url_of
from zounds_lite.errors import DatasetError, DeclarationError, EmptyDataset, UnknownDataset
from zounds_lite.soundfile import AudioMetaData

__all__ = ["InternetArchive"]

_DEFAULT_FORMAT = "Ogg Vorbis"
_LONGEST_LISTING = 128 * 2**20
_OF_ONE_FILE = frozenset(
    {
        "bitrate", "btih", "crc32", "filecount", "format", "md5", "mtime", "name", "old_version", "original", "private",
        "rotation", "sha1", "size", "source", "summation", "viruscheck",
    }
)  # fmt: skip
"""What a catalogue says of one file alone, not of the recording in it."""

_log = logging.getLogger(__name__)


class InternetArchive(RemoteDataset, Declared):
    """The files of one format of an item of the Internet Archive, in the order of its catalogue.

    What the catalogue says of a file becomes attributes of its ``AudioMetaData`` (``title``, ``creator``, ``album``,
    ``md5``, ...); a file that was made from another one has those of the original too, where it lacks them. Numbers
    that the catalogue gives as text stay text (``length='454.03'``), but ``size`` is an ``int``, bytes. ``licensing``
    is the address of the item's licence, ``web_url`` the item's page, and ``checksum`` what the bytes are held against
    when they are fetched. Each iteration, and each ``len``, asks for the catalogue; an iteration right after ``len``
    uses what that has fetched.

    Args:
        archive_id (str): the identifier, the part after ``https://archive.org/details/``.
        format_filter (str | Collection[str] | Callable | None): a name of a format, such as ``"VBR MP3"``, ``"Flac"``
            or ``"WAVE"``, or several, in upper or lower case; or a function that takes what is known of a file, as a
            dict, and tells whether it is wanted; None for ``"Ogg Vorbis"``.
        fetcher (Fetcher | None): asks for the catalogue; None for ``default_fetcher()``.
        base_url (str): where the archive is.
        attrs: put on each item; they go before what the catalogue says.

    Raises:
        DeclarationError: no ``archive_id``, or an argument is of the wrong kind; it is a ``ValueError``.
        UnknownDataset: on iteration: there is no such item, or it is shown to nobody.
        EmptyDataset: on iteration: nothing has the format; it says which formats there are.
        DatasetError: on iteration: the catalogue is not what it should be.
        FetchError: on iteration: the catalogue could not be fetched.

    Examples:
        >>> InternetArchive("beethoven_ingigong_850")
        InternetArchive(archive_id='beethoven_ingigong_850')
        >>> InternetArchive("TheR.H.SFXLibrary", format_filter=("Flac", "WAVE"), collection="effects")
        InternetArchive(archive_id='TheR.H.SFXLibrary', format_filter=('Flac', 'WAVE'), collection='effects')
    """

    def __init__(
        self,
        archive_id: str,
        format_filter: Any = None,
        *,
        fetcher: Any = None,
        base_url: str = "https://archive.org",
        **attrs: Any,
    ) -> None:
        self.__dict__["attributes"] = attrs
        super().__init__(archive_id=archive_id, format_filter=format_filter, fetcher=fetcher, base_url=base_url)

    archive_id: str
    format_filter: Any

    def validate(self) -> None:
        if not isinstance(self.archive_id, str) or not self.archive_id:
            raise DeclarationError(
                f"archive_id={self.archive_id!r}: an identifier is needed, the part after archive.org/details/"
            )
        is_plain = all(letter.isalnum() or letter in "._-@" for letter in self.archive_id)
        if not is_plain or not self.archive_id.strip("."):
            raise DeclarationError(
                f"archive_id={self.archive_id!r} is no identifier; allowed: letters, digits and ._-@, as in the part "
                "after archive.org/details/"
            )
        if "uri" in self.attributes:
            raise DeclarationError("uri= is where each recording is, which the archive says; leave it out")
        formats = self._formats()
        if formats is not None and not (formats and all(isinstance(name, str) and name for name in formats)):
            raise DeclarationError(
                f"format_filter={self.format_filter!r}; allowed: the name of a format such as 'VBR MP3', several "
                "names, a function of what is known of a file, or None for 'Ogg Vorbis'"
            )
        check_base(self.base_url)

    @property
    def web_url(self) -> str:
        """The item's page, for people."""
        return url_of(self.base_url, "details", self.archive_id)

    def _listed(self) -> list[AudioMetaData]:
        catalogue = self._catalogue()
        licence = _first(catalogue["metadata"].get("licenseurl"))
        return [self._item(file, licence) for file in self._wanted(catalogue["files"])]

    def _item(self, file: Mapping[str, Any], licence: Any) -> AudioMetaData:
        fields = {name: value for name, value in file.items() if name != "name"}
        fields = {"licensing": licence, **fields, "name": file["name"], "web_url": self.web_url}
        size, md5 = _whole(file.get("size")), file.get("md5")
        if size is not None:
            fields["size"] = size
        if isinstance(md5, str) and md5:
            fields["checksum"] = f"md5:{md5}"
        return recording(get(url_of(self.base_url, "download", self.archive_id, file["name"])), fields, self.attributes)

    def _catalogue(self) -> dict[str, Any]:
        """Fetch the catalogue, and check that it is one."""
        url = url_of(self.base_url, "metadata", self.archive_id)
        with naming(self):
            found = self._client().read_json(get(url), max_bytes=_LONGEST_LISTING)
        if not isinstance(found, dict) or found.get("error") is not None and "files" not in found:
            raise DatasetError(f"{self!r}: {url} gives no catalogue but {repr(found)[:200]}; try again later")
        if found.get("is_dark"):
            raise UnknownDataset(f"{self!r}: the archive shows this item to nobody (any more): {self.web_url}")
        if not found.get("files"):
            raise UnknownDataset(f"{self!r}: the archive has no item of this identifier, see {self.web_url}")
        files, metadata = found["files"], found.get("metadata")
        if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
            raise DatasetError(f"{self!r}: the files that {url} lists are no list of files: {repr(files)[:200]}")
        return {"files": files, "metadata": metadata if isinstance(metadata, dict) else {}}

    def _formats(self) -> frozenset[Any] | None:
        """The names of the wanted formats; None where a function tells."""
        wanted = _DEFAULT_FORMAT if self.format_filter is None else self.format_filter
        if callable(wanted):
            return None
        if isinstance(wanted, str):
            return frozenset({wanted.casefold()})
        names = wanted if isinstance(wanted, Collection) and not isinstance(wanted, (bytes, Mapping)) else ()
        return frozenset(name.casefold() if isinstance(name, str) else None for name in names)

    def _wanted(self, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The files of the wanted format, with the metadata of their originals."""
        formats, complete = self._formats(), _completed(files)
        if formats is None:
            fitting = [file for file in complete if self.format_filter(dict(file))]
        else:
            fitting = [file for file in complete if str(file.get("format")).casefold() in formats]
        found = [file for file in fitting if str(file.get("private")).lower() not in ("true", "1")]
        hidden = len(fitting) - len(found)
        if hidden:
            _log.warning("%r: passed over %d files that the archive plays, but does not give away", self, hidden)
        if not found:
            raise EmptyDataset(self._why_empty(complete, hidden))
        return found

    def _why_empty(self, files: list[dict[str, Any]], hidden: int) -> str:
        wanted = self.format_filter if callable(self.format_filter) else self.format_filter or _DEFAULT_FORMAT
        counts = Counter(str(file.get("format")) for file in files)
        there = ", ".join(f"{name!r} ({count})" for name, count in counts.most_common())
        if hidden:
            return f"{self!r}: all {hidden} files that fit {wanted!r} are private; other formats may not be: {there}"
        return f"{self!r}: no file fits {wanted!r}; there are: {there}; pass one of these as format_filter="


def _completed(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Give to each file what is known of its original, where it has no word on that itself."""
    named = {_name(file): file for file in files}
    complete = []
    for file in files:
        name = _name(file)
        if not all(part.strip(".") for part in name.split("/")):
            _log.warning("passed over a file of the strange name %r", file.get("name"))
            continue
        original = file.get("original")
        source = named.get(original.lstrip("/"), {}) if isinstance(original, str) else {}
        inherited = {field: value for field, value in source.items() if field not in _OF_ONE_FILE}
        complete.append({**inherited, **file, "name": name})
    return complete


def _name(file: Mapping[str, Any]) -> str:
    return str(file.get("name") or "").lstrip("/")


def _first(value: Any) -> Any:
    """The first of several values; a catalogue gives a list where a field was filled in twice."""
    return next(iter(value), None) if isinstance(value, list) else value


def _whole(value: Any) -> int | None:
    """A count that a catalogue gives as text; None where it is none."""
    is_whole = isinstance(value, (int, str)) and str(value).isascii() and str(value).isdigit()
    return int(value) if is_whole else None
