"""Search: which stretches of which documents sound most like this one.

Goal: nearest neighbours over stored features, each answer a document id and a ``TimeSlice`` that can be listened to.
Conventions: every search is exact, answers are sorted by distance and then by the order in which frames came in; an
index of a feature stands in a folder of its own and follows the store.

- ``BruteForceSearch``, ``HammingDistanceBruteForceSearch``: search in memory;
- ``HammingIndex``: binary codes of every frame, on disk, by Hamming distance; ``HammingDb``: codes with any payload;
- ``VectorIndex``: vectors of every frame, on disk, by distance, angle or inner product;
- ``SearchResults``: answers with their distances; ``IndexUpdate``: what an update did.

Files: ``codes`` and ``vectors`` compare, ``best`` keeps the nearest, ``engines`` chooses who does it; ``rowstore``,
``rowfile`` and ``view`` are how rows are kept; ``featureindex`` is what indexes share, ``listening`` their thread.
"""

from zounds_lite.index.bruteforce import BruteForceSearch, HammingDistanceBruteForceSearch
from zounds_lite.index.featureindex import IndexUpdate
from zounds_lite.index.hamming import HammingIndex
from zounds_lite.index.hammingdb import HammingDb
from zounds_lite.index.results import SearchResult, SearchResults
from zounds_lite.index.vectorindex import VectorIndex

__all__ = [
    "BruteForceSearch",
    "HammingDb",
    "HammingDistanceBruteForceSearch",
    "HammingIndex",
    "IndexUpdate",
    "SearchResult",
    "SearchResults",
    "VectorIndex",
]
