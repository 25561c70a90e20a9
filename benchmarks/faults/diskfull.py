"""Full disks: the space ends at twenty different points, and comes back while the process goes on.

Each point runs in a child: some documents are stored, the disk is filled, work goes on until it is refused, everything
that was acknowledged is read (in this process and in another), the space is freed, and what was refused is done again.
The disk is a small tmpfs where the user may mount one, a limit on the size of files, or a call that fails (``writelog``
compiled and loaded), for places that no real disk reaches at will, such as the meta page of LMDB.
"""

import errno
import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults import _writer, broken
from benchmarks.faults._compiled import preloaded, write_log
from benchmarks.faults._forked import all_forked, forked
from benchmarks.faults._smalldisk import FailingCall, SizeLimit, Tmpfs, can_fail, can_mount
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite.datasets import ingest
from zounds_lite.errors import StoreFull, ZoundsError

_PAGE = 4096
_TRIES = 400

Plans = dict[str, tuple[int, int]]

POINTS: list[tuple[str, str, Callable[[Path], Any], Callable[[Path], Any]]] = [
    # where it ends, what is done there; the disk, and a limit on sizes for those who may not mount
    ("before LMDB opens", "open", partial(Tmpfs, free=0), partial(SizeLimit, free=0)),
    ("while LMDB opens", "open", partial(Tmpfs, free=3 * _PAGE), partial(SizeLimit, free=_PAGE)),
    ("when LMDB has its lock file", "open", partial(Tmpfs, free=21 * _PAGE), partial(SizeLimit, free=80_000)),
    ("when LMDB opens again", "reopen", partial(Tmpfs, free=0), partial(SizeLimit, free=0)),
    ("at a record, nothing free", "small", partial(Tmpfs, free=0), partial(SizeLimit, free=0)),
    ("at a record, a page free", "small", partial(Tmpfs, free=_PAGE), partial(SizeLimit, free=_PAGE)),
    ("at a record, some pages free", "small", partial(Tmpfs, free=5 * _PAGE), partial(SizeLimit, free=5 * _PAGE)),
    ("at a batch", "batch", partial(Tmpfs, free=10 * _PAGE), partial(SizeLimit, free=10 * _PAGE)),
    ("at the first byte of a blob", "large", partial(Tmpfs, free=0), partial(SizeLimit, free=0)),
    ("within a blob", "large", partial(Tmpfs, free=600_000), partial(SizeLimit, free=600_000)),
    ("after a blob", "large", partial(Tmpfs, free=1_236_000), partial(SizeLimit, free=1_100_000)),
    ("in a batch with blobs", "mixed", partial(Tmpfs, free=3_000_000), partial(SizeLimit, free=900_000)),
    ("while the map grows", "middle", partial(Tmpfs, free=1_500_000), partial(SizeLimit, free=1_500_000)),
    ("in the ledger", "ledger", partial(Tmpfs, free=8 * _PAGE), partial(SizeLimit, free=8 * _PAGE)),
    ("during an ingest", "ingest", partial(Tmpfs, free=30 * _PAGE), partial(SizeLimit, free=30 * _PAGE)),
    ("at a limit of file sizes, record", "small", partial(SizeLimit, free=_PAGE), partial(SizeLimit, free=_PAGE)),
    ("at a limit of file sizes, blob", "large", partial(SizeLimit, free=400_000), partial(SizeLimit, free=400_000)),
    ("at LMDB's meta page", "small", lambda path: FailingCall("W", "data.mdb", below=2 * _PAGE),
     partial(SizeLimit, free=2 * _PAGE)),
    ("when data are synced", "batch", lambda path: FailingCall("D", "data.mdb", error=errno.EDQUOT),
     partial(SizeLimit, free=3 * _PAGE)),
    ("when a blob is synced", "large", lambda path: FailingCall("S", ".blob", error=errno.EDQUOT),
     partial(SizeLimit, free=1_000_000)),
]  # fmt: skip


