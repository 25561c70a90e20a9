"""Reservoirs: a uniform sample of rows, of which nobody knows how many will come.

Goal: every row of a stream has the same chance to be kept, and so has every set of them, whatever the chunks are; what
was kept comes out in random order; one seed gives one sample. Memory: at most 1.25 times ``nsamples`` rows, and one
chunk. Conventions: rows are along the first axis; a row is anything that can stand in an array.

Method: each row draws a number, and the ``nsamples`` rows with the smallest numbers are kept. Numbers are drawn in the
order of the rows, so that chunks make no difference. A quarter more rows than needed are taken in before those with the
largest numbers are dropped, all at once: the cost for each row is constant. Only rows that are taken in are read, so a
memory map is not read through.

Classes: ``Reservoir``, ``MultiplexedReservoir``. Function: ``whole_number``.

Sources:
    Vitter, "Random sampling with a reservoir", 1985; Efraimidis and Spirakis, "Weighted random sampling with a
    reservoir", 2006 (random keys; here with equal weights).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from zounds_lite.core import ArrayWithUnits, IdentityDimension
from zounds_lite.errors import DeclarationError, DimensionError, RaggedCorpus

__all__ = ["MultiplexedReservoir", "Reservoir", "whole_number"]


def whole_number(value: Any, name: str, least: int = 1) -> int:
    """Return a whole number, which may have been given as a float such as ``1e5``.

    Args:
        value (int | float): the number.
        name (str): names the argument in the error.
        least (int): the smallest that is allowed.

    Raises:
        DeclarationError: it is no whole number, or too small.

    Examples:
        >>> whole_number(1e5, "nsamples")
        100000
    """
    is_number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not is_number or value != value or abs(value) == np.inf or value != int(value) or value < least:
        raise DeclarationError(f"{name}={value!r}; allowed: whole numbers from {least}, such as 1000 or 1e5")
    return int(value)


def _common(held: np.dtype, added: np.dtype, what: str) -> np.dtype:
    """Return the dtype that holds both: numbers with numbers, text with text of any length."""
    is_number = {dtype.kind in "iufc" for dtype in (held, added)}
    if is_number == {True} or held.kind == added.kind:
        return np.result_type(held, added)
    raise RaggedCorpus(f"{what} got rows of {added}, after rows of {held}; give rows of one type")


class _Selection:
    """Which rows of a stream are kept, and in which slot each is."""

    def __init__(self, nsamples: int, seed: Any) -> None:
        self.nsamples = nsamples
        self.seen = 0
        self._random = np.random.default_rng(seed)
        self.capacity = nsamples + nsamples // 4 + 1
        self._keys = np.empty(0)
        self._used = 0  # slots that have ever been taken
        self._free = np.empty(0, np.intp)
        self._limit = np.inf

    def __len__(self) -> int:
        return min(self.nsamples, self.seen)

    def offer(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield, for the next ``count`` rows, which of them to write to which slots, in this order."""
        keys = self._random.random(count)
        self.seen += count
        chosen = np.flatnonzero(keys < self._limit)
        if len(chosen) > self.nsamples:  # more cannot be kept of one chunk
            chosen = np.sort(chosen[np.argpartition(keys[chosen], self.nsamples - 1)[: self.nsamples]])
        while len(chosen):
            part = chosen[: self._room]
            slots = self._take(len(part))
            self._keys[slots] = keys[part]
            chosen = chosen[len(part) :]
            yield part, slots
            if not self._room:
                self._drop()
                chosen = chosen[keys[chosen] < self._limit]

    @property
    def _room(self) -> int:
        return len(self._free) + self.capacity - self._used

    def _take(self, count: int) -> np.ndarray:
        again, self._free = self._free[:count], self._free[count:]
        used = self._used + count - len(again)
        if used > len(self._keys):
            larger = np.full(min(self.capacity, max(used, 2 * len(self._keys))), np.inf)
            larger[: len(self._keys)] = self._keys
            self._keys = larger
        slots = np.concatenate([again, np.arange(self._used, used)])
        self._used = used
        return slots

    def _drop(self) -> None:
        """Drop all but the rows to keep."""
        held = self._used - len(self._free)
        if held <= self.nsamples:
            return
        order = np.argpartition(self._keys[: self._used], self.nsamples - 1)
        self._limit = float(self._keys[order[self.nsamples - 1]])
        self._free = order[self.nsamples :].astype(np.intp)
        self._keys[self._free] = np.inf

    def slots(self) -> np.ndarray:
        """Return the slots of the rows that are kept, in random order."""
        self._drop()
        return np.argsort(self._keys[: self._used], kind="stable")[: len(self)]


