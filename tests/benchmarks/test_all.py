"""Running all benchmarks: what is run, what is said at the end, and the page of figures."""

import json
import sys

import numpy as np
import pytest

from benchmarks import __main__ as everything, cqt_job, harness, regions, slices
from benchmarks.harness import Row, Table
from benchmarks.page import page
from benchmarks.recordings import RATE, write_recording

FACTS = {"python": "3.11", "cpu": "a cpu", "cores": 2, "packages": {"numpy": "2.0"}}


def result(name, *rows, status=0):
    return {"name": name, "status": status, "title": f"about {name}", "rows": [row._asdict() for row in rows]}


REACHED = Row.at_least("speed", 3.14159, 2, "x")
MISSED = Row.at_most("memory | peak", 200, 120, "MB")
SHOWN = Row("seconds", "7 s")


def test_all_benchmarks_are_known_by_their_names():
    assert everything.available() == everything.NAMES


def test_the_end_shows_what_has_a_target_and_what_failed():
    rows = everything.summary([result("a", REACHED, SHOWN), result("b", MISSED, status=1)])
    assert [(row.what, row.reached) for row in rows] == [
        ("a: speed", True),
        ("b: memory | peak", False),
        ("b: FAILED", False),
    ]


def test_the_page_has_a_table_for_each_benchmark():
    data = {"quick": False, "facts": FACTS, "benchmarks": [result("a", REACHED, SHOWN), result("b", MISSED)]}
    lines = page(data).splitlines()
    assert lines[0] == "A full run, on 2 cores (a cpu), with Python 3.11, numpy 2.0."
    assert "1 of 2 targets were reached." in lines
    assert "| speed | 3.14 x | >= 2 x |" in lines and "| seconds | 7 s |  |" in lines
    assert "| memory \\| peak | 200 MB | <= 120 MB |" in lines
    assert [line for line in lines if line.startswith("###")] == ["### a", "### b"]


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Benchmarks of which one goes well, one misses a target and one crashes."""
    (tmp_path / "benchmarks").mkdir()
    program = (
        "import json, sys\n"
        "out = sys.argv[sys.argv.index('--out') + 1]\n"
        "rows = [{'what': 'speed', 'figure': '1', 'target': '>= 2', 'reached': False}]\n"
        "json.dump({'title': ' '.join(sys.argv[1:2]), 'rows': rows, 'facts': {}}, open(out, 'w'))\n"
        "sys.exit(STATUS)\n"
    )
    for name, status in (("well", "0"), ("missed", "1")):
        (tmp_path / "benchmarks" / f"{name}.py").write_text(program.replace("STATUS", status))
    (tmp_path / "benchmarks" / "crashed.py").write_text("raise SystemExit(3)\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setattr(everything, "available", lambda: ["well", "missed", "crashed"])
    return tmp_path


def test_the_exit_status_counts_what_failed(modules, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--out", "all.json", "--page", "page.md"])
    assert everything.main() == 2
    data = json.loads((modules / "all.json").read_text())
    assert data["quick"] and [found["status"] for found in data["benchmarks"]] == [0, 1, 3]
    assert data["benchmarks"][2]["rows"] == [] and data["facts"]["cores"]
    assert "crashed: FAILED" in capsys.readouterr().out
    assert (modules / "page.md").read_text().startswith("A quick run")
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--read", "all.json", "--page", "again.md"])
    assert everything.main() == 2
    assert (modules / "again.md").read_text() == (modules / "page.md").read_text()
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", "well"])
    assert everything.main() == 0


def test_slices_of_all_formats_are_the_same_and_cold_ones_are_timed(tmp_path):
    pytest.importorskip("zarr")
    pytest.importorskip("h5py")
    write_recording(tmp_path / "recording.wav", 16)
    store = str(tmp_path / "store")
    slices._document(store).process(meta=str(tmp_path / "recording.wav"), _id="recording")
    table = Table(binds=False)
    slices._warm(table, tmp_path, store, 16, 1)
    figures = {row.what: row.value for row in table.rows}
    assert all(value > 0 for value in figures.values())
    assert figures["zarr: us a slice"] > figures["raw memory map: us a slice"]
    assert len(slices.cold_ms(store, 16, 3)) == 3
    found = slices.touched(store, 16)
    assert 0 < found["bytes"] <= found["resident"] < found["mapped"]


@pytest.mark.parametrize("kind", ["wav", "ogg"])
def test_regions_find_the_stretch_that_was_asked_for(tmp_path, kind):
    source = tmp_path / f"hour.{kind}"
    write_recording(source, 6)
    table = Table(binds=False)
    regions._samples(table, source, [1.5, 3.25], tmp_path)
    regions._features(table, source, [1.5, 3.25], tmp_path)
    differences = [row for row in table.rows if "difference" in row.what]
    assert len(differences) == 3 and all(row.reached for row in differences)
    took, parts = regions.timed([2.0, 3.0], lambda index: index)
    assert took >= 0 and [part.start / np.timedelta64(1, "ms") for part in parts] == [2000, 3000]


def test_both_sides_of_the_constant_q_job_give_the_same_numbers(tmp_path):
    pytest.importorskip("librosa")
    pytest.importorskip("h5py")
    clips = cqt_job.write_clips("22.05 kHz wav", 1, tmp_path)
    assert cqt_job.ours(clips, str(tmp_path / "ours")) > 0
    # in a process of its own: librosa's reader of files imports what Python 3.13 no longer has
    assert harness.child("benchmarks.cqt_job", "--child", "librosa", str(tmp_path / "peer"), *clips)["seconds"] > 0
    frames, magnitudes = cqt_job.compared(str(tmp_path / "ours"), str(tmp_path / "peer"))
    assert frames < 1e-6 and magnitudes < 1e-2
    assert RATE == 44100 and clips[0].endswith("0.wav")
