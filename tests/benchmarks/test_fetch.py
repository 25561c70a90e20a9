"""The table of hostile cases: it bites, and every case of it is as it says."""

import io
import json
import time

import pytest

from benchmarks.fetch import table
from benchmarks.fetch.bodies import BODIES, DATA, by_download, by_save, served
from benchmarks.fetch.elsewhere import ELSEWHERE
from benchmarks.fetch.resumed import RESUMED
from benchmarks.fetch.table import Case, Stage, Wrong, run
from tests.webserver import WebServer, hostile
from zounds_lite.errors import FetchError


def fail(stage):
    raise FetchError("no")


def leave(stage):
    (stage.folder / "file.part").write_bytes(b"half")
    fail(stage)


def untyped(stage):
    raise ConnectionResetError("as requests would")


def wrong(stage):
    raise Wrong("it did")


def hang(stage):
    time.sleep(0.4)


@pytest.mark.parametrize(
    ("act", "wanted", "says", "fault"),
    [
        (fail, "refused", "no", ""),
        (fail, "either", "", ""),
        (fail, "recovered", "", "refused, not recovered"),
        (fail, "refused", "why", "the error does not say 'why'"),
        (leave, "refused", "", "files are left over: ['file.part']"),
        (untyped, "refused", "", "untyped error: ConnectionResetError: as requests would"),
        (wrong, "either", "", "wrong: it did"),
        (print, "refused", "", "recovered, not refused"),
    ],
)
def test_every_fault_is_noticed(act, wanted, says, fault):
    assert run(Case("a case", [act], wanted, 1.0, says)).fault == fault


def test_what_takes_too_long_is_a_fault(monkeypatch):
    monkeypatch.setattr(table, "GRACE_S", 0.1)
    found = run(Case("slow", [print, hang], "recovered", 0.1))
    assert found.fault.startswith("took 0.4") and found.seconds >= 0.4


class Careless:
    """A client that takes what it gets, leaves what it has, and fails like that."""

    def __init__(self, data, error=None):
        self.data, self.error = data, error

    def save(self, request, path, checksum=None):
        path.write_bytes(self.data)
        if self.error:
            raise self.error

    def download(self, request, file, checksum=None):
        file.write(self.data)
        if self.error:
            raise self.error


@pytest.mark.parametrize("way", [by_save, by_download])
@pytest.mark.parametrize("error", [None, FetchError("no")])
def test_careless_clients_are_noticed(way, error, tmp_path, monkeypatch):
    monkeypatch.setattr(Stage, "fetcher", lambda self, **changed: Careless(DATA[:100], error))
    with WebServer() as server, WebServer("127.0.0.2") as other, pytest.raises(Wrong, match="refused body|wrong bytes"):
        way(Stage(server, other, tmp_path), server.url + "/a")


CASES = [*BODIES, *RESUMED, *ELSEWHERE]
SLOW = {
    "never answers",
    "headers drip",
    "100 Continue without end",
    "body drips",
    "body stalls",
    "trailers without end",
}


@pytest.mark.parametrize("case", [case for case in CASES if case.name not in SLOW], ids=lambda case: case.name)
def test_every_case_that_takes_no_waiting_goes_well(case):
    assert run(case).fault == ""


def test_there_are_enough_cases_each_with_a_name():
    names = [case.name for case in CASES]
    assert set(names) >= SLOW
    assert len(names) == len(set(names)) >= 20


def test_a_case_runs_against_the_client():
    assert run(served("fine", lambda: hostile.failing(500, 1, DATA), "recovered")).fault == ""
    assert run(served("gone", lambda: hostile.status(404), "refused", 0.5, "404")).fault == ""


def test_the_command_prints_a_table_and_writes_figures(monkeypatch, capsys, tmp_path):
    from benchmarks.fetch import __main__ as command

    monkeypatch.setattr("sys.argv", ["fetch", "--only", "404", "JSON: nothing", "--out", str(tmp_path / "out.json")])
    undo = command.set_fetcher(None)
    try:
        assert command.main() == 0
    finally:
        undo()
    said = io.StringIO(capsys.readouterr().out).read()
    assert "refused" in said and "404" in said
    rows = json.loads((tmp_path / "out.json").read_text())["rows"]
    assert rows[0]["what"] == "hostile cases with a fault, of 2" and rows[0]["reached"] is True
