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


def test_silence_around_a_digit_is_cut_and_its_level_is_none_of_the_networks_business():
    torch = pytest.importorskip("torch")
    from benchmarks.learning._network import FRAMES, Network, prepared

    rng = np.random.default_rng(0)
    said = torch.tensor(rng.uniform(-30, 0, (50, 40)).astype(np.float32))
    silence = torch.full((20, 40), -70.0)
    alone, between = (prepared(x, rng)[None] for x in (said, torch.cat([silence, said, silence])))
    assert alone.shape == (1, FRAMES, 40) and torch.equal(alone, between)
    torch.manual_seed(0)
    network = Network().eval()
    with torch.no_grad():
        assert torch.allclose(network(alone), network(alone - 12), atol=1e-5)
        assert not torch.allclose(network(alone), network(alone.flip(1)), atol=1e-5)


def test_the_network_learns_what_comes_first_and_the_same_from_the_same_seed():
    torch = pytest.importorskip("torch")
    from benchmarks.learning._network import FRAMES, train

    rng = np.random.default_rng(0)
    x = torch.tensor(rng.uniform(-80, -60, (128, FRAMES, 40)).astype(np.float32))
    y = torch.arange(128) % 2
    for rising in (0, 1):
        first, second = (8, 28)[:: 1 - 2 * rising]
        x[rising::2, 4:28, first : first + 4] = 0
        x[rising::2, 36:60, second : second + 4] = 0
    one, same, other = (train(x[:32], y[:32], 1, seed)(x[:32]) for seed in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert (train(x, y, 8)(x).argmax(dim=1) == y).float().mean() > 0.9
