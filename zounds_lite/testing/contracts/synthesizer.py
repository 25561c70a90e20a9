"""The contracts of synthesizers: the way back to sound, and sounds made from nothing.

Classes: ``SynthesizerContract`` (inverses of an analysis), ``SignalContract`` (sources of sound). Function:
``ratio_db``.
"""

import abc
from typing import Any

import numpy as np

from zounds_lite._declared.values import picoseconds
from zounds_lite.testing import strategies
from zounds_lite.testing.contracts.checks import assert_same, for_all, private_copy
from zounds_lite.testing.contracts.declared import DeclaredContract
from zounds_lite.timeseries import SR8000, SR44100, AudioSamples, Seconds, audio_sample_rate

__all__ = ["SignalContract", "SynthesizerContract", "ratio_db"]


class SynthesizerContract(DeclaredContract):
    """What every inverse of an analysis must do. Inherit it in a class whose name starts with ``Test``.

    What was analysed and not changed comes back: as long as it was, to the sample, at its rate, with its channels and
    its precision, and as close as ``snr_db`` says. A synthesizer is a declared value, so ``DeclaredContract`` holds
    too.

    Define:

    - ``create()``: a new synthesizer;
    - ``analyse(samples)``: the features that it turns back into ``samples``.

    Where the defaults do not fit, set or override:

    - ``snr_db``: the least ratio of signal to error for float64, decibels; for float32 at most 120 are asked;
    - ``edge``: samples at both ends that cannot be recovered, such as those that no whole window reaches;
    - ``shortest``, ``longest``: the sounds that are tried, in samples, between these;
    - ``likeness(sound, result)``: what ``snr_db`` is compared with; override it where waveforms cannot come back, as
      from magnitudes, and measure what can;
    - ``channels``: the numbers of channels that it takes, 0 for arrays of one axis.
    """

    snr_db = 200.0
    edge = 0
    shortest = 1
    longest = 4000
    channels: tuple[int, ...] = (0, 1, 2)
    examples = 25

    @abc.abstractmethod
    def analyse(self, samples: AudioSamples) -> Any:
        """Return the features of a sound."""

    def _sound(self, size: int, channels: int = 0, dtype: Any = np.float64) -> AudioSamples:
        shape = (size, channels) if channels else (size,)
        return AudioSamples(np.random.default_rng(size).uniform(-1, 1, shape).astype(dtype), SR8000())

    def _returned(self, sound: AudioSamples, least_db: float) -> None:
        result = self.create().synthesize(self.analyse(sound))
        assert isinstance(result, AudioSamples), f"a {type(result).__name__} is no AudioSamples"
        assert result.samplerate == sound.samplerate
        assert result.shape == sound.shape, f"{result.shape} samples come back of {sound.shape}"
        assert result.dtype == sound.dtype, f"{result.dtype} comes back of {sound.dtype}"
        found = self.likeness(sound, result)
        assert found >= least_db, f"{found:.1f} dB of {len(sound)} samples; promised: {least_db} dB"

    def likeness(self, sound: AudioSamples, result: AudioSamples) -> float:
        """Return how close a sound came back, in decibels; here the ratio of signal to error between the edges."""
        inside = slice(self.edge, len(sound) - self.edge or None)
        return ratio_db(np.asarray(sound)[inside], np.asarray(result)[inside])

    def test_what_was_analysed_comes_back(self) -> None:
        def comes_back(size: int) -> None:
            self._returned(self._sound(size), self.snr_db)

        for_all(self.examples, comes_back, size=strategies.counts(max(self.shortest, 2 * self.edge + 1), self.longest))

    def test_channels_come_back(self) -> None:
        for channels in self.channels:
            self._returned(self._sound(self.longest, channels), self.snr_db)

    def test_float32_stays_float32(self) -> None:
        self._returned(self._sound(self.longest, dtype=np.float32), min(self.snr_db, 120.0))

    def test_the_length_can_be_chosen(self) -> None:
        features, synthesizer = self.analyse(self._sound(self.longest)), self.create()
        whole = np.asarray(synthesizer.synthesize(features))
        for length in (0, 1, self.longest // 2, self.longest, self.longest + 100):
            found = np.asarray(synthesizer.synthesize(features, length=length))
            assert len(found) == length, f"{len(found)} samples where {length} were asked for"
            n = min(length, self.longest - self.edge)
            assert np.array_equal(found[:n], whole[:n])

    def test_no_sound_at_all_comes_back(self) -> None:
        result = self.create().synthesize(self.analyse(self._sound(0)))
        assert len(result) == 0 and isinstance(result, AudioSamples)

    def test_features_are_never_changed(self) -> None:
        features = self.analyse(self._sound(self.longest))
        before = private_copy(features)
        self.create().synthesize(features)
        assert_same(features, before, what="the features")

    def test_it_keeps_nothing_of_the_last_sound(self) -> None:
        synthesizer, features = self.create(), self.analyse(self._sound(self.longest))
        first = synthesizer.synthesize(features)
        synthesizer.synthesize(self.analyse(self._sound(self.longest // 3, dtype=np.float32)))
        assert_same(synthesizer.synthesize(features), first, what="the sound of the same features")


class SignalContract(DeclaredContract):
    """What every source of sound must do. Inherit it in a class whose name starts with ``Test``; define ``create``.

    A sound is as long as was asked, rounded to the nearest whole sample; its numbers are finite and within -1 and 1;
    the same declaration with a seed gives the same sound, whatever the global random state. A source is a declared
    value, so ``DeclaredContract`` holds too.

    - ``create(samplerate)``: a new source at an audio sample rate, the same each time;
    - ``keywords()``: what ``synthesize`` needs beside the duration.
    """

    @abc.abstractmethod
    def create(self, samplerate: Any = None) -> Any:
        """Return a new source; without a rate at one of your choice."""

    def keywords(self) -> dict[str, Any]:
        """Return what ``synthesize`` needs beside the duration."""
        return {}

    def test_a_sound_is_as_long_as_was_asked(self) -> None:
        def is_as_long(duration: np.timedelta64, rate: int) -> None:
            source = self.create(audio_sample_rate(rate))
            sound = source.synthesize(duration, **self.keywords())
            assert isinstance(sound, AudioSamples) and sound.samplerate.rate == rate
            wanted = (2 * picoseconds(duration) * rate + 10**12) // (2 * 10**12)
            assert abs(len(sound) - wanted) <= (2 * picoseconds(duration) * rate % 10**12 == 0), (
                f"{len(sound)} samples of {duration!r} at {rate} Hz instead of {wanted}"
            )

        for_all(40, is_as_long, duration=strategies.durations(2), rate=strategies.counts(100, 50_000))

    def test_samples_are_within_full_scale(self) -> None:
        sound = np.asarray(self.create(SR44100()).synthesize(Seconds(1), **self.keywords()))
        assert sound.dtype.kind == "f" and np.isfinite(sound).all() and np.abs(sound).max() <= 1

    def test_the_global_random_state_has_no_part_in_it(self) -> None:
        sounds, before = [], _global_state()
        for seed in (1, 2):
            np.random.seed(seed)  # noqa: NPY002 - that nothing reads it is what is asked
            seeded = _global_state()
            sounds.append(self.create().synthesize(Seconds(1), **self.keywords()))
            assert str(_global_state()) == str(seeded), "it draws from the global random state"
        np.random.set_state(before)  # noqa: NPY002
        assert_same(sounds[0], sounds[1], what="the same sound, made twice")

    def test_two_sounds_share_no_memory(self) -> None:
        source = self.create()
        first = source.synthesize(Seconds(1), **self.keywords())
        before = np.array(first)
        np.asarray(source.synthesize(Seconds(1), **self.keywords()))[:] = 7
        assert np.array_equal(first, before)


def _global_state() -> Any:
    return np.random.get_state()  # noqa: NPY002


def ratio_db(wanted: np.ndarray, found: np.ndarray) -> float:
    """Return the ratio of what was wanted to the error of what was found instead, in decibels."""
    signal = np.sum(np.square(wanted, dtype=np.float64))
    error = np.sum(np.square(wanted.astype(np.float64) - found))
    if error == 0:
        return np.inf
    return float(10 * np.log10(signal / error)) if signal else -np.inf
