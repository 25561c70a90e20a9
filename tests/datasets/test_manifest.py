"""Manifests: what a table says arrives as it is, and a bad row is named and costs only itself."""

import json
import tracemalloc
import zipfile

import numpy as np
import pytest

import zounds_lite as zounds
from tests.sounds import encoded, sine, write
from zounds_lite import FailedItem, Manifest, Seconds, TimeSlice, write_manifest
from zounds_lite.errors import DatasetError, DeclarationError, EmptyDataset, InvalidItem


@pytest.fixture
def table(tmp_path):
    """Write a manifest; return its path."""

    def written(text, name="clips.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def bound_sound(folder):
    @zounds.simple_lmdb_settings(str(folder / "store"), user_supplied_id=True)
    class Sound(zounds.resampled(store_ogg=False)):
        pass

    return Sound


def extras(path, **arguments):
    return [item.extras for item in Manifest(path, **arguments)]


def reasons(path, **arguments):
    return [(item.number, item.reason) for item in Manifest(path, **arguments).problems()]


def test_columns_become_attributes_with_types(table, tmp_path):
    path = table("filename,label,fold,gain,esc10,code,note,licensing\nx/a.wav,dog,1,1.5,True,007,,CC0\n"
                 "b.wav,cat,2,2,False,012,\"a, b\",\n")  # fmt: skip
    manifest = Manifest(path)
    first, second = manifest
    assert first.uri == str(tmp_path / "x" / "a.wav") and first.licensing == "CC0" and second.licensing is None
    assert first.extras == {"label": "dog", "fold": 1, "gain": 1.5, "esc10": True, "code": "007", "note": None}
    assert second.extras == {"label": "cat", "fold": 2, "gain": 2.0, "esc10": False, "code": "012", "note": "a, b"}
    assert type(second.gain) is float and type(first.fold) is int
    assert manifest.columns() == {
        "filename": "str", "label": "str", "fold": "int", "gain": "float", "esc10": "bool", "code": "str",
        "note": "str", "licensing": "str",
    }  # fmt: skip
    assert len(manifest) == 2 and manifest.problems() == []


def test_types_can_be_said(table):
    path = table("path,label,n,code\na.wav,7,1,007\nb.wav,8,x,008\n")
    assert extras(path, types={"label": str, "code": "int"})[0] == {"label": "7", "n": "1", "code": 7}
    assert reasons(path, types={"n": int}) == [(3, "the column 'n': 'x' is no whole number")]
    with pytest.raises(DatasetError, match="has no column 'lable'; it has: path, label, n, code"):
        list(Manifest(path, types={"lable": str}))


def test_json_keeps_its_types(table, tmp_path):
    rows = [
        {"path": "a.wav", "label": 7, "tags": ["x", "y"], "weight": 1.0, "ok": True, "none": None, "deep": {"a": [1]}},
        {"url": "https://example.org/b.ogg", "label": "7", "licensing": "CC0"},
    ]
    path = table("\n".join(json.dumps(row) for row in rows) + "\n\n", "clips.jsonl")
    first, second = Manifest(path)
    assert (first.label, first.tags, first.weight, first.ok, first.none) == (7, ["x", "y"], 1.0, True, None)
    assert first.deep == {"a": [1]} and first.uri == str(tmp_path / "a.wav")
    assert (second.uri, second.label, second.licensing) == ("https://example.org/b.ogg", "7", "CC0")
    assert len(Manifest(path)) == 2 and Manifest(path).columns() == {}
    assert [item.label for item in Manifest(path, types={"label": str})] == ["7", "7"]


@pytest.mark.parametrize("name", ["path", "uri", "url", "file", "filename", "audio", "Filename", "FILE_NAME", " path "])
def test_the_column_of_paths(table, tmp_path, name):
    (item,) = Manifest(table(f"label,{name}\n7,a.wav\n"))
    assert item.uri == str(tmp_path / "a.wav") and item.extras == {"label": 7}


def test_one_of_several_columns_of_paths_is_taken_and_the_others_are_attributes(table, tmp_path):
    path = table("url,file,path\nhttps://x.org/a,old.wav,a.wav\n")
    (item,) = Manifest(path)
    assert item.uri == str(tmp_path / "a.wav")
    assert item.extras == {"url": "https://x.org/a", "file": "old.wav"} and item.request is None
    (item,) = Manifest(path, path_column="url")
    assert item.uri == "https://x.org/a"


def test_paths(table, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = table("path\na b.wav\n./é/ü.wav\n../x.wav\n/abs/y.wav\nHTTP://example.org/z.wav\nfile:///abs/a%20b.wav\n")
    wanted = ["a b.wav", "é/ü.wav", "../x.wav", "/abs/y.wav"]
    resolved = [str((tmp_path / name).resolve()) for name in wanted] + ["http://example.org/z.wav", "/abs/a b.wav"]
    assert [item.uri for item in Manifest(path)] == resolved
    assert [item.uri for item in Manifest("clips.csv")] == resolved
    assert next(iter(Manifest(path, root="/music"))).uri == "/music/a b.wav"
    assert next(iter(Manifest(path, root="sub/.."))).uri == str(tmp_path / "a b.wav")


def test_members_of_archives(table, tmp_path):
    with zipfile.ZipFile(tmp_path / "loops.zip", "w") as archive:
        archive.writestr("in/a.wav", encoded(sine(seconds=0.2, rate=8000), rate=8000))
    path = table("path,label\nzip:loops.zip!/in/a.wav,7\nzip:/abs/x.zip!/b.wav,8\n")
    first, second = Manifest(path)
    assert (first.uri, second.uri) == (f"zip:{tmp_path}/loops.zip!/in/a.wav", "zip:/abs/x.zip!/b.wav")
    cls = bound_sound(tmp_path)
    report = zounds.ingest(Manifest(path), cls, progress=False)
    assert report.processed == [first.uri] and cls(first.uri).meta["label"] == 7
    assert [item.uri for item in write_manifest(Manifest(path), tmp_path / "again.csv")] == [first.uri, second.uri]


def test_stretches(table, tmp_path):
    path = table("path,start,end,label\na.wav,1.5,3,x\na.wav,0:01:00,,y\na.wav,,,z\n")
    first, second, third = Manifest(path)
    assert first.segment == TimeSlice(start=Seconds(1.5), duration=Seconds(1.5)) and first.extras["label"] == "x"
    assert second.segment == TimeSlice(start=Seconds(60)) and third.segment is None
    assert "start" not in first.extras and "end" not in first.extras
    (item,) = Manifest(table('{"path": "a.wav", "start": 0.1, "duration": 0.2}', "c.jsonl"))
    assert item.segment == TimeSlice(start=Seconds(0.1), duration=Seconds(0.2))


def test_where_nothing_starts_a_duration_is_an_attribute(table):
    assert extras(table("path,duration\na.wav,2.5\n")) == [{"duration": 2.5}]
    path = table("path,start,duration\na.wav,2010-05-01,3\n")
    assert reasons(path)[0][1].startswith("start is '2010-05-01'; allowed: seconds, or hh:mm:ss; pass segments=False")
    assert extras(path, segments=False) == [{"start": "2010-05-01", "duration": 3}]


def test_bad_rows_are_named_and_cost_only_themselves(table):
    path = table(
        "path,label,start,duration,channels\n"
        "a.wav,1,,,\n"
        ",2,,,\n"  # 3: no path
        "b.wav,3\n"  # 4: too few
        "c.wav,4,,,,9\n"  # 5: too many
        "\n"  # 6: blank
        '"d\n\nd.wav",5,,,\n'  # 7: one row of three lines
        "e.wav,6,1,-1,\n"  # 8: negative
        'f.wav,"7"x,,,\n'  # 9: a broken quote
        "s3://bucket/g.wav,8,,,\n"  # 10: not fetched
        "h.wav,9,,,stereo\n"  # 11: no number
        "i.wav,10,0,1,2\n"
    )
    manifest = Manifest(path)
    items = list(manifest)
    assert [item.label for item in items if not isinstance(item, FailedItem)] == [1, 5, 10]
    assert len(manifest) == len(items) == 10
    found = {item.number: item.reason for item in manifest.problems()}
    for number, reason in {
        3: "the column 'path' is empty",
        4: "it has 2 values for 5 columns",
        5: "it has 6 values for 5 columns",
        8: "duration is -1, which is negative",
        9: "it is no CSV: ',' expected after '\"'",
        10: "allowed: a path, a URL of http or https, or zip:PATH!/NAME",
        11: "the column 'channels' holds 'stereo'; it needs a whole number",
    }.items():
        assert reason in found.pop(number)
    assert found == {}
    assert repr(manifest.problems()[0]) == f"{path}, row 3"


def test_bad_lines_of_json(table):
    lines = [
        '{"path": "a.wav"}', "{", '["a.wav"]', '{"label": 7}', '{"path": ""}', '{"path": 7}', '{"path": null}',
        '{"path": "b.wav", "x": NaN}', '{"path": "b.wav", "x": 1, "x": 2}', '{"path": "b.wav", "uri": "c.wav"}',
        '{"path": "b.wav", "segment": 1}', '{"path": "b.wav", "self": 1}', '{"path": "b.wav", "samplerate": -1}',
        '{"path": "b\\u0000.wav"}', "[" * 100_000, '{"path": "b.wav", "x": ' + "9" * 5000 + "}", '{"path": "z.wav"}',
    ]  # fmt: skip
    path = table("\n".join(lines), "clips.jsonl")
    found = dict(reasons(path))
    for number, reason in {
        2: "no JSON: Expecting property name",
        3: "it is a JSON list; each line needs an object",
        4: "no column names the recording; there are: label; allowed: path, uri",
        5: "the column 'path' is empty",
        6: "the column 'path' holds 7; it needs a path or a URL, as text",
        7: "the column 'path' is empty",
        8: "NaN is no number that JSON knows",
        9: "the name 'x' stands in it twice",
        10: "the column 'uri' has a name that every item uses for itself; rename it",
        11: "the column 'segment' has a name",
        12: "the column 'self' has a name",
        13: "the column 'samplerate' holds -1; it needs a whole number, 1 or more",
        14: "a NUL character",
        15: "no JSON",
        16: "no JSON",
    }.items():
        assert reason in found.pop(number)
    assert found == {}
    assert [item.uri[-5:] for item in Manifest(path) if not isinstance(item, FailedItem)] == ["a.wav", "z.wav"]
    assert repr(Manifest(path).problems()[0]) == f"{path}, line 2"


def test_a_missing_path_column_is_named(table):
    lines = table('{"wav": "a.wav"}\n{"wav": "b.wav", "path": "c.wav"}', "clips.jsonl")
    assert [item.uri[-5:] for item in Manifest(lines, path_column="wav")] == ["a.wav", "b.wav"]
    assert reasons(lines, path_column="path") == [(1, "no column 'path' names the recording; there are: wav")]


@pytest.mark.parametrize(
    "text, error, match",
    [
        ("", DatasetError, "is empty; its first row names the columns"),
        ("label,speaker\n7,theo\n", DatasetError, "no column names the recording; there are: label, speaker; allowed: "
                                                  "path, uri, url, file, filename, audio, or any other with path_col"),
        ("path,label,label\na.wav,1,2\n", DatasetError, "names the column 'label' twice"),
        ("path,segment\na.wav,1\n", DatasetError, "the column 'segment' has a name"),
        ('path,"lab\na.wav,1\n', DatasetError, "row 1, names no columns: it is no CSV"),
        ("path,label\n", EmptyDataset, "lists nothing: no row follows its header"),
        ("path,label\n\n\n", EmptyDataset, "lists nothing"),
        ("path\na.wav\n".encode("utf-16"), DatasetError, "is UTF-16; pass encoding='utf-16'"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt \x00\n", DatasetError, "names no columns: it holds a NUL character"),
    ],
)  # fmt: skip
def test_tables_that_can_give_no_item(table, text, error, match):
    with pytest.raises(error, match=match):
        list(Manifest(table(text)))


def test_files_of_json_that_are_no_lines(table):
    with pytest.raises(DatasetError, match="is one JSON array; a manifest has one object a line"):
        list(Manifest(table('[{"path": "a.wav"}]', "clips.json")))
    for text in ("", "\n \n"):
        with pytest.raises(EmptyDataset, match="lists nothing: it has no row"):
            list(Manifest(table(text, "clips.jsonl")))
        assert len(Manifest(table(text, "clips.jsonl"))) == 0


def test_a_missing_file_is_named(tmp_path):
    for action in (list, len, Manifest.problems, Manifest.columns):
        with pytest.raises(
            FileNotFoundError, match="nowhere.csv' is no file; a manifest is a CSV file whose first row"
        ):
            action(Manifest(tmp_path / "nowhere.csv"))
    with pytest.raises(FileNotFoundError, match="is a folder; a manifest is"):
        list(Manifest(tmp_path))


def test_dialects(table, tmp_path):
    for text, name in (
        ("path\tlabel\na.wav\t7\n", "x.tsv"), ("path;label\r\na.wav;7\r\n", "x.csv"), ("path|label\na.wav|7", "x.txt"),
        ("path\tlabel\ra.wav\t7\r", "x"), ('"path","label"\n"a.wav","7"\n', "y.csv"),
        ('{"path": "a.wav", "label": 7}\n', "x.manifest"), ("\ufeffpath,label\na.wav,7\n", "z.csv"),
        ('\ufeff{"path": "a.wav", "label": 7}\n', "z.jsonl"), ("\n\npath,label\n\na.wav,7\n", "w.csv"),
    ):  # fmt: skip
        (item,) = Manifest(table(text, name))
        assert (item.uri, item.label) == (str(tmp_path / "a.wav"), 7), name
    (item,) = Manifest(table("path:label\na.wav:7\n"), delimiter=":")
    assert item.label == 7
    assert extras(table(",path,\n0,a.wav,x\n")) == [{"column_1": 0, "column_3": "x"}]  # as pandas writes its index


def test_encodings(table, tmp_path):
    path = table("path,label\né.wav,ü\n日本.wav,x\n")
    assert [item.uri for item in Manifest(path)] == [str(tmp_path / "é.wav"), str(tmp_path / "日本.wav")]
    latin = table("path,label\na.wav,x\né.wav,ü\nb.wav,y\n".encode("latin-1"))
    assert reasons(latin) == [(3, "it is no utf-8; save the file as UTF-8, or pass encoding=")]
    assert [item.label for item in Manifest(latin, encoding="latin-1")] == ["x", "ü", "y"]
    assert extras(table("path,label\na.wav,ü\n".encode("utf-16")), encoding="utf-16") == [{"label": "ü"}]


def test_rows_that_nobody_wrote(table):
    path = table("path,label\na.wav,1\nb.wav," + "x" * 3_000_000 + "\nc.wav,3\nd\0.wav,4\n")
    assert [number for number, _ in reasons(path)] == [3, 5]
    assert "longer than 1,048,576 characters" in reasons(path)[0][1] and "NUL" in reasons(path)[1][1]
    unclosed = table('path,label\na.wav,1\nb.wav,"2\n' + "c.wav,3\n" * 10)
    assert reasons(unclosed) == [
        (3, "it is no CSV: unexpected end of data; a quote that stays open takes lines 3 to 13 together")
    ]
    long = table('path,label\na.wav,"1\n' + "b.wav,2\n" * 50_000)
    (number, reason), *rest = reasons(long)
    assert number == 2 and "field larger than field limit" in reason and "lines 2 to 1" in reason and not rest
    assert sum(1 for _ in Manifest(long)) > 30_000  # what follows is read again
    lines = table('{"path": "a.wav"}\n{"path": "' + "x" * 3_000_000 + '"}\n{"path": "b.wav"}\n', "x.jsonl")
    assert [number for number, _ in reasons(lines)] == [2]


def test_attributes_fill_what_rows_leave_open(table):
    path = table("path,label,licensing\na.wav,1,CC0\nb.wav,,\n")
    items = list(Manifest(path, label=9, licensing="mine", collection="x"))
    assert [(item.label, item.licensing, item.collection) for item in items] == [(1, "CC0", "x"), (9, "mine", "x")]


def test_each_iteration_starts_anew_and_sees_changes(table):
    path = table("path,label\na.wav,1\n")
    manifest = Manifest(path)
    assert list(manifest) == list(manifest)
    table("path,label\na.wav,x\nb.wav,2\n")
    assert [item.label for item in manifest] == ["x", "2"] and len(manifest) == 2


def test_a_manifest_is_a_declaration(table):
    manifest = Manifest("clips.csv", types={"label": str}, segments=False, collection="mine")
    assert repr(manifest) == "Manifest('clips.csv', types={'label': 'str'}, segments=False, collection='mine')"
    assert repr(Manifest("clips.csv")) == "Manifest('clips.csv')"
    assert Manifest.from_dict(manifest.to_dict()) == manifest != Manifest("clips.csv")
    assert manifest.replace(segments=True).attributes == {"collection": "mine"}


@pytest.mark.parametrize(
    "arguments, match",
    [({"uri": "x"}, "uri= cannot be put on each item"), ({"segment": 1}, "segment= cannot"),
     ({"delimiter": ";;"}, "one character"), ({"delimiter": '"'}, "one character"),
     ({"encoding": "klingon"}, "encoding='klingon' is unknown"), ({"types": {"x": list}}, "no kind of column")],
)  # fmt: skip
def test_wrong_arguments(arguments, match):
    with pytest.raises(DeclarationError, match=match):
        Manifest("clips.csv", **arguments)


def test_long_tables_take_little_memory(table):
    rows = 10_000
    path = table("path,label,speaker\n" + "".join(f"a/{row}.wav,{row % 10},speaker {row}\n" for row in range(rows)))
    manifest = Manifest(path)
    len(manifest), list(zip(manifest, range(10), strict=False))  # what is made once
    tracemalloc.start()
    try:
        assert sum(item.label for item in Manifest(path)) == sum(row % 10 for row in range(rows))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_labels_arrive_on_documents(table, tmp_path):
    cls = bound_sound(tmp_path)
    for name in ("a.wav", "b.wav"):
        write(tmp_path / name, sine(seconds=0.4, rate=8000), rate=8000)
    path = table("path,label,speaker,fold,ok,code,start,duration\na.wav,7,theo,1,true,007,,\n,8,x,1,true,1,,\n"
                 "b.wav,8,zoë,2,false,008,0.1,0.2\ngone.wav,9,y,2,true,009,,\na.wav,7,theo,1,true,007,,\n")  # fmt: skip
    report = zounds.ingest(Manifest(path), cls, progress=False)
    a, b = str(tmp_path / "a.wav"), f"{tmp_path / 'b.wav'}#t=0.1,0.3"
    assert report.processed == [a, b] and len(report.failed) == 3
    reported = {failure.id: failure.reason for failure in report.failed}
    assert reported[f"{path}, row 3"] == "InvalidItem: the column 'path' is empty"
    assert "no file" in reported[str(tmp_path / "gone.wav")] and "another item has the id" in reported[a]
    found = {name: cls(a).meta[name] for name in ("label", "speaker", "fold", "ok", "code")}
    assert found == {"label": 7, "speaker": "theo", "fold": 1, "ok": True, "code": "007"}
    assert cls(b).meta["speaker"] == "zoë" and cls(b).meta["duration"] == 0.2
    again = zounds.ingest(Manifest(path), cls, progress=False)
    assert again.skipped == [a, b] and len(again.failed) == 3


def test_an_edited_label_makes_its_document_anew_and_no_other(table, tmp_path):
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).write_bytes(encoded(sine(440, 0.1, 8000), 8000))
    sound = bound_sound(tmp_path)
    for text, processed in (("7", ["a", "b"]), ("7", []), ("8", ["a"])):
        report = zounds.ingest(Manifest(table(f"path,label\na.wav,{text}\nb.wav,7\n")), sound, progress=False)
        assert sorted(str(_id)[-5] for _id in report.processed) == processed and not report.failed
    assert sorted(document.meta["label"] for document in sound) == [7, 8]


def test_rows_go_to_worker_processes(table, tmp_path):
    from tests.datasets.documents import bound, write_pages

    paths = write_pages(tmp_path / "pages", ["a", "b", "c"])
    lines = "".join(f"{path},{number}\n" for number, path in enumerate(paths))
    path = table(f"path,label\n{lines},3\n")
    cls = bound(tmp_path / "store")
    items = [item if isinstance(item, FailedItem) else item.uri for item in Manifest(path)]
    report = zounds.ingest(items, cls, workers=2, progress=False)
    assert sorted(report.processed) == paths and [failure.id for failure in report.failed] == [f"{path}, row 5"]


def test_nonsense_never_breaks_off_a_run(table):
    rng = np.random.default_rng(0)
    pieces = [b"path,label\n", b"a.wav,1\n", b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"{", b"}", b'{"path": "a"}\n',
              b"start", b"1:00", b"-1", "é".encode(), b"[", b"\\", b"\xef\xbb\xbf", b"NaN", b";", b"\t"]  # fmt: skip
    for trial in range(300):
        text = b"".join(pieces[at] for at in rng.integers(0, len(pieces), rng.integers(1, 30)))
        text = b"path,label,start\na.wav,1,\n" + text if trial % 2 else text
        path = table(text, ["x.csv", "x.jsonl", "x"][trial % 3])
        try:
            items = list(Manifest(path))
        except DatasetError:
            continue
        assert len(items) == len(Manifest(path))
        assert all(isinstance(item, (FailedItem, zounds.AudioMetaData)) for item in items)


def test_invalid_items_are_values_too():
    assert issubclass(InvalidItem, ValueError) and issubclass(InvalidItem, DatasetError)
