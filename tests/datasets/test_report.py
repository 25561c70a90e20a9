"""The report: what it says, and how."""

import json

from tests.markup import read_html
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


def test_notebooks_show_a_table_of_what_failed():
    hostile = "<img src=x onerror=alert(1)>.wav\0"
    failures = [Failure(hostile, f"EmptyAudio: {hostile}", attempts=2, known=True), Failure("c.wav", "x" * 10_000)]
    report = IngestReport(["a"], [], failures, 2.0, 60.0, stopped="the disk is full")
    elements, words = read_html(report._repr_html_())
    assert [tag for tag, _ in elements].count("tr") == 3
    assert "1 of 3 processed, 0 skipped, 2 failed (1 known from earlier runs) in 2.0 s: 60 s of audio" in words
    assert "<img src=x onerror=alert(1)>.wav\ufffd" in words and "the disk is full; the same call goes on" in words
    assert "x" * 500 + "..." in words and "x" * 501 not in words


def test_notebooks_show_the_first_of_very_many_failures():
    failures = [Failure(f"{i}" * 1000, f"EmptyAudio: {'y' * 1000}", "trace" * 1000) for i in range(5000)]
    _, words = read_html(IngestReport([], [], failures, 10.0)._repr_html_())
    assert "and 4900 more; report.failed lists them all" in words


def test_notebooks_show_a_report_without_failures_in_one_line():
    elements, words = read_html(IngestReport(["a"], [], [], 1.0)._repr_html_())
    assert words == "1 of 1 processed, 0 skipped, 0 failed in 1.0 s" and "table" not in [tag for tag, _ in elements]
