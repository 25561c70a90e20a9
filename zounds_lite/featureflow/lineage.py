"""Lineage: what made a value, as a hash that moves when the answer does.

Goal: ``lineage(feature) = hash(canonical JSON of {node, revision or code, params, codec, needs: {name: lineage}})``.
Library nodes count by name and ``revision``; user nodes and functions by their source (see ``_declared.source``); a
feature may name its own ``version`` instead. The descriptions are stored by hash, so that ``explain`` can walk two of
them side by side. Names that no code sees do not count: a function's own, and that of a feature that is needed alone.
A container that the code itself changes, such as a memo in a module's dict, cannot be told from a setting that a person
changed: it makes its feature stale; ``functools.cache`` does not. Classes: ``Lineage``, ``Explanation``.
"""

import inspect
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np

from zounds_lite._declared import Declared, describe, describe_code, digest, is_library, parameters_of
from zounds_lite.errors import LineageError
from zounds_lite.featureflow.codecs import Decoder
from zounds_lite.featureflow.feature import Aspect, Feature, Var

__all__ = ["Explanation", "Lineage"]

_IGNORED = {"needs"}

_PLAIN = {type(None), bool, int, float, str, bytes, np.timedelta64, Var}
"""Types whose values never change."""

_SHOWN = 100
"""Characters of a value that an explanation shows."""


def _describe_extractor(feature: Feature) -> dict[str, Any]:
    extractor = feature.extractor
    name = getattr(extractor, "__qualname__", None) or type(extractor).__qualname__
    if not isinstance(extractor, type):
        named: dict[str, Any] = {"node": "function", "~node": name}
    elif is_library(extractor):
        named = {
            "node": f"{extractor.__module__.partition('.')[0]}.{name}",
            "revision": getattr(extractor, "revision", 1),
        }
    else:
        named = {"node": "class", "~node": name}
    if feature.version is not None:
        return {**named, "version": str(feature.version)}
    return named if "revision" in named else {**named, "code": describe_code(extractor)}


def _describe_value(feature: Feature, value: Any) -> Any:
    """Describe an argument; with a ``version`` given, the type is enough where nothing more can be said."""
    if isinstance(value, Var):
        return {"var": value.name}
    try:
        return describe(value)
    except LineageError:
        if feature.version is None:
            raise
        return {"unnamed": type(value).__qualname__}


def _describe_codec(feature: Feature) -> Any:
    try:
        return feature.describe_codec()
    except LineageError:
        if feature.version is None:
            raise
        return {"unnamed": getattr(feature.encoder, "__qualname__", type(feature.encoder).__qualname__)}


def _describe_parameters(feature: Feature) -> dict[str, Any]:
    """Describe the extractor's arguments, defaults included, without those that never change its output."""
    extractor = feature.extractor
    arguments = dict(feature.extractor_args)
    if isinstance(extractor, type):
        known = parameters_of(extractor)
        defaults = {name: p.default for name, p in known.items() if p.default is not inspect.Parameter.empty}
        arguments = {**defaults, **arguments}
    if hasattr(extractor, "lineage_parameters"):
        arguments = extractor.lineage_parameters(arguments, feature.version)
    neutral = _IGNORED | set(getattr(extractor, "neutral_parameters", ()))
    described = {}
    for name, value in sorted(arguments.items()):
        if name not in neutral:
            try:
                described[name] = _describe_value(feature, value)
            except LineageError as error:
                raise LineageError(f"its argument {name}: {error}") from error
    return described


def _describe_own(feature: Feature) -> dict[str, Any]:
    """Describe a feature without what it needs: the same object as before, where nothing of it can have changed."""
    seen = _seen(feature)
    before, described = feature.__dict__.get("_described", ((), {}))
    if len(before) == len(seen) and all(map(operator.is_, before, seen)):
        return described
    described = {
        **_describe_extractor(feature),
        "params": _describe_parameters(feature),
        "codec": _describe_codec(feature),
    }
    if _is_constant(feature):
        feature.__dict__["_described"] = seen, described
    return described


def _seen(feature: Feature) -> tuple[Any, ...]:
    """All that the description of a feature of library code and plain values comes from."""
    revisions = [getattr(code, "revision", None) for code in (feature.extractor, feature.encoder)]
    arguments = feature.extractor_args
    return (
        *(feature.extractor, feature.encoder, feature._decoder(), feature.version),
        *(*revisions, *arguments, *arguments.values()),
    )


