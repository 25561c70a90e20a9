"""The API of freesound.org, version 2: text search in pages, details, previews, keys, and limits.

Shapes are those of the service: ``next`` is a whole URL without the key, or null; a missing or wrong key answers 401, a
page after the last one 404, and who asks too often 429, all with ``detail``. Previews need no key and may stand on
another host (``cdn``).
"""

import threading
from dataclasses import dataclass, field
from urllib.parse import urlencode

from tests.webserver.ranges import Static, guess_type

__all__ = ["FreeSoundService", "Sound"]

LICENCE = "http://creativecommons.org/licenses/by/3.0/"
BURST = "Request was throttled. Expected available in {seconds} seconds."
DAILY = "Request was throttled because of exceeding a request limit rate (2000/day)"


@dataclass
class Sound:
    """A sound of the service.

    Attributes:
        id (int): its number.
        name (str): its name.
        data (bytes | None): the preview in Ogg; None answers 404.
        mp3 (bytes | None): the preview in MP3; None answers 404.
        fields (dict): further fields of its details; they replace made ones.
    """

    id: int
    name: str
    data: bytes | None
    mp3: bytes | None = None
    fields: dict = field(default_factory=dict)

    def details(self, api, previews):
        """Return the JSON of ``/apiv2/sounds/ID/``."""
        stem = f"{previews}/data/previews/{self.id // 1000}/{self.id}_1234"
        return {
            "id": self.id,
            "url": f"https://freesound.org/people/somebody/sounds/{self.id}/",
            "name": self.name,
            "tags": ["guitar", "test"],
            "description": f"A sound called {self.name}.",
            "geotag": None,
            "created": "2014-04-16T20:07:11.145",
            "license": LICENCE,
            "type": "wav",
            "channels": 2,
            "filesize": 1200000,
            "bitrate": 1411,
            "bitdepth": 16,
            "duration": 1.5,
            "samplerate": 44100.0,
            "username": "somebody",
            "pack": None,
            "download": f"{api}/apiv2/sounds/{self.id}/download/",
            "previews": {
                "preview-hq-mp3": f"{stem}-hq.mp3",
                "preview-hq-ogg": f"{stem}-hq.ogg",
                "preview-lq-mp3": f"{stem}-lq.mp3",
                "preview-lq-ogg": f"{stem}-lq.ogg",
            },
            "num_downloads": 17,
            "avg_rating": 4.5,
            "num_ratings": 2,
            **self.fields,
        }


class FreeSoundService:
    """Sounds on a server.

    Args:
        server (WebServer): where the API is.
        key (str): the only key that it takes.
        sounds (Iterable[Sound] | Mapping[str, bytes]): the sounds; a mapping from names to Ogg data numbers them.
        page_size (int): results on a page, where the request does not say.
        max_page_size (int): results on a page, whatever the request says.
        cdn (WebServer | None): where previews are; the same server by default.
        daily_limit (int | None): requests to the API before it answers 429 with the text of the day's limit.
        first_id (int): number of the first sound of a mapping.
    """

    def __init__(
        self, server, key, sounds, page_size=15, cdn=None, daily_limit=None, first_id=100001, max_page_size=150
    ):
        if hasattr(sounds, "items"):
            sounds = [Sound(first_id + i, name, data) for i, (name, data) in enumerate(sounds.items())]
        self._server, self.key, self.page_size, self.cdn = server, key, page_size, cdn or server
        self.sounds = {sound.id: sound for sound in sounds}
        self.max_page_size = max_page_size
        self.daily_limit, self.asked = daily_limit, 0
        self._lock, self._throttled = threading.Lock(), {}
        for path in ("/apiv2/search/", "/apiv2/search/text/", "/apiv2/search", "/apiv2/search/text"):
            server.add(path, lambda exchange: self._guarded(exchange, self._search))
        server.add("/apiv2/sounds/*", lambda exchange: self._guarded(exchange, self._details))
        self.cdn.add("/data/previews/*", self._preview)

    def throttle(self, after=0, seconds=1, times=1, retry_after=True):
        """Answer 429 to ``times`` requests to the API after ``after`` further ones.

        ``retry_after`` sends the header of that name: True for the seconds, or what it is to say; False for none.
        """
        with self._lock:
            for turn in range(self.asked + after, self.asked + after + times):
                self._throttled[turn] = seconds, str(seconds) if retry_after is True else retry_after

    def previews_fetched(self):
        """How many GET requests for previews came."""
        return self.cdn.count("/data/previews/*", "GET")

    def _guarded(self, exchange, answer):
        """Answer those who have a key and have not asked too often."""
        with self._lock:
            turn, self.asked = self.asked, self.asked + 1
        given = exchange.request.headers.get("Authorization", "")
        token = given.removeprefix("Token ") if given.startswith("Token ") else exchange.request.query.get("token")
        if token != self.key:
            missing = "Authentication credentials were not provided."
            detail = missing if token is None else "Invalid token"
            exchange.send_json({"detail": detail}, 401, {"WWW-Authenticate": "Token"})
        elif self.daily_limit is not None and turn >= self.daily_limit:
            exchange.send_json({"detail": DAILY}, 429)
        elif turn in self._throttled:
            seconds, header = self._throttled[turn]
            headers = {"Retry-After": header} if header else None
            exchange.send_json({"detail": BURST.format(seconds=seconds)}, 429, headers)
        else:
            answer(exchange)

    def _search(self, exchange):
        query = exchange.request.query
        words = query.get("query", "").lower().split()
        found = [sound for sound in self.sounds.values() if _fits(self._json(sound), words)]
        size, page = min(int(query.get("page_size", self.page_size)), self.max_page_size), int(query.get("page", 1))
        pages = max(1, -(-len(found) // size))
        if not 1 <= page <= pages:
            exchange.send_json({"detail": "Not found."}, 404)
            return
        fields = query.get("fields", "id,name,tags,license,username").split(",")
        results = [
            {name: value for name, value in self._json(sound).items() if name in fields}
            for sound in found[(page - 1) * size : page * size]
        ]
        links = [self._link(exchange.request, page + step) if 1 <= page + step <= pages else None for step in (1, -1)]
        exchange.send_json({"count": len(found), "next": links[0], "previous": links[1], "results": results})

    def _link(self, request, page):
        query = {name: value for name, value in request.query.items() if name != "token"}
        return f"{self._server.url}{request.path}?&{urlencode({**query, 'page': page})}"

    def _details(self, exchange):
        number = exchange.request.path.removeprefix("/apiv2/sounds/").rstrip("/")
        sound = self.sounds.get(int(number)) if number.isdigit() else None
        if sound is None:
            exchange.send_json({"detail": "Not found."}, 404)
        else:
            exchange.send_json(self._json(sound))

    def _json(self, sound):
        return sound.details(self._server.url, self.cdn.url)

    def _preview(self, exchange):
        name = exchange.request.path.rpartition("/")[2]
        number, suffix = name.partition("_")[0], name.rpartition(".")[2]
        sound = self.sounds.get(int(number)) if number.isdigit() else None
        data = None if sound is None else sound.mp3 if suffix == "mp3" else sound.data
        if data is None:
            exchange.send(404, b"<html><body>404 Not Found</body></html>", None, "text/html")
        else:
            Static(data, guess_type(name))(exchange)


def _fits(details, words):
    text = " ".join([details["name"], details["description"], *details["tags"]]).lower()
    return all(word in text for word in words)
