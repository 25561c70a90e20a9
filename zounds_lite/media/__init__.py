"""Bytes to plain arrays and back: probing, streaming decode, block-wise encode.

Goal: everything that touches libsndfile. Nothing here knows units or graphs. Conventions: a source is a path, bytes or
a seekable binary file object; arrays are (frames, channels). Functions and classes: ``probe``, ``AudioReader``,
``check``, ``Outcome``, ``DecodeLimits``, ``Mark``, ``mix_to_mono``, ``encode``, ``encode_stream``, ``Encoder``,
``formats``.
"""

from zounds_lite.media.decode import BLOCK, AudioReader, Mark, mix_to_mono
from zounds_lite.media.encode import MAX_SAMPLE, Encoder, encode, encode_stream
from zounds_lite.media.formats import formats
from zounds_lite.media.guard import DecodeLimits
from zounds_lite.media.outcome import Outcome, check
from zounds_lite.media.probe import AudioInfo, probe

__all__ = [
    "BLOCK",
    "MAX_SAMPLE",
    "AudioInfo",
    "AudioReader",
    "DecodeLimits",
    "Encoder",
    "Mark",
    "Outcome",
    "check",
    "encode",
    "encode_stream",
    "formats",
    "mix_to_mono",
    "probe",
]
