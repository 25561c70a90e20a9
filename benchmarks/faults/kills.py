"""Writers are killed with -9 at random moments: what was acknowledged is there, and nothing is half there.

Half of the moments are drawn evenly over a few documents' lives, half inside a phase that is drawn first (computing,
writing a blob, committing, removing what was replaced), so that the short phases are hit too.
"""

import mmap
import random
import statistics
import time
from collections import Counter
from itertools import product
from typing import Any

from benchmarks.faults import broken
from benchmarks.faults._documents import Sound, content, kept_in, leftovers, stored_in
from benchmarks.faults._forked import forked
from benchmarks.faults._killed import ATTEMPTS, PHASES, Truth, Writer, pause
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite import featureflow as ff

__all__ = ["FAULTS"]

_PROMISE = (
    "acknowledged lost 0, half documents 0, resume completes, final store equals an uninterrupted one by content hash, "
    "orphans 0 after gc"
)
_TOGETHER = 10
"""With several writers, one kill in ten takes all of them at once."""
_COLLECTED = 2
"""After every other kill, garbage is collected while the other writers go on."""
_WAIT = 0.1
"""Seconds for which one writer of several keeps finished blobs before it commits: long enough for a collector."""


def _uninterrupted(writers: list[Writer]) -> Truth:
    """What each attempt of each document must be: from a store that nobody disturbed."""
    document = kept_in(ff.InMemoryDatabase(), Sound)
    truth: Truth = {}
    for writer in writers:
        for index, attempt in product(range(writer.count), range(ATTEMPTS)):
            key = writer.key(index, attempt)
            _id = document.process(_id=str(key), meta=str(writer.source(index, attempt)))
            truth[key] = content(document, _id)
    return truth


def _life(writers: list[Writer]) -> float:
    """Seconds in which a fresh writer is sure to have done something."""
    began = time.monotonic()
    for writer in writers:
        writer.start(until=len(writer.ids()))
    problems = [writer.finish() for writer in writers]
    if any(problems):
        raise RuntimeError(f"a writer that nobody killed ended with {problems}")
    return 3 * (time.monotonic() - began) / len(writers[0].ids())


def _kills(setting: Setting, count: int) -> Result:
    sounds = setting.folder / "sounds"
    sounds.mkdir()
    document, phases = stored_in(setting.folder / "store", Sound), mmap.mmap(-1, mmap.PAGESIZE)
    shared = ("shared/0", "shared/1") if count > 1 else ()
    documents = 6 if setting.size > 10 else 4
    # half of the writers commit three documents at a time
    writers = [
        Writer(n, document, sounds, phases, 3 if n % 2 else 1, documents, shared, setting.broken) for n in range(count)
    ]
    truth = _uninterrupted(writers)
    result, hit, times = Result(), Counter[str](), []
    rng, life = random.Random(setting.seed), _life(writers)
    writers[-1].wait = _WAIT if count > 1 else 0.0
    for writer in writers:
        writer.start()
    while sum(hit.values()) < setting.size:
        together = count > 1 and rng.randrange(_TOGETHER) == 0
        chosen = writers if together else [rng.choice(writers)]
        pause(chosen[0], rng, life)
        hit.update([writer.kill() for writer in chosen])
        began = time.monotonic()
        result.losses += [loss for writer in chosen for loss in writer.check(truth)]
        times.append(time.monotonic() - began)
        if rng.randrange(_COLLECTED) == 0:
            result.losses += _collect(document, setting.broken)  # while the others write
        for writer in chosen:
            writer.start()
    for writer in writers:
        hit[writer.kill()] += 0
    _finish(setting, document, writers, truth, result)
    result.figures = {
        "acknowledged": sum(writer.acknowledged for writer in writers),
        "lost or half": len(result.losses),
        **{f"kills in {phase}": hit[phase] for phase in PHASES},
        "ms for a check": round(1000 * statistics.median(times)),
    }
    return result


def _collect(document: Any, defect: str | None) -> list[str]:
    """Collect garbage in a child, which may be broken."""

    def collect() -> int:
        broken.apply(defect)
        return int(document.database.collect_garbage().blobs)

    ended = forked(collect)
    return [f"garbage could not be collected: {ended.failure}"] if ended.failure else []


def _finish(setting: Setting, document: Any, writers: list[Writer], truth: Truth, result: Result) -> None:
    """Resume to the end, and compare the whole store with the uninterrupted one."""
    for writer in writers:
        result.losses += writer.check(truth)
        whole = ATTEMPTS * len([*writer.ids(), *writer.shared])
        # up to the end of a round in which nothing is deleted
        until = (writer.acknowledged // whole + 1) * whole - whole // ATTEMPTS
        until += whole if until <= writer.acknowledged + writer.batch else 0
        writer.start(until)
    for writer in writers:
        problem = writer.finish()
        if problem:
            result.losses.append(f"writer {writer.number} did not resume: {problem}")
        result.losses += writer.check(truth)
    wanted = {_id for writer in writers for _id in [*writer.ids(), *writer.shared]}
    if set(document.database) != wanted:
        result.losses.append(f"the store holds other documents: {sorted(set(document.database) ^ wanted)}")
    for writer in writers:
        differing = [_id for _id in writer.ids() if writer.states[_id] != ATTEMPTS - 2]
        result.losses += [f"{_id} differs from the uninterrupted store" for _id in differing]
    for _id in writers[0].shared:
        if all(writer.found(_id, index, truth)[1] for writer in writers for index in range(writer.count)):
            result.losses.append(f"{_id} equals no attempt of any writer")
    document.database.collect_garbage()
    result.losses += [f"left after gc: {name}" for name in leftovers(document.database)]
    document.database.close()


def _one(setting: Setting) -> Result:
    return _kills(setting, 1)


def _four(setting: Setting) -> Result:
    return _kills(setting, 4)


FAULTS = [
    Fault(
        "kill -9 during process, 1 writer",
        100,
        "kills",
        _PROMISE,
        _one,
        ("commit_per_feature", "acknowledge_early"),
        20,
    ),
    Fault(
        "kill -9 during process, 4 writers", 100, "kills", _PROMISE, _four, ("commit_per_feature", "leases_ignored"), 30
    ),
]
