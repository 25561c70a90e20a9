"""Documents picked by their metadata: ``Document.where(label="rock")``.

Conventions: the metadata of a document are the top-level scalars of its stored JSON features, usually ``meta``, as they
stand in the store, fresh or not. Values are typed: 7 is not "7", and 1 is not True, but 7 is 7.0. Names are looked up
when ``where`` is called; the documents are found when they are first asked for, and stay those. Classes: ``Selection``,
``Queryable``; function ``fields_of``.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, overload

from zounds_lite.errors import DeclarationError, KeyNotFound
from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.stores.base import Database
from zounds_lite.featureflow.stores.criteria import Criterion, wanted
from zounds_lite.featureflow.stores.terms import Scalar, left_out

__all__ = ["Queryable", "Selection", "fields_of"]

_JSON = "application/json"
_log = logging.getLogger(__name__)


def _json_features(model: Any) -> list[Feature]:
    return [feature for feature in model.features.values() if feature.store and feature.content_type == _JSON]


def _counts(model: Any, features: Iterable[Feature]) -> dict[Database, dict[tuple[str, str], int]]:
    """Return how many documents have each field, by database."""
    return {database: database.count_fields() for database in set(map(model._database, features))}


def _json_feature(model: Any, feature: Any) -> Feature:
    found: Feature = model._feature(feature)
    if found not in _json_features(model):
        names = ", ".join(one.name or "" for one in _json_features(model)) or "none"
        raise DeclarationError(f"{found.name} is no stored JSON feature, so it has no fields; these are: {names}")
    return found


class Selection(Sequence[Any]):
    """The documents that meet some criteria; ``where`` returns one.

    It has a length, can be indexed, sliced, and iterated as often as you like, and narrowed with ``where``. The
    documents themselves are read when they are used.

    Args:
        model (type[BaseModel]): the class of the documents.
        criteria (Sequence[tuple[Feature, Criterion]]): what they have to hold.
        text (str): the criteria as they were given.
        among (Sequence[str] | None): ids of those that are asked; None: all.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> @ff.simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     meta = ff.JSONFeature(ff.IteratorNode, store=True)
        >>> for label in ["rock", "jazz", "rock"]:
        ...     _ = Document.process(meta=[{"label": label, "bpm": 120 + len(label)}])
        >>> Document.where(label="rock")
        Document.where(label='rock'): 2 documents
        >>> [document.meta["bpm"] for document in Document.where(label=["rock", "jazz"], bpm=ff.between(100, 130))[:2]]
        [124, 124]
        >>> Document.where().values("label")
        {'jazz': 1, 'rock': 2}
    """

    def __init__(
        self,
        model: Any,
        criteria: Sequence[tuple[Feature, Criterion]] = (),
        text: str = "",
        among: Sequence[str] | None = None,
    ) -> None:
        self._model = model
        self._criteria = tuple(criteria)
        self._text = text
        self._among = among

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """Ids of the documents, as of when they were first asked for."""
        main: Database = self._model._database()
        groups: dict[int, tuple[Database, list[Criterion]]] = {}
        for feature, criterion in self._criteria:
            database = self._model._database(feature)
            groups.setdefault(id(database), (database, []))[1].append(criterion)
        found = [database.find(criteria) for database, criteria in groups.values()]
        if not groups or id(main) not in groups:
            found.insert(0, list(main.iter_ids()))  # what only another database has of a document makes none
        return _common(found if self._among is None else [list(self._among), *found])

    def where(self, feature: Any = None, /, **fields: Any) -> "Selection":
        """Return those of the documents that meet further criteria, as ``Document.where``."""
        criteria, text = _criteria(self._model, feature, fields)
        joined = ", ".join(part for part in (self._text, text) if part)
        return Selection(self._model, (*self._criteria, *criteria), joined, self._among)

    def values(self, field: str, feature: Any = None) -> dict[Scalar, int]:
        """Return each value of a field, and how many of the documents hold it: the balance of classes.

        Args:
            field (str): name of the field.
            feature (Feature | str | None): the feature that has it, where several do.

        Returns:
            dict: None, False and True first, then numbers and texts in order. As in every dict, True is 1 there:
                where a field has both, they are counted together.

        Raises:
            KeyNotFound: no document of the store has such a field.
            DeclarationError: several features have it.
        """
        features = _json_features(self._model) if feature is None else [_json_feature(self._model, feature)]
        holder = _holder(self._model, field, features, _counts(self._model, features))
        database, key = self._model._database(holder), holder.key or ""
        others = [one for one, _ in self._criteria if self._model._database(one) is not database]
        counts: Counter[Scalar] = Counter()
        if self._among is None and not others and database is self._model._database():
            for value, count in database.count_values(key, field, [criterion for _, criterion in self._criteria]):
                counts[value] += count
            return dict(counts)
        mine = set(self.ids)
        for value, _ in database.count_values(key, field):
            counts[value] += len(mine.intersection(database.find([Criterion(key, field, wanted(value))])))
        return {value: count for value, count in counts.items() if count}

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[Any]:
        return map(self._model, self.ids)

    def __contains__(self, document: object) -> bool:
        return getattr(document, "_id", document) in self.ids

    @overload
    def __getitem__(self, index: int) -> Any: ...

    @overload
    def __getitem__(self, index: slice) -> "Selection": ...

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            part = Selection(self._model, (), self._text, self.ids[index])
            part.__dict__["ids"] = self.ids[index]
            return part
        return self._model(self.ids[index])

    def __repr__(self) -> str:
        count = len(self)
        of = "" if self._among is None else "[...]"
        return f"{self._model.__name__}.where({self._text}){of}: {count} document{'' if count == 1 else 's'}"


def _common(several: list[list[str]]) -> tuple[str, ...]:
    """Return the ids that stand in all lists, in the order of the first."""
    others = [set(ids) for ids in several[1:]]
    return tuple(_id for _id in several[0] if all(_id in ids for ids in others))


def _criteria(model: Any, feature: Any, fields: dict[str, Any]) -> tuple[list[tuple[Feature, Criterion]], str]:
    """Return criteria, and how they were given."""
    if feature is not None and not fields:
        raise DeclarationError(f"where({feature!r}) names no field; say which: where({feature!r}, label='rock')")
    named = [] if feature is None else [repr(feature if isinstance(feature, str) else feature.name)]
    ranges = {name: wanted(value) for name, value in fields.items()}
    features = _json_features(model) if feature is None else [_json_feature(model, feature)]
    counts = _counts(model, features) if fields else {}
    criteria = []
    for name, found in ranges.items():
        holder = _holder(model, name, features, counts)
        criteria.append((holder, Criterion(holder.key or "", name, found)))
    return criteria, ", ".join([*named, *(f"{name}={value!r}" for name, value in fields.items())])


def _holder(
    model: Any, name: str, features: Sequence[Feature], counts: Mapping[Database, Mapping[tuple[str, str], int]]
) -> Feature:
    """Return the feature that has a field; the first, where the store holds no documents.

    Raises:
        KeyNotFound: no document has such a field.
        DeclarationError: several features have it, or no feature can.
    """
    if not features:
        raise DeclarationError(f"{model.__name__} has no stored JSON feature, so its documents have no fields")
    holders = [one for one in features if counts[model._database(one)].get((one.key or "", name))]
    if not holders and len(model._database()) == 0:
        return features[0]
    if not holders:
        raise KeyNotFound(_unknown(model, name))
    if len(holders) > 1:
        names = [one.name or "" for one in holders]
        raise DeclarationError(
            f"{', '.join(names)} all have a field {name!r}: say which, as in where({names[0]!r}, {name}=...)"
        )
    holder = holders[0]
    missing = counts[model._database(holder)].get(left_out(holder.key or "")[:2])
    if missing:
        _log.warning(
            "%d documents are not found by their %s, which is too large to be looked into (64 KiB, 256 fields)",
            missing, holder.name,
        )  # fmt: skip
    return holder


def _unknown(model: Any, name: str) -> str:
    known = {feature: list(fields) for feature, fields in fields_of(model).items()}
    listed = "; ".join(f"{feature} has {', '.join(fields)}" for feature, fields in known.items()) or "there are none"
    return f"no document of {model.__name__} has a field {name!r}: {listed[:1000]}"


def fields_of(model: Any) -> dict[str, dict[str, int]]:
    """Return how many documents have each field, by the names of feature and field."""
    found: dict[str, dict[str, int]] = {}
    for feature in _json_features(model):
        counts = model._database(feature).count_fields()
        fields = {field: count for (key, field), count in sorted(counts.items()) if key == feature.key}
        if fields:
            found[feature.name or ""] = fields
    return found


class Queryable:
    """What documents offer to find them by their metadata; the half of ``BaseModel`` that asks."""

    @classmethod
    def where(cls: Any, feature: Any = None, /, **fields: Any) -> Selection:
        """Return the documents whose metadata hold what is asked for, without reading any other.

        Args:
            feature (Feature | str | None): the stored JSON feature that has the fields, where several do.
            fields: what each field must hold: text, a number, True, False or None; a list: any of these; or a range,
                ``ff.between(low, high)``. A document has to hold all. No fields: all documents.

        Returns:
            Selection: a sequence of documents.

        Raises:
            KeyNotFound: no document has a field of that name; the message lists those that there are.
            DeclarationError: several features have it, or a value that no field can hold.
        """
        return Selection(cls).where(feature, **fields)
