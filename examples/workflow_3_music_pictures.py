"""Music as pictures: recordings become images of one size, and a tiny classifier tells them apart by looking.

Every recording is drawn in all the ways there are, from its waveform to tiles of time along a Hilbert curve, each as a
picture of 224 x 224 pixels. Then stretches of four seconds become pictures too, as features of documents; a logistic
regression sees those of the first part of each recording, and says of the rest which recording it is looking at.
Without arguments the program plays two short pieces of its own; ``python workflow_3_music_pictures.py FOLDER`` takes
your recordings, two or more of half a minute or longer.
"""

import sys
from pathlib import Path

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.visualization import png_bytes, png_pixels
from zounds_lite.visualization.layouts import pixels_of

RATE, SIZE, SECONDS = zounds.SR22050(), 224, 60
STRETCH = zounds.SampleRate(zounds.Seconds(4), zounds.Seconds(4))
KINDS = ("perceptual", "wrapped", "hilbert", "colour")
"""What the classifier looks at, each on its own."""

LEARNED = 0.6
"""The part of each recording, from its start, that is learned from."""

BRIGHT = 0.25
"""Stretches whose brightest pixel is darker are silence, which looks alike in all recordings."""


def pictures(kind):
    """Declare pictures of stretches of a recording; white is fixed, so that quiet stretches stay dark."""
    picture = zounds.MusicPicture(kind, SIZE, white_db=-10.0)
    return zounds.ArrayWithUnitsFeature(zounds.MusicPictures, picture=picture, needs=Stretches.windowed, store=True)


Stretches = zounds.windowed(wscheme=STRETCH, resample_to=RATE, store_resampled=False, store_ogg=False)


@zounds.simple_lmdb_settings("recordings.zl", map_size=1e9, user_supplied_id=True)
class Recording(Stretches):
    """A recording, and four kinds of pictures of each of its stretches."""

    perceptual = pictures("perceptual")
    wrapped = pictures("wrapped")
    hilbert = pictures("hilbert")
    colour = pictures("colour")


@zounds.simple_lmdb_settings("classifiers.zl", map_size=1e9, user_supplied_id=True)
class Classifier(ff.BaseModel):
    """What is learned from pictures of one kind, and the recordings that they are of."""

    data = ff.PickleFeature(ff.IteratorNode)
    labels = ff.PickleFeature(ff.IteratorNode)
    classes = ff.PickleFeature(zounds.LogisticRegression, C=0.01, needs={"data": data, "labels": labels})
    pipeline = ff.PickleFeature(zounds.PreprocessingPipeline, needs=classes, store=True)


def note(hz, seconds, decay_s, partials):
    """A plucked note."""
    t = np.arange(int(seconds * RATE.rate)) / RATE.rate
    waves = [np.sin(2 * np.pi * hz * n * t) / n**1.5 for n in range(1, partials + 1)]
    return np.sum(waves, axis=0) * np.exp(-t / decay_s) * np.minimum(1, t / 0.01)


def placed(parts, seconds):
    """Add sounds up, each at its time."""
    out = np.zeros(int(seconds * RATE.rate) + RATE.rate * 4)
    for at, sound in parts:
        start = int(at * RATE.rate)
        out[start : start + len(sound)] += sound
    return out[: int(seconds * RATE.rate)]


def lullaby(seconds, rng):
    """Slow notes of a pentatonic scale over a low fifth, 69 beats a minute."""
    beat = 60 / 69
    melody = [(i * beat, note(262 * 2 ** (rng.choice([0, 2, 4, 7, 9, 12]) / 12), 3, 0.9, 4))
              for i in range(int(seconds / beat))]  # fmt: skip
    drone = [(4 * i * beat, note(131 * 1.5 ** (i % 2), 3.5, 2.5, 3)) for i in range(int(seconds / beat / 4))]
    return placed(melody + drone, seconds)


def march(seconds, rng):
    """Drums of noise and a bass, 132 beats a minute."""
    beat = 60 / 132
    noise = [rng.uniform(-1, 1, 2000) * np.exp(-np.arange(2000) / decay) for decay in (120, 600)]
    beats = range(int(seconds / beat))
    hats = [((i + half) * beat, 0.4 * noise[0]) for i in beats for half in (0, 0.5)]
    snares = [(i * beat, noise[1]) for i in beats if i % 2]
    bass = [(i * beat, 2 * note([55, 55, 82.5, 73.3][i % 4], 0.4, 0.2, 8)) for i in beats]
    return placed(hats + snares + bass, seconds)


