"""The report: what it says, and how."""

import json

from zounds_lite.datasets import Failure, IngestReport


def test_a_short_report_names_every_failure():
    report = IngestReport(["a"], ["b"], [Failure("c", "EmptyAudio: nothing", "trace", 2)], 1.5)
    assert str(report) == (
        "1 of 3 processed, 1 skipped, 1 failed in 1.5 s\n  failed: c: EmptyAudio: nothing"
    )  # fmt: skip


def test_long_lists_are_grouped_by_reason_and_cut():
    failures = [Failure(f"{i}.wav", f"EmptyAudio: {i}.wav holds no bytes") for i in range(100)]
    failures += [Failure(f"{i}.mp3", "worker died (signal 9): Killed", known=True) for i in range(3)]
    text = str(IngestReport([], [], failures, 10.0))
    assert "103 failed (3 known from earlier runs)" in text
    lines = text.splitlines()
    assert lines[1] == "  failed: 100 with EmptyAudio"
    assert lines[2] == "    0.wav: EmptyAudio: 0.wav holds no bytes"
    assert lines[7] == "    ... and 95 more"
    assert lines[8] == "  failed: 3 with worker died (signal 9)"
    assert len(lines) == 12


def test_reports_of_many_kinds_end():
    failures = [Failure(f"{i}", f"Error{i}: x") for i in range(500)]
    text = str(IngestReport([], [], failures))
    assert len(text.splitlines()) == 1 + 2 * 20 + 1
    assert "480 more of 480 other kinds; report.failed lists them all" in text


def test_seconds_of_audio():
    assert IngestReport().audio_seconds_per_second == 0
    report = IngestReport(["a"], [], [], 2.0, 7200.0)
    assert report.audio_seconds_per_second == 3600
    assert "7,200 s of audio, 3,600 s per second" in str(report)


def test_json_holds_all_of_it():
    report = IngestReport(["a"], ["b"], [Failure("\ud800", "r", "t", 3, True)], 2.0, 4.0)
    assert json.loads(report.to_json()) == {
        "processed": ["a"],
        "skipped": ["b"],
        "failed": [{"id": "\ud800", "reason": "r", "traceback": "t", "attempts": 3, "known": True}],
        "seconds": 2.0,
        "audio_seconds": 4.0,
        "stopped": "",
        "audio_seconds_per_second": 2.0,
    }


def test_an_empty_dataset_and_an_early_end_are_said():
    assert str(IngestReport(seconds=0.1)) == "the dataset is empty: nothing to process (0.1 s)"
    report = IngestReport(["a"], [], [], 1.0, 0.0, "the dataset broke off: RateLimited: come back in an hour")
    assert str(report).splitlines()[-1] == (
        "  stopped: the dataset broke off: RateLimited: come back in an hour; the same call goes on"
    )
