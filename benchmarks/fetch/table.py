"""What a case is, and how one is run: with servers of its own, in a thread, against the clock."""

import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from tests.webserver import WebServer
from zounds_lite.errors import ZoundsError
from zounds_lite.featureflow import Fetcher

__all__ = ["GRACE_S", "SETTINGS", "Case", "Outcome", "Stage", "Wrong", "run"]

GRACE_S = 1.0
"""Seconds beyond its deadline that a case may take."""

SETTINGS: dict[str, Any] = {
    "connect_timeout": 1.0,
    "read_timeout": 0.6,
    "total_timeout": 2.0,
    "retries": 2,
    "backoff": 0.05,
    "max_wait": 1.5,
    "max_redirects": 5,
    "max_bytes": 2**20,
    "private_addresses": True,
}
"""A client in a hurry."""


class Wrong(Exception):
    """The client did what it must not."""


@dataclass
class Stage:
    """Where a case plays.

    Attributes:
        server (WebServer): the one that misbehaves.
        other (WebServer): another one, on another address.
        folder (Path): empty, for what is saved.
    """

    server: WebServer
    other: WebServer
    folder: Path

    def fetcher(self, **changed: Any) -> Fetcher:
        """Return a client in a hurry."""
        return Fetcher(**{**SETTINGS, **changed})


@dataclass(frozen=True)
class Case:
    """Something hostile.

    Attributes:
        name (str): what the server does.
        acts (Sequence[Callable]): ways to fetch, each with a stage of its own; one raises ``Wrong`` where the client
            did what it must not.
        wanted (str): ``refused``, ``recovered``, or ``either``.
        deadline_s (float): how long it may take, in seconds.
        says (str): what an error has to say.
        before (Callable | None): what takes long to make, and is kept; not timed.
    """

    name: str
    acts: Sequence[Callable[[Stage], Any]]
    wanted: str
    deadline_s: float = 2.0
    says: str = ""
    before: Callable[[], Any] | None = None


class Outcome(NamedTuple):
    """What became of a case: ``fault`` says what went wrong, and is empty where nothing did."""

    name: str
    deadline_s: float
    seconds: float
    outcome: str
    said: str
    fault: str


@dataclass
class _Attempt:
    """A way of a case, under way."""

    outcome: str = "hangs"
    said: str = ""
    seconds: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)

    def run(self, act: Callable[[Stage], Any], stage: Stage) -> None:
        began = time.perf_counter()
        try:
            act(stage)
            self.outcome = "recovered"
        except ZoundsError as error:
            self.outcome, self.said = "refused", f"{type(error).__name__}: {error}"
        except Wrong as error:
            self.outcome, self.said = "wrong", str(error)
        except Exception as error:  # noqa: BLE001 - an error that is none of ours is what this looks for
            self.outcome, self.said = "untyped error", f"{type(error).__name__}: {error}"
        self.seconds = time.perf_counter() - began
        self.ended.set()


def run(case: Case) -> Outcome:
    """Run the ways of a case side by side, and return what became of the worst."""
    if case.before:
        case.before()
    with ThreadPoolExecutor(len(case.acts)) as pool:
        found = list(pool.map(lambda act: _run(case, act), case.acts))
    return max(found, key=lambda outcome: (bool(outcome.fault), outcome.seconds))


def _run(case: Case, act: Callable[[Stage], Any]) -> Outcome:
    """Run one way; one that takes too long is ended by closing its servers."""
    attempt = _Attempt()
    with (
        tempfile.TemporaryDirectory(prefix="zounds-fetch-") as folder,
        WebServer() as server,
        WebServer("127.0.0.2") as other,
    ):
        stage = Stage(server, other, Path(folder))
        threading.Thread(target=attempt.run, args=(act, stage), daemon=True).start()
        in_time = attempt.ended.wait(case.deadline_s + GRACE_S)
        if not in_time:
            server.close()
            other.close()
            attempt.ended.wait(10)
        left = sorted(path.name for path in stage.folder.iterdir())
        fault = _fault(case, attempt, left) or "".join(map(repr, server.faults + other.faults))
        if not in_time:
            fault = f"took {attempt.seconds:.1f} s" if attempt.seconds else "hangs"
    return Outcome(case.name, case.deadline_s, attempt.seconds, attempt.outcome, attempt.said, fault)


def _fault(case: Case, attempt: _Attempt, left: list[str]) -> str:
    if attempt.outcome not in ("refused", "recovered"):
        return f"{attempt.outcome}: {attempt.said}"
    if case.wanted not in (attempt.outcome, "either"):
        return f"{attempt.outcome}, not {case.wanted}"
    if attempt.outcome == "refused" and case.says.lower() not in attempt.said.lower():
        return f"the error does not say {case.says!r}"
    return f"files are left over: {left}" if left else ""
