"""The third workflow, small: short pieces and small pictures, without extras; the docs run all of it."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite.visualization import png_pixels

ROOT = Path(__file__).parents[2]


@pytest.fixture
def workflow(tmp_path, monkeypatch):
    """Load the program in an empty folder, for pieces of 24 seconds; extras are hidden from it."""
    monkeypatch.chdir(tmp_path)
    for name in ("sklearn", "skops", "torch", "matplotlib"):
        monkeypatch.setitem(sys.modules, name, None)
    spec = importlib.util.spec_from_file_location("workflow_3", ROOT / "examples" / "workflow_3_music_pictures.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "workflow_3", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SECONDS", 24)
    return module


def test_the_whole_of_it_reaches_its_figures(workflow, capsys):
    assert workflow.main() == 0
    printed = capsys.readouterr().out
    assert "MISSED" not in printed and "24 of 24 pictures are 224 x 224" in printed
    assert printed.count("accuracy by") == 4
    files = sorted(Path("pictures").iterdir())
    names = {f"{piece}_{kind}.png" for piece in ("lullaby", "march") for kind in zounds.MusicPicture.kinds}
    assert {path.name for path in files} == names
    for path in files:
        shape = png_pixels(path).shape
        assert shape == ((224, 224, 3) if "colour" in path.name else (224, 224))
    assert png_pixels("all_of_march.png").shape == (3 * 232, 4 * 232, 3)
    recording = workflow.Recording("march")
    assert recording.hilbert.shape == (6, 224, 224) and recording.meta["piece"] == "march"


def test_the_pieces_are_the_same_every_time(workflow):
    workflow.play(Path("once"), 3)
    workflow.play(Path("twice"), 3)
    for name in ("lullaby.wav", "march.wav"):
        assert Path("once", name).read_bytes() == Path("twice", name).read_bytes()


def test_nothing_is_tested_that_is_earlier_than_what_was_learned(workflow):
    documents = np.array(["b", "a", "a", "b", "b", "a", "b", "b"])
    examples = zounds.Labelled(np.zeros((8, 2)), documents, documents)
    train, test = workflow.split_by_time(examples)
    assert sorted([*train, *test]) == list(range(8))
    for name in "ab":
        assert max(i for i in train if documents[i] == name) < min(i for i in test if documents[i] == name)


def test_a_picture_that_is_wrong_is_found(workflow, tmp_path):
    picture = np.zeros((224, 224), np.float32)
    path = tmp_path / "picture.png"
    path.write_bytes(workflow.png_bytes(workflow.pixels_of(picture)))
    assert workflow.is_fine(picture, path)
    for wrong in (picture[:223], picture + 2, picture * np.nan, picture + 1):
        assert not workflow.is_fine(wrong, path)
