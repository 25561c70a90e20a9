"""How good predictions are: per class, and which class is taken for which; as data, as text and as a picture.

Conventions: a row of a confusion matrix is what examples are, a column what they were taken for. Ratios without a
denominator are 0: the precision of a class that was never predicted, the recall of one that no example has. Classes:
``ClassificationReport``, ``ConfusionMatrix``; functions: ``classification_report``, ``confusion_matrix``.

Sources:
    C. J. van Rijsbergen, "Information Retrieval", 2nd ed., 1979, chapter 7 (precision, recall and what became F1).
"""

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from zounds_lite._declared import Declared
from zounds_lite.errors import DeclarationError, EmptyCorpus, LabelError
from zounds_lite.learn.labels import checked_labels, classes_of
from zounds_lite.visualization import perceptual_colours, png_bytes

__all__ = ["ClassificationReport", "ConfusionMatrix", "classification_report", "confusion_matrix"]

_CELL = 24
"""Pixels of a cell of the picture."""


class ConfusionMatrix(Declared):
    """How many examples of each class were taken for which.

    Args:
        labels (Sequence): the classes, in order.
        counts (Sequence[Sequence[int]]): a row for each class that examples have, a column for each that was predicted.

    Raises:
        DeclarationError: ``counts`` is no square of whole numbers >= 0, with a row for each label.

    Examples:
        >>> matrix = confusion_matrix(["a", "b", "b"], ["a", "b", "a"])
        >>> print(matrix)
           a  b
        a  1  0
        b  1  1
        >>> matrix.normalised().tolist()
        [[1.0, 0.0], [0.5, 0.5]]
        >>> ConfusionMatrix.from_dict(matrix.to_dict()) == matrix
        True
    """

    labels: list[Any]
    counts: list[list[int]]

    def __init__(self, labels: Sequence[Any], counts: Any) -> None:
        plain = counts.tolist() if isinstance(counts, np.ndarray) else [list(row) for row in counts]
        super().__init__(labels=list(labels), counts=plain)

    def validate(self) -> None:
        """Refuse counts that are no square of whole numbers."""
        size = len(self.labels)
        whole = all(type(count) is int and count >= 0 for row in self.counts for count in row)
        if len(self.counts) != size or any(len(row) != size for row in self.counts) or not whole:
            raise DeclarationError(
                f"counts {str(self.counts)[:200]} for {size} labels; needed: a row and a column for each, of whole "
                "numbers, 0 or more"
            )

    @property
    def total(self) -> int:
        """How many examples there are."""
        return sum(map(sum, self.counts))

    @property
    def accuracy(self) -> float:
        """The share of examples that were taken for what they are."""
        return sum(row[i] for i, row in enumerate(self.counts)) / self.total if self.total else 0.0

    def array(self) -> np.ndarray:
        """Return the counts as an array of int64."""
        return np.array(self.counts, np.int64).reshape(len(self.labels), len(self.labels))

    def normalised(self, by: str = "true") -> np.ndarray:
        """Return shares instead of counts.

        Args:
            by (str): what adds up to 1: ``"true"``, each row (the diagonal is the recall); ``"predicted"``, each column
                (the diagonal is the precision); ``"all"``, everything. What has no examples stays 0.

        Raises:
            DeclarationError: another ``by``.
        """
        axes = {"true": 1, "predicted": 0, "all": None}
        if by not in axes:
            raise DeclarationError(f"by={by!r}; allowed: {', '.join(map(repr, axes))}")
        counts = self.array()
        return counts / np.maximum(counts.sum(axis=axes[by], keepdims=True), 1)

    def _colours(self) -> np.ndarray:
        return perceptual_colours()[np.rint(255 * self.normalised()).astype(np.uint8)]

    def to_png(self, path: str | Path) -> Path:
        """Write a picture: a cell for each pair of classes, the lighter the more of the row's examples are in it.

        Args:
            path (str | Path): the file to write.

        Raises:
            DimensionError: there are no classes.
        """
        path = Path(path)
        cells = np.repeat(np.repeat(self._colours(), _CELL, axis=0), _CELL, axis=1)
        path.write_bytes(png_bytes(cells))
        return path

    def __str__(self) -> str:
        names = [str(label) for label in self.labels]
        cells = [["", *names], *([name, *map(str, row)] for name, row in zip(names, self.counts, strict=True))]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        return "\n".join(
            "  ".join(
                [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
            )
            for row in cells
        )

    def _repr_html_(self) -> str:
        names = [html.escape(str(label)) for label in self.labels]
        rows = []
        for name, counts, colours in zip(names, self.counts, self._colours(), strict=True):
            cells = "".join(
                f'<td style="background:rgb({r},{g},{b});color:{"#000" if r + g + b > 384 else "#fff"}">{count}</td>'
                for count, (r, g, b) in zip(counts, colours.tolist(), strict=True)
            )
            rows.append(f"<tr><th>{name}</th>{cells}</tr>")
        head = "".join(f"<th>{name}</th>" for name in names)
        caption = f"rows: what {self.total} examples are; columns: what they were taken for"
        return f"<table><caption>{caption}</caption><tr><th></th>{head}</tr>{''.join(rows)}</table>"


class ClassificationReport(Declared):
    """Precision, recall and F1 of each class, and their means; ``classification_report`` makes one.

    Args:
        matrix (ConfusionMatrix): what it is computed from.

    Examples:
        >>> print(classification_report(["a", "b", "b", "b"], ["a", "b", "b", "a"]))
              precision  recall     f1  support
        a         0.500   1.000  0.667        1
        b         1.000   0.667  0.800        3
        mean      0.750   0.833  0.733        4
        accuracy 0.750
    """

    matrix: ConfusionMatrix

    def __init__(self, matrix: ConfusionMatrix) -> None:
        super().__init__(matrix=matrix)

    @property
    def labels(self) -> list[Any]:
        """The classes, in order."""
        return self.matrix.labels

    @property
    def precision(self) -> np.ndarray:
        """Of each class: the share of examples taken for it that are of it."""
        return np.diagonal(self.matrix.normalised("predicted"))

    @property
    def recall(self) -> np.ndarray:
        """Of each class: the share of its examples that were taken for it."""
        return np.diagonal(self.matrix.normalised("true"))

    @property
    def f1(self) -> np.ndarray:
        """Of each class: the harmonic mean of precision and recall."""
        counts = self.matrix.array()
        both = counts.sum(axis=0) + counts.sum(axis=1)
        return 2 * np.diagonal(counts) / np.maximum(both, 1)

    @property
    def support(self) -> np.ndarray:
        """Of each class: how many examples it has."""
        return self.matrix.array().sum(axis=1)

    @property
    def accuracy(self) -> float:
        """The share of examples that were taken for what they are."""
        return self.matrix.accuracy

    @property
    def macro_precision(self) -> float:
        """Mean over classes, each counting the same."""
        return float(self.precision.mean())

    @property
    def macro_recall(self) -> float:
        """Mean over classes, each counting the same; also called balanced accuracy."""
        return float(self.recall.mean())

    @property
    def macro_f1(self) -> float:
        """Mean over classes, each counting the same."""
        return float(self.f1.mean())

    @property
    def absent(self) -> list[Any]:
        """Classes of which no example was tested; they count as 0 in the means."""
        return [label for label, count in zip(self.labels, self.support, strict=True) if not count]

    def figures(self) -> dict[str, Any]:
        """Return all figures as plain data; ``to_dict`` has what they follow from."""
        columns = {name: getattr(self, name).tolist() for name in ("precision", "recall", "f1", "support")}
        each = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        means = {name: getattr(self, name) for name in ("accuracy", "macro_precision", "macro_recall", "macro_f1")}
        return {"classes": dict(zip(self.labels, each, strict=True)), **means, "examples": self.matrix.total}

    def __str__(self) -> str:
        means = ["mean", self.macro_precision, self.macro_recall, self.macro_f1, self.matrix.total]
        rows = [*zip(map(str, self.labels), self.precision, self.recall, self.f1, self.support, strict=True), means]
        width = max(len(str(row[0])) for row in rows)
        lines = [f"{'':{width}}  precision  recall     f1  support"]
        lines += [f"{name:{width}}  {p:9.3f}  {r:6.3f}  {f:5.3f}  {n:7d}" for name, p, r, f, n in rows]
        absent = [f"not tested: {', '.join(map(repr, self.absent))}"] if self.absent else []
        return "\n".join([*lines, f"accuracy {self.accuracy:.3f}", *absent])

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>{self.matrix._repr_html_()}"


def confusion_matrix(labels: Any, predictions: Any, classes: Sequence[Any] | None = None) -> ConfusionMatrix:
    """Count which class was taken for which.

    Args:
        labels (Sequence): what examples are.
        predictions (Sequence): what they were taken for.
        classes (Sequence | None): the classes in order; None: all that occur in either.

    Raises:
        DeclarationError: different numbers of labels and predictions.
        EmptyCorpus: there are none.
        LabelError: labels of mixed type, or one that is none of ``classes``.
    """
    true, found = list(_plain(labels)), list(_plain(predictions))
    if len(true) != len(found):
        raise DeclarationError(f"{len(true)} labels and {len(found)} predictions; needed: one for each example")
    if not true:
        raise EmptyCorpus("there are no predictions to look at")
    names = [f"label {i}" for i in range(len(true))] + [f"prediction {i}" for i in range(len(found))]
    both = checked_labels([*true, *found], names, "the class")
    known = list(classes_of(both) if classes is None else _plain(classes))
    number = {label: i for i, label in enumerate(known)}
    for name, label in zip(names, both.tolist(), strict=True):
        if label not in number:
            raise LabelError(f"{name} is {label!r}, which is none of the classes {known!r:.200}")
    counts = np.zeros((len(known), len(known)), np.int64)
    rows, columns = (np.array([number[label] for label in part]) for part in (true, found))
    np.add.at(counts, (rows, columns), 1)
    return ConfusionMatrix(known, counts)


def _plain(values: Any) -> list[Any]:
    return np.asarray(values).tolist() if hasattr(values, "__array__") else [_item(value) for value in values]


def _item(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def classification_report(labels: Any, predictions: Any, classes: Sequence[Any] | None = None) -> ClassificationReport:
    """Say how good predictions are, for each class and over all.

    Args:
        labels (Sequence): what examples are.
        predictions (Sequence): what they were taken for.
        classes (Sequence | None): the classes in order; None: all that occur in either.

    Raises:
        DeclarationError: different numbers of labels and predictions.
        EmptyCorpus: there are none.
        LabelError: labels of mixed type, or one that is none of ``classes``.

    Examples:
        >>> report = classification_report([0, 0, 1], [0, 1, 1])
        >>> report.accuracy, report.recall.tolist()
        (0.6666666666666666, [0.5, 1.0])
    """
    return ClassificationReport(confusion_matrix(labels, predictions, classes))
