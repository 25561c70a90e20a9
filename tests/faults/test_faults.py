"""The table of faults: every row at a tiny size, and the logic that runs and shows it.

That each row bites, run against a deliberate defect, is shown by ``python -m benchmarks.faults --prove``.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from benchmarks.faults import broken, table
from benchmarks.faults.__main__ import faults
from benchmarks.faults.table import Fault, Result, markdown, run, verdict

ROWS = faults()
TINY = {
    "kill -9 during process, 1 writer": 4,
    "kill -9 during process, 4 writers": 4,
    "kill -9 of an ingest with 2 workers, or of one of them": 1,
    "map growth by 4 processes from 1 MiB": 1200,
    "arrays held while commits, delete, gc, compact, close follow": 40,
    "node raises at chunk k, yields nothing, returns the wrong shape": 8,
    "ids": 8,
    "readers and writers, spawn and fork": 1,
    "a folder of 1,000 files, 10 % hostile, 2 workers, one worker killed twice": 40,
}
"""Sizes at which a row takes about a second; any other row runs at a twentieth of its size."""


@pytest.fixture
def quick_folder(monkeypatch):
    """Keep stores in memory, where the system has a place for that: a hundred commits wait for the disk else."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 2**30:
        monkeypatch.setattr(tempfile, "tempdir", str(memory))


@pytest.mark.parametrize("fault", ROWS, ids=lambda fault: fault.name)
def test_a_row_keeps_its_promise(fault, quick_folder):
    result = run(fault, TINY.get(fault.name, max(1, fault.size // 20)), seed=1)
    assert not result.losses
    assert result.passed and result.figures and result.seconds > 0


def test_the_tiny_sizes_are_those_of_rows():
    assert set(TINY) <= {fault.name for fault in ROWS}


def test_rows_have_names_of_their_own_and_say_what_they_promise():
    assert len({fault.name for fault in ROWS}) == len(ROWS) > 0
    assert all(fault.promise and fault.unit and fault.size >= 1 and fault.prove_size >= 1 for fault in ROWS)


def test_every_row_names_a_defect_that_it_must_notice():
    assert all(fault.broken for fault in ROWS)
    assert {name for fault in ROWS for name in fault.broken} <= set(broken.DEFECTS)
    assert all(defect.__doc__ for defect in broken.DEFECTS.values())


def test_every_defect_is_noticed_by_some_row():
    assert set(broken.DEFECTS) <= {name for fault in ROWS for name in fault.broken}


def _fault(action, **changes):
    return Fault(**{"name": "a row", "size": 3, "unit": "things", "promise": "lost 0", "run": action, "broken": (),
                    "prove_size": 1, **changes})  # fmt: skip


def test_a_row_runs_in_a_fresh_folder_that_is_removed():
    seen = []

    def action(setting):
        assert setting.folder.is_dir() and not list(setting.folder.iterdir())
        (setting.folder / "left").write_text("x")
        seen.append(setting)
        return Result({"found": setting.size})

    result = run(_fault(action), 7, 5, "a defect")
    assert result.figures == {"found": 7} and (seen[0].seed, seen[0].broken) == (5, "a defect")
    assert not seen[0].folder.exists()

    def failing(setting):
        seen.append(setting)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        run(_fault(failing), 1, 0)
    assert not seen[1].folder.exists()


@pytest.mark.parametrize(
    ("result", "word", "passed"),
    [
        (Result(), "passed", True),
        (Result(losses=["one"]), "FAILED", False),
        (Result(ran=False), "not run", False),
        (Result(losses=["one"], ran=False), "not run", False),
    ],
)
def test_a_row_passes_only_where_it_ran_and_lost_nothing(result, word, passed):
    assert verdict(result) == word and result.passed is passed


def test_the_table_as_markdown():
    text = markdown([(_fault(None), 1200, Result({"lost": 0, "kept": 12})), (_fault(None), 1, Result(ran=False))])
    lines = text.splitlines()
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2] == "| a row | 1,200 things | lost 0 | lost 0, kept 12 | passed |"
    assert lines[3].endswith("| not run |")


def test_no_defect_is_injected_where_none_is_named():
    before = dict(vars(table))
    broken.apply(None)
    assert dict(vars(table)) == before
    with pytest.raises(KeyError):
        broken.apply("no such defect")


def _command(*arguments):
    command = [sys.executable, "-m", "benchmarks.faults", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_the_command_ends_with_zero_where_all_rows_pass(tmp_path):
    out, page = tmp_path / "out.json", tmp_path / "page.md"
    ended = _command("--only", "node raises", "--out", str(out), "--page", str(page))
    assert ended.returncode == 0, ended.stderr
    assert "1 of 1 rows passed" in ended.stdout
    assert json.loads(out.read_text())["rows"][0]["losses"] == []
    assert page.read_text().count("passed") == 1


def test_the_command_fails_where_no_row_has_that_name():
    assert _command("--only", "no such row").returncode != 0


def test_a_row_that_bites_is_told_from_one_that_does_not():
    ended = _command("--prove", "--only", "node raises")
    assert ended.returncode == 0 and "bites" in ended.stdout, ended.stderr
