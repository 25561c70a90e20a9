"""README's promises: its commands can be found and copied, and its example runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from zounds_lite import SR22050, AudioSamples, Seconds, SineSynthesizer

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def command(name):
    """Return the fenced block right after the marker of that name: what ``.ci/run`` executes."""
    blocks = re.findall(rf"<!-- command: {name} -->\n```\w*\n(.*?)\n```\n", README, re.DOTALL)
    assert len(blocks) == 1, f"{len(blocks)} fenced blocks right after <!-- command: {name} -->"
    return blocks[0]


@pytest.mark.parametrize(("name", "needed"), [("run", "zounds-lite quickstart"), ("test", "-m pytest")])
def test_the_commands_make_their_own_environment(name, needed):
    text = command(name)
    assert "\n" not in text, "one line, so that a failure anywhere in it is the command's own"
    assert "python3 -m venv" in text and "pip install" in text and needed in text


def test_the_test_command_uses_the_tested_versions():
    assert "-c constraints.txt" in command("test")


def test_the_example_runs(tmp_path):
    """In a file of its own, in an empty folder that holds nothing but a folder of recordings."""
    (tmp_path / "recordings").mkdir()
    for name, pitch in (("low", 220.0), ("high", 440.0)):
        tone = SineSynthesizer(SR22050()).synthesize(Seconds(6), freqs_in_hz=[pitch])
        tone.save(str(tmp_path / "recordings" / f"{name}.wav"))
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert len([line for line in example.splitlines() if line]) <= 10
    (tmp_path / "example.py").write_text(example, "utf-8")
    done = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 of 2 processed" in done.stdout and "28) (4" in done.stdout, done.stdout
    assert AudioSamples.from_file(tmp_path / "back.wav").shape == (6 * 11025,)


def test_the_picture_is_there_and_small():
    (name,) = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README)
    data = (ROOT / name).read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) < 60_000


def test_links_lead_to_files():
    links = [link for link in re.findall(r"\]\(([^)#]+)", README) if not link.startswith("http")]
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []
