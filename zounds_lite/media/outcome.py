"""What becomes of a recording when all of it is decoded, in one word.

Goal: tell good recordings from bad ones before they are worked on, without an exception for each. Names: ``Outcome``,
``check``.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from zounds_lite.errors import DecodeError, RejectedAudio, TruncatedAudio, UnsupportedCodec
from zounds_lite.media.decode import AudioReader
from zounds_lite.media.guard import DecodeLimits

__all__ = ["Outcome", "check"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of decoding a recording.

    Args:
        kind (str): ``"ok"``; ``"truncated"``: it ends, or cannot be decoded further, before what its header promises;
            ``"non-finite"``: it holds NaN or infinite samples; ``"rejected"``: it claims what no honest file does, or
            broke a limit; ``"unreadable"``: no audio, no samples, or a format that is not decoded.
        message (str): why, in words; empty where all is well.
        frames (int): how many frames could be decoded.

    Examples:
        >>> Outcome("ok", "", 4000).is_ok
        True
    """

    kind: str
    message: str
    frames: int

    @property
    def is_ok(self) -> bool:
        """True where all that the header promises is there and finite."""
        return self.kind == "ok"


def check(source: str | Path | bytes | BinaryIO, limits: DecodeLimits | None = None) -> Outcome:
    """Decode a recording to its end, in bounded memory, and tell what became of it.

    Args:
        source (str | Path | bytes | file object): a path, the bytes, or a seekable binary file object, whose position
            is put back.
        limits (DecodeLimits | None): decode in a process of its own, with these limits; None decodes in this one.

    Returns:
        Outcome: its kind is the one that reading with ``damaged="raise"`` would meet first.

    Raises:
        FileNotFoundError: the path does not exist; other errors of the file system pass as well.
        TypeError: ``source`` is none of these.

    Examples:
        >>> import io, numpy as np
        >>> from zounds_lite.media.encode import encode
        >>> out = io.BytesIO()
        >>> encode(np.zeros(800, np.float32), 8000, 1, out, "WAV")
        800
        >>> check(out)
        Outcome(kind='ok', message='', frames=800)
        >>> check(out.getvalue()[:1000])
        Outcome(kind='truncated', message='<1000 bytes> is cut short: ... 800 frames, it holds 478', frames=478)
        >>> check(b"<html>Not found</html>").kind
        'unreadable'

    See Also:
        AudioReader (``damaged="keep"`` reads what is left of such a recording).
    """
    frames = 0
    try:
        with AudioReader(source, damaged="keep", limits=limits) as reader:
            for block in reader.blocks():
                frames += len(block)
            if not reader.marks:
                return Outcome("ok", "", frames)
            return Outcome(reader.marks[0].kind, "; ".join(mark.message for mark in reader.marks), frames)
    except (DecodeError, UnsupportedCodec) as error:
        return Outcome(_kind(error), str(error), frames)


def _kind(error: Exception) -> str:
    if isinstance(error, TruncatedAudio):
        return "truncated"
    return "rejected" if isinstance(error, RejectedAudio) else "unreadable"
