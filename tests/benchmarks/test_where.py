"""Parts of ``where``."""

from benchmarks import harness, where


def test_metadata_are_what_the_question_counts_on():
    items = where.many(5000)
    theos = [item for item in items if item["speaker"] == "theo"]
    assert len(theos) > 800 and sum(item["label"] == 7 for item in theos) == 50
    digits = where.digits(2500)
    assert len(digits) == 2500 and sum(one["label"] == 7 and one["speaker"] == "theo" for one in digits) == 50


def test_questions_are_timed(tmp_path):
    table = harness.Table(binds=False)
    where.add_finding_rows(table, "few", where.filled(tmp_path / "store", where.many(300)), 1)
    where.add_writing_rows(table, tmp_path, 1)
    assert len(table.rows) == 8 and "for 50 documents" in table.rows[1].figure
