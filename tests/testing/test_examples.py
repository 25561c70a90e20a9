"""The worked examples of ``docs/contracts.md`` keep their contracts, by the very classes that the page shows."""

from pathlib import Path

from examples.contracts.test_running_mean import TestRunningMean
from examples.contracts.test_sqlite_store import TestSqlite, test_documents_live_in_it

ROOT = Path(__file__).parents[2]

__all__ = ["TestRunningMean", "TestSqlite", "test_documents_live_in_it"]


def test_the_page_shows_every_example():
    page = (ROOT / "docs" / "contracts.md").read_text("utf-8")
    for example in (ROOT / "examples" / "contracts").glob("*.py"):
        assert f"../examples/contracts/{example.name}" in page
