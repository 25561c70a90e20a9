"""What came and what goes: ``Request``, as a server writes it down, and ``Exchange``, with which it is answered."""

import json
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from requests.structures import CaseInsensitiveDict

__all__ = ["Exchange", "Request"]


@dataclass(frozen=True)
class Request:
    """A request as it came.

    Attributes:
        method (str): GET, HEAD, ...
        path (str): without the query, percent signs undone.
        query (dict[str, str]): the last value of each name.
        headers (CaseInsensitiveDict): as sent.
        target (str): path and query as they stood in the first line.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: CaseInsensitiveDict = field(repr=False)
    target: str = field(repr=False)

    @classmethod
    def of(cls, method, target, headers):
        parts = urlsplit(target if target.startswith("/") else "/" + target)
        # a path such as //a has no host here
        path, query = (target.partition("?")[::2]) if target.startswith("//") else (parts.path, parts.query)
        named = dict(parse_qsl(query, keep_blank_values=True))
        return cls(method, unquote(path), named, CaseInsensitiveDict(headers.items()), target)

    @property
    def said(self):
        """All that was sent, as one text in which secrets can be looked for."""
        return "\n".join([self.target, unquote(self.target), *(f"{k}: {v}" for k, v in self.headers.items())])


class Exchange:
    """One request and its answer, for functions that answer as they like.

    Args:
        request (Request): what came.
        connection: the handler of ``http.server`` that holds the connection.
        server (WebServer): the server.
        era (int): how often the server had forgotten what came, when this came.
    """

    def __init__(self, request, connection, server, era=0):
        self.request, self.server, self.era = request, server, era
        self._connection = connection
        self.is_head = request.method == "HEAD"

    def send(self, status=200, body=b"", headers=None, content_type="application/octet-stream"):
        """Send a whole, honest answer."""
        body = body.encode() if isinstance(body, str) else body
        self.start(status, {"Content-Type": content_type, "Content-Length": str(len(body)), **(headers or {})})
        self.write(body)

    def send_json(self, value, status=200, headers=None):
        """Send JSON."""
        self.send(status, json.dumps(value), headers, "application/json")

    def start(self, status=200, headers=None):
        """Send the first line and headers; ``headers`` may be pairs, where a name is to come twice."""
        self._connection.send_response(status)
        pairs = headers.items() if hasattr(headers, "items") else headers or []
        for name, value in pairs:
            self._connection.send_header(name, value)
        self._connection.end_headers()

    def write(self, data):
        """Send bytes of the body, unless the request is HEAD."""
        if not self.is_head and data:
            # counted before the client can have it and ask how much was sent
            self.server.note_sent(len(data), self.era)
            try:
                self._connection.wfile.write(data)
            except (OSError, ValueError):
                self.server.note_sent(-len(data), self.era)
                raise

    def raw(self, data):
        """Send bytes as they are, headers or not."""
        self._connection.wfile.write(data)

    def drop(self):
        """End the connection after this answer."""
        self._connection.close_connection = True

    def wait(self, seconds):
        """Pause; False as soon as the server closes."""
        return not self.server.closing.wait(seconds)
