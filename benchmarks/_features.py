"""Documents of the benchmarks that worker processes import."""

import json
from pathlib import Path
from typing import Any

import numpy as np

import zounds_lite as zounds
from zounds_lite import featureflow as ff
from zounds_lite.dsp import power_to_db

_STFT = zounds.stft(
    resample_to=zounds.SR11025(), wscheme=zounds.SR11025().windowing_scheme(2048, 1024), store_ogg=False
)


@ff.pointwise
def _decibels(bands):
    return 10 * np.log10(np.maximum(bands, 1e-10))


class Features(_STFT):
    """Magnitudes and log mel bands."""

    magnitude = zounds.ArrayWithUnitsFeature(np.abs, needs=_STFT.fft, store=True)
    mel = zounds.ArrayWithUnitsFeature(zounds.MelBands, n_bands=128, needs=_STFT.fft, store=False)
    log_mel = zounds.ArrayWithUnitsFeature(_decibels, needs=mel, store=True)


class ClippedDecibels(ff.Aggregator, ff.Node):
    """Decibels of power, at most so many below the loudest number of the whole recording."""

    def __init__(self, top_db: float = 80.0, needs: Any = None) -> None:
        super().__init__(needs=needs)
        self.top_db = top_db

    def _process(self, data):
        yield zounds.ArrayWithUnits(power_to_db(data, top_db=self.top_db), data.dimensions)


def log_mel_document(rate: int, window: int, hop: int, magnitudes: bool = False, top_db: float | None = None) -> Any:
    """Return a document of decibels of 128 mel bands, windowed, padded and scaled as librosa does it.

    Args:
        rate (int): what recordings are resampled to, in Hz.
        window (int): samples of a frame.
        hop (int): samples from frame to frame.
        magnitudes (bool): keep the magnitudes of the transform, too.
        top_db (float | None): range below the loudest band of the whole recording. None: no limit.
    """
    samplerate = zounds.audio_sample_rate(rate)
    base: Any = zounds.resampled(resample_to=samplerate, store_ogg=False)

    class LogMel(base):
        """Decibels of mel bands."""

        frames = zounds.ArrayWithUnitsFeature(
            zounds.SlidingWindow,
            needs=base.resampled,
            wscheme=samplerate.windowing_scheme(window, hop),
            wfunc=zounds.HanningWindowingFunc(periodic=True),
            padwith=window // 2,
            padend=window // 2,
            store=False,
        )
        fft = zounds.ArrayWithUnitsFeature(zounds.FFT, needs=frames, store=False)
        magnitude = zounds.ArrayWithUnitsFeature(np.abs, needs=fft, store=magnitudes)
        mel = zounds.ArrayWithUnitsFeature(
            zounds.MelBands, n_bands=128, needs=magnitude if magnitudes else fft, store=False
        )
        if top_db is None:
            log_mel = zounds.ArrayWithUnitsFeature(_decibels, needs=mel, store=True)
        else:
            log_mel = zounds.ArrayWithUnitsFeature(ClippedDecibels, needs=mel, top_db=top_db, store=True)

    return LogMel


class Words(ff.Node):
    """The words of a text file."""

    def _process(self, data):
        yield json.dumps(Path(data).read_text().split())


class Note(ff.BaseModel):
    """A document of small features: some hundred bytes each."""

    meta = ff.TextFeature(Words, store=True)
    count = ff.JSONFeature(lambda text: text.count(","), needs=meta, store=True)
    longest = ff.JSONFeature(lambda text: max(map(len, text.split(","))), needs=meta, store=True)
