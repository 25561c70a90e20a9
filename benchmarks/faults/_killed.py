"""A writer that can be killed: it works off a plan in a child, says which phase it is in, and acknowledges its work.

An operation is acknowledged, through a pipe, only after ``process``, ``delete`` or a batch's commit has returned. So
the parent knows what must have survived, and what may or may not have become visible.
"""

import os
import random
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.faults import broken
from benchmarks.faults._documents import LARGE, content, sound_file
from zounds_lite.errors import KeyNotFound
from zounds_lite.featureflow.stores import LmdbDatabase, base, blobs

__all__ = ["ATTEMPTS", "PHASES", "Truth", "Writer", "begin", "pause"]

ATTEMPTS = 4
"""In the last of them, every other document is deleted instead of written."""

PHASES = ["idle", "decode", "blob", "commit", "release"]
"""What a writer is doing: between operations, computing, writing a blob, in the transaction, removing old blobs."""

Truth = dict[tuple[int, int], dict[str, str]]
"""Hashes of the values of each document, by its number and the attempt."""

_ACKNOWLEDGED = struct.Struct("<I")


def begin(action: Callable[..., Any], *arguments: Any) -> int:
    """Run ``action`` in a forked child, and return its process id."""
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        action(*arguments)
        code = 0
    except BaseException:  # noqa: BLE001 - a child must never run on into its parent's code
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(code)


