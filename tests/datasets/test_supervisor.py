"""Worker processes: what they begin, finish, and die of; nothing is lost, done twice, or left behind."""

import errno
import io
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

import zounds_lite as zounds
from tests.datasets.documents import LARGE, Page, Reads, bound, contents, write_pages
from zounds_lite import featureflow as ff, ingest
from zounds_lite.errors import DeclarationError, StoreFull, WorkerError
from zounds_lite.featureflow.ledger import FailedDocument, read_failures

ROOT = Path(__file__).parents[2]
DEADLINE_S = 60


def children(pid=None):
    """Processes that this one has started and that still run."""
    found = []
    for task in Path(f"/proc/{pid or os.getpid()}/task").iterdir():
        found += [int(child) for child in (task / "children").read_text().split()]
    return found


def workers_of(pid=None):
    """Those of them that do the work of an ingest; another test may have started some of another kind."""
    return [child for child in children(pid) if b"worker_process" in Path(f"/proc/{child}/cmdline").read_bytes()]


def wait_until(condition, what):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {DEADLINE_S} s for {what}"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def nothing_is_left_behind():
    before = set(children())
    yield
    assert set(children()) <= before


def blobs(store):
    return sorted(path.suffix for path in (store / "blobs").rglob("*") if path.suffix in (".blob", ".part"))


def failed(report):
    return {Path(failure.id).stem: failure for failure in report.failed}


def test_workers_store_what_one_process_does(tmp_path):
    paths = write_pages(tmp_path / "in", [f"{i}" for i in range(40)] + ["x_large", "y_large"])
    one, two = bound(tmp_path / "one"), bound(tmp_path / "two")
    report = ingest(paths, one)
    assert report.processed == paths
    report = ingest(paths[::-1], two, workers=2)
    assert (sorted(report.processed), report.failed) == (sorted(paths), [])
    assert contents(one) == contents(two)
    assert len(two(paths[-1]).meta) == LARGE + len("this is y_large")
    assert sorted(ingest(paths, two, workers=2).skipped) == sorted(paths)


def test_work_is_done_in_other_processes(tmp_path):
    seen = []
    paths = write_pages(tmp_path / "in", [f"{i}_pause" for i in range(12)])

    def items():
        for path in paths:
            yield path
            seen.extend(workers_of())

    assert len(ingest(items(), bound(tmp_path / "store"), workers=2).processed) == 12
    assert len(set(seen)) == 2


def test_what_kills_a_worker_twice_is_quarantined_and_the_rest_is_stored(tmp_path):
    names = ["a_kill", "b_exit", "c_kill-once", "d_raise", "e_large_raise", *(f"{i}" for i in range(30))]
    paths = write_pages(tmp_path / "in", names)
    cls = bound(tmp_path / "store")
    report = ingest(paths, cls, workers=2)
    assert {Path(_id).stem for _id in report.processed} == {*names[5:], "c_kill-once"}
    found = failed(report)
    assert set(found) == {"a_kill", "b_exit", "d_raise", "e_large_raise"}
    assert found["a_kill"].reason.startswith("worker died (signal 9)")
    assert found["b_exit"].reason == "worker died (exit code 3)"
    assert (found["a_kill"].attempts, found["d_raise"].attempts) == (2, 1)
    assert "ValueError: d_raise.txt says so" in found["d_raise"].reason
    assert "in _process" in found["d_raise"].traceback
    ledger = {Path(entry.id).stem: entry for entry in read_failures(cls.database)}
    assert {name: (e.deaths, e.quarantined) for name, e in ledger.items()} == {
        "a_kill": (2, True), "b_exit": (2, True), "d_raise": (0, False), "e_large_raise": (0, False)
    }  # fmt: skip
    cls.database.collect_garbage()
    assert blobs(tmp_path / "store") == []


