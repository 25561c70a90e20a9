"""Corpus: the features of all documents, read as often as training needs it.

Goal: nodes get chunks from a stream that can be read once; a corpus of them can be read again, in order, without
holding in memory what does not fit. Conventions: a chunk is an array whose first axis counts examples (with or without
units), or a dict of such arrays of equal length, and is usually what one document has; numbers of chunks count from 0.
Nothing is computed before it is read: ``map`` only remembers the op. Class: ``Corpus``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from zounds_lite.errors import EmptyCorpus, NonFiniteFeatures, RaggedCorpus
from zounds_lite.learn.ops import ForwardResult
from zounds_lite.learn.spill import MEMORY, Spill, read_ahead
from zounds_lite.learn.units import like

__all__ = ["Corpus"]

_NUMBERS = "biufc"
_EXAMPLE_ROWS = 8
_BLOCK = 8 * 1024 * 1024
"""Bytes that are read at once."""


class Corpus:
    """Chunks that can be read again and again.

    Args:
        chunks (Iterable): what to begin with.
        memory (int): bytes of chunks that own their memory and are kept in it; what is more goes to a temporary file.
        text (bool): allow text, such as labels; in dicts it is always allowed.

    Raises:
        RaggedCorpus: a chunk is no array of numbers with an axis of examples, or its rows do not fit those before.

    Examples:
        >>> corpus = Corpus([np.ones((2, 3)), np.zeros((1, 3))])
        >>> corpus.rows, len(corpus), corpus.row_shape
        (3, 2, (3,))
        >>> corpus.map(np.negative).concatenated().sum()
        np.float64(-6.0)
    """

    def __init__(self, chunks: Iterable[Any] = (), memory: int = MEMORY, text: bool = False) -> None:
        self._store = _Chunks(memory, text)
        self._ops: tuple[Callable[[Any], Any], ...] = ()
        for chunk in chunks:
            self.append(chunk)

    def append(self, chunk: Any) -> None:
        """Add a chunk; one without rows counts, but is not kept.

        Raises:
            RaggedCorpus: it is no array of numbers, or its rows do not fit those before.
        """
        if self._ops:
            raise TypeError("a mapped corpus cannot grow; append to the one that it was made of")
        self._store.append(chunk)

    def map(self, op: Callable[[Any], Any]) -> "Corpus":
        """Return the corpus of what ``op`` makes of each chunk, whenever it is read.

        Args:
            op (Op | Callable): takes a chunk and returns an array, or a ``ForwardResult``, of as many rows.
        """
        mapped = Corpus()
        mapped._store, mapped._ops = self._store, (*self._ops, op)
        return mapped

    def __iter__(self) -> Iterator[Any]:
        for chunk in self._store:
            yield self._mapped(chunk)

    def _mapped(self, chunk: Any) -> Any:
        for op in self._ops:
            result = op(chunk)
            output = result.output if isinstance(result, ForwardResult) else result
            chunk = like(output, chunk, op)
        return chunk

    def __len__(self) -> int:
        """How many chunks have rows."""
        return len(self._store.kept)

    @property
    def rows(self) -> int:
        """How many examples there are; a mapped corpus is taken to have as many as the one it was made of."""
        return self._store.rows

    @property
    def example(self) -> Any:
        """A few rows of the first chunk.

        Raises:
            EmptyCorpus: there are none.
        """
        self.check_rows()
        return self._mapped(next(self._store.blocks(0, _EXAMPLE_ROWS)))

    @property
    def row_shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return tuple(np.shape(self.example)[1:])

    @property
    def dtype(self) -> np.dtype:
        """The dtype of the first chunk."""
        return np.asarray(self.example).dtype

    def check_rows(self) -> None:
        """Refuse a corpus without rows.

        Raises:
            EmptyCorpus: it has none.
        """
        if not self.rows:
            raise EmptyCorpus(
                f"there is nothing to learn from: {self._store.seen} chunks came and none has rows; process documents "
                "before training, and see that the iterable was not read up before"
            )

    def blocks(self, rows: int | None = None) -> Iterator[Any]:
        """Yield the corpus in blocks of at most ``rows`` examples, none of which spans two chunks.

        Args:
            rows (int | None): how many; None: as many as are read at once, some megabytes, however long chunks are.
        """
        for i in range(len(self)):
            for block in self._store.blocks(i, rows):
                yield self._mapped(block)

    def take(self, rows: Any) -> np.ndarray:
        """Return some examples, as a plain array, by their numbers in the whole corpus.

        Args:
            rows (Sequence[int]): from 0 to ``self.rows - 1``, in any order.

        Raises:
            IndexError: there is no such row.
        """
        self.check_rows()
        wanted = np.asarray(rows, np.int64)
        if wanted.size and not 0 <= wanted.min() <= wanted.max() < self.rows:
            raise IndexError(f"rows from {wanted.min()} to {wanted.max()}; allowed: 0 to {self.rows - 1}")
        order = np.argsort(wanted, kind="stable")
        starts = np.cumsum([0, *self._store.lengths])
        found: list[Any] = []
        for i in np.unique(np.searchsorted(starts, wanted, side="right") - 1):
            inside = wanted[order][(wanted[order] >= starts[i]) & (wanted[order] < starts[i + 1])] - starts[i]
            found.append(np.asarray(self._mapped(self._store.read(int(i))[inside])))
        joined = np.concatenate(found) if found else np.asarray(self.example)[:0]
        out = np.empty_like(joined)
        out[order] = joined
        return out

    def concatenated(self) -> Any:
        """Return all rows as one plain array (or a dict of them), in memory.

        Raises:
            EmptyCorpus: there are none.
        """
        self.check_rows()
        chunks = list(self)
        if isinstance(chunks[0], Mapping):
            return {name: np.concatenate([np.asarray(chunk[name]) for chunk in chunks]) for name in chunks[0]}
        return np.concatenate([np.asarray(chunk) for chunk in chunks])

    @classmethod
    def zipped(cls, corpora: Mapping[str, "Corpus"]) -> "Corpus":
        """Return the corpus of dicts of what several corpora have at the same place.

        Raises:
            RaggedCorpus: they have different numbers of chunks or of rows.
        """
        lengths = {name: corpus._store.lengths for name, corpus in corpora.items()}
        first = next(iter(lengths.values()))
        for name, other in lengths.items():
            if other != first:
                at = next((i for i, (a, b) in enumerate(zip(first, other, strict=False)) if a != b), "the last")
                raise RaggedCorpus(
                    f"{name!r} does not go with {next(iter(lengths))!r}: {sum(other)} and {sum(first)} rows in "
                    f"{len(other)} and {len(first)} chunks, which differ at chunk {at}; give inputs of the same rows"
                )
        joined = cls()
        joined._store = _Zipped(corpora)
        return joined

    def __repr__(self) -> str:
        return f"<Corpus of {self.rows} rows in {len(self)} chunks>"


class _Chunks:
    """The chunks themselves, checked when they come and when they are first read."""

    def __init__(self, memory: int, text: bool = False) -> None:
        self._text = text
        self.kept: list[tuple[int, Callable[[], Any]]] = []
        self.lengths: list[int] = []
        self.seen = 0
        self._checked: set[int] = set()
        self._shapes: dict[str | None, tuple[int, ...]] = {}
        self._spill = Spill(memory)

    @property
    def rows(self) -> int:
        return sum(self.lengths)

    def append(self, chunk: Any) -> None:
        number, self.seen = self.seen, self.seen + 1
        parts = dict(chunk) if isinstance(chunk, Mapping) else {None: chunk}
        lengths = {self._length(part, name, number) for name, part in parts.items()}
        if len(lengths) != 1 or (self._shapes and self._shapes.keys() != parts.keys()):
            raise RaggedCorpus(
                f"chunk {number} has {sorted(map(str, parts))} of {sorted(lengths)} rows; needed: "
                f"{sorted(map(str, self._shapes or parts))}, all of equal length"
            )
        size = lengths.pop()
        if not size:
            return
        for name, part in parts.items():
            self._fit(part, name, number)
        readers = {name: self._reader(part) for name, part in parts.items()}
        is_single = not isinstance(chunk, Mapping)
        read = readers[None] if is_single else lambda: {name: reader() for name, reader in readers.items()}
        self.kept.append((number, read))
        self.lengths.append(size)

    def _length(self, part: Any, name: str | None, number: int) -> int:
        kinds = _NUMBERS + "US" * (self._text or name is not None)
        if not isinstance(part, np.ndarray) or part.dtype.kind not in kinds or not part.ndim:
            found = f"{part.dtype} of shape {part.shape}" if isinstance(part, np.ndarray) else type(part).__name__
            raise RaggedCorpus(
                f"{_named(part, name, number)} is {found}; needed: an array of numbers whose first axis counts examples"
            )
        return len(part)

    def _fit(self, part: np.ndarray, name: str | None, number: int) -> None:
        known = self._shapes.setdefault(name, part.shape[1:])
        if part.shape[1:] != known:
            raise RaggedCorpus(
                f"{_named(part, name, number)} has rows of shape {list(part.shape[1:])}, after rows of shape "
                f"{list(known)}; train on features that have one shape in all documents"
            )

    def _reader(self, part: np.ndarray) -> Callable[[], np.ndarray]:
        read = self._spill.keep(part.view(np.ndarray))
        if type(part) is np.ndarray or not hasattr(part, "kwargs"):
            return read
        data = read()
        if np.may_share_memory(data, part):  # it was not written to the file
            return lambda: part
        kind, keywords = type(part), part.kwargs()
        return lambda: kind(read(), **keywords)

    def __iter__(self) -> Iterator[Any]:
        for i in range(len(self.kept)):
            yield self.read(i)

    def read(self, i: int) -> Any:
        number, read = self.kept[i]
        chunk = read()
        _each(chunk, read_ahead)
        self._check(i, chunk, chunk, 0)
        self._checked.add(i)
        return chunk

    def blocks(self, i: int, rows: int | None) -> Iterator[Any]:
        chunk = self.kept[i][1]()
        size = _length(chunk)
        step = rows or max(1, size * _BLOCK // max(1, _bytes(chunk)))
        for start in range(0, size, step):
            block = chunk if size <= step else _part(chunk, slice(start, start + step))
            _each(block, read_ahead)
            self._check(i, chunk, block, start)
            yield block
        self._checked.add(i)

    def _check(self, i: int, chunk: Any, block: Any, start: int) -> None:
        if i not in self._checked:
            for name, part in block.items() if isinstance(block, dict) else [(None, block)]:
                _check_finite(part, chunk if name is None else chunk[name], name, self.kept[i][0], start)


class _Zipped(_Chunks):
    """Chunks of several corpora side by side; they have been checked."""

    def __init__(self, corpora: Mapping[str, Corpus]) -> None:
        super().__init__(0)
        self._corpora = dict(corpora)
        self.lengths = next(iter(corpora.values()))._store.lengths
        self.seen = len(self.lengths)
        self.kept = [(i, lambda: None) for i in range(self.seen)]

    def read(self, i: int) -> Any:
        return {name: corpus._mapped(corpus._store.read(i)) for name, corpus in self._corpora.items()}

    def blocks(self, i: int, rows: int | None) -> Iterator[Any]:
        widest = max(_bytes(corpus._store.kept[i][1]()) for corpus in self._corpora.values())
        step = rows or max(1, self.lengths[i] * _BLOCK // max(1, widest))
        several = {name: corpus._store.blocks(i, step) for name, corpus in self._corpora.items()}
        for parts in zip(*several.values(), strict=True):
            yield {name: self._corpora[name]._mapped(part) for name, part in zip(several, parts, strict=True)}


def _named(part: Any, name: str | None, number: int) -> str:
    """Name a chunk in an error: by its document, where it knows, and its number."""
    origin = getattr(part, "origin", None)
    what = f"chunk {number}" if name is None else f"{name!r} of chunk {number}"
    return f"{origin} ({what}, counted from 0)" if origin else f"{what} (counted from 0)"


def _check_finite(part: np.ndarray, whole: np.ndarray, name: str | None, number: int, start: int) -> None:
    plain = np.asarray(part)
    if plain.dtype.kind not in "fc":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(plain.sum()):  # any NaN or infinite number makes the sum one, and a sum is quickly made
            return
    bad = ~np.isfinite(plain)
    if bad.any():
        row = start + int(np.argmax(bad.reshape(len(plain), -1).any(axis=1)))
        raise NonFiniteFeatures(
            f"{_named(whole, name, number)} has {int(bad.sum())} NaN or infinite values, the first in row {row}; leave "
            "the document out, or mend the feature"
        )


def _each(chunk: Any, action: Callable[[Any], object]) -> None:
    for part in chunk.values() if isinstance(chunk, Mapping) else (chunk,):
        action(part)


def _bytes(chunk: Any) -> int:
    return sum(part.nbytes for part in chunk.values()) if isinstance(chunk, Mapping) else int(chunk.nbytes)


def _length(chunk: Any) -> int:
    return len(next(iter(chunk.values()))) if isinstance(chunk, Mapping) else len(chunk)


def _part(chunk: Any, rows: slice | Sequence[int]) -> Any:
    return {name: part[rows] for name, part in chunk.items()} if isinstance(chunk, Mapping) else chunk[rows]
