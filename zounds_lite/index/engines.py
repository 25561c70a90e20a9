"""What walks over the rows: numpy, or faiss where that is asked for.

Goal: one way to ask, whoever answers. An engine gets the rows as they are at one moment and says which are nearest, at
which distance. Conventions: numpy needs nothing but the memory map; faiss keeps a copy of the rows in memory, which
grows with the index and is made anew where documents went away, and of rows at equal distances it may pick others.
Classes: ``NumpyCodes``, ``NumpyVectors``, ``FaissCodes``, ``FaissVectors``; functions ``code_engine``,
``vector_engine``.
"""

import threading
from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from zounds_lite._lazy import optional
from zounds_lite.errors import DeclarationError
from zounds_lite.index.best import Nearest
from zounds_lite.index.codes import nearest_codes
from zounds_lite.index.vectors import nearest_vectors
from zounds_lite.index.view import IndexView

__all__ = ["ENGINES", "FaissCodes", "FaissVectors", "NumpyCodes", "NumpyVectors", "code_engine", "vector_engine"]

ENGINES = ("numpy", "faiss")
"""Names of what compares codes and vectors."""


class NumpyCodes:
    """Compares binary codes with numpy."""

    def search(self, view: IndexView, queries: np.ndarray, k: int, threads: int) -> list[Nearest]:
        """Return the nearest rows of each query; ``view`` must hold some."""
        assert view.rows is not None
        return nearest_codes(view.rows, queries, k, view.dead, threads)


class NumpyVectors:
    """Compares vectors with numpy.

    Args:
        metric (str): see ``nearest_vectors``.
    """

    def __init__(self, metric: str) -> None:
        self.metric = metric

    def search(self, view: IndexView, queries: np.ndarray, k: int, threads: int) -> list[Nearest]:
        """Return the nearest rows of each query; ``view`` must hold some. The matrix product has its own threads."""
        assert view.rows is not None
        return nearest_vectors(view.rows, queries, k, self.metric, view.dead)


class _Faiss(ABC):
    """Keeps a faiss index of the rows of the last view."""

    def __init__(self) -> None:
        self._faiss: Any = optional("faiss")
        self._lock = threading.Lock()
        self._held: tuple[IndexView, Any, np.ndarray] | None = None

    @abstractmethod
    def _make(self, columns: int) -> Any:
        """Return an empty faiss index."""

    @abstractmethod
    def _for_faiss(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as faiss takes them."""

    @abstractmethod
    def _distances(self, found: np.ndarray, query: np.ndarray) -> np.ndarray:
        """Turn what faiss says into distances as numpy's engine gives them."""

    def search(self, view: IndexView, queries: np.ndarray, k: int, threads: int) -> list[Nearest]:
        """Return the nearest rows of each query; ``view`` must hold some. faiss has its own threads."""
        with self._lock:
            index, numbers = self._filled(view)
            distances, labels = index.search(self._for_faiss(queries), min(k, len(numbers)))
        found = []
        for query, row, label in zip(queries, distances, labels, strict=True):
            there = label >= 0
            nearest = Nearest(k, np.float64)
            measured, rows = self._distances(row[there], query), numbers[label[there]]
            order = np.lexsort((rows, measured))
            nearest.distances, nearest.rows = measured[order], rows[order]
            found.append(nearest)
        return found

    def _filled(self, view: IndexView) -> tuple[Any, np.ndarray]:
        """Return an index of all rows that can be found, and their numbers."""
        assert view.rows is not None
        if self._held is not None and self._held[0].generation == view.generation:
            return self._held[1:]
        if self._held is not None and self._held[0].epoch == view.epoch:
            old, index, numbers = self._held
            first = old.size
        else:
            index, numbers, first = self._make(view.rows.shape[1]), np.empty(0, np.int64), 0
        new = np.arange(first, view.size)
        if view.dead is not None:
            new = new[~view.dead[first:]]
        if len(new):
            index.add(self._for_faiss(view.rows[new]))
        self._held = view, index, np.concatenate([numbers, new])
        return self._held[1:]


class FaissCodes(_Faiss):
    """Compares binary codes with ``faiss.IndexBinaryFlat``."""

    def _make(self, columns: int) -> Any:
        return self._faiss.IndexBinaryFlat(64 * columns)

    def _for_faiss(self, rows: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(rows).view(np.uint8)

    def _distances(self, found: np.ndarray, query: np.ndarray) -> np.ndarray:
        return found.astype(np.uint16)


class FaissVectors(_Faiss):
    """Compares vectors with ``faiss.IndexFlatL2`` or ``faiss.IndexFlatIP``, in single precision.

    Args:
        metric (str): see ``nearest_vectors``.
    """

    def __init__(self, metric: str) -> None:
        super().__init__()
        self.metric = metric

    def _make(self, columns: int) -> Any:
        kind = "IndexFlatL2" if self.metric == "euclidean" else "IndexFlatIP"
        return getattr(self._faiss, kind)(columns - 1)

    def _for_faiss(self, rows: np.ndarray) -> np.ndarray:
        values = rows[:, :-1]
        if self.metric == "cosine":
            norms = np.sqrt(2 * rows[:, -1:])
            values = np.divide(values, norms, out=np.zeros_like(values), where=norms > 0)
        return np.ascontiguousarray(values, np.float32)

    def _distances(self, found: np.ndarray, query: np.ndarray) -> np.ndarray:
        found = found.astype(np.float64)
        if self.metric == "euclidean":
            return np.sqrt(np.maximum(found, 0))
        return np.maximum(0.0, 1 - found) if self.metric == "cosine" else -found


def _check(engine: Any) -> str:
    if engine not in ENGINES:
        raise DeclarationError(f"engine={engine!r}; allowed: {', '.join(ENGINES)}")
    return str(engine)


def code_engine(engine: str) -> NumpyCodes | FaissCodes:
    """Return the engine for binary codes.

    Raises:
        DeclarationError: there is none of that name.
        OptionalDependencyError: faiss is asked for and not installed.
    """
    return NumpyCodes() if _check(engine) == "numpy" else FaissCodes()


def vector_engine(engine: str, metric: str) -> NumpyVectors | FaissVectors:
    """Return the engine for vectors; raises as ``code_engine``."""
    return NumpyVectors(metric) if _check(engine) == "numpy" else FaissVectors(metric)
