"""Ids that have broken stores: each comes back exactly, or is refused with a typed error, and no file lies outside.

They go through the stores themselves, through documents, through ``ingest`` and through the ledger of failed documents.
"""

from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.faults import broken
from benchmarks.faults._documents import kept_in
from benchmarks.faults.table import Fault, Result, Setting
from zounds_lite import featureflow as ff
from zounds_lite.datasets import ingest
from zounds_lite.errors import InvalidId, KeyNotFound
from zounds_lite.featureflow.ledger import read_failures
from zounds_lite.featureflow.record import Entry, Record

__all__ = ["FAULTS", "NASTY"]

NASTY = [
    "a", "A", " ", "0", "-", "--help", "*", "%2e%2e%2f", "$(id)", "|", "'", '"', "C:\\windows\\nul", "con", ".", "..",
    "../..", "../outside", "../../outside", "../../../outside", "../../../../outside", "../../../../../outside", "/",
    "/tmp", "a/", "a/../a", "blobs", "format.json", "lock", "data.mdb", "http://example.org/a:b/c.ogg?x=1&y=%20#z",
    "with\nnewline\r\n\ttab", "\n", "\0", "with\0zero", " leading and trailing ", "\u00e9", "e\u0301", "\u212b",
    "\u00c5", "\ufeff", "\u202edetrevni", "\U0001f3b5" * 50, "\ud800", "\udfff lone", "\ud83c\udfb5", "None", "i", "h",
    "x" * 255, "x" * 399, "x" * 400, "x" * 401, "x" * 511, "x" * 512, "y" * 100_000, "y" * 100_001, "\u4e2d" * 100_000,
    "\u4e2d" * 133, "\u4e2d" * 134,
]  # fmt: skip
"""Sixty: paths, devices, options, other alphabets and encodings, and lengths around every limit."""

_REFUSED: list[Any] = ["", None, 7, 1.5, b"bytes", ["a"], True]
_EXAMPLES = 1
"""Examples of hypothesis for each store, times the number of nasty ids."""


class _Named(ff.Node):
    """Yields which document it is; raises for every other one."""

    def _process(self, item: Any) -> Iterator[Any]:
        if item["fails"]:
            raise ValueError(f"this one fails, number {item['number']}")
        yield item["number"]


class _Document(ff.BaseModel):
    spec = ff.Feature(ff.Node, store=False)
    number = ff.JSONFeature(_Named, needs=spec, store=True)


def _stores(inside: Path) -> Iterator[tuple[str, Any]]:
    yield "memory", ff.InMemoryDatabase()
    yield "files", ff.FileSystemDatabase(inside / "files", createdirs=True)
    yield "lmdb", ff.LmdbDatabase(inside / "lmdb", map_size=1 << 20)


def _record(_id: str, number: int) -> bytes:
    data = str(number).encode()
    return Record(_id, entries={"n": Entry("lineage", "source", "text/plain", {}, len(data), data=data)}).to_bytes()


