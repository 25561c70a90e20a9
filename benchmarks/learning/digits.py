"""Spoken digits: learn from all speakers but one, test on that one, each in turn.

A pipeline of library nodes on stored MFCC stands beside librosa's MFCC, with the same summary of each recording (means
and standard deviations) and the same classifier; a small network on stored log-mel beside both. So does a summary that
knows a little of order, and it is that better pipeline whose error the network is to halve.
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

_EPOCHS = 14
_PARTS = 3


def mean_std(mfcc: np.ndarray) -> np.ndarray:
    """Sum up the coefficients of a recording, as most do: means and standard deviations."""
    return np.concatenate([mfcc.mean(axis=0), mfcc.std(axis=0)])


def of_parts(mfcc: np.ndarray) -> np.ndarray:
    """Sum them up with some regard to their order: the means of three parts, and standard deviations."""
    filled = np.pad(mfcc, ((0, max(0, _PARTS - len(mfcc))), (0, 0)), "edge")
    return np.concatenate([*(part.mean(axis=0) for part in np.array_split(filled, _PARTS)), mfcc.std(axis=0)])


@zounds.simple_in_memory_settings
class Classifier(ff.BaseModel):
    """What is learned from summaries and digits."""

    data = ff.PickleFeature(ff.IteratorNode)
    labels = ff.PickleFeature(ff.IteratorNode)
    scaled = ff.PickleFeature(zounds.MeanStdNormalization, needs=data)
    classes = ff.PickleFeature(zounds.SklearnModel, model=SVC(), needs={"data": scaled, "labels": labels})
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(scaled, classes), store=True)


def of_librosa(paths: list[str]) -> list[np.ndarray]:
    """Return what a user of librosa would compute, from the same frames and bands."""
    import librosa

    found = []
    for path in paths:
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == RATE
        options = {"n_mfcc": COEFFICIENTS, "n_fft": WINDOW, "hop_length": HOP, "n_mels": BANDS}
        found.append(librosa.feature.mfcc(y=samples, sr=RATE, **options).T)
    return found


def with_nodes(train: zounds.Labelled, test: zounds.Labelled) -> np.ndarray:
    """Return what a pipeline of library nodes takes the test examples for."""
    _id = Classifier.process(data=[train.data], labels=[train.labels])
    return np.asarray(Classifier(_id).pipeline.transform(test.data).data)


def with_sklearn(train: np.ndarray, labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return what the same classifier takes the test examples for, as a user of librosa would train it."""
    return make_pipeline(StandardScaler(), SVC()).fit(train, labels).predict(test)


def networks(store: Path, speakers: list[Any], epochs: int) -> dict[Any, dict[str, Any]]:
    """Train a network without each speaker, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        made = pool.map(
            lambda name: child("benchmarks.learning._network", str(store), str(epochs), str(name)), speakers
        )
        return dict(zip(speakers, made, strict=True))


def accuracies(model: Any, theirs: dict[str, np.ndarray], summary: Any, count: int | None) -> dict[Any, list[float]]:
    """Return, by the speaker that was left out, the accuracy of nodes and that of librosa with the same summary."""
    data = zounds.labelled(model, "mfcc", group="speaker", summary=summary)
    peers = np.array([summary(theirs[_id]) for _id in data.documents.tolist()])
    found = {}
    for split in list(zounds.leave_one_group_out(data))[:count]:
        true = data.labels[split.test]
        nodes = with_nodes(data[split.train], data[split.test])
        peer = with_sklearn(peers[split.train], data.labels[split.train], peers[split.test])
        found[split.groups[0]] = [zounds.classification_report(true, part).accuracy for part in (nodes, peer)]
    return found


def rows(is_quick: bool = False) -> Iterator[Row]:
    """Yield the rows of this section."""
    with tempfile.TemporaryDirectory(prefix="zounds-digits-") as folder:
        began = time.perf_counter()
        model, what = stored_digits(Path(folder), is_quick)
        speakers = model.values("speaker")
        yield Row(what, f"{sum(speakers.values())} of {len(speakers)} speakers, {len(model.values('label'))} classes")
        yield Row("stored", f"{time.perf_counter() - began:.0f} s")
        documents = list(model)
        mfcc = of_librosa([document.meta["uri"] for document in documents])
        theirs = dict(zip((document._id for document in documents), mfcc, strict=True))
        count, epochs = (2, 2) if is_quick else (None, _EPOCHS)
        usual, better = (accuracies(model, theirs, summary, count) for summary in (mean_std, of_parts))
        trained = networks(Path(folder) / "digits.zl", list(usual), epochs)
        heard = {name: (network[name]["labels"], network[name]["guessed"]) for name, network in trained.items()}
        known = {name: zounds.classification_report(*pair).accuracy for name, pair in heard.items()}
        for name, accuracy in known.items():
            figures = ", ".join(f"{100 * part:.1f}" for part in [*usual[name], *better[name], accuracy])
            yield Row(f"tested on {name}: nodes, librosa, both with three parts, network", f"{figures} %")
        yield from _means(usual, better, known, is_quick)
        yield _costs(list(trained.values()), epochs)
        yield from _confusion(list(heard.values()))


def _costs(trained: list[dict[str, Any]], epochs: int) -> Row:
    """Return how long a network trained; two trained at once, so that its processor time tells of a quiet machine."""
    seconds, busy = (np.mean([network[part] for network in trained]) for part in ("seconds", "busy"))
    return Row("training a network", f"{seconds:.0f} s, {busy:.0f} s of a processor, {epochs} epochs")


def _means(
    usual: dict[Any, list[float]], better: dict[Any, list[float]], known: dict[Any, float], is_quick: bool
) -> Iterator[Row]:
    nodes, librosa = 100 * np.mean(list(usual.values()), axis=0)
    network = 100 * float(np.mean(list(known.values())))
    yield Row("mean accuracy of librosa's MFCC and an SVC", f"{librosa:.1f} %", value=librosa, unit="%")
    yield Row.at_least("mean accuracy of the pipeline of nodes", nodes, round(librosa, 2), "%")
    yield Row("mean accuracy of the network", f"{network:.1f} %", value=network, unit="%")
    error = 100 - network
    yield Row("error of the network, of that of the pipeline", f"{error / max(100 - nodes, 1e-9):.3f}")
    nodes, librosa = 100 * np.mean(list(better.values()), axis=0)
    yield Row("mean accuracy of librosa's, with means of three parts", f"{librosa:.1f} %", value=librosa, unit="%")
    yield Row.at_least("mean accuracy of nodes, with means of three parts", nodes, round(librosa, 2), "%")
    if not is_quick:
        yield Row.at_most("error of the network, of that of the better pipeline", error / (100 - nodes), 0.5)


def _confusion(found: list[tuple[list[int], list[int]]]) -> Iterator[Row]:
    """Yield what the network mistakes most often, over all speakers."""
    true, guessed = (np.concatenate([pair[i] for pair in found]) for i in (0, 1))
    counts = zounds.confusion_matrix(true, guessed).array()
    np.fill_diagonal(counts, 0)
    said, heard = np.unravel_index(int(counts.argmax()), counts.shape)
    yield Row("what the network mistakes most", f"{said} for {heard}, {counts.max()} times")
