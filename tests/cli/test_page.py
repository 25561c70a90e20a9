"""The page on the command line says what the commands do."""

import re
import sys
from pathlib import Path

import pytest

from tests.sounds import noise, write

PAGE = (Path(__file__).parents[2] / "docs" / "command_line.md").read_text("utf-8")
COMMANDS = [
    "quickstart", "ingest", "failed", "ls", "show", "explain", "update", "delete", "info", "verify", "gc", "compact",
    "copy", "merge", "export",
]  # fmt: skip


def test_the_document_class_of_the_page(workplace, cli, tmp_path, monkeypatch):
    source = re.findall(r"```python\n(.*?)```", PAGE, re.S)[0]
    monkeypatch.delitem(sys.modules, "mysounds", raising=False)
    (tmp_path / "mysounds.py").write_text(source)
    for n in range(6):
        write(tmp_path / "sounds" / f"{n}.wav", noise(0.1))
    mine = ("--document", "mysounds:Sound")
    assert cli("ingest", "sounds", "--store", "sounds.zl", *mine)[0] == 0
    assert cli("show", "sounds.zl", "one.wav", "db", *mine)[1].startswith("db: ArrayWithUnits float32 (")

    (tmp_path / "mysounds.py").write_text(source.replace("FLOOR = 1e-6", "FLOOR = 1e-5"))
    del sys.modules["mysounds"]
    said = cli("explain", "sounds.zl", "one.wav", "db", *mine)[1] + cli("update", "sounds.zl", *mine)[1]
    (shown,) = re.findall(r"```text\n(\$ .*?)```", PAGE, re.S)
    assert said == "".join(line for line in shown.splitlines(keepends=True) if not line.startswith("$"))


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_stands_on_the_page_with_its_options(cli, command):
    (line,) = re.findall(rf"^zounds-lite {command} .*\n(?: .*\n)*", PAGE.partition("```\n")[0], re.M)
    words = set(re.findall(r"--\w+|[A-Z]+(?::[A-Z]+)?", line)) | {"--help", "--document"}
    _, usage, _ = cli(command, "--help")
    usage = usage.partition("\n\n")[0]
    assert set(re.findall(r"--\w+", usage)) <= words
    assert {word for word in words if word.isupper()} <= set(re.findall(r"[A-Z]+(?::[A-Z]+)?", usage))


def test_each_exit_code_stands_on_the_page_and_in_the_help(cli):
    codes = re.findall(r"^\| (\d+) \|", PAGE, re.M)
    assert codes == ["0", "1", "2", "3", "129", "130", "141", "143"]
    assert re.findall(r"(\d+), ", " ".join(cli("--help")[1].split()).partition("Exit codes:")[2]) == codes
