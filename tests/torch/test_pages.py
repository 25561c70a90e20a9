"""The pages under ``docs/`` whose examples need torch: they run, and show what they say."""

import pytest

from tests.project.test_pages import NEED_TORCH, run_page


@pytest.mark.parametrize("page", NEED_TORCH, ids=lambda page: page.name)
def test_the_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run_page(page)
