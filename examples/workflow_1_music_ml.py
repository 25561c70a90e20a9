"""Basics of machine learning on music: tones and notes become pictures, and classifiers tell them apart.

The program makes two recordings at 41,100 Hz, one of tones and one of notes of a scale, each followed by a second of
silence. Every second becomes a small picture of its mel bands, whose name holds its label. A logistic regression learns
which pictures show a sound; a second classifier, of scikit-learn where it is installed, learns the seven notes and
silence. Both are stored as data, and predict the same when another process has read them.

``python workflow_1_music_ml.py FOLDER`` learns from your recordings instead, ``FOLDER/class/recording.wav``, two or
more of each class: every second is a picture, and whole recordings are left out to be tested on.
"""

import dataclasses
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.dsp import power_to_db
from zounds_lite.spectral import mel_bands, stft
from zounds_lite.visualization import png_bytes
from zounds_lite.visualization.layouts import pixels_of, upright

RECORDED, LOADED = zounds.AudioSampleRate(41_100), zounds.SR22050()
FRAMES, HANN = LOADED.windowing_scheme(2048, 512), zounds.HanningWindowingFunc(periodic=True)
MEL = zounds.SlaneyMelScale(zounds.FrequencyBand(0, 11025), 128)
RANGE_DB = 80

TONES_HZ = range(500, 5001, 500)
NOTES_HZ = {"C": 261.63, "D": 293.66, "E": 329.63, "F": 349.23, "G": 392.00, "A": 440.00, "B": 493.88}
CLASSES = ["silence", *NOTES_HZ]
TAKES = 6
"""How often each note is played: three times or more, so that some can be learned from and others tested on."""


class Examples(ff.BaseModel):
    """Pictures and their labels, which a classifier learns from."""

    data = ff.PickleFeature(ff.IteratorNode)
    labels = ff.PickleFeature(ff.IteratorNode)


@zounds.simple_lmdb_settings("sound_or_silence.zl", map_size=1e8, user_supplied_id=True)
class SoundOrSilence(Examples):
    """Two classes: 1 is sound."""

    classes = ff.PickleFeature(zounds.LogisticRegression, needs={"data": Examples.data, "labels": Examples.labels})
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=classes, store=True)


def classifier_of_notes():
    """Return a support vector machine, or the classifier that needs no other library."""
    if importlib.util.find_spec("sklearn") is None or importlib.util.find_spec("skops") is None:
        return zounds.LogisticRegression, {}
    from sklearn.svm import SVC

    return zounds.SklearnModel, {"model": SVC(kernel="rbf", gamma=0.001, C=1.0)}


NOTE_CLASSIFIER, OPTIONS = classifier_of_notes()


@zounds.simple_lmdb_settings("notes.zl", map_size=1e8, user_supplied_id=True)
class Notes(Examples):
    """Eight classes: silence, and the notes from C to B."""

    classes = ff.PickleFeature(NOTE_CLASSIFIER, needs={"data": Examples.data, "labels": Examples.labels}, **OPTIONS)
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=classes, store=True)


def record(path, tones):
    """Write a second of each tone, a pair of frequency and level, and a second of silence after it."""
    t = np.arange(RECORDED.rate) / RECORDED.rate
    seconds = [[level * np.sin(2 * np.pi * hz * t), np.zeros(len(t))] for hz, level in tones]
    samples = np.concatenate([part for pair in seconds for part in pair])
    # 16 bits, truncated, as a program that writes integers would do
    zounds.AudioSamples((samples * 16_000).astype(np.int16), RECORDED).save(path)
    return samples


