"""What the command line ingests beside folders: catalogues on the internet, manifests, archives, corpora, URLs."""

import getpass
import io
import json
import re
import warnings
import zipfile
from functools import partial

import pytest

import zounds_lite as zounds
from tests.sounds import encoded, noise, sine, write
from tests.webserver import ArchiveFile, WebServer, hostile
from zounds_lite import datasets
from zounds_lite.featureflow import Fetcher, set_fetcher

KEY = "0123456789abcdef0123456789abcdef01234567"
MINE = ("--document", "mine:Sound")


@pytest.fixture
def server():
    with WebServer() as made:
        yield made
        assert made.faults == []


@pytest.fixture
def services(server, monkeypatch):
    """The catalogues, at the address of the server; returns the server."""
    for name in ("InternetArchive", "FreeSoundSearch"):
        monkeypatch.setattr(datasets, name, partial(getattr(datasets, name), base_url=server.url))
    tone = sine(440, 0.3, 22050)
    sounds = {fmt.lower(): encoded(tone, 22050, fmt) for fmt in ("OGG", "MP3")}
    server.archive(
        "some_speeches",
        [ArchiveFile(f"speech {n}.{kind}", data) for n in range(3) for kind, data in sounds.items()],
    )
    server.freesound(KEY, {f"tone {n}": sounds["ogg"] for n in range(5)}, page_size=2)
    return server


def fetched(server):
    """What was fetched of recordings."""
    return [r.path for r in server.requests if r.method == "GET" and re.search(r"\.(ogg|mp3|wav)$", r.path)]


def test_an_item_of_the_internet_archive(workplace, cli, services):
    code, out, err = cli("ingest", "internet-archive:some_speeches", "--store", "s", *MINE)
    assert (code, err) == (0, "")
    assert out.startswith("3 of 3 recordings are in s\n3 processed, 0 skipped, 0 failed\n")
    count = len(fetched(services))
    code, out, _ = cli("ingest", "internet-archive:some_speeches", "--store", "s", *MINE)
    assert (code, out) == (0, "3 of 3 recordings are in s\n0 processed, 3 skipped, 0 failed\n")
    assert len(fetched(services)) == count
    assert all(".ogg" in line for line in cli("ls", "s", *MINE)[1].splitlines())
    code, out, _ = cli("ingest", "internet-archive:some_speeches", "--format", "VBR MP3", "--store", "s", *MINE)
    assert (code, out.splitlines()[1]) == (0, "3 processed, 0 skipped, 0 failed")


def test_threads_share_the_waiting(workplace, cli, services):
    words = ("ingest", "internet-archive:some_speeches", "--store", "s", *MINE, "--threads", "3")
    assert cli(*words)[:2][0] == 0 and len(fetched(services)) > 0
    code, _, err = cli(*words, "--workers", "2")
    assert code == 3 and "--workers and --threads are both given" in err
    assert cli(*words[:-1], "0")[0] == 3


def test_a_dry_run_lists_and_fetches_no_audio(workplace, cli, services, tmp_path):
    dry = ("ingest", "internet-archive:some_speeches", "sounds", "--store", "s", *MINE, "--dry-run")
    code, out, err = cli(*dry, "--json", "plan.json")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert len(lines) == 7
    assert all(re.fullmatch(r"new +\d+\.\d kB  (http|/).*\.(ogg|wav|flac)", line) for line in lines[:5])
    assert lines[5] == "5 items: 5 to be processed"
    assert re.fullmatch(r"[\d.]+ kB to be read, [\d.]+ kB of it from elsewhere", lines[6])
    assert not (tmp_path / "s").exists() and fetched(services) == [] and services.count(method="HEAD") == 0
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert (plan["new"], plan["stored"], plan["unknown_sizes"], plan["stopped"]) == (5, 0, 0, "")
    assert plan["bytes"] == sum(item["size"] for item in plan["items"])
    cli("ingest", "internet-archive:some_speeches", "--store", "s", *MINE)
    assert "5 items: 2 to be processed, 3 stored already\n" in cli(*dry)[1]
    assert "kB to be read, none of it from elsewhere\n" in cli(*dry)[1]


def test_a_dry_run_asks_for_sizes_that_nobody_tells(workplace, cli, server):
    url = server.add("/a.wav", encoded(noise(0.3), 44100))
    known = cli("ingest", f"url:{url}", "--store", "s", "--dry-run")
    assert known[0] == 0 and re.match(rf"new +[\d.]+ kB  {url}\n", known[1])
    assert [r.method for r in server.requests] == ["HEAD"]
    code, out, _ = cli("ingest", url, "--store", "s", "--dry-run", "--no-head")
    assert code == 0 and "size unknown" in out and "and 1 items of unknown size" in out
    assert len(server.requests) == 1
    gone = cli("ingest", f"url:{server.url}/gone.wav", "--store", "s", "--dry-run")
    assert gone[0] == 0 and "404" in gone[1]


