"""The command line: what each command says, leaves behind, and returns."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import soundfile

import zounds_lite as zounds
from tests.datasets.test_ingest import bad_ones
from tests.sounds import noise, write
from zounds_lite import dsp

PNG = b"\x89PNG\r\n\x1a\n"

MINE = ("--document", "mine:Sound")


def test_ingest_then_ls(workplace, cli, tmp_path):
    code, out, err = cli("ingest", "sounds", "--store", "store.zl")
    assert (code, err) == (0, "")
    assert out.startswith("2 of 2 recordings are in store.zl\n2 processed, 0 skipped, 0 failed\n1.5 s of audio in ")
    assert re.search(r" in \d+\.\d s, \d+ s per second\n$", out)
    code, out, err = cli("ls", "store.zl")
    ids = [str(tmp_path / "sounds" / "one.wav"), str(tmp_path / "sounds" / "sub" / "two.flac")]
    assert (code, out.splitlines(), err) == (0, ids, "")
    code, out, _ = cli("ingest", "sounds", "--store", "store.zl", "--workers", "2")
    assert (code, out) == (0, "2 of 2 recordings are in store.zl\n0 processed, 2 skipped, 0 failed\n")


def test_ingest_reports_what_failed_and_says_so_in_its_exit_code(workplace, cli, tmp_path):
    for name, (data, _) in bad_ones().items():
        (tmp_path / "sounds" / name).write_bytes(data)
    code, out, err = cli("ingest", "sounds", "--store", "store.zl")
    assert code == 1
    assert out.startswith("2 of 12 recordings are in store.zl\n2 processed, 0 skipped, 10 failed\n1.5 s of audio in ")
    lines = err.splitlines()
    assert len(lines) == 10
    for name, (_, error) in bad_ones().items():
        (line,) = [line for line in lines if f"/{name}: " in line]
        assert line.startswith(f"failed: {tmp_path / 'sounds' / name}: {error}: ")
    assert len(cli("ls", "store.zl")[1].splitlines()) == 2


def test_show_lists_features_with_shapes_and_units(workplace, cli):
    cli("ingest", "sounds", "--store", "s", *MINE)
    code, out, err = cli("show", "s", "one.wav", *MINE)  # the end of an id is enough where it is the only one
    assert (code, err) == (0, "")
    assert out.splitlines()[0].endswith("/sounds/one.wav")
    frames = "43 frames, 0.02322 s apart, 0.04644 s long"
    assert f"  fft: ArrayWithUnits complex64 (43, 257): {frames}; 257 FFT bands, 0 to 5512 Hz\n" in out
    assert f"  bark: ArrayWithUnits float32 (43, 20): {frames}; 20 bark bands, " in out
    assert "mean: 0.3" in out
    assert "'samplerate': 22050" in out
    plain = cli("show", "s", "one.wav")  # another document class reads what the headers say
    assert plain[0] == 0
    assert "bark: ArrayWithUnits float32 (43, 20)" in plain[1]


def test_show_says_what_was_kept_of_a_damaged_recording(workplace, cli, tmp_path):
    whole = (tmp_path / "sounds" / "sub" / "two.flac").read_bytes()
    (tmp_path / "sounds" / "sub" / "two.flac").write_bytes(whole[: len(whole) // 2])
    workplace(("store_ogg=False)", "store_ogg=False, damaged='keep')"))
    assert cli("ingest", "sounds", "--store", "store", "--document", "mine:Sound")[0] == 0
    code, out, _ = cli("show", "store", "two.flac", "--document", "mine:Sound")
    assert code == 0 and "pcm is marked as truncated: " in out
    assert "marked" not in cli("show", "store", "one.wav", "--document", "mine:Sound")[1]


def test_show_one_feature_with_a_picture(workplace, cli, tmp_path):
    cli("ingest", "sounds", "--store", "s", *MINE)
    code, out, err = cli("show", "s", "one.wav", "fft", *MINE)
    assert (code, err) == (0, "")
    assert out.startswith("fft: ArrayWithUnits complex64 (43, 257): 43 frames, ")
    assert out.endswith("picture: fft.png\n")
    assert (tmp_path / "fft.png").read_bytes().startswith(PNG)
    code, out, _ = cli("show", "s", "one.wav", "resampled", "--out", "wave.png", *MINE)  # computed on access
    assert (code, "AudioSamples float32 (11025,)" in out) == (0, True)
    assert (tmp_path / "wave.png").read_bytes().startswith(PNG)
    code, out, _ = cli("show", "s", "one.wav", "mean", *MINE)
    assert (code, out.startswith("mean: 0.3"), "picture" in out) == (0, True, False)
    code, out, _ = cli("show", "s", "one.wav", "meta", *MINE)
    assert (code, json.loads(out.removeprefix("meta: "))["samplerate"]) == (0, 22050)
    size = (tmp_path / "sounds" / "one.wav").stat().st_size
    assert cli("show", "s", "one.wav", "raw", *MINE)[1].startswith(f"raw: <{size} bytes in chunks of ")
    assert cli("show", "s", "one.wav", "ogg", *MINE)[1] == "ogg: OggVorbisWrapper(22050 Hz, 1 channels, 1.000 s)\n"
    code, out, _ = cli("show", "s", "one.wav", "bark")  # not declared by the default document
    assert (code, out.startswith("bark: ArrayWithUnits float32 (43, 20)")) == (0, True)


def test_a_picture_that_cannot_be_written(workplace, cli):
    cli("ingest", "sounds", "--store", "s")
    code, _, err = cli("show", "s", "one.wav", "fft", "--out", "no/such/folder.png")
    assert (code, err.startswith("zounds-lite show: "), "no/such/folder.png" in err) == (3, True, True)


def test_the_end_of_an_id_must_be_the_end_of_only_one(workplace, cli, tmp_path):
    write(tmp_path / "sounds" / "sub" / "one.wav", noise(0.1))
    cli("ingest", "sounds", "--store", "s")
    code, out, err = cli("show", "s", "one.wav")
    assert (code, out) == (3, "")
    assert "2 ids end with it; see: zounds-lite ls" in err
    assert cli("show", "s", "sub/one.wav")[0] == 0
    assert cli("show", "s", str(tmp_path / "sounds" / "one.wav"))[0] == 0
    write(tmp_path / "sounds" / "twenty one.wav", noise(0.1))
    write(tmp_path / "sounds" / "sub" / "1.wav", noise(0.1))
    write(tmp_path / "sounds" / "sub" / "11.wav", noise(0.1))
    cli("ingest", "sounds", "--store", "s")
    assert cli("show", "s", "1.wav")[1].startswith(str(tmp_path / "sounds" / "sub" / "1.wav"))  # a whole name is best


def test_explain_and_update_after_a_change_of_the_document(workplace, cli):
    cli("ingest", "sounds", "--store", "s", *MINE)
    code, out, _ = cli("explain", "s", "one.wav", "loud", *MINE)
    assert (code, out) == (
        0, "loud is stored and fresh: code, parameters, upstream and source are as they were\n"
    )  # fmt: skip
    assert cli("update", "s", *MINE)[1].startswith("0 of 2 documents")

    workplace(("n_bands=20", "n_bands=30"), ("bark * 2", "bark * 3"))
    code, out, _ = cli("explain", "s", "one.wav", "loud", *MINE)
    assert (code, out.splitlines()[0]) == (0, "loud is stored and stale: it will be recomputed on access")
    assert "bark * 2" in out and "bark * 3" in out
    assert "n_bands 20 -> 30 in bark, upstream of loud" in out
    assert "bark (stale): ArrayWithUnits float32 (43, 20)" in cli("show", "s", "one.wav", *MINE)[1]
    code, out, err = cli("update", "s", "bark", *MINE)
    assert (code, out, err) == (0, "2 of 2 documents had something stale and were recomputed, 0 failed\n", "")
    assert "is stored and fresh" in cli("explain", "s", "one.wav", "bark", *MINE)[1]
    assert "is stored and stale" in cli("explain", "s", "one.wav", "loud", *MINE)[1]
    assert cli("update", "s", *MINE)[1].startswith("2 of 2 documents")
    assert cli("update", "s", *MINE)[1].startswith("0 of 2 documents")
    assert "loud: ArrayWithUnits float32 (43, 30)" in cli("show", "s", "one.wav", *MINE)[1]


def test_update_goes_on_where_a_document_fails(workplace, cli, tmp_path):
    cli("ingest", "sounds", "--store", "s", *MINE)
    (tmp_path / "sounds" / "one.wav").unlink()
    workplace(("abs(pcm).mean()", "abs(pcm).max()"))
    code, out, err = cli("update", "s", *MINE)
    assert (code, out) == (1, "1 of 2 documents had something stale and were recomputed, 1 failed\n")
    assert err.startswith(f"failed: {tmp_path / 'sounds' / 'one.wav'}: ")
    assert "one.wav" in err


def test_a_fault_in_user_code_does_not_stop_an_update(workplace, cli):
    cli("ingest", "sounds", "--store", "s", *MINE)
    workplace(("abs(pcm).mean()", "1 / 0"))
    code, out, err = cli("update", "s", *MINE)
    assert (code, out) == (1, "0 of 2 documents had something stale and were recomputed, 2 failed\n")
    assert err.count("ZeroDivisionError: division by zero") == 2


def test_an_edit_that_changes_no_meaning_updates_nothing(workplace, cli):
    cli("ingest", "sounds", "--store", "s", *MINE)
    workplace(("class Sound(Base):", "class Sound(Base):\n        '''My sounds.'''\n        # twenty bands\n"))
    assert cli("update", "s", *MINE)[1].startswith("0 of 2 documents")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("ls", "nowhere"), "'nowhere' is no store; make one with: zounds-lite ingest"),
        (("ls", "sounds"), "'sounds' is no store"),
        (("show", "nowhere", "x"), "is no store"),
        (("update", "sounds/one.wav"), "is no store"),
        (("show", "s", "unknown"), "no document 'unknown'.*no id is or ends with it; see: zounds-lite ls"),
        (("show", "s", ""), "an id must be non-empty text, got ''"),
        (("explain", "s", "unknown", "fft"), "no document 'unknown'"),
        (("explain", "s", "one.wav", "nothing"), "Recording has no feature 'nothing'; it has: meta, raw"),
        (("show", "s", "one.wav", "nothing"), "has no feature 'nothing'; see: zounds-lite show"),
        (("update", "s", "nothing"), "Recording has no feature 'nothing'; it has: meta"),
        (("ingest", "nowhere", "--store", "t"), "'.*nowhere' is no folder"),
        (("ingest", "empty", "--store", "t"), "'empty' holds no audio files"),
        (("ingest", "sounds", "--store", "t", "--workers", "0"), "workers=0: needs at least 1"),
        (("ingest", "sounds", "--store", "mine.py"), "mine.py' is a file"),
        (("ls", "s", "--document", "nomodule:Sound"), "'nomodule:Sound'.*give it as MODULE:CLASS"),
        (("ls", "s", "--document", "mine:Nothing"), "Nothing.*give it as MODULE:CLASS"),
        (("ls", "s", "--document", "mine"), "give it as MODULE:CLASS"),
        (("ls", "s", "--document", ":"), "give it as MODULE:CLASS"),
        (("ls", "s", "--document", "mine:NoDocument"), "is no document class"),
        (("quickstart", "nowhere"), "nowhere' is no folder"),
        (("quickstart", "empty"), "holds no audio files"),
    ],
)
def test_what_cannot_be_done_is_said_with_exit_code_3(workplace, cli, tmp_path, words, message):
    (tmp_path / "empty").mkdir()
    cli("ingest", "sounds", "--store", "s")
    code, out, err = cli(*words)
    assert (code, out) == (3, "")
    assert err.startswith(f"zounds-lite {words[0]}: ")
    assert err.count("\n") == 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(err)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "required: COMMAND"),
        (("fly",), "invalid choice: 'fly'"),
        (("ingest", "sounds"), "required: --store"),
        (("show", "s"), "required: ID"),
        (("ls", "s", "--loud"), "unrecognized arguments: --loud"),
        (("ingest", "sounds", "--store", "s", "--workers", "many"), "invalid int value: 'many'"),
    ],
)
def test_what_is_not_understood_is_said_with_exit_code_2(workplace, cli, words, message):
    code, out, err = cli(*words)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize("command", [(), ("quickstart",), ("ingest",), ("ls",), ("show",), ("explain",), ("update",)])
def test_help(cli, command):
    code, out, _ = cli(*command, "--help")
    assert (code, "usage: zounds-lite" in out) == (0, True)
    if not command:
        assert "Exit codes: 0, all went well; 1, some recordings failed" in " ".join(out.split())
        assert all(name in out for name in ("quickstart", "ingest", "ls", "show", "explain", "update"))


def snr_db(signal, other):
    return 10 * np.log10((signal**2).sum() / ((signal - other) ** 2).sum())


def test_quickstart_of_a_folder(workplace, cli, tmp_path):
    code, out, err = cli("quickstart", "sounds", "--out", "qs")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0] == "2 of 2 recordings from sounds"
    assert lines[1] == "store:   qs/store   (zounds-lite ls qs/store)"
    assert lines[2].startswith("picture: qs/mel.png   (mel bands of ")
    assert lines[3].startswith("sound:   qs/resynthesised.wav")
    assert (tmp_path / "qs" / "mel.png").read_bytes().startswith(PNG)
    found, rate = soundfile.read(tmp_path / "qs" / "resynthesised.wav")
    wanted, _ = soundfile.read(tmp_path / "sounds" / "one.wav")  # 22.05 kHz already
    assert (rate, found.shape) == (22050, wanted.shape)
    assert snr_db(wanted, found) > 60
    assert len(cli("ls", "qs/store")[1].splitlines()) == 2


def test_quickstart_makes_its_own_sounds(workplace, cli, tmp_path):
    code, out, err = cli("quickstart")
    assert (code, err) == (0, "")
    folder = tmp_path / "zounds-quickstart"
    assert out.startswith("3 of 3 recordings from zounds-quickstart/sounds\n")
    assert sorted(path.name for path in folder.iterdir()) == ["mel.png", "resynthesised.wav", "sounds", "store"]
    sounds = {path.stem: soundfile.read(path) for path in (folder / "sounds").iterdir()}
    assert {name: (len(x), rate) for name, (x, rate) in sounds.items()} == dict.fromkeys(
        ("1 tones", "2 noise", "3 ticks"), (20 * 44100, 44100)
    )
    (line,) = [line for line in out.splitlines() if line.startswith("picture:")]
    name = line.rpartition("/")[2].removesuffix(".wav)")
    wanted = dsp.resample(sounds[name][0], 44100, 22050)
    found, rate = soundfile.read(folder / "resynthesised.wav")
    assert (rate, len(found)) == (22050, 20 * 22050)
    assert snr_db(wanted, found) > 60
    assert (folder / "mel.png").read_bytes().startswith(PNG)
    again = cli("quickstart")
    assert (again[0], again[1]) == (0, out)


def test_quickstart_with_a_bad_file_says_so(workplace, cli, tmp_path):
    (tmp_path / "sounds" / "bad.wav").write_bytes(b"")
    code, out, err = cli("quickstart", "sounds", "--out", "qs")
    assert (code, out.splitlines()[0]) == (1, "2 of 3 recordings from sounds")
    assert err.startswith(f"failed: {tmp_path / 'sounds' / 'bad.wav'}: EmptyAudio: ")


def test_ids_that_no_terminal_can_show(workplace, cli, tmp_path):
    name = os.fsdecode(b"caf\xe9.wav")
    write(tmp_path / "sounds" / name, noise(0.1), fmt="WAV")
    assert cli("ingest", "sounds", "--store", "s")[0] == 0
    done = subprocess.run(
        [sys.executable, "-m", "zounds_lite.cli", "ls", "s"],
        capture_output=True, env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert rb"caf\udce9.wav" in done.stdout
    assert cli("show", "s", name)[0] == 0


def test_commands_in_a_process_of_their_own(workplace, tmp_path):
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}

    def run(*words):
        command = [sys.executable, "-W", "error", "-m", "zounds_lite.cli", *words]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=60)

    done = run("ingest", "sounds", "--store", "s", *MINE, "--workers", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("2 of 2 recordings are in s\n")
    done = run("show", "s", "two.flac", "bark", *MINE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "bark: ArrayWithUnits float32 (21, 20)" in done.stdout
    assert (tmp_path / "bark.png").read_bytes().startswith(PNG)
    done = run("explain", "s", "two.flac", "loud", *MINE)  # fingerprints are the same in every process
    assert "loud is stored and fresh" in done.stdout
    assert run("ls", "nowhere").returncode == 3
    assert run("fly").returncode == 2
    (tmp_path / "sounds" / "bad.wav").write_bytes(b"")
    assert run("ingest", "sounds", "--store", "s", *MINE).returncode == 1


def test_a_store_made_by_the_command_line_opens_in_python(workplace, cli, tmp_path):
    cli("ingest", "sounds", "--store", "s")

    @zounds.simple_lmdb_settings("s", user_supplied_id=True)
    class Mine(zounds.Recording):
        pass

    document = Mine(str(tmp_path / "sounds" / "one.wav"))
    second = document.fft[zounds.TimeSlice(zounds.Milliseconds(500)), zounds.FrequencyBand(400, 500)]
    level = np.asarray(abs(second)).mean(axis=0)
    assert abs(second.dimensions[1].scale[int(level.argmax())].center_frequency - 440) < 22050 / 512
