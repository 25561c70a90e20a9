"""Rows on disk: the codes or vectors of many documents in one file, and a catalogue of whose they are.

Goal: rows of any number are searched where they lie, through a read-only memory map; documents come, change and go one
at a time or many at once, all of a change or nothing; many processes read while one writes. Conventions:

- ``rows-N.bin`` holds the rows one after the other, little-endian, and only grows. Whoever writes appends behind the
  rows that are committed, makes them durable, and then commits the catalogue; what was appended without a commit is
  overwritten by the next writer. LMDB lets one writer in at a time.
- The catalogue is an LMDB environment like that of a store. Sub-databases: ``search`` (what the folder is, and the
  state: committed rows, next number), ``ids`` (hash of an id -> number), ``spans`` (number -> first row, rows, xxh3 of
  the rows), ``documents`` (number -> id, what made it, its times), ``extras`` (number and row -> bytes).
- Documents are numbered as they come, and a number is never used again. The rows of a document that is gone are dead:
  nothing finds them, and ``compact`` writes a new file without them. Nothing stored is ever executed.

Class: ``RowStore``; what is written into it is in ``entries``.
"""

import json
import os
import struct
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from zounds_lite.errors import CorruptValue, KeyNotFound, StoreFormatError
from zounds_lite.featureflow.stores.environment import Environment
from zounds_lite.index.entries import Document, checksum, hashed, in_words, read_header, shape_of
from zounds_lite.index.rowfile import RowFiles
from zounds_lite.index.view import IndexView

__all__ = ["RowStore"]

_FORMAT = 1
_DATABASES = (b"search", b"ids", b"spans", b"documents", b"extras")
_NUMBER, _SPAN, _EXTRA = struct.Struct(">Q"), struct.Struct("<QQQ"), struct.Struct(">QI")
_TRIES = 20
_MOST_CACHED = 10_000
_WORTH_IT = 1024 * 1024
_T = TypeVar("_T")

_EMPTY = {"generation": 0, "epoch": 0, "rows": 0, "dead": 0, "next": 0, "file": 0, "layout": None}


