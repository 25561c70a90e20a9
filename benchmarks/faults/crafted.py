"""Crafted stores: each is opened, verified and read in a child that may hardly allocate, and nothing stored may run.

The child's private memory is capped at 64 MiB more than it had; what it raises must be one of the library's errors.
``_crafted_*`` hold the stores; beyond their number, records are scrambled at random.
"""

import importlib.util
import io
import logging
import resource
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.faults import _crafted_arrays, _crafted_records, _crafted_values, _draft, _stock, broken
from benchmarks.faults._forked import all_forked, forked
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite.errors import ZoundsError
from zounds_lite.featureflow.stores.verification import verify

_MODULES = (_crafted_arrays, _crafted_records, _crafted_values)
"""Their cases register themselves."""

_CAP = 64 << 20
_LIMIT = 20.0


def _cap_memory() -> None:
    """Refuse more private memory than 64 MiB above what there is; maps of files do not count."""
    lines = Path("/proc/self/status").read_text().splitlines()
    used = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData:"))
    resource.setrlimit(resource.RLIMIT_DATA, (used + _CAP, used + _CAP))


class _Reader:
    """Does everything that one can do with a store, and notes what came of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.typed = 0
        self.done = 0
        self.other: list[str] = []

    def attempt(self, what: str, action: Callable[[], Any]) -> Any:
        try:
            found = action()
            self.done += 1
            return found
        except ZoundsError:
            self.typed += 1
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            self.other.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
        return None

    def read(self) -> None:
        self.attempt("verify", lambda: list(verify(self.path)))
        cls = self.attempt("open", lambda: _stock.bound(self.path))
        if cls is None:
            return
        database = cls.database
        self.attempt("verify", lambda: list(verify(database)))
        ids = self.attempt("ids", lambda: list(database)) or []
        self.attempt("ledger", lambda: list(database.iter_failures()))
        self.attempt("random", database.random_id)
        for _id in ids:
            self._document(cls, _id)
        self.attempt("gc", database.collect_garbage)
        for _id in ids[:12]:
            self.attempt("update", partial(cls.update, _id))
            self.attempt("replace", partial(cls.process, _id=_id, plan=[{"number": 1, "samples": 400}], raw=b"x"))
            self.attempt("read again", partial(getattr, cls(_id), "facts"))
            self.attempt("delete", partial(cls.delete, _id))

    def _document(self, cls: Any, _id: str) -> None:
        document = cls(_id)
        if self.attempt(f"the record of {_id[:20]!r}", partial(cls.database.read, _id)) is None:
            self.attempt("a feature", lambda: document.words)
            return
        for name in _stock.FEATURES[:-1]:
            feature = cls.features[name]
            value = self.attempt(f"{name} of {_id[:20]!r}", partial(getattr, document, name))
            if isinstance(value, np.ndarray) and value.nbytes < 10_000_000:
                self.attempt(f"copy of {name}", partial(np.array, value))
            self.attempt(f"repr of {name}", partial(repr, value))
            self.attempt(f"explain {name}", partial(cls.explain, _id, feature))
            self.attempt(f"chunks of {name} of {_id[:20]!r}", partial(_chunks, document, feature))
            self.attempt(f"exists {name}", partial(cls.exists, _id, name if feature.store else None))
        self.attempt("sources", lambda: document.source_changed)
        self.attempt("marks", lambda: document.marks)
        self.attempt("kept", lambda: (document.open_source("raw") or io.BytesIO()).read())


def _chunks(document: Any, feature: Any) -> int:
    """Read a stored value in pieces, without keeping them."""
    value = document._read(lambda snapshot: snapshot.stored(feature)) if feature.store else None
    return 0 if value is None else sum(1 for _ in feature.chunks(value))


def _examine(path: Path, defect: str | None) -> dict[str, Any]:
    broken.apply(defect)
    logging.disable()
    reader = _Reader(path)
    _cap_memory()
    reader.read()
    ran = (path.parent / "canary").exists() or _draft.CANARY in sys.modules
    return {"typed": reader.typed, "done": reader.done, "other": reader.other, "ran": ran}


def _craft(number: int, path: Path, seed: int) -> None:
    cases = list(_draft.CASES.values())
    store = _draft.Store(path)
    if number < len(cases):
        cases[number](store)
    else:
        _crafted_records.scramble(store, seed + number)


def _run(setting: Setting) -> Result:
    assert importlib.util.find_spec(_draft.CANARY) and _draft.CANARY not in sys.modules
    good = setting.folder.resolve() / "good"
    names = list(_draft.CASES)
    made = forked(partial(_draft.make, good))
    if made.failure:
        raise RuntimeError(made.failure)

    def tasks() -> Iterator[Callable[[], Any]]:
        for number in range(setting.size):
            path = setting.folder.resolve() / str(number) / "store"
            shutil.copytree(good, path)
            crafted = forked(partial(_craft, number, path, setting.seed))
            if crafted.failure:
                raise RuntimeError(f"{number}: {crafted.failure}")
            yield partial(_examine, path, setting.broken)

    figures = {"code run": 0, "over the cap or untyped": 0, "ended": 0, "typed refusals": 0}
    losses = []
    for number, ended in enumerate(all_forked(tasks(), _LIMIT)):
        name = names[number] if number < len(names) else f"scrambled {number}"
        shutil.rmtree(setting.folder / str(number))
        if ended.failure:
            figures["ended"] += 1
            losses.append(f"{name}: {ended.failure}")
            continue
        found = ended.value
        figures["code run"] += found["ran"]
        figures["over the cap or untyped"] += len(found["other"])
        figures["typed refusals"] += found["typed"]
        losses += [f"{name}: stored bytes were run"] if found["ran"] else []
        losses += [f"{name}: {words}" for words in found["other"]]
    return Result(figures, losses)


FAULTS = [
    Fault(
        name="crafted stores",
        size=len(_draft.CASES),
        unit="stores",
        promise="no code run, no allocation over 64 MiB, typed errors only",
        run=_run,
        broken=("trusting",),
        prove_size=12,
    )
]
