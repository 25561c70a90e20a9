"""Which features of which documents are exported, and their values.

Goal: every format takes the same documents, features and values. Conventions: arrays are plain numpy arrays, and what
their axes are stands beside them as JSON. A document whose feature cannot be had fails alone. Classes: ``Chosen``,
``Read``; functions ``choose``, ``metadata_of``, ``described_axes``, ``read_axes``.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from zounds_lite._declared import decode
from zounds_lite.datasets.exports.report import ExportReport, reported
from zounds_lite.errors import CorruptValue, DeclarationError, EmptyDataset, ZoundsError

__all__ = ["Chosen", "Read", "choose", "described_axes", "metadata_of", "read_axes"]

_NUMBERS = "biufc"
_TAKEN = ("id", "metadata")


@dataclass(frozen=True)
class Chosen:
    """Documents and features.

    Args:
        model (type[BaseModel]): class of the documents.
        ids (tuple[str, ...]): theirs, in order.
        features (tuple[str, ...]): names of the features.
    """

    model: Any
    ids: tuple[str, ...]
    features: tuple[str, ...]

    def job(self, *more: Any) -> list[Any]:
        """Return what the export is, strict JSON: another one has another."""
        lineage = self.model.lineage()
        made = {name: lineage.hash(self.model.features[name]) for name in self.features}
        return [made, list(self.ids), *more]

    def documents(self, report: ExportReport, progress: bool, skip: Any = None) -> Iterator[tuple[int, Any]]:
        """Yield documents and their numbers, with a bar on stderr; those that ``skip`` is true of count as kept."""
        from tqdm import tqdm

        # disable=None: silent where stderr is no terminal
        for number, _id in enumerate(tqdm(self.ids, unit="document", disable=None if progress else True)):
            if skip is not None and skip(number, _id):
                report.kept.append(_id)
            else:
                yield number, self.model(_id)

    def read(self, report: ExportReport, progress: bool, skip: Any = None) -> Iterator[tuple[int, "Read"]]:
        """Yield the numbers of documents, and what they hold; those that cannot be read are reported as failed."""
        for number, document in self.documents(report, progress, skip):
            found = None
            with reported(report, document._id):
                arrays = {name: array_of(document, name) for name in self.features}
                found = Read(document, metadata_of(document), arrays)
            if found is not None:
                yield number, found


class Read(NamedTuple):
    """A document, as it is exported.

    Args:
        document (BaseModel): the document.
        metadata (dict): what its stored JSON features say.
        arrays (dict): its features, by name.
    """

    document: Any
    metadata: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def id(self) -> str:
        """Of the document."""
        return str(self.document._id)

    @property
    def metadata_text(self) -> str:
        """The metadata as JSON."""
        return json.dumps(self.metadata, ensure_ascii=False)


def choose(documents: Any, features: Sequence[str] | str | None) -> Chosen:
    """Look documents and features up.

    Args:
        documents (type[BaseModel] | Selection): all documents of a class, or those that ``where`` found.
        features (Sequence[str] | str | None): names; None: all stored ones that are arrays of numbers.

    Raises:
        EmptyDataset: there are no documents, or none of their stored features is an array.
        DeclarationError: something else was given.
        KeyNotFound: there is no such feature.
    """
    is_model = isinstance(documents, type) and hasattr(documents, "features")
    if not is_model and not hasattr(documents, "_model"):
        raise DeclarationError(f"{documents!r}: allowed: a document class, or what its where(...) returns")
    model: Any = documents if is_model else documents._model
    ids = tuple(model._database().iter_ids() if is_model else documents.ids)
    if not ids:
        raise EmptyDataset(f"{documents!r} holds no documents; there is nothing to export")
    if features is not None:
        wanted = [features] if isinstance(features, str) else list(features)
        return Chosen(model, ids, _checked(model._feature(name).name for name in wanted))
    first = model(ids[0])
    stored = [name for name, feature in model.features.items() if feature.store]
    found = tuple(name for name in stored if _is_array(getattr(first, name)))
    if not found:
        raise EmptyDataset(f"no stored feature of {model.__name__} is an array of numbers; it stores: {stored}")
    return Chosen(model, ids, _checked(found))


def _checked(names: Iterable[str]) -> tuple[str, ...]:
    """Refuse names that stand for something else beside the features."""
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name in _TAKEN:
            raise DeclarationError(f"the feature {name!r} has the name of what stands beside features; rename it")
    return chosen


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in _NUMBERS


def array_of(document: Any, name: str) -> np.ndarray:
    """Return a feature, if it is numbers.

    Raises:
        DeclarationError: it is something else.
    """
    value = getattr(document, name)
    array = np.asarray(value) if isinstance(value, (np.ndarray, np.number, int, float)) else None
    if array is None or array.dtype.kind not in _NUMBERS:
        raise DeclarationError(
            f"{name} is a {type(value).__name__}, which is no array of numbers; texts and JSON go into --csv "
            "(export_csv), encoded audio into --clips (export_clips)"
        )
    return value if array.ndim and isinstance(value, np.ndarray) else array


def described_axes(array: Any) -> str:
    """Return the dimensions of an array as JSON; an empty list where it has none."""
    return json.dumps([dimension.to_dict() for dimension in getattr(array, "dimensions", None) or ()])


def read_axes(text: Any) -> list[Any]:
    """Return the dimensions that an export wrote beside an array; with them it has its units again.

    Args:
        text (str): the attribute ``dimensions`` of an HDF5 dataset, ``NAME.dimensions`` of an npz file, or the metadata
            of a column.

    Raises:
        UnknownTypeError: a dimension that this process does not know.
        CorruptValue: it is none of these.

    Examples:
        >>> from zounds_lite.timeseries import SR8000, AudioSamples
        >>> text = described_axes(AudioSamples(np.zeros(100), SR8000()))
        >>> AudioSamples(np.zeros(50), read_axes(text)[0].samplerate).duration_in_seconds
        0.00625
    """
    try:
        return [decode(part) for part in json.loads(text)]
    except (ValueError, TypeError, KeyError) as error:
        if isinstance(error, ZoundsError):
            raise
        raise CorruptValue(f"{str(text)[:100]!r} describes no axes: {error}") from error


def metadata_of(document: Any) -> dict[str, Any]:
    """Return what the stored JSON features of a document say, by field; a name that several have gets the feature's."""
    found: dict[str, Any] = {}
    for name, feature in type(document).features.items():
        if not feature.store or feature.content_type != "application/json":
            continue
        value = getattr(document, name)
        for key, part in value.items() if isinstance(value, dict) else [(name, value)]:
            found[key if key not in found else f"{name}.{key}"] = part
    return found
