"""Members of archives as files: the same bytes from every kind, found again by text, and nothing that does harm."""

import gzip
import io
import json
import os
import pickle
import tarfile
import threading
import zipfile

import pytest

from tests.featureflow.archive_files import (
    KINDS,
    MEMBERS,
    RawZip,
    deflated,
    link,
    quine,
    write_archive,
    write_tar,
    write_zip,
)
from zounds_lite import featureflow as ff
from zounds_lite.errors import ArchiveError, DeclarationError, FeatureNotComputable
from zounds_lite.featureflow import memberfiles, openarchives
from zounds_lite.featureflow.archivelimits import ArchiveLimits
from zounds_lite.featureflow.archives import ArchiveMember, list_members, member_of

every_kind = pytest.mark.parametrize("kind", KINDS)


def listed(path, limits=None):
    return {entry.name: entry for _, entry in list_members(path, limits)}


@every_kind
def test_members_are_listed_in_order_and_read_from_anywhere(kind, tmp_path):
    found = list(list_members(write_archive(tmp_path / kind)))
    assert [entry.name for _, entry in found] == list(MEMBERS)
    for member, entry in found:
        data = MEMBERS[member.name]
        with member.open() as file:
            assert (file.read(), file.read(), entry.size, entry.refused) == (data, b"", len(data), None)
            assert (file.seek(3), file.read(4), file.tell()) == (3, data[3:7], 3 + len(data[3:7]))
            assert (file.seek(-2, os.SEEK_END) if data else 0, file.read()) == (max(0, len(data) - 2), data[-2:])
        assert member.head(7) == data[:7]


@every_kind
def test_any_order_and_any_text_form_gives_the_same(kind, tmp_path):
    path = write_archive(tmp_path / kind)
    texts = [member.location for member, _ in list_members(path)]
    for text in reversed(texts):
        member = member_of(text)
        assert member == ArchiveMember(str(path), member.name)
        assert member.open().read() == MEMBERS[member.name]


@every_kind
@pytest.mark.parametrize("form", ["member", "text", "meta"])
def test_a_byte_stream_takes_members_in_every_form(kind, form, tmp_path):
    member = ArchiveMember(write_archive(tmp_path / kind), "folder/ünïcode name!.bin")
    value = {"member": member, "text": str(member), "meta": {"uri": member.location}}[form]
    chunks = list(ff.ByteStream(chunksize=1000).run([value]))
    assert b"".join(chunks) == MEMBERS[member.name]
    assert chunks[0].total_length == len(MEMBERS[member.name])


@pytest.mark.parametrize(
    ("archive", "name", "text"),
    [
        ("/a/b.zip", "c.wav", "zip:/a/b.zip!/c.wav"),
        ("/a/b.TAR.gz", "c.wav", "tar:/a/b.TAR.gz!/c.wav"),
        ("/a/b.tgz", "/c.wav", "tar:/a/b.tgz!//c.wav"),
        ("/a!/b.zip", "c!/d.wav", "zip:/a%21/b.zip!/c!/d.wav"),
        ("/ä/100%.zip", "ü #1%20.wav", "zip:/ä/100%25.zip!/ü %231%2520.wav"),
        ("/a/b.zip", "line\nbreak\udcff.wav", "zip:/a/b.zip!/line%0Abreak%FF.wav"),
        ("/a/b.zip", "../../etc/passwd", "zip:/a/b.zip!/../../etc/passwd"),
    ],
)
def test_the_text_form_is_exact(archive, name, text):
    member = ArchiveMember(archive, name)
    assert (member.location, str(member)) == (text, text)
    assert member_of(text) == member
    text.encode("utf-8")


@pytest.mark.parametrize(
    "text", ["a.zip", "zip:a.zip", "zip:!/a", "zip:/a.zip!/", "https://example.org/a.zip!/b", 7, b"zip:/a!/b", None]
)
def test_what_is_no_member_is_none(text):
    assert member_of(text) is None


def test_a_relative_archive_has_an_absolute_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_zip(tmp_path / "a.zip")
    assert ArchiveMember("a.zip", "a.bin").location == f"zip:{tmp_path}/a.zip!/a.bin"
    assert ArchiveMember("a.zip", "a.bin").open().read() == MEMBERS["a.bin"]