@dataclass
class Writer:
    """One writer, its documents, and what the parent knows of them.

    Args:
        number (int): which one; its place among the phases.
        document (type[BaseModel]): a ``Sound`` with a store.
        sounds (Path): where the recordings are.
        phases (Any): shared memory, a byte for each writer.
        batch (int): documents in one commit.
        count (int): documents of its own.
        shared (tuple[str, ...]): documents that other writers write too.
        defect (str | None): what is broken in this writer.
        wait (float): seconds between the end of a batch's computation and its commit, as a slow node would need.
    """

    number: int
    document: Any
    sounds: Path
    phases: Any
    batch: int = 1
    count: int = 6
    shared: tuple[str, ...] = ()
    defect: str | None = None
    wait: float = 0.0
    acknowledged: int = 0
    states: dict[str, int | None] = field(default_factory=dict)
    _problems: list[str] = field(default_factory=list)
    _pid: int = 0
    _pipe: int = -1

    def ids(self) -> list[str]:
        """Its own documents."""
        return [f"http://example.org/{self.number}:{i}" for i in range(self.count)]

    def key(self, index: int, attempt: int) -> tuple[int, int]:
        """Where the truth of one of its documents stands."""
        return self.number * self.count + index, attempt

    def source(self, index: int, attempt: int) -> Path:
        """The recording of a document: every third one is small."""
        return sound_file(self.sounds, *self.key(index, attempt), 4000 if index % 3 == 2 else LARGE)

    def operation(self, at: int) -> tuple[str, Any, int | None]:
        """The plan: id, source, and attempt, None to delete."""
        ids = [*self.ids(), *self.shared]
        index, attempt = at % len(ids), at // len(ids) % ATTEMPTS
        is_deleted = attempt == ATTEMPTS - 1 and index % 2 == 1 and index < self.count
        path = self.source(index % self.count, attempt)
        # some come as bytes, whose original is kept in the document
        return ids[index], path.read_bytes() if index % 4 == 3 else str(path), None if is_deleted else attempt

    # the parent's side

    def start(self, until: int | None = None) -> None:
        """Begin where the last one was acknowledged; go on for ever, or up to an operation."""
        self._pipe, theirs = os.pipe()
        self.phases[self.number] = 0
        self._pid = begin(self._work, theirs, until)
        os.close(theirs)

    def kill(self) -> str:
        """Kill it, and return the phase that it was in."""
        os.kill(self._pid, signal.SIGKILL)
        _, status = os.waitpid(self._pid, 0)
        self._drain()
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            self._problems.append(f"writer {self.number} ended by itself, before it was killed; see its traceback")
        return PHASES[self.phases[self.number]]

    def finish(self, seconds: float = 60.0) -> str:
        """Wait until it has done what it was started for; return what went wrong."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found, status = os.waitpid(self._pid, os.WNOHANG)
            if found:
                self._drain()
                return f"it ended with {os.waitstatus_to_exitcode(status)}" if status else ""
            time.sleep(0.002)
        self.kill()
        return f"it hung for {seconds:.0f} s"

    def _drain(self) -> None:
        before = self.acknowledged
        while data := os.read(self._pipe, 1 << 16):
            self.acknowledged = max([self.acknowledged, *(at for (at,) in _ACKNOWLEDGED.iter_unpack(data))])
        os.close(self._pipe)
        for at in range(before, self.acknowledged):
            _id, _, attempt = self.operation(at)
            self.states[_id] = attempt

    def check(self, truth: Truth) -> list[str]:
        """Compare every document with what was acknowledged; call it while the writer is dead."""
        under_way = [self.operation(at) for at in range(self.acknowledged, self.acknowledged + self.batch)]
        may_be = {_id: attempt for _id, _, attempt in under_way}
        moved: list[bool] = []
        losses, self._problems = self._problems, []
        for index, _id in enumerate(self.ids()):
            before = self.states.get(_id)
            found, problem = self.found(_id, index, truth)
            if problem:
                losses.append(f"writer {self.number}: {_id} {problem}")
                continue
            if found != before and not (_id in may_be and found == may_be[_id]):
                losses.append(f"writer {self.number}: {_id} was acknowledged as attempt {before}, found {found}")
            if may_be.get(_id) is not None and before != may_be[_id]:  # deletions are no part of the batch
                moved.append(found != before)
            self.states[_id] = found
        if len(set(moved)) > 1:
            losses.append(f"writer {self.number}: half of a batch is visible: {moved}")
        return losses

    def found(self, _id: str, index: int, truth: Truth) -> tuple[int | None, str]:
        """Return the attempt that is visible, and what is wrong with it."""
        try:
            values = content(self.document, _id)
        except KeyNotFound:
            return None, ""
        except Exception as error:  # noqa: BLE001 - whatever it is, the document is not readable
            return None, f"cannot be read: {error!r}"
        if "" in values.values():
            return None, f"is half there, without {', '.join(name for name, value in values.items() if not value)}"
        for attempt in range(ATTEMPTS):
            if truth[self.key(index, attempt)] == values:
                return attempt, ""
        return None, "equals no attempt, or mixes several"

    # the child's side

    def _work(self, pipe: int, until: int | None) -> None:
        broken.apply(self.defect)
        at = self.acknowledged
        during = _reporting(lambda phase: self.phases.__setitem__(self.number, PHASES.index(phase)))
        while until is None or at < until:
            count = self.batch if until is None else min(self.batch, until - at)
            self._apply([self.operation(i) for i in range(at, at + count)], during)
            at += count
            os.write(pipe, _ACKNOWLEDGED.pack(at))

    def _apply(self, operations: list[tuple[str, Any, int | None]], during: Callable[[str], Any]) -> None:
        writes = [(_id, source) for _id, source, attempt in operations if attempt is not None]
        with during("decode"):
            if self.batch == 1:
                for _id, source in writes:
                    self.document.process(_id=_id, meta=source)
            else:
                changes = [self.document._prepare(_id, {"meta": source}) for _id, source in writes]
                time.sleep(self.wait)
                self.document._commit(changes)
        for _id in {_id for _id, _, attempt in operations if attempt is None}:
            try:
                self.document.delete(_id)
            except KeyNotFound:  # the killed one had done it
                continue


def _reporting(report: Callable[[str], None]) -> Callable[[str], Any]:
    """Report phases from inside the library, for the rest of this child's life; return how to report one more."""
    stack = ["idle"]

    @contextmanager
    def during(phase: str) -> Iterator[None]:
        stack.append(phase)
        report(phase)
        try:
            yield
        finally:
            stack.pop()
            report(stack[-1])

    for owner, name, phase in (
        (base.BlobWriter, "write", "blob"),
        (base.BlobWriter, "finish", "blob"),
        (blobs.BlobFolder, "remove", "release"),
        (LmdbDatabase, "change", "commit"),
    ):
        setattr(owner, name, _during(during, phase, getattr(owner, name)))
    return during


def _during(during: Callable[[str], Any], phase: str, real: Callable[..., Any]) -> Callable[..., Any]:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with during(phase):
            return real(*args, **kwargs)

    return wrapped


def pause(writer: Writer, rng: random.Random, life: float) -> None:
    """Let a writer live for a time that is drawn evenly; every other time on to a moment of a phase, drawn too."""
    time.sleep(rng.uniform(0, life))
    if rng.random() < 0.5:
        return
    wanted, deadline = rng.randrange(1, len(PHASES)), time.monotonic() + 2 * life
    while writer.phases[writer.number] != wanted and time.monotonic() < deadline:
        pass
    moment = time.monotonic() + rng.uniform(0, 0.001)
    while time.monotonic() < moment:
        pass