def play(folder, seconds):
    """Write the two pieces."""
    folder.mkdir(exist_ok=True)
    for number, piece in enumerate((lullaby, march)):
        samples = piece(seconds, np.random.default_rng(number))
        samples = 0.5 * samples / np.abs(samples).max()
        zounds.AudioSamples(samples.astype(np.float32), RATE).save(str(folder / f"{piece.__name__}.wav"))
    return folder


def draw(name, samples, folder):
    """Draw a recording in every way; write and return the pictures."""
    drawn = {}
    for kind in zounds.MusicPicture.kinds:
        drawn[kind] = zounds.MusicPicture(kind, SIZE)(samples)
        (folder / f"{name}_{kind}.png").write_bytes(png_bytes(pixels_of(drawn[kind])))
    return drawn


def is_fine(picture, path):
    """Tell whether a picture has its size and range, and its file holds the same pixels."""
    colours = picture.shape[2:] in ((), (3,))
    in_range = bool(np.isfinite(picture).all()) and picture.min() >= 0 and picture.max() <= 1
    return picture.shape[:2] == (SIZE, SIZE) and colours and in_range and same_pixels(picture, path)


def same_pixels(picture, path):
    return bool(np.array_equal(png_pixels(path.read_bytes()), pixels_of(picture)))


def sheet(drawn):
    """Put all pictures of a recording into one, four in a row."""
    coloured = [np.broadcast_to(p.reshape(SIZE, SIZE, -1), (SIZE, SIZE, 3)) for p in drawn.values()]
    framed = [np.pad(picture, ((4, 4), (4, 4), (0, 0)), constant_values=0.35) for picture in coloured]
    return np.concatenate([np.concatenate(framed[i : i + 4], axis=1) for i in range(0, len(framed), 4)])


def split_by_time(examples):
    """Return the numbers of the examples of the first part of each recording, and of those after it."""
    train, test = [], []
    for name in np.unique(examples.documents):
        of_one = np.flatnonzero(examples.documents == name)
        count = max(1, round(LEARNED * len(of_one)))
        train.extend(of_one[:count])
        test.extend(of_one[count:])
    return np.array(train), np.array(test)


def learn(kind, names):
    """Learn to tell recordings apart by one kind of pictures, and return the report on stretches that come later."""
    examples = zounds.labelled(Recording.where(piece=names), kind, label="piece", summary=None)
    examples = examples[examples.data.reshape(len(examples), -1).max(axis=1) > BRIGHT]
    train, test = split_by_time(examples)
    Classifier.process(data=[examples.data[train]], labels=[examples.labels[train]], _id=kind)
    guessed = Classifier(kind).pipeline.transform(examples.data[test]).data
    return zounds.classification_report(examples.labels[test], guessed)


def main(arguments=()):
    source = Path(arguments[0]) if arguments else play(Path("recordings"), SECONDS)
    folder = Path("pictures")
    folder.mkdir(exist_ok=True)
    fine, count, names = 0, 0, []
    for item in zounds.datasets.Directory(source):
        path = Path(item.uri)
        name = path.name.partition(".")[0][:40]
        names.append(name)
        samples = zounds.AudioSamples.from_file(path)
        drawn = draw(name, samples, folder)
        count += len(drawn)
        fine += sum(is_fine(picture, folder / f"{name}_{kind}.png") for kind, picture in drawn.items())
        print(f"{name}: {samples.duration_in_seconds:.0f} s, {len(drawn)} pictures")
        Path(f"all_of_{name}.png").write_bytes(png_bytes(pixels_of(sheet(drawn))))
        Recording.process(meta=zounds.AudioMetaData(uri=str(path), piece=name), _id=name)

    reports = {kind: learn(kind, names) for kind in KINDS}
    report = reports["hilbert"]
    print(f"\nwhich recording is this? by pictures along a Hilbert curve:\n{report}\n{report.matrix}")

    print("\nacceptance")
    reached = {f"{fine} of {count} pictures are {SIZE} x {SIZE} in 0..1, in memory and as PNG": fine == count > 0}
    # of recordings that nobody chose, no more can be asked than more than always naming the longest one
    wanted = report.support.max() / report.support.sum() if arguments else 0.9
    for kind, one in reports.items():
        reached[f"accuracy by {kind} pictures {one.accuracy:.3f}, >= {wanted:.3f}"] = one.accuracy >= wanted
    for what, is_reached in reached.items():
        print(f"  {'reached' if is_reached else 'MISSED'}: {what}")
    print(f"files: {count} pictures in {folder}/, those of a recording in all_of_*.png, recordings.zl, classifiers.zl")
    return 0 if all(reached.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
