"""Records and blobs for the contract of stores, and how it expects errors.

Functions: ``make_record``, ``make_json_record``, ``damaged_record``, ``write_blob``, ``blob_files``, ``raises``;
constant ``NASTY_IDS``.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from zounds_lite.featureflow.record import Checksums, Entry, Record
from zounds_lite.featureflow.stores import Database
from zounds_lite.featureflow.stores.base import BlobWriter

__all__ = ["NASTY_IDS", "blob_files", "damaged_record", "make_json_record", "make_record", "raises", "write_blob"]

NASTY_IDS = [
    "a",
    "http://example.org/a:b/c.ogg?x=1&y=%20",
    "..",
    "../../etc/passwd",
    "/absolute/path",
    "C:\\windows\\nul",
    "with\nnewline\r\n\ttab",
    "with\0zero",
    " leading and trailing ",
    ".",
    "-",
    "con",
    "\u00e9 and e\u0301",
    "\U0001f3b5" * 50,
    "\ud800 lone surrogate",
    "x" * 399,
    "x" * 400,
    "x" * 401,
    "x" * 512,
    "y" * 100_000,
    "\u4e2d" * 100_000,
    "|:;,*?<>\"'`$(rm)%00",
]
"""Ids that have broken stores."""


def make_record(_id: str, text: bytes = b"value", blob: tuple[str, int] | None = None, size: int = 0) -> bytes:
    """Return a record with a small value and, if there is a blob (name and checksum), a large one."""
    record = Record(_id)
    record.entries["text"] = Entry("lineage", "source", "text/plain", {}, len(text), data=text)
    if blob is not None:
        record.entries["large"] = Entry("lineage", "source", "x", {}, size, blob=blob[0], checks=[blob[1]])
    return record.to_bytes()


def make_json_record(_id: str, **values: Any) -> bytes:
    """Return a record with values as JSON, by feature."""
    record = Record(_id)
    for name, value in values.items():
        data = json.dumps(value).encode()
        checks = Checksums()
        checks.update(memoryview(data))
        record.entries[name] = Entry(
            "lineage", "source", "application/json", {}, len(data), data=data, checks=checks.finish()
        )
    return record.to_bytes()


def damaged_record(record: bytes) -> bytes:
    """Return the record with one bit of its header changed."""
    at = record.index(b'"descriptions"')
    return record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :]


@contextlib.contextmanager
def raises(error: type[Exception], what: str) -> Iterator[list[Exception]]:
    """As ``pytest.raises``, which whoever runs the suite has, but not whoever imports this module."""
    caught: list[Exception] = []
    try:
        yield caught
    except error as found:
        caught.append(found)
    else:
        raise AssertionError(f"{what} must raise {error.__name__}")


def write_blob(database: Database, data: bytes) -> tuple[BlobWriter, tuple[str, int]]:
    """Write a blob; return its writer, its name and its checksum."""
    writer = database.create_blob()
    writer.write(data)
    return writer, writer.finish()


def blob_files(folder: Path) -> list[Path]:
    """Return the files of all blobs, finished or not, of a store that keeps them in such files."""
    return [file for file in folder.rglob("*") if file.is_file() and file.suffix in (".part", ".blob")]
