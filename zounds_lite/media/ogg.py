"""Random access to Ogg Vorbis, exact to the sample.

Goal: libsndfile seeks in Vorbis to a place that can be hundreds of frames away from the one it was asked for (measured
with 1.2.2). Here the decoder is given a shorter file instead: the header pages, and the pages from a little before the
place on. It then decodes from the start of that file, which is exact, and the frames that it counts to the end tell
where the start lies. Conventions: offsets in bytes, places in frames. Class: ``OggPages``.

Sources:
    RFC 3533, section 6 (page header); Vorbis I, section 4.2.2 (identification header), 4.3.8 (frames of a block) and
    A.2 (granule positions count frames to the end of a page).
"""

import struct
from bisect import bisect_right

from zounds_lite.media.source import Pieces, Source

__all__ = ["OggPages"]

_HEADER_PACKETS = 3
_BLOCK_SIZES = 56
"""Where the first header packet, in a page of its own, has the lengths of short and long blocks, as powers of two."""


class OggPages:
    """Where the pages of a Vorbis recording start, in bytes and in frames.

    Args:
        source (Source): an Ogg file with one Vorbis stream.
        frames (int): its length.
    """

    def __init__(self, source: Source, frames: int) -> None:
        self._source = source
        self._offsets: list[int] = []
        self._ends: list[int] = []
        self._head = 0
        if self._scan():
            first = self._ends[-1] - frames  # recordings may start behind zero
            # a file of the last page alone would be placed wrongly: that page may be cut to the recording's length
            self._places = [end - first + self._lead for end in self._ends[:-2]]
        else:
            self._places = []

    @property
    def _lead(self) -> int:
        """Frames between the start of a page and the first place that it is used for.

        A block that began on the page before is lost and the next one primes the decoder; each stands for up to half
        of a long block.
        """
        return 1 << (self._source.at(_BLOCK_SIZES, 1)[0] >> 4)

    def _scan(self) -> bool:
        """Walk the pages; False where the file is no plain sequence of pages of one stream."""
        at, packets, serial, end = 0, 0, None, 0
        while at + 27 <= self._source.size:
            head = self._source.at(at, 282)
            if head[:4] != b"OggS" or (serial is not None and head[14:18] != serial):
                return False
            serial = head[14:18]
            table = head[27 : 27 + head[26]]
            (granule,) = struct.unpack("<q", head[6:14])
            if packets < _HEADER_PACKETS:
                packets += sum(size < 255 for size in table)
                self._head = at + 27 + len(table) + sum(table)
            else:
                end = granule if granule >= 0 else end
                self._offsets.append(at)
                self._ends.append(end)
            at += 27 + len(table) + sum(table)
        return len(self._offsets) > 1

    def pieces(self, place: int) -> Pieces | None:
        """Return the pieces of a shorter file that holds all from ``place`` on; None where it would be no shorter."""
        index = bisect_right(self._places, place)
        if index == 0:
            return None
        return [(0, self._head), (self._offsets[index], self._source.size)]
