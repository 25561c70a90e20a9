"""What a header may claim, and how a claim that is not kept is told.

Goal: the parts that the walkers of all containers share. Conventions: offsets and sizes in bytes, rates in hertz.
Names: ``MAX_CHANNELS``, ``MAX_RATE``, ``Layout``, ``check_claims``, ``cut``, ``unpack``.
"""

import struct
from dataclasses import dataclass

from zounds_lite.errors import RejectedAudio, TruncatedAudio
from zounds_lite.media.source import Pieces, Source

__all__ = ["MAX_CHANNELS", "MAX_RATE", "Layout", "check_claims", "cut", "unpack"]

MAX_CHANNELS = 64
"""Most channels that a recording may claim."""
MAX_RATE = 1_000_000
"""Highest sample rate that a recording may claim, in hertz."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What a header says, and how libsndfile has to see the bytes.

    Args:
        channels (int | None): claimed channels; None where the header was not read.
        rate (int | None): claimed sample rate, hertz.
        pieces (list | None): pieces of a ``View`` that libsndfile should read instead of the source.
        damage (TruncatedAudio | None): the samples end before what the header promises; the header itself is whole.
    """

    channels: int | None = None
    rate: int | None = None
    pieces: Pieces | None = None
    damage: TruncatedAudio | None = None


def check_claims(name: str, channels: int | None, rate: int | None) -> None:
    """Refuse claims that no honest file makes.

    Raises:
        RejectedAudio: more than 64 channels, a rate above 1 MHz, or none of either.
    """
    if channels is not None and not 1 <= channels <= MAX_CHANNELS:
        raise RejectedAudio(f"{name} claims {channels} channels; allowed: 1 to {MAX_CHANNELS}")
    if rate is not None and not 1 <= rate <= MAX_RATE:
        raise RejectedAudio(f"{name} claims a sample rate of {rate} Hz; allowed: 1 to {MAX_RATE}")


def cut(source: Source, promised: int, got: int, unit: str = "bytes") -> TruncatedAudio:
    """Return the error of a source that holds less than its header promises."""
    return TruncatedAudio(
        f"{source.name} is cut short: its header promises {promised} {unit}, it holds {max(0, got)}; "
        "copy or download the recording again"
    )


def unpack(source: Source, offset: int, layout: str) -> tuple:
    """Read numbers at an offset, by a layout of ``struct``.

    Raises:
        TruncatedAudio: the source ends before.
    """
    size = struct.calcsize(layout)
    data = source.at(offset, size)
    if len(data) < size:
        raise cut(source, offset + size, source.size)
    return struct.unpack(layout, data)
