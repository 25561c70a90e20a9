"""Rows, ratios, machine facts and made-up recordings."""

import json

import numpy as np
import pytest
import soundfile

from benchmarks import harness
from benchmarks.recordings import tone_hz, write_recording


def test_a_missed_target_is_marked_and_counted():
    table = harness.Table(binds=True)
    table.at_least("speed", 1.5, 2, "x")
    table.at_least("speed", 2.0, 2, "x")
    table.at_most("memory", 121, 120, "MB", " here")
    table.add("shown", "7 s")
    assert [row[:3] for row in table.rows] == [
        ("speed", "1.5 x  MISSED", ">= 2 x"),
        ("speed", "2 x", ">= 2 x"),
        ("memory", "121 MB here  MISSED", "<= 120 MB"),
        ("shown", "7 s", ""),
    ]
    assert table.missed == 2


def test_quick_runs_only_show_targets():
    table = harness.Table(binds=False)
    table.at_least("speed", 1.5, 2)
    assert (table.rows[0].figure, table.rows[0].reached, table.missed) == ("1.5", False, 0)


def test_nan_reaches_no_target():
    table = harness.Table(binds=True)
    table.at_least("speed", float("nan"), 2)
    table.at_most("memory", float("nan"), 2)
    assert table.missed == 2


def test_candidates_take_turns_after_a_round_that_is_not_timed():
    calls = []
    times = harness.interleave({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=2)
    assert calls == ["a", "b", "a", "b", "a", "b"]
    assert all(len(found) == 2 and min(found) >= 0 for found in times.values())


def test_ratios_are_taken_round_by_round():
    assert harness.median_ratio([2.0, 30.0, 8.0], [1.0, 10.0, 2.0]) == 3.0


def test_facts_of_the_machine_are_json():
    facts = json.loads(json.dumps(harness.machine()))
    assert facts["cpu"] and facts["blas"]["name"] and facts["packages"]["numpy"] == np.__version__


@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "ogg"])
def test_a_recording_is_stereo_and_each_second_is_its_own_tone(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    write_recording(path, seconds=3, rate=22050)
    samples, rate = soundfile.read(path)
    assert rate == 22050 and samples.shape == (3 * 22050, 2)
    spectrum = np.abs(np.fft.rfft(samples[2 * 22050 :, 0]))
    assert abs(int(spectrum.argmax()) - tone_hz(2)) <= 1


def test_the_end_of_a_child_that_fails_is_an_error():
    with pytest.raises(RuntimeError, match="ended with 2"):
        harness.child("benchmarks.start", "--no-such-option")