class RowStore:
    """A folder of rows.

    Args:
        path (Path): the folder; made where it is missing.
        subject (Mapping[str, Any]): what the rows are, strict JSON; a folder of other rows is refused.
        map_size (int): initial size of the catalogue's map in bytes; it grows by itself.

    Raises:
        StoreFormatError: the path is a file, or the folder holds something else, or rows of something else.
        StoreFull, StoreLocked: there is no room, or another program holds it.
    """

    def __init__(self, path: Path, subject: Mapping[str, Any], map_size: float = 10**9) -> None:
        self.path = Path(os.path.abspath(path))
        self.subject = dict(subject)
        self._lock = threading.Lock()
        self._view = IndexView()
        self._headers: dict[int, dict[str, Any]] = {}
        self._files = RowFiles(self.path)
        if self.path.exists() and not self.path.is_dir():
            raise StoreFormatError(f"{str(path)!r} is a file; an index is a folder: pass another path")
        self._refuse_others(int(map_size))
        about = json.dumps({"format": _FORMAT, **self.subject}, sort_keys=True).encode("utf-8")
        self._environment = Environment(
            self.path, int(map_size), _DATABASES,
            initial={name: {b"about": about} if name == b"search" else {} for name in _DATABASES},
        )  # fmt: skip
        self._check_subject()

    @property
    def map_size(self) -> int:
        """Initial size of the catalogue's map in bytes."""
        return self._environment.map_size

    def _refuse_others(self, map_size: int) -> None:
        """Refuse a folder with an environment that is not ours, before anything is made in it."""
        if not (self.path / "data.mdb").exists():
            return

        def names(txn: Any, databases: Mapping[bytes, Any]) -> set[bytes]:
            with txn.cursor() as cursor:
                return {key for key, _ in cursor}

        found = Environment(self.path, map_size, ()).run(names)
        if not set(_DATABASES) <= found:
            raise StoreFormatError(f"{str(self.path)!r} holds a store that is no index; pass another path")

    def _check_subject(self) -> None:
        raw = self._environment.run(lambda txn, db: txn.get(b"about", db=db[b"search"]))
        try:
            about = json.loads(raw or b"")
            version = about.pop("format")
        except (ValueError, AttributeError, KeyError, RecursionError) as error:
            raise StoreFormatError(f"{str(self.path)!r}: what the index says about itself is damaged") from error
        if version != _FORMAT:
            raise StoreFormatError(
                f"{str(self.path)!r} has index format {version!r}; this version reads {_FORMAT}: upgrade zounds_lite, "
                "or delete the folder and index again"
            )
        if about != self.subject:
            raise StoreFormatError(
                f"{str(self.path)!r} holds {in_words(about)}; asked for: {in_words(self.subject)}; pass another path"
            )

    # the state

    def _state(self, txn: Any, databases: Mapping[bytes, Any]) -> dict[str, Any]:
        raw = txn.get(b"state", db=databases[b"search"])
        if raw is None:
            return dict(_EMPTY)
        try:
            state = json.loads(bytes(raw))
            whole = state.keys() == _EMPTY.keys() and all(
                type(state[name]) is int and state[name] >= 0 for name in _EMPTY if name != "layout"
            )
        except (ValueError, AttributeError, RecursionError):
            whole = False
        if not whole:
            raise CorruptValue(f"the state of {str(self.path)!r} is damaged; delete the folder and index again")
        return dict(state)

    @property
    def layout(self) -> dict[str, Any] | None:
        """What a row is: ``dtype``, ``columns`` and what else the writer of the first row said; None before that."""
        layout: dict[str, Any] | None = self._environment.run(self._state)["layout"]
        return layout

    def __len__(self) -> int:
        state = self._environment.run(self._state)
        return int(state["rows"] - state["dead"])

    # reading

    def view(self) -> IndexView:
        """Return the rows as they are now; what other processes have committed is seen.

        Raises:
            CorruptValue: the index is damaged.
        """
        with self._lock:
            for _ in range(_TRIES):
                view = self._environment.run(self._refreshed)
                if view.rows is None and view.size:
                    try:
                        view = view.with_rows(self._mapped(view))
                    except FileNotFoundError:  # compacted meanwhile: look again
                        continue
                self._view = view
                return view
        raise CorruptValue(f"the file of rows of {str(self.path)!r} is missing; delete the folder and index again")

    def _refreshed(self, txn: Any, databases: Mapping[bytes, Any]) -> IndexView:
        """Return the last view if nothing changed, or one whose rows are still to be mapped."""
        state, old = self._state(txn, databases), self._view
        if old.generation == state["generation"]:
            return old
        is_longer = old.epoch == state["epoch"]
        numbers: list[int] = []
        spans: list[bytes] = []
        with txn.cursor(databases[b"spans"]) as cursor:
            after = _NUMBER.pack(int(old.numbers[-1]) + 1 if is_longer and len(old.numbers) else 0)
            if cursor.set_range(after):
                for key, value in cursor:
                    numbers.append(_NUMBER.unpack(key)[0])
                    spans.append(value)
        table = np.frombuffer(b"".join(spans), np.dtype("<u8")).reshape(-1, 3).astype(np.int64)
        known = old if is_longer else IndexView()
        return known.after(state, np.array(numbers, np.int64), table[:, 0], table[:, 1])

    def _mapped(self, view: IndexView) -> np.ndarray:
        """Map the file of rows."""
        dtype, columns = shape_of(view.layout, self.path)
        return self._files.map(view.file, dtype, view.size, columns)

    def header(self, number: int) -> dict[str, Any]:
        """Return what is kept beside the rows of a document.

        Raises:
            KeyNotFound: the document is gone.
        """
        found = self._headers.get(number)
        if found is None:
            found = self._read(b"documents", _NUMBER.pack(number), read_header)
            if len(self._headers) >= _MOST_CACHED:
                self._headers.clear()
            self._headers[number] = found
        return found

    def extra(self, number: int, row: int) -> bytes:
        """Return the bytes that are kept for a row of a document.

        Raises:
            KeyNotFound: they are gone.
        """
        return self._read(b"extras", _EXTRA.pack(number, row), bytes)

    def _read(self, table: bytes, key: bytes, convert: Callable[[bytes], _T]) -> _T:
        raw = self._environment.run(lambda txn, db: txn.get(key, db=db[table]))
        if raw is None:
            raise KeyNotFound(f"{str(self.path)!r} has no entry {key.hex()}; the document was deleted")
        return convert(raw)

    def documents(self) -> dict[str, tuple[int, dict[str, Any]]]:
        """Return number and header of each document, by its id."""

        def read(txn: Any, databases: Mapping[bytes, Any]) -> dict[str, tuple[int, dict[str, Any]]]:
            found = {}
            with txn.cursor(databases[b"documents"]) as cursor:
                for key, value in cursor:
                    header = read_header(value)
                    found[str(header["id"])] = (_NUMBER.unpack(key)[0], header)
            return found

        return self._environment.run(read)

    def find(self, _id: str) -> dict[str, Any] | None:
        """Return the header of a document; None where it is not here."""

        def read(txn: Any, databases: Mapping[bytes, Any]) -> bytes | None:
            number = txn.get(hashed(_id), db=databases[b"ids"])
            found: bytes | None = None if number is None else txn.get(number, db=databases[b"documents"])
            return found

        raw = self._environment.run(read)
        return None if raw is None else read_header(raw)

    def note(self, key: bytes) -> bytes | None:
        """Return bytes that were kept with ``change``."""
        found: bytes | None = self._environment.run(lambda txn, db: txn.get(b"note:" + key, db=db[b"search"]))
        return found

    # writing

    def append(self, rows: np.ndarray, layout: Mapping[str, Any], extras: Sequence[bytes]) -> None:
        """Append rows that belong to no document; ``extra(0, number of the row)`` gives their bytes."""

        def write(txn: Any, databases: Mapping[bytes, Any]) -> None:
            state = self._begun(txn, databases, layout)
            for row, data in enumerate(extras, state["rows"]):
                txn.put(_EXTRA.pack(*divmod(row, 2**32)), data, db=databases[b"extras"])
            self._write(state, [rows])
            self._finish(txn, databases, state)

        self._environment.run(write, write=True)

    def change(
        self,
        layout: Mapping[str, Any] | None = None,
        added: Iterable[Document] = (),
        removed: Iterable[str] = (),
        notes: Mapping[bytes, bytes] | None = None,
    ) -> None:
        """Add documents, each in place of the one of its id, and remove others: all of it or nothing, durably.

        Args:
            layout (Mapping | None): what a row is, strict JSON; needed where documents are added.
            added (Iterable[Document]): each id once.
            removed (Iterable[str]): ids; one that is not here is passed over.
            notes (Mapping[bytes, bytes] | None): bytes to keep under a name.

        Raises:
            StoreFormatError: the rows that are here are of another layout.
        """
        news, gone = list(added), list(removed)

        def write(txn: Any, databases: Mapping[bytes, Any]) -> None:
            state = self._begun(txn, databases, layout)
            for _id in [*gone, *(document.id for document in news)]:
                self._remove(txn, databases, state, _id)
            start = state["rows"]
            if any(len(document.rows) for document in news):
                self._write(state, [document.rows for document in news])
            for document in news:
                self._add(txn, databases, state, document, start)
                start += len(document.rows)
            for key, value in (notes or {}).items():
                txn.put(b"note:" + key, value, db=databases[b"search"])
            self._finish(txn, databases, state)

        self._environment.run(write, write=True)

    def clear(self) -> None:
        """Remove all documents and forget what a row is."""

        def write(txn: Any, databases: Mapping[bytes, Any]) -> int:
            state = self._state(txn, databases)
            for name in _DATABASES[1:]:
                txn.drop(databases[name], delete=False)
            state.update(rows=0, dead=0, layout=None, file=state["file"] + 1, epoch=state["epoch"] + 1)
            self._finish(txn, databases, state)
            return int(state["file"])

        self._files.remove_others(self._environment.run(write, write=True))

    def _begun(self, txn: Any, databases: Mapping[bytes, Any], layout: Mapping[str, Any] | None) -> dict[str, Any]:
        state = self._state(txn, databases)
        if layout is not None and state["layout"] not in (None, dict(layout)):
            raise StoreFormatError(
                f"{str(self.path)!r} holds {in_words(state['layout'])}; given: {in_words(layout)}; delete the folder "
                "and index again, or pass another path or version"
            )
        if layout is not None:
            state["layout"] = dict(layout)
        return state

    def _finish(self, txn: Any, databases: Mapping[bytes, Any], state: dict[str, Any]) -> None:
        state["generation"] += 1
        txn.put(b"state", json.dumps(state).encode("ascii"), db=databases[b"search"])

    def _add(
        self, txn: Any, databases: Mapping[bytes, Any], state: dict[str, Any], document: Document, start: int
    ) -> None:
        number, count = int(state["next"]), len(document.rows)
        key = _NUMBER.pack(number)
        digest = checksum(document.rows)
        header = json.dumps({**document.header, "id": document.id}, allow_nan=False).encode("ascii")
        txn.put(hashed(document.id), key, db=databases[b"ids"])
        txn.put(key, _SPAN.pack(start, count, digest), db=databases[b"spans"])
        txn.put(key, header, db=databases[b"documents"])
        for row, data in enumerate(document.extras):
            txn.put(_EXTRA.pack(number, row), data, db=databases[b"extras"])
        state["next"] = number + 1

    def _remove(self, txn: Any, databases: Mapping[bytes, Any], state: dict[str, Any], _id: str) -> None:
        key = txn.get(hashed(_id), db=databases[b"ids"])
        if key is None:
            return
        _, count, _ = _SPAN.unpack(txn.get(key, db=databases[b"spans"]))
        txn.delete(hashed(_id), db=databases[b"ids"])
        for name in (b"spans", b"documents"):
            txn.delete(key, db=databases[name])
        with txn.cursor(databases[b"extras"]) as cursor:
            there = cursor.set_range(key)
            while there and cursor.key()[: len(key)] == key:
                there = cursor.delete()
        state["dead"] += count
        state["epoch"] += 1

    def _write(self, state: dict[str, Any], parts: Sequence[np.ndarray]) -> None:
        """Write rows behind those that are committed."""
        dtype, columns = shape_of(state["layout"], self.path)
        self._files.write(state["file"], state["rows"] * columns * dtype.itemsize, parts)
        state["rows"] += sum(len(part) for part in parts)

    def compact(self) -> int:
        """Write the rows anew without those that are dead, and return how many these were."""

        def write(txn: Any, databases: Mapping[bytes, Any]) -> tuple[int, int]:
            state = self._state(txn, databases)
            if not state["dead"]:
                return int(state["file"]), 0
            dtype, columns = shape_of(state["layout"], self.path)
            rows = self._files.map(state["file"], dtype, state["rows"], columns)
            spans, at, number = self._spans(txn, databases), 0, state["file"] + 1
            for key, (_, count, digest) in spans.items():
                txn.put(key, _SPAN.pack(at, count, digest), db=databases[b"spans"])
                at += count
            self._files.write(number, 0, (rows[start : start + count] for start, count, _ in spans.values()))
            dead = state["rows"] - at
            state.update(rows=at, dead=0, file=number, epoch=state["epoch"] + 1)
            self._finish(txn, databases, state)
            return number, int(dead)

        number, dead = self._environment.run(write, write=True)
        self._files.remove_others(number)
        return dead

    def tidy(self) -> None:
        """Compact, where more rows are dead than alive and it frees some room."""
        view = self.view()
        if view.n_dead > view.alive and view.rows is not None and view.n_dead * view.rows[:1].nbytes >= _WORTH_IT:
            self.compact()

    def _spans(self, txn: Any, databases: Mapping[bytes, Any]) -> dict[bytes, tuple[int, int, int]]:
        with txn.cursor(databases[b"spans"]) as cursor:
            return {key: _SPAN.unpack(value) for key, value in cursor}

    def verify(self) -> list[str]:
        """Compare the rows of every document with their checksum, and return the ids of those that are damaged."""
        view = self.view()
        spans = self._environment.run(self._spans)
        damaged = []
        for key, (start, count, digest) in spans.items():
            rows = view.rows[start : start + count] if view.rows is not None else np.empty(0, np.uint8)
            if len(rows) == count and checksum(rows) != digest:
                damaged.append(str(self.header(_NUMBER.unpack(key)[0])["id"]))
        return damaged

    def close(self) -> None:
        """Let go of what is open; it opens again by itself when used."""
        with self._lock:
            self._view = IndexView()
        self._environment.close()
