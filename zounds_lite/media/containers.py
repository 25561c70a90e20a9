"""What a container's header promises, read before anything is allocated or decoded.

Goal: libsndfile clamps a cut recording to what is left and so hides the cut; here the sizes in the headers are compared
with the size of the source. Headers of streams whose length was unknown when they were written (sizes of zero or all
ones) are fine. Conventions: offsets and sizes in bytes. Functions: ``inspect`` (the one to call), one walker per
container.

Sources:
    RIFF/WAVE (Multimedia Programming Interface 1.0, 1991); EBU Tech 3306 (RF64); Sony Wave64; AIFF-C draft (Apple,
    1991); CAF specification (Apple); RFC 3533 section 6 (Ogg pages); RFC 9639 section 8.2 (FLAC STREAMINFO);
    Vorbis I section 4.2.2; RFC 7845 section 5.1 (Opus).
"""

import struct
from collections.abc import Callable
from dataclasses import replace

from zounds_lite.errors import DecodeError, TruncatedAudio, UnsupportedCodec
from zounds_lite.media.claims import MAX_RATE, Layout, check_claims, cut, unpack
from zounds_lite.media.mp3 import count_frames, find_mpeg, parse_frame, read_xing, skip_id3, xing_frame
from zounds_lite.media.rare import RARE
from zounds_lite.media.source import Pieces, Source

__all__ = ["inspect"]

_MAX_CHUNKS = 4096
_MAX_PAGES = 1 << 20
_PAGE = 65307  # largest Ogg page: 27 + 255 + 255 * 255
_FRAMED = (1, 3, 6, 7, 0xFFFE)  # WAVE format tags whose blocks are single frames


def inspect(source: Source, container: str) -> Layout:
    """Check the claims of the header of ``source`` against its size.

    Args:
        source (Source): the bytes.
        container (str): what ``sniff`` called it.

    Raises:
        RejectedAudio: the header claims channels or a rate that no honest file has.
        TruncatedAudio: the source ends within its header; where it ends within the samples, ``Layout.damage`` says so.
        UnsupportedCodec: the container holds a codec that libsndfile does not decode.
        DecodeError: the header is damaged.
    """
    walk = _WALKERS.get(container)
    layout = Layout() if walk is None else walk(source)
    check_claims(source.name, layout.channels, layout.rate)
    return layout


def _no_data(source: Source, kind: str, promised: int) -> DecodeError:
    if promised > source.size:
        return cut(source, promised, source.size)
    return DecodeError(f"{source.name} is a {kind} file without samples: no data chunk in its {source.size} bytes")


def _wav(source: Source) -> Layout:
    order = ">" if source.at(0, 4) == b"RIFX" else "<"
    (total,) = unpack(source, 4, order + "I")
    offset, wide, fmt = 12, None, None
    for _ in range(_MAX_CHUNKS):
        if offset + 8 > source.size:
            break
        name, size = source.at(offset, 4), unpack(source, offset + 4, order + "I")[0]
        if name == b"ds64":
            wide = unpack(source, offset + 8, "<QQ")[1]
        elif name == b"fmt ":
            fmt = unpack(source, offset + 8, order + "HHIIHH")
            check_claims(source.name, fmt[1], fmt[2])
        elif name == b"data":
            size = wide if wide is not None and size == 0xFFFFFFFF else size
            return _wav_data(source, fmt, offset, size, total)
        offset += 8 + size + (size & 1)
    raise _no_data(source, "WAV", offset if total in (0, 0xFFFFFFFF) else total + 8)


