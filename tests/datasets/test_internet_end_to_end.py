"""InternetArchive and FreeSound from a server that speaks their APIs into a store: again, killed, and past limits."""

import json

import numpy as np
import pytest

import zounds_lite as zounds
from tests.datasets.internet import ITEM, KEY, Service, archive_files, bound, killed_at, ogg, start, stored
from tests.sounds import reference
from tests.webserver import ArchiveFile, Sound, hostile
from zounds_lite.errors import EmptyDataset, FetchError, UnknownDataset
from zounds_lite.featureflow import Fetcher

COUNT = 12

both = pytest.mark.parametrize("kind", ["archive", "freesound"])


@pytest.fixture
def service(kind):
    with Service(kind, COUNT) as made:
        yield made
        assert made.server.faults == made.cdn.faults == []


@both
def test_every_recording_becomes_a_document_and_none_is_fetched_twice(service, tmp_path):
    report = service.ingest(tmp_path / "store")
    assert (len(report.processed), report.failed) == (COUNT, [])
    assert len(service.fetched()) == len(set(service.fetched())) == COUNT
    again = service.ingest(tmp_path / "store")
    assert (again.processed, len(again.skipped), again.failed) == ([], COUNT, [])
    assert len(service.fetched()) == COUNT


@both
def test_documents_hold_the_samples_and_what_the_catalogue_says(service, tmp_path):
    report = service.ingest(tmp_path / "store")
    cls = bound(tmp_path / "store")
    for number, _id in enumerate(report.processed):
        found, wanted = cls(_id), reference(ogg(number))[:, 0]
        assert np.array_equal(np.asarray(found.pcm), wanted)
        assert found.meta["licensing"] == "http://creativecommons.org/licenses/by/3.0/"
        if service.kind == "archive":
            assert found.meta["title"] == f"Speech {number}" and found.meta["size"] == len(ogg(number))


@both
def test_a_killed_run_is_resumed_and_fetches_nothing_that_is_stored(service, tmp_path, number=9):
    kept = killed_at(service, tmp_path / "store", number)
    assert len(kept) <= number
    before = len(service.fetched())
    with start(service, tmp_path / "store") as process:
        report = json.loads(process.communicate(timeout=120)[0])
    assert sorted(report["skipped"]) == sorted(kept)
    assert len(report["processed"]) == COUNT - len(kept) and not report["failed"]
    assert len(service.fetched()) - before == COUNT - len(kept)
    assert len(stored(tmp_path / "store")) == COUNT


@pytest.mark.parametrize("kind", ["archive"])
def test_files_that_vanish_or_cannot_be_decoded_are_in_the_ledger_and_the_rest_goes_on(service, tmp_path):
    names = [name for name in service.item.files if name.endswith(".ogg")]
    service.item.vanish(names[2])
    service.item.files[names[4]].data = b"<html>this is no audio</html>"
    service.item.files[names[5]].data = b"\x00\x00\x00\x20ftypM4A \x00\x00\x00\x00" + bytes(500)
    service.item.private.add(names[6])
    report = service.ingest(tmp_path / "store")
    assert len(report.processed) == COUNT - 4
    reasons = [failure.reason for failure in report.failed]
    assert "404" in reasons[0] and "403" in reasons[3]
    assert reasons[1].startswith("NotAudio") and reasons[2].startswith("UnsupportedCodec")
    before = len(service.fetched())
    again = service.ingest(tmp_path / "store")
    assert len(again.skipped) == COUNT - 4 and again.known == 4 and len(service.fetched()) == before


@pytest.mark.parametrize("kind", ["archive"])
def test_bytes_that_are_not_those_of_the_catalogue_are_refused(service, tmp_path):
    name = next(name for name in service.item.files if name.endswith(".ogg"))
    service.item.answers[name] = hostile.status(200, ogg(99), None, "audio/ogg")
    report = service.ingest(tmp_path / "store")
    assert len(report.processed) == COUNT - 1
    assert report.failed[0].reason.startswith("ChecksumMismatch")


@pytest.mark.parametrize("kind", ["archive"])
def test_servers_that_stumble_cost_no_document(service, tmp_path):
    names = [name for name in service.item.files if name.endswith(".ogg")]
    data = {name: service.item.files[name].data for name in names}
    service.item.answers[names[0]] = hostile.failing(503, 1, data[names[0]])
    service.item.answers[names[1]] = hostile.rate_limited(1, 1, data[names[1]])
    service.item.answers[names[2]] = hostile.turns(hostile.cut(data[names[2]], 500, with_ranges=False), data[names[2]])
    service.item.answers[names[3]] = hostile.turns(hostile.hang_up(), data[names[3]])
    report = service.ingest(tmp_path / "store")
    assert (len(report.processed), report.failed) == (COUNT, [])


@pytest.mark.parametrize("kind", ["archive"])
def test_what_the_archive_does_not_have_is_said(service, tmp_path):
    url = service.server.url
    with pytest.raises(UnknownDataset, match="nothing_here"):
        zounds.ingest(zounds.InternetArchive("nothing_here", base_url=url), bound(tmp_path / "store"), progress=False)
    with pytest.raises(EmptyDataset, match="Flac"):
        list(zounds.InternetArchive(ITEM, format_filter="AIFF", base_url=url))
    service.item.is_dark = True
    with pytest.raises(UnknownDataset, match="nobody"):
        list(zounds.InternetArchive(ITEM, base_url=url))


