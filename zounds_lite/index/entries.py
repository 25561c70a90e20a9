"""Entries of an index: what is written of a document, and how the catalogue's bytes are read back.

Class: ``Document``; functions ``checksum``, ``hashed``, ``in_words``, ``read_header``, ``shape_of``.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from zounds_lite.errors import CorruptValue

__all__ = ["Document", "checksum", "hashed", "in_words", "read_header", "shape_of"]


@dataclass
class Document:
    """The rows of one document, to be written.

    Args:
        id (str): the document.
        rows (np.ndarray): its rows, two-dimensional.
        header (dict): strict JSON that is kept beside them.
        extras (Sequence[bytes]): bytes that are kept for each row; none, or as many as there are rows.
    """

    id: str
    rows: np.ndarray
    header: dict[str, Any] = field(default_factory=dict)
    extras: Sequence[bytes] = ()


def checksum(rows: np.ndarray) -> int:
    """Return the checksum of rows."""
    return xxhash.xxh3_64_intdigest(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data if rows.size else b"")


def hashed(_id: str) -> bytes:
    """Return the key of an id, however long that is."""
    return hashlib.blake2b(_id.encode("utf-8", "surrogatepass"), digest_size=24).digest()


def read_header(raw: bytes) -> dict[str, Any]:
    """Read what is kept beside the rows of a document.

    Raises:
        CorruptValue: it is damaged.
    """
    try:
        header = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise CorruptValue(f"the entry of a document in an index is damaged: {error}; index again") from error
    if not isinstance(header, dict) or not isinstance(header.get("id"), str):
        raise CorruptValue("the entry of a document in an index has no id; index again")
    return header


def shape_of(layout: Any, path: Path) -> tuple[np.dtype, int]:
    """Return dtype and columns of rows.

    Raises:
        CorruptValue: the layout of the index at ``path`` is damaged.
    """
    dtype, columns = (layout or {}).get("dtype"), (layout or {}).get("columns")
    if dtype not in ("<u8", "<f4") or type(columns) is not int or columns < 1:
        raise CorruptValue(f"{str(path)!r} says of its rows {layout!r}; delete the folder and index again")
    return np.dtype(dtype), columns


def in_words(subject: Mapping[str, Any]) -> str:
    """Write a description for an error."""
    return ", ".join(f"{name} {value!r}" for name, value in sorted(subject.items()))
