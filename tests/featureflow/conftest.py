"""A store that holds something."""

import pytest

from tests.featureflow.stores_filled import LONG, NAMES, fail, make, put


@pytest.fixture
def filled(tmp_path, kind):
    """A store of a kind that the test names, with documents and a ledger."""
    database = make(kind, tmp_path / "store")
    for _id in NAMES:
        put(database, _id)
    fail(database, "bad.wav")
    fail(database, LONG)
    return database
