"""Runs a function in a forked child with a deadline, and says how it ended: with a value, a signal, or not in time.

Classes: ``Ended``; functions ``forked``, ``all_forked``, ``children``.
"""

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Ended:
    """How a child ended: ``value`` where all went well, else ``failure`` in words."""

    value: Any = None
    failure: str | None = None


@dataclass
class _Child:
    pid: int
    pipe: int
    deadline: float
    limit: float
    heard: bytes = b""

    def read(self) -> bool:
        """Take in what the child said; True at the end."""
        part = os.read(self.pipe, 1 << 20)
        self.heard += part
        return not part

    def end(self, in_time: bool) -> Ended:
        if not in_time:
            os.kill(self.pid, signal.SIGKILL)
        os.close(self.pipe)
        _, status = os.waitpid(self.pid, 0)
        if not in_time:
            return Ended(failure=f"it hung for {self.limit:.0f} s")
        if os.WIFSIGNALED(status):
            return Ended(failure=f"it died of {signal.Signals(os.WTERMSIG(status)).name}")
        if os.WEXITSTATUS(status):
            return Ended(failure=f"it failed: {self.heard.decode(errors='replace')[-800:]}")
        return Ended(json.loads(self.heard))


def _begin(task: Callable[[], Any], limit: float) -> _Child:
    sys.stdout.flush()
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return _Child(pid, read, time.monotonic() + limit, limit)
    status = 1
    try:
        os.close(read)
        said, right = json.dumps(task()).encode(), 0
    except BaseException:  # noqa: BLE001 - the parent is told
        said, right = traceback.format_exc().encode("utf-8", "backslashreplace"), 1
    try:
        while said:
            said = said[os.write(write, said) :]
        status = right
    finally:
        os._exit(status)


def all_forked(tasks: Iterable[Callable[[], Any]], limit: float = 60.0, at_once: int = 2) -> Iterator[Ended]:
    """Run tasks in children, some at a time, each made when its turn comes; yield how they ended, in their order."""
    coming, running, ended = iter(tasks), {}, {}
    begun = told = 0
    more = True
    while more or running or told < begun:
        while more and len(running) < at_once:
            task = next(coming, None)
            if task is None:
                more = False
            else:
                running[begun] = _begin(task, limit)
                begun += 1
        now = time.monotonic()
        pipes = {child.pipe: number for number, child in running.items()}
        poll = select.poll()  # select() refuses numbers from 1024 on
        for pipe in pipes:
            poll.register(pipe, select.POLLIN)
        for pipe, _ in poll.poll(200) if pipes else []:
            child = running[pipes[pipe]]
            if child.read():
                ended[pipes[pipe]] = running.pop(pipes[pipe]).end(True)
        for number in [number for number, child in running.items() if now > child.deadline]:
            ended[number] = running.pop(number).end(False)
        while told in ended:
            yield ended.pop(told)
            told += 1


def forked(task: Callable[[], Any], limit: float = 60.0) -> Ended:
    """Run one task in a child."""
    return next(all_forked([task], limit, 1))


def children(pid: int) -> list[int]:
    """Return the children of a process, but for the one that multiprocessing keeps to clean up behind it."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in found if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()]
    except FileNotFoundError:
        return []
