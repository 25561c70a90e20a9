"""Pages of an LMDB file: its layout, read without trusting a byte of it.

Why: LMDB follows page numbers and offsets as they stand in the file, so damage there can end a process. This reader
takes a page with ``pread``, checks all of it, and says what is wrong in words. It never maps the file, opens no lock
and writes nothing.

Layout (format 1 of LMDB 0.9, 64 bit, little-endian), in bytes:

- A page starts with its number (u64), padding (u16), flags (u16) and lower and upper (u16 each); an overflow page has
  its count of pages (u32) in place of these two. From byte 16 on stand the offsets of the nodes (u16 each) in order of
  their keys, up to lower; the nodes themselves fill the page from upper to its end, each padded to an even size.
- A node is low and high (u16 each), flags (u16), key size (u16), key, data. In a leaf, low and high are the size of the
  data; with the flag "big" the data is the number (u64) of an overflow page; with "sub" it is the root of a
  sub-database. In a branch, low, high and flags are the number of the page below, and the first key counts as empty.
- A root is padding (u32), flags (u16), depth (u16), number of branch, leaf and overflow pages and of entries (u64
  each), and the number of the root page, all ones where there is none.
- Pages 0 and 1 are meta pages, written in turn: after the page header magic and version (u32 each), address and map
  size (u64 each), the roots of the free list and of the main database, the last page in use and the number of the
  transaction (u64 each). The padding of the first root is the page size.

Classes: ``PageFile``, ``Root``, ``Meta``, ``PageNode``, ``Span``; functions ``read_meta``, ``read_page``; error
``BadPage``.
"""

import errno
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["BadPage", "Meta", "PageFile", "PageNode", "Root", "Span", "read_meta", "read_page"]

BRANCH, LEAF, OVERFLOW, META = 1, 2, 4, 8
BIG, SUB = 1, 2
INTEGER_KEYS = 8
MAX_KEY = 511
MAX_DEPTH = 32
HEADER = 16
NO_ROOT = 2**64 - 1

_PAGE = struct.Struct("<QHHHH")
_NODE = struct.Struct("<HHHH")
_ROOT = struct.Struct("<IHHQQQQQ")
_META = struct.Struct("<IIQQ")
_LAST = struct.Struct("<QQ")
_MAGIC, _VERSION = 0xBEEFC0DE, 1
_SIZES = tuple(2**n for n in range(8, 17))
_LARGEST = 2**47
"""Bytes that a file may have: what a process can map."""


class BadPage(Exception):
    """A page that LMDB could not have written; says why."""


@dataclass(frozen=True, slots=True)
class Root:
    """Where a tree begins, and what it is said to hold."""

    flags: int
    depth: int
    branches: int
    leaves: int
    overflows: int
    entries: int
    page: int

    @classmethod
    def from_bytes(cls, raw: bytes | memoryview) -> "Root":
        """Read the 48 bytes of a root; the padding is left out."""
        return cls(*_ROOT.unpack(raw)[1:])


