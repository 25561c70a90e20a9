"""The docs build fails where the search would not find a public name."""

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("sphinx")

from sphinx.errors import ExtensionError  # where it is installed

INDEX = {
    "docnames": ["api/zounds_lite.dsp", "api/zounds_lite"],
    "objects": {
        "": [[1, 0, 0, "module-zounds_lite", "zounds_lite"]],
        "zounds_lite": [[0, 0, 0, "module-zounds_lite.dsp", "dsp"]],
        "zounds_lite.dsp": [[0, 1, 1, "", "stft"], [0, 1, -1, "", "hidden"], [7, 1, 1, "", "nowhere"]],
        "zounds_lite.dsp.Bank": [[0, 2, 1, "", "transform"]],
    },
    "terms": {"mentioned": 0},
}


@pytest.fixture
def public_names(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs"))
    yield importlib.import_module("public_names")
    sys.modules.pop("public_names", None)


def test_objects_are_found_and_nothing_else(public_names):
    assert public_names.found(INDEX) == {"zounds_lite", "dsp", "stft", "transform"}
    public = {"zounds_lite": ["dsp", "stft"], "zounds_lite.dsp": ["stft", "hidden", "nowhere", "mentioned", "Bank"]}
    lost = [f"zounds_lite.dsp.{name}" for name in ("Bank", "hidden", "mentioned", "nowhere")]
    assert public_names.missing(INDEX, public) == lost


@pytest.mark.parametrize(
    ("public", "fails"), [({"zounds_lite.dsp": ["stft"]}, False), ({"zounds_lite": ["cqt"]}, True)]
)
def test_a_name_that_is_not_found_ends_the_build(public_names, tmp_path, public, fails):
    (tmp_path / "searchindex.js").write_text(f"Search.setIndex({json.dumps(INDEX)})", "utf-8")
    app = SimpleNamespace(
        outdir=tmp_path, builder=SimpleNamespace(name="html"), config=SimpleNamespace(public_names=public)
    )
    if fails:
        with pytest.raises(ExtensionError, match=r"finds 1 public names nowhere: zounds_lite\.cqt; give each"):
            public_names.check(app, None)
        app.builder.name = "text"
    public_names.check(app, None)
    public_names.check(app, ValueError("the build failed before"))


def test_no_page_stands_where_sphinx_writes_its_own():
    """Sphinx would show its page of search instead of ours, or ours instead of it."""
    pages = {page.stem for page in (Path(__file__).parents[2] / "docs").glob("*.md")}
    assert pages & {"genindex", "modindex", "py-modindex", "search"} == set()
