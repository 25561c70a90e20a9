"""The documented pipeline, MeanStdNormalization -> KMeans over bark: right, loaded quickly, and applied without copies.

Its peers are numpy and scikit-learn on the concatenated corpus, in the same run.
"""

import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.harness import Row, child, interleave
from benchmarks.learning._documented import models
from benchmarks.recordings import write_recording
from zounds_lite import corpus_of
from zounds_lite.learn import Corpus, Log, MeanStdNormalization, Multiply, Pipeline

MUSIC = Path(__file__).parents[3] / "shared" / "data" / "music"
_ROUNDS, _LOADS = 31, 5


def rows(is_quick: bool = False) -> Iterator[Row]:
    """Yield the rows of this section."""
    with tempfile.TemporaryDirectory(prefix="zounds-pipeline-") as folder:
        sounds, pipelines = models(Path(folder))
        for path in _recordings(Path(folder), is_quick):
            sounds.process(meta=str(path))
        began = time.perf_counter()
        _id = pipelines.process(docs=corpus_of(sounds, "bark"))
        trained_s = time.perf_counter() - began
        pipeline = pipelines(_id).pipeline
        whole = np.concatenate([np.asarray(sound.bark) for sound in sounds])
        yield Row("corpus", f"{len(list(sounds))} documents, {len(whole)} rows, {whole.nbytes / 1e6:.0f} MB")
        yield Row("training, both steps", f"{trained_s:.1f} s", value=trained_s, unit="s")
        yield from _statistics(pipeline, whole)
        yield from _inverse(pipeline, next(iter(sounds)).bark)
        loads = [child("benchmarks.learning._documented", folder, _id) for _ in range(2 if is_quick else _LOADS)]
        assert {load["version"] for load in loads} == {pipeline.version}
        yield Row.at_most("loads in a new process", statistics.median(load["loaded_ms"] for load in loads), 50, "ms")
        yield from _speed(pipeline, whole[: 2000 if is_quick else 100_000], 2 if is_quick else _ROUNDS)
    yield from _copies()


def _recordings(folder: Path, is_quick: bool) -> list[Path]:
    found = sorted(path for path in MUSIC.rglob("*") if path.suffix in (".ogg", ".wav", ".flac", ".mp3"))
    if found and not is_quick:
        return found
    made = [folder / f"{i}.wav" for i in range(2)]
    for i, path in enumerate(made):
        write_recording(path, 5, noise=0.05 * (i + 1))
    return made


def _statistics(pipeline: Pipeline, whole: np.ndarray) -> Iterator[Row]:
    exact = whole.astype(np.float64)
    for name, found, wanted in (
        ("mean", pipeline["meanstd"].mean, exact.mean(axis=0)),
        ("std", pipeline["meanstd"].std, exact.std(axis=0)),
    ):
        apart = float(np.max(np.abs(found - wanted) / np.abs(wanted)))
        yield Row.at_most(f"{name} against numpy on the whole corpus", apart, 1e-6)


def _inverse(pipeline: Pipeline, bark: Any) -> Iterator[Row]:
    """The inverse gives the centroid of each frame, as bark bands with their units."""
    result = pipeline.transform(bark)
    back = result.inverse_transform()
    step = pipeline["kmeans"]
    wanted = step.codebook[result.data.argmax(axis=1)] * pipeline["meanstd"].std + pipeline["meanstd"].mean
    apart = float(np.max(np.abs(back - wanted)) / np.max(np.abs(wanted)))
    is_whole = (type(back), back.dimensions, back.dtype) == (type(bark), bark.dimensions, bark.dtype)
    yield Row.at_most("inverse against centroids in bands", apart, 1e-6)
    yield Row("inverse: class, dimensions and dtype are back", str(is_whole), "True", is_whole)
    step = pipeline[:1].transform(bark)
    apart = float(np.max(np.abs(step.inverse_transform() - bark)) / np.max(np.abs(bark)))
    yield Row.at_most("there and back through MeanStdNormalization", apart, 1e-6)