def test_a_search_of_freesound_with_the_key_of_the_environment(workplace, cli, services, tmp_path, monkeypatch):
    monkeypatch.setenv("FREESOUND_API_KEY", KEY)
    words = ("ingest", "freesound:tone", "--n-results", "4", "--store", "s", *MINE)
    code, out, err = cli(*words)
    assert (code, err) == (0, "")
    assert out.startswith("4 of 4 recordings are in s\n")
    said = [out, err, *cli(*words)[1:], *cli(*words, "--dry-run")[1:], *cli("info", "s", "--json")[1:]]
    assert not any(KEY in text for text in said)
    assert not any(KEY.encode() in path.read_bytes() for path in (tmp_path / "s").rglob("*") if path.is_file())
    assert len(fetched(services)) == 4
    assert not any(KEY in repr(r.headers) for r in services.requests if not r.path.startswith("/apiv2/"))


def test_the_key_is_asked_for_at_a_terminal_and_only_there(workplace, cli, services, monkeypatch):
    monkeypatch.delenv("FREESOUND_API_KEY", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    code, out, err = cli("ingest", "freesound:tone", "--store", "s", *MINE)
    assert (code, out) == (3, "") and "wants a key: set FREESOUND_API_KEY in the environment" in err

    def would_show(prompt):
        warnings.warn("Can not control echo on the terminal.", getpass.GetPassWarning, stacklevel=1)
        return KEY

    def ended(prompt):
        raise EOFError

    asked = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    for refused in (would_show, ended, lambda prompt: " "):
        monkeypatch.setattr(getpass, "getpass", refused)
        assert cli("ingest", "freesound:tone", "--store", "s", *MINE)[0] == 3
    assert services.requests == []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(getpass, "getpass", lambda prompt: asked.append(prompt) or KEY)
    code, out, err = cli("ingest", "freesound:tone", "--n-results", "1", "--store", "s", *MINE)
    assert (code, err, len(asked)) == (0, "", 1) and KEY not in out


def test_a_daily_limit_is_said_and_the_same_command_goes_on(workplace, cli, server, monkeypatch):
    monkeypatch.setattr(datasets, "FreeSoundSearch", partial(datasets.FreeSoundSearch, base_url=server.url, delay=0))
    monkeypatch.setattr(datasets.FreeSoundSearch.func, "_largest_page", 2)
    monkeypatch.setenv("FREESOUND_API_KEY", KEY)
    sound = encoded(sine(440, 0.3, 22050), 22050, "OGG")
    service = server.freesound(KEY, {f"tone {n}": sound for n in range(5)}, max_page_size=2, daily_limit=1)
    words = ("ingest", "freesound:tone", "--store", "s", *MINE)
    code, out, err = cli(*words)
    assert code == 1
    assert out.startswith("2 of 3 recordings are in s\n2 processed, 0 skipped, 1 failed\n")
    assert "stopped: the dataset broke off: RateLimited: " in err and err.endswith("; the same command goes on\n")
    service.daily_limit = None
    code, out, err = cli(*words)
    assert (code, err) == (0, "") and out.startswith("5 of 5 recordings are in s\n3 processed, 2 skipped")


@pytest.mark.parametrize("kind", ["zip", "manifest", "gtzan", "esc50", "spoken-digits"])
def test_sources_on_disk(workplace, cli, tmp_path, kind):
    tone = encoded(sine(440, 0.3, 22050), 22050)
    if kind == "zip":
        source = tmp_path / "loops.zip"
        with zipfile.ZipFile(source, "w") as archive:
            for n in range(3):
                archive.writestr(f"loop {n}.wav", tone)
    elif kind == "manifest":
        source = tmp_path / "clips.csv"
        source.write_text("path,label\nsounds/one.wav,7\nsounds/sub/two.flac,8\n,9\n")
    elif kind == "gtzan":
        source = tmp_path / "gtzan"
        for name in ("rock/rock.00000.wav", "blues/blues.00000.wav"):
            (source / name).parent.mkdir(parents=True)
            (source / name).write_bytes(tone)
    elif kind == "esc50":
        source = tmp_path / "esc50"
        (source / "audio").mkdir(parents=True)
        (source / "meta").mkdir()
        (source / "audio" / "1-100032-A-0.wav").write_bytes(tone)
        (source / "meta" / "esc50.csv").write_text(
            "filename,fold,target,category,esc10,src_file,take\n1-100032-A-0.wav,1,0,dog,True,100032,A\n"
        )
    else:
        source = tmp_path / "digits"
        source.mkdir()
        (source / "7_theo_12.wav").write_bytes(tone)
    counts = {"zip": 3, "manifest": 2, "gtzan": 2, "esc50": 1, "spoken-digits": 1}
    code, out, err = cli("ingest", f"{kind}:{source}", "--store", "s", *MINE)
    assert out.splitlines()[1] == f"{counts[kind]} processed, 0 skipped, {int(kind == 'manifest')} failed"
    if kind == "manifest":
        assert code == 1 and re.search(r"failed: .*clips\.csv, row 4: .*empty", err)
    else:
        assert (code, err) == (0, "")
    again = cli("ingest", f"{kind}:{source}", "--store", "s", *MINE, "--dry-run")[1]
    assert f"{counts[kind]} stored already" in again


def test_an_existing_folder_wins_over_a_scheme(workplace, cli, tmp_path):
    (tmp_path / "zip:mine").mkdir()
    write(tmp_path / "zip:mine" / "a.wav", noise(0.3))
    code, out, err = cli("ingest", "zip:mine", "--store", "s", *MINE)
    assert (code, err) == (0, "") and out.startswith("1 of 1 recordings are in s\n")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (
            "torrent:abc",
            "'torrent:abc' is no folder, and no known kind of source; allowed: FOLDER, internet-archive:",
        ),
        ("manifest:", "'manifest:': nothing stands behind the colon; allowed: manifest:FILE"),
        ("url:ftp://host/a", "url:ftp://host/a: allowed: url:http://"),
        ("manifest:none.csv", "none.csv"),
        ("zip:none.zip", "'none.zip' is no file"),
        ("nowhere", "'nowhere' is no folder"),
    ],
)
def test_sources_that_are_none(workplace, cli, tmp_path, source, said):
    code, out, err = cli("ingest", source, "--store", "s", *MINE)
    assert (code, out) == (3, "") and said in err