def test_what_failed_is_known_and_not_tried_for_ever(tmp_path):
    paths = write_pages(tmp_path / "in", ["a_kill", "b_raise", "c", "d_raise-once"])
    cls = bound(tmp_path / "store")
    first = failed(ingest(paths, cls, workers=2))
    assert not any(failure.known for failure in first.values())
    assert first["d_raise-once"].reason.startswith("ConnectionError")
    for workers in (1, 2):
        report = ingest(paths, cls, workers=workers)
        again = failed(report)
        assert {name: (f.known, f.attempts) for name, f in again.items()} == {
            "a_kill": (True, 2), "b_raise": (True, 1)
        }  # fmt: skip
        assert report.known == 2
        assert "2 known from earlier runs" in str(report)
        # what may pass by itself was tried again
        assert "d_raise-once" in {Path(_id).stem for _id in report.processed + report.skipped}
    retried = failed(ingest(paths, cls, workers=2, retry_failed=True))
    assert {name: (f.known, f.attempts) for name, f in retried.items()} == {
        "a_kill": (False, 4), "b_raise": (False, 2)
    }  # fmt: skip


def test_a_source_that_changed_is_tried_again(tmp_path):
    folder = tmp_path / "in"
    paths = write_pages(folder, ["a_raise", "b_raise"])
    cls = bound(tmp_path / "store")
    ingest(paths, cls, workers=2)
    (folder / "a_raise.txt").write_text("other text")
    again = failed(ingest(paths, cls, workers=2))
    assert {name: (f.known, f.attempts) for name, f in again.items()} == {
        "a_raise": (False, 2), "b_raise": (True, 1)
    }  # fmt: skip


def test_a_death_that_an_earlier_run_counted_stands(tmp_path):
    paths = write_pages(tmp_path / "in", ["a_kill", "b", "c_kill-once"])
    cls = bound(tmp_path / "store")
    for path in (paths[0], paths[2]):
        entry = FailedDocument(path, "worker died (signal 9)", deaths=1)
        cls.database.change({}, {path: lambda old, entry=entry: entry.to_bytes()})
    Path(paths[2]).with_suffix(".once").touch()
    report = ingest(paths, cls, workers=2)
    assert {name: f.attempts for name, f in failed(report).items()} == {"a_kill": 2}
    assert sorted(report.processed) == [paths[1], paths[2]]
    (entry,) = read_failures(cls.database)
    assert (entry.id, entry.deaths, entry.quarantined) == (paths[0], 2, True)


def test_a_worker_that_is_killed_from_outside_costs_no_document(tmp_path):
    paths = write_pages(tmp_path / "in", [f"{i}_pause" for i in range(30)])
    killed = []

    def items():
        for i, path in enumerate(paths):
            if i in (12, 20):
                killed.append(workers_of()[0])
                os.kill(killed[-1], signal.SIGKILL)
            yield path

    cls = bound(tmp_path / "store")
    report = ingest(items(), cls, workers=2)
    assert (sorted(report.processed), report.failed) == (sorted(paths), [])
    assert len(set(killed)) == 2
    assert list(read_failures(cls.database)) == []
    assert len(contents(cls)) == 30


class Halts(ff.LmdbDatabase):
    """A store that is full behind its third change of records."""

    def change(self, changes, failures=None):
        if changes and len(self) >= 3:
            raise StoreFull(errno.ENOSPC, f"no room left for {str(self.path)!r}; free some space")
        super().change(changes, failures)


def test_a_full_store_stops_the_run_and_blames_no_document(tmp_path):
    paths = write_pages(tmp_path / "in", [f"{i}_pause" for i in range(30)])
    cls = bound(tmp_path / "store")
    full = type(cls)("Page", (cls,), {
        "__module__": Page.__module__, "__qualname__": "Page", "database": Halts(tmp_path / "store")
    })  # fmt: skip
    for workers in (1, 2):
        with pytest.raises(StoreFull, match="free some space") as caught:
            ingest(paths, full, workers=workers)
        report = caught.value.report
        assert (report.failed, len(report.processed) < 30) == ([], True)
        assert set(report.processed) <= set(contents(cls))
        assert list(read_failures(cls.database)) == []
    report = ingest(paths, cls, workers=2)
    assert len(report.processed) + len(report.skipped) == 30
    assert len(contents(cls)) == 30


