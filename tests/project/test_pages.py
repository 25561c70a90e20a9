"""The pages under ``docs/``: every example in them runs and shows what it says; every transform has all of its page."""

import doctest
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
TRANSFORMS = sorted(page for page in (DOCS / "transforms").glob("*.md") if page.name != "index.md")
PAGES = [*sorted(DOCS.glob("*.md")), *TRANSFORMS]
TAUGHT = [page for page in PAGES if ">>>" in page.read_text("utf-8")]
NEED_TORCH = [page for page in TAUGHT if ">>> import torch" in page.read_text("utf-8")]
"""Pages that tests/torch runs."""
NEED_MATPLOTLIB = [page for page in TAUGHT if re.search(r"^>>> .*\bplot", page.read_text("utf-8"), re.MULTILINE)]
"""Pages that tests/visualization runs, where matplotlib is installed."""
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def only_python(text):
    """Blank out everything but the Python fences, so that failures name the page's own lines."""
    kept, inside = [], False
    for line in text.splitlines():
        if re.match(r"```", line):
            inside = line.strip() == "```python"
            kept.append("")
        else:
            kept.append(line if inside else "")
    return "\n".join(kept) + "\n"


def test_there_is_a_tutorial():
    assert "declare_ingest_slice_invert.md" in [page.name for page in TAUGHT]


def run_page(page):
    """Run the examples of a page in the current folder, and fail where one of them does not show what it says."""
    # the page's code is the reader's own program, so it gets a module name of its own
    test = doctest.DocTestParser().get_doctest(
        only_python(page.read_text("utf-8")), {"__name__": page.stem}, page.name, str(page), 0
    )
    said = io.StringIO()
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.write)
    assert result.failed == 0, said.getvalue()
    assert result.attempted > 0


@pytest.mark.parametrize(
    "page", [page for page in TAUGHT if page not in NEED_TORCH + NEED_MATPLOTLIB], ids=lambda page: page.name
)
def test_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page)


every_transform = pytest.mark.parametrize("page", TRANSFORMS, ids=lambda page: page.name)


@every_transform
@pytest.mark.parametrize("part", [r"(```\{math\}$|.*\$[^$]+\$)", r"```\{picture\} \S", r"(#+ )?Sources?\b"])
def test_the_page_of_a_transform_has_its_formula_its_picture_and_its_source(page, part):
    assert re.search(f"^{part}", page.read_text("utf-8"), re.MULTILINE)


def test_the_index_lists_every_transform_once_and_shows_it_in_its_table():
    text = (DOCS / "transforms" / "index.md").read_text("utf-8")
    table, toctree = text.split("```{toctree}")
    names = [page.stem for page in TRANSFORMS]
    assert sorted(re.findall(r"^([a-z_]+)$", toctree, re.MULTILINE)) == names
    assert set(re.findall(r"\]\(([a-z_]+)\.md\)", table)) == set(names)
