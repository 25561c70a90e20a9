"""Encoded audio to plain arrays, block by block.

Goal: decode recordings of any length in bounded memory, at the speed of the decoder. Conventions: arrays are (frames,
channels), float32 in -1..1 unless another dtype is asked for; frames are counted from the start of the recording.
Names: ``AudioReader``, ``BLOCK``, ``mix_to_mono``.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from zounds_lite.errors import DeclarationError, DecodeError, NonFiniteAudio, TruncatedAudio
from zounds_lite.media.ogg import OggPages
from zounds_lite.media.probe import AudioInfo, open_audio, reopen
from zounds_lite.media.source import Source

__all__ = ["BLOCK", "AudioReader", "mix_to_mono"]

BLOCK = 65536
"""Frames decoded at a time: 4 Ki blocks cost an MP3 twice as much."""

_DTYPES = ("float32", "float64", "int16")
_FLOATS = ("FLOAT", "DOUBLE")
_PREROLL = {"OPUS": 8192, **dict.fromkeys(("MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III"), 16384)}
"""Frames decoded and dropped behind a seek, so that the decoder's memory is as it would have been."""
_INT16_SCALE = 2.0**-15


class AudioReader:
    """Reads a recording as arrays; a context manager that is safe to share between threads.

    A slice equals the same stretch of the whole reading, bit for bit; in MP3 within 2e-7, where the decoder's rounding
    depends on how many frames came before.

    Args:
        source (str | Path | bytes | file object): a path, the bytes, or a seekable binary file object. The position of
            a file object is put back on ``close``; leave it alone until then.
        dtype (str): ``"float32"``, ``"float64"`` (both -1..1) or ``"int16"`` (full scale is 32768).

    Raises:
        DecodeError: the source is no recording that can be decoded; ``probe`` lists the kinds.
        DeclarationError: an unknown ``dtype``.
        FileNotFoundError: the path does not exist.

    Examples:
        >>> import io
        >>> from zounds_lite.media.encode import encode
        >>> out = io.BytesIO()
        >>> encode(np.full((100, 2), 0.5, np.float32), 8000, 2, out, "WAV")
        100
        >>> with AudioReader(out) as reader:
        ...     [block.shape for block in reader.blocks(block=64)], reader.read(10, 12).tolist()
        ([(64, 2), (36, 2)], [[0.5, 0.5], [0.5, 0.5]])
    """

    def __init__(self, source: str | Path | bytes | BinaryIO, dtype: Any = "float32") -> None:
        self.info: AudioInfo
        self.dtype = np.dtype(dtype)
        if self.dtype.name not in _DTYPES:
            raise DeclarationError(f"cannot decode to {self.dtype.name}; allowed: {', '.join(_DTYPES)}")
        self._lock = threading.Lock()
        self._pages: OggPages | None = None
        self._position = 0
        self._source = Source(source)
        try:
            self._handle, self.info, self._view = open_audio(self._source)
        except BaseException:
            self._source.close()
            raise
        self._scratch: np.ndarray | None = None

    def read(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Decode the frames from ``start`` up to ``stop``, which is cut to the length of the recording.

        Args:
            start (int): first frame, >= 0.
            stop (int | None): frame behind the last one; None for the end.

        Shape:
            -> (frames, channels)

        Raises:
            TruncatedAudio: there are fewer frames than the header promises.
            NonFiniteAudio: a recording of floats holds NaN or infinity.
        """
        parts = list(self.blocks(start, stop))
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, self.info.channels), self.dtype)

    def blocks(self, start: int = 0, stop: int | None = None, block: int = BLOCK) -> Iterator[np.ndarray]:
        """Decode the same frames as ``read`` in arrays of ``block`` frames, the last one shorter.

        Raises:
            TruncatedAudio: there are fewer frames than the header promises.
            NonFiniteAudio: a recording of floats holds NaN or infinity.
        """
        if start < 0 or block < 1:
            raise DeclarationError(
                f"cannot read from frame {start} in blocks of {block}; allowed: from 0, blocks of 1 up"
            )
        frames = self.info.frames
        stop = frames if stop is None else stop if frames is None else min(stop, frames)
        position = start
        while stop is None or position < stop:
            count = block if stop is None else min(block, stop - position)
            data = self._read_at(position, count)
            if len(data) < count and frames is not None:
                raise self._cut(position + len(data), None)
            if len(data):
                yield data
            if len(data) < count:
                return
            position += count

    def _read_at(self, start: int, count: int) -> np.ndarray:
        import soundfile

        with self._lock:
            try:
                self._seek(start)
                if self._position < start:  # it ends before
                    return np.empty((0, self.info.channels), self.dtype)
                data = self._decode(count)
            except soundfile.LibsndfileError as error:
                self._position = -1
                raise self._failure(start, error) from error
            self._position += len(data)
            if self._view is not None and self._view.error is not None:
                raise self._view.error
        return data

    def _seek(self, start: int) -> None:
        """Move to ``start``, so that what follows equals an uninterrupted reading."""
        if start == self._position:
            return
        if 0 <= self._position < start <= self._position + BLOCK:
            self._skip(start)
            return
        if self.info.subtype == "VORBIS" and self.info.frames is not None:
            self._restart(start)
        elif self._handle.can_seek and self.info.frames is not None:
            place = max(0, start - _PREROLL.get(self.info.subtype, 0))
            self._handle.seek(place)
            self._position = place
        elif not 0 <= self._position < start:
            self._restart(0)
        self._skip(start)

    def _restart(self, start: int) -> None:
        """Open the recording again, from its beginning or, in Vorbis, from a page before ``start``."""
        pieces = None
        if start > BLOCK and self.info.frames is not None:
            if self._pages is None:
                self._pages = OggPages(self._source, self.info.frames)
            pieces = self._pages.pieces(start)
        self._handle.close()
        self._position = -1  # in case that opening fails
        if pieces is not None:
            self._handle, self._view = reopen(self._source, pieces)
            place = (self.info.frames or 0) - self._handle.frames
            if 0 <= place <= start:
                self._position = place
                return
            self._handle.close()
        self._handle, _, self._view = open_audio(self._source)
        self._position = 0

    def _skip(self, start: int) -> None:
        """Read up to ``start`` and drop it."""
        while self._position < start:
            skipped = len(self._decode(min(BLOCK, start - self._position)))
            if not skipped:
                return
            self._position += skipped

    def _decode(self, count: int) -> np.ndarray:
        """Read the next frames; fewer at the end."""
        subtype, is_int = self.info.subtype, self.dtype.kind == "i"
        if subtype == "PCM_16" and self.dtype == np.float32:
            # the decoder's own conversion takes three times as long; both are exact
            if self._scratch is None or len(self._scratch) < count:
                self._scratch = np.empty((count, self.info.channels), np.int16)
            raw = self._handle.read(count, out=self._scratch[:count])
            return np.multiply(raw, np.float32(_INT16_SCALE), dtype=np.float32)
        if not is_int:
            data = self._handle.read(count, out=np.empty((count, self.info.channels), self.dtype))
            return self._check_finite(data) if subtype in _FLOATS else data
        if subtype.startswith("PCM_"):
            return self._handle.read(count, out=np.empty((count, self.info.channels), np.int16))
        # libsndfile does not scale floats to integers
        data = self._handle.read(count, out=np.empty((count, self.info.channels), np.float32))
        scaled = np.rint(self._check_finite(data) / np.float32(_INT16_SCALE))
        return np.clip(scaled, -32768, 32767).astype(np.int16)

    def _check_finite(self, data: np.ndarray) -> np.ndarray:
        # the sum is not finite if a sample is not; large finite samples can also overflow it
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(data.sum()):
                return data
        bad = ~np.isfinite(data).all(axis=1)
        if bad.any():
            first = max(self._position, 0) + int(np.argmax(bad))
            raise NonFiniteAudio(
                f"{self._source.name} holds NaN or infinite samples, the first at frame {first} "
                f"({first / self.info.samplerate:.3f} s); repair it first, for example with numpy.nan_to_num"
            )
        return data

    def _failure(self, start: int, error: Any) -> DecodeError:
        if self._view is not None and self._view.error is not None:
            return DecodeError(f"{self._source.name} could not be read: {self._view.error}")
        if self.info.frames is not None and start < self.info.frames:
            return self._cut(start, error.error_string.strip())
        return DecodeError(f"{self._source.name} cannot be decoded from frame {start} on: {error.error_string.strip()}")

    def _cut(self, got: int, why: str | None) -> TruncatedAudio:
        detail = f" ({why})" if why else ""
        return TruncatedAudio(
            f"{self._source.name} is cut short or damaged: its header promises {self.info.frames} frames, "
            f"about {got} could be decoded{detail}; copy or download the recording again"
        )

    def close(self) -> None:
        """Release the decoder, and put a file object back where it was."""
        with self._lock:
            self._handle.close()
            self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def mix_to_mono(block: np.ndarray) -> np.ndarray:
    """Return the mean over the channels, in the dtype of ``block``.

    Shape:
        (frames, channels), floats -> (frames,)

    Examples:
        >>> mix_to_mono(np.array([[1.0, 0.0], [0.5, 0.5]], np.float32))
        array([0.5, 0.5], dtype=float32)
    """
    if block.shape[1] == 1:
        return block[:, 0]
    total = block[:, 0] + block[:, 1]
    for channel in range(2, block.shape[1]):
        total += block[:, channel]
    total /= block.shape[1]
    return total
