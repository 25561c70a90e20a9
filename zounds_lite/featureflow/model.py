"""BaseModel: documents whose features are declared as class attributes.

Goal: ``Model.process(...)`` computes and stores a document, all of it or nothing; ``Model(_id).feature`` reads a stored
value, or computes it from the nearest stored ones. A value is served only if today's code, parameters, upstream and
source are those that made it. Conventions: subclasses inherit features and may override them; what needed the old one
needs the new one. Class: ``BaseModel``.
"""

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from zounds_lite._declared import encode
from zounds_lite.errors import (
    CorruptValue,
    DeclarationError,
    FeatureNotComputable,
    GraphError,
    KeyNotFound,
    MissingArgument,
    ModelExistsError,
    NoPersistenceSettingsError,
)
from zounds_lite.featureflow.codecs import StoredValue
from zounds_lite.featureflow.commit import commit
from zounds_lite.featureflow.display import render_html
from zounds_lite.featureflow.feature import Feature
from zounds_lite.featureflow.lineage import Explanation, Lineage, explain_lineage
from zounds_lite.featureflow.record import Entry, Record, verify
from zounds_lite.featureflow.run import Run, ValueWriter
from zounds_lite.featureflow.settings import StaticIdProvider, UserSpecifiedIdProvider
from zounds_lite.featureflow.sources import (
    KEPT,
    describe_source,
    is_recoverable,
    refreshed,
    restore_source,
    what_changed,
)
from zounds_lite.featureflow.stores.base import Database, check_id

__all__ = ["BaseModel"]


class _ModelType(type):
    """Collects features, and lets a model class be iterated."""

    features: dict[str, Feature]

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **kwargs: Any) -> Any:
        for key, value in namespace.items():
            if isinstance(value, Feature) and value.name not in (None, key):
                namespace[key] = value.copy()  # one declaration under a second name
        cls = super().__new__(mcs, name, bases, namespace, **kwargs)
        found: dict[str, Any] = {}
        for base in reversed(cls.__mro__):
            found.update(
                {key: value for key, value in vars(base).items() if key in found or isinstance(value, Feature)}
            )
        cls.features = {key: value for key, value in found.items() if isinstance(value, Feature)}
        return cls

    def __iter__(cls) -> Iterator[Any]:
        for _id in cls._database().iter_ids():  # type: ignore[attr-defined]
            yield cls(_id)


