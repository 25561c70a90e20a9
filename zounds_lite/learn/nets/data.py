"""Datasets for PyTorch over stored features: random stretches, or whole documents, with labels from metadata.

Goal: a ``DataLoader`` reads crops straight from the memory maps of the store, with one copy into the tensor. Workers
share those maps, so that a corpus is in memory once. Conventions: what item ``i`` of an epoch is depends on the seed,
the epoch and ``i`` alone, so it is the same for any number of workers and ranks; documents are opened in the worker
that reads them; an item is a tensor ``[time, ...]``, or such a tensor and its label. Classes: ``FeatureDataset``
(map-style), ``FeatureStream`` (iterable); function ``collate_ragged``.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from zounds_lite.errors import DeclarationError, EmptyCorpus
from zounds_lite.learn.labels import checked_labels, field_values
from zounds_lite.learn.nets._items import Items, targets_of
from zounds_lite.learn.nets._torch import Tensor, nn, torch

__all__ = ["FeatureDataset", "FeatureStream", "collate_ragged"]

if TYPE_CHECKING:
    from torch.utils.data import Dataset, IterableDataset
elif isinstance(torch, type(sys)):
    Dataset, IterableDataset = torch.utils.data.Dataset, torch.utils.data.IterableDataset
else:
    Dataset = IterableDataset = nn.Module  # says how to install torch when it is made

_TRIES = 1000
"""How many documents a stream tries before it says that none is long enough."""


class FeatureDataset(Items, Dataset):
    """Map-style: a fixed number of items, any of which can be read; for ``DataLoader``, with a sampler or ``shuffle``.

    All documents are looked at once when it is made, to know their lengths and labels. Several processes that train
    together each take their part by ``DistributedSampler``, as with every dataset of this kind.

    Args:
        documents (type[BaseModel] | Selection): the documents: all of a class, or those that ``where`` chose.
        feature (Feature | str): their feature, an array with time first; one that is not stored is computed for each
            stretch.
        duration (np.timedelta64 | None): length of a random stretch, > 0; None: whole documents.
        label (str | None): the field of the metadata that labels each item; whole numbers, text and truth as the number
            of their class, other numbers as float32.
        classes (Sequence | None): labels in the order of their numbers, for example of the training set; None: those
            that there are, in order.
        crops (int | str): stretches of each document in an epoch, >= 1; ``"duration"``: as many as lie side by side in
            it, at least one, so that long documents count for more.
        short (str): what becomes of documents that are shorter than a stretch: ``"raise"`` names the first;
            ``"pad"`` fills them up at the end, and leaves out those without rows; ``"leave_out"`` leaves them out.
        pad_value (float): what fills up.
        dtype (Any): of the items, as numpy names it; None keeps that of the feature.
        transform (Callable | None): called with the tensor and a seeded ``np.random.Generator`` of the item, for
            example to augment it.
        seed (int): the same seed draws the same stretches, >= 0.

    Attributes:
        ids (tuple[str, ...]): the documents that give items.
        left_out (tuple[str, ...]): the documents that give none, by the rule for short ones.
        sizes (np.ndarray): the rows of each document that gives items.
        labels (np.ndarray | None): the label of each of them.
        classes (tuple | None): what the numbers of classes stand for.

    Raises:
        EmptyCorpus: no document, or none that is long enough; or a short one, where that is to be raised.
        LabelError: labels are missing or of mixed type, or not among ``classes``.
        NonFiniteFeatures: when an item is read that has NaN or infinite values; the message names the document.
        RaggedCorpus: stretches of the same duration have different numbers of rows.

    Examples:
        >>> import numpy as np
        >>> import zounds_lite as zounds
        >>> STFT = zounds.stft(resample_to=zounds.SR11025(), store_resampled=True, store_ogg=False)
        >>> @zounds.simple_in_memory_settings
        ... class Sound(STFT):
        ...     pass
        >>> tones = zounds.SineSynthesizer(zounds.SR11025())
        >>> for label, hz in [("low", 220.0), ("high", 880.0)]:
        ...     samples = tones.synthesize(zounds.Seconds(2), [hz])
        ...     _ = Sound.process(meta=zounds.AudioMetaData(uri=samples.encode(), label=label))
        >>> dataset = FeatureDataset(Sound, "resampled", zounds.Seconds(1), label="label", crops=3)
        >>> len(dataset), dataset.classes
        (6, ('high', 'low'))
        >>> crop, label = dataset[0]
        >>> tuple(crop.shape), label in (0, 1)
        ((11025,), True)

    See Also:
        FeatureStream: without looking at all documents first.
    """

    def __init__(
        self,
        documents: Any,
        feature: Any,
        duration: np.timedelta64 | None = None,
        label: str | None = None,
        classes: Sequence[Any] | None = None,
        crops: int | str = 1,
        short: str = "raise",
        pad_value: float = 0.0,
        dtype: Any = None,
        transform: Callable[[Any, np.random.Generator], Any] | None = None,
        seed: int = 0,
    ) -> None:
        ids = self._prepare(documents, feature, duration, label, short, pad_value, dtype, transform, seed)
        if crops != "duration" and (not isinstance(crops, int) or crops < 1):
            raise DeclarationError(f"crops={crops!r}; allowed: a whole number, 1 or more, or 'duration'")
        found = [(_id, *self._stored.size(_id)) for _id in _progress(ids)]
        kept = [item for item in found if self._is_long_enough(item[1], item[0])]
        self.ids = tuple(item[0] for item in kept)
        self.left_out = tuple(sorted(set(ids) - set(self.ids)))
        if not kept:
            raise EmptyCorpus(f"none of {len(ids)} documents has enough rows of {self._stored.feature}: {ids[:3]}")
        self.sizes = np.array([item[1] for item in kept], np.int64)
        self.labels, self.classes, self._targets = None, None, None
        if label is not None:
            self.labels = checked_labels([item[2] for item in kept], self.ids, label)
            self.classes, self._targets = targets_of(self.labels, classes, self.ids, label)
        each = 1 if duration is None else crops
        counts = np.maximum(1, self.sizes // (self._stored.length or 1)) if each == "duration" else each
        self._ends = np.cumsum(np.broadcast_to(counts, self.sizes.shape))
        self._each = each if isinstance(each, int) else None

    def __len__(self) -> int:
        return int(self._ends[-1])

    def __getitem__(self, index: int) -> Any:
        if index < 0:
            index += len(self)
        if self._each is not None:
            at = index // self._each
        else:
            at = int(np.searchsorted(self._ends, index, side="right"))
        if not 0 <= index < len(self):
            raise IndexError(f"item {index}; allowed: 0 to {len(self) - 1}")
        item = self._cut(self.ids[at], index)
        return item if self._targets is None else (item, self._targets[at])

    def __repr__(self) -> str:
        what = "documents" if self.duration is None else f"stretches of {self.duration!r}"
        return f"<FeatureDataset of {len(self)} {what}: {self._stored.feature} of {len(self.ids)} documents>"


class FeatureStream(Items, IterableDataset):
    """Iterable: items one after the other, each of a document picked at random, without looking at all of them first.

    Every document that is long enough is equally likely, as for ``Document.sample``; whole documents come once each,
    in random order. Workers of a ``DataLoader`` share the items of an epoch, and so do processes that train together:
    those of ``torch.distributed`` where it is initialised, or as ``rank`` and ``world_size`` say. Of stretches each of
    these processes gets equally many, so that none waits for another.

    Args:
        documents (type[BaseModel] | Selection): as for ``FeatureDataset``.
        feature (Feature | str): as there.
        duration (np.timedelta64 | None): as there.
        label (str | None): as there.
        classes (Sequence | None): as there; None looks at the labels of all documents once.
        length (int | None): stretches in an epoch, of all processes together; None: as many as documents.
        short (str): as there; with "leave_out", another document is drawn instead.
        pad_value (float): as there.
        dtype (Any): as there.
        transform (Callable | None): as there.
        seed (int): as there.
        rank (int | None): the number of this process among those that train together, from 0.
        world_size (int | None): how many these are.

    Raises:
        EmptyCorpus: no document, or none that is long enough; or a short one, where that is to be raised.
        LabelError: labels are missing or of mixed type, or not among ``classes``.
        NonFiniteFeatures: when an item is read that has NaN or infinite values; the message names the document.

    Examples:
        >>> import zounds_lite as zounds
        >>> STFT = zounds.stft(resample_to=zounds.SR11025(), store_resampled=True, store_ogg=False)
        >>> @zounds.simple_in_memory_settings
        ... class Sound(STFT):
        ...     pass
        >>> tone = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(2), [440.0])
        >>> _ = Sound.process(meta=tone.encode())
        >>> stream = FeatureStream(Sound, "resampled", zounds.Milliseconds(500), length=3)
        >>> [tuple(crop.shape) for crop in stream]
        [(5513,), (5513,), (5513,)]

    See Also:
        FeatureDataset: items in any order, as samplers need it.
    """

    def __init__(
        self,
        documents: Any,
        feature: Any,
        duration: np.timedelta64 | None = None,
        label: str | None = None,
        classes: Sequence[Any] | None = None,
        length: int | None = None,
        short: str = "raise",
        pad_value: float = 0.0,
        dtype: Any = None,
        transform: Callable[[Any, np.random.Generator], Any] | None = None,
        seed: int = 0,
        rank: int | None = None,
        world_size: int | None = None,
    ) -> None:
        ids = self._prepare(documents, feature, duration, label, short, pad_value, dtype, transform, seed)
        if (rank is None) != (world_size is None) or (world_size is not None and not 0 <= (rank or 0) < world_size):
            raise DeclarationError(
                f"rank={rank!r}, world_size={world_size!r}; needed: both, and 0 <= rank < world_size"
            )
        if length is not None and (length < 1 or duration is None):
            raise DeclarationError(f"length={length!r}; allowed: 1 or more, and only with a duration")
        self.ids = tuple(ids)
        self.length = len(ids) if length is None else length
        self.classes: tuple[Any, ...] | None = None
        self._targets: dict[str, Any] | None = None
        if label is not None:
            values = checked_labels(field_values(self._stored.model, self.ids, label), self.ids, label)
            self.classes, targets = targets_of(values, classes, self.ids, label)
            self._targets = dict(zip(self.ids, targets, strict=True))
        self._rank, self._world_size, self._outside = rank, world_size, (0, 1)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_outside": self._place()}  # a spawned worker does not know of the other processes

    def _place(self) -> tuple[int, int]:
        """Return the number of this process, and how many there are."""
        if self._rank is not None and self._world_size is not None:
            return self._rank, self._world_size
        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank(), distributed.get_world_size()
        return self._outside

    def __iter__(self) -> Iterator[Any]:
        rank, ranks = self._place()
        worker = torch.utils.data.get_worker_info()
        number, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        if self.duration is None:
            order = np.random.default_rng([self.seed, int(self._epoch)]).permutation(len(self.ids))
            chosen = [self.ids[i] for i in order]
            total = len(chosen)
        else:
            total = -(-self.length // ranks) * ranks
        for index in range(rank + number * ranks, total, ranks * workers):
            _id = self._picked(index) if self.duration is not None else chosen[index]
            if self.duration is None and not self._is_long_enough(self._stored.open(_id).size, _id):
                continue
            item = self._cut(_id, index)
            yield item if self._targets is None else (item, self._targets[_id])

    def _picked(self, index: int) -> str:
        """Pick a document that is long enough."""
        for draw in range(_TRIES):
            _id = self.ids[self._drawn(index, 2 + draw, len(self.ids))]
            if self._is_long_enough(self._stored.open(_id).size, _id):
                return _id
        raise EmptyCorpus(
            f"{_TRIES} documents were drawn, and none has {self.duration!r} of {self._stored.feature}; choose a "
            "shorter duration, or short='pad'"
        )

    def __repr__(self) -> str:
        what = "documents" if self.duration is None else f"stretches of {self.duration!r}"
        return f"<FeatureStream of {self.length} {what}: {self._stored.feature} of {len(self.ids)} documents>"


def _progress(ids: Sequence[str]) -> Any:
    from tqdm import tqdm  # only who opens a corpus waits for it

    return tqdm(ids, "documents", unit="document", disable=not sys.stderr.isatty(), file=sys.stderr, delay=1)


def collate_ragged(items: Sequence[Any], pad_value: float = 0.0) -> tuple[Any, ...]:
    """Join items of different lengths to a batch, filled up to the longest: ``DataLoader(..., collate_fn=...)``.

    Args:
        items (Sequence): tensors, or tensors and labels, of a dataset.
        pad_value (float): what fills up; ``functools.partial(collate_ragged, pad_value=-100.0)`` gives another one.

    Shape:
        ``[time, ...] of each -> [items, longest time, ...]``

    Returns:
        tuple: the batch; the lengths of its items, as int64; and, where items have them, the labels.

    Examples:
        >>> import torch
        >>> batch, lengths = collate_ragged([torch.ones(2), torch.ones(3)])
        >>> batch.tolist(), lengths.tolist()
        ([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]], [2, 3])
    """
    is_labelled = isinstance(items[0], tuple)
    parts: list[Tensor] = [item[0] if is_labelled else item for item in items]
    lengths = torch.tensor([len(part) for part in parts])
    first = parts[0]
    batch = first.new_full((len(parts), int(lengths.max()), *first.shape[1:]), pad_value)
    for row, part in zip(batch, parts, strict=True):
        row[: len(part)] = part
    if not is_labelled:
        return batch, lengths
    return batch, lengths, torch.utils.data.default_collate([item[1] for item in items])
