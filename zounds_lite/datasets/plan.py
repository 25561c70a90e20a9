"""What an ingest would do: which items there are, how large they are, and which of them are stored already.

Goal: hours of downloads are looked at before they begin. No audio is fetched: sizes are what a catalogue, a file or an
archive says, else what the server answers to a question for the size alone. Function ``plan_ingest``; classes
``IngestPlan``, ``PlannedItem``.
"""

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from zounds_lite.datasets.arguments import check_dataset
from zounds_lite.datasets.ids import id_function
from zounds_lite.datasets.tasks import Job, Task
from zounds_lite.errors import FetchError
from zounds_lite.featureflow import BaseModel
from zounds_lite.featureflow.archives import member_of
from zounds_lite.featureflow.bytestream import url_of
from zounds_lite.featureflow.fetch import default_fetcher
from zounds_lite.featureflow.ledger import error_reason
from zounds_lite.featureflow.overview import amount

__all__ = ["IngestPlan", "PlannedItem", "plan_ingest"]

_STATES = {"new": "to be processed", "stored": "stored already", "failed": "failed before, unchanged", "bad": "no item"}


@dataclass(frozen=True)
class PlannedItem:
    """What an ingest would do with one item.

    Attributes:
        id (str): of its document.
        size (int | None): bytes; None where nobody says.
        state (str): "new", it would be processed; "stored", it is and would be skipped; "failed", it failed before and
            nothing has changed since; "bad", it gives no document.
        is_remote (bool): it would be fetched.
        reason (str): why it is bad or failed.
    """

    id: str
    size: int | None
    state: str
    is_remote: bool = False
    reason: str = ""


@dataclass
class IngestPlan:
    """What an ingest would do.

    Attributes:
        items (list[PlannedItem]): all of them, in order.
        stopped (str): why the dataset was not read to its end.

    Examples:
        >>> print(IngestPlan([PlannedItem("a.wav", 1_200_000, "new"), PlannedItem("b.wav", 300_000, "stored")]))
        2 items: 1 to be processed, 1 stored already
        1.2 MB to be read, none of it from elsewhere
    """

    items: list[PlannedItem] = field(default_factory=list)
    stopped: str = ""

    def count(self, state: str) -> int:
        """Return the number of items in a state."""
        return sum(item.state == state for item in self.items)

    @property
    def bytes(self) -> int:
        """Bytes of the items that would be processed, as far as they are known."""
        return sum(item.size or 0 for item in self.items if item.state == "new")

    @property
    def bytes_to_fetch(self) -> int:
        """Bytes that would be fetched, as far as they are known."""
        return sum(item.size or 0 for item in self.items if item.state == "new" and item.is_remote)

    @property
    def unknown(self) -> int:
        """Number of items that would be processed and whose size nobody says."""
        return sum(item.size is None for item in self.items if item.state == "new")

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as strict JSON."""
        counts = {state: self.count(state) for state in _STATES}
        totals = {"bytes": self.bytes, "bytes_to_fetch": self.bytes_to_fetch, "unknown_sizes": self.unknown}
        return {"items": [asdict(item) for item in self.items], **counts, **totals, "stopped": self.stopped}

    def to_json(self) -> str:
        """Return the plan as JSON text."""
        return json.dumps(self.to_dict(), indent=1, allow_nan=False)

    def __str__(self) -> str:
        if not self.items and not self.stopped:
            return "the dataset is empty: nothing to process"
        counts = [f"{self.count(state)} {words}" for state, words in _STATES.items() if self.count(state)]
        remote = f"{amount(self.bytes_to_fetch)} of it" if self.bytes_to_fetch else "none of it"
        more = f", and {self.unknown} items of unknown size" if self.unknown else ""
        lines = [
            f"{len(self.items)} items: {', '.join(counts)}",
            f"{amount(self.bytes)} to be read, {remote} from elsewhere{more}",
        ]
        return "\n".join([*lines, *([f"stopped: {self.stopped}"] if self.stopped else [])])


def plan_ingest(
    dataset: Iterable[Any],
    cls: type[BaseModel] | None = None,
    *,
    id_of: Callable[[Any], str] | str = "uri",
    root: str = "meta",
    retry_failed: bool = False,
    asks_sizes: bool = True,
    fetcher: Any = None,
) -> IngestPlan:
    """Say what ``ingest`` would do, and fetch no audio.

    Args:
        dataset (Iterable[AudioMetaData]): the items; a catalogue on the internet is asked for them.
        cls (type[BaseModel] | None): the document; None: nothing is stored yet.
        id_of (Callable | str): as for ``ingest``.
        root (str): as for ``ingest``.
        retry_failed (bool): what failed before would be tried again.
        asks_sizes (bool): ask servers for sizes that no catalogue tells, one request each.
        fetcher (Fetcher | None): asks them; None: the default one.

    Raises:
        DeclarationError: the dataset is none.

    Examples:
        >>> print(plan_ingest([]))
        the dataset is empty: nothing to process
    """
    check_dataset(dataset)
    planner = _Planner(
        id_function(id_of),
        None if cls is None else Job.of(cls, root, retry_failed=retry_failed),
        (default_fetcher() if fetcher is None else fetcher) if asks_sizes else None,
    )
    plan = IngestPlan()
    seen: set[str] = set()
    try:
        for number, item in enumerate(dataset):
            plan.items.append(planner.planned(number, item, seen))
    except Exception as error:
        if not plan.items:
            raise
        plan.stopped = error_reason(error)
    return plan


class _Planner:
    def __init__(self, id_of: Callable[[Any], str], job: Job | None, fetcher: Any) -> None:
        self._id_of, self._job, self._fetcher = id_of, job, fetcher

    def planned(self, number: int, item: Any, seen: set[str]) -> PlannedItem:
        try:
            _id = self._id_of(item)
            uri = getattr(item, "uri", item)
            is_remote = url_of(uri) is not None
        except Exception as error:  # noqa: BLE001 - any fault of one item is that item's own
            return PlannedItem(repr(item), None, "bad", reason=error_reason(error))
        if _id in seen:
            return PlannedItem(_id, None, "bad", is_remote, "another item has this id too")
        seen.add(_id)
        state, reason = "new", ""
        settled = None if self._job is None else self._job.settled(Task(number, _id, item))
        if settled is not None:
            state, reason = ("stored", "") if settled.outcome == "skipped" else ("failed", settled.reason)
        try:
            size = _told(item, uri)
            if size is None and is_remote and state == "new" and self._fetcher is not None:
                size = self._fetcher.size(uri)
        except (OSError, FetchError) as error:  # what is gone will be reported when it is its turn
            size, reason = None, reason or error_reason(error)
        return PlannedItem(_id, size, state, is_remote, reason)


def _told(item: Any, uri: Any) -> int | None:
    """The size that the item itself, its file or its archive tells."""
    size = getattr(item, "extras", {}).get("size")
    if isinstance(size, str) and size.isascii() and size.isdigit():
        size = int(size)
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        return size
    member = member_of(uri)
    if member is not None:
        return int(member.entry.size)
    if isinstance(uri, (bytes, bytearray, memoryview)):
        return len(uri)
    if isinstance(uri, (str, os.PathLike)) and url_of(uri) is None:
        return os.path.getsize(uri)
    return None
