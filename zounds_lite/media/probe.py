"""What a recording is: format, rate, channels and length, from its header.

Goal: answer without decoding, by content and not by file name, and refuse with a typed error what no decoder should be
let loose on. Conventions: rates in hertz, lengths in frames (one sample per channel). Names: ``AudioInfo``, ``probe``,
``open_audio``
and ``reopen`` (for ``decode``).
"""

import contextlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, BinaryIO

from zounds_lite.errors import DecodeError, EmptyAudio, RejectedAudio, UnsupportedCodec
from zounds_lite.media.containers import check_claims, inspect
from zounds_lite.media.sniff import allowed, sniff
from zounds_lite.media.source import Source, View

__all__ = ["AudioInfo", "open_audio", "probe", "reopen"]

_UNKNOWN = 1 << 62
"""libsndfile's frame count for streams of unknown length is larger than this."""
_MAX_FRAMES_PER_BYTE = 65536
"""No codec packs more frames into a byte, not even of silence."""
_UNRECOGNISED, _UNSUPPORTED = 1, 4  # libsndfile error codes


@dataclass(frozen=True, slots=True)
class AudioInfo:
    """What the header of a recording says.

    Args:
        format (str): container, by libsndfile's name: ``"WAV"``, ``"FLAC"``, ``"OGG"``, ``"MP3"``, ...
        subtype (str): encoding: ``"PCM_16"``, ``"FLOAT"``, ``"VORBIS"``, ``"OPUS"``, ``"MPEG_LAYER_III"``, ...
        samplerate (int): sample rate, hertz.
        channels (int): channels, 1 to 64.
        frames (int | None): length in frames; None for the few streams that do not say.

    Examples:
        >>> AudioInfo("WAV", "PCM_16", 8000, 1, 4000).duration_s
        0.5
    """

    format: str
    subtype: str
    samplerate: int
    channels: int
    frames: int | None

    @property
    def duration_s(self) -> float | None:
        """Length in seconds; None where it is unknown."""
        return None if self.frames is None else self.frames / self.samplerate


@cache
def _handle_type() -> Any:
    import soundfile  # loads libsndfile

    class Handle(soundfile.SoundFile):
        """A SoundFile that does not seek behind every read.

        soundfile 0.14 does, where the file can seek at all: half of the time of a WAV, a tenth of an MP3, and an
        error at the end of a FLAC of unknown length. Delete when its ``read`` leaves the position alone.
        """

        def seekable(self) -> bool:
            return False

        @property
        def can_seek(self) -> bool:
            return super().seekable()

    return Handle


def open_audio(source: Source) -> tuple[Any, AudioInfo, View | None]:
    """Open a libsndfile handle on a source whose claims have been checked.

    Returns:
        tuple: the handle, what it says, and the view that it reads through, if any.

    Raises:
        DecodeError: see ``probe``.
    """
    container = sniff(source)
    layout = inspect(source, container)
    view = None
    if layout.pieces is not None or not source.is_file:
        view = View(source.file, layout.pieces if layout.pieces is not None else [(0, source.size)])
    handle = _open_handle(source, container, view)
    try:
        info = _info(source, handle)
    except DecodeError:
        handle.close()
        raise
    return handle, info, view


def reopen(source: Source, pieces: list[bytes | tuple[int, int]]) -> tuple[Any, View]:
    """Open a libsndfile handle on pieces of a source that was opened before.

    Returns:
        tuple: the handle, and the view that it reads through.
    """
    view = View(source.file, pieces)
    return _open_handle(source, "part of a recording", view), view


def _open_handle(source: Source, container: str, view: View | None) -> Any:
    import soundfile

    if view is None:
        source.file.seek(0)
    try:
        # a descriptor rather than a path: libsndfile then goes by content alone
        return _handle_type()(view if view is not None else source.file.fileno(), closefd=False)
    except soundfile.LibsndfileError as error:
        if view is not None and view.error is not None:
            raise view.error from error
        text = f"{source.name} looks like {container}, but libsndfile cannot open it: {error.error_string.strip()}"
        if error.code in (_UNRECOGNISED, _UNSUPPORTED):
            raise UnsupportedCodec(f"{text}; allowed: {allowed()}. Convert it first, e.g. with ffmpeg") from error
        raise DecodeError(f"{text}; the file is damaged: copy or download it again") from error


def _info(source: Source, handle: Any) -> AudioInfo:
    frames = handle.frames if handle.frames < _UNKNOWN else None
    info = AudioInfo(handle.format, handle.subtype, handle.samplerate, handle.channels, frames)
    check_claims(source.name, info.channels, info.samplerate)
    if frames is not None and frames > source.size * _MAX_FRAMES_PER_BYTE:
        raise RejectedAudio(f"{source.name} claims {frames} frames in {source.size} bytes, more than any codec holds")
    if frames is not None and frames <= 0:
        raise EmptyAudio(f"{source.name} holds no samples: {info.format} header, 0 frames")
    return info


def probe(source: str | Path | bytes | BinaryIO) -> AudioInfo:
    """Read what a recording is, without decoding it.

    Args:
        source (str | Path | bytes | file object): a path, the bytes, or a seekable binary file object, whose position
            is put back.

    Returns:
        AudioInfo: format, subtype, samplerate, channels, frames.

    Raises:
        FileNotFoundError: the path does not exist.
        EmptyAudio: no bytes, or no samples.
        NotAudio: the bytes are no audio file, for example an HTML page.
        TruncatedAudio: the source ends before what its header promises.
        RejectedAudio: more than 64 channels, a rate above 1 MHz, or an impossible length.
        UnsupportedCodec: audio that libsndfile does not decode, such as AAC.
        DecodeError: a damaged header; the root of the others.

    Examples:
        >>> import io, numpy as np
        >>> from zounds_lite.media.encode import encode
        >>> out = io.BytesIO()
        >>> encode(np.zeros(800, np.float32), 8000, 1, out, "WAV")
        800
        >>> probe(out)
        AudioInfo(format='WAV', subtype='PCM_16', samplerate=8000, channels=1, frames=800)
    """
    with contextlib.ExitStack() as stack:
        opened = stack.enter_context(Source(source))
        handle, info, _ = open_audio(opened)
        handle.close()
        return info
