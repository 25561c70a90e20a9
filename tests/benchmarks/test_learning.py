"""The benchmarks of learning: their sections, and the recordings that stand in for spoken digits."""

import numpy as np
import pytest

import zounds_lite as zounds
from benchmarks.learning import __main__ as learning
from benchmarks.learning._digits import write_made_digits


def test_every_section_is_known_by_its_name():
    assert {"digits", "loader", "modules", "pipeline", "search", "training"} <= set(learning.sections())


def test_made_digits_are_read_like_spoken_ones(tmp_path):
    write_made_digits(tmp_path / "made", 1)
    items = list(zounds.SpokenDigits(tmp_path / "made"))
    assert len(items) == 50 and {item.label for item in items} == set(range(10))
    assert len({item.speaker for item in items}) == 5


def test_a_summary_has_one_length_whatever_the_recording():
    pytest.importorskip("sklearn")
    pytest.importorskip("torch")
    from benchmarks.learning.digits import mean_std, of_parts

    assert {len(mean_std(np.ones((rows, 13)))) for rows in (1, 60)} == {2 * 13}
    assert {len(of_parts(np.ones((rows, 13)))) for rows in (1, 2, 60)} == {4 * 13}
