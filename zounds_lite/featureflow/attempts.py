"""Again, after a pause, what may pass.

Pauses grow from one attempt to the next, by the same rule for all; a server that asks for a longer one
(``Retry-After``) gets it, up to a limit; none goes beyond the time of the whole operation. Function: ``repeated``.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from zounds_lite.errors import ChecksumMismatch, FetchError, RateLimited
from zounds_lite.featureflow.exchange import Exchange

__all__ = ["repeated"]

_T = TypeVar("_T")

_WORTH_IT = 2**20
"""Bytes that an attempt must bring for the next one to count as the first."""


def repeated(exchange: Exchange, attempt: Callable[[Exchange], _T], progress: Callable[[], int] = lambda: 0) -> _T:
    """Try, and try again what may pass, until the attempts or the time are used up.

    Args:
        exchange (Exchange): the request, whose fetcher says how often and how long.
        attempt (Callable): sends it.
        progress (Callable): how many bytes there are; an attempt that brought many is not counted.

    Raises:
        FetchError: what went wrong last.
    """
    fetcher, deadline = exchange.fetcher, exchange.deadline
    turn, mismatched = 0, False
    while True:
        before = progress()
        try:
            return attempt(exchange)
        except FetchError as error:
            again = getattr(error, "passing", False) and exchange.request.method in ("GET", "HEAD")
            if isinstance(error, ChecksumMismatch):  # once more: it may have been damaged on its way
                again, mismatched = not mismatched, True
            if progress() - before >= _WORTH_IT:
                turn = 0
            if not again or turn >= fetcher.retries or deadline.is_over:
                raise
            pause = _pause(exchange, error, turn)
            if pause >= deadline.left():
                raise
        time.sleep(pause)
        turn += 1


def _pause(exchange: Exchange, error: FetchError, turn: int) -> float:
    """Return the seconds to wait after an error; raise it where the server asks for too many."""
    fetcher = exchange.fetcher
    pause = min(fetcher.backoff * 2.0 ** min(turn, 60), fetcher.max_wait)
    if not isinstance(error, RateLimited) or error.retry_after_s <= pause:
        return pause
    if error.retry_after_s > fetcher.max_wait:
        longer = RateLimited(
            f"{error}: it asks for a pause of {error.retry_after_s:.0f} s; allowed: {fetcher.max_wait:g} s "
            "(max_wait=...)",
            error.retry_after_s,
        )
        longer.status = error.status
        raise longer from None
    return error.retry_after_s
