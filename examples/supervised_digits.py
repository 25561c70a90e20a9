"""Spoken digits: a classifier and a network that know the digits of a speaker they have never heard.

The program stores log-mel bands of short recordings with digit and speaker. Then each speaker in turn is left out: a
pipeline (normalization, then a support vector machine) and a small network learn from the others, and are tested on
that one. The end shows which digit is taken for which. Without arguments the recordings are made tones, so that the
program runs anywhere in seconds; with a folder of the free spoken digits, ``python supervised_digits.py FOLDER``, it
takes some minutes, and the figures say something about speech.
"""

import sys
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from sklearn.svm import SVC
from torch import nn

import zounds_lite as zounds
from zounds_lite import featureflow as ff

RATE, FRAMES, BANDS = zounds.SR8000(), 32, 40
STFT = zounds.stft(resample_to=RATE, wscheme=RATE.windowing_scheme(256, 80), store_ogg=False)


@ff.pointwise
def decibels(power):
    return 10 * np.log10(np.maximum(power, 1e-10))


@zounds.simple_lmdb_settings("digits.zl", user_supplied_id=True)
class Digit(STFT):
    """A recording of a digit, its speaker, and log-mel bands."""

    mel = zounds.ArrayWithUnitsFeature(zounds.MelBands, n_bands=BANDS, needs=STFT.fft)
    log_mel = zounds.ArrayWithUnitsFeature(decibels, needs=mel, store=True)


@zounds.simple_in_memory_settings
class Classifier(ff.BaseModel):
    """What is learned from some examples and their digits."""

    data = ff.PickleFeature(ff.IteratorNode)
    labels = ff.PickleFeature(ff.IteratorNode)
    scaled = ff.PickleFeature(zounds.MeanStdNormalization, needs=data)
    classes = ff.PickleFeature(zounds.SklearnModel, model=SVC(), needs={"data": scaled, "labels": labels})
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=(scaled, classes), store=True)


class Network(nn.Module):
    """Two convolutions over time, and what they have seen at the loudest."""

    def __init__(self, classes):
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(
            nn.Conv1d(BANDS, 64, 5, padding=2), nn.BatchNorm1d(64), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(64, 64, 5, padding=2), nn.BatchNorm1d(64), nn.ReLU(), nn.MaxPool1d(2),
            nn.Flatten(), nn.Dropout(0.3), nn.Linear(64 * FRAMES // 4, classes),
        )  # fmt: skip

    def forward(self, x):
        return self.layers(x.transpose(1, 2))


def record(folder, takes=3):
    """Write tones named like recordings of digits: two notes for each digit, a height for each speaker."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    tones = zounds.SineSynthesizer(RATE)
    notes = list(permutations((300, 600, 1200, 2400), 2))
    for digit in range(10):
        for speaker, voice in (("ann", 1.1), ("ben", 0.9), ("cy", 1.0)):
            for take in range(takes):
                lengths = rng.uniform(150, 250, size=2).astype(int)
                parts = [
                    tones.synthesize(zounds.Milliseconds(int(length)), [hz * voice])
                    for length, hz in zip(lengths, notes[digit], strict=True)
                ]
                samples = zounds.AudioSamples(np.concatenate([np.asarray(part) for part in parts]), RATE)
                samples.save(str(folder / f"{digit}_{speaker}_{take}.wav"))
    return folder


def prepared(log_mel):
    """Bring a recording to one length, without what its microphone adds: [frames, bands] -> [FRAMES, bands]."""
    levelled = np.maximum(log_mel, log_mel.max() - 60)
    levelled = (levelled - levelled.mean(axis=0)) / 10
    at = np.linspace(0, len(levelled) - 1, FRAMES)
    return np.stack([np.interp(at, np.arange(len(band)), band) for band in levelled.T], axis=1).astype(np.float32)


def adam(network):
    """Return what trains the network."""
    return torch.optim.AdamW(network.parameters(), 2e-3)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else record(Path("recordings"))
    report = zounds.ingest(zounds.SpokenDigits(folder), Digit, progress=False)
    print(f"{len(report.processed)} recordings, {len(report.failed)} failed")

    data = zounds.labelled(Digit, "log_mel", group="speaker", summary=prepared)
    print(data)
    said, by_pipeline, by_network = [], [], []
    for split in zounds.leave_one_group_out(data):
        train, test = data[split.train], data[split.test]
        _id = Classifier.process(data=[train.data], labels=[train.labels])
        by_pipeline += Classifier(_id).pipeline.transform(test.data).data.tolist()

        network = Network(len(data.classes))
        trainer = zounds.SupervisedTrainer(network, nn.CrossEntropyLoss(), adam, epochs=15, batch_size=32)
        network = trainer.train({"data": train.data, "labels": train.labels}).eval()
        with torch.no_grad():
            by_network += network(torch.from_numpy(test.data)).argmax(dim=1).tolist()
        said += test.labels.tolist()
        rights = [np.mean(np.equal(guesses[-len(test) :], test.labels)) for guesses in (by_pipeline, by_network)]
        print(f"{split.groups[0]} was never heard: pipeline {rights[0]:.0%}, network {rights[1]:.0%}")

    print(zounds.classification_report(said, by_network))
    matrix = zounds.confusion_matrix(said, by_network)
    print(f"a picture of which digit is taken for which: {matrix.to_png('confusion.png').name}")
    print(matrix)


if __name__ == "__main__":
    main()
