"""InternetArchive and FreeSound, from a server that speaks their APIs: whole, again, killed, and past limits."""

import json
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from benchmarks import harness
from tests.datasets.internet import KEY, Service, killed_at, start, stored
from zounds_lite.featureflow import Fetcher

__all__ = ["add_rows"]

_IMPATIENT: dict[str, Any] = {"private_addresses": True, "retries": 1, "backoff": 0.01, "max_wait": 1}


def add_rows(table: harness.Table, count: int, kills: int) -> None:
    """Measure both services with ``count`` recordings each, and kill as many runs."""
    for kind, name in (("archive", "InternetArchive"), ("freesound", "FreeSound")):
        _whole_and_again(table, kind, name, count)
        _killed(table, kind, name, count, kills)
    _limited(table, count)


def _whole_and_again(table: harness.Table, kind: str, name: str, count: int) -> None:
    """A whole run, and a second one."""
    with tempfile.TemporaryDirectory(prefix="zounds-fetch-") as folder, Service(kind, count) as service:
        store = Path(folder) / "store"
        first = service.ingest(store)
        fetched = len(service.fetched())
        table.at_least(f"{name}: documents of {count}", len(first.processed), count)
        table.at_most(f"{name}: fetched for them", fetched, count)
        second = service.ingest(store)
        table.at_most(f"{name}: fetched by a second run", len(service.fetched()) - fetched, 0)
        table.at_least(f"{name}: skipped by a second run", len(second.skipped), count)
        table.add(f"{name}: seconds of both", f"{first.seconds:.2f} s, {second.seconds:.2f} s")
        if kind == "freesound":
            told = sum(KEY in request.said for request in service.cdn.requests)
            table.at_most(f"{name}: keys told to the host of previews", told, 0)


def _killed(table: harness.Table, kind: str, name: str, count: int, kills: int) -> None:
    """Kill a run again and again, each time a bit later, and let the last one end."""
    with tempfile.TemporaryDirectory(prefix="zounds-fetch-") as folder, Service(kind, count) as service:
        store, kept, twice = Path(folder) / "store", set[str](), 0
        for turn in range(kills):
            before = len(service.fetched())
            number = (turn + 1) * count // (kills + 1)
            now = set(killed_at(service, store, number))
            twice += _again(service.fetched()[before:], kept)
            if not kept <= now:
                raise RuntimeError(f"{len(kept - now)} documents were lost by a kill")
            kept = now
        before = len(service.fetched())
        with start(service, store) as process:
            report = json.loads(process.communicate(timeout=600)[0])
        twice += _again(service.fetched()[before:], kept)
        if _again(service.fetched(), set(stored(store))) != len(service.fetched()):
            raise RuntimeError("the ids of documents are not the addresses that were fetched: nothing was compared")
        table.at_most(f"{name}: killed {kills} times; stored, yet fetched again", twice, 0)
        table.at_least(f"{name}: documents in the end, of {count}", len(stored(store)), count)
        extra = len(service.fetched()) - count
        table.add(f"{name}: fetched again, not yet stored", f"{extra}, last run {len(report['processed'])}")


def _again(paths: list[str], kept: set[str]) -> int:
    """How many of these paths belong to documents that were stored."""
    return sum(any(unquote(_id).endswith(path) for _id in kept) for path in paths)


def _limited(table: harness.Table, count: int) -> None:
    """A limit of a day in the middle: the run ends, says so, and the next one goes on."""
    with tempfile.TemporaryDirectory(prefix="zounds-fetch-") as folder, Service("freesound", count) as service:
        store, client = Path(folder) / "store", Fetcher(**_IMPATIENT)
        service.sounds.daily_limit = count // 8  # pages of 4
        first = service.ingest(store, fetcher=client)
        service.sounds.daily_limit = None
        service.sounds.throttle(after=1, seconds=1)
        second = service.ingest(store, fetcher=client)
        is_said = len(first.failed) == 1 and "RateLimited" in first.failed[0].reason
        table.at_least("FreeSound: the day's limit is said", is_said, 1)
        table.at_least(f"FreeSound: documents after it, of {count}", len(stored(store)), count)
        table.at_most("FreeSound: fetched twice because of it", len(service.fetched()) - count, 0)
        table.add("FreeSound: before and after the limit", f"{len(first.processed)} and {len(second.processed)}")
