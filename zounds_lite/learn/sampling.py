"""Sampling: nodes that keep some rows of a whole corpus, each row as likely as any other.

Goal: train on as much as fits, without favouring what came first or last. All of them are filled from a stream, hold no
more than what they keep, and give the same sample for the same seed, however the stream is cut; two with the same seed
keep rows at the same places. The seed is an argument like any other, so it counts in lineage. Nodes:
``ShuffledSamples``, ``ReservoirSampler``, ``BalancedSamples``.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, EmptyCorpus, GraphError, LabelError, NotEnoughData
from zounds_lite.featureflow.node import Aggregator, Node
from zounds_lite.learn.corpus import Corpus
from zounds_lite.learn.pipeline import PreprocessResult
from zounds_lite.learn.reservoir import MultiplexedReservoir, Reservoir, whole_number

__all__ = ["BalancedSamples", "ReservoirSampler", "ShuffledSamples"]


class _Sampler(Aggregator, Node):
    """Offers what comes in to ``_add``, and yields ``_sample()`` after the end of the stream."""

    def _add(self, samples: Any) -> None:
        raise NotImplementedError

    def _sample(self) -> Any:
        raise NotImplementedError

    @property
    def _rows(self) -> int:
        """How many rows are held."""
        raise NotImplementedError

    def _enqueue(self, data: Any, pusher: Node | None) -> None:
        if isinstance(data, PreprocessResult):
            data = data.data
        for chunk in data if isinstance(data, Corpus) else (data,):
            self._take(chunk, pusher)

    def _take(self, chunk: Any, pusher: Node | None) -> None:
        if len(self.needs) < 2:
            self._add(chunk)
            return
        queues = self._run["queues"]
        queues.setdefault(self._dependency_name(pusher), deque()).append(chunk)
        if all(queues.get(name) for name in self.needs):
            self._add({name: queues[name].popleft() for name in self.needs})

    def _dequeue(self) -> Any:
        if not self._ending() or "sampled" in self._run:
            raise NotEnoughData()
        self._run["sampled"] = True
        left = {name: len(queue) for name, queue in self._run["queues"].items() if queue}
        if left:
            raise GraphError(
                f"the inputs of {type(self).__name__} gave different numbers of chunks (left over: {left})"
            )
        if not self._rows:
            raise EmptyCorpus(
                f"{type(self).__name__} has nothing to choose from: no rows came; process documents before, and see "
                "that the iterable was not read up before"
            )
        return self._sample()

    def _process(self, data: Any) -> Iterator[Any]:
        yield data


class ShuffledSamples(_Sampler):
    """Keeps a uniform sample of all rows, in random order.

    Args:
        nsamples (int): how many rows to keep; where fewer come, all are kept.
        multiplexed (bool): the chunks are dicts of arrays, or there are several inputs, and the same rows are kept of
            each: a dict comes out.
        dtype: of the sample; None keeps that of the rows.
        seed (int | None): the same seed gives the same sample; None draws one.
        needs (Node | Mapping[str, Node]): where the rows come from.

    Shape: ``[rows, ...] -> [min(nsamples, rows), ...]``, units of rows kept

    Raises:
        DeclarationError: ``nsamples`` is no whole number, or less than 1.
        EmptyCorpus: no rows came.

    Examples:
        >>> [sample] = ShuffledSamples(nsamples=5).run(np.arange(100).reshape(4, 25))
        >>> sample.shape
        (5,)
        >>> [all_rows] = ShuffledSamples(nsamples=1e5).run(np.arange(100).reshape(4, 25))
        >>> len(all_rows), bool((np.sort(all_rows) == np.arange(100)).all())
        (100, True)
    """

    def __init__(
        self,
        nsamples: Any = None,
        multiplexed: bool = False,
        dtype: Any = None,
        seed: int | None = 0,
        needs: Any = None,
    ) -> None:
        super().__init__(needs=needs)
        self.reservoir = (MultiplexedReservoir if multiplexed else Reservoir)(nsamples, dtype, seed)

    def _add(self, samples: Any) -> None:
        if isinstance(samples, Mapping) and isinstance(self.reservoir, Reservoir):
            raise DeclarationError(f"a dict of {sorted(samples)} came in; say multiplexed=True to sample all of them")
        self.reservoir.add(samples)

    def _sample(self) -> Any:
        return self.reservoir.get()

    @property
    def _rows(self) -> int:
        return len(self.reservoir)


class ReservoirSampler(_Sampler):
    """Keeps a uniform sample of all rows, in random order, like ``ShuffledSamples``.

    Args:
        nsamples (int): how many rows to keep.
        wrapper (Callable | None): called with the sample, for example to give it units.
        seed (int | None): the same seed gives the same sample; None draws one.
        needs (Node): where the rows come from.

    Raises:
        DeclarationError: ``nsamples`` is no whole number, or less than 1.
        EmptyCorpus: no rows came.

    Examples:
        >>> [sample] = ReservoirSampler(nsamples=5, wrapper=np.sort).run([np.arange(3), np.arange(3, 5)])
        >>> sample
        array([0, 1, 2, 3, 4])
    """

    def __init__(
        self, nsamples: Any = None, wrapper: Callable[[Any], Any] | None = None, seed: int | None = 0, needs: Any = None
    ) -> None:
        super().__init__(needs=needs)
        self.wrapper = wrapper
        self.reservoir = Reservoir(nsamples, seed=seed)

    def _add(self, samples: Any) -> None:
        self.reservoir.add(samples)

    def _sample(self) -> Any:
        sample = self.reservoir.get()
        return sample if self.wrapper is None else self.wrapper(sample)

    @property
    def _rows(self) -> int:
        return len(self.reservoir)


class BalancedSamples(_Sampler):
    """Keeps equally many rows of each label, each row of a label as likely as any other, in random order.

    Memory: ``nsamples`` rows for each label.

    Args:
        nsamples (int): how many rows to keep of each label; where a label has fewer, each is cut down to as many.
        labels (Sequence | None): the labels that must be there; None takes what comes.
        dtype: of the data; None keeps that of the rows.
        seed (int | None): the same seed gives the same sample; None draws one.
        needs (Mapping[str, Node]): ``dict(data=..., labels=...)``, or one node whose chunks are such dicts. Labels are
            whole numbers, bools or text, one for each row; inputs of other names are sampled along.

    Returns:
        dict[str, np.ndarray]: the sample, by the names of the inputs.

    Raises:
        DeclarationError: ``nsamples`` is no whole number, or less than 1; no labels, or not one for each row.
        EmptyCorpus: no rows came.
        LabelError: labels of mixed type, or none of one of ``labels``; the message names those that are absent.

    Examples:
        >>> chunk = {"data": np.arange(10.0), "labels": np.array(["a"] * 8 + ["b"] * 2)}
        >>> [sample] = BalancedSamples(nsamples=5).run([chunk])
        >>> sorted(sample["labels"].tolist())
        ['a', 'a', 'b', 'b']
    """

    def __init__(
        self, nsamples: Any = None, labels: Any = None, dtype: Any = None, seed: int | None = 0, needs: Any = None
    ) -> None:
        super().__init__(needs=needs)
        self.nsamples = whole_number(nsamples, "nsamples")
        self.labels = labels
        self.dtype = dtype
        self.seed = None if seed is None else whole_number(seed, "seed", least=0)
        self._reservoirs: dict[Any, MultiplexedReservoir] = {}
        self._kind: str | None = None

    def _add(self, samples: Any) -> None:
        if not isinstance(samples, Mapping) or "labels" not in samples:
            found = sorted(samples) if isinstance(samples, Mapping) else type(samples).__name__
            raise DeclarationError(f"BalancedSamples got {found}; needed: needs=dict(data=..., labels=...)")
        labels = self._checked(np.asarray(samples["labels"]))
        lengths = {name: len(part) for name, part in samples.items()}
        if len(set(lengths.values())) != 1:
            raise DeclarationError(f"different numbers of rows: {lengths}; give one label for each row")
        for label in np.unique(labels):
            where = np.flatnonzero(labels == label)
            self._reservoir(label.item()).add({name: np.asarray(part)[where] for name, part in samples.items()})

    def _checked(self, labels: np.ndarray) -> np.ndarray:
        """Return labels that are all of one kind."""
        if labels.ndim != 1:
            raise LabelError(f"labels of shape {list(labels.shape)}; needed: one for each row")
        if not len(labels):
            return labels
        kind = "i" if labels.dtype.kind == "u" else labels.dtype.kind
        if kind not in "biUS":
            raise LabelError(f"labels of {labels.dtype}; allowed: whole numbers, bools and text")
        if self._kind not in (None, kind):
            raise LabelError(f"labels of mixed type: {labels.dtype} after others of kind {self._kind!r}; give one")
        self._kind = kind
        return labels

    def _reservoir(self, label: Any) -> MultiplexedReservoir:
        if label not in self._reservoirs:
            # a label's own numbers: its sample does not depend on what else comes, and when
            own = int.from_bytes(hashlib.blake2b(repr(label).encode(), digest_size=8).digest(), "little")
            seed = None if self.seed is None else own ^ self.seed
            dtype = None if self.dtype is None else {"data": self.dtype}
            self._reservoirs[label] = MultiplexedReservoir(self.nsamples, dtype, seed)
        return self._reservoirs[label]

    def _sample(self) -> dict[str, np.ndarray]:
        absent = [label for label in self.labels or () if label not in self._reservoirs]
        if absent:
            raise LabelError(
                f"no rows are labelled {absent!r}; there are {sorted(self._reservoirs)!r:.200}; add documents with the "
                "absent labels, or take them out of labels="
            )
        parts = [reservoir.get() for _, reservoir in sorted(self._reservoirs.items())]
        least = min(len(part["labels"]) for part in parts)
        order = np.random.default_rng(self.seed).permutation(least * len(parts))
        return {name: np.concatenate([part[name][:least] for part in parts])[order] for name in parts[0]}

    @property
    def _rows(self) -> int:
        return len(self._reservoirs)
