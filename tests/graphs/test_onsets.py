"""Graphs that find onsets: known sounds, whatever the frames, and the documents they come from."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.errors import DeclarationError

MIXINS = [zounds.with_onsets, zounds.with_flux_onsets]


def document(mixin, samples, **arguments):
    """A sound that was taken through a graph; ``arguments`` are those of ``stft``."""
    base = zounds.stft(store_ogg=False, **{"resample_to": samples.samplerate, **arguments})

    @zounds.simple_in_memory_settings
    class Sound(base, mixin(base.fft)):
        pass

    return Sound(Sound.process(meta=samples.encode()))


def starts(sound):
    slices = sound.slices.slices
    assert slices[0].start_ps == 0
    assert [ts.stop_ps for ts in slices[:-1]] == [ts.start_ps for ts in slices[1:]]
    return [ts.start_ps / 1e12 for ts in slices]


def ticks(rate, seconds, period):
    return zounds.TickSynthesizer(rate, seed=3).synthesize(seconds, period)


@pytest.mark.parametrize("mixin", MIXINS)
def test_a_tick_every_second(mixin):
    sound = document(mixin, ticks(zounds.SR44100(), zounds.Seconds(4), zounds.Seconds(1)))
    assert starts(sound) == pytest.approx([0, 1, 2, 3], abs=1024 / 44100)
    assert sound.slices.end == zounds.Seconds(4)


@pytest.mark.parametrize("mixin", MIXINS)
@pytest.mark.parametrize("pad", [False, True])
@pytest.mark.parametrize(
    "wscheme",
    [zounds.HalfLapped(), zounds.HalfLapped(1024, 512), zounds.HalfLapped(2048, 512), zounds.HalfLapped(512, 384)],
)
@pytest.mark.parametrize("rate", [zounds.SR11025(), zounds.SR16000()])
def test_any_frames(mixin, pad, wscheme, rate):
    samples = ticks(rate, zounds.Milliseconds(4400), zounds.Milliseconds(700))
    sound = document(mixin, samples, wscheme=wscheme, pad=pad)
    hop = sound.fft.dimensions[0].hop / rate.rate
    assert starts(sound) == pytest.approx(np.arange(7) * 0.7, abs=max(0.02, hop))
    assert sound.slices.end == zounds.Milliseconds(4400)


def test_the_documented_wiring():
    """As in the documents: windows of time, one frame of which is lost, and a picker that is told nothing."""
    STFT = zounds.stft(resample_to=zounds.SR44100(), store_ogg=False)
    scheme = zounds.HalfLapped()

    @zounds.simple_in_memory_settings
    class Sound(STFT):
        transience = zounds.ArrayWithUnitsFeature(zounds.MeasureOfTransience, needs=STFT.fft)
        sliding_detection = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            needs=transience,
            wscheme=scheme * zounds.Stride(frequency=1, duration=10),
            padwith=5,
        )
        slices = zounds.TimeSliceFeature(
            zounds.MovingAveragePeakPicker, needs=sliding_detection, aggregate=np.median, store=True
        )

    rng = np.random.default_rng(0)
    samples = ticks(zounds.SR44100(), zounds.Seconds(4), zounds.Seconds(1))
    samples = zounds.AudioSamples(samples + 1e-3 * rng.normal(size=len(samples)), samples.samplerate)
    sound = Sound(Sound.process(meta=samples.encode()))
    assert sound.sliding_detection.shape[1] == 11
    assert sound.slices.end == zounds.Seconds(4)
    for tick in (1, 2, 3):
        assert np.abs(np.array(starts(sound)) - tick).min() < 1024 / 44100


@pytest.mark.parametrize("mixin", MIXINS)
@pytest.mark.parametrize("size", [1, 100, 1024, 2048, 2049, 5000])
def test_sounds_that_are_short(mixin, size):
    samples = zounds.AudioSamples(np.random.default_rng(1).uniform(-1, 1, size), zounds.SR44100())
    sound = document(mixin, samples)
    assert starts(sound)[0] == 0
    assert sound.slices.end == zounds.TimeDimension(*zounds.SR44100()).time_of(size)


@pytest.mark.parametrize("mixin", MIXINS)
def test_silence_is_one_slice(mixin):
    sound = document(mixin, zounds.SilenceSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(3)))
    assert sound.slices.slices == [zounds.TimeSlice(zounds.Seconds(3))]
    if mixin is zounds.with_flux_onsets:
        assert sound.tempo == 0


def test_steady_sounds_are_one_slice():
    tone = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(3), [440.0, 1234.5])
    noise = zounds.NoiseSynthesizer(zounds.SR11025(), seed=1).synthesize(zounds.Seconds(3))
    for samples in (tone, noise):
        assert starts(document(zounds.with_flux_onsets, samples)) == [0]


def test_tones_of_a_trumpet_and_drums():
    """Notes that are blown, with vibrato, each into the next; then drums."""
    rate = 22050
    rng = np.random.default_rng(5)
    t = np.arange(int(0.4 * rate)) / rate
    x, onsets = np.zeros(12 * rate), []
    for i, at in enumerate(np.arange(0.3, 11.5, 0.4)):
        if at < 6:
            f0 = 330 * 2 ** (rng.integers(0, 12) / 12 if i % 2 else rng.integers(-12, 0) / 12)
            phase = 2 * np.pi * f0 * (t + 1e-4 * np.sin(2 * np.pi * 5.5 * t))
            note = sum(np.sin(k * phase) / k for k in range(1, 12)) * np.minimum(1, t / 0.02)
            note *= np.minimum(1, (t[-1] - t) / 0.04)
        else:
            note = 2 * rng.normal(size=len(t)) * np.exp(-t / 0.05)
        start = round(at * rate)
        x[start : start + len(note)] += note
        onsets.append(at)
    x = x / np.abs(x).max() + 1e-4 * rng.normal(size=len(x))
    sound = document(zounds.with_flux_onsets, zounds.AudioSamples(x, zounds.SR22050()))
    found = starts(sound)[1:]
    assert len(found) == len(onsets)
    assert np.abs(np.array(found) - onsets).max() < 0.05


def test_the_level_does_not_matter():
    samples = ticks(zounds.SR11025(), zounds.Seconds(4), zounds.Milliseconds(500))
    quiet = zounds.AudioSamples(np.asarray(samples) / 64, samples.samplerate)
    for mixin in MIXINS:
        assert starts(document(mixin, quiet)) == pytest.approx(starts(document(mixin, samples)), abs=1e-9)


def test_tempo_is_stored():
    sound = document(zounds.with_flux_onsets, ticks(zounds.SR11025(), zounds.Seconds(10), zounds.Milliseconds(480)))
    assert sound.tempo == pytest.approx(125, rel=0.01)


def test_frames_of_unknown_hop_are_refused_unless_it_is_given():
    class Sound(ff.BaseModel):
        fft = zounds.ArrayWithUnitsFeature(ff.IteratorNode, store=True)

    for mixin in MIXINS:
        with pytest.raises(DeclarationError, match="scheme=HalfLapped"):
            mixin(Sound.fft)

    @zounds.simple_in_memory_settings
    class WithOnsets(Sound, zounds.with_onsets(Sound.fft, scheme=zounds.HalfLapped())):
        pass

    samples = ticks(zounds.SR11025(), zounds.Seconds(4), zounds.Seconds(1))
    spectra = zounds.spectral.stft(samples, zounds.HalfLapped(), zounds.OggVorbisWindowingFunc())
    sound = WithOnsets(WithOnsets.process(fft=[spectra]))
    assert starts(sound) == pytest.approx([0, 1, 2, 3], abs=0.0233)


def test_features_are_pooled_over_the_slices():
    """The documented use: one number, or one spectrum, for all that lies between two onsets."""
    STFT = zounds.stft(resample_to=zounds.SR44100(), store_ogg=False)
    WithOnsets = zounds.with_onsets(STFT.fft)

    @zounds.simple_in_memory_settings
    class Sound(STFT, WithOnsets):
        magnitude = zounds.ArrayWithUnitsFeature(np.abs, needs=STFT.fft)
        pooled = zounds.VariableRateTimeSeriesFeature(
            zounds.Pooled, needs=(magnitude, WithOnsets.slices), op=np.max, axis=0, store=True
        )

    sound = Sound(Sound.process(meta=ticks(zounds.SR44100(), zounds.Seconds(4), zounds.Seconds(1)).encode()))
    assert sound.pooled.slicedata.shape == (4, 1025)
    assert sound.pooled.slices == sound.slices.slices


@pytest.mark.parametrize("mixin", MIXINS)
def test_slices_come_while_the_sound_does(mixin):
    base = zounds.stft(resample_to=zounds.SR11025(), store_ogg=False)

    class Sound(base, mixin(base.fft)):
        pass

    samples = ticks(zounds.SR11025(), zounds.Seconds(12), zounds.Seconds(1))
    names = ["windowed", "fft", *(["onset_prep", "complex_domain", "sliding_detection"]
             if mixin is zounds.with_onsets else ["flux", "sliding_flux"]), "slices"]  # fmt: skip
    source = ff.IteratorNode()
    nodes = {"resampled": source}
    for name in names:
        feature = getattr(Sound, name)
        (need,) = feature.named_needs().values()
        nodes[name] = feature.make_node({need.name: nodes[need.name]}, {})
    came = []

    class Noted(ff.Node):
        def _process(self, data):
            came.append((len(fed), [ts.start_ps / 1e12 for ts in data.slices]))
            yield data

    fed = []

    def feed():
        for start in range(0, len(samples), 11025):
            fed.append(start)
            yield samples[start : start + 11025]

    ff.Graph(**nodes, noted=Noted(needs=nodes["slices"])).process(resampled=feed())
    assert [start for _, part in came for start in part] == pytest.approx(np.arange(12), abs=0.024)
    for second, part in came[:-1]:
        # the next onset, its surroundings, and blocks of 64 frames, three times in a row
        assert second - part[-1] <= 8
    assert len(came) > 5
