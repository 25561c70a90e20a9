"""Search: the nearest of a million binary codes, and of as many vectors as fit, through the public API.

Documents hold the codes and vectors as stored features; ``HammingIndex`` and ``VectorIndex`` index them and are
searched with numpy, in one thread and in several, one query at a time and in batches. What is found is compared with a
search by unpacked bits and one in double precision: recall is the share of rows that both name. The vectors' time is
set against a plain product with the whole matrix in memory, and a partition. Opening is timed in a process of its own.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import harness

BITS, VALUES, K, BATCH = 256, 128, 10, 32


def _document(store: Path) -> Any:
    import zounds_lite as zounds
    from zounds_lite import featureflow as ff

    class Sound(ff.BaseModel):
        code = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)
        vector = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)

    return zounds.simple_lmdb_settings(str(store), user_supplied_id=True)(Sound)


def _store(model: Any, codes: np.ndarray, vectors: np.ndarray, n_documents: int = 20) -> None:
    """Store codes and vectors as features of documents."""
    import zounds_lite as zounds

    time_dimension = zounds.TimeDimension(zounds.Milliseconds(20))
    parts = zip(np.array_split(codes, n_documents), np.array_split(vectors, n_documents), strict=True)
    for number, features in enumerate(parts):
        code, vector = (zounds.ArrayWithUnits(part, [time_dimension, None]) for part in features)
        model.process(_id=f"{number:03d}", code=[code], vector=[vector])


def _by_unpacked_bits(codes: np.ndarray, query: np.ndarray) -> np.ndarray:
    """Distances, the slow and plain way."""
    step = 65536
    parts = (codes[start : start + step] ^ query for start in range(0, len(codes), step))
    return np.concatenate([np.unpackbits(part.view(np.uint8), axis=1).sum(axis=1, dtype=np.int64) for part in parts])


def _rows_of(results: Any, starts: dict[str, int]) -> list[int]:
    """Number the results as rows of the whole."""
    return [starts[_id] + round(timeslice.start_ps / 2e10) for _id, timeslice in results]


def _recall(found: list[Any], wanted: list[np.ndarray], starts: dict[str, int]) -> float:
    pairs = zip(found, wanted, strict=True)
    return float(np.mean([len({*_rows_of(results, starts)} & {*rows.tolist()}) / len(rows) for results, rows in pairs]))


def _measure(candidates: dict[str, Any], table: harness.Table, rounds: int) -> dict[str, list[float]]:
    times = harness.interleave(candidates, rounds)
    for name, found in times.items():
        middle = 1e3 * statistics.median(found)
        table.add(f"{name}: ms", f"{middle:.3g}", value=middle, unit="ms")
    return times


def _codes(table: harness.Table, model: Any, codes: np.ndarray, starts: dict[str, int], rounds: int) -> None:
    from zounds_lite.index import HammingIndex

    rng = np.random.default_rng(1)
    chosen = codes[rng.integers(len(codes), size=BATCH)]
    flips = rng.random((BATCH, BITS)) < 0.2  # what is sought is like something that is there, but not the same
    queries = chosen ^ np.packbits(flips, axis=1).view(np.uint64)
    with HammingIndex(model, model.code) as index:
        began = time.perf_counter()
        index.update(progress=False)
        seconds = time.perf_counter() - began
        table.add("codes: indexing, s", f"{seconds:.3g}", value=seconds, unit="s")
        one = queries[0]
        what = f"codes, {len(codes)} x {BITS} bits: "
        candidates = {
            f"{what}top {K}": lambda: index.search(one, K),
            f"{what}top {K}, threads": lambda: index.search(one, K, multithreaded=True),
            f"{what}{BATCH} queries in a batch": lambda: index.search_batch(queries, K),
            f"{what}all distances at once, partitioned": lambda: np.argpartition(
                np.bitwise_count(codes ^ one).sum(axis=1, dtype=np.uint16), K
            ),
        }
        times = _measure(candidates, table, rounds)
        best = 1e3 * statistics.median(times[f"{what}top {K}"])
        table.at_most(f"{what}top {K}, numpy, one thread", best, 40, "ms", f" ({rounds} rounds)")
        began = time.process_time()
        for _ in range(rounds):
            index.search(one, K)
        spent = 1e3 * (time.process_time() - began) / rounds
        table.add(f"{what}top {K}, of the processor: ms", f"{spent:.3g}", value=spent, unit="ms")
        found = index.search_batch(queries[:8], K)
    distances = [_by_unpacked_bits(codes, query) for query in queries[:8]]
    wanted = [np.argsort(d, kind="stable")[:K] for d in distances]
    assert all(np.array_equal(r.distances, d[w]) for r, d, w in zip(found, distances, wanted, strict=True))
    table.at_least(f"{what}recall", _recall(found, wanted, starts), 1.0)


def _vectors(table: harness.Table, model: Any, vectors: np.ndarray, starts: dict[str, int], rounds: int) -> None:
    from zounds_lite.index import VectorIndex

    rng = np.random.default_rng(2)
    queries = vectors[rng.integers(len(vectors), size=BATCH)] + rng.standard_normal((BATCH, VALUES), np.float32) / 2
    what = f"vectors, {len(vectors)} x {VALUES}: "
    one = queries[0]
    for metric in ("inner_product", "euclidean", "cosine"):
        with VectorIndex(model, model.vector, metric=metric) as index:
            index.update(progress=False)
            candidates = {
                f"{what}{metric}": lambda index=index: index.search(one, K),
                f"{what}{metric}, {BATCH} queries": lambda index=index: index.search_batch(queries, K),
            }
            if metric == "inner_product":
                candidates[f"{what}plain numpy"] = lambda: np.argpartition(-(vectors @ one), K)[:K]
                candidates[f"{what}plain numpy, {BATCH} queries"] = lambda: np.argpartition(
                    -(queries @ vectors.T), K, axis=1
                )[:, :K]
            times = _measure(candidates, table, rounds)
            if metric == "inner_product":
                for batch in ("", f", {BATCH} queries"):
                    ratio = harness.median_ratio(times[f"{what}{metric}{batch}"], times[f"{what}plain numpy{batch}"])
                    table.add(f"{what}inner_product against plain numpy{batch}", f"{ratio:.3g}", value=ratio)
            found = index.search_batch(queries[:4], K)
        wanted = [np.argsort(_in_double(vectors, query, metric), kind="stable")[:K] for query in queries[:4]]
        table.at_least(f"{what}{metric}, recall", _recall(found, wanted, starts), 1.0)


def _in_double(vectors: np.ndarray, query: np.ndarray, metric: str) -> np.ndarray:
    rows, q = vectors.astype(np.float64), query.astype(np.float64)
    if metric == "euclidean":
        return ((rows - q) ** 2).sum(axis=1)
    return -(rows @ q) / (np.linalg.norm(rows, axis=1) if metric == "cosine" else 1.0)


def opened(store: Path, query: str) -> dict[str, float]:
    """In this process: open an index and search it for the first time; milliseconds."""
    from zounds_lite.index import HammingIndex

    model = _document(store)
    began = time.perf_counter()
    index = HammingIndex(model, model.code)
    size = len(index)
    ready = time.perf_counter()
    index.search(bytes.fromhex(query), K)
    done = time.perf_counter()
    index.close()
    return {"size": size, "open_ms": 1e3 * (ready - began), "first_ms": 1e3 * (done - ready)}


def main() -> int:
    """Run the benchmark; 1 if it misses a target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the rows; targets are only shown")
    parser.add_argument("--codes", type=int, default=1_000_000)
    parser.add_argument("--vectors", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", help="write the figures as JSON")
    parser.add_argument("--opened", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.opened:
        print(json.dumps(opened(Path(arguments.opened[0]), arguments.opened[1])))
        return 0
    share, rounds = (100, 5) if arguments.quick else (1, arguments.rounds)
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 2**64, (arguments.codes // share, BITS // 64), dtype=np.uint64)
    vectors = rng.standard_normal((arguments.vectors // share, VALUES), np.float32)
    table = harness.Table(binds=not arguments.quick)
    with tempfile.TemporaryDirectory(prefix="zounds-search-") as folder:
        store = Path(folder) / "store"
        model = _document(store)
        _store(model, codes, vectors)
        sizes = {name: np.cumsum([0, *map(len, np.array_split(rows, 20))]) for name, rows in
                 (("codes", codes), ("vectors", vectors))}  # fmt: skip
        ids = sorted(model.database.iter_ids())
        _codes(table, model, codes, dict(zip(ids, sizes["codes"].tolist(), strict=False)), rounds)
        _vectors(table, model, vectors, dict(zip(ids, sizes["vectors"].tolist(), strict=False)), rounds)
        model.database.close()
        runs = [harness.child("benchmarks.search", "--opened", str(store), codes[5].tobytes().hex()) for _ in range(5)]
    for what, key in (("codes: opening the index", "open_ms"), ("codes: first search after that", "first_ms")):
        middle = statistics.median(run[key] for run in runs)
        table.add(f"{what}, ms", f"{middle:.3g}", value=middle, unit="ms")
    harness.report(f"search: the {K} nearest, {rounds} rounds", table.rows, harness.machine(), arguments.out)
    return 1 if table.missed else 0


if __name__ == "__main__":
    sys.exit(main())
