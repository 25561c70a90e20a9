"""Following the store: what of an index is as the documents are now, and how it gets there.

Classes: ``IndexUpdate`` (what was done), ``Batch`` (what is committed together); functions ``fingerprint`` (what made
the frames of a document), ``folder_name``, ``with_progress``.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from zounds_lite.errors import StoreFormatError
from zounds_lite.featureflow.sources import refreshed
from zounds_lite.index.entries import Document
from zounds_lite.index.rowstore import RowStore

__all__ = ["Batch", "IndexUpdate", "fingerprint", "folder_name", "with_progress"]

_BATCH = 64
_BATCH_BYTES = 32 * 1024 * 1024
_LONGEST_NAME = 150


@dataclass
class IndexUpdate:
    """What ``update`` did.

    Attributes:
        added, replaced, deleted (list[str]): ids of documents.
        unchanged (int): how many were in the index as they are now.
        failed (dict[str, str]): documents that could not be indexed, and why; they are not in the index.
    """

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    unchanged: int = 0
    failed: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        failed = "".join(f"\n  {_id}: {reason}" for _id, reason in self.failed.items())
        return (
            f"{len(self.added)} added, {len(self.replaced)} replaced, {len(self.deleted)} deleted, "
            f"{self.unchanged} unchanged, {len(self.failed)} failed{failed}"
        )


def folder_name(key: str, version: str | None) -> str:
    """Return the name of an index's folder: any text becomes a name that every file system takes.

    Examples:
        >>> folder_name("hash", "v1/2")
        'index.hash.v1%2F2'
    """
    name = ".".join(["index", quote(key, safe="", errors="surrogatepass")])
    if version is not None:
        name += "." + quote(str(version), safe="", errors="surrogatepass")
    if len(name) <= _LONGEST_NAME:
        return name
    return f"{name[:_LONGEST_NAME]}-{hashlib.blake2b(name.encode(), digest_size=8).hexdigest()}"


def fingerprint(lineage: Any, feature: Any, sources: Mapping[str, Any]) -> dict[str, str]:
    """Say what makes a feature of a document: the code, and the content of the sources as they are now."""
    hashes = {name: refreshed(source)["hash"] for name, source in sources.items()}
    return {"lineage": lineage.hash(feature), "source": lineage.source_digest(feature, hashes)}


class Batch:
    """Changes that are committed together.

    Args:
        store (RowStore): where they go.
    """

    def __init__(self, store: RowStore) -> None:
        self.store = store
        self.may_clear = False
        self.added: list[Document] = []
        self.removed: list[str] = []
        self._layout: dict[str, Any] | None = None
        self._size = 0

    def check(self, layout: Mapping[str, Any] | None) -> None:
        """Refuse rows of another layout than those in the index, unless none of these is worth keeping."""
        known = self._layout or self.store.layout
        if layout is None or known is None or dict(layout) == known:
            return
        if self._layout is None and self.may_clear:
            self.store.clear()
            return
        raise StoreFormatError(f"rows of {dict(layout)}; the index holds rows of {known}")

    def add(self, document: Document, layout: Mapping[str, Any] | None) -> None:
        """Take a document, and commit where there are enough."""
        if layout is not None:
            self._layout = dict(layout)
            self.may_clear = False
        self.added.append(document)
        self._size += document.rows.nbytes + sum(map(len, document.extras))
        if len(self.added) >= _BATCH or self._size >= _BATCH_BYTES:
            self.commit()

    def commit(self) -> None:
        """Write what was taken."""
        if self.added or self.removed:
            self.store.change(self._layout, self.added, self.removed)
        self.added, self.removed, self._size = [], [], 0


def with_progress(ids: list[str], progress: bool | None) -> Iterable[str]:
    """Walk along ids with a bar on stderr; None shows it only on a terminal."""
    from tqdm import tqdm

    return tqdm(ids, desc="indexing", unit="document", disable=None if progress is None else not progress)
