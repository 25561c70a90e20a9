"""The table of parity with librosa, on short signals; and that it bites."""

import json
import sys

import numpy as np
import pytest

pytest.importorskip("librosa")

from benchmarks import parity
from benchmarks.parity import Block, Error


@pytest.fixture
def short(monkeypatch):
    """One tempo and a second of two of the signals."""
    signals = {name: x[: parity.SR] for name, x in parity.made_up().items() if name in ("tones", "noise")}
    monkeypatch.setattr(parity, "made_up", lambda: signals)
    monkeypatch.setattr(parity, "TEMPI", (128,))
    monkeypatch.setattr(parity, "MUSIC", parity.Path("nowhere"))


def run(monkeypatch, folder):
    monkeypatch.setattr(sys, "argv", ["parity", "--quick", "--out", str(folder / "parity.json")])
    status = parity.main()
    return status, {row["what"]: row for row in json.loads((folder / "parity.json").read_text())["rows"]}


@pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)' is deprecated:DeprecationWarning")  # of librosa.load
def test_every_building_block_agrees_with_librosa(short, monkeypatch, tmp_path):
    status, rows = run(monkeypatch, tmp_path)
    assert status == 0
    assert all(row["reached"] for row in rows.values() if row["target"])
    for block in (
        "load",
        "STFT",
        "mel frequencies",
        "mel filter bank",
        "mel spectrogram",
        "power_to_db",
        "amplitude_to_db",
        "A-weighting",
        "perceptual weighting",
        "CQT magnitudes",
        "tempo",
        "spectral centroid",
        "spectral bandwidth",
        "spectral rolloff",
        "spectral flatness",
    ):
        assert any(what.startswith(block) and row["target"] for what, row in rows.items()), block


def test_a_curve_that_is_off_by_a_hundredth_of_a_decibel_is_missed(monkeypatch):
    right = parity.dsp.a_weighting_db
    monkeypatch.setattr(parity.dsp, "a_weighting_db", lambda hz: right(hz) + 0.01)
    missed = [block.what for block in parity._scales() if not block.row().reached]
    assert missed == ["A-weighting"]


def test_a_row_shows_the_worst_signal():
    row = Block("x", [Error(1e-6, "a"), Error(1e-3, "b")], 1e-4).row()
    assert not row.reached and "(b)" in row.figure
    row = Block("x", [Error(np.nan, "shapes"), Error(1.0, "b")], 1e-4).row()
    assert not row.reached and "(shapes)" in row.figure
    assert Block("x", [Error(1.0, "b")]).row().reached is None


def test_differences():
    assert parity.of_each([1.0, 2e-3], [1.0, 1e-3]) == pytest.approx(1.0)
    assert parity.of_largest([1.0, 2e-3], [1.0, 1e-3]) == pytest.approx(1e-3)
    assert parity.apart([1.0, 2.5], [1.0, 2.0]) == 0.5
    for measure in (parity.of_each, parity.of_largest, parity.apart):
        assert np.isnan(measure(np.ones(3), np.ones((3, 1))))
