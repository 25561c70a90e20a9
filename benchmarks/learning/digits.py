"""Spoken digits: learn from all speakers but one, test on that one, each in turn.

A pipeline of library nodes on stored MFCC stands beside librosa's MFCC, with the same summary of each recording and the
same classifier; a small network on stored log-mel beside both.
"""

import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import zounds_lite as zounds
from benchmarks.harness import Row, child
from benchmarks.learning._digits import BANDS, COEFFICIENTS, HOP, RATE, WINDOW, stored_digits
from zounds_lite import featureflow as ff

_EPOCHS = 24
_PARTS = 5


def summary(mfcc: np.ndarray) -> np.ndarray:
    """Sum up the coefficients of a recording: the means of its parts, and how much they vary and move."""
    parts = [part.mean(axis=0) for part in np.array_split(np.pad(mfcc, ((0, _short(mfcc)), (0, 0)), "edge"), _PARTS)]
    return np.concatenate([*parts, mfcc.std(axis=0), np.diff(mfcc, axis=0).std(axis=0)])


def _short(mfcc: np.ndarray) -> int:
    return max(0, _PARTS - len(mfcc))


@zounds.simple_in_memory_settings
class Classifier(ff.BaseModel):
    """What is learned from summaries and digits."""

    data = ff.PickleFeature(ff.IteratorNode)
    labels = ff.PickleFeature(ff.IteratorNode)
    scaled = ff.PickleFeature(zounds.MeanStdNormalization, needs=data)
    classes = ff.PickleFeature(zounds.SklearnModel, model=SVC(), needs={"data": scaled, "labels": labels})
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(scaled, classes), store=True)


def of_librosa(paths: list[str]) -> np.ndarray:
    """Return what a user of librosa would compute, from the same frames and bands, with the same summary."""
    import librosa

    found = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == RATE
        mfcc = librosa.feature.mfcc(y=samples, sr=RATE, n_mfcc=COEFFICIENTS, n_fft=WINDOW, hop_length=HOP, n_mels=BANDS)
        found.append(summary(mfcc.T))
    return np.array(found)


def with_nodes(train: zounds.Labelled, test: zounds.Labelled) -> np.ndarray:
    """Return what a pipeline of library nodes takes the test examples for."""
    _id = Classifier.process(data=[train.data], labels=[train.labels])
    return np.asarray(Classifier(_id).pipeline.transform(test.data).data)


def with_sklearn(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return what the same classifier takes the test examples for, as a user of librosa would train it."""
    return make_pipeline(StandardScaler(), SVC()).fit(train, labels).predict(test)


def networks(store: Path, speakers: list[Any], epochs: int) -> dict[Any, dict[str, Any]]:
    """Train a network for each speaker, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(
            lambda name: child("benchmarks.learning._network", str(store), str(name), str(epochs)), speakers
        )
        return dict(zip(speakers, made, strict=True))


def rows(is_quick: bool = False) -> Iterator[Row]:
    """Yield the rows of this section."""
    with tempfile.TemporaryDirectory(prefix="zounds-digits-") as folder:
        began = time.perf_counter()
        model, what = stored_digits(Path(folder), is_quick)
        data = zounds.labelled(model, "mfcc", group="speaker", summary=summary)
        yield Row(what, f"{len(data)} of {len(set(data.groups.tolist()))} speakers, {len(data.classes)} classes")
        yield Row("stored and read", f"{time.perf_counter() - began:.0f} s")
        theirs = of_librosa([model(_id).meta["uri"] for _id in data.documents])
        splits = list(zounds.leave_one_group_out(data))[: 2 if is_quick else None]
        epochs = 2 if is_quick else _EPOCHS
        trained = networks(Path(folder) / "digits.zl", [split.groups[0] for split in splits], epochs)
        accuracies, found = [], []
        for split in splits:
            true, guessed = data.labels[split.test], with_nodes(data[split.train], data[split.test])
            peer = with_sklearn(theirs[split.train], data.labels[split.train], theirs[split.test])
            network = trained[split.groups[0]]
            reports = [
                zounds.classification_report(true, guessed),
                zounds.classification_report(true, peer),
                zounds.classification_report(network["labels"], network["guessed"]),
            ]
            found.append((network["labels"], network["guessed"]))
            accuracies.append([report.accuracy for report in reports])
            figures = ", ".join(f"{100 * accuracy:.1f} %" for accuracy in accuracies[-1])
            yield Row(f"tested on {split.groups[0]}: nodes, librosa, network", figures)
        yield from _means(np.array(accuracies), is_quick)
        seconds = [network["seconds"] for network in trained.values()]
        yield Row("training a network", f"{np.mean(seconds):.0f} s, {epochs} epochs")
        yield from _confusion(found)


def _means(accuracies: np.ndarray, is_quick: bool) -> Iterator[Row]:
    nodes, librosa, network = 100 * accuracies.mean(axis=0)
    yield Row("mean accuracy of librosa's MFCC and an SVC", f"{librosa:.1f} %", value=librosa, unit="%")
    yield Row.at_least("mean accuracy of the pipeline of nodes", nodes, round(librosa, 2), "%")
    yield Row("mean accuracy of the network", f"{network:.1f} %", value=network, unit="%")
    if not is_quick:
        yield Row.at_most("error of the network, of that of the pipeline", (100 - network) / (100 - nodes), 0.5)


def _confusion(found: list[tuple[list[int], list[int]]]) -> Iterator[Row]:
    """Yield what the network mistakes most often, over all speakers."""
    true, guessed = (np.concatenate([pair[i] for pair in found]) for i in (0, 1))
    counts = zounds.confusion_matrix(true, guessed).array()
    np.fill_diagonal(counts, 0)
    said, heard = np.unravel_index(int(counts.argmax()), counts.shape)
    yield Row("what the network mistakes most", f"{said} for {heard}, {counts.max()} times")
