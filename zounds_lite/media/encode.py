"""Plain arrays to encoded audio, block by block.

Goal: write any length in bounded memory, and keep from the encoders what makes them crash: long blocks (Vorbis), NaN
and huge samples (MP3 aborts the whole process), rates and channel counts that they do not know. Conventions: arrays
are (frames,) or (frames, channels); floats have full scale at 1, int16 and int32 at their ends. Names: ``Encoder``,
``encode``, ``encode_stream``.

Sources:
    Measured with libsndfile 1.2.2: one long write of Vorbis overflows the stack; LAME aborts on NaN, on infinity and on
    constant samples of 4e4; Opus turns 1e4 into silence; Vorbis above 200 kHz ends the process.
"""

import contextlib
import io
import os
import secrets
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from zounds_lite.errors import DeclarationError, EncodeError, UnsupportedCodec
from zounds_lite.media.decode import BLOCK
from zounds_lite.media.formats import FLOATS, LOSSY, choose, formats

__all__ = ["MAX_SAMPLE", "Encoder", "encode", "encode_stream"]

MAX_SAMPLE = 1000.0
"""Largest absolute sample that encoders other than FLOAT and DOUBLE are given: 60 dB above full scale."""


class _Sink:
    """The file that libsndfile writes to; keeps errors, which a C callback would lose."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.error: Exception | None = None

    def write(self, data: bytes) -> int:
        try:
            self.file.write(data)
        except Exception as error:  # noqa: BLE001  (raised again by the encoder, outside the callback)
            self.error = error
            return 0
        return len(data)

    def read(self, count: int = -1) -> bytes:
        return self.file.read(count)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self.file.seek(offset, whence)

    def tell(self) -> int:
        return self.file.tell()


class Encoder:
    """Writes samples to a file, block by block; a context manager.

    Args:
        out (file object): a seekable binary file, empty and at its start.
        samplerate (int): sample rate, hertz.
        channels (int): channels, 1 to 64, fewer in some formats.
        fmt (str): container; ``formats()`` lists them.
        subtype (str | None): encoding; None, or one that the container does not hold, gives its default.
        quality (float | None): 0 (small) to 1 (best), for VORBIS, OPUS and MP3; None is the encoder's own choice.

    Raises:
        UnsupportedCodec: an unknown format or subtype, or a rate or channel count that it cannot hold.
        DeclarationError: ``quality`` is out of range, or the encoding has none.

    Examples:
        >>> out = io.BytesIO()
        >>> with Encoder(out, 8000, 1, "FLAC") as encoder:
        ...     encoder.write(np.zeros(100)); encoder.write(np.zeros(50))
        >>> encoder.frames, out.getvalue()[:4]
        (150, b'fLaC')
    """

    def __init__(
        self,
        out: Any,
        samplerate: int,
        channels: int,
        fmt: str = "WAV",
        subtype: str | None = None,
        quality: float | None = None,
    ) -> None:
        import soundfile

        self.format, self.subtype = choose(fmt, subtype, samplerate, channels)
        self.channels, self.frames = channels, 0
        self._sink = _Sink(out)
        options: dict[str, Any] = {}
        if quality is not None:
            if self.subtype not in LOSSY or not 0 <= quality <= 1:
                raise DeclarationError(
                    f"quality={quality!r} for {self.subtype}; allowed: 0 to 1, for {', '.join(LOSSY)}"
                )
            # libsndfile 1.2.2 refuses 1.0 for MP3
            options["compression_level"] = min(1.0 - float(quality), 0.999 if self.format == "MP3" else 1.0)
        try:
            self._handle: Any = soundfile.SoundFile(
                self._sink, "w", samplerate, channels, self.subtype, format=self.format, **options
            )
        except soundfile.LibsndfileError as error:
            raise UnsupportedCodec(
                f"libsndfile refuses {self.format} {self.subtype} with {channels} channels at {samplerate} Hz: "
                f"{error.error_string.strip()}; allowed formats: {', '.join(formats())}"
            ) from error

    def write(self, samples: Any) -> None:
        """Encode more samples.

        Args:
            samples (array): (frames,) for one channel, or (frames, channels); floats, int16 or int32.

        Raises:
            EncodeError: another shape or dtype, or samples that the encoder cannot take (NaN, infinity, above 1000).
            OSError: the file below could not be written.
        """
        data = np.asarray(samples)
        if data.ndim == 1:
            data = data[:, None]
        if data.ndim != 2 or data.shape[1] != self.channels:
            raise EncodeError(
                f"cannot write an array of shape {np.shape(samples)}; allowed: (frames, {self.channels})"
                + (" or (frames,)" if self.channels == 1 else "")
            )
        for start in range(0, len(data), BLOCK):
            self._write_block(data[start : start + BLOCK])

    def _write_block(self, block: np.ndarray) -> None:
        import soundfile

        prepared = np.ascontiguousarray(self._prepare(block))
        try:
            self._handle.write(prepared)
        except (soundfile.LibsndfileError, AssertionError) as error:
            # soundfile asserts that all frames were written
            if self._sink.error is not None:
                raise self._sink.error from error
            raise EncodeError(f"the {self.subtype} encoder failed behind frame {self.frames}: {error}") from error
        if self._sink.error is not None:
            raise self._sink.error
        self.frames += len(block)

    def _prepare(self, block: np.ndarray) -> np.ndarray:
        """Bring a block to a dtype and range that the encoder can take."""
        if block.dtype in (np.int16, np.int32):
            if self.subtype.startswith("PCM_"):
                return block
            block = block * np.float32(2.0 ** -(8 * block.dtype.itemsize - 1))
        if block.dtype.kind != "f":
            raise EncodeError(f"cannot encode samples of type {block.dtype}; allowed: floats, int16, int32")
        if block.dtype not in (np.float32, np.float64):
            block = block.astype(np.float32 if block.dtype.itemsize < 4 else np.float64)
        if self.subtype in FLOATS or not block.size:
            return block
        peak = max(float(block.max()), -float(block.min()))
        if not peak <= MAX_SAMPLE:
            self._refuse(block)
        # the integer encoders wrap around, or read outside of their tables
        return block if peak <= 1 or self.subtype in LOSSY else np.clip(block, -1, 1)

    def _refuse(self, block: np.ndarray) -> None:
        bad = ~(np.abs(block) <= MAX_SAMPLE)
        frame, channel = np.argwhere(bad)[0]
        raise EncodeError(
            f"{self.format} {self.subtype} cannot hold the sample {block[frame, channel]!s} (frame "
            f"{self.frames + int(frame)}, channel {int(channel)}; {int(bad.sum())} such in this block); allowed: "
            f"finite values up to {MAX_SAMPLE:g}, full scale is 1. Repair or scale the samples, or write subtype FLOAT"
        )

    def close(self) -> None:
        """Write what the encoder still holds, and the final header.

        Raises:
            EncodeError: there were no samples, and the format has no way to say so.
            OSError: the file below could not be written.
        """
        if self._handle.closed:
            return
        self._handle.close()
        if self._sink.error is not None:
            raise self._sink.error
        if not self.frames and (self.format in ("FLAC", "MP3") or self.subtype == "OPUS"):
            raise EncodeError(
                f"{self.format} {self.subtype} cannot hold a recording of 0 frames; allowed: at least 1. "
                "WAV, AIFF, CAF and AU can"
            )

    def abort(self) -> None:
        """Release the encoder after an error, whatever the file says."""
        with contextlib.suppress(Exception):
            self._handle.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.abort()


def _as_blocks(samples: Any) -> Iterable[Any]:
    return (samples,) if hasattr(samples, "__array__") or isinstance(samples, list) else samples


def encode(
    samples: Any,
    samplerate: int,
    channels: int,
    out: str | Path | BinaryIO,
    fmt: str = "WAV",
    subtype: str | None = None,
    quality: float | None = None,
) -> int:
    """Encode samples to a file: all of it, or nothing.

    A path is replaced only when the recording is complete. A file object is written from its position on and left
    behind the last byte; after an error it is as it was, where it can seek.

    Args:
        samples (array | Iterable[array]): (frames,) or (frames, channels), at once or in blocks.
        samplerate (int): sample rate, hertz.
        channels (int): channels, 1 to 64, fewer in some formats.
        out (str | Path | file object): where to write.
        fmt (str): container; ``formats()`` lists them.
        subtype (str | None): encoding; None, or one that the container does not hold, gives its default.
        quality (float | None): 0 (small) to 1 (best), for VORBIS, OPUS and MP3.

    Returns:
        int: frames written.

    Raises:
        UnsupportedCodec: an unknown format or subtype, or a rate or channel count that it cannot hold.
        EncodeError: samples that the encoder cannot take: NaN, infinity or above 1000 in any format but FLOAT.

    Examples:
        >>> out = io.BytesIO()
        >>> encode(np.zeros(110250, np.float32), 11025, 1, out, "WAV")
        110250
        >>> out.getvalue()[:11]
        b'RIFFx]\\x03\\x00WAV'
    """
    arguments = (samplerate, channels, fmt, subtype, quality)
    if isinstance(out, (str, Path)):
        return _encode_path(samples, Path(out), arguments)
    if isinstance(out, io.BytesIO) and not out.getbuffer().nbytes:
        return _encode_file(samples, out, arguments)
    with tempfile.TemporaryFile() as spool:
        frames = _encode_file(samples, spool, arguments)
        spool.seek(0)
        while data := spool.read(1 << 20):
            out.write(data)
    return frames


def _encode_file(samples: Any, file: Any, arguments: tuple) -> int:
    try:
        with Encoder(file, *arguments) as encoder:
            for block in _as_blocks(samples):
                encoder.write(block)
    except BaseException:
        file.seek(0)
        file.truncate(0)
        raise
    file.seek(0, os.SEEK_END)
    return encoder.frames


def _encode_path(samples: Any, path: Path, arguments: tuple) -> int:
    # in the same folder, so that the rename is atomic
    part = path.with_name(f".{path.name[:50]}.{secrets.token_hex(6)}.part")
    try:
        with open(part, "x+b") as file:
            frames = _encode_file(samples, file, arguments)
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return frames


class _Tap(io.RawIOBase):
    """Collects what an encoder writes that never goes back."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._position = 0

    def write(self, data: Any) -> int:
        self._parts.append(bytes(data))
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._position

    def tell(self) -> int:
        return self._position

    def drain(self) -> bytes:
        """Return what came since the last call."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def encode_stream(
    blocks: Iterable[Any],
    samplerate: int,
    channels: int,
    subtype: str = "VORBIS",
    quality: float | None = None,
) -> Iterator[bytes]:
    """Encode to Ogg and yield the bytes while they are made, in bounded memory.

    Ogg is the one container that is written without going back to the header.

    Args:
        blocks (Iterable[array]): (frames,) or (frames, channels).
        samplerate (int): sample rate, hertz.
        channels (int): channels, 1 to 64.
        subtype (str): ``"VORBIS"`` or ``"OPUS"``.
        quality (float | None): 0 (small) to 1 (best).

    Raises:
        UnsupportedCodec: another subtype, or a rate that it cannot hold.
        EncodeError: samples that the encoder cannot take.

    Examples:
        >>> data = b"".join(encode_stream([np.zeros(800, np.float32)], 8000, 1))
        >>> data[:4]
        b'OggS'
    """
    tap = _Tap()
    with Encoder(tap, samplerate, channels, "OGG", subtype, quality) as encoder:
        for block in blocks:
            encoder.write(block)
            if data := tap.drain():
                yield data
    if data := tap.drain():
        yield data
