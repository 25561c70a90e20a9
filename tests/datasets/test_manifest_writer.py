"""From a dataset to a table and back: the items that come back are those that went in."""

import csv
import os

import numpy as np
import pytest

import zounds_lite as zounds
from zounds_lite import AudioMetaData, FailedItem, Manifest, Seconds, TimeSlice, write_manifest
from zounds_lite.errors import DeclarationError, EmptyDataset, InvalidItem

FORMATS = ["clips.csv", "clips.tsv", "clips.jsonl"]
every_format = pytest.mark.parametrize("name", FORMATS)


def exactly(items):
    """Compare types too."""
    return [repr(sorted(item.parameters.items())) for item in items]


@every_format
def test_items_come_back(tmp_path, name):
    texts = ["plain", "with, comma", 'with "quotes"', "with\nnewline", "with\rreturn", "with\r\nboth", "tab\there",
             "ünïcode 日本", " spaces ", "7 up", "'single'", "=1+1", "a;b|c", None]  # fmt: skip
    items = [
        AudioMetaData(
            uri=f"{tmp_path}/sub dir/{number},{number}.wav", licensing="CC0", label=number % 10, text=text,
            weight=number / 3, even=number % 2 == 0, code=f"{number:03d}", digits=str(number), whole=float(number),
        )
        for number, text in enumerate(texts)
    ]  # fmt: skip
    manifest = write_manifest(items, tmp_path / name)
    assert list(manifest) == items and exactly(manifest) == exactly(items)
    assert manifest.problems() == [] and len(manifest) == len(texts)
    assert manifest.types == ({} if name == "clips.jsonl" else {"digits": "str"})
    assert os.listdir(tmp_path) == [name]


@every_format
def test_stretches_and_urls_come_back(tmp_path, name):
    slices = [None, TimeSlice(start=Seconds(1.5)), TimeSlice(Seconds(2)), TimeSlice(Seconds(0.1), Seconds(1 / 3)),
              TimeSlice(start=np.timedelta64(123456789012345678, "ps"), duration=np.timedelta64(1, "ps"))]  # fmt: skip
    items = [AudioMetaData(uri="https://example.org/a.ogg", segment=ts, label=1) for ts in slices]
    items.append(AudioMetaData(uri="/else/where.wav", label=2, samplerate=44100))
    manifest = write_manifest(items, tmp_path / name)
    assert [item.segment for item in manifest] == [*slices, None]
    assert list(manifest) == items


def test_paths_move_with_their_folder(tmp_path):
    (tmp_path / "a").mkdir()
    items = [AudioMetaData(uri=f"{tmp_path}/a/x.wav"), AudioMetaData(uri=f"{tmp_path}/a b.wav")]
    write_manifest(items, tmp_path / "a" / "clips.csv")
    with open(tmp_path / "a" / "clips.csv", newline="") as file:
        assert list(csv.reader(file)) == [["path"], ["x.wav"], [f"{tmp_path}/a b.wav"]]
    os.rename(tmp_path / "a", tmp_path / "b")
    assert [item.uri for item in Manifest(tmp_path / "b" / "clips.csv")][0] == f"{tmp_path}/b/x.wav"


def test_what_json_alone_can_hold(tmp_path):
    items = [
        AudioMetaData(uri="/a.wav", tags=["x"], deep={"a": 1}, mixed=7, empty=""),
        AudioMetaData(uri="/b.wav", mixed="7"),
    ]
    assert list(write_manifest(items, tmp_path / "clips.jsonl")) == items
    with pytest.raises(InvalidItem, match=r"item 1: tags is \['x'\]; a CSV file holds text, finite numbers"):
        write_manifest(items, tmp_path / "clips.csv")
    with pytest.raises(InvalidItem, match=r"'mixed' is of several types \(int, str\); write .jsonl"):
        write_manifest([item.replace(tags=None, deep=1, empty=None) for item in items], tmp_path / "clips.csv")
    (item,) = write_manifest([AudioMetaData(uri="/a.wav", text="", label="x")], tmp_path / "clips.csv")
    assert item.extras == {"text": None, "label": "x"}  # as it says
    assert os.listdir(tmp_path) == ["clips.jsonl", "clips.csv"] or sorted(os.listdir(tmp_path)) == [
        "clips.csv", "clips.jsonl",
    ]  # fmt: skip


