"""A real web server for tests: threaded, HTTP/1.1, on loopback, well-behaved or hostile as a test asks.

``with WebServer() as server:`` serves until the block ends, and then closes at once, whatever its clients do. Bytes
that are added are served with ranges, entity tags and HEAD; what else can be added is a function of an ``Exchange``,
such as those of ``tests.webserver.hostile``. ``server.archive`` speaks the API of archive.org, ``server.freesound``
that of freesound.org. Use: ``from tests.webserver import WebServer, hostile``.
"""

from tests.webserver import hostile
from tests.webserver.exchange import Exchange, Request
from tests.webserver.freesound import FreeSoundService, Sound
from tests.webserver.internetarchive import ArchiveFile, ArchiveItem
from tests.webserver.server import CERTIFICATE, WebServer

__all__ = [
    "CERTIFICATE",
    "ArchiveFile",
    "ArchiveItem",
    "Exchange",
    "FreeSoundService",
    "Request",
    "Sound",
    "WebServer",
    "hostile",
]
