"""Nodes of user code that raise, yield nothing, or yield the wrong thing, at some chunk, before or after a blob began.

All cases are items of one ``ingest``, among items without a fault: the bad ones leave nothing but a reason in the
ledger, and the good ones are stored, those of the same batch too.
"""

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.faults import broken
from benchmarks.faults._documents import leftovers, stored_in
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite import featureflow as ff
from zounds_lite.datasets import ingest
from zounds_lite.errors import KeyNotFound
from zounds_lite.featureflow.ledger import read_failures

__all__ = ["FAULTS"]

_CHUNKS = 6
_SMALL, _LARGE = 10, 1 << 17
"""Rows in a chunk; six large ones make a blob, which begins with the third."""

_KINDS = [
    "raises",
    "raises at the end",
    "runs out of memory",
    "yields nothing",
    "changes its shape",
    "changes its dtype",
    "yields what is no array",
    "gives up its generator",
]


class _Rows(ff.Node):
    """Yields chunks of rows; at chunk ``at`` the item's fault happens."""

    def __init__(self, of: str = "small", needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.of = of

    def _process(self, item: Any) -> Iterator[Any]:
        self._fault = item["fault"] if item["in"] == self.of else ""
        for number in range(0 if self._fault == "yields nothing" else _CHUNKS):
            chunk = np.full((_SMALL if self.of == "small" else _LARGE, 2), item["number"], np.float32)
            yield _fault(self._fault, chunk) if item["at"] == number else chunk

    def _last_chunk(self) -> Iterator[Any]:
        if self._fault == "raises at the end":
            raise RuntimeError("raises at the end, as it was told")
        yield from ()


def _fault(fault: str, chunk: np.ndarray) -> Any:
    """Do what is wrong with this chunk."""
    if fault == "raises":
        raise ValueError("raises, as it was told")
    if fault == "runs out of memory":
        raise MemoryError("runs out of memory, as it was told")
    if fault == "gives up its generator":
        raise StopIteration
    if fault == "changes its shape":
        return np.zeros((len(chunk), 3), np.float32)
    if fault == "changes its dtype":
        return chunk.astype(np.float64)
    return object() if fault == "yields what is no array" else chunk


class _Document(ff.BaseModel):
    spec = ff.Feature(ff.Node, store=False)
    first = ff.JSONFeature(lambda item: item["number"], needs=spec, store=True)
    large = ff.NumpyFeature(_Rows, of="large", needs=spec, store=True)
    small = ff.NumpyFeature(_Rows, of="small", needs=spec, store=True)
    after = ff.NumpyFeature(lambda rows: rows[:1], needs=large, store=True)


def _items(count: int) -> list[dict[str, Any]]:
    """So many faulty items, and a good one after every second of them."""
    at = itertools.cycle([0, 1, _CHUNKS - 1])
    faults = itertools.islice(itertools.cycle(itertools.product(_KINDS, ["large", "small"])), count)
    items: list[dict[str, Any]] = []
    for fault, part in faults:
        number = len(items)
        # the first chunk may have any shape: it is the second that can differ
        chunk = max(1, next(at)) if fault.startswith("changes") else next(at)
        items.append({"id": f"bad {number}", "number": number, "fault": fault, "in": part, "at": chunk})
        if number % 3 == 1:
            items.append({"id": f"good {number + 1}", "number": number + 1, "fault": "", "in": "", "at": -1})
    return items


def _bad(document: Any, items: list[dict[str, Any]], report: Any) -> Iterator[str]:
    ledger = {entry.id: entry.reason for entry in read_failures(document.database)}
    reported = {failure.id: failure.reason for failure in report.failed}
    for item in items:
        what = f"{item['id']} ({item['fault']} at chunk {item['at']} of {item['in']!r})"
        if document.exists(item["id"]) or item["id"] in list(document.database):
            yield f"{what} is visible"
        with contextlib.suppress(KeyNotFound):
            yield f"{what}: {document(item['id']).first!r} can be read"
        if not ledger.get(item["id"]) or not reported.get(item["id"]):
            yield f"{what} has no reason in the ledger or in the report"
    others = set(ledger) ^ {item["id"] for item in items}
    if others:
        yield f"the ledger differs: {sorted(others)[:5]}"


def _good(document: Any, items: list[dict[str, Any]], report: Any) -> Iterator[str]:
    for item in items:
        found = document(item["id"])
        if not document.exists(item["id"]) or item["id"] not in report.processed:
            yield f"{item['id']} was not stored"
        elif found.large.shape != (_CHUNKS * _LARGE, 2) or found.small.shape != (_CHUNKS * _SMALL, 2):
            yield f"{item['id']} has {found.large.shape} and {found.small.shape}"
        elif not bool((found.large == item["number"]).all() and (found.small == item["number"]).all()):
            yield f"{item['id']} holds what another one should"


def _run(setting: Setting) -> Result:
    broken.apply(setting.broken)
    document, items, result = stored_in(setting.folder / "store", _Document), _items(setting.size), Result()
    bad, good = [item for item in items if item["fault"]], [item for item in items if not item["fault"]]
    options: Any = {"root": "spec", "progress": False, "id_of": lambda item: item["id"]}
    report = ingest(items, document, **options)
    result.losses += [*_bad(document, bad, report), *_good(document, good, report)]
    again = ingest(items, document, **options)
    if again.processed:
        result.losses.append(f"a second run processed {len(again.processed)} documents again")
    named = leftovers(document.database)
    document.database.collect_garbage()
    result.losses += [f"left over: {name}" for name in [*named, *leftovers(document.database)]]
    document.database.close()
    result.figures = {"cases": len(bad), "in the ledger": len(report.failed), "others stored": len(report.processed)}
    return result


FAULTS = [
    Fault(
        "node raises at chunk k, yields nothing, returns the wrong shape",
        30,
        "cases",
        "nothing of that document visible, reason in the ledger",
        _run,
        ("errors_swallowed",),
        8,
    )
]
