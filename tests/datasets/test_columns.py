"""What columns hold: recognised only where every value agrees, and converted only where it is that."""

import pytest

from zounds_lite.datasets.columns import ColumnKinds, converted, kind_name, kind_of
from zounds_lite.errors import DeclarationError, InvalidItem


def kinds(*cells):
    found = ColumnKinds(1)
    for cell in cells:
        found.add([cell])
    return found.kinds[0]


@pytest.mark.parametrize(
    "text, kind",
    [
        ("0", "int"), ("-12", "int"), (" 7 ", "int"), ("999999999999999999", "int"),
        ("1.0", "float"), ("-0.5", "float"), (".5", "float"), ("5.", "float"), ("1e-3", "float"), ("2E+10", "float"),
        ("true", "bool"), ("False", "bool"), ("TRUE", "bool"),
        ("007", "str"), ("00.5", "str"), ("+49", "str"), ("1_000", "str"), ("1,5", "str"), ("0x10", "str"),
        ("nan", "str"), ("inf", "str"), ("1e999", "str"), ("1e", "str"), ("12345678901234567890", "str"),
        ("yes", "str"), ("1:30", "str"), ("٣", "str"), ("²", "str"), ("", "str"), ("2024-01-01", "str"),
    ],
)  # fmt: skip
def test_one_value(text, kind):
    assert kind_of(text) == kind


def test_a_column_is_what_all_its_values_are():
    assert kinds("1", "2", "") == "int"
    assert kinds("1", "2.5") == kinds("2.5", "1") == "float"
    assert kinds("1", "true") == kinds("true", "0.5") == "str"
    assert kinds("1", "007") == kinds("007", "1") == "str"
    assert kinds("1.5", "12345678901234567890") == "str"  # a float would lose its last digits
    assert kinds("True", "false", " ") == "bool"
    assert kinds("", "  ") == kinds() == "str"


def test_conversion():
    assert converted("007", "int") == 7
    assert converted(7.0, "int") == 7 and type(converted(7.0, "int")) is int
    assert converted("+1.5", "float") == 1.5
    assert converted(7, "float") == 7.0 and type(converted(7, "float")) is float
    assert converted(True, "str") == "True"
    assert [converted(value, "bool") for value in ("1", 0, "TRUE", "false")] == [True, False, True, False]
    assert converted(None, "int") is None


@pytest.mark.parametrize(
    "value, kind",
    [("x", "int"), ("1.5", "int"), (True, "int"), ([1], "int"), ("nan", "float"), (float("inf"), "float"),
     (True, "float"), (10**400, "float"), ("1_0", "float"), ("maybe", "bool"), (2, "bool"), ([1], "str"),
     ("9" * 5000, "int")],
)  # fmt: skip
def test_what_is_not_of_a_kind_is_shown(value, kind):
    with pytest.raises(InvalidItem, match="is no (text|whole number|finite number|truth value)"):
        converted(value, kind)


def test_kinds_go_by_types_or_names():
    assert [kind_name(kind) for kind in (str, int, float, bool, "int")] == ["str", "int", "float", "bool", "int"]
    for wrong in (list, "text", None, 7):
        with pytest.raises(DeclarationError, match="no kind of column; allowed: str, int, float, bool"):
            kind_name(wrong)
