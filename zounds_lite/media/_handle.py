"""The decoder itself: libsndfile through the soundfile package, for this process and for the one of ``_decoder``.

That one loads this file by its path, so it imports nothing of the package.
"""

import contextlib
from functools import cache
from typing import Any

import numpy as np

__all__ = ["BLOCK", "handle_type"]

BLOCK = 65536
"""Frames decoded at a time: 4 Ki blocks cost an MP3 twice as much."""

_UNTOUCHED: dict[str, Any] = {"float32": np.uint32(0x7FC0BEEF), "float64": np.uint64(0x7FF8BEEFBEEFBEEF)}
"""Not-a-number patterns that no decoder writes."""


@cache
def handle_type() -> Any:
    """Return the class of decoders; soundfile loads libsndfile, so it is imported when the first one is opened."""
    import soundfile

    class Handle(soundfile.SoundFile):
        """A SoundFile that tells how far it came, and that does not seek behind every read.

        soundfile 0.14 does, where the file can seek at all: half of the time of a WAV, a tenth of an MP3, and an
        error at the end of a FLAC of unknown length. Delete when its ``read`` leaves the position alone.
        """

        def seekable(self) -> bool:
            return False

        @property
        def can_seek(self) -> bool:
            return super().seekable()

        def salvage(self, out: np.ndarray) -> tuple[int, Exception | None]:
            """Fill ``out``; return the frames that could be decoded, and the error that kept it from more."""
            pattern = _UNTOUCHED.get(out.dtype.name)
            if pattern is not None:
                out.view(pattern.dtype)[...] = pattern
            before = self._position()
            try:
                return len(self.read(len(out), out=out)), None
            except soundfile.LibsndfileError as error:
                done = self._position() - before
                if pattern is not None:  # the position of some decoders stays behind
                    touched = np.flatnonzero((out.view(pattern.dtype) != pattern).all(axis=1))
                    done = int(touched[-1]) + 1 if len(touched) else done
                return min(max(0, done), len(out)), error

        def _position(self) -> int:
            with contextlib.suppress(soundfile.LibsndfileError):
                return self.tell()
            return 0  # a decoder that only goes forward

    return Handle
