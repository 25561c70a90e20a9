"""Stores that somebody made on purpose: what a record, a blob, the ledger or the store itself may claim.

Each case begins with a good store of two documents, ``a`` (small values) and ``b`` (with a blob), and changes it; the
checksums are right wherever they can be, so only validation can refuse. Names: ``CASES``, ``Draft``, ``make``, ``fuzz``,
``CANARY``.
"""

import bz2
import json
import os
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lmdb
import numpy as np
import xxhash

from benchmarks.faults import _stock
from zounds_lite.featureflow.checksums import BLOCK, blob_table
from zounds_lite.featureflow.record import Record

CANARY = "this"
"""A module of the standard library that nothing imports: where it is loaded, stored text was imported."""

_HEAD = struct.Struct("<4sIQIQ")
_BIG = 10**30
_WRONG = [None, True, -1, 2**70, 1.5, "x", "", [], [1], {}, {"type": "this.Zen"}, [[]] * 5, "\ud800", [{}]]

CASES: dict[str, Callable[["Store"], None]] = {}


def case(words: str) -> Callable[[Callable[["Store"], None]], Callable[["Store"], None]]:
    """Register a case under what it does."""

    def register(function: Callable[["Store"], None]) -> Callable[["Store"], None]:
        CASES[words] = function
        return function

    return register


class Payload:
    """Pickles to a call that leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


class Draft:
    """A good record, taken apart; ``pack`` puts it together with right checksums, offsets and sizes."""

    def __init__(self, raw: bytes) -> None:
        _, length, _, size, _ = _HEAD.unpack_from(raw)
        self.id = raw[_HEAD.size : _HEAD.size + length]
        start = _HEAD.size + length
        self.body: dict[str, Any] = json.loads(raw[start : start + size])
        self.data = {n: bytes(e.data) for n, e in Record.from_bytes(raw).entries.items() if e.data is not None}

    def value(self, name: str) -> dict[str, Any]:
        """The header of a value."""
        found: dict[str, Any] = self.body["values"][name]
        return found

    def put(self, name: str, data: bytes, header: dict[str, Any] | None = None, **claims: Any) -> None:
        """Replace a value: its bytes, and its codec's header."""
        self.data[name] = data
        self.value(name).update({"header": header} if header is not None else {}, **claims)

    def settled(self) -> bytes:
        """Set offsets, sizes and checksums of the inline values; return their bytes."""
        at = 0
        for name, data in self.data.items():
            blocks = [data[i : i + BLOCK] for i in range(0, len(data), BLOCK)]
            checks = [xxhash.xxh3_64_intdigest(block) for block in blocks]
            self.value(name).update(at=at, size=len(data), checks=checks)
            at += len(data)
        return b"".join(self.data.values())

    def pack(self) -> bytes:
        payload = self.settled()
        return packed(self.id, json.dumps(self.body).encode(), payload)


def packed(_id: bytes, header: bytes, payload: bytes = b"") -> bytes:
    """A record around any header."""
    checks = xxhash.xxh3_64_intdigest(_id), xxhash.xxh3_64_intdigest(header)
    return _HEAD.pack(b"ZLR1", len(_id), checks[0], len(header), checks[1]) + _id + header + payload


