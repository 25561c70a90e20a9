"""How encoded audio is stored and read back.

Classes: ``OggVorbisFeature``, ``OggVorbisEncoder``, ``OggVorbisDecoder``.
"""

from collections.abc import Iterator
from typing import Any

from zounds_lite.featureflow import Chunk, Decoder, Feature, IdentityEncoder, StoredValue
from zounds_lite.soundfile.ogg import OggVorbisWrapper

__all__ = ["OggVorbisDecoder", "OggVorbisEncoder", "OggVorbisFeature"]

_PIECE = 1024 * 1024


class OggVorbisEncoder(IdentityEncoder):
    """Ogg bytes as they are.

    Examples:
        >>> OggVorbisEncoder.content_type
        'audio/ogg'
    """

    content_type = "audio/ogg"


class OggVorbisDecoder(Decoder):
    """Reads stored Ogg bytes as an ``OggVorbisWrapper``, which decodes slices."""

    def decode(self, value: StoredValue) -> OggVorbisWrapper:
        """Open the recording; nothing is decoded yet."""
        return OggVorbisWrapper(value.open())

    def chunks(self, value: StoredValue) -> Iterator[Any]:
        """Yield the stored bytes, as the node that made them did."""
        total, source = len(value.data), value.open()
        for start in range(0, total, _PIECE):
            yield Chunk(bytes(value.verified(start, start + _PIECE)), total, source)

    def __call__(self, flo: Any) -> OggVorbisWrapper:
        """Open the recording in a binary file."""
        return OggVorbisWrapper(flo)


class OggVorbisFeature(Feature):
    """A feature whose chunks are Ogg bytes; reads back as an ``OggVorbisWrapper``.

    Args:
        extractor (type[Node]): usually ``OggVorbis``.
        others: as for ``Feature``.

    Examples:
        >>> from zounds_lite.soundfile import OggVorbis
        >>> OggVorbisFeature(OggVorbis, store=True).encoder.content_type
        'audio/ogg'
    """

    encoder = OggVorbisEncoder
    decoder = OggVorbisDecoder()
    objects = False  # the value reads alike, stored or not
