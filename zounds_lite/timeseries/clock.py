"""Exact time: from picoseconds to samples and back.

Goal: one second at 44.1 kHz is 44100 samples, at hour ten as at second zero, although no whole number of picoseconds is
the period. Conventions: times are integer picoseconds, rates exact integers, positions counted in samples; no floats.
Functions: ``position``, ``touching``, ``time_of``.

The rule from a time t to a position, at rate r with the truncated period p = 10**12 // r: a whole second s is s * r;
any other exact multiple k * p is k; anything else is t * r / 10**12, snapped to the nearest integer if that is nearer
than 0.005. The first two make durations made by counting truncated periods as exact as those made by counting seconds.
"""

from zounds_lite._span import PICOSECONDS

__all__ = ["position", "time_of", "touching"]

_SNAP = 200
"""One part of a sample in this many counts as nothing."""


def position(t: int, period: int, rate: int | None) -> tuple[int, int]:
    """Return the sample in which a time lies, and the first one that starts at it or later.

    Args:
        t (int): time in picoseconds; may be negative.
        period (int): time from one sample to the next in picoseconds, truncated if ``rate`` is given.
        rate (int | None): samples per second, exactly; None: ``period`` is exact.

    Returns:
        tuple[int, int]: the position rounded down and up.

    Examples:
        >>> position(10 * 3600 * 10**12, 10**12 // 44100, 44100)
        (1587600000, 1587600000)
        >>> position(250 * 10**9, 10**12 // 11025, 11025)
        (2756, 2757)
    """
    if rate is None:
        n, rest, unit = *divmod(t, period), period
    else:
        seconds, rest = divmod(t, PICOSECONDS)
        if not rest:
            return seconds * rate, seconds * rate
        if not t % period:
            return t // period, t // period
        n, rest, unit = *divmod(t * rate, PICOSECONDS), PICOSECONDS
    if rest * _SNAP < unit:
        return n, n
    if (unit - rest) * _SNAP < unit:
        return n + 1, n + 1
    return n, n + 1


def touching(start: int, stop: int, hop: int, window: int) -> tuple[int, int]:
    """Return the frames that touch a stretch of samples, as (first, one past the last), neither below 0.

    Frame k covers samples k * hop up to k * hop + window.

    Args:
        start (int): first sample of the stretch.
        stop (int): one past its last sample; a stretch without samples touches nothing.
        hop (int): samples from one frame to the next.
        window (int): samples in a frame.

    Examples:
        >>> touching(5, 7, hop=1, window=3)
        (3, 7)
    """
    # k * hop + window > start and k * hop < stop
    first = (start - window) // hop + 1
    if first < 0:
        first = 0
    last = -(-stop // hop)
    return first, (last if stop > start and last > first else first)


def time_of(n: int, period: int, rate: int | None) -> int:
    """Return the time at which sample ``n`` starts, in picoseconds, rounded half up.

    Examples:
        >>> time_of(44100, 10**12 // 44100, 44100)
        1000000000000
    """
    if rate is None:
        return n * period
    return (2 * n * PICOSECONDS + rate) // (2 * rate)
