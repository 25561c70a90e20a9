"""Stored outputs of the spectral nodes: if one moves on purpose, raise the node's revision and run this file.

python tests/spectral/test_golden.py
"""

import json
from pathlib import Path

import numpy as np
import pytest

from zounds_lite.spectral import (
    FFT,
    AWeighting,
    BarkBands,
    FrequencyWeighting,
    HanningWindowingFunc,
    MelBands,
    OggVorbisWindowingFunc,
    SlidingWindow,
)
from zounds_lite.timeseries import SR11025, AudioSamples, HalfLapped

GOLDEN = Path(__file__).with_name("golden.json")

CHAINS = {
    "SlidingWindow": lambda: [SlidingWindow(HalfLapped(), OggVorbisWindowingFunc(), padwith=256, padend=256)],
    "FFT": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(padding_samples=10)],
    "BarkBands": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), BarkBands(n_bands=20)],
    "MelBands": lambda: [SlidingWindow(HalfLapped(), HanningWindowingFunc()), FFT(), MelBands(n_bands=20)],
    "FrequencyWeighting": lambda: [SlidingWindow(HalfLapped()), FFT(), FrequencyWeighting(AWeighting())],
}


def output(name):
    """Return the node's class, and a few numbers of what it makes of a rising tone."""
    t = np.arange(4000) / 11025
    chunks = [AudioSamples(np.sin(2 * np.pi * (300 + 2000 * t) * t), SR11025())]
    for node in CHAINS[name]():
        chunks = list(node.run(chunks))
    values = np.abs(np.concatenate([np.asarray(chunk) for chunk in chunks]))
    picked = values.ravel()[:: max(1, values.size // 40)]
    return {
        "revision": type(node).revision,
        "shape": list(values.shape),
        "sum": float(values.sum()),
        "values": [float(f"{v:.9g}") for v in picked],
        "units": [repr(dimension) for dimension in chunks[-1].dimensions],
    }


@pytest.mark.parametrize("name", CHAINS)
def test_output_stays_until_the_revision_rises(name):
    stored, now = json.loads(GOLDEN.read_text())[name], output(name)
    assert now["revision"] == stored["revision"], "run this file to store the output of the new revision"
    assert (now["shape"], now["units"]) == (stored["shape"], stored["units"])
    assert now["sum"] == pytest.approx(stored["sum"], rel=1e-9)
    assert now["values"] == pytest.approx(stored["values"], rel=1e-7, abs=1e-9)


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps({name: output(name) for name in CHAINS}, indent=1) + "\n")