def _is_constant(feature: Feature) -> bool:
    """Tell whether nothing of a feature's description can change but what ``_seen`` shows."""
    extractor, decoder = feature.extractor, feature._decoder()
    is_named = isinstance(extractor, (type, np.ufunc)) and not hasattr(extractor, "lineage_parameters")
    is_coded = isinstance(decoder, Decoder) and all(map(is_library, (feature.encoder, type(decoder), type(feature))))
    return is_named and is_coded and is_library(extractor) and all(map(_is_plain, feature.extractor_args.values()))


def _is_plain(value: Any) -> bool:
    if isinstance(value, Declared):
        return is_library(type(value)) and all(map(_is_plain, value.parameters.values()))
    return type(value) in _PLAIN


class Lineage:
    """The lineage of every feature of a model, as its code is now.

    Args:
        features (Mapping[str, Feature]): the model's features by name.
    """

    def __init__(self, features: Mapping[str, Feature]) -> None:
        self.features = features
        self.descriptions: dict[str, dict[str, Any]] = {}
        self._hashes: dict[int, str] = {}
        self._roots: dict[int, frozenset[str]] = {}

    def resolve(self, need: Feature | Aspect) -> Feature:
        """Return the feature that a need stands for in this model: an override wins over what it overrides."""
        feature = need.feature if isinstance(need, Aspect) else need
        return self.features.get(feature.name or "", feature)

    def needs(self, feature: Feature) -> dict[str, Feature]:
        """The features that ``feature`` needs, by the name under which its node receives them."""
        return {name: self.resolve(need) for name, need in feature.named_needs().items()}

    def hash(self, feature: Feature) -> str:
        """The lineage of ``feature``.

        Raises:
            LineageError: code or a parameter of it, or of something upstream, cannot be fingerprinted.
        """
        if id(feature) not in self._hashes:
            try:
                own, needs = _describe_own(feature), self._describe_needs(feature)
            except LineageError as error:
                raise LineageError(f"feature {feature.name!r}: {error}") from error
            before = feature.__dict__.get("_hashed", (None, None, ""))
            if before[0] is not own or before[1] != needs:
                before = feature.__dict__["_hashed"] = own, needs, digest({**own, "needs": needs})
            value = before[2]
            self.descriptions[value] = {"feature": feature.name, **own, "needs": needs}
            self._hashes[id(feature)] = value
        return self._hashes[id(feature)]

    def _describe_needs(self, feature: Feature) -> dict[str, Any]:
        """Describe what a feature needs: one by no name, several in order, and a mapping by its own names."""
        described = {}
        named = feature.named_needs()
        mapping, alone = isinstance(feature.needs, Mapping), len(named) == 1
        for i, (name, need) in enumerate(named.items()):
            aspect = {"aspect": need.aspect_key} if isinstance(need, Aspect) else {}
            upstream = {"lineage": self.hash(self.resolve(need)), **aspect}
            if mapping or alone:
                described[name if mapping else "need"] = {**upstream, "~name": need.name}
            else:  # the node receives them in this order, under their names
                described[str(i)] = {**upstream, "name": name}
        return described

    def roots(self, feature: Feature) -> frozenset[str]:
        """Names of what ``feature`` comes from: root features, and keywords of ``process`` that fill in arguments."""
        if id(feature) not in self._roots:
            needs = self.needs(feature).values()
            own = frozenset([*feature.variables(), *([feature.name or ""] if feature.is_root else [])])
            self._roots[id(feature)] = own.union(*(self.roots(need) for need in needs))
        return self._roots[id(feature)]

    def source_digest(self, feature: Feature, hashes: Mapping[str, str]) -> str:
        """Digest of the sources that ``feature`` comes from, given the hash of each root's source."""
        return digest({name: hashes.get(name, "") for name in sorted(self.roots(feature))})

    def description_tree(self, feature: Feature) -> dict[str, dict[str, Any]]:
        """The descriptions of ``feature`` and of everything upstream, by lineage."""
        found, open_ = {}, [self.hash(feature)]
        while open_:
            value = open_.pop()
            if value not in found:
                found[value] = self.descriptions[value]
                open_.extend(need["lineage"] for need in found[value]["needs"].values())
        return found


