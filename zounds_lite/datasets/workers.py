"""Several items at a time, with their results as they complete: ``in_flight``."""

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from zounds_lite.errors import DeclarationError

__all__ = ["in_flight"]

_T = TypeVar("_T")

_AHEAD = 4
"""Items in flight per worker; the dataset is not read further ahead."""


def in_flight(items: Iterator[Any], one: Callable[[Any], _T], workers: int) -> Iterator[tuple[Any, Future[_T]]]:
    """Run ``one`` on each item, ``workers`` at a time, and yield items with their futures as they complete.

    Raises:
        DeclarationError: ``workers`` is not positive.
    """
    if workers < 1:
        raise DeclarationError(f"workers={workers}: needs at least 1")
    if workers == 1:
        for item in items:
            yield item, _run_now(one, item)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: dict[Future[_T], Any] = {}
        try:
            for item in items:
                waiting[pool.submit(one, item)] = item
                if len(waiting) >= _AHEAD * workers:
                    yield from _completed(waiting)
            while waiting:
                yield from _completed(waiting)
        finally:
            for future in waiting:
                future.cancel()


def _completed(waiting: dict[Future[Any], Any]) -> Iterator[tuple[Any, Future[Any]]]:
    done, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in done:
        yield waiting.pop(future), future


def _run_now(one: Callable[[Any], _T], item: Any) -> Future[_T]:
    future: Future[_T] = Future()
    try:
        future.set_result(one(item))
    except Exception as error:  # noqa: BLE001 - handed to the caller through the future, as the pool does
        future.set_exception(error)
    return future
