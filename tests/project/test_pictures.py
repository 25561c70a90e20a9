"""The directive ``picture`` of the docs build: what it takes, what it says of the axes, and where it finds faults."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import zounds_lite as zounds

pytest.importorskip("sphinx")

PATH = Path(__file__).parents[2] / "docs" / "pictures.py"
SPECTRUM = "picture = zounds.spectral.stft(zounds.AudioSamples(np.ones(11025), zounds.SR11025()))"


@pytest.fixture(scope="module")
def pictures():
    spec = importlib.util.spec_from_file_location("pictures", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_code_runs_in_a_namespace_of_its_own(pictures):
    picture, floor_db = pictures.run(f"{SPECTRUM}\nfloor_db = -60\nleft = 1")
    assert picture.shape == (43, 257) and floor_db == -60
    with pytest.raises(NameError, match="left"):
        pictures.run(f"{SPECTRUM}\nleft")


def test_both_axes_are_described_in_their_units(pictures):
    picture, _ = pictures.run(SPECTRUM)
    assert pictures.axes(picture) == "left to right 0 to 1.022 s, bottom to top 0 to 5512 Hz in 257 bands (FFTScale)"
    part = picture[zounds.TimeSlice(zounds.Seconds(0.5)), zounds.FrequencyBand(1000, 2000)]
    assert "0.5" in pictures.axes(part, -40.0) and "dB under the peak" in pictures.axes(part, -40.0)
    plain = zounds.ArrayWithUnits(np.ones((43, 5)), [picture.dimensions[0], zounds.IdentityDimension()])
    assert pictures.axes(plain).endswith("bottom to top 5 values")


@pytest.mark.parametrize("left", ["np.ones((3, 4))", "None", "zounds.spectral.stft(TONE)[0]", "TONE"])
def test_a_picture_has_time_first_and_units(pictures, left):
    code = f"TONE = zounds.SineSynthesizer(zounds.SR11025()).synthesize(zounds.Seconds(1))\npicture = {left}"
    with pytest.raises(ValueError, match="two-dimensional array with units, time first"):
        pictures.run(code)
    with pytest.raises(ValueError, match="NoneType"):
        pictures.run("x = 1")


@pytest.mark.parametrize("code", ["x = 1\n1 / 0", "x = 1\ny = (", "x = 1\nnp.ones(1) / np.zeros(1)"])
def test_failures_and_warnings_name_the_line_of_the_page(pictures, code):
    with pytest.raises((ZeroDivisionError, SyntaxError, RuntimeWarning)) as caught:
        pictures.run(code, "page.md", offset=20)
    assert pictures.where(caught.value, "page.md") == 22


def built(folder, page):
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace

    (folder / "index.md").write_text(page, "utf-8")
    said = folder / "warnings.txt"
    with said.open("w") as stream, docutils_namespace():
        app = Sphinx(
            folder, None, folder / "out", folder / "trees", "text", status=None, warning=stream,
            confoverrides={"extensions": ["myst_parser", "pictures"]},
        )  # fmt: skip
        app.build()
    return said.read_text()


@pytest.fixture
def importable(monkeypatch):
    monkeypatch.syspath_prepend(PATH.parent)
    yield
    sys.modules.pop("pictures", None)


def test_a_page_is_built_with_its_picture(importable, tmp_path):
    assert built(tmp_path, f"# A page\n\n```{{picture}} Ones\n{SPECTRUM}\n```\n") == ""
    assert (tmp_path / "_pictures" / "index-1.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "out" / "index.txt").read_text("utf-8")
    assert "zounds.spectral.stft(" in text
    assert "Ones. From left to right 0 to 1.022 s, bottom to top 0 to 5512 Hz" in " ".join(text.split())


def test_a_failure_is_an_error_of_the_build_at_its_line(importable, tmp_path):
    said = built(tmp_path, "# A page\n\n```{picture} Nothing\nx = 1\n\n1 / 0\n```\n")
    assert "index.md:6: ERROR: picture, line 6: ZeroDivisionError: division by zero" in said