class BaseModel(metaclass=_ModelType):
    """A document.

    Args:
        _id (str | None): which one; may be left out where the model has a single document.

    Examples:
        >>> from zounds_lite import featureflow as ff
        >>> @ff.simple_in_memory_settings
        ... class Document(ff.BaseModel):
        ...     words = ff.JSONFeature(ff.IteratorNode, store=True)
        ...     count = ff.JSONFeature(ff.IteratorNode, needs=words, store=False)
        >>> document = Document(Document.process(words=[["a", "b"]]))
        >>> document.words
        ['a', 'b']
    """

    features: ClassVar[dict[str, Feature]]
    keep_source: ClassVar[bool] = True
    """Keep the original bytes of sources in memory, so that unstored features can be computed later."""

    def __init__(self, _id: str | None = None) -> None:
        if _id is None:
            provider = getattr(type(self), "id_provider", None)
            _id = provider.key if isinstance(provider, StaticIdProvider) else getattr(type(self), "_id", None)
        self.__dict__["_id"] = _id

    # settings

    @classmethod
    def _database(cls, feature: Feature | None = None) -> Database:
        settings = getattr(feature, "persistence", None) or cls
        if not hasattr(settings, "database"):
            raise NoPersistenceSettingsError(
                f"{cls.__name__} has no persistence settings; decorate it with simple_in_memory_settings or "
                "simple_lmdb_settings(path)"
            )
        return settings.database

    @classmethod
    def lineage(cls) -> Lineage:
        """The lineage of the model's features, as its code is now."""
        return Lineage(cls.features)

    # processing

    @classmethod
    def process(cls, raise_if_exists: bool = False, **kwargs: Any) -> str:
        """Compute and store a document.

        Args:
            raise_if_exists (bool): refuse an id that is taken, instead of replacing the document.
            kwargs: a value for each root feature and ``Var``, by name; and ``_id`` where the model takes ids.

        Returns:
            str: the id; the document is durable when this returns.

        Raises:
            MissingArgument: a root, a Var or the id is missing.
            GraphError: a keyword is none of these.
            ModelExistsError: the id is taken and ``raise_if_exists`` is set.
            NoPersistenceSettingsError: the model has no settings.
        """
        cls._database()
        provider = cls.id_provider  # type: ignore[attr-defined]
        cls._check_arguments(kwargs, provider)
        _id = check_id(provider.new_id(**kwargs))
        if raise_if_exists and _id in cls._database():
            raise ModelExistsError(f"document {_id!r} exists; leave out raise_if_exists to replace it")
        cls._ingest(_id, kwargs)
        return _id

    @classmethod
    def _check_arguments(cls, kwargs: Mapping[str, Any], provider: Any) -> None:
        roots = {name for name, feature in cls.features.items() if feature.is_root}
        variables = {name for feature in cls.features.values() for name in feature.variables()}
        wanted = roots | variables
        missing = sorted(wanted - set(kwargs))
        if missing:
            raise MissingArgument(
                f"{cls.__name__}.process() needs {', '.join(sorted(wanted))}; missing: {', '.join(missing)}; "
                f"given: {', '.join(sorted(kwargs)) or 'nothing'}"
            )
        key = provider.key if isinstance(provider, UserSpecifiedIdProvider) else "_id"
        unknown = sorted(set(kwargs) - wanted - {key})
        if unknown:
            raise GraphError(
                f"{cls.__name__}.process() got {', '.join(unknown)}; allowed: {', '.join(sorted(wanted | {key}))}"
            )

    @classmethod
    def _ingest(cls, _id: str, inputs: Mapping[str, Any]) -> None:
        """Compute all stored features from the inputs and commit them as a new record."""
        lineage = cls.lineage()
        sources, kept = cls._describe_inputs(lineage, inputs)
        stored = [feature for feature in cls.features.values() if feature.store]
        for feature in stored:
            lineage.hash(feature)  # refuse what cannot be fingerprinted before hours of work
        run = Run(lineage, inputs, lambda feature: None, cls._database)
        run.compute(stored)
        entries = run.entries({name: source["hash"] for name, source in sources.items()})
        commit(_id, lineage, entries, cls._database, sources, kept, replace=True)
        cls._announce(_id, entries)

    @classmethod
    def _describe_inputs(cls, lineage: Lineage, inputs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Entry]]:
        """Describe roots and Vars; return the entries that keep original bytes."""
        sources, kept = {}, {}
        for name, feature in cls.features.items():
            if feature.is_root:
                sources[name], data = describe_source(inputs[name])
                if data is not None and cls.keep_source:
                    writer = ValueWriter(cls._database())
                    writer.write(data)
                    kept[KEPT + name] = writer.finish(
                        Entry("", sources[name]["hash"], "application/octet-stream", {}, 0)
                    )
        for name in {name for feature in cls.features.values() for name in feature.variables()}:
            try:
                sources[name] = {"kind": "value", "value": encode(inputs[name]), "hash": ""}
            except DeclarationError:
                sources[name] = {"kind": "opaque", "hash": ""}
        return sources, kept

    @classmethod
    def _announce(cls, _id: str, entries: Mapping[Feature, Entry]) -> None:
        log = getattr(cls, "event_log", None)
        if log is not None:
            for feature, entry in entries.items():
                log.append(json.dumps({"_id": _id, "name": feature.key, "version": entry.lineage}))

    # documents

    @classmethod
    def exists(cls, _id: str | None = None, feature: Any = None) -> bool:
        """Tell whether a document, or a stored value of it, exists.

        Args:
            _id (str | None): the document; None asks the model's id provider.
            feature (Feature | str | None): a stored feature.

        Raises:
            DeclarationError: the feature is not stored, or the id is needed and missing.
        """
        if _id is None:
            provider = getattr(cls, "id_provider", None)
            if not isinstance(provider, StaticIdProvider):
                raise DeclarationError("exists() needs the id of a document: exists('...')")
            _id = provider.key
        if feature is None:
            return _id in cls._database()
        feature = cls.features[feature] if isinstance(feature, str) else feature
        if not feature.store:
            raise DeclarationError(f"{feature.name} is not stored, so exists() cannot tell; leave it out")
        raw = cls._database(feature).get(_id)
        return raw is not None and feature.key in Record.from_bytes(raw).entries

    @classmethod
    def random(cls) -> Any:
        """Return a document picked at random.

        Raises:
            KeyNotFound: there are none.
        """
        return cls(cls._database().random_id())

    @classmethod
    def delete(cls, _id: str) -> None:
        """Remove a document and its values.

        Raises:
            KeyNotFound: there is no such document.
        """
        del cls._database()[_id]

    @classmethod
    def explain(cls, _id: str, feature: Any) -> Explanation:
        """Say whether a stored value is fresh and, if not, what differs.

        Args:
            _id (str): the document.
            feature (Feature | str): one of its features.

        Raises:
            KeyNotFound: there is no such document or feature.
        """
        name = feature if isinstance(feature, str) else feature.name
        if name not in cls.features:
            raise KeyNotFound(f"{cls.__name__} has no feature {name!r}; it has: {', '.join(cls.features)}")
        return cls(_id)._explain(cls.features[name])

    @classmethod
    def update(cls, _id: str, features: Iterable[str] | None = None) -> list[str]:
        """Recompute what is stale or missing among the stored features of a document, in one run.

        Args:
            _id (str): the document.
            features (Iterable[str] | None): limit it to these.

        Returns:
            list[str]: names of what was recomputed.
        """
        document = cls(_id)
        wanted = cls.features if features is None else list(features)
        stale = [f for n, f in cls.features.items() if n in wanted and f.store and document._stored(f) is None]
        if stale:
            document._compute(stale)
        return [feature.name or "" for feature in stale]

    # reading

    def _record(self, feature: Feature | None = None) -> Record:
        """Return the record that holds ``feature``, read once per document."""
        database = self._database(feature)
        records = self.__dict__.setdefault("_records", {})
        if id(database) not in records:
            _id = self.__dict__["_id"]
            if _id is None:
                raise AttributeError(
                    f"{type(self).__name__}() was made without an id; pass one: {type(self).__name__}(_id)"
                )
            if database is self._database():
                records[id(database)] = database.read(_id)
            else:
                raw = database.get(_id)
                records[id(database)] = Record(_id) if raw is None else Record.from_bytes(raw, f"the record of {_id!r}")
        return records[id(database)]

    def _lineage(self) -> Lineage:
        if "_lineage_now" not in self.__dict__:
            self.__dict__["_lineage_now"] = self.lineage()
        return self.__dict__["_lineage_now"]

    def _sources(self) -> dict[str, Any]:
        """The sources as they are now."""
        if "_sources_now" not in self.__dict__:
            sources = self._record().sources
            self.__dict__["_sources_now"] = {name: refreshed(source) for name, source in sources.items()}
        return self.__dict__["_sources_now"]

    def _is_from_today(self, feature: Feature, entry: Entry) -> bool:
        """Tell whether a value was made from the sources as they are now."""
        hashes = {name: source["hash"] for name, source in self._sources().items()}
        return entry.source == self._lineage().source_digest(feature, hashes)

    @property
    def source_changed(self) -> bool:
        """True where a stored value was made from other content than its source now has; a source that is gone counts
        as
        unchanged."""
        stored = [(f, self._record(f).entries.get(f.key or "")) for f in self.features.values() if f.store]
        return any(entry is not None and not self._is_from_today(feature, entry) for feature, entry in stored)

    def _stored(self, feature: Feature) -> StoredValue | None:
        """Return the stored value of ``feature`` if it is fresh."""
        entry = self._record(feature).entries.get(feature.key or "") if feature.store else None
        if entry is None:
            return None
        lineage = self._lineage()
        if entry.lineage != lineage.hash(feature) or not self._is_from_today(feature, entry):
            return None
        return self._value(entry, feature.name or "", self._database(feature))

    def _value(self, entry: Entry, name: str, database: Database) -> StoredValue:
        """Return the bytes of an entry: mapped from a blob, or checked where they are in the record."""
        what = f"feature {name!r} of document {self.__dict__['_id']!r}"
        if entry.blob is None:
            data = memoryview(entry.data or b"")
            verify(data, entry.checks, what)
            return StoredValue(entry.header, np.frombuffer(data, np.uint8), what)
        try:
            blob = database.open_blob(entry.blob)
        except KeyNotFound as error:
            raise CorruptValue(f"{what}: {error}; process the document again to replace it") from error
        if len(blob) < entry.size:
            raise CorruptValue(f"{what}: its blob is cut to {len(blob)} of {entry.size} bytes; process it again")
        return StoredValue(entry.header, blob[: entry.size], what)

    def _fetch(self, feature: Feature) -> Any:
        """Return the value of a feature: stored and fresh, or computed (and stored, if the feature is)."""
        value = self._stored(feature)
        if value is None:
            return self._compute([feature])[feature.name or ""]
        return feature.decode(value)

    def _inputs(self) -> dict[str, Any]:
        """Values for the roots whose source can be read again, and for Vars."""
        inputs = {}
        record = self._record()
        for name, source in record.sources.items():
            entry = record.entries.get(KEPT + name)
            if is_recoverable(source, entry is not None):
                value = self._value(entry, KEPT + name, self._database()) if entry is not None else None
                inputs[name] = restore_source(source, value.open() if value is not None else None)
        return inputs

    def _compute(self, features: list[Feature]) -> dict[str, Any]:
        """Compute features from what is stored and fresh, commit the stored ones among them, and return the values."""
        _id = self.__dict__["_id"]
        lineage = self._lineage()
        run = Run(lineage, self._inputs(), self._stored, self._database)
        try:
            run.compute(features)
        except FeatureNotComputable as error:
            names = ", ".join(feature.name or "" for feature in features)
            raise FeatureNotComputable(f"{names} of document {_id!r}: {error}") from error
        sources = self._sources()
        entries = run.entries({name: source["hash"] for name, source in sources.items()})
        values = {feature.name or "": run.value(feature) for feature in features if not feature.store}
        if entries:
            commit(_id, lineage, entries, self._database, sources, {}, replace=False)
            self._announce(_id, entries)
            self.__dict__.pop("_records", None)
        for feature in features:
            if feature.store:
                entry = self._record(feature).entries[feature.key or ""]
                values[feature.name or ""] = feature.decode(
                    self._value(entry, feature.name or "", self._database(feature))
                )
        return values

    def _explain(self, feature: Feature) -> Explanation:
        record = self._record(feature)
        lineage = self._lineage()
        entry = record.entries.get(feature.key or "")
        if entry is None or not feature.store:
            return Explanation(feature.name or "", stored=False)
        current = lineage.hash(feature)
        tree = lineage.description_tree(feature)
        reasons = explain_lineage(feature.name or "", entry.lineage, current, record.descriptions, tree)
        if not self._is_from_today(feature, entry):
            sources = self._record().sources
            reasons.append(
                "the content of the source changed: "
                + ", ".join(what_changed(sources[name]) for name in sorted(lineage.roots(feature)) if name in sources)
            )
        return Explanation(feature.name or "", stored=True, reasons=reasons)

    def open_source(self, name: str) -> io.BufferedReader | None:
        """Return the kept original bytes of a root as a file, or None where they were not kept."""
        entry = self._record().entries.get(KEPT + name)
        return None if entry is None else self._value(entry, KEPT + name, self._database()).open()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.__dict__['_id']!r})"

    def _repr_html_(self) -> str:
        return render_html(self)
