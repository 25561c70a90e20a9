"""Every synthesizer of the library keeps its contract, and the contracts refuse synthesizers that do not."""

import numpy as np
import pytest

from tests.testing.library import library_classes, names, refusals, suites
from zounds_lite.core import ArrayWithUnits
from zounds_lite.spectral import FFT, HanningWindowingFunc, OggVorbisWindowingFunc, SlidingWindow, stft
from zounds_lite.synthesize import (
    FFTSynthesizer,
    NoiseSynthesizer,
    ShortTimeSynthesizer,
    SilenceSynthesizer,
    SineSynthesizer,
    TickSynthesizer,
    WindowedAudioSynthesizer,
)
from zounds_lite.testing.contracts import SignalContract, SynthesizerContract
from zounds_lite.timeseries import SR8000, SR11025, AudioSamples, Milliseconds

VORBIS, HANN = OggVorbisWindowingFunc(), HanningWindowingFunc()


def windows(samples, window, size=512, hop=256):
    node = SlidingWindow(SR8000().windowing_scheme(size, hop), window, padwith=size - hop, padend=size - hop)
    chunks = list(node.run([samples[: len(samples) // 2], samples[len(samples) // 2 :]]))
    return ArrayWithUnits(np.concatenate([np.asarray(chunk) for chunk in chunks]), chunks[-1].dimensions)


class TestFFT(SynthesizerContract):
    create = FFTSynthesizer
    snr_db = 250.0

    def others(self):
        return [FFTSynthesizer(HANN), FFTSynthesizer(VORBIS, HANN)]

    def analyse(self, samples):
        (spectra,) = FFT(axis=1).run([windows(samples, VORBIS)])
        return spectra


class TestFFTOfAnOddSize(TestFFT):
    def analyse(self, samples):
        (spectra,) = FFT(axis=1).run([windows(samples, VORBIS, 511, 200)])
        return spectra


class TestFFTOfWholeSounds(TestFFT):
    channels = (0,)

    def analyse(self, samples):
        return stft(samples, SR8000().windowing_scheme(512, 256), VORBIS, pad=True)


class TestFFTWithTwoWindows(TestFFT):
    def create(self):
        return FFTSynthesizer(VORBIS, HanningWindowingFunc(True))

    def others(self):
        return [FFTSynthesizer(VORBIS)]

    def analyse(self, samples):
        (spectra,) = FFT(axis=1, padding_samples=100).run([windows(samples, HanningWindowingFunc(True))])
        return spectra


class TestWindows(SynthesizerContract):
    snr_db = 250.0

    def create(self):
        return WindowedAudioSynthesizer(VORBIS)

    def others(self):
        return [WindowedAudioSynthesizer(), WindowedAudioSynthesizer(HANN)]

    def analyse(self, samples):
        return windows(samples, VORBIS)


class TestWindowsSideBySide(SynthesizerContract):
    snr_db = 1000.0

    def create(self):
        return WindowedAudioSynthesizer()

    def analyse(self, samples):
        return windows(samples, None, 300, 300)


class _Signal(SignalContract):
    rate = SR11025()


class TestSine(_Signal):
    def create(self, samplerate=None):
        return SineSynthesizer(samplerate or self.rate)

    def others(self):
        return [SineSynthesizer(SR8000())]

    def keywords(self):
        return {"freqs_in_hz": [440.0, 660.0]}


class TestSilence(_Signal):
    def create(self, samplerate=None):
        return SilenceSynthesizer(samplerate or self.rate)


class TestNoise(_Signal):
    def create(self, samplerate=None):
        return NoiseSynthesizer(samplerate or self.rate, seed=1)

    def others(self):
        return [NoiseSynthesizer(self.rate, seed=2), NoiseSynthesizer(self.rate), NoiseSynthesizer(SR8000(), seed=1)]


class TestTicks(_Signal):
    def create(self, samplerate=None):
        return TickSynthesizer(samplerate or self.rate, seed=1)

    def keywords(self):
        return {"tick_frequency": Milliseconds(100)}


def test_every_synthesizer_is_here():
    found = [*suites(SynthesizerContract, globals()), *suites(SignalContract, globals())]
    tested = {type(suite().create()) for suite in found}
    assert names(library_classes(having="synthesize") - tested - {ShortTimeSynthesizer}) == []


# what the contracts refuse


class OneTooShort(FFTSynthesizer):
    def synthesize(self, frames, length=None):
        return super().synthesize(frames, length)[:-1]


class Delays(FFTSynthesizer):
    def synthesize(self, frames, length=None):
        whole = super().synthesize(frames, length)
        return AudioSamples(np.roll(np.asarray(whole), 1, axis=0), whole.samplerate)


class Widens(FFTSynthesizer):
    def synthesize(self, frames, length=None):
        whole = super().synthesize(frames, length)
        return AudioSamples(np.asarray(whole, np.float64), whole.samplerate)


class ForgetsToDivide(FFTSynthesizer):
    def _windows(self, size):
        return HANN(size), None


class Mutates(FFTSynthesizer):
    def synthesize(self, frames, length=None):
        result = super().synthesize(frames, length)
        np.asarray(frames)[:1] = 0
        return result


class Remembers(FFTSynthesizer):
    def synthesize(self, frames, length=None):
        whole = super().synthesize(frames, length)
        self.__dict__["last"] = self.__dict__.get("last", 0.0) + 1e-3
        return AudioSamples(np.asarray(whole) + self.__dict__["last"] - 1e-3, whole.samplerate)


class MixesChannels(FFTSynthesizer):
    def synthesize(self, frames, length=None):
        whole = super().synthesize(frames, length)
        return whole.mono if whole.ndim > 1 and whole.shape[1] > 1 else whole


class FillsWithTheWholeRate(FFTSynthesizer):
    def synthesize(self, frames, length=None):
        return super().synthesize(frames, None if length is None else max(length, 100))


BROKEN = {
    OneTooShort: {"what_was_analysed_comes_back", "the_length_can_be_chosen"},
    Delays: {"what_was_analysed_comes_back", "channels_come_back"},
    Widens: {"float32_stays_float32"},
    ForgetsToDivide: {"what_was_analysed_comes_back"},
    Mutates: {"features_are_never_changed"},
    Remembers: {"it_keeps_nothing_of_the_last_sound"},
    MixesChannels: {"channels_come_back"},
    FillsWithTheWholeRate: {"the_length_can_be_chosen"},
}


@pytest.mark.parametrize("broken", BROKEN, ids=lambda cls: cls.__name__)
def test_the_contract_refuses(broken):
    suite = type("Broken", (TestFFT,), {"create": lambda self: broken()})
    assert refusals(suite, BROKEN[broken]) == BROKEN[broken]


class RoundsUp(SilenceSynthesizer):
    def synthesize(self, duration):
        whole = super().synthesize(duration)
        return AudioSamples(np.append(np.asarray(whole), 0), whole.samplerate)


class DrawsGlobally(SilenceSynthesizer):
    def synthesize(self, duration):
        whole = super().synthesize(duration)
        return AudioSamples(np.asarray(whole) + np.random.rand(len(whole)), whole.samplerate)  # noqa: NPY002


class SharesMemory(SilenceSynthesizer):
    memory = np.zeros(1_000_000, np.float32)

    def synthesize(self, duration):
        whole = super().synthesize(duration)
        return AudioSamples(self.memory[: len(whole)], whole.samplerate)


class Overdrives(SilenceSynthesizer):
    def synthesize(self, duration):
        return super().synthesize(duration) + 2


SIGNALS = {
    RoundsUp: "a_sound_is_as_long_as_was_asked",
    DrawsGlobally: "the_global_random_state_has_no_part_in_it",
    SharesMemory: "two_sounds_share_no_memory",
    Overdrives: "samples_are_within_full_scale",
}


@pytest.mark.parametrize("broken", SIGNALS, ids=lambda cls: cls.__name__)
def test_the_contract_of_signals_refuses(broken):
    suite = type("Broken", (TestSilence,), {"create": lambda self, rate=None: broken(rate or SR11025())})
    assert refusals(suite, {SIGNALS[broken]}) == {SIGNALS[broken]}