@pytest.mark.parametrize("kind", ["freesound"])
def test_the_key_goes_to_the_api_alone(service, tmp_path):
    service.ingest(tmp_path / "store")
    assert len(service.cdn.requests) == COUNT
    assert not any(KEY in request.said for request in service.cdn.requests)
    assert all(request.headers["Authorization"] == f"Token {KEY}" for request in service.server.requests)
    assert not any(KEY in request.target for request in service.server.requests)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "store").rglob("*") if path.is_file())
    assert KEY.encode() not in kept


@pytest.mark.parametrize("kind", ["freesound"])
def test_a_short_limit_is_waited_for(service, tmp_path):
    service.sounds.throttle(after=1, seconds=1)
    report = service.ingest(tmp_path / "store")
    assert (len(report.processed), report.failed) == (COUNT, [])
    assert len(service.fetched()) == COUNT


@pytest.mark.parametrize("kind", ["freesound"])
@pytest.mark.parametrize("limit", ["a day", "daily"])
def test_a_long_limit_ends_the_run_which_goes_on_later(service, tmp_path, limit):
    if limit == "a day":
        service.sounds.throttle(after=2, seconds=86400)
    else:
        service.sounds.daily_limit = 2
    options = {"fetcher": Fetcher(private_addresses=True, retries=1, backoff=0.01, max_wait=1)}
    report = service.ingest(tmp_path / "store", **options)
    assert len(report.processed) == 8
    [failure] = report.failed
    assert failure.id == "the dataset itself" and "RateLimited" in failure.reason
    service.sounds.daily_limit = None
    before = len(service.fetched())
    rest = service.ingest(tmp_path / "store", **options)
    assert len(rest.skipped) == len(report.processed) and len(rest.processed) == COUNT - len(rest.skipped)
    assert len(service.fetched()) == before + len(rest.processed) == COUNT and rest.failed == []


@pytest.mark.parametrize("kind", ["archive"])
def test_a_server_that_asks_for_a_long_pause_is_left_alone_and_the_run_goes_on_later(service, tmp_path):
    names = [name for name in service.item.files if name.endswith(".ogg")]
    service.item.answers.update({name: hostile.rate_limited(86400, None) for name in names[4:]})
    report = service.ingest(tmp_path / "store")
    asked = len(service.fetched())
    assert len(report.processed) == 4 and asked > 4
    assert "pause" in report.stopped and all("RateLimited" in failure.reason for failure in report.failed)
    service.item.answers.clear()
    rest = service.ingest(tmp_path / "store")
    assert (len(rest.skipped), len(rest.processed), rest.failed) == (4, COUNT - 4, [])
    assert len(service.fetched()) == asked + COUNT - 4


@pytest.mark.parametrize("kind", ["archive"])
def test_a_recording_that_was_replaced_is_fetched_anew_and_the_others_are_not(service, tmp_path):
    service.ingest(tmp_path / "store")
    name = next(name for name in service.item.files if name.endswith(".ogg"))
    service.item.files[name].data = ogg(77)
    report = service.ingest(tmp_path / "store")
    assert (len(report.processed), len(report.skipped)) == (1, COUNT - 1)
    assert len(service.fetched()) == COUNT + 1
    found = bound(tmp_path / "store")(report.processed[0])
    assert np.array_equal(np.asarray(found.pcm), reference(ogg(77))[:, 0])


@pytest.mark.parametrize("kind", ["freesound"])
def test_counters_of_the_service_make_nothing_be_fetched_again(service, tmp_path):
    service.ingest(tmp_path / "store")
    for sound in service.sounds.sounds.values():
        sound.fields.update(num_downloads=1234, avg_rating=1.5, num_ratings=99)
    report = service.ingest(tmp_path / "store")
    assert len(report.skipped) == len(service.fetched()) == COUNT


@pytest.mark.parametrize("kind", ["freesound"])
def test_sounds_that_are_gone_or_broken_are_in_the_ledger(service, tmp_path):
    service.sounds.sounds[2003].data = None
    service.sounds.sounds[2005].data = b"this is no Ogg at all"
    report = service.ingest(tmp_path / "store")
    assert len(report.processed) == COUNT - 2
    assert ["404" in failure.reason or "NotAudio" in failure.reason for failure in report.failed] == [True, True]


@pytest.mark.parametrize("kind", ["freesound"])
def test_wrong_keys_and_empty_results_are_said(service):
    url = service.server.url
    with pytest.raises(FetchError, match="401") as caught:
        list(zounds.FreeSoundSearch("wrong-key-987", "guitar", base_url=url))
    assert "wrong-key-987" not in str(caught.value)
    with pytest.raises(EmptyDataset, match="kazoo"):
        list(zounds.FreeSoundSearch(KEY, "kazoo", base_url=url))
    for arguments in [("", "guitar"), (None, "guitar"), (KEY, ""), (KEY, None)]:
        with pytest.raises(ValueError):
            zounds.FreeSoundSearch(*arguments)


@pytest.mark.parametrize("kind", ["archive"])
def test_workers_fetch_the_same(service, tmp_path):
    cls = bound(tmp_path / "store")
    report = zounds.ingest(service.dataset(), cls, workers=2, progress=False)
    assert (len(report.processed), report.failed) == (COUNT, [])
    assert len(service.fetched()) == COUNT


def test_several_sources_go_into_one_store(tmp_path):
    with Service("archive", 3) as archive, Service("freesound", 4) as freesound:
        chained = zounds.CompositeDataset(archive.dataset(), freesound.dataset())
        report = zounds.ingest(chained, bound(tmp_path / "store"), progress=False)
        assert (len(report.processed), report.failed) == (7, [])


def test_made_items_are_what_they_say():
    assert len(archive_files(3)) == 6
    assert isinstance(archive_files(1)[0], ArchiveFile) and Sound(1, "a", b"").data == b""