class Store:
    """A good store that a case changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        env = self._open()
        with env.begin() as txn:
            self.records = {k[1:].decode(): bytes(v) for k, v in txn.cursor(env.open_db(b"records", txn=txn))}
        env.close()

    def _open(self) -> Any:
        return lmdb.open(str(self.path), map_size=64 << 20, max_dbs=16, lib_version=0)

    def put(self, table: bytes, key: bytes, value: bytes) -> None:
        """Write bytes under a key, unchecked."""
        env = self._open()
        with env.begin(write=True) as txn:
            txn.put(key, value, db=env.open_db(table, txn=txn))
        env.close()

    def draft(self, _id: str = "a") -> Draft:
        return Draft(self.records[_id])

    def write(self, draft: Draft, _id: str = "a") -> None:
        self.put(b"records", b"i" + _id.encode(), draft.pack())

    def raw(self, header: bytes, payload: bytes = b"", _id: str = "a") -> None:
        self.put(b"records", b"i" + _id.encode(), packed(_id.encode(), header, payload))

    def blob(self) -> Path:
        return next(self.path.glob("blobs/??/*.blob"))

    def values(self, changes: dict[str, tuple[bytes, dict[str, Any]]]) -> None:
        """Replace values of the small document."""
        draft = self.draft()
        for name, (data, header) in changes.items():
            draft.put(name, data, header)
        self.write(draft)

    def arrays(self, headers: list[dict[str, Any]], data: bytes = bytes(800)) -> None:
        """Write one document for each array header."""
        for number, header in enumerate(headers):
            draft = self.draft()
            draft.id = f"array{number}".encode()
            draft.put("rows", data, header)
            draft.put("sound", data, {**draft.value("sound")["header"], **header})
            self.write(draft, f"array{number}")


def make(path: Path) -> None:
    """Make the good store."""
    cls = _stock.bound(path)
    for _id, samples in (("a", 400), ("b", 270_000)):
        cls.process(_id=_id, plan=[{"number": 3, "samples": samples}], raw=b"raw bytes" * 100)
    cls.database.close()


# code


@case("pickle header on a typed value")
def _(store: Store) -> None:
    import pickle

    store.values({"typed": (pickle.dumps(Payload(store.path.parent / "canary")), {"pickle": True})})


@case("pickle content type on every value")
def _(store: Store) -> None:
    import pickle

    draft, payload = store.draft(), pickle.dumps(Payload(store.path.parent / "canary"))
    for name in list(draft.data):
        draft.put(name, payload, content_type="application/x-pickle")
    store.write(draft)


@case("object dtype")
def _(store: Store) -> None:
    store.arrays([{"dtype": dtype, "shape": [100]} for dtype in ("|O", "O", "<O8", "object", [["a", "|O"]], ["O"])])


@case("type names that are import paths")
def _(store: Store) -> None:
    names = [f"{CANARY}.Zen", CANARY, "os.system", f"__import__('{CANARY}')", "zounds_lite.cli", "__class__", "type"]
    for number, name in enumerate(names):
        draft = store.draft()
        draft.id = f"name{number}".encode()
        for feature in ("sound", "twice", "bits"):
            draft.value(feature)["header"]["dimensions"] = [{"type": name, "args": ["true"]}] * 2
        draft.put("typed", b"", {"arrays": [], "tree": {"type": name, "data": {"type": "list", "items": []},
                                                        "keywords": {"x": {"type": "value", "value": 1}}}})  # fmt: skip
        draft.body["sources"]["plan"] = {"kind": "wrapped", "value": {"type": name}, "hash": "h",
                                         "source": {"kind": "url", "url": "http://x", "hash": "h"}}  # fmt: skip
        store.write(draft, f"name{number}")


@case("descriptions of code that is not there")
def _(store: Store) -> None:
    draft = store.draft()
    for described in draft.body["descriptions"].values():
        described.update(node=f"{CANARY}:Zen", params={"x": {"type": f"{CANARY}.Zen"}}, codec=["eval", 1])
    store.write(draft)


# arrays


@case("huge shape")
def _(store: Store) -> None:
    shapes = [[2**40, 4], [2**61, 2**61], [10**12], [2**62], [2**31, 0, 2**31], [_BIG], [0, 2**61, 2**61]]
    store.arrays([{"dtype": "<i4", "shape": shape} for shape in shapes], b"")
    store.arrays([{"dtype": "<i4", "shape": shape} for shape in shapes])


@case("shape and size that differ")
def _(store: Store) -> None:
    store.arrays([{"dtype": "<i4", "shape": shape} for shape in ([199, 1], [201], [200, 2], [], [0], [1] * 64)])


@case("negative, fractional and textual sizes")
def _(store: Store) -> None:
    shapes = [[-1], [-200, -1], [1.0, 200], ["200"], "200", [True] * 3, [[200]], {"0": 200}, 200, None, [None]]
    store.arrays([{"dtype": "<i4", "shape": shape} for shape in shapes])


@case("too many axes")
def _(store: Store) -> None:
    store.arrays([{"dtype": "<i4", "shape": [1] * n + [200]} for n in (64, 65, 1000, 200_000)])


@case("dtypes of absurd size")
def _(store: Store) -> None:
    dtypes = ["S2147483647", "U536870911", "S99999999999", f"V{2**31 - 1}", "(1000000,1000)f4", f"S{_BIG}"]
    store.arrays([{"dtype": dtype, "shape": [1]} for dtype in dtypes])


@case("dtypes of very many fields")
def _(store: Store) -> None:
    fields = [[f"f{i}", "<f4"] for i in range(30_000)]
    store.arrays([{"dtype": dtype, "shape": [1]} for dtype in ("i4," * 500_000, fields, [["a", "<f4", [10**9]]])])


@case("dtypes that are no dtypes")
def _(store: Store) -> None:
    dtypes = ["V4", ">x9", "", "f4,f4", "[('a','f4')]", "{'names':[]}", [], [[]], [["a"]], [["a", ["b", "f4"]]],
              [["a", "f4", "x"]], {"names": ["a"]}, 7, None, ["<f4"], "<M8[123456789Y]", "<m8[generic]"]  # fmt: skip
    store.arrays([{"dtype": dtype, "shape": [200]} for dtype in dtypes])


@case("text beyond the last character")
def _(store: Store) -> None:
    store.arrays([{"dtype": "<U2", "shape": [100]}, {"dtype": [["a", "<U2"]], "shape": [100]}], b"\xff" * 800)


@case("dimensions with absurd numbers")
def _(store: Store) -> None:
    second = {"type": "timedelta64", "ps": 10**12}
    parts: list[Any] = [
        {"type": "TimeDimension", "frequency": second, "duration": second, "size": 10**15},
        {"type": "TimeDimension", "frequency": {"type": "timedelta64", "ps": -5}, "rate": _BIG, "hop": 1, "window": 1},
        {"type": "TimeDimension", "frequency": {"type": "timedelta64", "ps": 2**63 - 1}, "n_samples": _BIG, "padding": -1},
        {"type": "TimeDimension", "rate": 0, "hop": 0, "window": 0, "frequency": second},
        {"type": "IdentityDimension", "size": -1}, {"type": "IdentityDimension", "unknown": 1},
        *({"type": "FrequencyDimension", "scale": {"type": scale, "frequency_band": band, "n_bands": n}}
          for scale in ("LinearScale", "GeometricScale", "MelScale", "BarkScale")
          for band in ({"type": "FrequencyBand", "start_hz": 20, "stop_hz": 1e300}, None)
          for n in (10**15, -3, 0, _BIG, "x")),
        {"type": "ExplicitFrequencyDimension", "scale": [[0, 1]], "slices": [{"type": "slice", "bounds": [0, _BIG, -1]}]},
        {"type": "FrequencyBand", "start_hz": 1, "stop_hz": 2}, 5, None, [], "x", {"type": "dict", "items": [[{}, 1]]},
    ]  # fmt: skip
    for number, part in enumerate(parts):
        draft = store.draft()
        draft.id = f"dim{number}".encode()
        for feature in ("sound", "twice", "bits"):
            header = draft.value(feature)["header"]
            header["dimensions"] = [part] * len(header["shape"])
        store.write(draft, f"dim{number}")


@case("dimensions that are too many or too few")
def _(store: Store) -> None:
    for number, dimensions in enumerate(([], {}, 5, "x", [{"type": "IdentityDimension"}] * 100_000, None)):
        draft = store.draft()
        draft.id = f"some{number}".encode()
        for feature in ("sound", "twice", "bits"):
            draft.value(feature)["header"]["dimensions"] = dimensions
        store.write(draft, f"some{number}")


@case("packed bits that lie")
def _(store: Store) -> None:
    header = store.draft().value("bits")["header"]
    for number, bits in enumerate((10**12, -1, 0, 9, True, "8", None, 8.0, _BIG)):
        draft = store.draft()
        draft.id = f"bits{number}".encode()
        draft.put("bits", draft.data["bits"], {**header, "bits": bits})
        draft.value("words")["header"] = {"empty": True, "bits": bits}
        store.write(draft, f"bits{number}")


@case("series that are none")
def _(store: Store) -> None:
    record = [["start", "<i8"], ["stop", "<i8"], ["data", "<i8"]]
    ends = [np.array([start, stop, 1], "<i8").tobytes() for start, stop in ((5, 3), (-(2**63), -1), (2**62, -(2**62)))]
    made = [(data, {"dtype": record, "shape": [1]}) for data in ends]
    made += [(bytes(24), {"dtype": dtype, "shape": shape}) for dtype, shape in (
        ("<i8", [3]), ([["a", "<i8"], ["b", "<i8"], ["c", "<i8"]], [1]), (record, [1, 1]), (record, []),
        ([["start", "<f8"], ["stop", "<i8"], ["data", "<i8"]], [1]), ([["start", "<U2"], ["stop", "<i8"], ["data", "<i8"]], [1]))]  # fmt: skip
    for number, (data, header) in enumerate(made):
        draft = store.draft()
        draft.id = f"series{number}".encode()
        draft.put("series", data, header)
        store.write(draft, f"series{number}")


# records


@case("negative and overlapping offsets")
def _(store: Store) -> None:
    for number, at in enumerate((-1, -(2**62), 1, 2**62, _BIG, "0", 0.0, True, None)):
        draft = store.draft()
        payload = draft.settled()
        draft.value("words")["at"] = at
        store.raw(json.dumps(draft.body).encode(), payload, f"at{number}")


@case("sizes that lie")
def _(store: Store) -> None:
    for number, size in enumerate((-1, 2**62, 2**63, _BIG, 10**12, "7", None, 1.0, 0)):
        for _id in ("a", "b"):
            draft = store.draft(_id)
            payload = draft.settled()
            for name in ("words", "sound"):
                draft.value(name)["size"] = size
            store.raw(json.dumps(draft.body).encode(), payload, f"size{number}{_id}")


@case("a header that is nested deeply")
def _(store: Store) -> None:
    store.raw(b"[" * 4_000_000)
    store.raw(b'{"a":' * 1_000_000, _id="deep2")
    store.raw(b'{"format":1,"sources":{"a":' + b"[" * 150 + b"]" * 150 + b"}}", _id="deep3")


@case("a header of very many small parts")
def _(store: Store) -> None:
    for number, part in enumerate((b"[],", b'{"a":1},', b'"ab",', b"1000,")):
        many = part * (7_900_000 // len(part))
        value = b'{"format":1,"descriptions":{},"values":{},"sources":{"p":{"kind":"value","hash":"h","value":['
        store.raw(value + many + b"0]}}}", _id=f"many{number}")


@case("NaN and infinity in a header")
def _(store: Store) -> None:
    for number, text in enumerate(("NaN", "Infinity", "-Infinity", "1e999", "-1e999")):
        draft = store.draft()
        draft.value("words")["header"] = {"x": "@"}
        payload = draft.settled()
        store.raw(json.dumps(draft.body).replace('"@"', text).encode(), payload, f"nan{number}")


@case("lengths in the head that lie")
def _(store: Store) -> None:
    raw = store.records["a"]
    for number, (field, value) in enumerate([(1, 2**32 - 1), (3, 2**32 - 1), (1, 0), (3, 0), (1, 2**23), (3, 2**23)]):
        parts = list(_HEAD.unpack_from(raw))
        parts[field] = value
        store.put(b"records", f"ihead{number}".encode(), _HEAD.pack(*parts) + raw[_HEAD.size :])


@case("wrong types everywhere in a header")
def _(store: Store) -> None:
    number = 0
    for path in (["format"], ["sources"], ["descriptions"], ["values"], ["marks"], ["sources", "plan"],
                 ["sources", "plan", "kind"], ["sources", "plan", "value"], ["values", "words"],
                 *(["values", "words", key] for key in ("lineage", "source", "content_type", "header", "size", "checks", "at")),
                 *(["values", name, "header"] for name in ("typed", "squeezed", "series", "bits", "facts"))):  # fmt: skip
        for wrong in _WRONG:
            draft = store.draft()
            payload, at = draft.settled(), draft.body
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = wrong
            store.raw(json.dumps(draft.body).encode(), payload, f"wrong{number}")
            number += 1


@case("duplicated keys")
def _(store: Store) -> None:
    draft = store.draft()
    payload = draft.settled()
    text = json.dumps(draft.body)
    store.raw(('{"format":2,"values":{"words":5},' + text[1:]).encode(), payload, "twice")
    store.raw((text[:-1] + ',"values":{}}').encode(), payload, "twice2")


@case("surrogates and control characters")
def _(store: Store) -> None:
    for number, bad in enumerate(("\ud800", "\udfff\0", "\u202e\x1b[31m", "\0" * 50)):
        draft = store.draft()
        draft.body["values"][bad] = {**draft.value("words"), "lineage": bad}
        draft.body["sources"][bad] = {"kind": bad, "hash": bad}
        draft.data[bad] = b"x"
        draft.id = f"odd{number}{bad}".encode("utf-8", "surrogatepass")
        store.put(b"records", b"i" + draft.id, draft.pack())


@case("a record under the key of another")
def _(store: Store) -> None:
    store.put(b"records", b"ia", store.records["b"])
    store.put(b"records", b"inobody", store.records["b"])


@case("records of garbage")
def _(store: Store) -> None:
    rng = random.Random(0)
    for number, raw in enumerate((b"", b"ZLR1", b"\0" * 28, rng.randbytes(5000), store.records["a"][:-1], b"\x80\x04.")):
        store.put(b"records", f"igarbage{number}".encode(), raw)


@case("keys that are no ids")
def _(store: Store) -> None:
    for key in (b"i", b"i\xff\xfe", b"h", b"h" + bytes(32), b"x", b"\0", b"i" + b"\xed\xa0\x80"):
        store.put(b"records", key, store.records["a"])


@case("marks that are none")
def _(store: Store) -> None:
    for number, marks in enumerate(([], {"f": {}}, {"f": [{}]}, {"f": [{"kind": 1, "message": []}]}, {"f": [1] * 10**5})):
        draft = store.draft()
        draft.body["marks"] = marks
        draft.id = f"marks{number}".encode()
        store.write(draft, f"marks{number}")


@case("sources that lie")
def _(store: Store) -> None:
    sources: list[Any] = [
        {"kind": "file"}, {"kind": "file", "path": "\0", "given": "\0", "size": 1, "mtime_ns": 1},
        {"kind": "file", "path": "\ud800", "given": "x", "size": 1, "mtime_ns": 1},
        {"kind": "file", "path": "x" * 10**5, "given": "x", "size": _BIG, "mtime_ns": -_BIG},
        {"kind": "wrapped", "value": {"type": "path", "path": "x"}, "source": {"kind": "bytes", "as": "bytes", "hash": "h"}},
        {"kind": "wrapped", "value": {}, "source": {"kind": "value", "value": 1, "hash": "h"}},
        {"kind": "value"}, {"kind": "value", "value": {"type": "ndarray", "dtype": "O", "shape": [1], "base64": ""}},
        {"kind": "bytes", "as": "value"}, {"kind": "bytes"}, {"kind": "url", "url": 7}, {"kind": "nothing known"},
    ]  # fmt: skip
    for number, source in enumerate(sources):
        draft = store.draft()
        draft.body["sources"] = {"plan": {"hash": "h", **source}, "raw": {"hash": "h", **source}}
        draft.id = f"source{number}".encode()
        store.write(draft, f"source{number}")


# values


@case("a value that is nested deeply")
def _(store: Store) -> None:
    deep: Any = 1
    for _ in range(150):
        deep = {"type": "list", "items": [deep]}
    store.values({"facts": (b"[" * 900_000, {}), "plan": (b'{"a":' * 100_000, {}), "typed": (b"", {"arrays": [], "tree": deep})})


@case("JSON that is none")
def _(store: Store) -> None:
    texts = [b"NaN", b"[Infinity]", b"1e999", b"{", b"", b"\xff\xfe", b'"\xed\xa0\x80"', b"9" * 10_000, b"[1,2]", b"\0"]
    for number, text in enumerate(texts):
        draft = store.draft()
        draft.id = f"json{number}".encode()
        draft.put("facts", text)
        draft.put("plan", text, {"chunks": 10**12})
        store.write(draft, f"json{number}")


@case("text that is none")
def _(store: Store) -> None:
    store.values({"words": (b"\xff\xfe\x80abc", {}), "squeezed": (bz2.compress(b"\xff\xfe"), {"size": 2, "text": True})})


@case("a bzip2 bomb")
def _(store: Store) -> None:
    squeezer = bz2.BZ2Compressor()
    bomb = b"".join(squeezer.compress(bytes(1 << 24)) for _ in range(20)) + squeezer.flush()
    for number, size in enumerate((10, 20 << 24, -5, 10**15, "x", None, True, 2.0)):
        draft = store.draft()
        draft.id = f"bomb{number}".encode()
        draft.put("squeezed", bomb, {"size": size, "text": bool(number % 2)})
        store.write(draft, f"bomb{number}")


@case("typed values that refer to nothing")
def _(store: Store) -> None:
    array = {"dtype": "<i8", "shape": [2]}
    trees: list[Any] = [
        *({"type": "array", "index": index} for index in (-1, 1, 10**12, "0", None, True, 0.0)),
        {"type": "dict", "items": [[{"type": "list", "items": []}, {"type": "value", "value": 1}]]},
        {"type": "dict", "items": 5}, {"type": "tuple"}, {}, None, 5, "x", [], {"type": ["list"]}, {"type": None},
        {"type": "AudioSamples", "data": {"type": "array", "index": 0}, "keywords": {"samplerate": {"type": "value", "value": 5}}},
        {"type": "ArrayWithUnits", "data": {"type": "value", "value": "x"}, "keywords": {"dimensions": {"type": "value", "value": 7}}},
        {"type": "ArrayWithUnits", "data": {"type": "array", "index": 0}, "keywords": {"__class__": {"type": "value", "value": 7}}},
        {"type": "value", "value": {"type": "complex", "real": "x", "imag": 1}}, {"type": "value", "value": {"type": "bytes", "base64": 5}},
        {"type": "value", "value": {"type": "fraction", "numerator": 1, "denominator": 0}},
        {"type": "value", "value": {"type": "ndarray", "dtype": "<f8", "shape": [2**40], "base64": "AAAA"}},
    ]  # fmt: skip
    for number, tree in enumerate(trees):
        draft = store.draft()
        draft.id = f"typed{number}".encode()
        draft.put("typed", bytes(16), {"tree": tree, "arrays": [array]})
        store.write(draft, f"typed{number}")
    for number, arrays in enumerate(([array] * 2, [], [{}], "x", None, {"dtype": 1}, [{"dtype": "<i8", "shape": [-2]}])):
        store.values({"typed": (bytes(16), {"tree": trees[0], "arrays": arrays})})
        store.put(b"records", f"imore{number}".encode(), packed(f"more{number}".encode(), b"{}"))


@case("every declared type with absurd arguments")
def _(store: Store) -> None:
    from zounds_lite._declared import parameters_of
    from zounds_lite._declared.values import REGISTRY

    items = []
    for name, cls in sorted(REGISTRY.items()):
        if cls.__module__.startswith("zounds_lite") and hasattr(cls, "from_dict"):
            for wrong in (10**15, -1, _BIG, "x", None, [], 1e300, {"type": "float", "value": "nan"}):
                arguments = dict.fromkeys(list(parameters_of(cls))[:20], wrong)
                items.append({"type": "value", "value": {"type": name, **arguments}})
    for number, item in enumerate(items):
        draft = store.draft()
        draft.id = f"declared{number}".encode()
        draft.put("typed", b"", {"arrays": [], "tree": item})
        for other in set(draft.data) - {"typed", "plan"}:
            del draft.data[other], draft.body["values"][other]
        store.write(draft, f"declared{number}")


# blobs


@case("blob names that are paths")
def _(store: Store) -> None:
    names = ["../" * 10 + "etc/passwd", "/etc/passwd", "..", "a" * 31, "A" * 32, "a" * 33, "a" * 31 + "/", "\0" * 32, "é" * 32, ""]
    for number, name in enumerate(names):
        draft = store.draft("b")
        draft.value("sound")["blob"] = name
        draft.id = f"path{number}".encode()
        store.write(draft, f"path{number}")


@case("blobs that are links, pipes and folders")
def _(store: Store) -> None:
    blob = store.blob()
    raw, draft = blob.read_bytes(), store.draft("b")
    outside = store.path.parent / "outside"
    outside.write_bytes(raw)
    makers: list[Callable[[Path], Any]] = [
        lambda at: at.symlink_to(outside), lambda at: at.symlink_to("/dev/zero"), os.mkfifo, Path.mkdir, Path.touch,
        lambda at: at.symlink_to(at), lambda at: at.write_bytes(raw[:-1]), lambda at: at.write_bytes(raw + b"x"),
    ]  # fmt: skip
    for number, maker in enumerate(makers):
        name = f"{number:032x}"
        file = store.path / "blobs" / "00" / f"{name}.blob"
        file.parent.mkdir(exist_ok=True)
        maker(file)
        draft.value("sound")["blob"] = name
        draft.id = f"link{number}".encode()
        store.write(draft, f"link{number}")


@case("blob tables that lie")
def _(store: Store) -> None:
    blob, draft = store.blob(), store.draft("b")
    size = draft.value("sound")["size"]
    data = blob.read_bytes()[:size]
    for number, (claimed, count) in enumerate(((size, 0), (size, 2**32 - 1), (2**62, 5), (0, 0), (size - 1, 5), (size, 5))):
        checks = [xxhash.xxh3_64_intdigest(data[i : i + BLOCK]) for i in range(0, size, BLOCK)]
        table = blob_table(checks, size)[: 8 * len(checks)] + struct.pack("<QI4s", claimed, count, b"ZLB1")
        name = f"{number:032x}"
        file = store.path / "blobs" / "00" / f"{name}.blob"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data + table)
        draft.value("sound")["blob"] = name
        draft.id = f"table{number}".encode()
        store.write(draft, f"table{number}")


# the store


@case("a ledger of garbage")
def _(store: Store) -> None:
    rng = random.Random(1)
    body = json.dumps({"id": ["x"], "reason": {}, "attempts": _BIG, "traceback": 5, "source": "x"}).encode()
    deep = b"[" * 1_000_000
    checked = [struct.pack("<4sQ", b"ZLF1", xxhash.xxh3_64_intdigest(raw)) + raw for raw in (body, deep, b"{}", b"NaN", b"\xff")]
    for number, raw in enumerate((b"", b"ZLF1", rng.randbytes(1000), b"\x80\x04.", *checked)):
        store.put(b"failed", f"ibad{number}".encode(), raw)


@case("a format of garbage")
def _(store: Store) -> None:
    store.put(b"meta", b"format", b"[" * 1_000_000)


@case("a format that is no number")
def _(store: Store) -> None:
    store.put(b"meta", b"format", b'{"format": {"type": "this.Zen"}}')


@case("a format of the far future")
def _(store: Store) -> None:
    store.put(b"meta", b"format", b'{"format": 1' + b"0" * 5000 + b"}")


@case("a data file of random bytes")
def _(store: Store) -> None:
    (store.path / "data.mdb").write_bytes(random.Random(2).randbytes(100_000))


@case("a data file that ends early")
def _(store: Store) -> None:
    data = (store.path / "data.mdb").read_bytes()
    (store.path / "data.mdb").write_bytes(data[: len(data) // 2 // 4096 * 4096])


@case("meta pages that claim another page size and map")
def _(store: Store) -> None:
    data = bytearray((store.path / "data.mdb").read_bytes())
    for start in (0, 4096):
        struct.pack_into("<Q", data, start + 32, 2**60)
        struct.pack_into("<I", data, start + 40, 2**31)
    (store.path / "data.mdb").write_bytes(data)


def fuzz(store: Store, seed: int) -> None:
    """Change a few parts of good records to anything, many times."""
    rng = random.Random(seed)
    for number in range(60):
        draft = store.draft(rng.choice("ab"))
        payload = draft.settled()
        for _ in range(rng.randint(1, 3)):
            _scramble(draft.body, rng)
        store.raw(json.dumps(draft.body).encode(), payload, f"fuzz{number}")


def _scramble(at: Any, rng: random.Random) -> None:
    """Walk down to a random part, and change it."""
    while True:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(at[key], dict | list) and at[key] and rng.random() < 0.8:
            at = at[key]
            continue
        if rng.random() < 0.2 and isinstance(at, dict):
            del at[key]
        else:
            at[key] = rng.choice([*_WRONG, _BIG, 10**12, "O", "|O", 0, 2**62, "NoSuchType", {"type": "dict", "items": 1}])
        return
