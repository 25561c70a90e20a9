"""Recordings in every format that is read, and ways to damage them: what the row on mutated audio is made of.

Everything is drawn from a seed, so a number names a file. Functions: ``seeds``, ``mutated``.
"""

import io
from collections.abc import Callable
from itertools import pairwise

import numpy as np

__all__ = ["KINDS", "mutated", "seeds"]

KINDS = (
    ("WAV", "PCM_16"), ("WAV", "PCM_U8"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"),
    ("WAV", "ULAW"), ("WAV", "ALAW"), ("WAV", "IMA_ADPCM"), ("WAV", "MS_ADPCM"), ("WAV", "GSM610"), ("WAV", "G721_32"),
    ("WAV", "NMS_ADPCM_16"), ("WAV", "NMS_ADPCM_32"), ("WAV", "MPEG_LAYER_III"), ("WAVEX", "PCM_16"),
    ("WAVEX", "FLOAT"), ("RF64", "PCM_16"), ("RF64", "FLOAT"), ("W64", "PCM_16"), ("W64", "IMA_ADPCM"),
    ("W64", "MS_ADPCM"), ("W64", "GSM610"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("OGG", "VORBIS"), ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"), ("MP3", "MPEG_LAYER_II"), ("AIFF", "PCM_16"), ("AIFF", "FLOAT"), ("AIFF", "IMA_ADPCM"),
    ("AIFF", "GSM610"), ("AIFF", "DWVW_16"), ("CAF", "PCM_16"), ("CAF", "FLOAT"), ("CAF", "ALAC_16"),
    ("CAF", "ALAC_24"), ("AU", "PCM_16"), ("AU", "ULAW"), ("AU", "G721_32"), ("AU", "G723_24"), ("AVR", "PCM_16"),
    ("SVX", "PCM_16"), ("PAF", "PCM_16"), ("PVF", "PCM_16"), ("IRCAM", "FLOAT"), ("VOC", "PCM_16"), ("NIST", "PCM_16"),
    ("XI", "DPCM_16"), ("WVE", "ALAW"),
)  # fmt: skip
"""Formats and subtypes that libsndfile writes and ``media`` reads."""

_ID3 = b"ID3\x04\x00\x00" + bytes([0, 0, 1, 0]) + bytes(128)
_EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF,
             0x7FFFFFFFFFFFFFFF, 0x8000000000000000, 0xFFFFFFFFFFFFFFFF)  # fmt: skip
_ONE_CHANNEL = ("GSM610", "G721_32", "G723_24", "NMS_ADPCM_16", "NMS_ADPCM_32", "DPCM_16", "DWVW_16")


def _samples(frames: int, channels: int) -> np.ndarray:
    time = np.arange(frames)[:, None] / 8000
    noise = np.random.default_rng(1).uniform(-0.1, 0.1, (frames, channels))
    return (0.4 * np.sin(2 * np.pi * 440 * time) + noise).astype(np.float32)


def _encoded(fmt: str, subtype: str, frames: int = 3000) -> bytes:
    import soundfile

    channels = 1 if subtype in _ONE_CHANNEL or fmt in ("WVE", "XI", "SVX") else 2
    out = io.BytesIO()
    with soundfile.SoundFile(out, "w", 8000, channels, subtype, format=fmt) as file:
        file.write(_samples(frames, channels))
    return _with_serial(out.getvalue()) if fmt == "OGG" else out.getvalue()


def _with_serial(ogg: bytes) -> bytes:
    """Give an Ogg stream a fixed number instead of a random one."""
    data = bytearray(ogg.replace(ogg[14:18], b"\x01\x02\x03\x04"))
    _mend_ogg(data)
    return bytes(data)


def seeds() -> dict[str, bytes]:
    """Return one short recording for each kind, and some with tags or without a length."""
    import soundfile

    made = {}
    for fmt, subtype in KINDS:
        try:
            made[f"{fmt} {subtype}"] = _encoded(fmt, subtype)
        except soundfile.LibsndfileError:  # this build cannot write it
            continue
    mp3 = made["MP3 MPEG_LAYER_III"]
    made["MP3 behind ID3"] = _ID3 + mp3
    made["MP3 without a length"] = mp3[mp3.index(b"\xff", 4) :] if b"\xff" in mp3[4:] else mp3
    made["FLAC behind ID3"] = _ID3 + made["FLAC PCM_16"]
    return made


def _flip(rng: np.random.Generator, data: bytearray, whole: list[bytes]) -> None:
    for at in rng.integers(0, len(data), rng.integers(1, 20)):
        data[at] ^= 1 << rng.integers(8)


def _overwrite(rng: np.random.Generator, data: bytearray, whole: list[bytes]) -> None:
    """Put extreme numbers into the header, of any width and order."""
    for _ in range(rng.integers(1, 4)):
        at = int(rng.integers(0, min(len(data), 200 if rng.random() < 0.8 else len(data))))
        width, order = int(rng.choice([1, 2, 4, 8])), str(rng.choice(["little", "big"]))
        number = _EXTREMES[int(rng.integers(len(_EXTREMES)))]
        data[at : at + width] = (number & (1 << 8 * width) - 1).to_bytes(width, order)


def _truncate(rng: np.random.Generator, data: bytearray, whole: list[bytes]) -> None:
    del data[int(rng.integers(0, len(data))) :]


def _splice(rng: np.random.Generator, data: bytearray, whole: list[bytes]) -> None:
    """Go on with another recording."""
    other = whole[int(rng.integers(len(whole)))]
    data[int(rng.integers(0, len(data))) :] = other[int(rng.integers(0, len(other))) :]


def _duplicate(rng: np.random.Generator, data: bytearray, whole: list[bytes]) -> None:
    start = int(rng.integers(0, len(data)))
    piece = data[start : start + int(rng.integers(1, 2000))]
    at = int(rng.integers(0, len(data)))
    data[at:at] = piece * int(rng.integers(1, 5))


def _erase(rng: np.random.Generator, data: bytearray, whole: list[bytes]) -> None:
    start, count = int(rng.integers(0, len(data))), int(rng.integers(1, 500))
    data[start : start + count] = (b"\0" if rng.random() < 0.7 else b"\xff") * len(data[start : start + count])


def _append(rng: np.random.Generator, data: bytearray, whole: list[bytes]) -> None:
    data += rng.bytes(int(rng.integers(1, 3000)))


def _drop(rng: np.random.Generator, data: bytearray, whole: list[bytes]) -> None:
    start = int(rng.integers(0, len(data)))
    del data[start : start + int(rng.integers(1, 200))]


_MUTATIONS: tuple[Callable[[np.random.Generator, bytearray, list[bytes]], None], ...] = (
    _flip, _overwrite, _overwrite, _truncate, _splice, _duplicate, _erase, _append, _drop,
)  # fmt: skip


def mutated(number: int, recordings: dict[str, bytes]) -> tuple[str, bytes]:
    """Return the damaged recording that a number names, and in words how it came about.

    Args:
        number (int): any.
        recordings (dict[str, bytes]): what ``seeds`` returned.
    """
    rng = np.random.default_rng(number)
    names = list(recordings)
    name = names[int(rng.integers(len(names)))]
    data, done = bytearray(recordings[name]), []
    for _ in range(rng.integers(1, 4)):
        if not data:
            break
        mutation = _MUTATIONS[int(rng.integers(len(_MUTATIONS)))]
        mutation(rng, data, list(recordings.values()))
        done.append(mutation.__name__[1:])
    if rng.random() < 0.8:  # else decoders would pass over nearly every damaged page or frame
        _mend_ogg(data)
        _mend_flac(data)
    return f"{name}: {', '.join(done)}", bytes(data)


def _table(polynomial: int, bits: int) -> list[int]:
    """The checksum of each byte, most significant bit first."""
    found = []
    for byte in range(256):
        value = byte << bits - 8
        for _ in range(8):
            value = (value << 1) ^ (polynomial if value >> bits - 1 else 0)
            value &= (1 << bits) - 1
        found.append(value)
    return found


_CRC32, _CRC16, _CRC8 = _table(0x04C11DB7, 32), _table(0x8005, 16), _table(0x07, 8)


def _checksum(data: bytes | bytearray, table: list[int], bits: int) -> int:
    value, top, mask = 0, bits - 8, (1 << bits) - 1
    for byte in data:
        value = (value << 8) & mask ^ table[(value >> top) ^ byte]
    return value


def _mend_ogg(data: bytearray) -> None:
    """Give each page the checksum that it should have."""
    at = data.find(b"OggS")
    while 0 <= at <= len(data) - 28:
        stop = at + 27 + data[at + 26]
        stop += sum(data[at + 27 : stop])
        if stop <= len(data):
            data[at + 22 : at + 26] = bytes(4)
            data[at + 22 : at + 26] = _checksum(data[at:stop], _CRC32, 32).to_bytes(4, "little")
        at = data.find(b"OggS", at + 4)


def _mend_flac(data: bytearray) -> None:
    """Give each frame the checksums that it should have, as far as its start can be found."""
    start = data.find(b"fLaC")
    if start < 0:
        return
    found, at = [], data.find(b"\xff\xf8", start)
    while 0 <= at <= len(data) - 16:
        size = _flac_header(data, at)
        if size:
            found.append(at)
            data[at + size] = _checksum(data[at : at + size], _CRC8, 8)
        at = data.find(b"\xff\xf8", at + 2)
    for begin, end in pairwise([*found, len(data)]):
        if end - begin > 16:
            data[end - 2 : end] = _checksum(data[begin : end - 2], _CRC16, 16).to_bytes(2, "big")


def _flac_header(data: bytearray, at: int) -> int:
    """Bytes of a frame's header before its checksum, for frame numbers below 128 as in the seeds; 0 for none."""
    if data[at + 4] > 127 or data[at + 3] & 1:
        return 0
    block, rate = data[at + 2] >> 4, data[at + 2] & 15
    return 5 + {6: 1, 7: 2}.get(block, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)
