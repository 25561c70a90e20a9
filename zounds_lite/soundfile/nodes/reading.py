"""Bytes of recordings, decoded or encoded anew, in streams. Nodes: ``AudioStream``, ``OggVorbis``."""

import os
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite._span import Span
from zounds_lite.errors import DeclarationError, EmptyAudio, GraphError, MediaError, TruncatedAudio
from zounds_lite.featureflow import ByteStream, Node
from zounds_lite.media import AudioReader, DecodeLimits, check, encode_stream
from zounds_lite.media.probe import check_damaged
from zounds_lite.soundfile.nodes.rows import AudioRows, lent_reader, open_rows
from zounds_lite.soundfile.segments import read_segment
from zounds_lite.timeseries import AudioSamples, audio_sample_rate

__all__ = ["AudioStream", "OggVorbis"]

_SPOOL = 16 * 1024 * 1024
"""Bytes of a stream without a source that are kept in memory; more go to a temporary file."""
_PIECE = 1024 * 1024


class _BytesNode(Node):
    """A node that needs all of an encoded recording before it can say anything.

    It opens the source that a chunk names, or collects the bytes and starts when they have ended. Where a chunk says
    that a segment of the recording is meant (``Chunk.span``), only that is read.
    """

    reads_source = True
    neutral_parameters = ("limits",)
    _is_read = False
    _url: str | None = None
    _spool: Any = None
    _span: Span | None = None

    def __init__(self, needs: Any, damaged: str, limits: Any) -> None:
        super().__init__(needs=needs)
        check_damaged(damaged)
        if limits is not None and limits != "network" and not isinstance(limits, DecodeLimits):
            raise DeclarationError(
                f"limits={limits!r}; allowed: None (decode in this process), a DecodeLimits (in a process of its own), "
                "'network' (in one of its own what came from a URL)"
            )
        self.damaged = damaged
        self.limits = limits

    @property
    def takes_parts(self) -> bool:  # type: ignore[override]
        """Whether a source on another machine may be decoded here: a process of its own would need all of it first."""
        return self.limits is None

    def _limits(self) -> DecodeLimits | None:
        """The limits for the source at hand."""
        if self.limits != "network":
            return self.limits
        return DecodeLimits() if self._url is not None else None

    def _reader(self, source: Any, dtype: str, damaged: str, limits: Any, mono: bool) -> Any:
        """Open a decoder; that of a file of which a segment is read stays open, as more of its segments may follow."""
        is_local = isinstance(source, str) and self._url is None
        # what is kept of damage is noted with each reading, and a process of its own lasts for one
        stays_open = self._span is not None and is_local and damaged == "raise" and limits is None
        return (lent_reader if stays_open else AudioReader)(source, dtype, damaged, limits, mono)

    def _blocks(self, reader: AudioReader, source: Any) -> Iterator[np.ndarray]:
        """Yield what can be decoded, and note on the document what is damaged."""
        is_empty = True
        for block in read_segment(reader, self._span, source, self.damaged == "keep"):
            is_empty = False
            yield block
        for kind, message in reader.marks:
            if is_empty:
                raise TruncatedAudio(f"{message}; nothing of it is left to keep")
            self.mark(kind, self._named(source, message))

    def _named(self, source: Any, message: str) -> str:
        """Return a message that names where a recording came from, and not the temporary file that it is read from."""
        return message if self._url is None else message.replace(str(source), self._url)

    def _opened(self, source: Any) -> Iterator[Any]:
        try:
            yield from self._open(source)
        except MediaError as error:
            if self._url is not None:
                error.args = (self._named(source, str(error)),)
            raise

    def _open(self, source: Any) -> Iterator[Any]:
        """Yield the results of a source: a path, or a seekable file."""
        raise NotImplementedError

    def _process(self, data: Any) -> Iterator[Any]:
        source = getattr(data, "source", None)
        self._url = getattr(data, "url", None)
        if self._is_read:
            return
        self._span = getattr(data, "span", None)
        if source is not None:
            self._is_read = True
            yield from self._opened(source)
            return
        if self._spool is None:
            self._spool = tempfile.SpooledTemporaryFile(_SPOOL)  # noqa: SIM115  (closed in __exit__)
        self._spool.write(data)

    def _last_chunk(self) -> Iterator[Any]:
        if self._is_read:
            return
        if self._spool is None:
            raise EmptyAudio(f"{type(self).__name__} received no bytes; allowed: the bytes of one recording")
        if self._span is None and _has_lost_segment(self):
            raise GraphError(
                f"a segment of a recording was asked for, and the bytes that reach {type(self).__name__} do not say "
                "which; let the nodes between it and ByteStream yield chunks with the span of those that they are "
                "given: Chunk(data, total_length, span=chunk.span)"
            )
        self._is_read = True
        yield from self._open(self._spool)

    def __exit__(self, *error: object) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None


def _has_lost_segment(node: Node) -> bool:
    """Tell whether a node above reads a segment, which nobody on the way has cut out."""
    return any(
        (isinstance(need, ByteStream) and need.span is not None) or (not need.reads_source and _has_lost_segment(need))
        for need in node.dependencies
    )