def test_a_store_that_cannot_be_shared_is_refused(tmp_path):
    @zounds.simple_in_memory_settings
    class Memory(Page):
        id_provider = ff.UserSpecifiedIdProvider("_id")

    paths = write_pages(tmp_path / "in", ["a"])
    with pytest.raises(DeclarationError, match=r"InMemoryDatabase.*executor=ThreadPoolExecutor\(n\)"):
        ingest(paths, Memory, workers=2)
    assert ingest(paths, Memory).processed == paths


def test_a_class_that_no_other_process_can_import_is_copied_into_workers(tmp_path):
    threshold = 3

    @zounds.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)
    class Local(Page):
        is_long = ff.JSONFeature(lambda text: len(text) > threshold, needs=Page.meta, store=True)

    paths = write_pages(tmp_path / "in", ["a", "b_kill", "c_kill-once"])
    report = ingest(paths, Local, workers=2)
    assert (sorted(report.processed), list(failed(report))) == ([paths[0], paths[2]], ["b_kill"])
    assert Local(paths[0]).is_long


def test_an_interrupt_in_the_middle_of_a_message_leaves_no_worker(tmp_path):
    """A large item for a worker that does not read at the moment: Ctrl-C must not wait for it."""
    paths = write_pages(tmp_path / "in", [f"{i}_pause" for i in range(4)])

    def items():
        yield from paths
        for child in workers_of():
            os.kill(child, signal.SIGSTOP)
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        while True:
            yield b"x" * 10**7

    numbers = iter(range(10**6))
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt) as caught:
        ingest(items(), bound(tmp_path / "store"), workers=2, id_of=lambda item: f"{next(numbers)}")
    assert time.monotonic() - began < 20
    assert caught.value.report.failed == []


def test_without_fork_such_a_class_is_refused(tmp_path, monkeypatch):
    @zounds.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)
    class Local(Page):
        pass

    monkeypatch.setattr("zounds_lite.datasets.starting.can_fork", lambda: False)
    with pytest.raises(DeclarationError, match="another process cannot import it.*move it to a module"):
        ingest(write_pages(tmp_path / "in", ["a"]), Local, workers=2)


def test_items_that_cannot_be_sent_fail_alone(tmp_path):
    (path,) = write_pages(tmp_path / "in", ["a"])
    report = ingest([path, threading.Lock()], bound(tmp_path / "store"), workers=2, id_of=lambda item: repr(item))
    assert report.processed == [repr(path)]
    (failure,) = report.failed
    assert "cannot be sent to a worker process" in failure.reason
    assert "workers=1" in failure.reason


def test_a_dataset_that_breaks_keeps_what_came_before(tmp_path):
    paths = write_pages(tmp_path / "in", [f"{i}" for i in range(10)])

    def items():
        yield from paths
        raise RuntimeError("the catalogue ends here")

    report = ingest(items(), bound(tmp_path / "store"), workers=2)
    assert sorted(report.processed) == paths
    (failure,) = report.failed
    assert failure.id == "the dataset itself"

    def nothing():
        raise RuntimeError("no catalogue")
        yield

    with pytest.raises(RuntimeError, match="no catalogue"):
        ingest(nothing(), bound(tmp_path / "store"), workers=2)


def test_the_second_item_of_an_id_fails_and_hides_nothing(tmp_path):
    paths = write_pages(tmp_path / "in", ["a", "b"])
    cls = bound(tmp_path / "store")
    report = ingest([*paths, paths[0]], cls, workers=2)
    assert (sorted(report.processed), [f.id for f in report.failed]) == (paths, [paths[0]])
    assert "another item has the id" in report.failed[0].reason
    assert list(read_failures(cls.database)) == []


# programs of their own

