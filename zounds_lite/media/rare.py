"""What the headers of rare formats promise: old samplers, workstations and speech corpora.

Goal: the same checks as in ``containers`` for what libsndfile reads besides. PAF, PVF, IRCAM and XI do not say how
long they are, so a cut hardly ever shows in them. Conventions: offsets and sizes in bytes. Name: ``RARE``, the walkers
by format.

Sources:
    EA IFF 85 and 8SVX (Electronic Arts, 1985); AVR (Audio Visual Research, for the Atari ST); Creative Voice File
    (Creative Labs); NIST SPHERE 2.6; the headers that libsndfile 1.2.2 writes for WVE, PAF, PVF and IRCAM.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from zounds_lite.errors import DecodeError, UnsupportedCodec
from zounds_lite.media.claims import MAX_RATE, Layout, check_claims, cut, unpack
from zounds_lite.media.source import Source

__all__ = ["RARE"]

_MAX_BLOCKS = 65536
_PAF_24 = 1  # its blocks are ten frames
_VOC_SOUND = (1, 2, 9)  # blocks that hold samples


def _within(source: Source, layout: Layout, start: int, size: int) -> Layout:
    """Add the damage where ``size`` bytes from ``start`` on are more than there are."""
    left = source.size - start
    return layout if size <= left else replace(layout, damage=cut(source, size, left, "bytes of samples"))


def _svx(source: Source) -> Layout:
    offset, layout = 12, Layout()
    for _ in range(_MAX_BLOCKS):
        if offset + 8 > source.size:
            break
        name, size = source.at(offset, 4), unpack(source, offset + 4, ">I")[0]
        if name == b"VHDR":
            layout = Layout(rate=unpack(source, offset + 20, ">H")[0])
        elif name == b"BODY":
            return _within(source, layout, offset + 8, size)
        offset += 8 + size + (size & 1)
    (total,) = unpack(source, 4, ">I")
    if total + 8 > source.size:
        raise cut(source, total + 8, source.size)
    raise DecodeError(f"{source.name} is an SVX file without samples: no BODY chunk in its {source.size} bytes")


def _avr(source: Source) -> Layout:
    is_stereo, bits, _, _, _, rate, frames = unpack(source, 12, ">HHHHHII")
    channels = 2 if is_stereo else 1
    return _within(source, Layout(channels, rate & 0xFFFFFF), 128, frames * channels * (bits // 8))


def _wve(source: Source) -> Layout:
    return _within(source, Layout(1, 8000), 32, unpack(source, 18, ">I")[0])


def _voc(source: Source) -> Layout:
    (offset,) = unpack(source, 20, "<H")
    for _ in range(_MAX_BLOCKS):
        head = source.at(offset, 4)
        if not head or head[0] == 0:
            return Layout()  # the end; some writers leave its mark out
        if len(head) < 4:
            raise cut(source, offset + 4, source.size)
        size = int.from_bytes(head[1:], "little")
        if offset + 4 + size > source.size:
            damage = cut(source, size, source.size - offset - 4, "bytes of samples")
            if head[0] in _VOC_SOUND:
                return Layout(damage=damage)
            raise damage
        offset += 4 + size
    return Layout()


def _nist(source: Source) -> Layout:
    head = source.at(0, 1024)
    found = dict(re.findall(rb"^(\w+) -i (\d{1,18})\s*$", head, re.MULTILINE))
    size = re.match(rb"NIST_1A\s+(\d{1,6})\s", head)
    if size is None or len(head) < min(int(size[1]), 1024):
        raise cut(source, 1024, source.size, "bytes of header")
    count, channels, width, rate = (
        int(found[name]) if name in found else None
        for name in (b"sample_count", b"channel_count", b"sample_n_bytes", b"sample_rate")
    )
    layout = Layout(channels, rate)
    check_claims(source.name, channels, rate)
    if count is None or channels is None or width is None:
        return layout
    return _within(source, layout, int(size[1]), count * channels * width)


def _paf(source: Source) -> Layout:
    order = ">" if source.at(0, 4) == b" paf" else "<"
    rate, encoding, channels = unpack(source, 12, order + "III")
    if encoding == _PAF_24:
        raise UnsupportedCodec(
            f"{source.name} is a PAF file of 24 bits, and libsndfile 1.2.2 loses the end of these when it reads them "
            "in blocks; allowed there: 8 and 16 bits. Convert it first, for example with sndfile-convert"
        )
    return Layout(channels, rate)


def _pvf(source: Source) -> Layout:
    claims = re.match(rb"PVF1\s+(\d{1,9}) (\d{1,9}) (\d{1,9})\s", source.at(0, 64))
    return Layout() if claims is None else Layout(int(claims[1]), int(claims[2]))


def _ircam(source: Source) -> Layout:
    order = "<" if source.at(2, 2) in (b"\x01\x00", b"\x03\x00") else ">"
    rate, channels = unpack(source, 4, order + "fI")
    return Layout(channels, int(rate) if 0 <= rate <= MAX_RATE else MAX_RATE + 1)


RARE: dict[str, Callable[[Source], Layout]] = {
    "SVX": _svx,
    "AVR": _avr,
    "WVE": _wve,
    "VOC": _voc,
    "NIST": _nist,
    "PAF": _paf,
    "PVF": _pvf,
    "IRCAM": _ircam,
}
"""The walkers, by what ``sniff`` calls the format."""
