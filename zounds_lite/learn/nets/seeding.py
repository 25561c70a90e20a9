"""Random numbers of a training: they follow from a seed, and nobody else's are touched.

Functions: ``own_random_numbers``, ``seed_all``.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from zounds_lite.learn.nets._torch import torch

__all__ = ["own_random_numbers", "seed_all"]


def seed_all(seed: int) -> None:
    """Seed the global generators of torch, numpy and Python.

    Args:
        seed (int): from 0 to 2**32 - 1.
    """
    torch.manual_seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - users' functions may use it
    random.seed(seed)


@contextmanager
def own_random_numbers() -> Iterator[None]:
    """Give the global generators of torch, numpy and Python their states back at the end."""
    theirs, states = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
            yield
    finally:
        random.setstate(theirs)
        np.random.set_state(states)  # noqa: NPY002