SCRIPT = """
import json, sys
from zounds_lite import ingest
from tests.datasets.documents import bound
paths, store, out = sys.argv[1], sys.argv[2], sys.argv[3]
{guard}
    try:
        report = ingest(json.load(open(paths)), bound(store), workers=2)
    except BaseException as error:
        report = error.report
        print("ended by", type(error).__name__)
    open(out, "w").write(report.to_json())
"""
MAIN = """
import sys
import zounds_lite as zounds
from zounds_lite import featureflow as ff, ingest
from tests.datasets.documents import Page, Reads

LIMIT = 5
@zounds.simple_lmdb_settings(sys.argv[2], user_supplied_id=True)
class Own(Page):
    is_long = ff.JSONFeature(lambda text: len(text) > LIMIT, needs=Page.meta, store=True)

{guard}
    {change}
    import json
    report = ingest(json.load(open(sys.argv[1])), Own, workers=2)
    print(report)
    print([Own(_id).is_long for _id in report.processed])
"""


def start(tmp_path, source, paths, **options):
    script, listed = tmp_path / "script.py", tmp_path / "paths.json"
    script.write_text(textwrap.dedent(source))
    listed.write_text(json.dumps(paths))
    words = [sys.executable, str(script), str(listed), str(tmp_path / "store"), str(tmp_path / "report.json")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path, **options
    )


GUARD = 'if __name__ == "__main__":'


@pytest.mark.parametrize("guard", [GUARD, "if True:"])
def test_a_script_needs_no_guard_where_its_class_stands_in_a_module(tmp_path, guard):
    paths = write_pages(tmp_path / "in", [f"{i}" for i in range(6)])
    process = start(tmp_path, SCRIPT.format(guard=guard), paths)
    out, errors = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, out, errors) == (0, "", "")
    assert len(json.loads((tmp_path / "report.json").read_text())["processed"]) == 6


def test_a_class_of_the_main_program_needs_the_guard_and_says_so(tmp_path):
    paths = write_pages(tmp_path / "in", ["a", "b"])
    process = start(tmp_path, MAIN.format(guard=GUARD, change=""), paths)
    out, errors = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, errors) == (0, "")
    assert "2 of 2 processed" in out
    assert "[True, True]" in out
    process = start(tmp_path, MAIN.format(guard="if True:", change=""), paths)
    out, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    assert "DeclarationError" in errors
    assert 'if __name__ == "__main__":' in errors


ITEMS = """
import json, sys
from zounds_lite import ingest
from tests.datasets.documents import bound

class Item(str):
    pass

{guard}
    report = ingest(map(Item, json.load(open(sys.argv[1]))), bound(sys.argv[2]), workers=2)
    print(len(report.processed), *(failure.reason for failure in report.failed[:1]))
"""


@pytest.mark.parametrize(("guard", "said"), [(GUARD, "2\n"), ("if True:", 'if __name__ == "__main__":')])
def test_items_may_have_classes_of_the_main_program(tmp_path, guard, said):
    process = start(tmp_path, ITEMS.format(guard=guard), write_pages(tmp_path / "in", ["a", "b"]))
    out, errors = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, errors) == (0, "")
    assert said in out


def test_a_main_program_may_be_a_module(tmp_path):
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(MAIN.format(guard=GUARD, change=""))
    listed = tmp_path / "paths.json"
    listed.write_text(json.dumps(write_pages(tmp_path / "in", ["a", "b"])))
    words = [sys.executable, "-m", "package", str(listed), str(tmp_path / "store")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=DEADLINE_S)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 of 2 processed" in done.stdout


HEAR_ALL_AT_ONCE = """
    from zounds_lite.datasets import supervisor
    def patient(connections, seconds, wait=supervisor.wait):
        if len(connections) == 2:
            supervisor.wait = wait
            return [each for each in connections if wait([each], 60)]
        return wait(connections, seconds)
    supervisor.wait = patient
"""


@pytest.mark.parametrize("also", ["", HEAR_ALL_AT_ONCE], ids=["as they come", "all at once"])
def test_what_the_main_program_changes_after_the_import_counts(tmp_path, also):
    """A worker that imports the module anew would store something else: it becomes a copy of the program."""
    paths = write_pages(tmp_path / "in", ["a", "b"])
    process = start(tmp_path, MAIN.format(guard=GUARD, change="LIMIT = 500" + also), paths)
    out, errors = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, errors) == (0, "")
    assert "[False, False]" in out


