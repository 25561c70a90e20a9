"""Every synthesizer of the library keeps its contract, and the contracts refuse synthesizers that do not.

The suites of the library's own stand in ``synthesizers``.
"""

import importlib
from pathlib import Path

import numpy as np
import pytest

from tests.testing.library import library_classes, names, refusals, suites
from tests.testing.synthesizers import test_shorttime, test_signals
from tests.testing.synthesizers.inputs import HANN
from zounds_lite.synthesize import (
    FFTSynthesizer,
    FrequencyDecompositionSynthesizer,
    ShortTimeSynthesizer,
    SilenceSynthesizer,
    TransformSynthesizer,
)
from zounds_lite.testing.contracts import SignalContract, SynthesizerContract
from zounds_lite.timeseries import SR11025, AudioSamples


def _suites():
    for path in sorted((Path(__file__).parent / "synthesizers").glob("test_*.py")):
        namespace = vars(importlib.import_module(f"tests.testing.synthesizers.{path.stem}"))
        yield from [*suites(SynthesizerContract, namespace), *suites(SignalContract, namespace)]


def test_every_synthesizer_is_here():
    tested = {type(suite().create()) for suite in _suites()}
    bases = {ShortTimeSynthesizer, TransformSynthesizer}
    # gives back the signals of a batch, and no sound
    others = {FrequencyDecompositionSynthesizer}
    assert names(library_classes(having="synthesize") - tested - bases - others) == []


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
    suite = type("Broken", (test_shorttime.TestFFT,), {"create": lambda self: broken()})
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
    suite = type("Broken", (test_signals.TestSilence,), {"create": lambda self, rate=None: broken(rate or SR11025())})
    assert refusals(suite, {SIGNALS[broken]}) == {SIGNALS[broken]}
