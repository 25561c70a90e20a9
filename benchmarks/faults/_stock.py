"""A store with values of every kind, small and large, and what reading each of them must give.

Names: ``Stock`` (the documents), ``bound``, ``fill``, ``read_all``, ``FEATURES``.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.errors import ZoundsError
from zounds_lite.persistence import (
    ArrayWithUnitsFeature,
    AudioSamplesFeature,
    PackedArrayWithUnitsFeature,
    VariableRateTimeSeriesFeature,
)

LARGE, SMALL = 640_000, 400
"""Samples: float32 that go to a blob, and few."""

_RATE = zounds.SR11025()


def _random(plan: dict[str, Any]) -> np.random.Generator:
    return np.random.default_rng([plan["number"], plan["samples"]])


def _sound(plan: dict[str, Any]) -> Any:
    return zounds.AudioSamples(_random(plan).uniform(-1, 1, plan["samples"]).astype(np.float32), _RATE)


def _rows(plan: dict[str, Any]) -> np.ndarray:
    return _random(plan).integers(0, 1 << 30, (plan["samples"] // 8, 4), np.int32)


def _words(plan: dict[str, Any]) -> str:
    return f"document {plan['number']}, \u4e2d\u6587. " * 5


def _facts(plan: dict[str, Any]) -> dict[str, Any]:
    return {"number": plan["number"], "name": f"n{plan['number']}", "list": list(range(plan["number"])), "half": 0.5}


def _typed(plan: dict[str, Any]) -> dict[str, Any]:
    return {"array": np.arange(plan["number"] + 3, dtype=np.int64), "pair": (1, "two"), "scale": _RATE}


def _series(plan: dict[str, Any]) -> Any:
    slices = [zounds.TimeSlice(zounds.Seconds(1), start=zounds.Seconds(i)) for i in range(plan["number"] % 5 + 1)]
    return zounds.VariableRateTimeSeries([(part, np.full(3, plan["number"])) for part in slices])


def _is_positive(samples: Any) -> Any:
    return zounds.ArrayWithUnits(np.asarray(samples)[: SMALL // 8 * 8].reshape(-1, 8) > 0, [None, None])


class _Total(ff.Aggregator, ff.Node):
    """The sum of all rows, from the chunks that a stored value is read in."""

    def __init__(self, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self._sum = 0

    def _enqueue(self, data: Any, pusher: Any) -> None:
        self._sum += int(np.asarray(data).astype(np.int64).sum())
        self._cache = self._sum

    def _process(self, data: Any) -> Iterator[Any]:
        yield data


class Stock(ff.BaseModel):
    """One document; ``total`` is computed whenever it is read."""

    plan = ff.JSONFeature(ff.IteratorNode, store=True)
    raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=1000, store=False)
    sound = AudioSamplesFeature(_sound, needs=plan, store=True, version="1")
    twice = ArrayWithUnitsFeature(lambda x: x[:SMALL] * 2, needs=sound, store=True, version="1")
    bits = PackedArrayWithUnitsFeature(_is_positive, needs=twice, store=True, version="1")
    rows = ff.NumpyFeature(_rows, needs=plan, store=True, version="1")
    words = ff.TextFeature(_words, needs=plan, store=True, version="1")
    facts = ff.JSONFeature(_facts, needs=plan, store=True, version="1")
    typed = ff.PickleFeature(_typed, needs=plan, store=True, version="1")
    squeezed = ff.CompressedFeature(lambda text: text * 50, needs=words, store=True, version="1")
    series = VariableRateTimeSeriesFeature(_series, needs=plan, store=True, version="1")
    total = ff.JSONFeature(_Total, needs=rows, store=False, version="1")


STORED = tuple(name for name, feature in Stock.features.items() if feature.store)
FEATURES = (*STORED, "total", "source:raw")


def bound(path: Path) -> Any:
    """The document class over the store at a path."""
    return ff.simple_lmdb_settings(path, map_size=1 << 20, user_supplied_id=True)(Stock)


def fill(path: Path, small: int, large: int) -> Any:
    """Make the store; ids differ in length, so the index has several pages; one in seven is too long to be a key."""
    cls = bound(path)
    for number in range(small + large):
        _id = f"doc{number}" + "/x" * (300 if number % 7 == 6 else 40 * (number % 5))
        plan = {"number": number, "samples": LARGE if number >= small else SMALL}
        raw = np.random.default_rng(number).bytes(3000 if number < small else 1_200_000)
        cls.process(_id=_id, plan=[plan], raw=raw)
    return cls


def _digest(value: Any) -> str:
    """One text for a value, units and all."""
    if isinstance(value, np.ndarray):
        units = repr(getattr(value, "dimensions", ""))
        parts = [np.asarray(value).tobytes(), f"{value.dtype} {value.shape} {units}".encode()]
    elif isinstance(value, dict):
        parts = [f"{key} {_digest(item)}".encode() for key, item in value.items()]
    elif isinstance(value, zounds.VariableRateTimeSeries):
        parts = [f"{part.timeslice!r} {_digest(part.slicedata)}".encode() for part in value]
    else:
        parts = [value if isinstance(value, bytes) else repr(value).encode("utf-8", "surrogatepass")]
    return hashlib.sha1(b"|".join(parts)).hexdigest()


def _copied(document: Any, name: str) -> Any:
    """Read one value in the ways that copy it, which are checked; maps are handed out as they are."""
    if name == "source:raw":
        return document.open_source("raw").read()
    if name == "total":
        return document.total
    feature = type(document).features[name]
    value = document._read(lambda snapshot: snapshot.stored(feature))
    if value is None:
        return "it counts as stale"
    raw = value.bytes()
    found = getattr(document, name)
    again = value.open().read(1000) == raw[:1000]
    return {"bytes": raw, "value": found, "again": again}


def read_all(cls: Any, ids: list[str]) -> dict[str, dict[str, str]]:
    """Read every value of every document: a digest of each, or ``"!"`` and the typed error that it gave."""
    found: dict[str, dict[str, str]] = {}
    for _id in ids:
        document = cls(_id)
        values = found[_id] = {}
        for name in FEATURES:
            try:
                values[name] = _digest(_copied(document, name))
            except ZoundsError as error:
                values[name] = f"!{type(error).__name__}: {error}"
    return found
