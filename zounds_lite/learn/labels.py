"""Labels: one field of the metadata of many documents, checked.

Goal: what a classifier is to learn comes from the metadata that stand on the documents, with the types that they have
there. Conventions: a field is a top-level scalar of a stored JSON feature, usually ``meta``, as for ``Document.where``;
all labels are of one type, 7 is not "7", and whole numbers among others are numbers. Functions: ``selected`` (the
documents that are meant), ``field_values`` (their labels), ``checked_labels``, ``classes_of``, ``one_for_each``.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from zounds_lite.errors import DeclarationError, EmptyCorpus, KeyNotFound, LabelError, RaggedCorpus
from zounds_lite.featureflow.feature import Feature

__all__ = ["checked_labels", "classes_of", "field_values", "holder_of", "one_for_each", "selected"]

_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_SHOWN = 3


def selected(documents: Any) -> tuple[Any, list[str]]:
    """Return the class of some documents, and their ids in the order of their ids.

    Args:
        documents (type[BaseModel] | Selection): all documents of a class, or those that ``where`` chose.

    Raises:
        DeclarationError: it is neither.
        EmptyCorpus: there are none.
    """
    if isinstance(documents, type) and hasattr(documents, "features"):
        model, ids = documents, list(documents._database().iter_ids())  # type: ignore[attr-defined]
    elif hasattr(documents, "ids") and hasattr(documents, "_model"):
        model, ids = documents._model, list(documents.ids)
    else:
        raise DeclarationError(
            f"documents={documents!r:.100}; needed: a Document class, or what Document.where(...) returns"
        )
    if not ids:
        raise EmptyCorpus(f"there is nothing to learn from: {documents!r:.200} has no documents; process some first")
    # stores list documents in any order, and what is drawn from them must not depend on it
    return model, sorted(ids)


def holder_of(model: Any, field: str) -> Feature:
    """Return the stored JSON feature that has a field.

    Args:
        model (type[BaseModel]): the documents' class.
        field (str): the name of the field, or ``feature.field`` where several features have it.

    Raises:
        KeyNotFound: no document has such a field.
        DeclarationError: several features have it.
    """
    known = model.fields()
    feature, dot, name = field.partition(".")
    if dot and name in known.get(feature, {}):
        return model.features[feature]
    holders = [feature for feature, fields in known.items() if field in fields]
    if not holders:
        listed = (
            "; ".join(f"{feature} has {', '.join(fields)}" for feature, fields in known.items()) or "there are none"
        )
        raise KeyNotFound(f"no document of {model.__name__} has a field {field!r}: {listed[:1000]}")
    if len(holders) > 1:
        raise DeclarationError(f"{', '.join(holders)} all have a field {field!r}; say which: '{holders[0]}.{field}'")
    return model.features[holders[0]]


def read_field(snapshot: Any, holder: Feature, field: str) -> Any:
    """Return a field of one document as it stands in its store; None where it is missing."""
    entry = snapshot.entry(holder)
    if entry is None:
        return None
    database = snapshot.model._database(holder)
    found = holder.decode(snapshot.value(entry, holder.name or "", database))
    return found.get(field.rpartition(".")[2] if field not in found else field) if isinstance(found, dict) else None


def field_values(model: Any, ids: Iterable[str], field: str) -> list[Any]:
    """Return a field of each document, as it is; None where a document does not have it.

    Raises:
        KeyNotFound: no document has such a field.
        DeclarationError: several features have it.
    """
    holder = holder_of(model, field)
    read: Callable[[Any], Any] = lambda snapshot: read_field(snapshot, holder, field)  # noqa: E731
    return [model(_id)._read(read) for _id in ids]


def checked_labels(values: Sequence[Any], ids: Sequence[str], field: str) -> np.ndarray:
    """Return labels as an array of one type: bool, int64, float64 or text.

    Args:
        values (Sequence): of each document.
        ids (Sequence[str]): the documents, for errors.
        field (str): what is read, for errors.

    Raises:
        LabelError: one is missing or no scalar, or they are of several types; the message names examples.

    Examples:
        >>> checked_labels([3, 5], ["a", "b"], "label")
        array([3, 5])
        >>> checked_labels([3, "5"], ["a", "b"], "label")
        Traceback (most recent call last):
            ...
        zounds_lite.errors.LabelError: 'label' is a whole number in 1 document ('a' has 3), text in 1 document ('b' has
        '5'); labels need one type: mend the metadata, or choose documents with where(...)
    """
    found: dict[Any, list[int]] = {}
    for i, value in enumerate(values):
        found.setdefault(type(value), []).append(i)
    kinds = set(found)
    if kinds == {int, float}:
        kinds = {float}
    if len(kinds) == 1 and kinds <= _KINDS.keys():
        kind = kinds.pop()
        return np.array(values, dtype={int: np.int64, float: np.float64, bool: np.bool_}.get(kind))
    parts = [
        f"{_KINDS.get(kind, 'missing' if kind is type(None) else kind.__name__)} in {_count(places)} "
        f"({_examples(places, values, ids)})"
        for kind, places in found.items()
    ]
    raise LabelError(
        f"{field!r} is {', '.join(parts)}; labels need one type: mend the metadata, or choose documents with where(...)"
    )


def _count(places: Sequence[int]) -> str:
    return f"{len(places)} document{'' if len(places) == 1 else 's'}"


def _examples(places: Sequence[int], values: Sequence[Any], ids: Sequence[str]) -> str:
    return ", ".join(f"{ids[i]!r:.100} has {values[i]!r:.40}" for i in places[:_SHOWN])


def classes_of(labels: Any) -> tuple[Any, ...]:
    """Return the different labels in order, as plain Python values.

    Examples:
        >>> classes_of(np.array(["b", "a", "b"]))
        ('a', 'b')
    """
    return tuple(np.unique(np.asarray(labels)).tolist())


def one_for_each(labels: Any) -> np.ndarray:
    """Return labels, one for each example; rows of several, which some models learn, stay.

    Args:
        labels (np.ndarray): ``[examples]``, ``[examples, 1]`` or ``[examples, labels]``.

    Raises:
        RaggedCorpus: they have more axes.

    Examples:
        >>> one_for_each([[1], [2]])
        array([1, 2])
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        return np.asarray(labels[:, 0])
    if labels.ndim > 2:
        raise RaggedCorpus(f"labels of shape {list(labels.shape)}; needed: one for each example, or a row")
    return labels
