"""The synthesizer of magnitudes keeps its contract: what comes back is measured on magnitudes, since signs are lost."""

import numpy as np

from tests.testing.nodes.inputs import joined
from tests.testing.synthesizers.inputs import HANN, VORBIS, windows
from zounds_lite.spectral import FFT, MelBands
from zounds_lite.synthesize import GriffinLimSynthesizer
from zounds_lite.testing.contracts import SynthesizerContract
from zounds_lite.testing.contracts.synthesizer import ratio_db


class TestGriffinLim(SynthesizerContract):
    """The sounds are noise, without a tone to follow. Where a click lies within a window, magnitudes do not tell."""

    create = GriffinLimSynthesizer
    snr_db = 15.0
    shortest = 1000
    examples = 10

    def others(self):
        return [
            GriffinLimSynthesizer(HANN), GriffinLimSynthesizer(n_iter=8), GriffinLimSynthesizer(momentum=0.5),
            GriffinLimSynthesizer(seed=1), GriffinLimSynthesizer(start="random"), GriffinLimSynthesizer(power=1.0),
            GriffinLimSynthesizer(analysis_windowing_func=HANN),
        ]  # fmt: skip

    def analyse(self, samples):
        (spectra,) = FFT(axis=1).run([windows(samples, VORBIS, 512, 128)])
        return np.abs(spectra)

    def likeness(self, sound, result):
        return ratio_db(np.asarray(self.analyse(sound)), np.asarray(self.analyse(result)))


class TestGriffinLimOfAnOddSize(TestGriffinLim):
    def create(self):
        return GriffinLimSynthesizer(VORBIS, start="random", analysis_windowing_func=HANN)

    def analyse(self, samples):
        (spectra,) = FFT(axis=1, padding_samples=10).run([windows(samples, HANN, 511, 100)])
        return np.abs(spectra)


class TestGriffinLimOfMelBands(TestGriffinLim):
    channels = (0,)

    def create(self):
        return GriffinLimSynthesizer(power=1.0)

    def others(self):
        return [GriffinLimSynthesizer()]

    def analyse(self, samples):
        (spectra,) = FFT().run([windows(samples, VORBIS, 512, 128)])
        return joined(MelBands(n_bands=40, power=1.0).run([spectra]))