class AudioStream(_BytesNode):
    """Decodes a stream of bytes to ``AudioSamples``, in float32 blocks.

    Args:
        sum_to_mono (bool): yield the mean of the channels, (samples,).
        needs: a feature of bytes, usually of a ``ByteStream``.
        dtype (str): ``"float32"`` or ``"float64"``.
        damaged (str): ``"raise"`` an error where the recording is damaged, or ``"keep"`` what could be decoded: up to
            the cut, and 0 for samples that are no finite numbers. What is kept is marked on the document.
        limits (DecodeLimits | str | None): None decodes in this process; a ``DecodeLimits`` decodes every recording in
            a process of its own; ``"network"`` does so, with ``DecodeLimits()``, where the bytes came from a URL. It
            never changes what is decoded.

    Shape:
        bytes -> [time], or [time, channels] for several channels without ``sum_to_mono``

    Raises:
        DecodeError: the bytes are no recording that can be decoded.

    Examples:
        >>> from zounds_lite.timeseries import SR8000
        >>> wav = AudioSamples(np.ones((4000, 2)) / 4, SR8000()).encode().read()
        >>> [block.shape for block in AudioStream().run([wav[:100], wav[100:]])]
        [(4000,)]
    """

    runs_ahead = True

    def __init__(
        self,
        sum_to_mono: bool = True,
        needs: Any = None,
        dtype: str = "float32",
        damaged: str = "raise",
        limits: DecodeLimits | str | None = None,
    ) -> None:
        super().__init__(needs, damaged, limits)
        self.sum_to_mono = sum_to_mono
        self.dtype = dtype
        if dtype not in ("float32", "float64"):
            raise DeclarationError(f"dtype={dtype!r}; allowed: 'float32', 'float64'")

    def open_rows(self, chunk: Any) -> AudioRows | None:
        if self.damaged == "keep":
            return None  # how many samples there are is known when all have been decoded
        self._url = getattr(chunk, "url", None)
        return open_rows(chunk, self.dtype, self.damaged, self._limits(), self.sum_to_mono)

    def _open(self, source: Any) -> Iterator[Any]:
        with self._reader(source, self.dtype, self.damaged, self._limits(), self.sum_to_mono) as reader:
            rate = audio_sample_rate(reader.info.samplerate)
            is_flat = self.sum_to_mono or reader.info.channels == 1
            for block in self._blocks(reader, source):
                yield AudioSamples(block.reshape(-1) if is_flat else block, rate)


class OggVorbis(_BytesNode):
    """Encodes a stream of bytes of any audio format as Ogg Vorbis, at its own rate and with all its channels.

    Bytes that are Ogg already pass as they are, but for a segment of a recording, which is always encoded anew.

    Args:
        quality (float | None): 0 (small) to 1 (best); None is the encoder's choice, 0.4.
        needs: a feature of bytes, usually of a ``ByteStream``.
        damaged (str): as for ``AudioStream``; with ``"keep"``, Ogg bytes are decoded once to see that they are whole,
            and encoded anew where they are not, so that the copy can always be read.
        limits (DecodeLimits | str | None): as for ``AudioStream``; Ogg bytes are decoded once within the limits before
            they pass as they are.

    Raises:
        DecodeError: the bytes are no recording that can be decoded.
        UnsupportedCodec: Vorbis cannot hold a rate above 200 kHz.

    Examples:
        >>> from zounds_lite.timeseries import SR8000
        >>> wav = AudioSamples(np.zeros(4000), SR8000()).encode().read()
        >>> b"".join(OggVorbis().run([wav]))[:4]
        b'OggS'
    """

    def __init__(
        self,
        quality: float | None = None,
        needs: Any = None,
        damaged: str = "raise",
        limits: DecodeLimits | str | None = None,
    ) -> None:
        super().__init__(needs, damaged, limits)
        self.quality = quality
        if quality is not None and not 0 <= quality <= 1:
            raise DeclarationError(f"quality={quality!r}; allowed: 0 (small) to 1 (best), or None")

    def _open(self, source: Any) -> Iterator[bytes]:
        limits = self._limits()
        with self._reader(source, "float32", self.damaged, limits, False) as reader:
            info = reader.info
            if self._span is not None or info.format != "OGG" or self._is_to_be_made_anew(source, limits):
                yield from encode_stream(
                    self._blocks(reader, source), info.samplerate, info.channels, quality=self.quality
                )
                return
        if isinstance(source, (str, os.PathLike)):
            with open(source, "rb") as file:
                yield from _pieces(file)
        else:
            yield from _pieces(source)

    def _is_to_be_made_anew(self, source: Any, limits: DecodeLimits | None) -> bool:
        """Tell whether Ogg bytes are no copy to keep; making a new one says why, or mends them."""
        if self.damaged == "keep":
            return not check(source, limits).is_ok
        # the copy is read in this process later, so what breaks limits must not become one
        return limits is not None and check(source, limits).kind == "rejected"


def _pieces(file: Any) -> Iterator[bytes]:
    at = 0
    while True:
        file.seek(at)  # another node may have moved the shared position
        piece = file.read(_PIECE)
        if not piece:
            return
        at += len(piece)
        yield piece
