"""Items of archive.org and sounds of freesound.org for tests, a document of them, and an ingest that can be killed.

``python -m tests.datasets.internet STORE KIND URL COUNT`` ingests a dataset in a process of its own.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import zounds_lite as zounds
from tests.sounds import encoded, noise
from tests.webserver import ArchiveFile, Sound, WebServer
from zounds_lite import featureflow as ff
from zounds_lite.featureflow import Fetcher
from zounds_lite.featureflow.fetch import set_fetcher

ROOT = Path(__file__).parents[2]
ITEM, KEY, QUERY = "Some_Speeches", "sesame-0123456789", "guitar"
NAMES = ("Größe {}.ogg", "disc 1/{} #1? 50%.ogg", "日本語 {}.ogg", "a+b&c={};.ogg", "plain{}.ogg")
"""Names as users give them; one for each kind of trouble."""


class Recording(ff.BaseModel):
    """The metadata and the samples of a recording."""

    meta = ff.JSONFeature(zounds.MetaData, store=True, encoder=zounds.AudioMetaDataEncoder)
    raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=2**16, needs=meta, store=False)
    pcm = zounds.AudioSamplesFeature(zounds.AudioStream, needs=raw, store=True)


def bound(path):
    """The document, kept in the store at a path."""
    return zounds.simple_lmdb_settings(str(path), user_supplied_id=True)(Recording)


def ogg(number, seconds=0.3, rate=11025):
    """The bytes of a short recording, another one for each number."""
    return encoded(noise(seconds + number / 1000, rate, seed=number), rate, "OGG")


def archive_files(count):
    """Files of an item: originals in FLAC that are not wanted, and what was made from them."""
    files = []
    for number in range(count):
        name = NAMES[number % len(NAMES)].format(number)
        original = name.replace(".ogg", ".flac")
        fields = {"title": f"Speech {number}", "track": str(number), "creator": "Somebody", "length": "0.30"}
        files.append(ArchiveFile(original, b"fLaC", fields=fields))
        files.append(ArchiveFile(name, ogg(number), source="derivative", original=original))
    return files


def freesound_sounds(count, query=QUERY):
    """Sounds that a search for the query finds, and one that it does not."""
    names = [
        name.removesuffix(".ogg").format(number) for number, name in zip(range(count), NAMES * count, strict=False)
    ]
    sounds = [Sound(2000 + number, f"{query} {name}", ogg(number)) for number, name in enumerate(names)]
    return [*sounds, Sound(1, "drum", ogg(0), fields={"tags": ["drum"]})]


def dataset(kind, url, count=10, **options):
    """The dataset that reads from a server."""
    if kind == "archive":
        return zounds.InternetArchive(ITEM, base_url=url, **options)
    return zounds.FreeSoundSearch(KEY, QUERY, n_results=count, delay=0.0, base_url=url, **options)


class Service:
    """A server of one kind, and what was fetched from it.

    Args:
        kind (str): archive or freesound.
        count (int): recordings.
    """

    def __init__(self, kind, count):
        self.kind, self.count_of, self._held = kind, count, threading.Event()
        self.server, self.cdn = WebServer(), WebServer("127.0.0.2")
        if kind == "archive":
            self.item = self.server.archive(ITEM, archive_files(count), {"title": "Speeches"})
        else:
            self.sounds = self.server.freesound(KEY, freesound_sounds(count), cdn=self.cdn, max_page_size=4)

    def dataset(self, **options):
        return dataset(self.kind, self.server.url, self.count_of, **options)

    def fetched(self):
        """The paths of all audio that was asked for, in the order in which it was."""
        where, under = (self.server, "/download/") if self.kind == "archive" else (self.cdn, "/data/previews/")
        return [request.path for request in where.requests if request.path.startswith(under)]

    def hold(self, number):
        """Keep who asks for a recording waiting; returns a function that lets go."""
        self._held.clear()
        if self.kind == "archive":
            name = [name for name in self.item.files if name.endswith(".ogg")][number]
            self.item.answers[name] = self._wait
            return lambda: self.item.answers.clear()
        path = f"/data/previews/2/{2000 + number}_1234-hq.ogg"
        self.cdn.add(path, self._wait)
        return lambda: self.cdn.remove(path)

    def _wait(self, exchange):
        self._held.set()
        exchange.wait(None)
        exchange.drop()

    def is_held(self):
        """Whether somebody waits."""
        return self._held.is_set()

    def ingest(self, path, **options):
        """Ingest in this process."""
        return zounds.ingest(self.dataset(**options), bound(path), progress=False)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.server.close()
        self.cdn.close()


def start(service, path):
    """Begin to ingest in another process."""
    command = [sys.executable, "-m", "tests.datasets.internet", str(path), service.kind, service.server.url]
    return subprocess.Popen([*command, str(service.count_of)], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def killed_at(service, path, number, patience_s=60):
    """Ingest in another process, which is killed while it waits for a recording; return the ids that are stored."""
    let_go = service.hold(number)
    with start(service, path) as process:
        until = time.monotonic() + patience_s
        while not service.is_held() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        assert process.poll() is None and service.is_held(), "it ended, or hangs, before it was killed"
        os.kill(process.pid, signal.SIGKILL)
    let_go()
    return stored(path)


def stored(path):
    """The ids that a store holds."""
    cls = bound(path)
    ids = [document._id for document in cls]
    cls.database.close()
    return ids


def main(path, kind, url, count):
    """Ingest a dataset; print the report as JSON."""
    set_fetcher(Fetcher(private_addresses=True))
    report = zounds.ingest(dataset(kind, url, int(count)), bound(path), progress=False)
    print(json.dumps(report.to_dict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