@dataclass
class Explanation:
    """Why a feature of a document is served as stored, or computed.

    Attributes:
        feature (str): its name.
        stored (bool): whether the document holds a value.
        reasons (list[str]): what differs between the stored value's making and today's; empty where it is fresh.
    """

    feature: str
    stored: bool
    reasons: list[str] = field(default_factory=list)

    @property
    def stale(self) -> bool:
        """True where a stored value will be recomputed on access."""
        return self.stored and bool(self.reasons)

    def __str__(self) -> str:
        if not self.stored:
            return "\n".join([f"{self.feature} is not stored: it is computed on access", *self._lines()])
        if not self.reasons:
            return f"{self.feature} is stored and fresh: code, parameters, upstream and source are as they were"
        return "\n".join([f"{self.feature} is stored and stale: it will be recomputed on access", *self._lines()])

    def _lines(self) -> list[str]:
        return [f"  {reason}" for reason in self.reasons]


def _differences(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            if key == "order" and old.get(key) != new.get(key):
                if set(old) == set(new):  # else the key that came or went says it
                    yield f"{path}.order", old[key], new[key]
                continue
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _differences(a, b, f"{path}[{i}]")
    elif type(old) is not type(new) or old != new:  # 1 is not True, nor 1.0
        yield path, old, new


def _show(value: Any) -> str:
    if isinstance(value, dict):
        if value.get("type") == "tuple" and isinstance(value.get("items"), list):
            value = tuple(value["items"])
        elif value.keys() == {"recursive"}:
            return "code that stands elsewhere"
        else:
            value = value.get("~source", value)
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _counts(path: str) -> bool:
    """Tell whether a path leads to what the hash counts, and not to a note other than a function's source."""
    return "~source" in path or not any(part.startswith("~") for part in path.split("."))


def _own_reasons(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """Say what differs in the description of one node, its needs left out."""
    left_out = {"needs": None, "feature": None}
    found = [(path, a, b) for path, a, b in _differences({**old, **left_out}, {**new, **left_out}) if _counts(path)]
    hashes = {path.rpartition(".")[0] for path, _, _ in found if path.endswith(".code")}
    shown = {path.rpartition(".")[0] for path, _, _ in found if path.endswith(".~source")} & hashes
    for path, before, after in found:
        head, _, tail = path.rpartition(".")
        if tail == "code" and head in shown:
            continue  # its ~source says it in words
        if (tail == "~source" and head not in shown) or (tail == "recursive" and len(found) > 1):
            continue  # its name only; a number that moved with another difference
        path = path.replace("~source", "source").removeprefix("params.").removeprefix("code.")
        if tail == "~source" and isinstance(before, str) and isinstance(after, str):
            before, after = _first_difference(before, after)
        yield f"{path} {_show(before)} -> {_show(after)}"


def _first_difference(before: str, after: str) -> tuple[str, str]:
    """Return the first lines in which two sources differ; short sources whole."""
    if max(len(before), len(after)) <= _SHOWN:
        return before, after
    pairs = zip_longest(before.splitlines(), after.splitlines(), fillvalue="")
    return next(((a.strip(), b.strip()) for a, b in pairs if a != b), (before, after))


def _needed(needs: Mapping[str, dict[str, Any]]) -> list[str]:
    return [str(need.get("name") or need.get("~name") or key) for key, need in needs.items()]


def explain_lineage(
    name: str, old: str, new: str, stored: Mapping[str, dict[str, Any]], current: Mapping[str, dict[str, Any]]
) -> list[str]:
    """Walk two lineages side by side and say what differs.

    Args:
        name (str): the feature asked about.
        old, new (str): its stored and its current lineage.
        stored, current (Mapping): descriptions by lineage.
    """
    reasons: list[str] = []
    seen: set[tuple[str, str]] = set()

    def walk(old: str, new: str, where: str) -> None:
        if old == new or (old, new) in seen:
            return
        seen.add((old, new))
        before, after = stored.get(old), current.get(new)
        if before is None or after is None:
            reasons.append(f"the description of {where} was not stored")
            return
        place = where if where == name else f"{where}, upstream of {name}"
        reasons.extend(f"{reason} in {place}" for reason in _own_reasons(before, after))
        if _needed(before["needs"]) != _needed(after["needs"]) or before["needs"].keys() != after["needs"].keys():
            reasons.append(f"needs {_needed(before['needs'])} -> {_needed(after['needs'])} in {place}")
            return
        for key in sorted(after["needs"]):
            a, b = before["needs"][key], after["needs"][key]
            if a.get("aspect") != b.get("aspect"):
                reasons.append(f"needs the aspect {a.get('aspect')!r} -> {b.get('aspect')!r} of {key} in {place}")
            else:
                walk(a["lineage"], b["lineage"], current.get(b["lineage"], {}).get("feature", key))

    walk(old, new, name)
    return reasons