def test_numbers_of_numpy_are_numbers(tmp_path):
    items = [AudioMetaData(uri="/a.wav", label=np.int64(7), weight=np.float32(0.5), ok=np.bool_(True))]
    for name in FORMATS:
        (item,) = write_manifest(items, tmp_path / name)
        assert item.extras == {"label": 7, "weight": 0.5, "ok": True} and type(item.ok) is bool


def test_attributes_that_look_like_stretches(tmp_path):
    items = [AudioMetaData(uri="/a.wav", start="monday", duration=2.5)]
    for name in FORMATS:
        manifest = write_manifest(items, tmp_path / name)
        assert list(manifest) == items and manifest.segments is False
    mixed = [*items, AudioMetaData(uri="/b.wav", segment=TimeSlice(Seconds(1)))]
    with pytest.raises(InvalidItem, match="some items are stretches of recordings, and some have an attribute 'start'"):
        write_manifest(mixed, tmp_path / "mixed.csv")


@every_format
@pytest.mark.parametrize(
    "item, match",
    [
        (FailedItem("x.wav", InvalidItem("no label")), "item 2 cannot be made: x.wav: no label"),
        (AudioMetaData(uri=b"RIFF"), "item 2 is in memory; a manifest lists paths and URLs"),
        (AudioMetaData(uri="/a.wav", path="x"), "item 2: 'path' cannot be an attribute"),
        (AudioMetaData(uri="/a.wav", **{" x": 1}), "item 2: ' x' cannot be an attribute"),
        (AudioMetaData(uri="/a.wav", x=float("nan")), "item 2"),
        (AudioMetaData(uri="/a.wav", x=object()), "item 2"),
        (AudioMetaData(uri="/\udcff.wav"), "cannot be written as UTF-8; rename it"),
    ],
)
def test_what_cannot_be_written_leaves_nothing_behind(tmp_path, name, item, match):
    (tmp_path / name).write_text("what was there")
    with pytest.raises(InvalidItem, match=match):
        write_manifest([AudioMetaData(uri="/b.wav"), item], tmp_path / name)
    assert os.listdir(tmp_path) == [name] and (tmp_path / name).read_text() == "what was there"


def test_what_is_no_dataset_or_no_name(tmp_path):
    for items in ([], iter([AudioMetaData(uri="/a.wav")])):
        with pytest.raises(EmptyDataset, match="has no items, or gives them only once"):
            write_manifest(items, tmp_path / "clips.csv")
    with pytest.raises(DeclarationError, match="clips.xlsx': its name says no format; allowed: .csv, .tsv, .jsonl"):
        write_manifest(["/a.wav"], tmp_path / "clips.xlsx")
    assert os.listdir(tmp_path) == []


def test_a_list_of_paths_is_a_dataset(tmp_path):
    assert [item.uri for item in write_manifest(["/a.wav", "/b.wav"], tmp_path / "clips.csv")] == ["/a.wav", "/b.wav"]


def test_from_file_names_to_a_table_and_back(tmp_path):
    for digit in range(3):
        (tmp_path / f"{digit}_theo_{digit + 4}.wav").touch()
    digits = zounds.SpokenDigits(tmp_path, licensing="CC BY-SA 4.0")
    manifest = write_manifest(digits, tmp_path / "digits.csv")
    assert (tmp_path / "digits.csv").read_text() == (
        "path,licensing,label,speaker,take\n0_theo_4.wav,CC BY-SA 4.0,0,theo,4\n1_theo_5.wav,CC BY-SA 4.0,1,theo,5\n"
        "2_theo_6.wav,CC BY-SA 4.0,2,theo,6\n"
    )
    assert list(manifest) == list(digits)