def test_members_are_values(tmp_path):
    path = write_zip(tmp_path / "a.zip")
    placed, _ = next(list_members(path))
    assert placed == ArchiveMember(path, "a.bin")
    assert hash(placed) == hash(ArchiveMember(path, "a.bin"))
    sent = pickle.loads(pickle.dumps(placed))
    assert (sent, sent.fingerprint()) == (placed, placed.fingerprint())
    assert sent.__dict__["_place"] == placed.__dict__["_place"]


@pytest.mark.parametrize("arguments", [("", "a"), ("a.zip", ""), ("a.zip", 7), ("a.zip", "a", 7), ("a\0.zip", "a")])
def test_what_names_nothing_is_refused(arguments):
    with pytest.raises(DeclarationError, match="allowed"):
        ArchiveMember(*arguments)


def test_what_is_not_there_says_what(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.zip' is no file"):
        ArchiveMember(tmp_path / "none.zip", "a").open()
    with pytest.raises(FileNotFoundError, match="no member of that name"):
        ArchiveMember(write_zip(tmp_path / "a.zip"), "a").open()


def test_large_members_go_to_a_file_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(memberfiles, "IN_MEMORY", 1000)
    monkeypatch.setattr(openarchives, "IN_MEMORY", 1000)
    path = write_zip(tmp_path / "a.zip", method=zipfile.ZIP_DEFLATED)
    files = [member.open() for member, _ in list_members(path)]
    assert [file.read() for file in files] == list(MEMBERS.values())
    assert [file.again().read(5) for file in files] == [data[:5] for data in MEMBERS.values()]


def test_a_member_is_decompressed_once_for_several_readers(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "a.zip", method=zipfile.ZIP_DEFLATED)
    begun = []
    real = openarchives.spooled
    monkeypatch.setattr(openarchives, "spooled", lambda *arguments: begun.append(1) or real(*arguments))
    member = ArchiveMember(path, "last.bin")
    assert [member.open().read() for _ in range(3)] == [MEMBERS["last.bin"]] * 3
    assert len(begun) == 1


def test_an_archive_is_listed_once_and_again_when_it_changes(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "a.zip", {f"{number}.bin": b"x" for number in range(50)})
    begun = []
    real = openarchives.read_zip
    monkeypatch.setattr(openarchives, "read_zip", lambda *arguments: begun.append(1) or real(*arguments))
    assert all(ArchiveMember(path, f"{number}.bin").open().read() == b"x" for number in range(50))
    assert len(begun) == 1
    write_zip(path, {"0.bin": b"other"})
    assert ArchiveMember(path, "0.bin").open().read() == b"other"
    assert len(begun) == 2


def test_a_place_that_was_sent_along_needs_no_list(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "a.zip")
    sent = [pickle.dumps(member) for member, _ in list_members(path)]
    monkeypatch.setattr(openarchives, "_ARCHIVES", openarchives._Archives())
    monkeypatch.setattr(openarchives, "read_zip", lambda *arguments: pytest.fail("listed again"))
    assert [pickle.loads(raw).open().read() for raw in sent] == list(MEMBERS.values())


@pytest.mark.parametrize("kind", ["deflated.zip", "packed.tar.gz"])
def test_threads_read_one_archive(kind, tmp_path):
    members = {f"{number}.bin": bytes([number]) * 50_000 for number in range(40)}
    path = write_archive(tmp_path / kind, members)
    wrong = []

    def read(numbers):
        for number in numbers:
            if ArchiveMember(path, f"{number}.bin").open().read() != members[f"{number}.bin"]:
                wrong.append(number)

    threads = [threading.Thread(target=read, args=(range(start, 40, 4),)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@pytest.mark.parametrize("kind", ["stored.zip", "deflated.zip", "packed.tar.gz"])
def test_a_fork_reads_on(kind, tmp_path):
    path = write_archive(tmp_path / kind)
    files = {member.name: member.open() for member, _ in list_members(path)}
    files["last.bin"].read(10)
    openarchives._ARCHIVES._lock.acquire()
    child = os.fork()
    if child == 0:
        good = all(ArchiveMember(path, name).open().read() == data for name, data in MEMBERS.items())
        os._exit(0 if good and files["last.bin"].read() == MEMBERS["last.bin"][10:] else 1)
    openarchives._ARCHIVES._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert files["last.bin"].read() == MEMBERS["last.bin"][10:]


def test_members_of_a_compressed_tar_in_order_cost_one_pass(tmp_path, monkeypatch):
    members = {f"{number}.bin": os.urandom(100_000) for number in range(30)}
    path = write_archive(tmp_path / "a.tar.gz", members)
    found = list(list_members(path))
    begun = []
    real = openarchives.Unpacked
    monkeypatch.setattr(openarchives, "Unpacked", lambda *arguments: begun.append(1) or real(*arguments))
    assert [member.open().read() for member, _ in found] == list(members.values())
    assert len(begun) == 1
    assert found[3][0].open().read() == members["3.bin"]  # going back begins anew
    assert len(begun) == 2


# what archives look like elsewhere


def test_zip64_comments_and_bytes_in_front(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in MEMBERS.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
        archive.comment = b"PK\5\6 is how an end begins"
    path.write_bytes(b"#!/bin/sh\nexit\n" + path.read_bytes())
    assert {member.name: member.open().read() for member, _ in list_members(path)} == MEMBERS


def test_more_members_than_two_bytes_count(tmp_path):
    raw = RawZip()
    for number in range(66_000):
        raw.add(f"{number}", b"x")
    for data in (raw.large_data(), raw.data()):  # many programs write the number modulo 65536
        path = tmp_path / "a.zip"
        path.write_bytes(data)
        assert len(listed(path)) == 66_000
        assert ArchiveMember(path, "65999").open().read() == b"x"


def test_names_that_are_no_unicode(tmp_path):
    path = tmp_path / "a.zip"
    raw = RawZip().add("caf?.bin", b"old", flags=0).data().replace(b"caf?", b"caf\x82")
    path.write_bytes(raw)
    assert list(listed(path)) == ["café.bin"]
    assert ArchiveMember(path, "café.bin").open().read() == b"old"
    tar = write_tar(tmp_path / "a.tar", {"caf\udce9.bin": b"latin"}, format=tarfile.GNU_FORMAT)
    (member,) = [member for member, _ in list_members(tar)]
    assert member.location.endswith("!/caf%E9.bin")
    assert member_of(member.location).open().read() == b"latin"


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tars_of_every_format(form, tmp_path):
    long = "a folder with a long name/" * (4 if form == tarfile.USTAR_FORMAT else 20) + "file.bin"
    members = {long: b"long", "b.bin": b"short"}
    if form != tarfile.USTAR_FORMAT:
        members["ü" * 200] = b"unicode"
    path = write_tar(tmp_path / "a.tar", members, format=form)
    assert {member.name: member.open().read() for member, _ in list_members(path)} == members


def test_several_gzip_streams_and_a_padded_tape(tmp_path):
    raw = write_tar(tmp_path / "a.tar").read_bytes()
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(raw[:1000]) + gzip.compress(raw[1000:]) + bytes(10_000))
    assert {member.name: member.open().read() for member, _ in list_members(path)} == MEMBERS


def test_empty_archives_hold_nothing(tmp_path):
    assert listed(write_zip(tmp_path / "a.zip", {})) == {}
    assert listed(write_tar(tmp_path / "a.tar", {})) == {}


# what is refused


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../a.wav", r"'\.\.' in its name"),
        ("a/../../b.wav", r"'\.\.' in its name"),
        ("/etc/passwd", "absolute path"),
        ("C:/a.wav", "drive letter"),
        ("a\\..\\b.wav", "backslash"),
    ],
)
@pytest.mark.parametrize("kind", ["deflated.zip", "plain.tar", "packed.tar.gz"])
def test_names_that_lead_elsewhere_are_refused_and_the_rest_is_read(name, why, kind, tmp_path):
    path = write_archive(tmp_path / kind, {"a.bin": b"good", name: b"bad", "b.bin": b"good"})
    with pytest.raises(ArchiveError, match=why):
        ArchiveMember(path, name).open()
    assert [ArchiveMember(path, good).open().read() for good in ("a.bin", "b.bin")] == [b"good"] * 2


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_of_a_tar_are_refused(kind, tmp_path):
    path = write_tar(tmp_path / "a.tar", {"a.bin": b"good", "link": link("link", kind, "a.bin"), "b.bin": b"good"})
    with pytest.raises(ArchiveError, match="is a (link|device|pipe)"):
        ArchiveMember(path, "link").open()
    assert ArchiveMember(path, "b.bin").open().read() == b"good"


def test_links_of_a_zip_and_encrypted_members_are_refused(tmp_path):
    path = tmp_path / "a.zip"
    raw = RawZip().add("link", b"/etc/passwd", attributes=0o120777 << 16).add("secret", b"xxxx", flags=0x801)
    path.write_bytes(raw.add("odd", b"xx", method=99).add("good", b"good", attributes=0o100644 << 16).data())
    for name, why in (("link", "link or a device"), ("secret", "encrypted"), ("odd", "method 99; allowed: stored")):
        with pytest.raises(ArchiveError, match=why):
            ArchiveMember(path, name).open()
    assert ArchiveMember(path, "good").open().read() == b"good"


@pytest.mark.parametrize("kind", ["stored.zip", "plain.tar", "packed.tar.xz"])
def test_a_name_that_is_there_twice_is_refused(kind, tmp_path):
    path = tmp_path / kind
    if path.suffix == ".zip":
        path.write_bytes(RawZip().add("a", b"one").add("b", b"good").add("a", b"two").data())
    else:
        mode = "w:xz" if path.suffix == ".xz" else "w"
        with tarfile.open(path, mode) as archive:
            for name in ("a", "b", "a"):
                info = tarfile.TarInfo(name)
                info.size = 4
                archive.addfile(info, io.BytesIO(b"good"))
    assert list(listed(path)) == ["a", "b"]
    with pytest.raises(ArchiveError, match="more than once"):
        ArchiveMember(path, "a").open()
    assert ArchiveMember(path, "b").open().read() == b"good"


def test_members_that_overlap_are_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    path.write_bytes(quine())
    found = listed(path)
    assert len(found) == 200
    assert all("shares bytes" in entry.refused for entry in found.values())


def test_a_ratio_is_refused_beyond_a_size_and_allowed_on_request(tmp_path):
    path = write_zip(tmp_path / "a.zip", {"silence": bytes(1 << 20), "b": b"good"}, zipfile.ZIP_DEFLATED)
    strict = ArchiveLimits(ratio_from=1 << 19)
    with pytest.raises(ArchiveError, match=r"ratio=\d+\) if you trust it"):
        ArchiveMember(path, "silence", strict).open()
    assert ArchiveMember(path, "b", strict).open().read() == b"good"
    assert len(ArchiveMember(path, "silence", strict.replace(ratio=2000)).open().read()) == 1 << 20
    assert len(ArchiveMember(path, "silence").open().read()) == 1 << 20  # so little does no harm
    undo = ff.set_archive_limits(strict)
    with pytest.raises(ArchiveError, match="more than 200 of each"):
        ArchiveMember(path, "silence").open()
    undo()


def test_a_compressed_tar_that_swells_ends_there(tmp_path):
    members = {"a.bin": os.urandom(10_000), "bomb.bin": bytes(8 << 20), "b.bin": b"behind"}
    path = write_archive(tmp_path / "a.tar.gz", members)
    strict = ArchiveLimits(ratio_from=1 << 20)
    found = []
    with pytest.raises(ArchiveError, match="more than 200 of each"):
        for member, _ in list_members(path, strict):
            found.append(member)
    assert [member.name for member in found] == ["a.bin", "bomb.bin"]
    assert found[0].open().read() == members["a.bin"]
    with pytest.raises(ArchiveError, match="more than 200 of each"):
        found[1].open()


@pytest.mark.parametrize("kind", ["deflated.zip", "plain.tar", "packed.tar.gz"])
@pytest.mark.parametrize(
    ("limits", "why"),
    [(ArchiveLimits(members=4), "more than 4 members"), (ArchiveLimits(total_bytes=150_000), "more than 150000 bytes")],
)
def test_too_much_in_all_is_refused(kind, limits, why, tmp_path):
    with pytest.raises(ArchiveError, match=why):
        list(list_members(write_archive(tmp_path / kind), limits))


@pytest.mark.parametrize("kind", ["deflated.zip", "plain.tar"])
def test_a_member_that_is_too_large_is_refused_alone(kind, tmp_path):
    found = listed(write_archive(tmp_path / kind), ArchiveLimits(member_bytes=1000))
    assert [name for name, entry in found.items() if entry.refused] == ["folder/ünïcode name!.bin", "last.bin"]


def test_a_count_that_is_claimed_is_refused_before_anything_is_read(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(RawZip().add("a", b"x").data(count=5000))
    with pytest.raises(ArchiveError, match="more than 1000 members"):
        list(list_members(path, ArchiveLimits(members=1000)))
    with pytest.raises(ArchiveError, match="lists 1 members and claims 5000"):
        list(list_members(path))


@pytest.mark.parametrize(
    "limit", [{"members": 0}, {"member_bytes": 1.5}, {"total_bytes": True}, {"ratio": 0}, {"ratio": "2"}]
)
def test_limits_that_allow_nothing_are_refused(limit):
    with pytest.raises(DeclarationError, match="allowed"):
        ArchiveLimits(**limit)


def test_a_size_that_is_not_true_is_seen(tmp_path):
    path = tmp_path / "a.zip"
    packed = deflated(b"x" * 1000)
    for size in (10, 5000):
        path.write_bytes(RawZip().add("a", packed, size=size, method=8).data())
        with pytest.raises(ArchiveError, match="archive says"):
            ArchiveMember(path, "a").open()


@pytest.mark.parametrize("method", [0, 8])
def test_a_checksum_that_does_not_fit_is_seen(method, tmp_path):
    path = write_zip(tmp_path / "a.zip", {"a": b"x" * 1000}, zipfile.ZIP_STORED)
    data = b"x" * 1000 if method == 0 else deflated(b"x" * 1000)
    path.write_bytes(RawZip().add("a", data, size=1000, method=method, crc=7).data())
    with pytest.raises(ArchiveError, match="checksum"):
        ArchiveMember(path, "a").open().read()


def test_a_header_that_says_something_else_is_seen(tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(RawZip().add("a.wav", b"x", local="b.wav").data())
    with pytest.raises(ArchiveError, match="something else than the directory"):
        ArchiveMember(path, "a.wav").open()


@pytest.mark.parametrize("kind", ["deflated.zip", "plain.tar", "packed.tar.gz", "packed.tar.bz2", "packed.tar.xz"])
def test_archives_that_are_cut_anywhere_are_typed_errors(kind, tmp_path):
    raw = write_archive(tmp_path / kind).read_bytes()
    for cut in [*range(0, len(raw) - 1, max(1, len(raw) // 40)), len(raw) - 30]:
        path = tmp_path / f"{cut} {kind}"
        path.write_bytes(raw[:cut])
        seen = []
        try:
            for member, entry in list_members(path):
                seen.append(member.name)
                assert entry.refused or member.open().read() == MEMBERS[member.name]
        except ArchiveError:
            pass
        assert seen == list(MEMBERS)[: len(seen)]


@pytest.mark.parametrize("kind", KINDS)
def test_archives_with_any_byte_changed_are_typed_errors(kind, tmp_path):
    raw = write_archive(tmp_path / kind, {"a.bin": b"abc" * 50, "b.bin": b"de" * 70}).read_bytes()
    path = tmp_path / "x"
    for at in range(0, len(raw), max(1, len(raw) // 400)):
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 0xFF]) + raw[at + 1 :])
        try:
            for member, entry in list_members(path):
                if not entry.refused:
                    member.open().read()
        except (ArchiveError, FileNotFoundError):
            pass


def test_a_damaged_header_of_a_tar_is_told_from_its_end(tmp_path):
    raw = bytearray(write_tar(tmp_path / "a.tar", {"a": b"1", "b": b"2", "c": b"3"}).read_bytes())
    raw[1024 + 10] ^= 1
    path = tmp_path / "b.tar"
    path.write_bytes(raw)
    found = []
    with pytest.raises(ArchiveError, match="a header is damaged, 1024 bytes in"):
        for member, _ in list_members(path):
            found.append(member.name)
    assert found == ["a"]


@pytest.mark.parametrize(
    "data", [b"", b"no archive", b"\x1f\x8b", gzip.compress(b"no tar" * 500), b"PK\3\4" + bytes(600)]
)
def test_what_is_no_archive_is_refused(data, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=r"a\.zip"):
        list(list_members(path))


def test_names_of_any_length_take_no_memory(tmp_path):
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, 50 << 20
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf() + bytes(4096))
    with pytest.raises(ArchiveError, match="names of 52428800 bytes"):
        list(list_members(path))


def test_one_of_several_parts_is_refused(tmp_path):
    path = tmp_path / "a.zip"
    raw = RawZip().add("a", b"x").data()
    at = raw.rindex(b"PK\5\6")
    path.write_bytes(raw[: at + 4] + b"\1\0\1\0" + raw[at + 8 :])
    with pytest.raises(ArchiveError, match="one of several parts"):
        list(list_members(path))


# members as sources of documents


class Length(ff.Node):
    """How many bytes come by, and so many more."""

    def __init__(self, more=0, needs=None):
        super().__init__(needs=needs)
        self.more = more
        self._total = 0

    def _process(self, data):
        self._total += len(data)
        yield from ()

    def _last_chunk(self):
        yield self._total + self.more


class Text(ff.BaseModel):
    """The bytes of a source, and their number; only the number is stored."""

    raw = ff.ByteStreamFeature(ff.ByteStream, chunksize=1000, store=False)
    length = ff.JSONFeature(Length, needs=raw, store=True)
    again = ff.JSONFeature(Length, more=1, needs=raw, store=False)


@pytest.fixture
def document(tmp_path):
    return ff.simple_in_memory_settings(Text)


@every_kind
def test_a_document_of_a_member_is_computed_from_the_archive_again(kind, tmp_path, document):
    path = write_archive(tmp_path / kind)
    _id = document.process(raw=ArchiveMember(path, "last.bin"))
    assert (document(_id).length, document(_id).again) == (100_000, 100_001)
    record = document._database().read(_id)
    assert record.sources["raw"]["kind"] == "member"
    assert not [name for name in record.entries if name.startswith("source:")]  # the archive is the source
    json.dumps(record.sources, allow_nan=False)


@every_kind
def test_a_member_that_changed_makes_stale_and_another_one_does_not(kind, tmp_path, document):
    path = write_archive(tmp_path / kind)
    _id = document.process(raw=str(ArchiveMember(path, "last.bin")))
    write_archive(path, {**MEMBERS, "new.bin": b"more"})
    assert not document(_id).source_changed
    write_archive(path, {**MEMBERS, "last.bin": b"shorter"})
    assert document(_id).source_changed
    assert document(_id).length == 7


def test_an_archive_that_is_gone_leaves_what_is_stored(tmp_path, document):
    path = write_zip(tmp_path / "a.zip")
    _id = document.process(raw=ArchiveMember(path, "last.bin"))
    path.unlink()
    assert (document(_id).length, document(_id).source_changed) == (100_000, False)
    with pytest.raises(FeatureNotComputable, match="again"):
        _ = document(_id).again


def test_limits_are_remembered_with_the_source(tmp_path, document):
    path = write_zip(tmp_path / "a.zip", method=zipfile.ZIP_DEFLATED)
    generous = ArchiveLimits(ratio=5000)
    undo = ff.set_archive_limits(ArchiveLimits(ratio_from=1000))
    try:
        _id = document.process(raw=ArchiveMember(path, "last.bin", generous))
        assert document(_id).again == 100_001
        with pytest.raises(ArchiveError, match="of each"):
            document.process(raw=ArchiveMember(path, "last.bin"))
    finally:
        undo()


def test_kept_bytes_stand_in_for_an_archive_that_is_gone(tmp_path):
    document = ff.simple_in_memory_settings(Text)
    document.keep_source = True
    path = write_zip(tmp_path / "a.zip", method=zipfile.ZIP_DEFLATED)
    _id = document.process(raw=ArchiveMember(path, "last.bin"))
    path.unlink()
    assert document(_id).again == 100_001


def test_text_that_only_looks_like_a_member_is_text(document):
    class Words(ff.BaseModel):
        text = ff.TextFeature(ff.IteratorNode, store=True)

    words = ff.simple_in_memory_settings(Words)
    assert words(words.process(text="zip:/nowhere/a.zip!/b")).text == "zip:/nowhere/a.zip!/b"
