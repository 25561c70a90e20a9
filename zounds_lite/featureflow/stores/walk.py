"""A walk over all pages of an LMDB file: what its trees hold, and what is wrong with them.

Goal: survive any bytes at all. A page is read once, so time is bounded by the size of the file; kept are one bit per
page, the free list and one path from the root, so memory is. Each page must lie in range, be used once, follow the
format (``pages``), and hold keys in order between those of the page above; each tree must be as deep and hold as many
pages and entries as its root says; and every page must be used or free.

Snapshots: a writer never changes the pages of the last commit, and takes them again after two more commits at the
earliest. So a walk is over one state if the meta pages tell of at most one more commit afterwards; where they tell of
more, the caller (``salvage``) begins again. Where there are commits all the time, it keeps a read transaction of LMDB
open meanwhile, so that the pages are not taken; to begin one, LMDB reads nothing but the meta pages.

Classes: ``Fault``, ``Item``, ``PageSet``, ``FreePages``, ``Walk``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from zounds_lite.featureflow.stores.pages import (
    INTEGER_KEYS,
    MAX_DEPTH,
    NO_ROOT,
    SUB,
    BadPage,
    Meta,
    PageFile,
    PageNode,
    Root,
    Span,
    overflow,
    read_meta,
    read_page,
)

__all__ = ["Fault", "FreePages", "Item", "PageSet", "Walk"]

_CHUNK = 4096
_FREE_LIST = "the free list"
_MAIN = "the main tree"
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: in words, the page to blame, and the entry if it is one entry's own."""

    what: str
    page: int | None = None
    database: bytes | None = None
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a sub-database, and where its value stands in the file."""

    database: bytes
    key: bytes
    value: Span


class PageSet:
    """Numbers of pages, a bit each.

    Examples:
        >>> pages = PageSet()
        >>> pages.add(5, 10), pages.add(14), 6 in pages, len(pages)
        (True, False, True, 10)
    """

    def __init__(self) -> None:
        self._chunks: dict[int, int] = {}
        self._count = 0

    def add(self, first: int, count: int = 1) -> bool:
        """Add a run of pages; False, and nothing is added, where one is there already."""
        runs = list(self._runs(first, count))
        if any(self._chunks.get(chunk, 0) & mask for chunk, mask in runs):
            return False
        for chunk, mask in runs:
            self._chunks[chunk] = self._chunks.get(chunk, 0) | mask
        self._count += count
        return True

    @staticmethod
    def _runs(first: int, count: int) -> Iterator[tuple[int, int]]:
        while count:
            chunk, at = divmod(first, _CHUNK)
            n = min(count, _CHUNK - at)
            yield chunk, ((1 << n) - 1) << at
            first, count = first + n, count - n

    def touches(self, first: int, count: int) -> bool:
        """Tell whether one of a run of pages is there."""
        return any(self._chunks.get(chunk, 0) & mask for chunk, mask in self._runs(first, count))

    def __contains__(self, page: int) -> bool:
        return self.touches(page, 1)

    def __len__(self) -> int:
        return self._count


class FreePages:
    """Runs of free pages, in the memory that the free list itself takes.

    Args:
        parts (list): pairs of arrays, first pages and lengths of runs.

    Raises:
        BadPage: a page is named twice.
    """

    def __init__(self, parts: list[tuple[np.ndarray, np.ndarray]]) -> None:
        firsts = np.concatenate([np.zeros(0, np.int64), *(first for first, _ in parts)])
        counts = np.concatenate([np.zeros(0, np.int64), *(count for _, count in parts)])
        order = np.argsort(firsts, kind="stable")
        self.firsts, self.counts = firsts[order], counts[order]
        if (self.firsts[:-1] + self.counts[:-1] > self.firsts[1:]).any():
            raise BadPage("names a page that another one names too")

    def __contains__(self, page: int) -> bool:
        at = int(np.searchsorted(self.firsts, page, "right")) - 1
        return at >= 0 and page < int(self.firsts[at] + self.counts[at])

    def __len__(self) -> int:
        return int(self.counts.sum())

    def clash(self, used: PageSet) -> int | None:
        """Return the first page of a run that is in use as well, or None."""
        runs = zip(self.firsts.tolist(), self.counts.tolist(), strict=True)
        return next((first for first, count in runs if used.touches(first, count)), None)


class _Tree:
    """What was counted of one tree, and what cannot be trusted of it."""

    def __init__(self, name: bytes | str, root: Root) -> None:
        self.root = root
        self.label = name if isinstance(name, str) else f"the tree of {name.decode('ascii', 'backslashreplace')!r}"
        self.database = b"" if isinstance(name, str) else name
        self.branches = self.leaves = self.overflows = self.entries = 0
        self.is_sound = True

    def order(self, key: bytes) -> bytes:
        """Return what keys are ordered by: the keys of the free list are numbers."""
        return key[::-1] if self.root.flags == INTEGER_KEYS else key


class Walk:
    """One walk over the newest state of a file; iterate over ``items`` to the end, then look at ``used`` and ``free``.

    Args:
        file (PageFile): the file.

    Attributes:
        meta (Meta | None): the state that is walked; None where no meta page can be read.
        used (PageSet): pages that the trees use.
        free (FreePages | None): pages that the free list names; None where it cannot be trusted.
        suspects (list[int]): leaves that are damaged.
    """

    def __init__(self, file: PageFile) -> None:
        self.file = file
        self.used = PageSet()
        self.free: FreePages | None = None
        self.suspects: list[int] = []
        self.meta, self._meta_faults = read_meta(file)
        if self.meta is not None:
            self.used.add(0, 2)

    def items(self) -> Iterator[Item | Fault]:
        """Yield every entry of every sub-database, and every fault."""
        yield from map(Fault, self._meta_faults)
        if self.meta is None:
            yield Fault("no meta page can be read, so nothing says where the documents stand")
            return
        names: list[tuple[bytes, Root]] = []
        main = _Tree(_MAIN, self.meta.main)
        for found in self._tree(main, names):
            yield found if isinstance(found, Fault) else Fault(f"{_MAIN} holds an entry {found.key!r} of its own")
        trees = [main]
        for name, root in names:
            trees.append(_Tree(name, root))
            yield from self._tree(trees[-1])
        sound = all(tree.is_sound for tree in trees)
        yield from self._free_list(self.meta, sound)

    def was_overtaken(self) -> bool:
        """Tell whether a writer may have taken pages of this state meanwhile."""
        newest, _ = read_meta(self.file)
        return newest is not None and self.meta is not None and newest.transaction - self.meta.transaction > 1

    def _tree(self, tree: _Tree, subs: list[tuple[bytes, Root]] | None = None) -> Iterator[Item | Fault]:
        root = tree.root
        if root.flags not in (0, INTEGER_KEYS) or (root.flags and tree.label != _FREE_LIST):
            tree.is_sound = False
            yield Fault(f"{tree.label} has flags {root.flags:#x} that no store has")
            return
        if root.page == NO_ROOT:
            if root.depth or root.entries:
                tree.is_sound = False
                yield Fault(f"{tree.label} has {root.entries} entries and no root page")
            return
        if not 1 <= root.depth <= MAX_DEPTH:
            tree.is_sound = False
            yield Fault(f"{tree.label} is said to be {root.depth} pages deep")
            return
        yield from self._below(tree, root.page, root.depth, (b"", None), subs)
        found = tree.branches, tree.leaves, tree.overflows, tree.entries
        said = root.branches, root.leaves, root.overflows, root.entries
        if tree.is_sound and found != said:
            tree.is_sound = False
            yield Fault(f"{tree.label} holds {found} branch, leaf and overflow pages and entries; its root says {said}")

    def _below(
        self,
        tree: _Tree,
        number: int,
        depth: int,
        bounds: tuple[bytes, bytes | None],
        subs: list[tuple[bytes, Root]] | None,
    ) -> Iterator[Item | Fault]:
        """Yield what stands in a page and below it; ``depth`` pages are expected on the way down, this one included."""
        nodes: list[PageNode] = []
        try:
            nodes = self._nodes(tree, number, depth == 1, bounds)
        except BadPage as error:
            tree.is_sound = False
            yield Fault(f"page {number} of {tree.label}: {error}", number)
        if depth == 1:
            tree.leaves += 1
            tree.entries += len(nodes)
            for node in nodes:
                yield from self._entry(tree, number, node, subs)
            return
        tree.branches += 1
        lows = [bounds[0], *(tree.order(node.key) for node in nodes[1:]), bounds[1]]
        for place, node in enumerate(nodes):
            low = lows[place] or b""
            yield from self._below(tree, node.page, depth - 1, (low, lows[place + 1]), subs)

    def _nodes(self, tree: _Tree, number: int, leaf: bool, bounds: tuple[bytes, bytes | None]) -> list[PageNode]:
        """Return the nodes of a page, its place in the tree checked."""
        assert self.meta is not None
        if not 1 < number <= self.meta.last:
            raise BadPage("its number is out of range")
        if not self.used.add(number):
            raise BadPage("it is used twice")
        try:
            _, nodes = read_page(self.file, number, self.meta.page_size, leaf)
            low, high = bounds
            keys = [tree.order(node.key) for node in (nodes if leaf else nodes[1:])]
            inside = not keys or (low <= keys[0] and (high is None or keys[-1] < high))
            if not inside or any(a >= b for a, b in zip(keys, keys[1:], strict=False)):
                raise BadPage("its keys are out of order")
            if tree.root.flags == INTEGER_KEYS and any(len(key) != 8 for key in keys):
                raise BadPage("its keys are no numbers of transactions")
        except BadPage:
            self.suspects.append(number)
            raise
        return nodes

    def _entry(
        self, tree: _Tree, number: int, node: PageNode, subs: list[tuple[bytes, Root]] | None
    ) -> Iterator[Item | Fault]:
        assert self.meta is not None
        if (node.flags == SUB) != (subs is not None) or (node.flags == SUB and node.value.size != 48):
            tree.is_sound = False
            yield Fault(
                f"page {number} of {tree.label}: an entry is of the wrong kind", number, tree.database, node.key
            )
        elif subs is not None:
            subs.append((node.key, Root.from_bytes(self.file.value(node.value).ljust(48, b"\0"))))
        elif not node.page:
            yield Item(tree.database, node.key, node.value)
        else:
            try:
                span, count = overflow(self.file, self.meta, node)
                if not self.used.add(node.page, count):
                    raise BadPage(f"a page of the {count} from {node.page} on is used twice")
            except BadPage as error:
                tree.is_sound = False
                yield Fault(f"a value of {tree.label}: {error}", None, tree.database, node.key)
                return
            tree.overflows += count
            yield Item(tree.database, node.key, span)

    def _free_list(self, meta: Meta, complete: bool) -> Iterator[Fault]:
        """Check the free list against the pages in use; ``complete`` says that all of these are known."""
        tree = _Tree(_FREE_LIST, meta.free)
        parts: list[tuple[np.ndarray, np.ndarray]] = []
        is_sound = True
        for found in self._tree(tree):
            try:
                if isinstance(found, Fault):
                    is_sound = False
                    yield found
                else:
                    if int.from_bytes(found.key, "little") > meta.transaction:
                        raise BadPage("is of a transaction that was never committed")
                    parts.extend(_free_runs(self.file, found.value, meta.last))
            except BadPage as error:
                is_sound = False
                yield Fault(f"an entry of {_FREE_LIST} {error}")
        if not is_sound:
            return
        try:
            free = FreePages(parts)
        except BadPage as error:
            yield Fault(f"an entry of {_FREE_LIST} {error}")
            return
        clash = free.clash(self.used)
        if clash is not None:
            yield Fault(f"pages from {clash} on are in use and in {_FREE_LIST} at once", clash)
            return
        self.free = free
        missing = meta.last + 1 - len(self.used) - len(free)
        if complete and missing:
            yield Fault(f"{missing} pages are neither in use nor in {_FREE_LIST}")


def _free_runs(file: PageFile, value: Span, last: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield runs of free pages, first pages and lengths, from one entry of the free list, in pieces.

    Raises:
        BadPage: it is no list of pages that falls from one to the next.
    """
    count = int.from_bytes(file.value(value, 0, 8), "little")
    if 8 * (count + 1) > value.size:
        raise BadPage(f"has {value.size} bytes for {count} pages")
    before = last + 1
    for start in range(8, 8 * (count + 1), _PIECE):
        raw = file.value(value, start, min(start + _PIECE, 8 * (count + 1)))
        pages = np.frombuffer(raw[: len(raw) // 8 * 8], "<u8")
        whole = len(raw) == min(_PIECE, 8 * (count + 1) - start)
        if not whole or not 1 < int(pages[-1]) <= int(pages[0]) < before or (pages[1:] >= pages[:-1]).any():
            raise BadPage("names pages out of range or out of order")
        before = int(pages[-1])
        ends = np.flatnonzero(np.append(pages[:-1] - pages[1:] != 1, True))
        begins = np.append(0, ends[:-1] + 1)
        yield pages[ends].astype(np.int64), ends - begins + 1