def mel_pictures(path, reference="recording"):
    """Return a picture of each second, [seconds, bands, frames] in 0..255: 80 dB from black to white.

    White is the loudest of the whole recording. With ``reference="second"`` it is that of each second, which makes the
    faintest ringing after a tone, or nothing at all, as bright as the tone.
    """
    sound = zounds.AudioSamples.from_file(path).mono.resample(LOADED)
    count = max(1, len(sound) // LOADED.rate)
    sound = sound.pad_with_silence(zounds.Seconds(1)) if len(sound) < LOADED.rate else sound
    seconds = [sound[zounds.TimeSlice(start=zounds.Seconds(i), duration=zounds.Seconds(1))] for i in range(count)]
    power = np.stack([mel_bands(stft(second, FRAMES, HANN, pad="centre"), MEL) for second in seconds])
    if reference == "second":
        db = np.stack([power_to_db(one, ref=np.max, top_db=RANGE_DB) for one in power])
    else:
        db = power_to_db(power, ref=np.max, top_db=RANGE_DB)
    return np.stack([pixels_of(upright(1 + one / RANGE_DB)) for one in db])


def save_pictures(folder, pictures, labels):
    """Write the pictures of the seconds that have a label."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for second, label in labels.items():
        Path(folder, f"second_{second}_label_{label}.png").write_bytes(png_bytes(pictures[second]))


def learn(model, images, name):
    """Learn from seven tenths of the pictures, store what was learned, and return the report on the others."""
    train, test = zounds.stratified_split(images, test=0.3)
    model.process(data=[images.data[train]], labels=[images.labels[train]], _id=name)
    predicted = model(name).pipeline.transform(images.data[test]).data
    return zounds.classification_report(images.labels[test], predicted)


def predictions():
    """Return what the stored classifiers say of all pictures."""
    both = [(SoundOrSilence, "binary", "tones"), (Notes, "notes", "notes"), (SoundOrSilence, "binary", "notes")]
    return [
        model(name).pipeline.transform(zounds.labelled_images(f"images/{folder}").data).data.tolist()
        for model, name, folder in both
    ]


def make_recordings():
    """Return the samples of the recording of tones, and the number of the note of every other second."""
    samples = record("tones.wav", [(hz, 1.0) for hz in TONES_HZ])
    rng = np.random.default_rng(0)
    played = rng.permutation(np.repeat(np.arange(1, len(CLASSES)), TAKES))
    record("notes.wav", [(NOTES_HZ[CLASSES[note]], rng.uniform(0.3, 1.0)) for note in played])
    return samples, played


def absent_from_halves(labels):
    """Return the classes of the second ten notes that the first ten lack, which nothing can be learned of."""
    halves = ["first"] * 10 + ["second"] * 10
    *_, split = zounds.leave_one_group_out(labels[:20], halves, absent="allow")
    return [CLASSES[label] for label in split.absent_from_train]


def of_your_recordings(folder):
    """Learn the classes that the folders in a folder are, and print the report on recordings that were left out."""
    for path in sorted(Path(folder).glob("*/*")):
        pictures, label = mel_pictures(path), path.parent.name
        save_pictures(f"images/yours/{label} {path.stem}", pictures, dict.fromkeys(range(len(pictures)), label))
    images = zounds.labelled_images("images/yours", label="label_(.+)", pattern="*/*.png")
    # seconds of one recording are alike: as one document, they are all on one side
    recordings = np.array([name.partition("/")[0] for name in images.documents])
    images = dataclasses.replace(images, documents=recordings)
    report = learn(Notes, images, "yours")
    print(f"{NOTE_CLASSIFIER.__name__}: {images}\n{report}\n{report.matrix}\nfiles: images/yours/, notes.zl")


def main():
    samples, played = make_recordings()
    second_tone = samples[2 * RECORDED.rate :][:4].round(7).tolist()
    print(f"{len(samples)} samples of tones at {RECORDED.rate} Hz; that of {TONES_HZ[1]} Hz begins with {second_tone}")

    tones = mel_pictures("tones.wav")
    save_pictures("images/tones", tones, {second: 1 - second % 2 for second in range(len(tones))})
    silent = [int(mel_pictures("tones.wav", reference)[-1].max()) for reference in ("recording", "second")]
    print(f"the brightest pixel of silence: {silent[0]}, and {silent[1]} if each second had its own reference")

    pictures = mel_pictures("notes.wav")
    labels = {2 * i: int(note) for i, note in enumerate(played)} | {4 * i + 1: 0 for i in range(TAKES)}
    save_pictures("images/notes", pictures, labels)

    images = zounds.labelled_images("images/tones")
    binary = learn(SoundOrSilence, images, "binary")
    print(f"\nsound or silence: {images}\n{binary}")

    print(f"\nhad the first ten notes been learned, absent would be: {', '.join(absent_from_halves(played))}")
    images = zounds.labelled_images("images/notes")
    notes = learn(Notes, images, "notes")
    print(f"{NOTE_CLASSIFIER.__name__} of notes: {images}\n{notes}\n{notes.matrix}")
    notes.matrix.to_png("confusion_of_notes.png")

    here = predictions()
    again = subprocess.run([sys.executable, __file__, "--predict"], capture_output=True, text=True, check=True).stdout
    heard = here[2] == (images.labels > 0).astype(int).tolist()

    reached = {
        "sound or silence, accuracy 1.0": binary.accuracy == 1.0,
        "eight classes, accuracy >= 0.9": notes.accuracy >= 0.9,
        "read in another process, both predict the same": json.loads(again) == here,
        "the first classifier hears a sound in every note": heard,
    }
    print("\nacceptance")
    for what, is_reached in reached.items():
        print(f"  {'reached' if is_reached else 'MISSED'}: {what}")
    print(f"files: tones.wav, notes.wav, {len(list(Path('images').rglob('*.png')))} pictures in images/, "
          "sound_or_silence.zl, notes.zl, confusion_of_notes.png")  # fmt: skip
    return 0 if all(reached.values()) else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["--predict"]:
        print(json.dumps(predictions()))
    else:
        sys.exit(of_your_recordings(sys.argv[1]) if sys.argv[1:] else main())
