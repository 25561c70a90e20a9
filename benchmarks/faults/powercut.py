"""Power cuts: what a writer wrote is replayed up to a random moment, as a disk might have kept it, and then read.

A writer runs under a write log (``writelog.c``) from an empty folder on: single commits and batches, values in records
and in blobs, documents processed again and deleted, a map that grows, the ledger. ``_replay`` says what disks may keep.
Each store that comes out is opened in a child, which says what it found of every document; that must be the state after
the last acknowledged commit, or after the one that was under way: nothing in between, for a batch either.
"""

import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults import _replay, _writer
from benchmarks.faults._compiled import preloaded, write_log
from benchmarks.faults._forked import Ended, all_forked
from benchmarks.faults.table import Fault, Result, Setting

STEPS = 40
_PLACE = "some/folders/store"
"""The store, below a folder that is empty: these folders have to be made durable too."""


def _recorded(setting: Setting, durability: str) -> tuple[list[_replay.Entry], str]:
    """Run the writer and return its log; an empty one where there is no compiler."""
    library = write_log(setting.folder)
    root, log = setting.folder / "written", setting.folder / "log"
    if library is None:
        return [], "there is no C compiler"
    root.mkdir()
    command = [sys.executable, "-m", "benchmarks.faults._writer", str(root.resolve() / _PLACE), str(STEPS)]
    command += [str(setting.seed), durability, *([setting.broken] if setting.broken else [])]
    ended = subprocess.run(command, env=preloaded(library, root, log), capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(f"the writer failed: {ended.stderr[-2000:]}")
    found = list(_replay.entries(log))
    whole = _replay.Disk(str(root.resolve()))
    for entry in found:
        whole.apply(entry)
    missed = whole.differences(root)
    if missed:
        raise _replay.UnknownWrite(f"the log does not lead to what is on the disk: {missed[:5]}")
    shutil.rmtree(root)
    log.unlink()
    return found, str(root.resolve())


def _moments(log: list[_replay.Entry], count: int, rng: random.Random) -> list[int]:
    """Where to cut: half anywhere, half right before or after what makes things durable or moves names."""
    special = [at for at, entry in enumerate(log) if entry.op in "SDRNM!"]
    special += [at for at, entry in enumerate(log) if entry.op == "W" and entry.b < _replay.SECTOR]
    anywhere = [rng.randint(1, len(log)) for _ in range(count - count // 2)]
    return sorted(anywhere + [rng.choice(special) + rng.randint(0, 1) for _ in range(count // 2)])


def _cuts(log: list[_replay.Entry], root: str, setting: Setting) -> Iterator[tuple[Path, int, bool]]:
    """Yield, cut by cut, the folder that remains, how many commits were acknowledged, and if one was under way."""
    rng = random.Random(setting.seed + 1)
    disk, at, begun, done = _replay.Disk(root), 0, 0, 0
    for number, moment in enumerate(_moments(log, setting.size, rng)):
        for entry in log[at:moment]:
            disk.apply(entry)
            if entry.op == "!":
                mark = json.loads(entry.data)
                begun, done = mark.get("begun", begun), mark.get("done", done)
        at = moment
        target = setting.folder / f"cut{number}"
        disk.cut(target, rng)
        yield target, done, begun > done


def _document(cls: Any, _id: str) -> list[int] | str:
    """Version and rows of a document, if all of it is there; else what is wrong."""
    record = cls.database.read(_id)
    if set(record.entries) != {"plan", "rows", "words"}:
        return f"half: it holds only {sorted(record.entries)}"
    found = cls(_id)
    version, rows = found.plan["version"], found.plan["rows"]
    same = found.plan["id"] == _id and found.words == _writer.words(_id, version)
    if not same or not np.array_equal(np.array(found.rows), _writer.array(_id, version, rows)):
        return "half: its values do not belong together"
    return [version, rows]


def look(place: Path, durability: str) -> dict[str, Any]:
    """Open a store after a cut, and say what it holds; then collect its garbage, look again, and go on working."""
    cls = _writer.document(_writer.store(str(place), durability))
    found: dict[str, Any] = {"documents": _documents(cls), "failures": {}}
    for raw in cls.database.iter_failures():
        entry = json.loads(raw)
        found["failures"][entry["id"]] = entry["n"]
    cls.database.collect_garbage()
    if _documents(cls) != found["documents"]:
        found["after"] = "gc changed what can be read"
    named = {name for _id in cls.database for name in cls.database.read(_id).blobs}
    if {name for name, _ in cls.database.iter_blobs()} != named:
        found["after"] = "gc left orphans, or a blob is missing"
    cls.process(_id="new", **_writer.inputs("new", 1, _writer.LARGE))
    if _document(cls, "new") != [1, _writer.LARGE]:
        found["after"] = "the store cannot be used any more"
    return found


def _documents(cls: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _id in cls.database:
        try:
            found[_id] = _document(cls, _id)
        except Exception as error:  # noqa: BLE001 - whatever it is, the document cannot be read
            found[_id] = f"unreadable: {type(error).__name__}: {error}"
    return found


class _Judge:
    """Compares what cuts left with what they may leave."""

    def __init__(self, seed: int, back: bool) -> None:
        self.states = _writer.states(STEPS, seed)
        self.back = back
        self.figures: dict[str, int | float | str] = {"lost": 0, "unreadable": 0, "half": 0}
        self.figures |= {"last commit lost": 0} if back else {}
        self.losses: list[str] = []

    def take(self, done: int, under_way: bool, ended: Ended) -> None:
        """Take in one cut."""
        words = self._fault(done, under_way, ended)
        if words is not None:
            kind = next((kind for kind in ("unreadable", "half") if kind in words), "lost")
            self.figures[kind] += 1  # type: ignore[operator]
            self.losses.append(f"after {done} commits{', one under way' if under_way else ''}: {words}")

    def _fault(self, done: int, under_way: bool, ended: Ended) -> str | None:
        if ended.failure:
            return f"unreadable: {ended.failure}"
        found = ended.value
        bad = [f"{_id}: {what}" for _id, what in found["documents"].items() if isinstance(what, str)]
        if bad:
            return bad[0]
        if "after" in found:
            return f"unreadable: {found['after']}"
        holds = _writer.State({_id: tuple(v) for _id, v in found["documents"].items()}, found["failures"])
        if holds in self.states[done : done + under_way + 1]:
            return None
        if self.back and done and holds == self.states[done - 1]:
            self.figures["last commit lost"] += 1  # type: ignore[operator]
            return None
        missing = [_id for _id in self.states[done].documents if _id not in holds.documents]
        if missing or not any(holds == state for state in self.states):
            parts = [_id for _id in missing if under_way] or missing
            return f"lost: {parts[:3] or 'the store is in no state that ever was'}"
        return f"lost: the store went back to commit {self.states.index(holds)}"


def _run(setting: Setting, durability: str, back: bool) -> Result:
    log, root = _recorded(setting, durability)
    if not log:
        return Result({"reason": root}, ran=False)
    judge, waiting = _Judge(setting.seed, back), []

    def tasks() -> Iterator[Callable[[], Any]]:
        for folder, done, under_way in _cuts(log, root, setting):
            waiting.append((folder, done, under_way))
            yield partial(look, folder / _PLACE, durability)

    for number, ended in enumerate(all_forked(tasks())):
        folder, done, under_way = waiting[number]
        judge.take(done, under_way, ended)
        shutil.rmtree(folder)
    figures = {"cuts": len(waiting), **judge.figures, "log entries": len(log)}
    return Result(figures, judge.losses)


FAULTS = [
    Fault(
        name=f"power cut, durability {durability}: replay of the write log with dropped and torn writes",
        size=100,
        unit="cuts",
        promise=promise,
        run=partial(_run, durability=durability, back=back),
        broken=("sync_off", "blobs_unsynced"),
        prove_size=40,
    )
    for durability, back, promise in (
        ("full", False, "lost 0, unreadable 0, half 0"),
        ("relaxed", True, "unreadable 0, half 0, at most the last acknowledged commit lost"),
    )
]
