"""Crafted stores whose arrays, units and types claim what cannot be, or name code.

The checksums are right wherever they can be, so only validation can refuse.
"""

from typing import Any

import numpy as np

from benchmarks.faults._draft import BIG, CANARY, Payload, Store, case

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
    shapes = [[2**40, 4], [2**61, 2**61], [10**12], [2**62], [2**31, 0, 2**31], [BIG], [0, 2**61, 2**61]]
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
    dtypes = ["S2147483647", "U536870911", "S99999999999", f"V{2**31 - 1}", "(1000000,1000)f4", f"S{BIG}"]
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
        {"type": "TimeDimension", "frequency": {"type": "timedelta64", "ps": -5}, "rate": BIG, "hop": 1, "window": 1},
        {"type": "TimeDimension", "frequency": {"type": "timedelta64", "ps": 2**63 - 1}, "n_samples": BIG,
         "padding": -1},
        {"type": "TimeDimension", "rate": 0, "hop": 0, "window": 0, "frequency": second},
        {"type": "IdentityDimension", "size": -1}, {"type": "IdentityDimension", "unknown": 1},
        *({"type": "FrequencyDimension", "scale": {"type": scale, "frequency_band": band, "n_bands": n}}
          for scale in ("LinearScale", "GeometricScale", "MelScale", "BarkScale")
          for band in ({"type": "FrequencyBand", "start_hz": 20, "stop_hz": 1e300}, None)
          for n in (10**15, -3, 0, BIG, "x")),
        {"type": "ExplicitFrequencyDimension", "scale": [[0, 1]],
         "slices": [{"type": "slice", "bounds": [0, BIG, -1]}]},
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
    for number, bits in enumerate((10**12, -1, 0, 9, True, "8", None, 8.0, BIG)):
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
        ([["start", "<f8"], ["stop", "<i8"], ["data", "<i8"]], [1]),
        ([["start", "<U2"], ["stop", "<i8"], ["data", "<i8"]], [1]))]  # fmt: skip
    for number, (data, header) in enumerate(made):
        draft = store.draft()
        draft.id = f"series{number}".encode()
        draft.put("series", data, header)
        store.write(draft, f"series{number}")
