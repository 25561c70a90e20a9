"""The pages about the architecture name files that are there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["architecture.md", "how_it_is_built.md"])
def test_the_files_that_a_page_names_are_there(page):
    names = re.findall(r"`((?:\w+/)*\w+\.py)`", (ROOT / "docs" / page).read_text("utf-8"))
    there = {path.relative_to(ROOT / "zounds_lite").as_posix() for path in (ROOT / "zounds_lite").rglob("*.py")}
    there |= {name.rpartition("/")[2] for name in there}
    assert names and [name for name in names if name not in there] == []
