"""Sound for an energy-based auto-encoder: frames, constant-Q magnitudes and their local contrast, of a whole corpus.

A corpus of clips by genre, one HDF5 dataset (samples, clips) for each, becomes one file of examples: of every clip the
frames of 1024 samples, side by side and again half a frame later, the magnitudes of 96 quarter tones over four octaves,
and how each of these stands out from its neighbours in time and pitch. The job may be ended by force and goes on. Then
all of it is checked against its definitions, written out below as plain sums. Without arguments the program makes a
small corpus; ``python workflow_2_cqt_preprocessing.py CLIPS.h5`` takes yours, such as GTZAN's ten genres of 100 clips.
Where h5py is missing, clips are WAV files and the result is a folder of ``.npy`` files.
"""

import importlib.util
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import zounds_lite as zounds
from zounds_lite.visualization import array_png

RATE, CLIP_S, CLIPS, GENRES = 22_050, 5, 2, ("blues", "classical", "techno")
HAS_HDF5 = importlib.util.find_spec("h5py") is not None
OUT = Path("examples.h5" if HAS_HDF5 else "examples")
PLAN = zounds.ClipFrames()
CHECKED = 3
"""Clips that are compared with sums; the others are made by the same code."""


# a corpus


def made_up(genre, number):
    """A clip that sounds like its genre, from far away: a shuffle, slow chords, or a beat."""
    rng = np.random.default_rng([GENRES.index(genre), number])
    t = np.arange(CLIP_S * RATE) / RATE
    beat = {"blues": 0.5, "classical": 1.25, "techno": 0.46}[genre]
    sound = np.zeros(len(t))
    for start in np.arange(0, CLIP_S, beat):
        later = np.maximum(t - start, 0) * (t >= start)
        for hz in 82.4 * 2.0 ** (rng.choice([0, 3, 5, 7, 10, 12, 19], 3) / 12) * (1 if genre != "classical" else 2):
            loudness = np.exp(-later / (0.6 * beat)) * (t >= start)
            sound += loudness * sum(np.sin(2 * np.pi * hz * k * later) / k**2 for k in (1, 2, 3, 4))
        if genre == "techno":
            sound += 3 * np.exp(-later / 0.05) * (t >= start) * np.sin(2 * np.pi * 60 * later)
    return (0.2 * sound / np.abs(sound).max() + 1e-3 * rng.normal(size=len(t))).astype(np.float32)


def make_corpus():
    """Write the clips, and remove what an earlier run made of others; return where they are."""
    for path in map(Path, (OUT, "resumed", "parallel")):
        path.unlink() if path.is_file() else shutil.rmtree(path, ignore_errors=True)
    if not HAS_HDF5:
        for genre in GENRES:
            folder = Path("clips", genre)
            folder.mkdir(parents=True, exist_ok=True)
            for number in range(CLIPS):
                samples = zounds.AudioSamples(made_up(genre, number), zounds.SR22050())
                samples.save(folder / f"{genre}.{number:05d}.wav", subtype="FLOAT")
        return "clips"
    import h5py

    with h5py.File("clips.h5", "w") as file:
        file.attrs.update(sr=RATE, Nsamples=CLIP_S * RATE, Nclips=CLIPS, Ngenres=len(GENRES))
        for genre in GENRES:
            file[genre] = np.stack([made_up(genre, number) for number in range(CLIPS)], axis=1)
    return "clips.h5"


def write_examples(clips, out, workers=1):
    """Do the job."""
    return zounds.export_frames(zounds.GTZAN(clips), out, PLAN, workers=workers, progress=False)


def ended_by_force(clips, out):
    """Begin the job in another process, kill that after a clip, and do the rest."""
    ledger = Path(f"{out}.partial", "done.npy")
    code = "import sys, runpy; runpy.run_path(sys.argv[1])['write_examples'](sys.argv[2], sys.argv[3])"
    job = subprocess.Popen([sys.executable, "-c", code, __file__, clips, out])
    while job.poll() is None and not (ledger.exists() and np.load(ledger, mmap_mode="r").any()):
        time.sleep(0.001)
    job.kill()
    job.wait()
    return write_examples(clips, out)


