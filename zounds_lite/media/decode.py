"""Encoded audio to plain arrays, block by block.

Goal: decode recordings of any length in bounded memory, at the speed of the decoder. Conventions: arrays are (frames,
channels), float32 in -1..1 unless another dtype is asked for; frames are counted from the start of the recording.
What a damaged recording gives is a choice: an error, or what could be decoded and a ``Mark``.
Names: ``AudioReader``, ``Mark``, ``BLOCK``, ``mix_to_mono``.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

import numpy as np

from zounds_lite.errors import DeclarationError, DecodeError, NonFiniteAudio, TruncatedAudio
from zounds_lite.media import mp3
from zounds_lite.media._handle import BLOCK
from zounds_lite.media.guard import DecodeLimits
from zounds_lite.media.ogg import OggPages
from zounds_lite.media.probe import AudioInfo, check_damaged, open_audio, reopen
from zounds_lite.media.source import Source

__all__ = ["BLOCK", "AudioReader", "Mark", "mix_to_mono"]

_DTYPES = ("float32", "float64", "int16")
_MPEG = ("MPEG_LAYER_I", "MPEG_LAYER_II", "MPEG_LAYER_III")
_FLOATS = ("FLOAT", "DOUBLE", "VORBIS", "OPUS", *_MPEG)
"""Encodings that can give NaN or infinity: damaged Opus does."""
_OPUS_PREROLL = 8192
_AT_ONCE = 2**19
"""Frames of the pieces that an array is joined from, of one or two channels."""
_INT16_SCALE = 2.0**-15
_HALF = np.float32(_INT16_SCALE / 2)
_ADVICE = "; copy or download the recording again, or read it with damaged='keep'"


class Mark(NamedTuple):
    """What is wrong with a recording that was read all the same: ``kind`` is ``"truncated"`` or ``"non-finite"``."""

    kind: str
    message: str


class AudioReader:
    """Reads a recording as arrays; a context manager that is safe to share between threads.

    A slice equals the same stretch of the whole reading, bit for bit; in MP3 within 2e-7, where the decoder's rounding
    depends on how many frames came before.

    Args:
        source (str | Path | bytes | file object): a path, the bytes, or a seekable binary file object. The position of
            a file object is put back on ``close``; leave it alone until then.
        dtype (str): ``"float32"``, ``"float64"`` (both -1..1) or ``"int16"`` (full scale is 32768).
        damaged (str): ``"raise"`` an error at damage, or ``"keep"`` what could be decoded: a recording that is cut
            short ends at the cut, and samples that are no finite numbers become 0. ``marks`` says what was met.
        limits (DecodeLimits | None): decode in a process of its own, with these limits; None decodes in this one.
            Such a process only goes forward: to read backwards it starts again.
        mono (bool): give the mean of the channels, (frames,), as ``mix_to_mono`` does.

    Attributes:
        info (AudioInfo): what the header says; what is cut short may hold fewer frames.
        marks (list[Mark]): the damage that was met so far, one mark for each kind.

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

    def __init__(
        self,
        source: str | Path | bytes | BinaryIO,
        dtype: Any = "float32",
        damaged: str = "raise",
        limits: DecodeLimits | None = None,
        mono: bool = False,
    ) -> None:
        check_damaged(damaged)
        self._mono = mono
        self.info: AudioInfo
        self.marks: list[Mark] = []
        self._keeps, self._limits = damaged == "keep", limits
        self.dtype = np.dtype(dtype)
        if self.dtype.name not in _DTYPES:
            raise DeclarationError(f"cannot decode to {self.dtype.name}; allowed: {', '.join(_DTYPES)}")
        self._lock = threading.Lock()
        self._pages: OggPages | None = None
        self._position, self._has_jumped = 0, False
        self._source = Source(source)
        try:
            self._open()
        except BaseException:
            self._source.close()
            raise
        self._scratch: np.ndarray | None = None
        self._wide: np.ndarray | None = None

    def _open(self) -> None:
        opened = open_audio(self._source, self._keeps, self._limits)
        self._handle, self.info, self._view = opened.handle, opened.info, opened.view
        if opened.damage is not None:
            self._mark("truncated", str(opened.damage))

    def _mark(self, kind: str, message: str) -> None:
        if all(mark.kind != kind for mark in self.marks):
            self.marks.append(Mark(kind, message.partition("; copy or download")[0]))

    def read(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Decode the frames from ``start`` up to ``stop``, which is cut to the length of the recording.

        Args:
            start (int): first frame, >= 0.
            stop (int | None): frame behind the last one; None for the end.

        Shape:
            -> (frames, channels), or (frames,) with ``mono``

        Raises:
            TruncatedAudio: there are fewer frames than the header promises, unless what is damaged is kept.
            NonFiniteAudio: a sample is NaN or infinite, unless what is damaged is kept.
        """
        parts = list(self.blocks(start, stop, max(BLOCK, min(_AT_ONCE, 2 * _AT_ONCE // max(1, self.info.channels)))))
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else self._nothing()

    def _nothing(self) -> np.ndarray:
        return np.empty((0,) if self._mono else (0, self.info.channels), self.dtype)

    def blocks(
        self, start: int = 0, stop: int | None = None, block: int = BLOCK, most: int | None = None
    ) -> Iterator[np.ndarray]:
        """Decode the same frames as ``read`` in arrays of ``block`` frames, the last one shorter.

        Args:
            start (int): first frame, >= 0.
            stop (int | None): frame behind the last one; None for the end.
            block (int): frames of an array, >= 1.
            most (int | None): arrays grow to so many frames: up to a sixteenth of all that came before.

        Raises:
            TruncatedAudio: there are fewer frames than the header promises, unless what is damaged is kept.
            NonFiniteAudio: a sample is NaN or infinite, unless what is damaged is kept.
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
                self._meet(self._cut(position + len(data), None))
            if len(data):
                yield data
            if len(data) < count:
                return
            position += count
            block = max(block, min((position - start) // 16, most or 0))

    def _meet(self, damage: DecodeError) -> None:
        """Raise an error of the recording, or mark it where damage is kept."""
        if not self._keeps:
            raise damage
        self._mark("truncated", str(damage))

    def _read_at(self, start: int, count: int) -> np.ndarray:
        import soundfile

        with self._lock:
            try:
                self._seek(start)
                if self._position < start:  # it ends before
                    return self._nothing()
                data = self._mixed(self._decode_from(start, count), start)
            except soundfile.LibsndfileError as error:
                self._position = -1
                raise self._failure(start, error) from error
            except DecodeError:
                self._position = -1
                raise
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
            self._jump(max(0, start - self._preroll()))
        elif not 0 <= self._position < start:
            self._restart(0)
        self._skip(start)
        if self._position < start and self._has_jumped:
            self._begin_again(start)

    def _preroll(self) -> int:
        """Count the frames to decode and drop behind a seek: then the decoder's memory is as it would have been."""
        info = self.info
        if info.subtype in _MPEG:
            return mp3.preroll(info.samplerate, info.channels)
        return _OPUS_PREROLL if info.subtype == "OPUS" else 0

    def _begin_again(self, start: int) -> None:
        """Go to ``start`` without a seek: libsndfile may land elsewhere, as in Opus whose first page counts wrongly."""
        self._restart(0)
        self._skip(start)

    def _jump(self, place: int) -> None:
        import soundfile

        try:
            self._handle.seek(place)
            self._position, self._has_jumped = place, True
        except soundfile.LibsndfileError:  # libsndfile believes that it can seek in DWVW
            self._restart(0)

    def _restart(self, start: int) -> None:
        """Open the recording again, from its beginning or, in Vorbis, from a page before ``start``."""
        pieces = None
        if start > BLOCK and self.info.frames is not None:
            if self._pages is None:
                self._pages = OggPages(self._source, self.info.frames)
            pieces = self._pages.pieces(start)
        self._handle.close()
        self._position, self._has_jumped = -1, False  # in case that opening fails
        if pieces is not None:
            self._handle, self._view = reopen(self._source, pieces, self._limits)
            place = (self.info.frames or 0) - self._handle.frames
            if 0 <= place <= start:
                self._position = place
                return
            self._handle.close()
        self._open()
        self._position = 0

    def _skip(self, start: int) -> None:
        """Read up to ``start`` and drop it."""
        while self._position < start:
            skipped = len(self._decode(min(BLOCK, start - self._position)))
            if not skipped:
                return
            self._position += skipped

    def _raw(self, count: int) -> np.ndarray:
        """Return an array of the type that the decoder is to fill; the same memory again, where no caller sees it."""
        subtype, shape, dtype = self.info.subtype, (count, self.info.channels), self.dtype
        if subtype == "PCM_16" and dtype == np.float32:
            dtype = np.dtype(np.int16)  # the decoder's own conversion takes three times as long; both are exact
        elif dtype.kind == "i" and not subtype.startswith("PCM_"):
            dtype = np.dtype(np.float32)  # libsndfile does not scale floats to integers
        if dtype == self.dtype and not (self._mono and self.info.channels > 1):
            return np.empty(shape, dtype)
        if self._scratch is None or len(self._scratch) < count:
            self._scratch = np.empty(shape, dtype)
        return self._scratch[:count]

    def _decode_from(self, start: int, count: int) -> np.ndarray:
        raw = self._decode(count)
        is_short = self.info.frames is not None and len(raw) < min(count, self.info.frames - start)
        if not is_short or not self._has_jumped:
            return raw
        self._begin_again(start)
        return self._decode(count) if self._position == start else raw[:0]

    def _decode(self, count: int) -> np.ndarray:
        """Read the next frames as the decoder gives them; fewer at the end."""
        out = self._raw(count)
        if not self._keeps:
            return self._handle.read(count, out=out)
        done, error = self._handle.salvage(out)
        if error is not None:
            self._mark("truncated", str(self._failure(max(self._position, 0) + done, error)))
        return out[:done]

    def _mixed(self, raw: np.ndarray, start: int) -> np.ndarray:
        """Convert what the decoder gave, and mix it where that is asked for; the usual stereo in one pass."""
        if not self._mono:
            return self._convert(raw, start)
        if raw.shape[1] == 2 and raw.dtype == np.int16 and self.dtype == np.float32:
            # exact: a sum of two samples has 17 bits
            if self._wide is None or len(self._wide) < len(raw):
                self._wide = np.empty(raw.shape, np.float32)
            wide = self._wide[: len(raw)]
            np.copyto(wide, raw)
            mixed: np.ndarray = wide[:, 0] + wide[:, 1]
            mixed *= _HALF
            return mixed
        return mix_to_mono(self._convert(raw, start))

    def _convert(self, raw: np.ndarray, start: int) -> np.ndarray:
        """Bring what the decoder gave to the type that was asked for."""
        if raw.dtype == np.int16 and self.dtype == np.float32:
            return np.multiply(raw, np.float32(_INT16_SCALE), dtype=np.float32)
        if self.info.subtype in _FLOATS:
            raw = self._finite(raw, start)
        if raw.dtype == self.dtype:
            return raw
        scaled = np.rint(raw / np.float32(_INT16_SCALE))
        return np.clip(scaled, -32768, 32767).astype(np.int16)

    def _finite(self, data: np.ndarray, start: int) -> np.ndarray:
        # the sum is not finite if a sample is not; large finite samples can also overflow it
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(data.sum()):
                return data
        bad = ~np.isfinite(data)
        if not bad.any():
            return data
        first = start + int(np.argmax(bad.any(axis=1)))
        text = (
            f"{self._source.name} holds NaN or infinite samples, the first at frame {first} "
            f"({first / self.info.samplerate:.3f} s)"
        )
        if not self._keeps:
            raise NonFiniteAudio(
                f"{text}; repair it first, for example with numpy.nan_to_num, or read it with damaged='keep'"
            )
        self._mark("non-finite", f"{text}; they were set to 0")
        data[bad] = 0
        return data

    def _failure(self, start: int, error: Any) -> DecodeError:
        if self._view is not None and self._view.error is not None:
            return DecodeError(f"{self._source.name} could not be read: {self._view.error}")
        if self.info.frames is not None and start < self.info.frames:
            return self._cut(start, error.error_string.strip())
        kind = TruncatedAudio if start else DecodeError
        return kind(
            f"{self._source.name} cannot be decoded from frame {start} on: {error.error_string.strip()}{_ADVICE}"
        )

    def _cut(self, got: int, why: str | None) -> TruncatedAudio:
        detail = f" ({why})" if why else ""
        return TruncatedAudio(
            f"{self._source.name} is cut short or damaged: its header promises {self.info.frames} frames, "
            f"about {got} could be decoded{detail}{_ADVICE}"
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
