"""What a recording is: format, rate, channels and length, from its header.

Goal: answer without decoding, by content and not by file name, and refuse with a typed error what no decoder should be
let loose on. Conventions: rates in hertz, lengths in frames (one sample per channel). Names: ``AudioInfo``, ``probe``;
for ``decode``: ``Opened``, ``open_audio``, ``reopen``, ``check_damaged``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from zounds_lite.errors import (
    DeclarationError,
    DecodeError,
    EmptyAudio,
    RejectedAudio,
    TruncatedAudio,
    UnsupportedCodec,
)
from zounds_lite.media._handle import handle_type
from zounds_lite.media.claims import check_claims
from zounds_lite.media.containers import inspect
from zounds_lite.media.guard import DecodeLimits, GuardedHandle
from zounds_lite.media.sniff import allowed, sniff
from zounds_lite.media.source import Pieces, Source, View

__all__ = ["AudioInfo", "Opened", "check_damaged", "open_audio", "probe", "reopen"]

_UNKNOWN = 1 << 62
"""libsndfile's frame count for streams of unknown length is larger than this."""
_MAX_FRAMES_PER_BYTE = 65536
"""No codec packs more frames into a byte, not even of silence."""
_UNRECOGNISED, _UNSUPPORTED = 1, 4  # libsndfile error codes
_POLICIES = ("raise", "keep")


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


@dataclass(slots=True)
class Opened:
    """A recording that is ready to be decoded.

    Args:
        handle (Handle | GuardedHandle): decodes.
        info (AudioInfo): what the handle says.
        view (View | None): what the handle reads through, if that is in this process.
        damage (TruncatedAudio | None): the samples end before what the header promises.
    """

    handle: Any
    info: AudioInfo
    view: View | None = None
    damage: TruncatedAudio | None = None


def open_audio(source: Source, keep: bool = False, limits: DecodeLimits | None = None) -> Opened:
    """Open a decoder on a source whose claims have been checked.

    Args:
        source (Source): the bytes.
        keep (bool): open what is cut short as well.
        limits (DecodeLimits | None): of a process that decodes; None decodes in this one.

    Raises:
        DecodeError: see ``probe``.
    """
    container = sniff(source)
    layout = inspect(source, container)
    if layout.damage is not None and not keep:
        raise layout.damage
    try:
        handle, view = _open_handle(source, container, layout.pieces, limits)
        try:
            info = _info(source, handle)
        except BaseException:
            handle.close()
            raise
    except (DecodeError, UnsupportedCodec) as error:
        if layout.damage is None or isinstance(error, RejectedAudio):
            raise
        raise layout.damage from error  # so little is left that there is nothing to keep
    return Opened(handle, info, view, layout.damage)


def reopen(source: Source, pieces: Pieces, limits: DecodeLimits | None = None) -> tuple[Any, View | None]:
    """Open a decoder on pieces of a source that was opened before.

    Returns:
        tuple: the handle, and the view that it reads through, if that is in this process.
    """
    return _open_handle(source, "part of a recording", pieces, limits)


def _open_handle(
    source: Source, container: str, pieces: Pieces | None, limits: DecodeLimits | None
) -> tuple[Any, View | None]:
    import soundfile

    view = None
    if limits is None and (pieces is not None or not source.is_file):
        view = View(source.file, pieces if pieces is not None else [(0, source.size)])
    elif limits is None:
        source.file.seek(0)
    try:
        if limits is not None:
            return GuardedHandle(source, pieces, limits), None
        # a descriptor rather than a path: libsndfile then goes by content alone
        return handle_type()(view if view is not None else source.file.fileno(), closefd=False), view
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


def check_damaged(damaged: str) -> None:
    """Refuse an unknown policy on damage.

    Raises:
        DeclarationError: it is neither ``"raise"`` nor ``"keep"``.
    """
    if damaged not in _POLICIES:
        raise DeclarationError(f"damaged={damaged!r}; allowed: 'raise' (an error), 'keep' (what could be decoded)")


def probe(
    source: str | Path | bytes | BinaryIO, damaged: str = "raise", limits: DecodeLimits | None = None
) -> AudioInfo:
    """Read what a recording is, without decoding it.

    Args:
        source (str | Path | bytes | file object): a path, the bytes, or a seekable binary file object, whose position
            is put back.
        damaged (str): ``"keep"`` also tells what a recording that is cut short is; its ``frames`` are what the decoder
            then hopes for. ``"raise"`` refuses it.
        limits (DecodeLimits | None): of a process of its own that opens the recording; None opens it in this one.

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
    check_damaged(damaged)
    with Source(source) as opened:
        found = open_audio(opened, damaged == "keep", limits)
        found.handle.close()
        return found.info