@dataclass(frozen=True, slots=True)
class Meta:
    """One state of the file: the roots as of a transaction."""

    page_size: int
    map_size: int
    free: Root
    main: Root
    last: int
    transaction: int


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes of the file: where a value stands."""

    start: int
    size: int


@dataclass(frozen=True, slots=True)
class PageNode:
    """One entry of a page: a key, and in a branch the page below, in a leaf the value or where it stands."""

    key: bytes
    flags: int
    page: int = 0
    value: Span = Span(0, 0)


class PageFile:
    """A file of pages, open for reading.

    Args:
        path (Path): ``data.mdb`` of a store.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1
        self._descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> "PageFile":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    @property
    def size(self) -> int:
        """Bytes of the file as it is now."""
        return os.fstat(self._descriptor).st_size

    def read(self, start: int, stop: int) -> bytes:
        """Return these bytes; fewer where the file ends or cannot be read."""
        if not 0 <= start < stop <= _LARGEST:
            return b""
        try:
            return os.pread(self._descriptor, stop - start, start)
        except OSError:  # a bad sector: for the caller it is a page that is not there
            return b""

    def data_pages(self, size: int, last: int) -> Iterator[int]:
        """Yield the numbers of pages, up to the last, that are no hole of the file, where the system can tell."""
        at, end = 0, min(self.size, (last + 1) * size)
        while at < end:
            try:
                start = os.lseek(self._descriptor, at, os.SEEK_DATA)
                stop = min(os.lseek(self._descriptor, start, os.SEEK_HOLE), end)
            except (OSError, AttributeError) as error:
                if isinstance(error, OSError) and error.errno == errno.ENXIO:
                    return  # nothing but a hole follows
                start, stop = at, end
            first, at = start // size, -(-stop // size) * size
            yield from range(first, at // size)

    def value(self, span: Span, start: int = 0, stop: int | None = None) -> bytes:
        """Return bytes of a value, as a slice of a sequence has them."""
        start, stop, _ = slice(start, stop).indices(span.size)
        return self.read(span.start + start, span.start + stop)


def read_meta(file: PageFile) -> tuple[Meta | None, list[str]]:
    """Return the newest state that the meta pages tell of, or None, and what is wrong with them."""
    found: list[Meta | None] = []
    faults: list[str] = []
    sizes = _SIZES
    for number in (0, 1):
        reasons = []
        for size in (0,) if number == 0 else sizes:
            try:
                found.append(_meta(file, number, number * size))
                break
            except BadPage as error:
                reasons.append(str(error))
        else:
            found.append(None)
            faults.append(f"meta page {number}: {reasons[0]}")
        if found[0] is not None:
            sizes = (found[0].page_size,)
    first, second = found
    if first is None or second is None:
        return first or second, faults
    if first.page_size != second.page_size:
        faults.append(f"the meta pages name different page sizes, {first.page_size} and {second.page_size}")
    if abs(first.transaction - second.transaction) > 1:
        faults.append(
            f"the meta pages are of the transactions {first.transaction} and {second.transaction}, which do not follow "
            "each other"
        )
    return max(found, key=lambda meta: meta.transaction if meta else -1), faults


def _meta(file: PageFile, number: int, start: int) -> Meta:
    raw = file.read(start, start + HEADER + 136)
    if len(raw) < HEADER + 136:
        raise BadPage("it is cut short")
    page, _, flags, _, _ = _PAGE.unpack_from(raw)
    magic, version, _, map_size = _META.unpack_from(raw, HEADER)
    if page != number or flags != META or magic != _MAGIC:
        raise BadPage("it does not start as a meta page must")
    if version != _VERSION:
        raise BadPage(f"it has LMDB format {version}; this version reads format {_VERSION}")
    page_size = _ROOT.unpack_from(raw, 40)[0]
    meta = Meta(
        page_size, map_size, Root.from_bytes(raw[40:88]), Root.from_bytes(raw[88:136]), *_LAST.unpack(raw[136:])
    )
    if page_size not in _SIZES or (number and page_size != start):
        raise BadPage(f"a page size of {page_size} is impossible")
    if meta.free.flags != INTEGER_KEYS or meta.main.flags:
        raise BadPage(f"it has flags {meta.free.flags:#x} and {meta.main.flags:#x} that no store has")
    if meta.last < 1 or not (meta.last + 1) * page_size <= map_size <= _LARGEST:
        raise BadPage(f"{meta.last} pages do not fit into a map of {map_size} bytes")
    if meta.transaction % 2 != number and meta.transaction:
        raise BadPage(f"transaction {meta.transaction} belongs to the other meta page")
    return meta


def read_page(file: PageFile, number: int, size: int, leaf: bool) -> tuple[bytes, list[PageNode]]:
    """Return a page and its nodes.

    Args:
        file (PageFile): the file.
        number (int): which page.
        size (int): bytes of a page.
        leaf (bool): a leaf is expected, else a branch.

    Raises:
        BadPage: anything about it is wrong.
    """
    page = file.read(number * size, (number + 1) * size)
    if len(page) < size:
        raise BadPage("it lies behind the end of the file")
    name, _, flags, lower, upper = _PAGE.unpack_from(page)
    wanted = LEAF if leaf else BRANCH
    if name != number or flags != wanted:
        raise BadPage(f"it calls itself page {name} of kind {flags:#x}, expected was kind {wanted:#x}")
    count = (lower - HEADER) // 2
    if lower % 2 or count < 1 or not lower <= upper <= size:
        raise BadPage(f"its bounds {lower} and {upper} are impossible")
    places = struct.unpack_from(f"<{count}H", page, HEADER)
    nodes, ends = [], {}
    for at in places:
        node, end = _node(page, at, number * size, leaf)
        nodes.append(node)
        ends[at] = end
    at = upper
    while at in ends:  # nodes fill the page from upper to its end, without a gap
        at = ends.pop(at)
    if at != size or ends:
        raise BadPage("its nodes overlap or leave a gap")
    return page, nodes


def _node(page: bytes, at: int, base: int, leaf: bool) -> tuple[PageNode, int]:
    """Return the node at an offset, and where the next one begins."""
    if at % 2 or not HEADER <= at <= len(page) - _NODE.size:
        raise BadPage(f"a node at offset {at} is impossible")
    low, high, flags, key_size = _NODE.unpack_from(page, at)
    start = at + _NODE.size + key_size
    if key_size > MAX_KEY or start > len(page):
        raise BadPage(f"the node at offset {at} has a key of {key_size} bytes")
    key = page[at + _NODE.size : start]
    if not leaf:
        return PageNode(key, 0, low | high << 16 | flags << 32), start + start % 2
    if not key or flags not in (0, BIG, SUB):
        raise BadPage(f"the node at offset {at} has a key of {key_size} bytes and flags {flags:#x}")
    size = low | high << 16
    end = start + (8 if flags == BIG else size)
    if end > len(page):
        raise BadPage(f"the value of the node at offset {at} is cut")
    if flags == BIG:
        return PageNode(key, flags, int.from_bytes(page[start:end], "little"), Span(0, size)), end + end % 2
    return PageNode(key, flags, 0, Span(base + start, size)), end + end % 2


def overflow(file: PageFile, meta: Meta, node: PageNode) -> tuple[Span, int]:
    """Return where the value of a big node stands, and how many pages it fills.

    Raises:
        BadPage: its pages are not what they must be.
    """
    size = meta.page_size
    raw = file.read(node.page * size, node.page * size + HEADER) if 1 < node.page <= meta.last else b""
    if len(raw) < HEADER:
        raise BadPage(f"page {node.page} is out of range")
    name, _, flags = struct.unpack_from("<QHH", raw)
    (count,) = struct.unpack_from("<I", raw, 12)
    most = 2**32 // size + 2  # what a rewritten value may leave behind; the largest one fills as many
    needed = (HEADER - 1 + node.value.size) // size + 1
    if name != node.page or flags != OVERFLOW or not needed <= count <= min(most, meta.last + 1 - node.page):
        raise BadPage(f"page {node.page} is no run of pages that holds {node.value.size} bytes")
    span = Span(node.page * size + HEADER, node.value.size)
    if span.start + span.size > file.size:
        raise BadPage(f"its pages from {node.page} on lie behind the end of the file")
    return span, count


def stray_nodes(file: PageFile, number: int, size: int) -> Iterator[PageNode]:
    """Yield the nodes of a leaf that can still be made out, whatever else is wrong with the page."""
    page = file.read(number * size, (number + 1) * size)
    if len(page) < HEADER:
        return
    _, _, _, lower, upper = _PAGE.unpack_from(page)
    places = struct.unpack_from(f"<{max(0, min(lower, len(page)) - HEADER) // 2}H", page, HEADER)
    found: dict[int, PageNode] = {}
    for at in (*places, upper):
        while at not in found:  # one follows the other, so what no offset leads to is found as well
            try:
                found[at], at = _node(page, at, number * size, leaf=True)
            except BadPage:
                break
    yield from found.values()
