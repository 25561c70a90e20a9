"""Search: which stretches of which documents sound most like this one.

Goal: nearest neighbours over stored features, each answer a document id and a ``TimeSlice``. The room is empty so far;
these names will live here:

- ``BruteForceSearch``, ``HammingDistanceBruteForceSearch``: exact search in memory;
- ``HammingDb``, ``HammingIndex``: binary codes of every frame, kept on disk;
- ``SearchResults``: answers with their distances, nearest first.
"""

__all__: list[str] = []
