"""Labelled corpora on disk: labels come from names, folders and tables, as the types that they are."""

import pytest

import zounds_lite as zounds
from tests.sounds import sine, write
from zounds_lite import ESC50, GTZAN, FailedItem, SpokenDigits
from zounds_lite.errors import DatasetError, DeclarationError, EmptyDataset

HEADER = "filename,fold,target,category,esc10,src_file,take"


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def reasons(dataset):
    return {item.name: item.reason for item in dataset if isinstance(item, FailedItem)}


@pytest.mark.parametrize("inner", ["", "recordings/"])
def test_digits(tmp_path, inner):
    names = ["7_theo_12.wav", "0_george_0.wav", "3_mary_ann_4.wav", "12_theo_1.wav", "x_theo_1.wav", "7_theo.wav"]
    touch(tmp_path, *(inner + name for name in names), inner + "README.md")
    dataset = SpokenDigits(tmp_path, licensing="CC BY-SA 4.0")
    good = [item for item in dataset if not isinstance(item, FailedItem)]
    assert [(item.label, item.speaker, item.take) for item in good] == [
        (0, "george", 0), (3, "mary_ann", 4), (7, "theo", 12),
    ]  # fmt: skip
    assert good[0].uri == str(tmp_path / inner / "0_george_0.wav") and good[0].licensing == "CC BY-SA 4.0"
    assert len(dataset) == len(list(dataset)) == 6
    assert reasons(dataset) == dict.fromkeys(
        [str(tmp_path / inner / name) for name in names[3:]],
        "its name is not {digit}_{speaker}_{take}, as in 7_theo_12.wav",
    )


def esc50(folder, *rows, header=HEADER):
    touch(folder, "audio/x.wav", "meta/esc50.csv")
    (folder / "meta" / "esc50.csv").write_text("\n".join([header, *rows]) + "\n")
    return ESC50(folder)


def test_esc50(tmp_path):
    dataset = esc50(tmp_path, "1-100032-A-0.wav,1,0,dog,True,100032,A", "1-100038-A-14.wav,1,14,chirping_birds,False,"
                              "100038,A", "x.wav,one,2,cat,False,3,A", "y.wav,1,,cat,False,3,A", "z.wav,1")  # fmt: skip
    first, second, *bad = dataset
    assert first.uri == str(tmp_path / "audio" / "1-100032-A-0.wav")
    assert first.extras == {"fold": 1, "target": 0, "category": "dog", "esc10": True, "src_file": 100032, "take": "A",
                            "label": "dog"}  # fmt: skip
    assert (second.label, second.target, second.esc10) == ("chirping_birds", 14, False)
    assert [item.reason for item in bad] == [
        "the column 'fold': 'one' is no whole number",
        "its row in esc50.csv leaves the column 'target' empty",
        "it has 2 values for 7 columns (filename, fold, target, category, esc10, src_file, take); quote values that "
        "hold a ','",
    ]
    assert len(dataset) == 5


def test_esc50_types_do_not_depend_on_the_rows(tmp_path):
    (item,) = esc50(tmp_path, "a.wav,1,0,7,1,5,1")
    assert (item.category, item.label, item.take, item.esc10) == ("7", "7", "1", True)


def test_gtzan_folders(tmp_path):
    touch(tmp_path, "genres/rock/rock.00001.wav", "genres/blues/blues.00000.wav", "genres/blues/blues.00010.au",
          "genres/blues/jazz.00002.wav", "genres/blues/live.wav", "genres/stray.wav", "genres/input.mf")  # fmt: skip
    for path in (tmp_path, tmp_path / "genres"):
        dataset = GTZAN(path, licensing="none")
        good = [(item.label, item.track) for item in dataset if not isinstance(item, FailedItem)]
        assert good == [("blues", 0), ("blues", 10), ("blues", None), ("rock", 1)]
        assert reasons(dataset) == {
            str(tmp_path / "genres/blues/jazz.00002.wav"): "its name says jazz, and its folder blues",
            str(tmp_path / "genres/stray.wav"): "it lies in no genre's folder, so it has no label",
        }
        assert len(dataset) == 6


def test_what_is_missing_is_named_with_what_is_expected(tmp_path):
    for kind, match in (
        (SpokenDigits, "nowhere' is no folder; SpokenDigits expects a folder of files such as 7_theo_12.wav"),
        (ESC50, "nowhere' is no folder; ESC50 expects the folders audio and meta of ESC-50"),
        (GTZAN, "nowhere' is not there; GTZAN expects a folder for each genre, such as genres/blues/blues.00000.wav"),
    ):
        for action in (list, len):
            with pytest.raises(FileNotFoundError, match=match):
                action(kind(tmp_path / "nowhere"))
    with pytest.raises(
        FileNotFoundError, match="meta/esc50.csv' is missing; ESC50.* expects the folders audio and meta"
    ):
        list(ESC50(tmp_path))
    touch(tmp_path, "meta/esc50.csv")
    with pytest.raises(FileNotFoundError, match="audio' is missing"):
        list(ESC50(tmp_path))


def test_what_is_empty_says_so(tmp_path):
    for kind, match in (
        (SpokenDigits, "holds no audio; SpokenDigits expects files such as 7_theo_12.wav there"),
        (GTZAN, "holds no folder with audio; GTZAN expects a folder for each genre"),
    ):
        with pytest.raises(EmptyDataset, match=match):
            list(kind(tmp_path))
        assert len(kind(tmp_path)) == 0
    with pytest.raises(EmptyDataset, match="esc50.csv' lists nothing"):
        list(esc50(tmp_path))


def test_a_table_of_another_corpus_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="no column 'filename' names the recording"):
        list(esc50(tmp_path, "a.wav,1,0,dog,True,1,A", header=HEADER.replace("filename", "wav")))
    with pytest.raises(DatasetError, match="has no column 'fold'"):
        list(esc50(tmp_path, "a.wav,1,0,dog,True,1,A", header=HEADER.replace("fold", "split")))


@pytest.mark.parametrize("kind", [SpokenDigits, ESC50, GTZAN])
def test_corpora_are_declarations(kind):
    corpus = kind("folder", licensing="CC0")
    assert corpus == kind("folder", licensing="CC0") != kind("folder")
    assert kind.from_dict(corpus.to_dict()) == corpus and corpus
    assert repr(corpus) == f"{kind.__name__}(path='folder', licensing='CC0')"
    for name in ("label", "uri"):
        with pytest.raises(DeclarationError, match=f"{name}= cannot be put on each item"):
            kind("folder", **{name: 1})


def test_labels_arrive_on_documents(tmp_path):
    @zounds.simple_lmdb_settings(str(tmp_path / "store"), user_supplied_id=True)
    class Sound(zounds.resampled(store_ogg=False)):
        pass

    for name in ("7_theo_1.wav", "8_zoë_2.wav", "noise.wav"):
        write(tmp_path / name, sine(seconds=0.1, rate=8000), rate=8000)
    report = zounds.ingest(SpokenDigits(tmp_path), Sound, progress=False)
    assert len(report.processed) == 2 and [failure.id for failure in report.failed] == [str(tmp_path / "noise.wav")]
    found = [(s.meta["label"], s.meta["speaker"], s.meta["take"]) for s in Sound]
    assert sorted(found) == [(7, "theo", 1), (8, "zoë", 2)] and all(type(label) is int for label, _, _ in found)
