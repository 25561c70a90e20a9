"""Bad input of an ingest, one line of the list each: through the public names, and on the command line."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import noise, write
from zounds_lite import errors, featureflow as ff
from zounds_lite.cli import main
from zounds_lite.media import DecodeLimits
from zounds_lite.testing.contracts import NASTY_IDS

ROOT = Path(__file__).parents[1]
Graph = zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.wav", noise(0.1))
    write(tmp_path / "in" / "b.flac", noise(0.2))
    return tmp_path / "in"


@pytest.fixture
def Sound(tmp_path):  # noqa: N802 - a class
    @zounds.simple_lmdb_settings(tmp_path / "store", user_supplied_id=True)
    class Sound(Graph):
        pass

    return Sound


@zounds.simple_in_memory_settings
class OwnIds(Graph):
    """Its ids are random."""


@pytest.mark.parametrize("workers", [0, -1, True, False, 1.5, 2.0, "2", None, float("nan"), [2]])
def test_workers_that_are_no_number_of_processes(folder, Sound, workers):
    with pytest.raises(errors.DeclarationError, match="^workers=.*: needs at least 1, as a whole number"):
        zounds.ingest(zounds.Directory(folder), Sound, workers=workers)
    assert len(Sound.database) == 0


def test_numbers_of_numpy_are_whole_numbers(folder, Sound):
    assert len(zounds.ingest(zounds.Directory(folder), Sound, workers=np.int64(1)).processed) == 2


@pytest.mark.parametrize("executor", [object(), 4, "threads", ThreadPoolExecutor])
def test_an_executor_without_submit(folder, Sound, executor):
    with pytest.raises(errors.DeclarationError, match=r"has no submit\(.*ThreadPoolExecutor\(4\), or workers=4"):
        zounds.ingest(zounds.Directory(folder), Sound, executor=executor)


@pytest.mark.parametrize("dataset", ["in", b"in", Path("in")])
def test_the_path_of_a_folder_is_no_dataset(Sound, dataset):
    with pytest.raises(
        errors.DeclarationError, match=r"is no dataset; pass Directory\(.*in'.*\) for the recordings of"
    ):
        zounds.ingest(dataset, Sound)


@pytest.mark.parametrize("dataset", [None, 5, zounds.Directory, object()])
def test_a_dataset_that_cannot_be_iterated_over(Sound, dataset):
    with pytest.raises(errors.DeclarationError, match=r"cannot be iterated over; pass Directory\(path\), or a list"):
        zounds.ingest(dataset, Sound)


@pytest.mark.parametrize("cls", [None, 5, int, "Sound", ff.PersistenceSettings, zounds.Directory("in")])
def test_what_is_no_document_class(folder, cls):
    with pytest.raises(errors.DeclarationError, match="is no document class; pass a subclass of BaseModel"):
        zounds.ingest(zounds.Directory(folder), cls)


def test_documents_without_settings_with_ids_of_their_own_or_with_other_roots(folder, Sound):
    with pytest.raises(errors.DeclarationError, match="no store to go to; decorate it with simple_lmdb_settings"):
        zounds.ingest(zounds.Directory(folder), Graph)
    with pytest.raises(errors.DeclarationError, match="makes its own ids.*decorate it with simple_lmdb_settings"):
        zounds.ingest(zounds.Directory(folder), OwnIds)
    with pytest.raises(
        errors.DeclarationError, match="is made from meta, and ingest gives it 'sound'; name its one root"
    ):
        zounds.ingest(zounds.Directory(folder), Sound, root="sound")


@pytest.mark.parametrize("id_of", [None, 5, "name"])
def test_what_gives_no_ids(folder, Sound, id_of):
    with pytest.raises(errors.DeclarationError, match="is no function; pass one that takes an item"):
        zounds.ingest(zounds.Directory(folder), Sound, id_of=id_of)


@pytest.mark.parametrize("workers", [1, 2])
def test_two_items_with_one_id(folder, Sound, workers):
    path = str(folder / "a.wav")
    report = zounds.ingest([path, Path(path)], Sound, workers=workers)
    assert report.processed == [path]
    (failure,) = report.failed
    assert failure.reason.startswith(f"DeclarationError: another item has the id {path!r} too; pass id_of= to tell")
    assert zounds.ingest([path], Sound).skipped == [path]


@pytest.mark.parametrize("_id", ["", None, 7, b"x", ("a",)])
def test_what_is_no_id_fails_alone(folder, Sound, _id):
    ids = {folder / "a.wav": _id, folder / "b.flac": "b"}
    report = zounds.ingest(list(ids), Sound, id_of=ids.get)
    assert report.processed == ["b"]
    (failure,) = report.failed
    assert failure.reason.startswith("InvalidId: an id must be non-empty text, got ")


@pytest.mark.parametrize("workers", [1, 2])
def test_nasty_ids_come_back_as_they_are(folder, Sound, workers):
    ids = iter(NASTY_IDS)
    path = folder / "a.wav"
    report = zounds.ingest([path] * len(NASTY_IDS), Sound, workers=workers, id_of=lambda item: next(ids))
    assert (sorted(report.processed), report.failed) == (sorted(NASTY_IDS), [])
    assert sorted(Sound.database) == sorted(NASTY_IDS)
    assert sorted(os.listdir(folder.parent)) == ["in", "store"]


@pytest.mark.parametrize(
    "graph", [zounds.resampled, zounds.stft, lambda **given: zounds.windowed(zounds.HalfLapped(), **given)]
)
def test_wrong_arguments_of_a_graph_are_said_where_it_is_declared(graph):
    for damaged in ("foo", None, True):
        with pytest.raises(errors.DeclarationError, match="damaged=.*'raise'.*'keep'"):
            graph(damaged=damaged)
    for limits in (7, "foo", True, {"memory": 1}):
        with pytest.raises(errors.DeclarationError, match="limits=.*allowed: None .*a DecodeLimits.*'network'"):
            graph(limits=limits)
    with pytest.raises(errors.DeclarationError, match="samplerate=8000; allowed: SR44100"):
        graph(resample_to=8000)
    with pytest.raises(errors.DeclarationError, match="memory=7; allowed: bytes"):
        graph(limits=DecodeLimits(memory=7))


@pytest.mark.parametrize("durability", ["never", None, "FULL", 1])
def test_an_unknown_durability(tmp_path, durability):
    with pytest.raises(errors.DeclarationError, match="durability must be 'full' or 'relaxed', got"):
        zounds.simple_lmdb_settings(tmp_path / "store", durability=durability)(Graph)
    assert not (tmp_path / "store").exists()


def test_a_retry_where_nothing_failed(folder, Sound):
    assert len(zounds.ingest(zounds.Directory(folder), Sound, retry_failed=True).processed) == 2
    assert len(zounds.ingest(zounds.Directory(folder), Sound, retry_failed=True).skipped) == 2


RELATIVE = """
import os, sys
import zounds_lite as zounds
from relative import Sound
os.chdir("elsewhere")
report = zounds.ingest(zounds.Directory(sys.argv[1]), Sound, workers=2)
print(len(report.processed), len(report.failed), len(Sound.database), str(Sound.database.path))
"""


def test_a_relative_path_means_the_same_store_in_every_process(folder, tmp_path):
    """The module of the class is imported again in a worker, where the folder is another one."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "relative.py").write_text(
        "import zounds_lite as zounds\n"
        "@zounds.simple_lmdb_settings('a störe', user_supplied_id=True)\n"
        "class Sound(zounds.stft(resample_to=zounds.SR11025(), store_fft=True, store_ogg=False)):\n    pass\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    command = [sys.executable, "-c", RELATIVE, str(folder)]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "2 0 2 a störe\n", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--workers", "0"], "workers=0: needs at least 1"),
        (["--workers", "-1"], "workers=-1: needs at least 1"),
        (["--json", "no/such/folder/report.json"], "No such file or directory: 'no/such/folder/report.json'"),
        (["--json", "in"], "Is a directory: 'in'"),
        (["--document", "tests.test_bad_ingest:Missing"], "has no 'Missing'"),
        (["--document", "tests.test_bad_ingest:noise"], "is no document class"),
    ],
)
def test_bad_words_of_the_command(folder, monkeypatch, capsys, words, message):
    monkeypatch.chdir(folder.parent)
    assert main(["ingest", "in", "--store", "store", *words]) == 3
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n"), message in captured.err) == ("", 1, True)


@pytest.mark.parametrize("store", ["", "in/a.wav", "in/a.wav/below"])
def test_a_store_that_cannot_be_there(folder, monkeypatch, capsys, store):
    monkeypatch.chdir(folder.parent)
    assert main(["ingest", "in", "--store", store]) == 3
    assert "pass" in capsys.readouterr().err
    assert sorted(os.listdir(folder.parent)) == ["in"]


@pytest.mark.parametrize("store", ["with space", "störe 中", "-dash", "a:b", "%41", "deep/er/store"])
def test_any_path_is_a_store(folder, monkeypatch, capsys, store):
    monkeypatch.chdir(folder.parent)
    assert main(["ingest", "in", f"--store={store}", "--workers", "2"]) == 0
    capsys.readouterr()
    assert main(["ls", "--", store]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["ingest", "in", f"--store={store}", "--retry-failed"]) == 0
    assert "0 processed, 2 skipped, 0 failed" in capsys.readouterr().out
    assert main(["failed", "--", store]) == 0
    assert capsys.readouterr().out == "0 documents failed\n"
