"""Without torch, everything can be imported and listed, and what needs it says how to install it."""

import subprocess
import sys

import pytest

BLOCKED = "import sys; sys.modules['torch'] = None\n"

NEEDS_TORCH = {
    "FilterBank": "FilterBank(zounds.SR11025(), 512, zounds.MelScale(zounds.FrequencyBand(100, 4000), 8), 0.5)",
    "SincLayer": "SincLayer(zounds.MelScale(zounds.FrequencyBand(100, 4000), 8), 512, zounds.SR11025())",
    "PerceptualLoss": "PerceptualLoss(zounds.MelScale(zounds.FrequencyBand(100, 4000), 8), zounds.SR11025())",
    "ShortTimeFourier": "ShortTimeFourier(zounds.SR11025())",
    "Conv1d": "Conv1d(1, 2, 3)",
    "SupervisedTrainer": "SupervisedTrainer(None, None, None, 1, 1)",
}


def _run(code):
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_everything_is_listed_without_torch():
    code = BLOCKED + "from zounds_lite.learn import *\nfrom zounds_lite import *\nprint(FilterBank.__name__)"
    assert _run(code) == "FilterBank\n"


def test_what_needs_torch_says_how_to_install_it():
    tries = "".join(
        f"try:\n    zounds.learn.{call}\nexcept OptionalDependencyError as error:\n    print({name!r}, error)\n"
        for name, call in NEEDS_TORCH.items()
    )
    said = _run(
        BLOCKED + "import zounds_lite as zounds\nfrom zounds_lite.errors import OptionalDependencyError\n" + tries
    )
    lines = said.splitlines()
    assert [line.split()[0] for line in lines] == list(NEEDS_TORCH)
    assert all("torch is not installed" in line and "pip install 'zounds_lite[torch]'" in line for line in lines)


@pytest.mark.parametrize(
    "statement", ["import zounds_lite.learn", "from zounds_lite.learn import MeanStdNormalization"]
)
def test_learning_loads_torch_only_when_it_is_used(statement):
    assert _run(f"import sys\n{statement}\nprint('torch' in sys.modules, 'sklearn' in sys.modules)") == "False False\n"
