"""Recordings from the internet become a store.

The program plays the internet itself: a small server on this machine answers like archive.org and freesound.org, so
that nothing is fetched from them. It ingests an item of the archive and the results of a search, shows that a second
run fetches nothing, asks for recordings by what the catalogues say, and keeps copies in a folder. With the real
services, leave out ``base_url=`` and the fetcher, and take your own key for freesound.org.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import zounds_lite as zounds
from zounds_lite import featureflow as ff

STORE, COPIES, KEY = Path("datasets.zl"), Path("copies"), "YOUR_API_KEY"


@zounds.simple_lmdb_settings(str(STORE), user_supplied_id=True)
class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)):
    """The documented graph, kept in a store on disk."""


def tone(hz):
    samples = zounds.SineSynthesizer(zounds.SR22050()).synthesize(zounds.Seconds(2), freqs_in_hz=[hz])
    return samples.encode(fmt="OGG").read()


class Internet(BaseHTTPRequestHandler):
    """Answers as the services do; ``fetched`` counts the recordings that were asked for."""

    sounds = {f"/download/Two_Tones/side {side}/tone #{hz}.ogg": hz for side, hz in (("A", 220), ("B", 330))}
    sounds |= {f"/previews/{hz}-hq.ogg": hz for hz in (440, 550)}
    fetched = 0

    def do_GET(self):
        path = unquote(urlsplit(self.path).path)
        if path in self.sounds:
            Internet.fetched += 1
            self.answer(tone(self.sounds[path]))
        elif path == "/metadata/Two_Tones":
            files = [{"name": name.removeprefix("/download/Two_Tones/"), "format": "Ogg Vorbis", "creator": "Ann"}
                     for name in self.sounds if name.startswith("/download")]  # fmt: skip
            metadata = {"licenseurl": "https://creativecommons.org/publicdomain/zero/1.0/"}
            self.answer(json.dumps({"metadata": metadata, "files": files}).encode())
        elif path == "/apiv2/search/text/" and self.headers["Authorization"] == f"Token {KEY}":
            results = [{"id": hz, "name": f"{hz} Hz", "tags": ["tone"], "samplerate": 22050.0, "channels": 1,
                        "username": "Bob", "previews": {"preview-hq-ogg": f"{base()}/previews/{hz}-hq.ogg"}}
                       for hz in (440, 550)]  # fmt: skip
            self.answer(json.dumps({"count": 2, "next": None, "results": results}).encode())
        else:
            self.answer(b"{}")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


SERVER = ThreadingHTTPServer(("127.0.0.1", 0), Internet)


def base():
    return f"http://127.0.0.1:{SERVER.server_port}"


def main():
    threading.Thread(target=SERVER.serve_forever, daemon=True).start()
    undo = ff.set_fetcher(ff.Fetcher(private_addresses=True))  # by default nothing on this machine is asked

    archive = zounds.InternetArchive("Two_Tones", base_url=base(), label="archive")
    search = zounds.FreeSoundSearch(KEY, "tone", n_results=5, base_url=base(), label="search")
    both = zounds.CompositeDataset(archive, search)
    for item in both:
        print(f"{item.label}: {item.name}, licence {item.licensing}")

    report = zounds.ingest(both, Sound, progress=False)
    print(f"{len(report.processed)} processed, {Internet.fetched} fetched")
    report = zounds.ingest(both, Sound, progress=False)
    print(f"once more: {len(report.skipped)} skipped, {Internet.fetched} fetched in all")

    for sound in Sound.where(label="search"):
        loudest = list(sound.fft.dimensions[1].scale)[abs(sound.fft).mean(axis=0).argmax()]
        print(f"{sound.meta['name']}, by {sound.meta['username']}: loudest around {loudest.center_frequency:.0f} Hz")

    copies = [Path(item.uri) for item in zounds.DataSetCache(COPIES, archive)]
    print(f"{len(copies)} copies of {sum(path.stat().st_size for path in copies) // 1000} kB")

    try:
        list(zounds.InternetArchive("Two_Tones", "Flac", base_url=base()))
    except zounds.errors.EmptyDataset as error:
        print(str(error).partition(": ")[2])

    undo()
    SERVER.shutdown()
    SERVER.server_close()


if __name__ == "__main__":
    main()
