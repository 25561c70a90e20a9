"""Parts of ``archives``."""

import pytest

from benchmarks import archives


@pytest.mark.parametrize("kind", archives._KINDS)
def test_an_archive_is_ingested_to_what_the_folder_gives(kind, tmp_path):
    files = archives.write_recordings(tmp_path / "recordings", 3, 0.2)
    archives.pack(tmp_path / kind, files)
    for source, store in ((tmp_path / "recordings", "a.zl"), (tmp_path / kind, "b.zl")):
        found = archives.ingest(str(source), str(tmp_path / store))
        assert found["documents"] == 3 and found["seconds"] > 0
    assert archives.digest(tmp_path / "a.zl") == archives.digest(tmp_path / "b.zl")
    assert len(archives.digest(tmp_path / "a.zl")) == 3
