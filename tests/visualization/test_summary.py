"""One line on a value: type, shape and units, whatever it is."""

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.visualization import axis_summary, summary

BAND = zounds.FrequencyBand(20, 5000)


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (zounds.BarkScale(BAND, 30), "30 bark bands, 20 to 5000 Hz"),
        (zounds.LinearScale(BAND, 30), "30 linear bands, 20 to 5000 Hz"),
        (zounds.GeometricScale(20, 5000, 0.05, 30), "30 geometric bands, 19.5 to 5125 Hz"),
        (zounds.spectral.FFTScale(11025, 512), "257 FFT bands, 0 to 5512 Hz"),
    ],
)
def test_frequency_axes_say_what_bands_they_have(scale, words):
    assert axis_summary(zounds.FrequencyDimension(scale), len(scale)) == words


def test_time_axes_of_samples_and_of_frames():
    assert axis_summary(zounds.TimeDimension.from_rate(zounds.SR22050()), 11025) == "11025 samples at 22050 Hz, 0.5 s"
    frames = zounds.TimeDimension(zounds.Seconds(1), zounds.Milliseconds(1500))
    assert axis_summary(frames, 7) == "7 frames, 1 s apart, 1.5 s long"


def test_arrays_take_one_line():
    fft = zounds.stft(resample_to=zounds.SR11025(), store_ogg=False)
    document = zounds.simple_in_memory_settings(fft)
    samples = zounds.SilenceSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(1))
    value = document(document.process(meta=samples.encode())).fft
    assert summary(value) == (
        "ArrayWithUnits complex64 (43, 257): 43 frames, 0.02322 s apart, 0.04644 s long; 257 FFT bands, 0 to 5512 Hz"
    )
    assert summary(np.zeros((2, 3), np.int8)) == "ndarray int8 (2, 3)"


def test_other_values():
    assert summary("x" * 300) == "'" + "x" * 199 + "..."
    assert summary(bytes(1000)) == "1000 bytes"
    assert summary(BAND) == " ".join(repr(BAND).split())
