"""Where a row is: its stretch of time, and what is kept beside it.

Goal: a row of an index is a stretch of a document again. Conventions: the axis of time of a document gives the stretch
of every row; where there is none (variable rates), and where extra data are kept, each row has a JSON list of
[[start, stop] in picoseconds or null, extra data]. Functions: ``describe_rows``, ``place_of``.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from zounds_lite._declared import decode
from zounds_lite.errors import CorruptValue, DeclarationError, KeyNotFound
from zounds_lite.index.rowstore import RowStore
from zounds_lite.timeseries import TimeSlice
from zounds_lite.timeseries.durations import from_picoseconds

__all__ = ["describe_rows", "place_of"]


def describe_rows(
    document: Any, slices: Iterable[TimeSlice], is_regular: bool, extra_data: Mapping[str, Callable[..., Any]]
) -> Iterator[bytes]:
    """Yield what is kept of each row: its time, where no axis tells, and extra data.

    Args:
        document (BaseModel): the document.
        slices (Iterable[TimeSlice]): the stretch of each row.
        is_regular (bool): an axis of time gives the stretches.
        extra_data (Mapping[str, Callable]): functions of the document and a stretch.

    Raises:
        DeclarationError: one of them returns what JSON cannot hold.
    """
    for timeslice in slices:
        extra = {name: function(document, timeslice) for name, function in extra_data.items()}
        times = None if is_regular else [timeslice.start_ps, timeslice.stop_ps]
        try:
            yield json.dumps([times, extra], allow_nan=False).encode("ascii")
        except (TypeError, ValueError) as error:
            raise DeclarationError(
                f"extra data of document {document._id!r} at {timeslice!r}: {error}; allowed: what JSON can hold"
            ) from error


def place_of(store: RowStore, number: int, row: int, has_extra: bool) -> tuple[Any, ...]:
    """Return (id, stretch of time) of a row of a document, and its extra data where asked for.

    Raises:
        KeyNotFound: the document is gone.
        CorruptValue: what is kept of it is damaged.
    """
    header = store.header(number)
    axis = header.get("axis")
    times: Any = None
    extra: dict[str, Any] = {}
    if axis is None or has_extra:
        times, extra = _kept(store, number, row, is_needed=axis is None)
    try:
        if axis is not None:
            timeslice = _axis(json.dumps(axis)).slice_of(row)
        else:
            start, stop = times
            timeslice = TimeSlice(None if stop is None else from_picoseconds(stop - start), from_picoseconds(start))
    except (ArithmeticError, AttributeError, TypeError, ValueError) as error:
        raise CorruptValue(
            f"the times of document {header['id']!r} in the index are damaged; index it again"
        ) from error
    return (header["id"], timeslice, extra) if has_extra else (header["id"], timeslice)


@lru_cache(maxsize=256)
def _axis(header: str) -> Any:
    """Return an axis; most documents share one."""
    return decode(json.loads(header))


def _kept(store: RowStore, number: int, row: int, is_needed: bool) -> tuple[Any, dict[str, Any]]:
    try:
        times, extra = json.loads(store.extra(number, row))
        return times, dict(extra)
    except KeyNotFound:
        if is_needed:
            raise
        return None, {}  # indexed before anybody asked for extra data
    except (TypeError, ValueError) as error:
        raise CorruptValue(f"what the index keeps of row {row} of document {number} is damaged: {error}") from error
