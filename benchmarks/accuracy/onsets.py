"""Onsets and tempo of sounds whose onsets are known, through the graphs and, for many tempi, their nodes."""

from collections.abc import Iterator
from typing import Any

import numpy as np

import zounds_lite as zounds
from benchmarks.accuracy.table import Row, at_least, at_most
from benchmarks.onset_sounds import PARTS, Labelled, all_made_up, recorded, ticks
from zounds_lite.spectral import stft

BAR = 0.95
TOLERANCE_S = 0.05
TEMPI = (60, 71.3, 83.7, 97.1, 109.2, 120, 131.8, 143.3, 161.9, 180)
RATES = (11025, 22050, 44100)
SCHEME = zounds.HalfLapped()
GRAPHS = {"complex domain": zounds.with_onsets, "flux": zounds.with_flux_onsets}


def f_measure(found_s: Any, wanted_s: Any, tolerance_s: float = TOLERANCE_S) -> float:
    """Harmonic mean of precision and recall; each onset matches one that is no further away, as many as can.

    Both are sorted, so taking the earliest match of each in turn matches as many as possible.
    """
    i = j = matched = 0
    while i < len(found_s) and j < len(wanted_s):
        distance = found_s[i] - wanted_s[j]
        matched += abs(distance) <= tolerance_s
        # what is too early for the other has no match; a pair that matches is used up
        i, j = i + (distance <= tolerance_s), j + (distance >= -tolerance_s)
    return 2 * matched / max(1, len(found_s) + len(wanted_s))


def rows() -> Iterator[Row]:
    """The worst F-measure of each kind of sound, and the worst tempo."""
    yield from _ticks()
    yield from _music()
    yield _clicks_and_tones()
    yield from _tempo()


def onsets(sound: Labelled, graph: str) -> np.ndarray:
    """The onsets that a graph finds, in seconds."""
    samples = zounds.AudioSamples(sound.samples, zounds.AudioSampleRate(sound.rate))
    base: Any = zounds.stft(resample_to=samples.samplerate, wscheme=SCHEME, store_ogg=False)

    with_slices: Any = GRAPHS[graph](base.fft)

    @zounds.simple_in_memory_settings
    class Sound(base, with_slices):
        pass

    slices = Sound(Sound.process(meta=samples.encode())).slices
    return np.array([ts.start_ps / 1e12 for ts in slices.slices])


def _ticks() -> Iterator[Row]:
    for graph in GRAPHS:
        worst, bias = 1.0, []
        for rate in RATES:
            for bpm in TEMPI[::3]:
                for noise in (0.0, 1e-2):
                    sound = ticks(bpm, rate, noise)
                    found = onsets(sound, graph)
                    worst = min(worst, f_measure(found, sound.onsets_s))
                    bias += [t - sound.onsets_s[np.abs(sound.onsets_s - t).argmin()] for t in found[1:]]
        yield at_least(f"onsets of ticks at 60-180 BPM, {graph}, worst F-measure at 50 ms", worst, BAR)
        yield at_most(f"onsets of ticks, {graph}, mean error", 1000 * abs(float(np.mean(bias))), 12, "ms")


def _music() -> Iterator[Row]:
    """Sounds begin after 0.2 s, so the slice from zero is no onset of theirs."""
    worst: dict[tuple[str, str], float] = {}
    sounds = list(all_made_up())
    for part, (_, kind) in PARTS.items():
        for seed, overlap in ((1, 0.75), (2, 1.0), (3, 1.15)):
            sound = recorded(part, overlap, seed)
            if sound is not None:
                sounds.append((f"{kind}s of a recording ({part})", sound))
    for name, sound in sounds:
        for graph in GRAPHS:
            figure = f_measure(onsets(sound, graph)[1:], sound.onsets_s)
            worst[name, graph] = min(worst.get((name, graph), 1.0), figure)
    for (name, graph), figure in worst.items():
        # the complex domain is shown for drums alone: tones with vibrato are beyond it, as the docs say
        if graph == "flux" or "hits" in name:
            yield at_least(f"onsets of {name}, {graph}, worst F-measure at 50 ms", figure, BAR)


def _clicks_and_tones() -> Row:
    """A steady tone against a click: what the complex domain says of each."""
    rate = zounds.SR44100()
    tone = zounds.SineSynthesizer(rate).synthesize(zounds.Seconds(2), [440.0, 1234.5])
    click = zounds.AudioSamples(np.zeros(len(tone)), rate)
    click[rate.rate] = 1.0
    loudness = []
    for samples in (tone, click):
        spectra = stft(samples, SCHEME, zounds.OggVorbisWindowingFunc())
        values = np.concatenate([np.asarray(v) for v in _complex_domain(spectra)])[1:-2]
        loudness.append(values.max() / np.abs(np.asarray(spectra)).sum(axis=1).max())
    return at_most(
        "complex domain, steady tone against a click, parts of their magnitude", loudness[0] / loudness[1], 0.01
    )


def _tempo() -> Iterator[Row]:
    detections = {
        "flux": lambda spectra: zounds.SpectralFlux(half_life=zounds.Milliseconds(500)).run([spectra]),
        "complex domain": _complex_domain,
    }
    for hop, window in ((256, 1024), (512, 2048), (1024, 2048), (2048, 4096)):
        for name, detect in detections.items():
            worst = 0.0
            for rate in RATES[1:]:
                for bpm in TEMPI:
                    sound = ticks(bpm, rate, 1e-2)
                    samples = zounds.AudioSamples(sound.samples, zounds.AudioSampleRate(sound.rate))
                    spectra = stft(samples, zounds.HalfLapped(window, hop), zounds.OggVorbisWindowingFunc())
                    (found,) = zounds.Tempo().run(detect(spectra))
                    worst = max(worst, 100 * abs(found / bpm - 1))
            yield at_most(f"tempo of ticks at 60-180 BPM, {name}, hop {1000 * hop / 44100:.0f} ms", worst, 1, "%")


def _complex_domain(spectra: Any) -> Iterator[Any]:
    frame = spectra.dimensions[0].frequency
    return zounds.ComplexDomain().run(zounds.SlidingWindow(zounds.SampleRate(frame, frame * 4)).run([spectra]))