def _wav_data(source: Source, fmt: tuple | None, offset: int, size: int, total: int) -> Layout:
    if fmt is None:
        raise DecodeError(f"{source.name} is a damaged WAV file: its samples come before their description (fmt)")
    tag, channels, rate, _, block, _ = fmt
    start, left = offset + 8, source.size - offset - 8
    if size == 0 and left > 0 and total in (0, 0xFFFFFFFF, start - 8):
        # written as a stream: what follows the header is the recording
        return Layout(channels, rate, [(0, offset + 4), b"\xff\xff\xff\xff", (start, source.size)])
    unknown = size >= 0xFFFFF000 and size <= 0xFFFFFFFF or 0x7FFFF000 <= size <= 0x7FFFFFFF
    if size <= left or unknown:
        return Layout(channels, rate)
    # a block that is not whole would be decoded to noise
    pieces: Pieces = [(0, start + left // block * block if block else source.size)]
    if tag in _FRAMED and block:
        return Layout(channels, rate, pieces, cut(source, size // block, left // block, "frames"))
    return Layout(channels, rate, pieces, cut(source, size, left, "bytes of samples"))


def _w64(source: Source) -> Layout:
    (total,) = unpack(source, 16, "<Q")
    offset, layout, block = 40, Layout(), 0
    for _ in range(_MAX_CHUNKS):
        if offset + 24 > source.size:
            break
        name, size = source.at(offset, 4), unpack(source, offset + 16, "<Q")[0]
        if size < 24:
            break
        if name == b"fmt ":
            _, channels, rate, _, block = unpack(source, offset + 24, "<HHIIH")
            layout = Layout(channels, rate)
        elif name == b"data":
            start, left = offset + 24, source.size - offset - 24
            if size - 24 <= left:
                return layout
            pieces: Pieces = [(0, start + left // block * block if block else source.size)]
            return replace(layout, pieces=pieces, damage=cut(source, size - 24, left, "bytes of samples"))
        offset += (size + 7) // 8 * 8
    raise _no_data(source, "W64", total)


def _aiff(source: Source) -> Layout:
    (total,) = unpack(source, 4, ">I")
    offset, layout = 12, Layout()
    for _ in range(_MAX_CHUNKS):
        if offset + 8 > source.size:
            break
        name, size = source.at(offset, 4), unpack(source, offset + 4, ">I")[0]
        if name == b"COMM":
            channels, _, _, exponent, mantissa = unpack(source, offset + 8, ">HIHHQ")
            shift = 16383 + 63 - (exponent & 0x7FFF)
            layout = Layout(channels, mantissa >> shift if 0 <= shift < 64 else MAX_RATE + 1 if shift < 0 else 0)
            check_claims(source.name, layout.channels, layout.rate)
        elif name == b"SSND":
            left = source.size - offset - 8
            if size > left and size != 0xFFFFFFFF and layout.channels is not None:
                return replace(layout, damage=cut(source, size - 8, left - 8, "bytes of samples"))
            if size in (0, 0xFFFFFFFF):
                return layout  # a stream: libsndfile reads to the end
        offset += 8 + size + (size & 1)
    if layout.channels is None:
        raise _no_data(source, "AIFF", total + 8)
    return layout


def _caf(source: Source) -> Layout:
    offset, layout, seen = 8, Layout(), False
    for _ in range(_MAX_CHUNKS):
        if offset + 12 > source.size:
            break
        name, size = source.at(offset, 4), unpack(source, offset + 4, ">q")[0]
        if name == b"desc":
            rate, codec, _, _, _, channels, _ = unpack(source, offset + 12, ">d4sIIIII")
            if codec not in (b"lpcm", b"alac", b"ulaw", b"alaw"):
                raise UnsupportedCodec(
                    f"{source.name} is a CAF file with the codec {codec!r}; allowed there: lpcm, alac, ulaw, alaw. "
                    "Convert it first, for example: ffmpeg -i INPUT -c:a flac OUTPUT.flac"
                )
            layout = Layout(channels, int(rate) if 0 <= rate <= MAX_RATE else MAX_RATE + 1)
        left = source.size - offset - 12
        # what libsndfile has to see where the size is unknown, or wrong
        pieces: Pieces = [(0, offset + 4), struct.pack(">q", left), (offset + 12, source.size)]
        if name == b"data" and size == -1:
            return replace(layout, pieces=pieces)
        if size < 0 or size > left:
            damage = cut(source, max(size, 0), left, f"bytes in its {name.decode('latin-1')!r} chunk")
            if name == b"data" and size > 0 and layout.channels is not None:
                return replace(layout, pieces=pieces, damage=damage)
            raise damage
        seen = seen or name == b"data"
        offset += 12 + size
    if not seen:
        raise _no_data(source, "CAF", offset + 12)
    return layout


def _au(source: Source) -> Layout:
    order = ">" if source.at(0, 4) == b".snd" else "<"
    start, size, _, rate, channels = unpack(source, 4, order + "5I")
    damage = None
    if size != 0xFFFFFFFF and start + size > source.size:
        damage = cut(source, size, source.size - start, "bytes of samples")
    return Layout(channels, rate, damage=damage)


def _flac(source: Source) -> Layout:
    base = skip_id3(source)
    (packed,) = unpack(source, base + 18, ">Q")
    layout = Layout((packed >> 41 & 7) + 1, packed >> 44)
    offset = base + 4
    for _ in range(_MAX_CHUNKS):
        (head,) = unpack(source, offset, ">I")
        offset += 4 + (head & 0xFFFFFF)
        if offset > source.size:
            raise cut(source, offset, source.size, "bytes of metadata")
        if head >> 31:
            break
    # libsndfile finds FLAC behind an ID3 tag in plain files only
    return Layout(layout.channels, layout.rate, [(base, source.size)] if base else None)


def _ogg(source: Source) -> Layout:
    head = source.at(0, 27 + 255 + 64)
    if len(head) < 28:
        raise cut(source, 58, source.size, "bytes in its first page")
    packet = head[27 + head[26] :]
    if len(packet) < 16:
        raise cut(source, 27 + head[26] + 16, source.size, "bytes in its first page")
    layout = Layout()
    if packet[:7] == b"\x01vorbis":
        layout = Layout(packet[11], int.from_bytes(packet[12:16], "little"))
    elif packet[:8] == b"OpusHead":
        layout = Layout(packet[9])
        gap = _find_gap(source)
        if gap is not None:
            # behind one, libsndfile 1.2.2 may hand out memory that it never wrote
            lost = TruncatedAudio(f"{source.name} lacks Ogg pages from byte {gap} on; copy or download it again")
            return replace(layout, pieces=[(0, gap)], damage=lost)
    elif packet[:5] != b"\x7fFLAC":
        raise UnsupportedCodec(
            f"{source.name} is an Ogg file with the codec {packet[:8]!r}; allowed there: Vorbis, Opus, FLAC. "
            "Convert it first, for example: ffmpeg -i INPUT -c:a flac OUTPUT.flac"
        )
    return replace(layout, damage=_check_last_page(source))


def _find_gap(source: Source) -> int | None:
    """Return the offset of the first page of the stream that does not follow the one before; None where all do."""
    at, serial, wanted = 0, b"", 0
    for _ in range(_MAX_PAGES):
        head = source.at(at, 282)
        if len(head) < 27 or head[:4] != b"OggS":
            break  # the end, or foreign data
        number = int.from_bytes(head[18:22], "little")
        if not serial:
            serial, wanted = head[14:18], number
        if head[14:18] == serial:
            if number != wanted:
                return at
            wanted = (number + 1) % 2**32
        at += 27 + head[26] + sum(head[27 : 27 + head[26]])
    return None


def _check_last_page(source: Source) -> TruncatedAudio | None:
    start = max(0, source.size - 2 * _PAGE)
    tail = source.at(start, 2 * _PAGE)
    at = tail.rfind(b"OggS")
    if at < 0:
        return None  # much foreign data at the end: the decoder will tell
    page = tail[at:]
    table = page[27 : 27 + page[26]] if len(page) >= 27 else b""
    whole = len(page) >= 27 and len(page) >= 27 + page[26] + sum(table)
    if whole and page[5] & 4:
        return None
    found = "has no end-of-stream mark" if whole else f"is cut at byte {source.size}"
    return TruncatedAudio(f"{source.name} is cut short: its last Ogg page {found}; copy or download it again")


def _mp3(source: Source) -> Layout:
    first = find_mpeg(source)
    frame = None if first is None else parse_frame(source.at(first, 4))
    if first is None or frame is None:
        raise DecodeError(f"{source.name} looked like MPEG audio, but no frames were found")
    xing = read_xing(source, first)
    damage = None
    if xing is not None and xing.size is not None and xing.size > source.size - first:
        damage = cut(source, xing.size, source.size - first)
    if xing is not None and xing.frames and source.at(first + 4 + 32, 4) != b"VBRI":
        # libsndfile passes over tags, but not over junk
        pieces: Pieces | None = None if first == skip_id3(source) else [(first, source.size)]
        return Layout(frame.channels, frame.rate, pieces, damage)
    # no usable count: libsndfile would guess the length from the first frame, which loses the end of many recordings
    if xing is not None:
        first += frame.size
    header = source.at(first, 4)
    count, stop = count_frames(source, first)
    if parse_frame(header) is None or count == 0:
        raise DecodeError(f"{source.name} holds no complete MPEG frame; copy or download it again")
    made = [xing_frame(header, count, stop - first)] if frame.layer == 3 else []
    return Layout(frame.channels, frame.rate, [*made, (first, stop)], damage or _half_frame(source, stop))


def _half_frame(source: Source, stop: int) -> TruncatedAudio | None:
    """Tell whether the source ends within a frame: the only sign of a cut where no header says how long it is."""
    frame = parse_frame(source.at(stop, 4))
    if frame is None or stop + frame.size <= source.size:
        return None
    return cut(source, frame.size, source.size - stop, "bytes in its last frame")


_WALKERS: dict[str, Callable[[Source], Layout]] = {
    "WAV": _wav,
    "RF64": _wav,
    "W64": _w64,
    "AIFF": _aiff,
    "CAF": _caf,
    "AU": _au,
    "FLAC": _flac,
    "OGG": _ogg,
    "MP3": _mp3,
    **RARE,
}
