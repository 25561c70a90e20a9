"""``zounds-lite ls --where``: documents by what their metadata hold, with types."""

import pytest

from tests.sounds import noise, write

MINE = ("--document", "mine:Sound")


@pytest.fixture
def labelled(workplace, cli, tmp_path):
    """Six documents with labels and speakers."""
    rows = ["path,label,speaker,code,bright"]
    for n in range(6):
        write(tmp_path / "sounds" / f"{n}.wav", noise(0.1, seed=n))
        rows.append(f"sounds/{n}.wav,{n % 3},{'theo' if n < 4 else 'nicolas'},00{n},{'true' if n else 'false'}")
    (tmp_path / "clips.csv").write_text("\n".join(rows))
    assert cli("ingest", "manifest:clips.csv", "--store", "s", *MINE)[0] == 0


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["label=1"], "14"),
        (['label="1"'], ""),
        (["speaker=theo"], "0123"),
        (["speaker=theo", "label=1"], "1"),
        (["label=1", "label=2"], "1245"),
        (["label=1..2"], "1245"),
        (["label=..0"], "03"),
        (["code=003"], "3"),
        (["bright=false"], "0"),
        (["speaker=nobody"], ""),
    ],
)
def test_documents_by_their_metadata(labelled, cli, words, names):
    code, out, err = cli("ls", "s", *MINE, *(part for word in words for part in ("--where", word)))
    assert (code, err) == (0, "")
    assert "".join(line[-5] for line in out.splitlines()) == names


def test_criteria_that_are_none(labelled, cli):
    for word, said in [("label", "allowed: FIELD=VALUE"), ("colour=red", "colour"), ('label="1', "double quotes")]:
        code, out, err = cli("ls", "s", *MINE, "--where", word)
        assert (code, out) == (3, "") and said in err
    assert cli("ls", "s", *MINE, "--where", "label=1..2", "--where", "label=0")[0] == 3
