"""The first workflow, small: from made-up recordings to stored classifiers, without extras; the docs run all of it."""

import importlib.util
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import zounds_lite as zounds

ROOT = Path(__file__).parents[2]
HIDES = "import sys\nfor name in ('sklearn', 'skops', 'torch', 'matplotlib'):\n    sys.modules[name] = None\n"


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load the program in an empty folder; extras are hidden from it, and from the processes that it starts."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(ROOT)]))

    def program():
        Path("sitecustomize.py").write_text(HIDES)
        for name in ("sklearn", "skops"):
            monkeypatch.setitem(sys.modules, name, None)
        spec = importlib.util.spec_from_file_location("workflow_1", ROOT / "examples" / "workflow_1_music_ml.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, "workflow_1", module)
        spec.loader.exec_module(module)
        monkeypatch.setattr(module, "TAKES", 3)
        monkeypatch.setattr(module, "TONES_HZ", range(500, 3501, 500))
        return module

    return program


def test_the_whole_of_it_reaches_its_figures(load, capsys):
    assert load().main() == 0
    printed = capsys.readouterr().out
    assert "MISSED" not in printed and printed.count("  reached: ") == 4
    assert "LogisticRegression of notes" in printed and "absent would be: " in printed
    assert "that of 1000 Hz begins with [0.0, 0.1522808, 0.3010095, 0.4427171]" in printed
    names = {path.name for path in Path("images/tones").iterdir()}
    assert names == {f"second_{i}_label_{1 - i % 2}.png" for i in range(14)}
    images = zounds.labelled_images("images/notes")
    assert images.data.shape == (24, 128, 44) and np.bincount(images.labels).tolist() == [3] * 8


def test_recordings_are_sixteen_bits_at_41100_hertz_and_the_same_every_time(load):
    workflow = load()
    samples, played = workflow.make_recordings()
    info = soundfile.info("tones.wav")
    assert (info.samplerate, info.channels, info.subtype, info.frames) == (41_100, 1, "PCM_16", 14 * 41_100)
    written, _ = soundfile.read("tones.wav", dtype="int16")
    assert np.array_equal(written, (samples * 16_000).astype(int))
    assert len(zounds.AudioSamples.from_file("tones.wav").resample(22_050)) == 14 * 22_050
    before = Path("notes.wav").read_bytes()
    assert np.array_equal(workflow.make_recordings()[1], played) and Path("notes.wav").read_bytes() == before


def test_a_tone_lies_in_its_band_and_silence_is_dark_unless_it_is_its_own_reference(load):
    workflow = load()
    workflow.make_recordings()
    pictures, by_second = workflow.mel_pictures("tones.wav"), workflow.mel_pictures("tones.wav", "second")
    assert pictures.shape == (14, 128, 44) and pictures.dtype == np.uint8
    for i, hz in enumerate(workflow.TONES_HZ):
        row = int(pictures[2 * i][:, 20].argmax())
        assert np.argmin(abs(workflow.MEL.center_frequencies - hz)) == 127 - row  # low frequencies at the bottom
        assert pictures[2 * i + 1][:, 2:-2].max() == 0 and by_second[2 * i + 1].max() == 255


def test_recordings_of_your_own_are_classes_by_their_folders(load, capsys):
    workflow, rng = load(), np.random.default_rng(0)
    for take in range(4):
        for label, sound in (
            ("hum_label_9", np.sin(0.05 * np.arange(18_000) + take)),
            ("hiss", rng.normal(size=9_000)),
        ):
            Path("mine", label).mkdir(parents=True, exist_ok=True)
            samples = zounds.AudioSamples((0.1 * sound).astype(np.float32), zounds.SR8000())
            samples.save(f"mine/{label}/take {take}.wav")
    workflow.of_your_recordings("mine")
    printed = capsys.readouterr().out
    # two seconds and a part of the one, a second and a part of the other: parts of seconds after the first do not count
    assert "12 examples of shape (128, 44) from 8 documents, 2 classes" in printed
    assert "hum_label_9" in printed and "accuracy 1.000" in printed
