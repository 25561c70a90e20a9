"""Directories and composites: which files count, in which order, under which names."""

import os

import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise, write
from zounds_lite import CompositeDataset, Directory


@pytest.fixture
def folder(tmp_path):
    """A folder as people have them: sub-folders, hidden files, things that are no audio."""
    root = tmp_path / "music"
    for name in ("b.wav", "a.flac", "sub/deep/c.ogg", "sub/A.WAV", "Z.mp3"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, noise(0.05), fmt=path.suffix[1:].upper())
    (root / "no extension").write_bytes(encoded(noise(0.05), fmt="FLAC"))
    (root / "song.data").write_bytes(encoded(noise(0.05)))
    (root / ".hidden.wav").write_bytes(encoded(noise(0.05)))
    (root / ".cache").mkdir()
    (root / ".cache" / "x.wav").write_bytes(encoded(noise(0.05)))
    (root / "folder.wav").mkdir()
    (root / "notes.txt").write_text("a list of things")
    (root / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0" + bytes(1000))
    (root / "empty").write_bytes(b"")
    (root / "broken.wav").write_bytes(b"")  # called audio: it is for the report to say that it is none
    return root


def names(dataset, root):
    return [item.uri.removeprefix(f"{root}/") for item in dataset]


def test_audio_files_are_found_in_sorted_order(folder):
    found = names(Directory(folder), folder)
    assert found == ["Z.mp3", "a.flac", "b.wav", "broken.wav", "no extension", "song.data", "sub/A.WAV",
                     "sub/deep/c.ogg"]  # fmt: skip
    assert len(Directory(folder)) == 8
    assert names(Directory(folder, recursive=False), folder) == found[:6]


def test_each_iteration_starts_anew_and_sees_new_files(folder):
    dataset = Directory(str(folder))
    first = list(dataset)
    assert list(dataset) == first
    write(folder / "0.wav", noise(0.05))
    assert [item.uri for item in dataset][0] == str(folder / "0.wav")


def test_items_are_metadata_with_absolute_paths_and_attributes(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    items = list(Directory("music", licensing="CC0", collection="mine"))
    assert all(isinstance(item, zounds.AudioMetaData) for item in items)
    assert items[0].uri == str(folder / "Z.mp3")
    assert (items[0].licensing, items[0].extras, items[0].request) == ("CC0", {"collection": "mine"}, None)


def test_a_folder_that_is_missing_or_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    for name in ("nowhere", "file"):
        dataset = Directory(tmp_path / name)  # a declaration: nothing is read before it is used
        for action in (list, len):
            with pytest.raises(FileNotFoundError, match=f"{name}.*no folder; pass the folder that holds"):
                action(dataset)


def test_a_file_that_cannot_be_read_is_left_to_the_report(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("zounds_lite.datasets.directory.Source", refuse)
    assert "empty" in names(Directory(folder), folder)


def test_the_order_is_that_of_sorted_paths(tmp_path):
    for name in ("a/z.wav", "a.wav", "a b/x.wav", "a-b.wav", "B/y.wav", "a/c/d.wav", "a/b.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert list(Directory(tmp_path).files()) == sorted(tmp_path.rglob("*.wav"))


def test_links(folder, tmp_path):
    (folder / "again.wav").symlink_to(folder / "b.wav")
    (folder / "gone.wav").symlink_to("nowhere")  # for the report to name
    (folder / "gone.txt").symlink_to("nowhere")
    (folder / "sub" / "loop").symlink_to(folder)
    found = names(Directory(folder), folder)
    assert found[1:6] == ["a.flac", "again.wav", "b.wav", "broken.wav", "gone.wav"]
    assert len(found) == 10
    (tmp_path / "link").symlink_to(folder)
    assert names(Directory(tmp_path / "link"), tmp_path / "link") == found  # as the caller named it


def test_one_folder_has_one_spelling(folder, monkeypatch):
    wanted = names(Directory(folder), "")
    assert names(Directory(folder / "sub" / ".."), "") == wanted
    monkeypatch.chdir(folder / "sub")
    assert names(Directory(".."), "") == wanted
    (folder.parent / "link").symlink_to(folder / "sub")
    assert names(Directory(folder.parent / "link" / ".."), "") == wanted  # the folder above where the link leads


def test_a_folder_that_cannot_be_listed_is_left_to_the_report(folder, monkeypatch):
    listed = os.scandir

    def refuse(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr("zounds_lite.datasets.directory.os.scandir", refuse)
    assert names(Directory(folder), folder)[-1] == "sub/deep"


def test_an_empty_folder_is_an_empty_dataset(tmp_path):
    assert list(Directory(tmp_path)) == []
    assert len(Directory(tmp_path)) == 0


def test_a_directory_is_a_declaration(tmp_path):
    assert Directory(tmp_path) == Directory(str(tmp_path))
    assert Directory(tmp_path) != Directory(tmp_path, recursive=False)
    assert Directory(tmp_path) != Directory(tmp_path, licensing="CC0")
    assert Directory.from_dict(Directory("music", licensing="CC0").to_dict()) == Directory("music", licensing="CC0")
    assert Directory("music", licensing="CC0").replace(recursive=False).attributes == {"licensing": "CC0"}
    assert repr(Directory("music")) == "Directory(path='music', recursive=True)"
    assert repr(Directory("music", licensing="CC0")) == "Directory(path='music', recursive=True, licensing='CC0')"


def test_composites_chain_in_order_and_restart(folder, tmp_path):
    (tmp_path / "one").mkdir()
    write(tmp_path / "one" / "x.wav", noise(0.05))
    composite = CompositeDataset(Directory(tmp_path / "one"), Directory(folder, recursive=False))
    uris = [item.uri for item in composite]
    assert uris[0] == str(tmp_path / "one" / "x.wav")
    assert uris[1:] == [item.uri for item in Directory(folder, recursive=False)]
    assert [item.uri for item in composite] == uris
    assert len(composite) == len(uris) == 7
    assert list(CompositeDataset()) == []
    assert repr(CompositeDataset([1], [2])) == "CompositeDataset([1], [2])"
