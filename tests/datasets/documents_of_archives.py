"""A document that worker processes can import, and archives of recordings."""

import zounds_lite as zounds
from tests.sounds import encoded, noise, sine

_Base = zounds.stft(resample_to=zounds.SR11025(), store_resampled=False, store_fft=True, store_ogg=False)


class Spectrum(_Base):
    """A stored transform, and audio that is decoded from the source again."""


def bound(path):
    """The document, kept in the store at a path."""
    return zounds.simple_lmdb_settings(str(path), user_supplied_id=True)(Spectrum)


def recordings():
    """Return members by name: audio of several formats, and what people pack beside it."""
    return {
        "b/first.wav": encoded(sine(440, 0.5), 44100),
        "a/second.flac": encoded(noise(0.5), 44100, "FLAC"),
        "a/third ü!.ogg": encoded(noise(0.5), 44100, "OGG"),
        "fourth.mp3": encoded(sine(330, 0.5), 44100, "MP3"),
        "no ending": encoded(noise(0.5), 44100, "FLAC"),
        "notes.txt": b"milk, bread, two apples\n" * 20,
        "cover.jpg": b"\xff\xd8\xff\xe0" + bytes(1000),
        ".hidden.wav": b"",
        "__MACOSX/b/._first.wav": b"Mac OS X",
    }


HONEST = ["b/first.wav", "a/second.flac", "a/third ü!.ogg", "fourth.mp3", "no ending"]
