"""The frames of MPEG audio: where they start, what they promise, how many there are.

Goal: libsndfile finds an MP3 only where it starts with a frame or an ID3 tag, and guesses the length of one without a
Xing header from its first frame. Here the frames are found by their headers and counted, so that such files decode in
full as well. Conventions: offsets are bytes. Functions: ``skip_id3``, ``find_mpeg``, ``looks_like_adts``,
``parse_frame``, ``preroll``, ``read_xing``, ``count_frames``, ``xing_frame``.

Sources:
    ISO/IEC 11172-3 and 13818-3, clauses 2.4.2.3 (header, bit rates, sampling rates) and 2.4.2.7 (``main_data_begin``);
    ID3v2.4.0 structure, section 3.1; the Xing/Info header as written by LAME (flags, frames, bytes).
"""

import struct
from dataclasses import dataclass
from functools import lru_cache

from zounds_lite.media.source import Source

__all__ = [
    "Frame",
    "Xing",
    "count_frames",
    "find_mpeg",
    "looks_like_adts",
    "parse_frame",
    "preroll",
    "read_xing",
    "skip_id3",
    "xing_frame",
]

_KBPS = {
    (1, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES = (44100, 48000, 32000)
_RESERVOIR = {1: 511, 2: 255}
"""Bytes of the frames before it that a frame of layer III can use, at most, by version."""
_HEADER = 4 + 2
"""Bytes of a header and its checksum."""
_JUNK = 65536
"""Bytes of junk in front of the first frame that are searched."""
_TAGS = 64
"""Tags in front of a recording that are passed over."""
_CHAIN = 3
"""Frames in a row that make a stream; fewer only where the file ends."""
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame header: version (1, 2, or 2.5 as 2 with a quarter rate), layer, rate in hertz, channels, bytes."""

    version: int
    layer: int
    rate: int
    channels: int
    size: int

    @property
    def samples(self) -> int:
        """Samples per channel in a frame."""
        if self.layer == 1:
            return 384
        return 576 if self.layer == 3 and self.version == 2 else 1152

    @property
    def side_info(self) -> int:
        """Bytes between the header and where a Xing header stands (layer III)."""
        if self.version == 1:
            return 17 if self.channels == 1 else 32
        return 9 if self.channels == 1 else 17


@dataclass(frozen=True, slots=True)
class Xing:
    """What a Xing or Info header promises; None where it says nothing."""

    frames: int | None
    size: int | None


@lru_cache(maxsize=4096)
def parse_frame(header: bytes) -> Frame | None:
    """Read the four bytes of a frame header; None where they are none.

    Examples:
        >>> parse_frame(bytes.fromhex("fffb9064"))
        Frame(version=1, layer=3, rate=44100, channels=2, size=417)
    """
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    version_bits, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate, rate_bits = header[2] >> 4, header[2] >> 2 & 3
    if version_bits == 1 or layer == 4 or bitrate in (0, 15) or rate_bits == 3:
        return None
    version = 1 if version_bits == 3 else 2
    rate = _RATES[rate_bits] // {3: 1, 2: 2, 0: 4}[version_bits]
    bits = _KBPS[version, layer][bitrate - 1] * 1000
    padding = header[2] >> 1 & 1
    if layer == 1:
        size = (12 * bits // rate + padding) * 4
    else:
        size = (72 if layer == 3 and version == 2 else 144) * bits // rate + padding
    return Frame(version, layer, rate, 1 if header[3] >> 6 == 3 else 2, size)


def preroll(rate: int, channels: int) -> int:
    """Return the samples to decode and drop behind a seek, so that what follows is as in an uninterrupted reading.

    A frame uses bytes of those before it: at the slowest bit rate, the most frames. Two more count, whose samples are
    added to its own and filtered with them. mpg123 decodes four by itself before the place that it is told to seek;
    three of them are relied upon.

    Examples:
        >>> preroll(44100, 2), preroll(22050, 2)
        (8064, 48384)
    """
    version = 1 if rate >= min(_RATES) else 2
    samples = Frame(version, 3, rate, channels, 0).samples
    slowest = Frame(version, 3, rate, channels, samples // 8 * 1000 * _KBPS[version, 3][0] // rate)
    own = max(1, slowest.size - _HEADER - slowest.side_info)  # a container may name a rate that MPEG does not have
    return (-(-_RESERVOIR[version] // own) + 2 - 3) * samples


def skip_id3(source: Source) -> int:
    """Return the offset behind the ID3v2 tags at the start of ``source``."""
    offset = 0
    for _ in range(_TAGS):
        head = source.at(offset, 10)
        if len(head) < 10 or head[:3] != b"ID3" or any(byte > 127 for byte in head[6:]):
            break
        size = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        offset += 10 + size + (10 if head[5] & 0x10 else 0)
    return offset


def find_mpeg(source: Source) -> int | None:
    """Return the offset of the first frame of an MPEG audio stream, or None where there is none.

    Tags, zeros and up to 64 KiB of junk are passed over; a stream is three matching frames in a row.
    """
    base = skip_id3(source)
    data = source.at(base, _JUNK + 16384)
    at = data.find(b"\xff")
    while 0 <= at < _JUNK:
        if _chained(data, at, base + len(data) >= source.size):
            return base + at
        at = data.find(b"\xff", at + 1)
    return None


def _chained(data: bytes, at: int, is_end: bool) -> bool:
    first = parse_frame(data[at : at + 4])
    if first is None:
        return False
    position, seen = at, 0
    while seen < _CHAIN:
        frame = parse_frame(data[position : position + 4])
        if frame is None:
            # a short stream may end, or go over into its closing tag, before the third frame
            rest = data[position:]
            return seen > 0 and is_end and (not rest.strip(b"\0") or rest[:3] in (b"TAG", b"APE"))
        if (frame.version, frame.layer, frame.rate) != (first.version, first.layer, first.rate):
            return False
        position, seen = position + frame.size, seen + 1
        if position >= len(data):
            return is_end and (seen > 1 or position == len(data) or at == 0)
    return True


def looks_like_adts(source: Source) -> bool:
    """Tell whether the source is raw AAC: two ADTS headers, one frame length apart."""
    offset = skip_id3(source)
    head = source.at(offset, 6)
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return False
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    following = source.at(offset + size, 2)
    return size > 7 and (len(following) < 2 or (following[0] == 0xFF and following[1] & 0xF6 == 0xF0))


def read_xing(source: Source, first: int) -> Xing | None:
    """Read the Xing, Info or VBRI header in the frame at offset ``first``; None where there is none."""
    frame = parse_frame(source.at(first, 4))
    if frame is None or frame.layer != 3:
        return None
    data = source.at(first + 4, frame.side_info + 48)
    if data[32:36] == b"VBRI":
        size, frames = struct.unpack(">II", data[42:50])
        return Xing(frames, size)
    tag = data[frame.side_info :]
    if tag[:4] not in (b"Xing", b"Info"):
        return None
    flags = int.from_bytes(tag[4:8])
    fields = [int.from_bytes(tag[at : at + 4]) for at in (8, 12)]
    frames = fields.pop(0) if flags & 1 else None
    return Xing(frames, fields.pop(0) if flags & 2 else None)


def count_frames(source: Source, first: int) -> tuple[int, int]:
    """Count the complete frames from offset ``first`` on; returns the count and the offset behind the last one."""
    count = at = 0
    base, data = first, source.at(first, _BLOCK)
    while True:
        if at + 4 > len(data) and base + len(data) < source.size:
            base, at = base + at, 0
            data = source.at(base, _BLOCK)
        frame = parse_frame(data[at : at + 4])
        if frame is None:
            found = _resync(source, base + at)
            if found is None:
                return count, base + at
            base, at = found, 0
            data = source.at(base, _BLOCK)
        elif base + at + frame.size > source.size:
            return count, base + at
        else:
            count, at = count + 1, at + frame.size


def _resync(source: Source, at: int) -> int | None:
    """Find the next frame behind up to 64 KiB of damaged bytes, as a decoder does; returns its offset."""
    data = source.at(at, _JUNK + 16384)
    following = data.find(b"\xff", 1)
    while 0 <= following < _JUNK:
        frame = parse_frame(data[following : following + 4])
        if frame is not None and parse_frame(data[following + frame.size : following + frame.size + 4]) is not None:
            return at + following
        following = data.find(b"\xff", following + 1)
    return None


def xing_frame(header: bytes, count: int, size: int) -> bytes:
    """Build a silent frame with a Xing header for a stream that has none.

    Args:
        header (bytes): the header of the stream's first frame, 4 bytes.
        count (int): frames in the stream.
        size (int): bytes in the stream, without the new frame.
    """
    made = bytearray(header[:4])
    made[1] |= 1  # no checksum
    made[2] = 9 << 4 | made[2] & 0x0C
    frame = parse_frame(bytes(made))
    if frame is None:
        return b""
    made += bytes(frame.size - 4)
    at = 4 + frame.side_info
    made[at : at + 16] = b"Xing" + struct.pack(">III", 3, count, size + frame.size)
    return bytes(made)