class _Checks:
    """Runs checks, and keeps what failed in words."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.losses: list[str] = []

    def that(self, _id: Any, what: str, check: Callable[[], bool]) -> None:
        shown = repr(_id) if len(repr(_id)) < 60 else f"{repr(_id)[:40]}... ({len(_id)} characters)"
        try:
            if not check():
                self.losses.append(f"{self.name}: {shown}: {what}")
        except Exception as error:  # noqa: BLE001 - whatever it is, it is reported
            self.losses.append(f"{self.name}: {shown}: {what}: {error!r}"[:300])


def _records(database: Any, ids: list[str], checks: _Checks) -> None:
    """Each id has a record of its own, also where ids differ in nothing but their last character or their accents."""
    put = {_id: partial(_change, _record(_id, number)) for number, _id in enumerate(ids)}
    checks.that("all ids", "cannot be written", lambda: database.change(put) is None)
    for number, _id in enumerate(ids):
        checks.that(_id, "does not come back", lambda i=_id, n=number: database.get(i) == _record(i, n))
        checks.that(_id, "is another document's", lambda i=_id: database.read(i).id == i)
    checks.that("all ids", "are not what an iteration yields", lambda: sorted(database) == sorted(set(ids)))
    checks.that("all ids", "cannot be deleted", lambda: database.change(dict.fromkeys(ids, _delete)) is None)
    checks.that("all ids", "were deleted, and some are left", lambda: len(database) == 0 and not list(database))


def _change(record: bytes, old: bytes | None) -> bytes:
    return record


def _delete(old: bytes | None) -> None:
    return None


def _documents(document: Any, ids: list[str], checks: _Checks) -> None:
    """The same through documents, ingest and the ledger."""
    for number, _id in enumerate(ids):
        item = {"number": number, "fails": False}
        checks.that(_id, "is processed as another id", lambda i=_id, x=item: document.process(_id=i, spec=x) == i)
        checks.that(_id, "reads wrongly", lambda i=_id, n=number: document(i).number == n and document.exists(i))
        checks.that(_id, "cannot be deleted", lambda i=_id: (document.delete(i), not document.exists(i))[1])
    items = [{"number": number, "fails": number % 2 == 1} for number in range(len(ids))]
    options: Any = {"root": "spec", "progress": False, "id_of": lambda item: ids[item["number"]]}
    report = ingest(items, document, **options)
    checks.that("all ids", "ingest has others", lambda: sorted(report.processed) == sorted(ids[::2]))
    checks.that("all ids", "ingest failed on others", lambda: sorted(f.id for f in report.failed) == sorted(ids[1::2]))
    ledger = {entry.id: entry.reason for entry in read_failures(document.database)}
    for number, _id in enumerate(ids):
        if number % 2:
            checks.that(_id, "has no reason in the ledger", lambda i=_id, n=number: f"number {n}" in ledger[i])
        else:
            checks.that(_id, "was not ingested", lambda i=_id, n=number: document(i).number == n)
    checks.that("all ids", "the ledger names others", lambda: sorted(ledger) == sorted(ids[1::2]))


def _refused(document: Any, checks: _Checks) -> None:
    for _id in _REFUSED:
        actions: list[tuple[str, Callable[[Any], Any]]] = [
            ("put", lambda i: document.database.put(i, _record("a", 0))),
            ("process", lambda i: document.process(_id=i, spec={"number": 0, "fails": False})),
        ]
        for name, action in actions:
            checks.that(_id, f"{name} takes what is no id", lambda i=_id, a=action: _raises(InvalidId, a, i))
    missing: Any = "no such document"
    checks.that(missing, "reads", lambda: _raises(KeyNotFound, document.database.read, missing))


def _raises(error: type[Exception], action: Callable[[Any], Any], argument: Any) -> bool:
    try:
        action(argument)
    except error:
        return True
    return False


def _searched(databases: list[tuple[str, Any]], examples: int, seed: int) -> list[str]:
    """What hypothesis finds: any list of ids that a store mixes up; the smallest one of each store."""
    import hypothesis

    from zounds_lite.testing.strategies import ids

    given = hypothesis.given(hypothesis.strategies.lists(ids(), min_size=1, max_size=4, unique=True))
    settings = hypothesis.settings(max_examples=examples, deadline=None, database=None)
    losses = []
    for name, database in databases:
        try:
            hypothesis.seed(seed)(settings(given(_example(name, database))))()
        except Exception as error:  # noqa: BLE001 - the smallest example that hypothesis found
            losses.append(f"hypothesis: {name}: {error}"[:300])
    return losses


def _example(name: str, database: Any) -> Callable[[list[str]], None]:
    def check(found: list[str]) -> None:
        checks = _Checks(name)
        for _id in list(database):
            del database[_id]
        _records(database, found, checks)
        assert not checks.losses, checks.losses[0]

    return check


def _files(folder: Path, inside: Path) -> set[str]:
    """Whatever lies in ``folder``, but outside the stores."""
    return {
        str(path) for path in folder.rglob("*") if inside not in (path, *path.parents) and path not in inside.parents
    }


def _run(setting: Setting) -> Result:
    if not find_spec("hypothesis"):
        return Result({"missing": "hypothesis"}, ran=False)
    broken.apply(setting.broken)
    inside = setting.folder / "a" / "b" / "c" / "d" / "e" / "f" / "stores"
    inside.mkdir(parents=True)
    ids = [str(setting.folder / "absolute"), *NASTY[: setting.size - 1]]
    result, examples = Result(), _EXAMPLES * setting.size
    stores = list(_stores(inside))
    for name, database in stores:
        checks, document = _Checks(name), kept_in(database, _Document)
        _records(database, ids, checks)
        _documents(document, ids, checks)
        _refused(document, checks)
        result.losses += checks.losses
    result.losses += _searched(stores, examples, setting.seed)
    result.losses += [f"a file outside the store: {path}" for path in sorted(_files(setting.folder, inside))]
    for _, database in stores:
        database.close()
    result.figures = {"ids": len(ids), "stores": len(stores), "examples of hypothesis": examples * len(stores)}
    return result


FAULTS = [
    Fault(
        "ids",
        60,
        "nasty ids x 3 stores, and hypothesis",
        "exact round trip or typed error; nothing outside the store's folder",
        _run,
        ("ids_as_paths",),
        30,
    )
]