def test_a_worker_that_cannot_start_is_an_error_at_once(tmp_path):
    (tmp_path / "once.py").write_text(
        "import os\n"
        "if os.environ.setdefault('ONCE', str(os.getpid())) != str(os.getpid()): raise ImportError('only once')\n"
        "from tests.datasets.documents import Page\n"
        "class Sound(Page):\n    pass\n"
    )
    source = """
    import json, sys
    import zounds_lite as zounds
    from zounds_lite.errors import WorkerError
    import once
    cls = zounds.simple_lmdb_settings(sys.argv[2], user_supplied_id=True)(once.Sound)
    try:
        zounds.ingest(json.load(open(sys.argv[1])), cls, workers=2)
    except WorkerError as error:
        print(error, error.report.total)
    """
    process = start(tmp_path, source, write_pages(tmp_path / "in", ["a"]))
    out, errors = process.communicate(timeout=DEADLINE_S)
    assert (process.returncode, errors) == (0, "")
    assert "a worker process cannot work: ImportError: only once" in out


@pytest.mark.parametrize("names", [[f"{i}_pause" for i in range(50)], ["a", "b", "c_slow", "d_slow", "e"]])
@pytest.mark.parametrize("to_all", [True, False])
def test_an_interrupt_keeps_what_is_finished_and_a_rerun_goes_on(tmp_path, names, to_all):
    paths = write_pages(tmp_path / "in", names)
    cls = bound(tmp_path / "store")
    process = start(tmp_path, SCRIPT.format(guard=GUARD), paths, start_new_session=True)
    wait_until(lambda: len(cls.database) >= 2, "two documents")
    workers = workers_of(process.pid)
    began = time.monotonic()
    (os.killpg if to_all else os.kill)(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=DEADLINE_S)
    assert time.monotonic() - began < 8
    assert (out, errors) == ("ended by KeyboardInterrupt\n", "")
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    report = json.loads((tmp_path / "report.json").read_text())
    assert 2 <= len(report["processed"]) < len(paths)
    assert set(report["processed"]) <= {page._id for page in cls}
    assert list(read_failures(cls.database)) == []
    if "c_slow" not in names:
        report = ingest(paths, cls, workers=2)
        assert (len(report.processed) + len(report.skipped), report.failed) == (len(paths), [])
        whole = bound(tmp_path / "whole")
        ingest(paths, whole)
        assert contents(cls) == contents(whole)


@pytest.mark.parametrize("names", [[f"{i}_pause" for i in range(50)], ["a", "b", "c_slow", "d_slow", "e"]])
def test_workers_end_with_their_program(tmp_path, names):
    paths = write_pages(tmp_path / "in", names)
    cls = bound(tmp_path / "store")
    process = start(tmp_path, SCRIPT.format(guard=GUARD), paths)
    wait_until(lambda: len(cls.database) >= 2, "two documents")
    workers = workers_of(process.pid)
    process.kill()
    _, errors = process.communicate(timeout=DEADLINE_S)
    wait_until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "the workers to end")
    assert (len(workers), errors) == (2, "")
    assert list(read_failures(cls.database)) == []


def test_workers_that_die_at_once_end_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr("zounds_lite.datasets.starting._BOOTSTRAP", "import os; os._exit({descriptor})")
    with pytest.raises(WorkerError, match="1 of the workers ended before they did anything: worker died .exit code"):
        ingest(write_pages(tmp_path / "in", ["a"]), bound(tmp_path / "store"), workers=2)


def test_the_bar_counts_failures(tmp_path, monkeypatch):
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    ingest(write_pages(tmp_path / "in", ["a", "b_raise"]), bound(tmp_path / "store"), workers=2)
    assert "2/2" in terminal.getvalue()
    assert "failed=1" in terminal.getvalue()


def test_reads_is_what_these_tests_think(tmp_path):
    assert list(Reads().run(write_pages(tmp_path / "in", ["a"]))) == ["this is a"]