class _Point:
    """One point: a store, a disk, and what was acknowledged."""

    def __init__(self, folder: Path, kind: str, disk: Any, seed: int) -> None:
        self.path = folder / "store"
        self.kind = kind
        self.disk = disk
        self.rng = random.Random(seed)
        self.acknowledged: Plans = {}
        self.failures: dict[str, int] = {}
        self.count = 0
        self.losses: list[str] = []
        self.cls: Any = None

    def open(self) -> None:
        self.cls = _writer.document(_writer.store(str(self.path), "full"))

    def _new(self, *rows: int) -> Plans:
        self.count += 1
        return {f"doc{self.count}.{i}": (self.count, n) for i, n in enumerate(rows)}

    def step(self, kind: str) -> _writer.Step:
        """What is to be done at once: the same again until it succeeds."""
        small, middle, large = _writer.SMALL, _writer.MIDDLE, _writer.LARGE
        if kind == "ledger":
            self.count += 1
            return _writer.Step(failures={f"bad{self.count}.{i}": self.count for i in range(40)})
        rows = {"batch": [small] * 6, "large": [large], "mixed": [large, small, large], "middle": [middle] * 3}
        plans = self._new(*rows.get(kind, [small]))
        if kind == "small" and self.count % 3 == 0 and self.acknowledged:  # an old one again
            plans = {self.rng.choice(sorted(self.acknowledged)): (self.count, small)}
        return _writer.Step(plans)

    def do(self, step: _writer.Step) -> bool:
        """Do it; False where the store was full."""
        try:
            if self.cls is None:
                self.open()
            if self.kind == "ingest" and len(step.puts) > 1:
                self._ingest(step)
            else:
                _writer.commit(self.cls, step)
        except StoreFull as error:
            # an ingest commits in batches, and says in its report what it acknowledged
            for _id in getattr(getattr(error, "report", None), "processed", []):
                self.acknowledged[_id] = step.puts[_id]
            return False
        self.acknowledged.update(step.puts)
        self.failures.update(step.failures)
        return True

    def _ingest(self, step: _writer.Step) -> None:
        items = [_writer.inputs(_id, *plan)["plan"] for _id, plan in step.puts.items()]
        report = ingest(items, self.cls, progress=False, id_of=lambda item: item[0]["id"], root="plan")
        self.losses += [f"{failure.id} failed: {failure.reason}" for failure in report.failed]

    def work(self) -> _writer.Step | None:
        """Work until the store is full, and some more; return what was refused."""
        refused = None
        kind = {"open": "small", "reopen": "small"}.get(self.kind, self.kind)
        for _ in range(_TRIES):
            step = _writer.Step(self._new(*[_writer.SMALL] * 120)) if kind == "ingest" else self.step(kind)
            if not self.do(step):
                refused = step
                break
        for other in ("small", "large", "ledger", "small") if refused else ():
            self.do(self.step(other))
        return refused

    def check(self, when: str) -> None:
        """Read all that was acknowledged, here and in another process."""
        for where, found in (("", self.read()), (" in another process", forked(self.read).value)):
            self.losses += [f"{when}{where}: {words}" for words in found or []]
            if found is None:
                self.losses.append(f"{when}{where}: it could not be read")

    def read(self) -> list[str]:
        if self.cls is None:
            return []
        bad = [f"{_id}: not as it was acknowledged" for _id in self.acknowledged if not self._is_there(_id)]
        bad += [f"{_id} is not in the ledger" for _id in self.failures if not self.cls.database.get_failure(_id)]
        return bad

    def _is_there(self, _id: str) -> bool:
        version, rows = self.acknowledged[_id]
        try:
            found = self.cls(_id)
            same = np.array_equal(np.array(found.rows), _writer.array(_id, version, rows))
            return bool(same and found.plan["version"] == version and found.words == _writer.words(_id, version))
        except ZoundsError:
            return False

    def run(self) -> dict[str, Any]:
        if self.kind != "open":
            for kind in ("small", "large", "batch", "small", "ledger"):
                self.do(self.step(kind))
        if self.kind == "reopen":
            self.cls.database.close()
        before = len(self.acknowledged)
        self.disk.fill(self.path)
        refused = self.work()
        self.check("while it was full")
        self.disk.empty()
        for again in [refused] if refused else []:
            if not self.do(again):
                self.losses.append("still full after space was freed")
        self.do(self.step("large"))
        self.check("after space was freed")
        self._collect()
        if refused is None and not self.losses:
            self.losses.append("the disk was never full")
        return {"losses": self.losses, "while full": len(self.acknowledged) - before}

    def _collect(self) -> None:
        self.cls.database.collect_garbage()
        named = {name for _id in self.cls.database for name in self.cls.database.read(_id).blobs}
        left = {name for name, _ in self.cls.database.iter_blobs()} ^ named
        aside = [path.name for path in self.path.rglob("*.part")]
        if left or aside:
            self.losses.append(f"gc left {len(left)} blobs and {aside}")
        self.check("after gc")


def _one(folder: Path, number: int, seed: int, mounts: bool, fails: bool, defect: str | None) -> dict[str, Any]:
    broken.apply(defect)
    folder.mkdir()
    _, kind, first, otherwise = POINTS[number % len(POINTS)]
    is_call = not isinstance(first, partial)
    disk = first(folder) if (fails if is_call else mounts) else otherwise(folder)
    return _Point(folder, kind, disk, seed + number).run()


def main() -> None:
    """Run the points, in the environment that the row made; the last line that is printed is what was found."""
    folder, size, seed, *defect = sys.argv[1:]
    root = Path(folder)
    mounts, fails = can_mount(root), can_fail()
    losses, acknowledged = [], 0

    def tasks() -> Iterator[Callable[[], Any]]:
        for number in range(int(size)):
            arguments = root / str(number), number, int(seed), mounts, fails, *(defect or [None])
            yield partial(_one, *arguments)

    for number, ended in enumerate(all_forked(tasks(), 90.0)):
        words = [ended.failure] if ended.failure else ended.value["losses"]
        losses += [f"{POINTS[number % len(POINTS)][0]}: {word}" for word in words]
        acknowledged += 0 if ended.failure else ended.value["while full"]
    figures = {"points": int(size), "on a tmpfs": "yes" if mounts else "no", "failing calls": "yes" if fails else "no",
               "acknowledged while full": acknowledged, "losses": len(losses)}  # fmt: skip
    print(json.dumps({"figures": figures, "losses": losses}))


def _run(setting: Setting) -> Result:
    root = setting.folder.resolve() / "disks"
    root.mkdir()
    library = write_log(setting.folder)
    command = [sys.executable, "-m", "benchmarks.faults.diskfull", str(root), str(setting.size), str(setting.seed)]
    command += [setting.broken] if setting.broken else []
    environment = preloaded(library, root) if library else dict(os.environ)
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    if ended.returncode:
        raise RuntimeError(ended.stderr[-2000:])
    found = json.loads(ended.stdout.splitlines()[-1])
    return Result(found["figures"], found["losses"])


FAULTS = [
    Fault(
        name="disk full",
        size=20,
        unit="points",
        promise="process alive, typed StoreFull only, all acknowledged readable, works after space is freed, gc clean",
        run=_run,
        broken=("swallow_full",),
        prove_size=8,
    )
]

if __name__ == "__main__":
    main()
