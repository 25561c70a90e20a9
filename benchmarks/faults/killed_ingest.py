"""An ingest with worker processes is killed with -9, or one of its workers: the next run goes on from what is there.

Where the supervisor dies, its workers must notice and end by themselves; nothing of a document may be half there.
"""

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from benchmarks.faults import broken
from benchmarks.faults._documents import LARGE, Sound, content, kept_in, leftovers, sound_file, stored_in
from benchmarks.faults._forked import children
from benchmarks.faults._killed import begin
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite import featureflow as ff
from zounds_lite.datasets import Directory, ingest

__all__ = ["FAULTS"]

_SOUNDS = 40
_WORKERS = 2
_PATIENCE = 30.0
_HOW = ["all at once", "the supervisor", "one worker"]
"""What is killed, in turn; a worker's supervisor follows it soon."""


def _ingest(setting: Setting, document: Any, sounds: Path) -> None:
    os.setpgid(0, 0)
    if setting.broken is not None:
        broken.apply(setting.broken)
        from zounds_lite.datasets import starting, supervisor

        # a copy of this process has the defect; a worker that imports everything anew has not
        supervisor.starter = starting.Forking
    ingest(Directory(sounds), document, workers=_WORKERS, progress=False)


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _kill_one(setting: Setting, document: Any, sounds: Path, rng: random.Random, turn: int) -> list[str]:
    """Begin an ingest, kill what its turn says, and return what went wrong."""
    supervisor = begin(_ingest, setting, document, sounds)
    before, deadline = len(document.database), time.monotonic() + _PATIENCE
    # workers take their time to start: wait for the first document of this run, then for a random moment
    while len(document.database) == before and _is_running(supervisor) and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(rng.uniform(0, 0.03))
    workers = children(supervisor)
    how = _HOW[turn % len(_HOW)]
    if how == "one worker" and workers:
        os.kill(rng.choice(workers), signal.SIGKILL)
        time.sleep(rng.uniform(0, 0.1))  # it is being replaced
    (os.killpg if how == "all at once" else os.kill)(supervisor, signal.SIGKILL)
    os.waitpid(supervisor, 0)
    while any(map(_is_running, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    left = [pid for pid in workers if _is_running(pid)]
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return [f"a worker still ran {_PATIENCE:.0f} s after its supervisor was killed"] if left else []


def _run(setting: Setting) -> Result:
    sounds, rng, result = setting.folder / "sounds", random.Random(setting.seed), Result()
    sounds.mkdir()
    undisturbed = kept_in(ff.InMemoryDatabase(), Sound)
    for number in range(_SOUNDS):
        path = sound_file(sounds, number, 0, 4000 if number % 3 else LARGE)
        undisturbed.process(_id=str(path), meta=str(path))
    truth = {_id: content(undisturbed, _id) for _id in undisturbed.database}
    document, there = stored_in(setting.folder / "store", Sound), 0
    for turn in range(setting.size):
        result.losses += _kill_one(setting, document, sounds, rng, turn)
        found = set(document.database)
        there += len(found)
        result.losses += _compare(document, found, truth, f"after kill {turn}")
        for _id in found if turn % 3 == 2 else ():  # begin anew, now and then
            document.delete(_id)
    # a sound whose workers were killed twice from outside is in quarantine
    report = ingest(Directory(sounds), document, workers=_WORKERS, retry_failed=True, progress=False)
    rest = sorted(set(truth) - set(document.database))
    result.losses += [f"the last run left out {_id}: {report}" for _id in rest][:3]
    result.losses += _compare(document, set(document.database), truth, "at the end")
    document.database.collect_garbage()
    result.losses += [f"left after gc: {name}" for name in leftovers(document.database)]
    result.figures = {"documents found after kills": there, "stored in the end": len(document.database)}
    document.database.close()
    return result


def _compare(document: Any, ids: set[str], truth: dict[str, dict[str, str]], when: str) -> list[str]:
    losses = []
    for _id in sorted(ids):
        values = content(document, _id)
        if values != truth[_id]:
            missing = ", ".join(name for name, value in values.items() if not value)
            losses.append(f"{when}: {Path(_id).name} " + (f"lacks {missing}" if missing else "differs"))
    return losses


FAULTS = [
    Fault(
        "kill -9 of an ingest with 2 workers, or of one of them",
        6,
        "kills",
        "half documents 0, workers end with their supervisor, a rerun completes, orphans 0 after gc",
        _run,
        ("commit_per_feature",),
        12,
    )
]
