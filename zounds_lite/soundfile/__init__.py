"""Encoded audio in processing graphs: metadata, decoding, resampling, and Ogg copies that decode by the slice.

Goal: everything between bytes and ``AudioSamples``. Files: ``metadata``, ``chunksize`` and ``ogg`` (values),
``functional``, ``nodes``, ``features``.
"""

from zounds_lite.soundfile.chunksize import ChunkSizeBytes
from zounds_lite.soundfile.features import OggVorbisDecoder, OggVorbisEncoder, OggVorbisFeature
from zounds_lite.soundfile.functional import resample
from zounds_lite.soundfile.metadata import AudioMetaData
from zounds_lite.soundfile.nodes import AudioMetaDataEncoder, AudioStream, MetaData, OggVorbis, Resampler
from zounds_lite.soundfile.ogg import OggVorbisWrapper

__all__ = [
    "AudioMetaData",
    "AudioMetaDataEncoder",
    "AudioStream",
    "ChunkSizeBytes",
    "MetaData",
    "OggVorbis",
    "OggVorbisDecoder",
    "OggVorbisEncoder",
    "OggVorbisFeature",
    "OggVorbisWrapper",
    "Resampler",
    "resample",
]