class _Rows:
    """The rows that a reservoir holds, by slot."""

    def __init__(self, capacity: int, dtype: Any) -> None:
        self._capacity = capacity
        self._wanted = None if dtype is None else np.dtype(dtype)
        self._rows: np.ndarray | None = None
        self._dimensions: tuple[Any, ...] | None = None

    def check(self, samples: Any, what: str) -> Any:
        """Return samples as an array, after checking that they fit those before."""
        rows = samples if isinstance(samples, np.ndarray) else np.asarray(samples)
        if not rows.ndim or rows.dtype.hasobject:
            raise DimensionError(
                f"{what} got {rows.dtype} of shape {list(rows.shape)}; needed: an array of numbers or text whose first "
                "axis counts rows"
            )
        if self._rows is None:
            return rows
        if rows.shape[1:] != self._rows.shape[1:]:
            raise RaggedCorpus(
                f"{what} got rows of shape {list(rows.shape[1:])}, after rows of shape {list(self._rows.shape[1:])}; "
                "give rows of one shape"
            )
        if self._wanted is None and rows.dtype != self._rows.dtype and len(rows):
            self._rows = self._rows.astype(_common(self._rows.dtype, rows.dtype, what), copy=False)
        return rows

    def write(self, slots: np.ndarray, rows: Any) -> None:
        """Write rows to slots."""
        if self._rows is None:
            self._rows = np.empty((0, *rows.shape[1:]), self._wanted or rows.dtype)
            self._dimensions = rows.dimensions if isinstance(rows, ArrayWithUnits) else None
        needed = int(slots.max()) + 1
        if needed > len(self._rows):
            length = max(needed, min(self._capacity, len(self._rows) * 3 // 2))
            # in place, which holds no second copy; no view of it is ever handed out
            self._rows.resize((length, *self._rows.shape[1:]), refcheck=False)
        self._rows[slots] = np.asarray(rows)

    def read(self, slots: np.ndarray) -> Any:
        """Return a copy of the rows in some slots, with the units that rows have."""
        assert self._rows is not None
        rows = self._rows[slots]
        if self._dimensions is None:
            return rows
        return ArrayWithUnits(rows, (IdentityDimension(), *self._dimensions[1:]))


class _Base:
    """What one reservoir and several side by side share."""

    def __init__(self, nsamples: Any, dtype: Any = None, seed: int | None = 0) -> None:
        self.nsamples = whole_number(nsamples, "nsamples")
        self.dtype = dtype
        self.seed = None if seed is None else whole_number(seed, "seed", least=0)
        self._selection = _Selection(self.nsamples, self.seed)
        self._draws = np.random.default_rng(None if self.seed is None else [self.seed, 1])

    def __len__(self) -> int:
        return len(self._selection)

    def percent_full(self) -> float:
        """How much of the reservoir holds rows, from 0 to 1."""
        return len(self) / self.nsamples

    def _batch(self, batch_size: Any) -> np.ndarray:
        size = whole_number(batch_size, "batch_size")
        if size > len(self):
            raise DeclarationError(
                f"batch_size={size} is more than the {len(self)} rows that are there (of {self.nsamples}); ask for "
                "fewer, or add more first"
            )
        return self._draws.integers(0, len(self), size)


class Reservoir(_Base):
    """A uniform sample of the rows that are added, in random order.

    Args:
        nsamples (int): how many rows to keep, 1 or more; a whole float such as 1e5 will do.
        dtype: of the sample; None takes that of the first rows.
        seed (int | None): the same seed gives the same sample of the same rows, whatever the chunks; None draws one.

    Raises:
        DeclarationError: ``nsamples`` is no whole number, or less than 1.

    Examples:
        >>> reservoir = Reservoir(3)
        >>> for chunk in np.arange(1000).reshape(10, 100):
        ...     reservoir.add(chunk)
        >>> len(reservoir), reservoir.percent_full(), reservoir.get().shape
        (3, 1.0, (3,))
    """

    def __init__(self, nsamples: Any, dtype: Any = None, seed: int | None = 0) -> None:
        super().__init__(nsamples, dtype, seed)
        self._rows = _Rows(self._selection.capacity, dtype)
        self._written: set[int] = set()

    def __len__(self) -> int:
        return len(self._written) or len(self._selection)

    def add(self, samples: Any, indices: Any = None) -> None:
        """Offer rows to the reservoir.

        Args:
            samples (np.ndarray): rows along the first axis.
            indices (Sequence[int] | None): slots from 0 to ``nsamples - 1`` to write the rows to, whatever they hold,
                for callers that choose for themselves; None lets the reservoir choose.

        Raises:
            DimensionError: no axis of rows.
            RaggedCorpus: rows of another shape, or type, than those before.
            DeclarationError: as many indices as rows are needed, each a slot; a reservoir is filled one way only.
        """
        rows = self._rows.check(samples, "a Reservoir")
        if indices is not None:
            self._write(rows, indices)
            return
        if self._written:
            raise DeclarationError("this reservoir was filled by indices; go on so, or make another one")
        for positions, slots in self._selection.offer(len(rows)):
            self._rows.write(slots, rows[positions])

    def _write(self, rows: Any, indices: Any) -> None:
        slots = np.asarray(indices)
        if slots.shape != (len(rows),) or (slots.size and slots.dtype.kind not in "iu"):
            raise DeclarationError(f"{len(rows)} rows and indices {slots!r:.60}; needed: one whole number for each row")
        if slots.size and not 0 <= slots.min() <= slots.max() < self.nsamples:
            raise DeclarationError(f"indices from {slots.min()} to {slots.max()}; allowed: 0 to {self.nsamples - 1}")
        if self._selection.seen:
            raise DeclarationError("this reservoir chose its rows so far; go on without indices, or make another one")
        if slots.size:
            self._rows.write(slots.astype(np.intp), rows)
        self._written.update(slots.tolist())

    def _slots(self) -> np.ndarray:
        if self._written:
            return np.array(sorted(self._written), np.intp)
        if not len(self):
            raise DeclarationError("the reservoir is empty; add rows first")
        return self._selection.slots()

    def get(self) -> Any:
        """Return the sample, in random order, with the units that rows have.

        Raises:
            DeclarationError: nothing was added.
        """
        return self._rows.read(self._slots())

    def get_batch(self, batch_size: Any) -> Any:
        """Draw rows of the sample, with replacement.

        Args:
            batch_size (int): how many.

        Raises:
            DeclarationError: more than there are.
        """
        drawn = self._batch(batch_size)
        return self._rows.read(self._slots()[drawn])


class MultiplexedReservoir(_Base):
    """Several reservoirs side by side, which keep the same rows: data and their labels, for example.

    Args:
        nsamples (int): how many rows to keep.
        dtype: of all samples, or a mapping of names to dtypes; None takes those of the first rows.
        seed (int | None): as for ``Reservoir``.

    Raises:
        DeclarationError: ``nsamples`` is no whole number, or less than 1.

    Examples:
        >>> reservoir = MultiplexedReservoir(2)
        >>> reservoir.add({"data": np.arange(10.0), "labels": np.arange(10)})
        >>> sample = reservoir.get()
        >>> bool((sample["data"] == sample["labels"]).all())
        True
    """

    def __init__(self, nsamples: Any, dtype: Any = None, seed: int | None = 0) -> None:
        super().__init__(nsamples, dtype, seed)
        self._parts: dict[str, _Rows] = {}

    def add(self, samples: Mapping[str, Any]) -> None:
        """Offer rows to the reservoirs.

        Args:
            samples (Mapping[str, np.ndarray]): equally many rows under each name; always the same names.

        Raises:
            DeclarationError: other names than before, or different numbers of rows.
        """
        if not isinstance(samples, Mapping) or not samples:
            raise DeclarationError(f"a MultiplexedReservoir got {type(samples).__name__}; needed: a dict of arrays")
        if self._parts and samples.keys() != self._parts.keys():
            raise DeclarationError(f"got {sorted(samples)}, after {sorted(self._parts)}; give the same names always")
        dtypes = self.dtype if isinstance(self.dtype, Mapping) else dict.fromkeys(samples, self.dtype)
        capacity = self._selection.capacity
        parts = self._parts or {name: _Rows(capacity, dtypes.get(name)) for name in samples}
        rows = {name: parts[name].check(samples[name], f"{name!r} of a MultiplexedReservoir") for name in samples}
        lengths = {name: len(part) for name, part in rows.items()}
        if len(set(lengths.values())) != 1:
            raise DeclarationError(f"different numbers of rows: {lengths}; give equally many under each name")
        if any(lengths.values()):
            self._parts = parts
        for positions, slots in self._selection.offer(next(iter(lengths.values()))):
            for name, part in rows.items():
                parts[name].write(slots, part[positions])

    def _read(self, chosen: Any) -> dict[str, Any]:
        if not self._parts:
            raise DeclarationError("the reservoir is empty; add rows first")
        slots = self._selection.slots()[chosen]
        return {name: part.read(slots) for name, part in self._parts.items()}

    def get(self) -> dict[str, Any]:
        """Return the samples by name, in the same random order.

        Raises:
            DeclarationError: nothing was added.
        """
        return self._read(slice(None))

    def get_batch(self, batch_size: Any) -> dict[str, Any]:
        """Draw rows, the same under each name, with replacement.

        Raises:
            DeclarationError: more than there are.
        """
        return self._read(self._batch(batch_size))
