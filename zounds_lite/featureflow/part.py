"""Documents in time: a stretch of one, a walk along one, stretches picked at random.

Conventions: whatever is asked for, only that stretch is read or computed. Classes: ``Part``, ``InTime``.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite._span import Span
from zounds_lite.errors import DeclarationError, KeyNotFound
from zounds_lite.featureflow.feature import Feature

__all__ = ["InTime", "Part"]


class Part:
    """A document whose features are those of a stretch of time; what ``document[index]`` returns.

    Each feature is read, or computed, for the stretch only, when it is first asked for.

    Args:
        document (BaseModel): the document.
        index (Any): a stretch that the features' axes of time translate to rows.

    Raises:
        DimensionError: a feature that is asked for has no axis of time.
        UnitIndexError: the index is no stretch of time.
        AttributeError: the document has no such feature.
    """

    def __init__(self, document: Any, index: Any) -> None:
        self.document = document
        self.index = index

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in ("document", "index"):  # copies and pickles ask before there is anything
            raise AttributeError(name)
        features = type(self.document).features
        if name not in features:
            raise AttributeError(
                f"{type(self.document).__name__} has no feature {name!r}; it has: {', '.join(features)}"
            )
        value = self.document._part(features[name], self.index)
        self.__dict__[name] = value  # read from here next time
        return value

    def __repr__(self) -> str:
        return f"{self.document!r}[{self.index!r}]"


class InTime:
    """What documents offer along their axis of time; the half of ``BaseModel`` that knows of stretches."""

    def __getitem__(self: Any, index: Any) -> Part:
        """Return a view of the document on which every feature, stored or not, is had for a stretch of time only.

        Args:
            index (Any): a stretch of time, such as a ``TimeSlice`` or a slice of durations.
        """
        return Part(self, index)

    def _part(self: Any, feature: Feature, index: Any) -> Any:
        """Return a feature for a stretch of time."""
        return self._read(lambda at: at.regions.read(feature, index, lambda: getattr(self, feature.name or "")))

    def windows(self: Any, duration: np.timedelta64, hop: np.timedelta64 | None = None) -> Iterator[Part]:
        """Walk along the document: yield a view, as ``document[index]`` is, for each window in time.

        Args:
            duration (np.timedelta64): length of a window, > 0; the last ones end with the document.
            hop (np.timedelta64 | None): time from one window to the next, > 0; None: the duration, side by side.

        Raises:
            DeclarationError: a duration that is not positive.
            DimensionError: no feature has an axis of time.
        """
        length, step = picoseconds(duration), picoseconds(duration if hop is None else hop)
        if length <= 0 or step <= 0:
            raise DeclarationError(f"windows of {duration!r} every {hop!r}; allowed: durations above zero")
        end = picoseconds(self._read(lambda snapshot: snapshot.regions.end(type(self).features.values())))
        return (self[Span(start, start + length)] for start in range(0, end, step))

    @classmethod
    def sample(cls: Any, feature: Any, duration: np.timedelta64, n: int, rng: np.random.Generator) -> list[Any]:
        """Return random stretches of a feature, for training: each of a document picked at random, anywhere in it.

        Every document that is long enough is equally likely, whatever its length. Only the stretches are read or
        computed, whether the feature is stored or not.

        Args:
            feature (Feature | str): a feature with an axis of time.
            duration (np.timedelta64): length of a stretch, > 0; all have as many rows as begin within it.
            n (int): how many stretches, >= 0.
            rng (np.random.Generator): what chance comes from.

        Returns:
            list: n arrays of one shape, each of which knows where it starts.

        Raises:
            KeyNotFound: there is no such feature, or no document that is long enough.
            DimensionError: the feature has no axis of time.
        """
        found = cls._feature(feature)
        ids = list(cls._database().iter_ids())
        parts: list[Any] = []
        while len(parts) < n:
            if not ids:
                raise KeyNotFound(f"{cls.__name__} has no document of {duration!r} or more of {found.name}")
            chosen = int(rng.integers(len(ids)))
            part = cls(ids[chosen])._read(lambda snapshot: snapshot.regions.crop(found, duration, rng))
            if part is None:
                ids[chosen] = ids[-1]
                ids.pop()
            else:
                parts.append(part)
        return parts