# the definitions, as sums


def constant_q_by_sums(y):
    """Magnitudes of the constant-Q transform, band by band: windows of their own length times sines."""
    alpha = (2 ** (2 / 24) - 1) / (2 ** (2 / 24) + 1)
    count, reach = PLAN.count(len(y)), 2**14
    found = np.empty((count, 2, 96))
    for later, part in enumerate((y, y[512:])):
        padded = np.pad(part.astype(float), reach)
        for k in range(96):
            hz = PLAN.start_hz * 2 ** (k / 24)
            n = RATE / (alpha * hz)  # samples, and a part of one
            m = np.arange(1 - int(n / 2), int(np.ceil(n / 2)) + 1)
            window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(len(m)) / len(m)))[::-1]
            atom = np.sqrt(n) * window / window.sum() * np.exp(-2j * np.pi * hz / RATE * m)
            around = np.lib.stride_tricks.sliding_window_view(padded[reach + m[0] :], len(m))[::1024][:count]
            found[:, later, k] = np.abs(around @ atom)
    return found


def contrast_by_sums(x, size=9, sigma=2.0):
    """Local contrast, one number after the other."""
    half = size // 2
    line = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    weights = np.outer(line, line)
    v, s = np.empty(x.shape), np.empty(x.shape)
    for source, target in ((x, v), (v, s)):
        for i, j in np.ndindex(x.shape):
            rows, columns = slice(max(0, i - half), i + half + 1), slice(max(0, j - half), j + half + 1)
            part = source[rows, columns]
            first = max(0, half - i), max(0, half - j)
            w = weights[first[0] : first[0] + part.shape[0], first[1] : first[1] + part.shape[1]]
            mean = (w * (part if source is x else part**2)).sum() / w.sum()
            target[i, j] = x[i, j] - mean if source is x else np.sqrt(mean)
    return v / np.maximum(s.mean(), s)


# what must hold


def say(what, value, target, is_met):
    """Print a figure, and stop where it is not what it should be."""
    print(f"  {what}: {value} (target: {target})")
    assert is_met, what


