"""Crafted stores whose records lie: about offsets, sizes, nesting, types, ids, sources. Function ``scramble``.

The checksums are right wherever they can be, so only validation can refuse.
"""

import copy
import json
import random
from typing import Any

from benchmarks.faults._draft import BIG, HEAD, WRONG, Store, case

# records


@case("negative and overlapping offsets")
def _(store: Store) -> None:
    for number, at in enumerate((-1, -(2**62), 1, 2**62, BIG, "0", 0.0, True, None)):
        draft = store.draft()
        payload = draft.settled()
        draft.value("words")["at"] = at
        store.raw(json.dumps(draft.body).encode(), payload, f"at{number}")


@case("sizes that lie")
def _(store: Store) -> None:
    for number, size in enumerate((-1, 2**62, 2**63, BIG, 10**12, "7", None, 1.0, 0)):
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
        parts = list(HEAD.unpack_from(raw))
        parts[field] = value
        store.put(b"records", f"ihead{number}".encode(), HEAD.pack(*parts) + raw[HEAD.size :])


@case("wrong types everywhere in a header")
def _(store: Store) -> None:
    number, keys = 0, ("lineage", "source", "content_type", "header", "size", "checks", "at")
    for path in (["format"], ["sources"], ["descriptions"], ["values"], ["marks"], ["sources", "plan"],
                 ["sources", "plan", "kind"], ["sources", "plan", "value"], ["values", "words"],
                 *(["values", "words", key] for key in keys),
                 *(["values", name, "header"] for name in ("typed", "squeezed", "series", "bits"))):  # fmt: skip
        for wrong in WRONG:
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
    for number, raw in enumerate(
        (b"", b"ZLR1", b"\0" * 28, rng.randbytes(5000), store.records["a"][:-1], b"\x80\x04.")
    ):
        store.put(b"records", f"igarbage{number}".encode(), raw)


@case("keys that are no ids")
def _(store: Store) -> None:
    for key in (b"i", b"i\xff\xfe", b"h", b"h" + bytes(32), b"x", b"\0", b"i" + b"\xed\xa0\x80"):
        store.put(b"records", key, store.records["a"])


@case("marks that are none")
def _(store: Store) -> None:
    for number, marks in enumerate(
        ([], {"f": {}}, {"f": [{}]}, {"f": [{"kind": 1, "message": []}]}, {"f": [1] * 10**5})
    ):
        draft = store.draft()
        draft.body["marks"] = marks
        draft.id = f"marks{number}".encode()
        store.write(draft, f"marks{number}")


@case("sources that lie")
def _(store: Store) -> None:
    sources: list[Any] = [
        {"kind": "file"}, {"kind": "file", "path": "\0", "given": "\0", "size": 1, "mtime_ns": 1},
        {"kind": "file", "path": "\ud800", "given": "x", "size": 1, "mtime_ns": 1},
        {"kind": "file", "path": "x" * 10**5, "given": "x", "size": BIG, "mtime_ns": -BIG},
        {"kind": "wrapped", "value": {"type": "path", "path": "x"},
         "source": {"kind": "bytes", "as": "bytes", "hash": "h"}},
        {"kind": "wrapped", "value": {}, "source": {"kind": "value", "value": 1, "hash": "h"}},
        {"kind": "value"}, {"kind": "value", "value": {"type": "ndarray", "dtype": "O", "shape": [1], "base64": ""}},
        {"kind": "bytes", "as": "value"}, {"kind": "bytes"}, {"kind": "url", "url": 7}, {"kind": "nothing known"},
    ]  # fmt: skip
    for number, source in enumerate(sources):
        draft = store.draft()
        draft.body["sources"] = {"plan": {"hash": "h", **source}, "raw": {"hash": "h", **source}}
        draft.id = f"source{number}".encode()
        store.write(draft, f"source{number}")


def scramble(store: Store, seed: int) -> None:
    """Change a few parts of good records to anything, many times."""
    rng = random.Random(seed)
    for number in range(60):
        draft = store.draft(rng.choice("ab"))
        payload = draft.settled()
        for _ in range(rng.randint(1, 3)):
            _change(draft.body, rng)
        store.raw(json.dumps(draft.body).encode(), payload, f"fuzz{number}")


def _change(at: Any, rng: random.Random) -> None:
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
            others = [BIG, 10**12, "O", "|O", 0, 2**62, "NoSuchType", {"type": "dict", "items": 1}]
            at[key] = copy.deepcopy(rng.choice([*WRONG, *others]))
        return
