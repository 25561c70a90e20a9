"""Crafted stores whose values, blobs, ledger or files lie.

The checksums are right wherever they can be, so only validation can refuse.
"""

import bz2
import json
import os
import random
import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import xxhash

from benchmarks.faults._draft import BIG, Store, case, packed
from zounds_lite.featureflow.checksums import BLOCK, blob_table

# values


@case("a value that is nested deeply")
def _(store: Store) -> None:
    deep: Any = 1
    for _ in range(150):
        deep = {"type": "list", "items": [deep]}
    store.values(
        {"facts": (b"[" * 900_000, {}), "plan": (b'{"a":' * 100_000, {}), "typed": (b"", {"arrays": [], "tree": deep})}
    )


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
    store.values(
        {"words": (b"\xff\xfe\x80abc", {}), "squeezed": (bz2.compress(b"\xff\xfe"), {"size": 2, "text": True})}
    )


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

    def plain(value: Any) -> dict[str, Any]:
        return {"type": "value", "value": value}

    trees: list[Any] = [
        *({"type": "array", "index": index} for index in (-1, 1, 10**12, "0", None, True, 0.0)),
        {"type": "dict", "items": [[{"type": "list", "items": []}, {"type": "value", "value": 1}]]},
        {"type": "dict", "items": 5}, {"type": "tuple"}, {}, None, 5, "x", [], {"type": ["list"]}, {"type": None},
        {"type": "AudioSamples", "data": {"type": "array", "index": 0}, "keywords": {"samplerate": plain(5)}},
        {"type": "ArrayWithUnits", "data": plain("x"), "keywords": {"dimensions": plain(7)}},
        {"type": "ArrayWithUnits", "data": {"type": "array", "index": 0}, "keywords": {"__class__": plain(7)}},
        plain({"type": "complex", "real": "x", "imag": 1}), plain({"type": "bytes", "base64": 5}),
        plain({"type": "fraction", "numerator": 1, "denominator": 0}),
        plain({"type": "ndarray", "dtype": "<f8", "shape": [2**40], "base64": "AAAA"}),
    ]  # fmt: skip
    for number, tree in enumerate(trees):
        draft = store.draft()
        draft.id = f"typed{number}".encode()
        draft.put("typed", bytes(16), {"tree": tree, "arrays": [array]})
        store.write(draft, f"typed{number}")
    for number, arrays in enumerate(
        ([array] * 2, [], [{}], "x", None, {"dtype": 1}, [{"dtype": "<i8", "shape": [-2]}])
    ):
        store.values({"typed": (bytes(16), {"tree": trees[0], "arrays": arrays})})
        store.put(b"records", f"imore{number}".encode(), packed(f"more{number}".encode(), b"{}"))


def _absurd(store: Store, wrong: Any) -> None:
    """Give every declared type one absurd value for all of its arguments."""
    from zounds_lite._declared import parameters_of
    from zounds_lite._declared.values import REGISTRY

    for name, cls in sorted(REGISTRY.items()):
        if not (cls.__module__.startswith("zounds_lite") and hasattr(cls, "from_dict")):
            continue
        arguments = dict.fromkeys(list(parameters_of(cls))[:20], wrong)
        draft = store.draft()
        draft.id = f"declared {name}".encode()
        draft.put("typed", b"", {"arrays": [], "tree": {"type": "value", "value": {"type": name, **arguments}}})
        for other in set(draft.data) - {"typed", "plan"}:
            del draft.data[other], draft.body["values"][other]
        store.write(draft, f"declared {name}")


for _wrong in (10**15, -1, BIG, "x", None, [], 1e300, {"type": "float", "value": "nan"}):
    case(f"every declared type with the absurd argument {str(_wrong)[:40]}")(partial(_absurd, wrong=_wrong))


# blobs


@case("blob names that are paths")
def _(store: Store) -> None:
    names = [
        "../" * 10 + "etc/passwd",
        "/etc/passwd",
        "..",
        "a" * 31,
        "A" * 32,
        "a" * 33,
        "a" * 31 + "/",
        "\0" * 32,
        "é" * 32,
        "",
    ]
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
    for number, (claimed, count) in enumerate(
        ((size, 0), (size, 2**32 - 1), (2**62, 5), (0, 0), (size - 1, 5), (size, 5))
    ):
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
    body = json.dumps({"id": ["x"], "reason": {}, "attempts": BIG, "traceback": 5, "source": "x"}).encode()
    deep = b"[" * 1_000_000
    checked = [
        struct.pack("<4sQ", b"ZLF1", xxhash.xxh3_64_intdigest(raw)) + raw
        for raw in (body, deep, b"{}", b"NaN", b"\xff")
    ]
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