def check_clips(clips, found):
    """Compare the arrays of a few clips with the clips themselves."""
    frames = spectra = contrast = 0.0
    items = [item for item in zounds.GTZAN(clips) if not isinstance(item, zounds.FailedItem)]
    for item in items[:: max(1, len(items) // CHECKED)][:CHECKED]:
        place = found.labels.index(item.label), item.track if HAS_HDF5 else int(Path(item.uri).stem[-5:])
        y = np.asarray(zounds.AudioSamples.from_file(item.uri).mono.resample(zounds.SR22050()))
        samples, magnitudes, normalised = (np.asarray(found.array(name)[place]) for name in ("Xa", "Xs", "Xn"))
        for f in range(len(samples)):
            both = y[f * 1024 : (f + 1) * 1024], y[512 + f * 1024 : 512 + (f + 1) * 1024]
            frames += sum(float(np.abs(samples[f, o] - part).max()) for o, part in enumerate(both))
        wanted = constant_q_by_sums(y)
        spectra = max(spectra, float(np.abs(magnitudes - wanted).max() / wanted.max()))
        in_time = magnitudes.reshape(-1, 96).astype(float)
        wanted = contrast_by_sums(in_time).reshape(normalised.shape)
        contrast = max(contrast, float(np.abs(normalised - wanted).max()))
    say("frames against slices of the clip, largest difference", frames, "0", frames == 0)
    say("CQT against its definition, of the maximum", f"{spectra:.1e}", "<= 1e-3", spectra <= 1e-3)
    say("LCN against its definition, largest difference", f"{contrast:.1e}", "<= 1e-5", contrast <= 1e-5)


def check_tones():
    """A sine of amplitude 1 in the middle of a band gives half the root of the band's length."""
    t, found = np.arange(6 * RATE) / RATE, {}
    for band, wanted in ((0, 54.03), (10, 46.76), (50, 26.24), (95, 13.70)):
        tone = np.sin(2 * np.pi * PLAN.start_hz * 2 ** (band / 24) * t)
        middle = PLAN.of(tone)["Xs"][60, 0]
        found[band] = abs(float(middle[band]) - wanted), float(middle[band - 1 if band else 1] / middle[band])
    off = max(difference for difference, _ in found.values())
    say("CQT of sines in bands 0, 10, 50, 95, off the numbers of theory by", f"{off:.3f}", "<= 0.01", off <= 0.01)
    beside = [ratio for _, ratio in found.values()]
    is_met = all(abs(ratio - 0.495) <= 0.01 for ratio in beside)
    say("their neighbours, of the peak", ", ".join(f"{ratio:.3f}" for ratio in beside), "0.495", is_met)


def check_invariants(magnitudes):
    """What follows from the definition of local contrast."""
    normalise = zounds.dsp.local_contrast_normalization
    still = float(np.abs(normalise(np.full((50, 96), 7.3))).max())
    say("LCN of a constant", still, "0", still == 0)
    moved = float(np.abs(normalise(30 * magnitudes + 5) - normalise(magnitudes)).max())
    say("LCN of 30 x + 5 against that of x", f"{moved:.1e}", "<= 1e-6", moved <= 1e-6)


def check_file(clips, found):
    """Shapes, labels, and rows to learn from."""
    octaves = np.log2(PLAN.stop_hz / PLAN.start_hz)
    say("octaves, log2(fmax / fmin)", f"{octaves:.12g}", "4", abs(octaves - 4) < 1e-9)
    genres, count, frames = found.array("Xa").shape[:3]
    shapes = {name: found.array(name).shape for name in found.names}
    wanted = {name: (genres, count, frames, 2, width) for name, width in (("Xa", 1024), ("Xs", 96), ("Xn", 96))}
    say("shapes", shapes, "(genre, clip, frame, 2, n)", shapes == wanted)
    rows = found.rows("Xn")
    examples = int(found.done.sum()) * frames * 2
    say("examples", rows.shape, "(Ngenres Nclips Nframes 2, 96)", rows.shape == (examples, 96))
    finite = all(np.isfinite(block).all() for name in found.names for block in found.rows(name))
    say("all numbers finite", finite, True, finite)


def same(path, other):
    """Whether two files hold the same arrays, to the last bit."""
    with zounds.open_frames(path) as a, zounds.open_frames(other) as b:
        return all(np.array_equal(np.array(a.array(name)), np.array(b.array(name))) for name in a.names)


def check_jobs(clips):
    """A job that was killed, and one with two processes, give what a plain one gives."""
    ended_by_force(clips, "resumed")
    say("a job that was killed and went on equals an unbroken one", same("resumed", OUT), True, same("resumed", OUT))
    write_examples(clips, "parallel", workers=2)
    say("two processes equal one", same("parallel", OUT), True, same("parallel", OUT))


def draw(found):
    """Pictures of a clip: two seconds of time, low pitches at the bottom."""
    for name, file in (("Xs", "magnitudes.png"), ("Xn", "contrast.png")):
        array_png(found.rows(name)[:90], file)


def main():
    given = sys.argv[1:]
    clips = given[0] if given else make_corpus()
    report = write_examples(clips, OUT)
    for failure in report.failed:
        print(f"failed: {failure.id}: {failure.reason}")
    print(f"{len(report.written) + len(report.kept)} clips of {clips}")
    with zounds.open_frames(OUT) as found:
        check_file(clips, found)
        check_clips(clips, found)
        check_tones()
        check_invariants(found.rows("Xs")[:400].astype(float))
        draw(found)
        print(f"genres: {', '.join(found.labels)}; {np.bincount(found.rows('Xn').targets).tolist()} examples of each")
    if not given:
        check_jobs(clips)
    print(f"clips: {Path(clips).name}; examples: {OUT}; pictures: magnitudes.png, contrast.png")


if __name__ == "__main__":
    main()
