"""Parts of ``growth`` and ``start``."""

import subprocess
import sys

import pytest

from benchmarks import _first, growth


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text(" ".join(f"word{number}" for number in range(60)))
    return str(path)


def test_a_store_is_filled_and_as_large_after_documents_were_added(tmp_path, source):
    cls = growth.document(tmp_path / "store")
    growth.fill(cls, 5, source)
    for in_one in (False, True):
        assert growth.add(cls, ["new 1", "new 2"], source, in_one) > 0
        assert sorted(cls.database) == sorted(growth.name_of(number) for number in range(5))
    cls.database.close()
    assert growth.open_and_read(tmp_path / "store", 3) > 0


def test_reading_in_a_new_process_tells_the_fingerprint_apart(tmp_path, source):
    cls = growth.document(tmp_path / "store")
    growth.fill(cls, 2, source)
    cls.database.close()
    found = growth.read_in_new_process(str(tmp_path / "store"), 1)
    assert found["milliseconds"] > 0 and found["fingerprint"] > 0


def test_names_of_documents_differ():
    assert len({growth.name_of(number) for number in range(5000)}) == 5000


def test_steps_of_a_start_run_in_a_new_process_only():
    with pytest.raises(RuntimeError, match="loaded before the clock ran: .*numpy"):
        _first.milliseconds("first feature")
    out = subprocess.run(
        [sys.executable, "-m", "benchmarks._first", "first feature"], capture_output=True, text=True, check=True
    )
    assert out.stdout.startswith('{"milliseconds": ')
