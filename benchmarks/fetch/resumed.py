"""Downloads that end early and go on: what is there already is not fetched again, and nobody mixes two files."""

import threading
from collections.abc import Callable
from typing import Any

from benchmarks.fetch.bodies import DATA
from benchmarks.fetch.table import Case, Stage, Wrong
from tests.webserver import Exchange, hostile
from tests.webserver.ranges import Static
from zounds_lite.errors import FetchError

__all__ = ["RESUMED"]

_PART = 100_000
_TAG = '"one"'


def _good(exchange: Exchange) -> None:
    Static(DATA, etag=_TAG)(exchange)


def _check(stage: Stage, allowed: int) -> None:
    path = stage.folder / "file"
    if path.read_bytes() != DATA:
        raise Wrong("what was put together is another file")
    path.unlink()
    if stage.server.sent > allowed:
        raise Wrong(f"{stage.server.sent} bytes were sent for a file of {len(DATA)}")


def _within_a_call(stage: Stage) -> None:
    """Each answer is cut after a third; three of them are the file."""
    url = stage.server.add("/case", hostile.cut(DATA, _PART, etag=_TAG))
    stage.fetcher().save(url, stage.folder / "file")
    _check(stage, len(DATA))


def _by_a_later_call(stage: Stage) -> None:
    """All attempts of a call are cut, and the next call, with another client, fetches the rest."""
    url = stage.server.add("/case", hostile.cut(DATA, _PART, etag=_TAG))
    try:
        stage.fetcher(retries=0).save(url, stage.folder / "file")
    except FetchError:
        stage.server.add("/case", _good)
        stage.fetcher().save(url, stage.folder / "file")
        _check(stage, len(DATA))
        if "If-Range" not in stage.server.requests[-1].headers:
            raise Wrong("the rest was asked for without If-Range") from None
        return
    raise Wrong("a third was taken for the whole")


def _of_another_file(stage: Stage) -> None:
    """What is left of one URL is not taken for the beginning of another one that goes to the same path."""
    first = stage.server.add("/first", hostile.cut(bytes(len(DATA)), _PART, etag=_TAG))
    second = stage.server.add("/second", _good)
    try:
        stage.fetcher(retries=0).save(first, stage.folder / "file")
    except FetchError:
        stage.fetcher().save(second, stage.folder / "file")
        _check(stage, len(DATA) + _PART)
        return
    raise Wrong("a third was taken for the whole")


def _side_by_side(stage: Stage) -> None:
    """Four at once write to one path."""
    url, errors = stage.server.add("/case", hostile.drips(DATA, 0.02, 60_000)), list[BaseException]()

    def save() -> None:
        try:
            stage.fetcher().save(url, stage.folder / "file")
        except BaseException as error:  # noqa: BLE001 - the thread that waits raises it
            errors.append(error)

    threads = [threading.Thread(target=save) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    _check(stage, 4 * len(DATA))


def _case(name: str, act: Callable[[Stage], Any]) -> Case:
    return Case(name, [act], "recovered")


RESUMED = [
    _case("cut three times, nothing sent twice", _within_a_call),
    _case("cut for good, resumed by a later call", _by_a_later_call),
    _case("cut, then another URL to the same path", _of_another_file),
    _case("four at once to the same path", _side_by_side),
]
