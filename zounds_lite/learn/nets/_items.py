"""What both datasets share: their arguments, the epoch, what chance draws for an item, and how an item is cut.

Convention: what is drawn depends on the seed, the epoch and the number of the item alone. Class: ``Items``; functions:
``targets_of``, ``drawn``.

Sources:
    Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014 (SplitMix64, which is what
    ``drawn`` draws from).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite.errors import DeclarationError, EmptyCorpus, LabelError
from zounds_lite.learn.labels import classes_of, holder_of, selected
from zounds_lite.learn.nets._torch import torch
from zounds_lite.learn.stored_rows import StoredRows

__all__ = ["Items", "drawn", "targets_of"]

_SHORT = ("raise", "pad", "leave_out")
_MASK = (1 << 64) - 1


def _mixed(x: int) -> int:
    x = (x + 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return x ^ (x >> 31)


def drawn(base: int, index: int, draw: int, n: int) -> int:
    """Draw a number from 0 to ``n - 1`` for an item; a generator of numpy takes ten times as long to make."""
    return (_mixed(_mixed(base ^ index) ^ draw) * n) >> 64


class Items:
    """The base of both datasets."""

    def _prepare(
        self,
        documents: Any,
        feature: Any,
        duration: np.timedelta64 | None,
        label: str | None,
        short: str,
        pad_value: float,
        dtype: Any,
        transform: Callable[[Any, np.random.Generator], Any] | None,
        seed: int,
    ) -> list[str]:
        """Keep the arguments; return the ids of the documents."""
        if short not in _SHORT:
            raise DeclarationError(f"short={short!r}; allowed: {', '.join(map(repr, _SHORT))}")
        if duration is not None and picoseconds(duration) <= 0:
            raise DeclarationError(
                f"duration={duration!r}; allowed: a duration above zero, or None for whole documents"
            )
        if seed < 0:
            raise DeclarationError(f"seed={seed}; allowed: a whole number, 0 or more")
        model, ids = selected(documents)
        holder = None if label is None else holder_of(model, label).name
        self._stored = StoredRows(model, feature, duration, label, holder)
        self.duration, self.label, self.short, self.seed = duration, label, short, int(seed)
        self._pad, self._dtype, self._transform = pad_value, None if dtype is None else np.dtype(dtype), transform
        self._epoch = torch.zeros((), dtype=torch.int64).share_memory_()  # workers that stay see it change
        self._bases: dict[int, int] = {}
        return ids

    def set_epoch(self, epoch: int) -> None:
        """Draw other stretches from now on; call it before each epoch, also with workers that stay.

        Args:
            epoch (int): its number, >= 0.
        """
        self._epoch.fill_(epoch)

    def _drawn(self, index: int, draw: int, n: int) -> int:
        return drawn(self._base(), index, draw, n)

    def _base(self) -> int:
        epoch = self._epoch.item()
        base = self._bases.get(epoch)
        if base is None:
            base = self._bases[epoch] = _mixed(_mixed(self.seed) ^ epoch)
        return base

    def _is_long_enough(self, rows: int, _id: str) -> bool:
        """Tell whether a document gives items, by the rule for short ones.

        Raises:
            EmptyCorpus: it is too short, and the rule is to say so.
        """
        length = 1 if self.duration is None else self._stored.length or 1
        if rows >= length or (rows and self.short == "pad"):
            return True
        if self.short == "raise":
            raise EmptyCorpus(
                f"document {_id!r} has {rows} rows of {self._stored.feature}, and {length} are needed; short='pad' "
                "fills such documents up (without rows, they are left out), short='leave_out' leaves all of them out"
            )
        return False

    def _cut(self, _id: str, index: int) -> Any:
        """Return the tensor of an item: some rows of a document, in one copy."""
        rows = self._stored.open(_id)
        length = rows.size if self.duration is None else self._stored.length or 1
        start = self._drawn(index, 1, rows.size - length + 1) if rows.size > length else 0
        found = rows.read(start, min(start + length, rows.size))
        self._stored.check_finite(found, start, _id)
        if len(found) < length:
            self._is_long_enough(rows.size, _id)
            copy = np.full((length, *found.shape[1:]), self._pad, self._dtype or found.dtype)
            copy[: len(found)] = found
        else:
            copy = np.array(found, self._dtype)
        tensor = torch.from_numpy(copy)
        if self._transform is None:
            return tensor
        return self._transform(tensor, np.random.default_rng([self.seed, self._epoch.item(), index]))


def targets_of(
    labels: np.ndarray, classes: Sequence[Any] | None, ids: Sequence[str], field: str
) -> tuple[tuple[Any, ...] | None, list[Any]]:
    """Return the classes, and what each document is to be taken for: the number of its class, or a number as it is."""
    if labels.dtype.kind == "f" and classes is None:
        return None, list(torch.from_numpy(labels.astype(np.float32)))
    known = classes_of(labels) if classes is None else tuple(classes)
    number = {label: i for i, label in enumerate(known)}
    for label, _id in zip(labels.tolist(), ids, strict=True):
        if label not in number:
            raise LabelError(f"{field!r} of document {_id!r} is {label!r}, which is none of the classes {known!r:.200}")
    return known, [number[label] for label in labels.tolist()]
