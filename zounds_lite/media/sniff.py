"""What kind of file this is, told by its content and never by its name.

Goal: name the container of an encoded recording from its first bytes, or say what the bytes are instead. Functions:
``sniff`` (container name), ``allowed`` (what can be decoded).

Sources:
    The magic numbers are those of the format descriptions: RIFF/WAVE (Multimedia Programming Interface 1.0, 1991),
    EBU Tech 3306 (RF64), AIFF-C (Apple, 1991), CAF (Apple), RFC 3533 (Ogg), RFC 9639 (FLAC), ID3v2.4.
"""

from zounds_lite.errors import EmptyAudio, NotAudio, UnsupportedCodec
from zounds_lite.media.mp3 import find_mpeg, looks_like_adts, skip_id3
from zounds_lite.media.source import Source

__all__ = ["allowed", "sniff"]

_CONTAINERS = {
    b"fLaC": "FLAC",
    b"OggS": "OGG",
    b"caff": "CAF",
    b".snd": "AU",
    b"dns.": "AU",
    b"riff\x2e\x91\xcf\x11": "W64",
}

_PLAIN = {
    b"Creative Voice File": "VOC",
    b" paf": "PAF",
    b"fap ": "PAF",
    b"NIST_1A": "NIST",
    b"PVF1": "PVF",
    b"2BIT": "AVR",
    b"Extended Instrument:": "XI",
    b"ALawSoundFile**": "WVE",
    b"\x64\xa3": "IRCAM",
}
"""Rare formats that libsndfile reads as well; see ``rare``."""

_FOREIGN = {
    b"\x1aE\xdf\xa3": "Matroska or WebM",
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": "Windows Media (WMA)",
    b"MAC ": "Monkey's Audio",
    b"wvpk": "WavPack",
    b"MPCK": "Musepack",
    b"MP+": "Musepack",
    b"TTA1": "True Audio",
    b"#!AMR": "AMR",
    b"DSD ": "DSD",
    b"FRM8": "DSD",
    b".RMF": "RealAudio",
    b"FLV\x01": "Flash video",
    b"\x0b\x77": "AC-3",
}

_OTHER = {
    b"%PDF": "a PDF document",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"PK\x03\x04": "a ZIP archive (unpack it first, or read it as Archive(path))",
    b"\x1f\x8b": "gzip data (unpack it first)",
    b"BZh": "bzip2 data (unpack it first)",
    b"7z\xbc\xaf": "a 7z archive (unpack it first)",
    b"MThd": "a MIDI file: notes, not samples",
    b"\x7fELF": "a program",
}

_PRINTABLE = frozenset(range(32, 127)) | {9, 10, 12, 13}


def allowed() -> str:
    """Name the formats that can be decoded.

    Examples:
        >>> allowed()
        'WAV, RF64, W64, FLAC, OGG (Vorbis, Opus, FLAC), MP3, AIFF, CAF, AU'
    """
    return "WAV, RF64, W64, FLAC, OGG (Vorbis, Opus, FLAC), MP3, AIFF, CAF, AU"


def sniff(source: Source) -> str:
    """Name the container of ``source``.

    Args:
        source (Source): the bytes to look at.

    Returns:
        str: ``"WAV"``, ``"RF64"``, ``"W64"``, ``"FLAC"``, ``"OGG"``, ``"MP3"``, ``"AIFF"``, ``"CAF"``, ``"AU"``, or
        the name of a rare format that libsndfile reads.

    Raises:
        EmptyAudio: there are no bytes.
        UnsupportedCodec: audio of a kind that libsndfile does not decode, such as AAC.
        NotAudio: anything else.

    Examples:
        >>> sniff(Source(b"fLaC" + bytes(40)))
        'FLAC'
    """
    if source.size == 0:
        raise EmptyAudio(f"{source.name} is empty (0 bytes); allowed: {allowed()}")
    head = source.at(0, 512)
    found = _known(head)
    if found is None and head.startswith(b"ID3"):
        # tags may stand in front of any format
        found = _known(source.at(skip_id3(source), 64))
    if found is not None:
        return found
    _refuse_foreign(source, head)
    what = _describe(head)
    if what is None:
        if find_mpeg(source) is not None:
            return "MP3"
        what = "of an unknown kind"
    raise NotAudio(
        f"{source.name} is no audio file: its {source.size} bytes are {what}, starting with {head[:16]!r}; "
        f"allowed: {allowed()}. Download or export the recording again, or leave the file out"
    )


def _known(head: bytes) -> str | None:
    if head[:4] in (b"RIFF", b"RIFX") and (head[8:12] == b"WAVE" or len(head) < 12):
        return "WAV"
    if head[:4] in (b"RF64", b"BW64"):
        return "RF64"
    if head[:4] == b"FORM" and (head[8:12] in (b"AIFF", b"AIFC") or len(head) < 12):
        return "AIFF"
    if head[:4] == b"FORM" and head[8:12] in (b"8SVX", b"16SV"):
        return "SVX"
    for table in (_CONTAINERS, _PLAIN):
        for magic, name in table.items():
            if head.startswith(magic):
                return name
    return None


def _refuse_foreign(source: Source, head: bytes) -> None:
    name = next((name for magic, name in _FOREIGN.items() if head.startswith(magic)), None)
    if head[4:8] == b"ftyp":
        name = "MPEG-4 (AAC or ALAC in M4A/MP4)"
    elif looks_like_adts(source):
        name = "AAC"
    if name is not None:
        raise UnsupportedCodec(
            f"{source.name} is {name}, which libsndfile cannot decode; allowed: {allowed()}. "
            "Convert it first, for example: ffmpeg -i INPUT -c:a flac OUTPUT.flac"
        )


def _describe(head: bytes) -> str | None:
    """Say what bytes are that are no audio, or None where they could still be MPEG audio."""
    for magic, what in _OTHER.items():
        if head.startswith(magic):
            return what
    if not any(head):
        return "all zero at the start"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    start = text[:64].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "an HTML page"
    if start.startswith(b"<"):
        return "HTML or XML text"
    try:
        # a character may be cut at the end of what was read
        characters = text[: len(text) - 4 if len(head) == 512 else None].decode("utf-8")
    except UnicodeDecodeError:
        return None
    if all(ord(character) > 127 or ord(character) in _PRINTABLE for character in characters):
        return "text"
    return None
