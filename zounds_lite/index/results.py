"""What a search finds: stretches of documents, nearest first, that can be listened to.

Goal: an answer is walked through as often as wanted, knows how far each find is away, and gives the sound of exactly
the stretch that was found. Classes: ``SearchResult``, ``SearchResults``.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from zounds_lite.errors import DeclarationError, KeyNotFound
from zounds_lite.featureflow.display import escaped
from zounds_lite.timeseries import TimeSlice
from zounds_lite.visualization.players import clip_of, player_html

__all__ = ["SearchResult", "SearchResults"]

_PLAYED, _LISTED, _LONGEST = 10, 300, 500
"""So many results get a player in a notebook, and are listed, each with so many characters at most."""

_SECONDS, _BYTES = 10.0, 40_000
"""Most that a player holds."""


class SearchResult(tuple[Any, ...]):
    """A stretch of a document: ``(id, TimeSlice)``, or ``(id, TimeSlice, extra)``.

    Args:
        items (Iterable): id, time slice and, where the index keeps some, a dict of extra data.
        document (type | None): the class of the document.

    Examples:
        >>> from zounds_lite.timeseries import Seconds
        >>> _id, timeslice = SearchResult(("a.wav", TimeSlice(Seconds(1))))
        >>> _id, timeslice
        ('a.wav', TimeSlice(start = 0.0, duration = 1.0))
    """

    document: Any

    def __new__(cls, items: Iterable[Any], document: Any = None) -> "SearchResult":
        """Make a result of its parts."""
        result = super().__new__(cls, items)
        result.document = document
        return result

    @property
    def id(self) -> str:
        """The document's id."""
        return str(self[0])

    @property
    def timeslice(self) -> TimeSlice:
        """The stretch that was found."""
        found: TimeSlice = self[1]
        return found

    @property
    def extra(self) -> dict[str, Any]:
        """What the index keeps beside the stretch; empty where it keeps nothing."""
        return dict(self[2]) if len(self) > 2 else {}

    def samples(self, document: Any = None, feature: str = "resampled") -> Any:
        """Return a feature of the document for the stretch that was found; only that is read or computed.

        Args:
            document (type | None): the class of the document; None takes the one that was searched.
            feature (str): what to read, such as its sound.

        Raises:
            KeyNotFound: the document is gone.
            DeclarationError: no class is known.
        """
        model = document or self.document
        if model is None:
            raise DeclarationError(f"samples() of {self!r} needs the class of the document: samples(Document)")
        return getattr(model(self.id)[self.timeslice], feature)

    def __reduce__(self) -> Any:
        return SearchResult, (tuple(self), self.document)


class SearchResults(Sequence[Any]):
    """Results of a search, nearest first.

    Args:
        query (Any): what was searched for.
        results (Iterable): what was found; pairs of id and time slice become ``SearchResult``.
        distances (np.ndarray | None): how far each result is away; None where nobody knows.
        document (type | None): the class of the documents.

    Examples:
        >>> from zounds_lite.timeseries import Seconds
        >>> results = SearchResults("query", [("a.wav", TimeSlice(Seconds(1)))], distances=np.array([2]))
        >>> len(results), results[0].id, results.distances
        (1, 'a.wav', array([2]))
        >>> [timeslice.start_ps for _, timeslice in results], [_id for _id, _ in results]
        ([0], ['a.wav'])
    """

    def __init__(self, query: Any, results: Iterable[Any], distances: Any = None, document: Any = None) -> None:
        self.query = query
        self.document = document
        self._results = [_as_result(result, document) for result in results]
        self.distances = np.full(len(self._results), np.nan) if distances is None else np.asarray(distances)
        if len(self.distances) != len(self._results):
            raise DeclarationError(
                f"{len(self.distances)} distances for {len(self._results)} results; allowed: one each"
            )

    def __len__(self) -> int:
        return len(self._results)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> "SearchResults": ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return SearchResults(self.query, self._results[index], self.distances[index], self.document)
        return self._results[index]

    def samples(self, document: Any = None, feature: str = "resampled") -> Iterator[Any]:
        """Yield a feature of each stretch that was found, nearest first, such as its sound.

        Args:
            document (type | None): the class of the documents; None takes the one that was searched.
            feature (str): what to read.

        Raises:
            DeclarationError: no class is known, or the results are no stretches of documents.
            KeyNotFound: a document is gone.
        """
        model = document or self.document
        if model is None and self._results:
            raise DeclarationError("samples() needs the class of the documents: results.samples(Document)")
        if not all(isinstance(result, SearchResult) for result in self._results):
            raise DeclarationError("samples() needs results that are stretches of documents")
        return (result.samples(model, feature) for result in self._results)

    def __repr__(self) -> str:
        lines = [f"  {distance:.6g}: {result!r}" for distance, result in zip(self.distances, self, strict=True)]
        return "\n".join([f"SearchResults({len(self)})", *lines])

    def _repr_html_(self) -> str:
        players = [_player(result) for result in self[:_PLAYED]] + [""] * len(self)
        rows = [
            f"<li>{escaped(repr(result), _LONGEST)}, distance {distance:.6g}{player}</li>"
            for player, distance, result in zip(players, self.distances[:_LISTED], self[:_LISTED], strict=False)
        ]
        more = f"<div>and {len(self) - _LISTED} more</div>" if len(self) > _LISTED else ""
        return f"<ol>{''.join(rows)}</ol>{more}"


def _as_result(result: Any, document: Any) -> Any:
    is_stretch = isinstance(result, tuple) and len(result) in (2, 3) and isinstance(result[1], TimeSlice)
    if not is_stretch:
        return result
    known = document if document is not None else getattr(result, "document", None)
    return SearchResult(result, known)


def _player(result: Any) -> str:
    """Return HTML that plays a result; nothing where its sound cannot be had."""
    features = getattr(getattr(result, "document", None), "features", {})
    if "resampled" not in features:
        return ""
    try:
        samples = result.samples()
    except KeyNotFound:
        return " (deleted)"
    return player_html(clip_of(samples, _SECONDS, _BYTES))