def test_options_of_other_sources_are_refused(workplace, cli):
    code, _, err = cli("ingest", "sounds", "--format", "MP3", "--store", "s")
    assert code == 3 and "--format is for internet-archive:ID, which is not given" in err
    code, _, err = cli("ingest", "sounds", "--n-results", "3", "--store", "s")
    assert code == 3 and "--n-results is for freesound:QUERY, which is not given" in err
    assert cli("ingest", "sounds", "--max-bytes", "lots", "--store", "s")[0] == 2


def test_what_is_empty_is_said(workplace, cli, services, tmp_path):
    (tmp_path / "none").mkdir()
    with zipfile.ZipFile(tmp_path / "none.zip", "w") as archive:
        archive.writestr("read me.txt", "nothing here")
    for source in ("none", "zip:none.zip"):
        for more in ((), ("--dry-run",)):
            code, out, err = cli("ingest", source, "--store", "s", *MINE, *more)
            assert (code, out) == (3, "") and re.search("holds no audio files|no recordings", err)
    assert cli("ingest", "internet-archive:nothing_here", "--store", "s", *MINE)[0] == 3


def test_private_addresses_and_long_files_are_refused_unless_asked_for(workplace, cli, server):
    url = server.add("/a.wav", encoded(noise(0.3), 44100))
    undo = set_fetcher(Fetcher())
    try:
        code, _, err = cli("ingest", f"url:{url}", "--store", "s", *MINE)
        assert code == 1 and "ForbiddenAddress" in err and server.requests == []
        private = ("ingest", f"url:{url}", "--store", "s", *MINE, "--allow-private-addresses", "--retry-failed")
        code, _, err = cli(*private, "--max-bytes", "1kB")
        assert code == 1 and "FetchError" in err
        for more in ((), ("--workers", "2")):
            assert cli(*private, *more)[0] == 0
    finally:
        undo()


def test_kept_sources_outlive_their_server(workplace, cli, tmp_path):
    with WebServer() as server:
        url = server.add("/a.wav", encoded(noise(0.3), 44100))
        assert cli("ingest", f"url:{url}", "sounds", "--store", "s", *MINE, "--keep-source")[0] == 0
        assert server.count("/a.wav", "GET") == 1
    (tmp_path / "sounds").rename(tmp_path / "moved")
    for name in ("a.wav", "one.wav", "two.flac"):
        code, out, err = cli("show", "s", name, "pcm", *MINE)
        assert (code, err) == (0, "") and out.startswith("pcm: AudioSamples")


def test_a_server_that_asks_for_pauses_ends_the_run(workplace, cli, server, tmp_path):
    urls = [server.add(f"/{n}.wav", hostile.status(429, headers={"Retry-After": "3600"})) for n in range(8)]
    (tmp_path / "clips.csv").write_text("path\n" + "\n".join(urls))
    code, out, err = cli("ingest", "manifest:clips.csv", "--store", "s", *MINE)
    assert code == 1 and "stopped: a server asks for a pause: RateLimited: " in err
    assert len(server.requests) == 3 and "3 failed" in out
    for n in range(8):
        server.add(f"/{n}.wav", encoded(noise(0.1, seed=n), 44100))
    code, out, err = cli("ingest", "manifest:clips.csv", "--store", "s", *MINE)
    assert (code, err) == (0, "") and out.startswith("8 of 8 recordings are in s\n8 processed")


def test_the_plan_is_public():
    plan = zounds.plan_ingest([b"abc", "nowhere.wav"], id_of=lambda item: str(item))
    assert [(item.state, item.size) for item in plan.items] == [("new", 3), ("new", None)]
    assert "FileNotFoundError" in plan.items[1].reason
