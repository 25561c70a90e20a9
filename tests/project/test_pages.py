"""The pages under ``docs/``: every example in them runs and shows what it says."""

import doctest
import io
import re
from pathlib import Path

import pytest

PAGES = sorted((Path(__file__).parents[2] / "docs").glob("*.md"))
TAUGHT = [page for page in PAGES if ">>>" in page.read_text("utf-8")]
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


@pytest.mark.parametrize("page", TAUGHT, ids=lambda page: page.name)
def test_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # the page's code is the reader's own program, so it gets a module name of its own
    test = doctest.DocTestParser().get_doctest(
        only_python(page.read_text("utf-8")), {"__name__": page.stem}, page.name, str(page), 0
    )
    said = io.StringIO()
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=said.write)
    assert result.failed == 0, said.getvalue()
    assert result.attempted > 0
