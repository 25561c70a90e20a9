"""Nodes between bytes and samples.

Goal: thin adapters of ``media`` and ``dsp`` to streams. Conventions: samples are ``AudioSamples`` in blocks of up to
65,536 frames; the results do not depend on how the input was cut into chunks.

- ``metadata``: what a document is made from
- ``reading``: bytes of recordings, decoded or encoded anew
- ``rows``: encoded audio that can be read from anywhere
- ``resampling``: audio at another rate
"""

from zounds_lite.soundfile.nodes.metadata import AudioMetaDataEncoder, MetaData
from zounds_lite.soundfile.nodes.reading import AudioStream, OggVorbis
from zounds_lite.soundfile.nodes.resampling import Resampler

__all__ = ["AudioMetaDataEncoder", "AudioStream", "MetaData", "OggVorbis", "Resampler"]
