"""What all tests share: the extras that may be missing, and how hypothesis searches."""

from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import settings

from zounds_lite.featureflow import Fetcher, set_fetcher

# a shared machine may pause any test for longer than hypothesis' deadline
settings.register_profile("zounds_lite", deadline=None, print_blob=True)
settings.load_profile("zounds_lite")

EXTRAS = {
    "torch": "torch",
    "sklearn": "learn",
    "skops": "learn",
    "matplotlib": "plot",
    "h5py": "hdf5",
    "pandas": "frames",
    "xarray": "frames",
    "librosa": "bench",
    "zarr": "bench",
}
"""Optional libraries that tests use, to the extra that brings each."""

TORCH_TESTS = Path(__file__).parent / "torch"
TORCH_MODULES = Path(__file__).parents[1] / "zounds_lite" / "learn" / "nets"
"""Their examples need torch; tests/torch runs them too."""
PLOT_MODULES = Path(__file__).parents[1] / "zounds_lite" / "visualization" / "plots"
"""Their examples need matplotlib; tests/visualization/test_plots_more.py runs them too."""


def _missing():
    return [module for module in EXTRAS if find_spec(module) is None]


def pytest_addoption(parser):
    parser.addoption(
        "--require-extras",
        action="store_true",
        help="fail where an optional library is missing, instead of leaving its tests out",
    )


def pytest_configure(config):
    missing = _missing()
    for module, folder in (("torch", TORCH_MODULES), ("matplotlib", PLOT_MODULES)):
        if module in missing:
            config.option.ignore = [*(config.option.ignore or []), str(folder)]
    if config.getoption("--require-extras") and missing:
        extras = ",".join(sorted({EXTRAS[module] for module in missing}))
        raise pytest.UsageError(
            f"--require-extras: {', '.join(missing)} missing; pip install -c constraints.txt '.[{extras}]'"
        )


def pytest_ignore_collect(collection_path):
    if TORCH_TESTS in (collection_path, *collection_path.parents) and "torch" in _missing():
        return True
    return None


def pytest_terminal_summary(terminalreporter):
    missing = _missing()
    if "torch" in missing:
        terminalreporter.write_line("torch is not installed: tests/torch is not collected (extra: torch)")


@pytest.fixture(autouse=True)
def loopback_is_allowed():
    """Tests serve on this machine, whose addresses a fetcher refuses unless told otherwise."""
    undo = set_fetcher(Fetcher(private_addresses=True))
    yield
    undo()
