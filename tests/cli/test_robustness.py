"""The command line where things go wrong: document modules with faults, other classes, interrupts, closed pipes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import zounds_lite as zounds
from tests.sounds import noise, write
from zounds_lite.cli import main
from zounds_lite.errors import StoreFull

MINE = ("--document", "mine:Sound")


@pytest.mark.parametrize(
    ("text", "document", "message"),
    [
        ("import nonexistent", "own:Sound", "'own' cannot be imported: ModuleNotFoundError: No module named 'nonexist"),
        ("x = (", "own:Sound", "'own' cannot be imported: SyntaxError: '(' was never closed (own.py, line 1)"),
        ("x = 1\n1 / 0", "own:Sound", "'own' cannot be imported: ZeroDivisionError: division by zero ("),
        ("", "own:Sound", "module 'own' has no 'Sound'; give it as MODULE:CLASS"),
        ("", "own.py:Sound", "no module 'own.py' in this folder or among the installed ones"),
        ("", "own", "give it as MODULE:CLASS"),
        ("", "own:", "give it as MODULE:CLASS"),
    ],
)
def test_a_module_with_a_fault_is_told_from_a_missing_one(workplace, cli, tmp_path, text, document, message):
    (tmp_path / "own.py").write_text(text)
    sys.modules.pop("own", None)
    code, out, err = cli("ingest", "sounds", "--store", "s", "--document", document)
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert message in err
    assert not (tmp_path / "s").exists()


def test_functions_of_a_document_may_import_their_neighbours(workplace, cli, tmp_path):
    workplace(("lambda bark: bark * 2", "lambda bark: bark * __import__('neighbour').FACTOR"))
    (tmp_path / "neighbour.py").write_text("FACTOR = 3")
    assert cli("ingest", "sounds", "--store", "s", *MINE)[0] == 0
    sys.modules.pop("neighbour", None)


def test_a_document_that_is_made_from_something_else_is_refused_at_once(workplace, cli):
    workplace(
        ("needs=Base.pcm, store=True)", "needs=Base.pcm, store=True)\n        words = ff.JSONFeature(ff.IteratorNode)")
    )
    code, out, err = cli("ingest", "sounds", "--store", "s", *MINE)
    assert (code, out) == (3, "")
    assert "Sound is made from meta, words, and ingest gives it 'meta'" in err


def test_the_place_in_user_code_that_failed_is_named(workplace, cli):
    workplace(("bark * 2", "bark.nothing"))
    code, _, err = cli("ingest", "sounds", "--store", "s", *MINE)
    assert (code, err.count("has no attribute 'nothing' (mine.py, line 9, in <lambda>)")) == (1, 2)


def test_a_forgotten_document_class_changes_nothing(workplace, cli, tmp_path):
    cli("ingest", "sounds", "--store", "s", *MINE)
    assert "stale" not in cli("show", "s", "one.wav")[1]
    for words in (("update", "s"), ("explain", "s", "one.wav", "fft"), ("ingest", "sounds", "--store", "s")):
        code, out, err = cli(*words)
        assert (code, out) == (3, "")
        assert "made with another document class than the default, zounds_lite.graphs:Recording; name" in err
    code, out, _ = cli("show", "s", "one.wav", "fft")
    assert (code, out.startswith("fft: ArrayWithUnits complex64 (43, 257)")) == (0, True)  # as stored
    code, _, err = cli("show", "s", "one.wav", "mel")
    assert (code, "need --document MODULE:CLASS" in err) == (3, True)
    assert "is stored and fresh" in cli("explain", "s", "one.wav", "fft", *MINE)[1]
    assert cli("update", "s", "--document", "zounds_lite.graphs:Recording")[0] == 0  # named, so it is meant


def start(*words, cwd, **options):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    env.pop("PYTHONUNBUFFERED", None)  # as users run it
    command = [sys.executable, "-m", "zounds_lite.cli", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen(command, cwd=cwd, env=env, text=True, **pipes)


def until(condition, what):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


@pytest.fixture
def slow_ingest(workplace, cli, tmp_path):
    """Start an ingest of 42 recordings that takes a while, and return it when something is stored."""
    slow = "(__import__('time').sleep(0.2), bark * 2)[1]"
    workplace(("bark * 2", slow))
    for n in range(40):
        write(tmp_path / "sounds" / f"{n}.wav", noise(0.05))

    def begin(*words, **options):
        process = start("ingest", "sounds", "--store", "s", *MINE, *words, cwd=tmp_path, **options)
        until(lambda: cli("ls", "s")[1], "a document")
        return process

    return begin


@pytest.mark.parametrize(
    ("name", "code", "how"),
    [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "ended by SIGTERM"), ("SIGHUP", 129, "ended by SIGHUP")],
)
@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_interrupt_keeps_what_was_stored(slow_ingest, workplace, cli, tmp_path, name, code, how, workers):
    process = slow_ingest("--json", "report.json", "--workers", workers, start_new_session=True)
    os.killpg(process.pid, getattr(signal, name))  # as a terminal does, and many a scheduler
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (code, "")
    report = json.loads((tmp_path / "report.json").read_text())
    assert err.count("\n") == 2, err
    counts, said = err.splitlines()
    assert counts == f"{len(report['processed'])} processed, 0 skipped, 0 failed until then"
    assert said == f"zounds-lite ingest: {how}; what was stored stays, and the same command goes on"
    ids = cli("ls", "s")[1].splitlines()
    assert 0 < len(ids) < 42
    assert set(report["processed"]) <= set(ids)
    assert not list((tmp_path / "s").rglob("*.part"))
    assert cli("failed", "s")[1] == "0 documents failed\n"
    workplace(("bark * 2", "bark * 3"))
    again = cli("ingest", "sounds", "--store", "s", *MINE)[1].splitlines()[1]
    assert again == f"{42 - len(ids)} processed, {len(ids)} skipped, 0 failed"


def test_what_nohup_ignores_stays_ignored(slow_ingest):
    process = slow_ingest(preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    process.send_signal(signal.SIGHUP)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out.startswith("42 of 42 recordings are in s\n")


def test_signals_have_their_old_rules_after_a_command(workplace, cli):
    before = signal.getsignal(signal.SIGTERM)
    cli("ingest", "sounds", "--store", "s")
    assert signal.getsignal(signal.SIGTERM) is before


def test_what_was_done_before_an_error_is_said(workplace, cli, monkeypatch):
    report = zounds.IngestReport(processed=["a"], failed=[])

    def full(*_, **__):
        error = StoreFull("no room is left")
        error.report = report
        raise error

    monkeypatch.setattr("zounds_lite.datasets.ingest", full)
    code, out, err = cli("ingest", "sounds", "--store", "s", "--json", "r.json")
    assert (code, out) == (3, "")
    assert err == "1 processed, 0 skipped, 0 failed until then\nzounds-lite ingest: no room is left\n"
    with open("r.json") as file:
        assert json.load(file)["processed"] == ["a"]


def test_a_reader_that_goes_away_ends_the_command_quietly(workplace, cli, tmp_path):
    cli("ingest", "sounds", "--store", "s")
    process = start("ls", "s", cwd=tmp_path)
    process.stdout.close()
    assert (process.wait(timeout=30), process.stderr.read()) == (141, "")
    process.stderr.close()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full, a Linux device")
def test_output_that_cannot_be_written_is_said(workplace, cli, tmp_path):
    cli("ingest", "sounds", "--store", "s")
    with open("/dev/full", "w") as full:
        process = start("ls", "s", cwd=tmp_path, stdout=full)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 3
    assert err.startswith("zounds-lite ls: [Errno 28] No space left on device")


def test_a_closed_stdout_is_no_fault(workplace, cli, tmp_path, monkeypatch):
    cli("ingest", "sounds", "--store", "s")
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["ls", "s"]) == 0
