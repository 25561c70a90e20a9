"""The API of archive.org: ``/metadata/ID``, ``/download/ID/NAME`` and the node that it sends readers to.

Shapes are those of the service: all values of files are text, an unknown item is ``{}`` with status 200, an item that
was taken down has ``is_dark`` and no files, downloads are redirected to a node, and a private file answers 403.
"""

import hashlib
import zlib
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.webserver.ranges import Static, guess_type

__all__ = ["ArchiveFile", "ArchiveItem", "ArchiveService"]

FORMATS = {
    "ogg": "Ogg Vorbis",
    "mp3": "VBR MP3",
    "flac": "Flac",
    "wav": "WAVE",
    "aiff": "AIFF",
    "m4a": "MPEG-4 Audio",
    "txt": "Text",
    "jpg": "JPEG",
    "png": "PNG",
    "xml": "Metadata",
    "zip": "ZIP",
}


@dataclass
class ArchiveFile:
    """A file of an item.

    Attributes:
        name (str): may hold slashes and any characters.
        data (bytes | None): None is listed, and answers 404.
        format (str | None): guessed from the name by default.
        source (str): original or derivative.
        original (str | None): what a derivative was made from.
        fields (dict): further fields, such as title, creator, album, track, length; they replace made ones, and None
            removes one.
    """

    name: str
    data: bytes | None
    format: str | None = None
    source: str = "original"
    original: str | None = None
    fields: dict = field(default_factory=dict)

    def listed(self):
        """Return the file as the metadata lists it."""
        data = self.data or b""
        made = {
            "name": self.name,
            "source": self.source,
            "format": self.format or FORMATS.get(self.name.rpartition(".")[2].lower(), "Unknown"),
            "original": self.original,
            "mtime": "1236666800",
            "size": str(len(data)),
            "md5": hashlib.md5(data).hexdigest(),
            "crc32": f"{zlib.crc32(data):08x}",
            "sha1": hashlib.sha1(data).hexdigest(),
            **self.fields,
        }
        return {name: value for name, value in made.items() if value is not None}


class ArchiveItem:
    """An item: files and metadata; what it is served as can be changed while it is served.

    Attributes:
        identifier (str): its id.
        files (dict[str, ArchiveFile]): by name.
        metadata (dict): of the item.
        is_dark (bool): it was taken down.
        private (set[str]): names of files that answer 403.
        answers (dict[str, Callable]): functions of an ``Exchange`` that answer for a file instead.
    """

    def __init__(self, server, identifier, files, metadata=None, is_dark=False, private=()):
        if hasattr(files, "items"):
            files = [ArchiveFile(name, data) if not isinstance(data, ArchiveFile) else data
                     for name, data in files.items()]  # fmt: skip
        self._server = server
        self.identifier, self.is_dark, self.private, self.answers = identifier, is_dark, set(private), {}
        self.files = {file.name: file for file in files}
        self.metadata = {
            "identifier": identifier,
            "mediatype": "audio",
            "collection": ["opensource_audio", "community"],
            "title": identifier.replace("_", " "),
            "creator": "Somebody",
            "licenseurl": "http://creativecommons.org/licenses/by/3.0/",
            "date": "1999",
            "publicdate": "2009-03-10 06:33:20",
            "addeddate": "2009-03-10 06:30:11",
            "uploader": "somebody@example.org",
            **(metadata or {}),
        }

    @property
    def folder(self):
        """Where its node keeps it."""
        return f"/12/items/{self.identifier}"

    def vanish(self, name):
        """Leave a file in the listing, and answer 404 for it."""
        self.files[name].data, self.files[name].fields = None, self.files[name].listed()

    def listing(self):
        """Return the JSON of ``/metadata/ID``."""
        if self.is_dark:
            return {"created": 1700000000, "dir": self.folder, "is_dark": True, "nodownload": True, "server": "ia800"}
        own = [
            ArchiveFile(f"{self.identifier}_meta.xml", b"<metadata/>"),
            ArchiveFile(f"{self.identifier}_files.xml", b"", fields={"size": None, "mtime": None}),
        ]
        files = [file.listed() for file in (*self.files.values(), *own)]
        nodes = ["ia800100.us.archive.org", "ia600100.us.archive.org"]
        return {
            "created": 1700000000,
            "d1": nodes[1],
            "d2": nodes[0],
            "dir": self.folder,
            "files": files,
            "files_count": len(files),
            "item_last_updated": 1690000000,
            "item_size": sum(int(file.get("size", 0)) for file in files),
            "metadata": self.metadata,
            "server": nodes[0],
            "uniq": 1234567890,
            "workable_servers": nodes,
        }

    def fetched(self, name=None):
        """How often a file, or any, was asked for with GET."""
        under = f"/download/{self.identifier}/"
        return self._server.count(f"{under}{name}" if name else f"{under}*", "GET")


class ArchiveService:
    """All items of a server.

    Args:
        server (WebServer): where it is served.
    """

    def __init__(self, server):
        self._server, self._items = server, {}
        server.add("/metadata/*", self._metadata)
        server.add("/download/*", self._download)
        server.add("/12/items/*", self._node)

    def add(self, identifier, files, metadata=None, **options):
        """Serve an item from now on; returns it."""
        item = self._items[identifier] = ArchiveItem(self._server, identifier, files, metadata, **options)
        return item

    def _metadata(self, exchange):
        identifier, _, part = exchange.request.path.removeprefix("/metadata/").rstrip("/").partition("/")
        item = self._items.get(identifier)
        listing = item.listing() if item else {}
        if not part:
            exchange.send_json(listing)
        elif part in listing:
            exchange.send_json({"result": listing[part]})
        else:
            exchange.send_json({"error": f"Couldn't locate item {identifier}" if not item else "invalid path"})

    def _download(self, exchange):
        exchange.start(302, {"Location": self._node_url(exchange.request.path), "Content-Length": "0"})

    def _node_url(self, path):
        return f"{self._server.url}/12/items/{quote(path.removeprefix('/download/'))}"

    def _node(self, exchange):
        identifier, _, name = exchange.request.path.removeprefix("/12/items/").partition("/")
        item = self._items.get(identifier)
        file = item.files.get(name) if item and not item.is_dark else None
        if item and name in item.answers:
            item.answers[name](exchange)
        elif item and name in item.private:
            exchange.send(403, b"<html><body>Forbidden</body></html>", None, "text/html")
        elif file is None or file.data is None:
            exchange.send(404, b"<html><body>404 Not Found</body></html>", None, "text/html")
        else:
            Static(file.data, guess_type(name))(exchange)
