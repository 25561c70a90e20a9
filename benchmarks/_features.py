"""Documents of the benchmarks that worker processes import."""

import json
from pathlib import Path

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff

_STFT = zounds.stft(
    resample_to=zounds.SR11025(), wscheme=zounds.SR11025().windowing_scheme(2048, 1024), store_ogg=False
)


def _decibels(bands):
    return 10 * np.log10(np.maximum(bands, 1e-10))


class Features(_STFT):
    """Magnitudes and log mel bands."""

    magnitude = zounds.ArrayWithUnitsFeature(np.abs, needs=_STFT.fft, store=True)
    mel = zounds.ArrayWithUnitsFeature(zounds.MelBands, n_bands=128, needs=_STFT.fft, store=False)
    log_mel = zounds.ArrayWithUnitsFeature(_decibels, needs=mel, store=True)


class Words(ff.Node):
    """The words of a text file."""

    def _process(self, data):
        yield json.dumps(Path(data).read_text().split())


class Note(ff.BaseModel):
    """A document of small features: some hundred bytes each."""

    meta = ff.TextFeature(Words, store=True)
    count = ff.JSONFeature(lambda text: text.count(","), needs=meta, store=True)
    longest = ff.JSONFeature(lambda text: max(map(len, text.split(","))), needs=meta, store=True)