def _ratio(of: list[float], to: list[float]) -> float:
    """Ratio of the best rounds, which other programs on the machine have disturbed least."""
    return min(of) / min(to)


def _speed(pipeline: Pipeline, data: np.ndarray, rounds: int) -> Iterator[Row]:
    mean, std = (getattr(pipeline["meanstd"], name).astype(data.dtype) for name in ("mean", "std"))
    codebook = np.asarray(pipeline["kmeans"].codebook)
    sizes = (codebook**2).sum(axis=1)

    def by_numpy() -> np.ndarray:
        normal = (data - mean) / std
        distances = (normal**2).sum(axis=1)[:, np.newaxis] - 2 * (normal @ codebook.T) + sizes
        nearest = distances.argmin(axis=1)
        coded = np.zeros((len(data), len(codebook)), np.uint8)
        coded[np.arange(len(data)), nearest] = 1
        return coded

    times = interleave(
        {
            "normal": lambda: pipeline[:1].transform(data),
            "normal numpy": lambda: (data - mean) / std,
            "both": lambda: pipeline.transform(data),
            "both numpy": by_numpy,
            **_by_sklearn(mean, std, codebook, data),
        },
        rounds,
    )
    note = f" ({len(data)} rows, {1e3 * min(times['both']):.1f} ms)"
    alone = _ratio(times["normal numpy"], times["normal"])
    yield Row.at_least("MeanStdNormalization, speed against numpy", alone, 0.9)
    yield Row.at_least("both steps, speed against numpy", _ratio(times["both numpy"], times["both"]), 0.9, "", note)
    if "both sklearn" in times:
        ratio = _ratio(times["both sklearn"], times["both"])
        yield Row.at_least("both steps, speed against scikit-learn", ratio, 0.9)


def _by_sklearn(mean: np.ndarray, std: np.ndarray, codebook: np.ndarray, data: np.ndarray) -> dict[str, Any]:
    try:
        from sklearn.cluster import KMeans
        from sklearn.preprocessing import OneHotEncoder, StandardScaler
    except ImportError:
        return {}
    scaler = StandardScaler().fit(data[:100])
    scaler.mean_, scaler.scale_ = mean.astype(np.float64), std.astype(np.float64)
    model = KMeans(len(codebook), init=codebook, n_init=1, max_iter=1).fit(codebook)
    model.cluster_centers_ = np.ascontiguousarray(codebook, data.dtype)
    coder = OneHotEncoder(categories=[np.arange(len(codebook))], sparse_output=False, dtype=np.uint8)
    coder.fit(np.zeros((1, 1)))
    return {"both sklearn": lambda: coder.transform(model.predict(scaler.transform(data))[:, np.newaxis])}


def _copies() -> Iterator[Row]:
    """A pipeline of several steps holds no more at once than the same formulas in numpy."""
    data = np.random.default_rng(0).standard_normal((20_000, 100))
    steps, corpus = [], Corpus([data])
    for node in (Multiply(2.0), MeanStdNormalization(), Log(), Multiply(0.5), MeanStdNormalization()):
        [step] = node.run([corpus])
        corpus = step.data
        steps.append(step.for_storage())
    pipeline = Pipeline(steps)
    first, second = steps[1], steps[4]

    def by_numpy() -> np.ndarray:
        scaled = (data * 2.0 - first.mean) / first.std
        coded = np.sign(scaled) * np.log1p(np.abs(scaled))
        return (coded * 0.5 - second.mean) / second.std

    assert np.allclose(pipeline.transform(data).data, by_numpy())
    ours, theirs = (_peak(call) / data.nbytes for call in (lambda: pipeline.transform(data), by_numpy))
    yield Row.at_most("five steps, arrays held at once", ours, theirs, "", f" (numpy: {theirs:.2f})")
    times = interleave({"ours": lambda: pipeline.transform(data), "numpy": by_numpy}, 11)
    yield Row.at_least("five steps, speed against numpy", _ratio(times["numpy"], times["ours"]), 0.9)


def _peak(call: Any) -> float:
    """Return the most bytes that a call has allocated at once."""
    call()
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak
