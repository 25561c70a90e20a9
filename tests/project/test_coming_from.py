"""The pages for people who come from other libraries: every name in them is there, and rows give the same numbers."""

import doctest
import importlib
import re
from pathlib import Path

import numpy as np
import pytest

import zounds_lite

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("coming_from_*.md"))
ROOMS = {"core", "dsp", "errors", "featureflow", "learn", "loudness", "segment", "spectral", "synthesize"}
"""How names of this library begin on the pages, beside ``zounds`` and ``ff``."""


def cells(text):
    """The cells of a page's tables, row by row, without headings."""
    rows = [line.strip().strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows if not set("".join(row)) <= set("-| ")]


def test_the_pages_are_there():
    assert [page.stem for page in PAGES] == [f"coming_from_{name}" for name in ("librosa", "torchaudio", "zounds")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_name_of_ours_is_there(page):
    # the first cell of a row is theirs
    text = re.sub(r"^\|.*? \| ", "| ", page.read_text("utf-8").replace("```", ""), flags=re.MULTILINE)
    code = re.findall(r"`([^`\n]+)`", text)
    names = {name for span in code for name in re.findall(r"(?<![\w.\"'/])[a-z]\w*(?:\.\w+)+", span)}
    found = 0
    for name in sorted(names):
        first, *rest = name.split(".")
        first = "featureflow" if first == "ff" else first
        if first not in {"zounds", *ROOMS}:
            continue
        value = zounds_lite if first == "zounds" else importlib.import_module(f"zounds_lite.{first}")
        for part in rest:
            assert hasattr(value, part), f"{page.name}: {name}"
            value = getattr(value, part)
        found += 1
    assert found >= 5


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_all_python_on_the_pages_is_run(page):
    """By tests/project/test_pages.py or tests/torch/test_pages.py, which take what stands behind a prompt."""
    blocks = re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
    assert blocks and all(block.startswith(">>> ") for block in blocks)


def names_of(page, *sections):
    """What the Python of a page's sections leaves."""
    namespace = {}
    for section in page.read_text("utf-8").split("\n## "):
        if section.startswith(sections):
            for block in re.findall(r"```python\n(.*?)```", section, re.DOTALL):
                for example in doctest.DocTestParser().get_examples(block):
                    exec(example.source, namespace)
    return namespace


def test_rows_give_the_same_numbers_as_librosa():
    librosa = pytest.importorskip("librosa")
    page = DOCS / "coming_from_librosa.md"
    names = {**names_of(page, "Set up", "Features"), "librosa": librosa, "sr": 22050}
    names["D"] = librosa.stft(names["y"])
    names["S"] = np.abs(names["D"])
    names["M"] = librosa.feature.melspectrogram(y=names["y"], sr=22050)
    rows = [row for row in cells(page.read_text("utf-8")) if re.fullmatch(r"[\d.e-]+", row[-1])]
    assert len(rows) >= 20
    for theirs, ours, within in rows:
        wanted = np.squeeze(eval(theirs.strip("`"), names)).T
        given = np.asarray(eval(ours.strip("`"), names))
        assert given.shape == wanted.shape, theirs
        assert np.abs(given - wanted).max() <= float(within) * np.abs(wanted).max(), theirs
