"""Archives as datasets: which members count, in which order, and what becomes of those that are refused."""

import os
import pickle
import re
import zipfile

import numpy as np
import pytest

import zounds_lite as zounds
from tests.datasets.documents_of_archives import HONEST, bound, recordings
from tests.featureflow.archive_files import KINDS, RawZip, link, write_archive, write_tar, write_zip
from tests.sounds import encoded, noise, sine
from zounds_lite import Archive, ArchiveLimits, ArchiveMember, Directory, featureflow as ff
from zounds_lite.errors import ArchiveError, DeclarationError
from zounds_lite.media import DecodeLimits

every_kind = pytest.mark.parametrize("kind", KINDS)


def names(dataset):
    return [item.uri.name for item in dataset]


@every_kind
def test_audio_members_come_in_the_order_of_the_archive(kind, tmp_path):
    dataset = Archive(write_archive(tmp_path / kind, recordings()))
    assert names(dataset) == HONEST
    assert (len(dataset), bool(dataset), names(dataset)) == (5, True, HONEST)


def test_items_are_metadata_with_members_sizes_and_attributes(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write_zip(tmp_path / "a.zip", recordings())
    item = next(iter(Archive("a.zip", licensing="CC0", collection="mine")))
    assert isinstance(item, zounds.AudioMetaData)
    assert item.uri == ArchiveMember(str(path), "b/first.wav")
    assert (item.size, item.licensing, item.collection) == (len(recordings()["b/first.wav"]), "CC0", "mine")
    assert pickle.loads(pickle.dumps(item)) == item


def test_it_prints_and_compares_by_what_it_was_given(tmp_path):
    assert repr(Archive("a.zip", licensing="CC0")) == "Archive('a.zip', licensing='CC0')"
    assert repr(Archive("a.zip", ArchiveLimits(members=5))).startswith(
        "Archive('a.zip', limits=ArchiveLimits(members=5"
    )
    assert Archive("a.zip") == Archive("a.zip") != Archive("a.zip", licensing="CC0")


def test_what_is_no_archive_is_an_error_of_the_call(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.zip' is no file"):
        list(Archive(tmp_path / "none.zip"))
    (tmp_path / "page.zip").write_bytes(b"<!doctype html>" + bytes(1000))
    with pytest.raises(ArchiveError, match=r"page\.zip' cannot be read: it is no zip archive"):
        list(Archive(tmp_path / "page.zip"))
    with pytest.raises(DeclarationError, match="allowed: an ArchiveLimits"):
        Archive("a.zip", limits=5)


@every_kind
@pytest.mark.parametrize("workers", [1, 2])
def test_an_archive_gives_what_its_files_in_a_folder_give(kind, workers, tmp_path):
    if workers == 2 and kind not in ("deflated.zip", "packed.tar.gz"):
        workers = 1
    path = write_archive(tmp_path / kind, recordings())
    for name in HONEST:
        file = tmp_path / "folder" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(recordings()[name])
    cls, other = bound(tmp_path / "store.zl"), bound(tmp_path / "other.zl")
    report = zounds.ingest(Archive(path), cls, workers=workers, progress=False)
    zounds.ingest(Directory(tmp_path / "folder"), other, progress=False)
    assert sorted(report.processed) == sorted(ArchiveMember(path, name).location for name in HONEST), report
    for name in HONEST:
        found, wanted = cls(ArchiveMember(path, name).location), other(str(tmp_path / "folder" / name))
        assert np.array_equal(np.asarray(found.fft), np.asarray(wanted.fft))
        assert np.array_equal(np.asarray(found.resampled), np.asarray(wanted.resampled))
        assert (found.meta["samplerate"], found.meta["uri"]) == (44100, found._id)
    again = zounds.ingest(Archive(path), cls, progress=False)
    assert (len(again.skipped), again.processed, again.failed) == (5, [], [])


@every_kind
def test_a_stretch_of_a_member_is_that_of_the_whole(kind, tmp_path):
    path = write_archive(
        tmp_path / kind, {"long.wav": encoded(noise(3.0), 44100), "long.mp3": encoded(noise(3.0), fmt="MP3")}
    )
    cls = bound(tmp_path / "store.zl")
    report = zounds.ingest(Archive(path), cls, progress=False)
    stretch = zounds.TimeSlice(start=zounds.Seconds(1), duration=zounds.Milliseconds(500))
    for _id in report.processed:
        whole = np.asarray(cls(_id).resampled[stretch])
        assert np.allclose(np.asarray(cls(_id)[stretch].resampled), whole, atol=1e-6)


def test_a_segment_of_a_member(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a.wav": encoded(noise(2.0), 44100)}, zipfile.ZIP_DEFLATED)
    (item,) = Archive(path)
    part = item.replace(segment=zounds.TimeSlice(start=zounds.Seconds(0.5), duration=zounds.Seconds(1)))
    cls = bound(tmp_path / "store.zl")
    report = zounds.ingest([item, part], cls, progress=False)
    assert report.processed == [f"zip:{path}!/a.wav", f"zip:{path}!/a.wav#t=0.5,1.5"]
    assert cls(report.processed[1]).meta["duration"] == 1.0


@pytest.mark.parametrize("kind", ["stored.zip", "deflated.zip", "packed.tar.gz"])
def test_members_are_decoded_in_a_process_of_their_own_where_that_is_asked_for(kind, tmp_path):
    path = write_archive(tmp_path / kind, {"a.wav": encoded(sine(440, 0.5), 44100)})

    item = next(iter(Archive(path)))
    (chunk,) = ff.ByteStream(chunksize=1 << 20).run([item])
    blocks = list(zounds.AudioStream(limits=DecodeLimits()).run([chunk]))
    assert sum(map(len, blocks)) == 22050


def test_what_is_refused_reaches_the_report_and_the_rest_goes_on(tmp_path):
    good = encoded(noise(0.2), 44100)
    raw = RawZip().add("good.wav", good).add("../evil.wav", good).add("secret.wav", b"xx", flags=0x801)
    raw.add("link.wav", b"/etc/passwd", attributes=0o120777 << 16).add("link.txt", b"/etc", attributes=0o120777 << 16)
    raw.add("twice.wav", good).add("twice.wav", good).add("inner.zip", b"PK\3\4").add("bad crc.wav", good, crc=7)
    raw.add("empty.wav", b"").add("page.wav", b"<!doctype html><html></html>").add("odd.txt", b"x", method=99)
    path = tmp_path / "a.zip"
    path.write_bytes(raw.add("last.wav", good).data())
    report = zounds.ingest(Archive(path), bound(tmp_path / "store.zl"), progress=False)
    assert report.processed == [f"zip:{path}!/good.wav", f"zip:{path}!/last.wav"]
    reasons = {failure.id.partition("!/")[2]: failure.reason for failure in report.failed}
    wanted = {
        "../evil.wav": "ArchiveError: .* has '..' in its name",
        "secret.wav": "is encrypted",
        "link.wav": "is a link or a device",
        "twice.wav": "more than once",
        "inner.zip": "an archive within the archive, which is not opened",
        "bad crc.wav": "checksum",
        "empty.wav": "EmptyAudio",
        "page.wav": "NotAudio: .* an HTML page",
        "odd.txt": "method 99",
    }
    assert set(reasons) == set(wanted)
    for name, why in wanted.items():
        assert re.search(why, reasons[name])
    again = zounds.ingest(Archive(path), bound(tmp_path / "store.zl"), progress=False)
    assert (len(again.skipped), again.known) == (2, 9)


def test_links_of_a_tar_reach_the_report_by_their_names(tmp_path):
    members = {"a.wav": encoded(noise(0.2), 44100), "b.wav": link("b.wav"), "readme": link("readme")}
    path = write_tar(tmp_path / "a.tar.gz", members)
    report = zounds.ingest(Archive(path), bound(tmp_path / "store.zl"), progress=False)
    assert [failure.id for failure in report.failed] == [f"tar:{path}!/b.wav"]
    assert len(report.processed) == 1


def test_an_archive_that_is_cut_gives_what_is_left_and_says_so(tmp_path):
    path = write_tar(
        tmp_path / "a.tar.gz", {f"{number}.wav": encoded(noise(0.3, seed=number), 44100) for number in range(5)}
    )
    path.write_bytes(path.read_bytes()[:-40_000])
    report = zounds.ingest(Archive(path), bound(tmp_path / "store.zl"), progress=False)
    assert len(report.processed) >= 2
    reasons = {failure.id: failure.reason for failure in report.failed}
    assert "end too soon" in reasons["the dataset itself"]
    assert all("end too soon" in reason for reason in reasons.values())


def test_nothing_is_unpacked(tmp_path, monkeypatch):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    path = write_zip(tmp_path / "a.zip", {"../../evil.wav": encoded(noise(0.2), 44100), **recordings()}, 8)
    before = sorted(os.listdir(tmp_path))
    zounds.ingest(Archive(path), bound(tmp_path / "store.zl"), progress=False)
    assert sorted(os.listdir(tmp_path)) == sorted([*before, "store.zl"])
    assert os.listdir(temporary) == []


def test_an_archive_that_changes_between_listing_and_reading(tmp_path):
    path = write_zip(tmp_path / "a.zip", {f"{n}.wav": encoded(noise(0.2, seed=n), 44100) for n in range(3)})
    items = list(Archive(path))
    write_zip(path, {"1.wav": encoded(noise(0.4), 44100)})
    report = zounds.ingest(items, bound(tmp_path / "store.zl"), progress=False)
    assert report.processed == [f"zip:{path}!/1.wav"]
    assert all("no member of that name" in failure.reason for failure in report.failed)
    assert len(report.failed) == 2


def test_a_new_archive_of_the_same_recordings_is_skipped_and_a_new_recording_is_not(tmp_path):
    members = {f"{n}.wav": encoded(noise(0.2, seed=n), 44100) for n in range(3)}
    path = write_zip(tmp_path / "a.zip", members)
    cls = bound(tmp_path / "store.zl")
    zounds.ingest(Archive(path), cls, progress=False)
    members["2.wav"] = encoded(noise(0.3, seed=9), 44100)
    write_zip(path, {**members, "3.wav": members["0.wav"]}, 8)
    report = zounds.ingest(Archive(path), cls, progress=False)
    assert [_id[-5:] for _id in report.processed] == ["2.wav", "3.wav"]
    assert len(report.skipped) == 2
