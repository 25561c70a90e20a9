"""The server: routes, what was asked of it, and an end that waits for nobody."""

import http.server
import socket
import socketserver
import ssl
import sys
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from tests.webserver.exchange import Exchange, Request
from tests.webserver.freesound import FreeSoundService
from tests.webserver.internetarchive import ArchiveService
from tests.webserver.ranges import Static, guess_type

__all__ = ["CERTIFICATE", "WebServer"]

CERTIFICATE = str(Path(__file__).parent / "certificate.pem")
"""Self-signed, for localhost, 127.0.0.1 and 127.0.0.2, with its key; for ``verify=`` of requests."""


class _Connection(http.server.BaseHTTPRequestHandler):
    """A connection, kept open for further requests."""

    protocol_version = "HTTP/1.1"
    timeout = 60
    disable_nagle_algorithm = True

    def _answer(self):
        self.server.owner.answer(self)

    do_GET = do_HEAD = do_POST = do_PUT = _answer

    def log_message(self, *arguments):
        pass


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    owner = None

    def handle_error(self, request, client_address):
        # clients that leave early are what many tests are about; other faults are kept for the test to see
        self.owner.note_fault()

    def process_request_thread(self, request, client_address):
        with self.owner.open_connection(request):
            super().process_request_thread(request, client_address)


class WebServer:
    """A web server on loopback.

    Args:
        address (str): what it listens on; 127.0.0.2 and its like are further hosts on Linux.
        name (str | None): the host in ``url``; the address by default.
        tls (bool): serve https, with a certificate that nobody trusts unless told to (``CERTIFICATE``).

    Attributes:
        url (str): such as ``http://127.0.0.1:40000``, without a slash at the end.
        requests (list[Request]): all that came, in the order in which they came.
        sent (int): bytes of bodies that were sent for these requests; what is still sent for forgotten ones is none.
        faults (list[BaseException]): what went wrong in answers, other than clients that left.
    """

    def __init__(self, address="127.0.0.1", name=None, tls=False):
        self._listener = _Listener((address, 0), _Connection)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            # the handshake is for the connection's own thread
            self._listener.socket = context.wrap_socket(
                self._listener.socket, server_side=True, do_handshake_on_connect=False
            )
        self._listener.owner = self
        self.port = self._listener.server_address[1]
        self.url = f"http{'s' * tls}://{name or address}:{self.port}"
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._requests, self._connections, self._routes = [], set(), {}
        self.sent, self.faults, self.era = 0, [], 0
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()
        self.internet_archive = ArchiveService(self)

    # --- what it serves

    def add(self, path, answer, content_type=None, **options):
        """Serve bytes, or let a function of an ``Exchange`` answer; a path that ends with ``*`` stands for all below.

        Returns:
            str: the URL.
        """
        path = path if path.startswith("/") else f"/{path}"
        if isinstance(answer, (bytes, bytearray)):
            answer = Static(bytes(answer), content_type or guess_type(path), **options)
        with self._lock:
            self._routes[path] = answer
        return self.url_of(path)

    def remove(self, path):
        """Serve 404 from now on."""
        with self._lock:
            del self._routes[path if path.startswith("/") else f"/{path}"]

    def url_of(self, path):
        """Return the URL of a path, whatever characters it holds."""
        return self.url + quote(path if path.startswith("/") else f"/{path}")

    def archive(self, identifier, files, metadata=None, **options):
        """Serve an item as archive.org does; see ``ArchiveItem``."""
        return self.internet_archive.add(identifier, files, metadata, **options)

    def freesound(self, key, sounds, page_size=15, **options):
        """Serve sounds as freesound.org does; see ``FreeSoundService``."""
        return FreeSoundService(self, key, sounds, page_size, **options)

    # --- what it saw

    @property
    def requests(self):
        """All that came so far."""
        with self._lock:
            return list(self._requests)

    def count(self, path=None, method=None):
        """How many requests came, for a path (all that begin with it, if it ends with ``*``)."""
        return sum(_matches(request, path) and method in (None, request.method) for request in self.requests)

    def clear(self):
        """Forget what came."""
        with self._lock:
            self._requests.clear()
            self.sent, self.era = 0, self.era + 1

    def note_sent(self, count, era):
        with self._lock:
            if era == self.era:
                self.sent += count

    def note_fault(self):
        error = sys.exc_info()[1]
        if not isinstance(error, (OSError, ValueError)) and not self.closing.is_set():
            self.faults.append(error)

    # --- how it works

    def answer(self, connection):
        """Answer one request."""
        request = Request.of(connection.command, connection.path, connection.headers)
        with self._lock:
            self._requests.append(request)
            era = self.era
            found = self._routes.get(request.path) or self._below(request.path)
        body = int(connection.headers.get("Content-Length") or 0)
        if body:
            connection.rfile.read(body)
        exchange = Exchange(request, connection, self, era)
        if found is None:
            exchange.send(404, b"<html><body><h1>404 Not Found</h1></body></html>", None, "text/html")
        else:
            found(exchange)
        with suppress(OSError, ValueError):
            connection.wfile.flush()

    def _below(self, path):
        fitting = [key for key in self._routes if key.endswith("*") and path.startswith(key[:-1])]
        return self._routes[max(fitting, key=len)] if fitting else None

    def open_connection(self, connection):
        return _Open(connection, self._connections, self._lock)

    def close(self):
        """Stop at once: open connections are cut."""
        if self.closing.is_set():
            return
        self.closing.set()
        self._listener.shutdown()
        self._thread.join()
        self._listener.server_close()
        with self._lock:
            threads = list(self._connections)
        for connection, _ in threads:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in threads:
            thread.join(2)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


class _Open:
    """Keeps a connection and its thread in a set while it is served."""

    def __init__(self, connection, among, lock):
        self.entry, self.among, self.lock = (connection, threading.current_thread()), among, lock

    def __enter__(self):
        with self.lock:
            self.among.add(self.entry)

    def __exit__(self, *error):
        with self.lock:
            self.among.discard(self.entry)


def _matches(request, path):
    if path is None:
        return True
    path = path if path.startswith("/") else f"/{path}"
    return request.path.startswith(path[:-1]) if path.endswith("*") else request.path == path
