"""Cells of delimited text: the same numbers as Python reads, words that mean no number, nothing mistaken for another."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts.datasets._decimals import read_decimals, read_integers
from cndts.datasets._text_rows import (
    TextRows,
    distinct_names,
    in_blocks,
    joined_rows,
    plain_text,
    separator_of,
    split_header,
)


def bounds(fields):
    end = np.cumsum([len(field) + 1 for field in fields]) - 1
    return ",".join(fields).encode(), end - [len(field) for field in fields], end


numbers = st.one_of(
    st.integers(-(10**18), 10**18).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)


@settings(max_examples=60)
@given(st.lists(numbers, min_size=1, max_size=20))
def test_decimals_are_those_of_python_to_the_last_bit(fields):
    np.testing.assert_array_equal(read_decimals(*bounds(fields)), [float(field) for field in fields])


@pytest.mark.parametrize("field", ["", "-", "--1", "-.", "1-", "1.2.3", "0x1", "1_0", "nan", "inf", "1e999", "+-1"])
def test_what_is_no_number_is_none(field):
    assert math.isnan(read_decimals(*bounds([field, "1"]))[0])


def test_signs_and_points_anywhere():
    fields = ["-0.5", "+3", "-.25", "7.", "-12e-1", '"-4"', " 5 "]
    assert read_decimals(*bounds(fields)).tolist() == [-0.5, 3, -0.25, 7, -1.2, -4, 5]


@settings(max_examples=40)
@given(st.lists(st.integers(-(10**18) + 1, 10**18 - 1), min_size=1, max_size=20))
def test_integers_keep_every_digit(values):
    number, readable = read_integers(*bounds([str(value) for value in values]))
    assert readable.all() and number.tolist() == values


def test_integers_refuse_the_rest():
    fields = ["1.0", "", "12345678901234567890", "x", "-"]
    assert not read_integers(*bounds(fields))[1].any()


def test_words_for_no_number_in_any_dress():
    rows = TextRows(b'NaN,1\nna,2\n"NULL",3\n,4\n nan ,5\nnana,6\n', ("x", "y"))
    cells = rows.numbers("x")
    assert cells.absent[:, 0].tolist() == [True] * 5 + [False]
    assert cells.unreadable[:, 0].tolist() == [False] * 5 + [True]
    assert np.isnan(cells.number).all()


def test_words_of_a_callers_choice():
    cells = TextRows(b"-99,1\nmissing,2\nNaN,3\n", ("x", "y")).numbers("x", absent=("missing",))
    assert cells.absent[:, 0].tolist() == [False, True, False]
    assert cells.unreadable[:, 0].tolist() == [False, False, True]


def test_numbers_beyond_float32_are_unreadable_unless_asked_for():
    rows = TextRows(b"1e39\n", ("x",))
    assert rows.numbers("x").unreadable.all()
    assert rows.numbers("x", largest=1e300).number[0, 0] == 1e39


def test_words_are_stripped_and_joined():
    code, words = TextRows('"NW",1\nNW ,2\nÄ,3\n'.encode(), ("w", "x")).words("w")
    assert (code.tolist(), words) == ([0, 0, 1], ["NW", "Ä"])


@pytest.mark.parametrize(("separator", "decimal"), [(",", "."), (";", ","), ("|", "."), ("\t", ","), (" ", ".")])
def test_any_dialect_becomes_commas_and_points(separator, decimal):
    text = f"a{separator}1{decimal}5\r\nb{separator}-2{decimal}25".encode()
    assert plain_text(text, separator, decimal) == b"a,1.5\nb,-2.25\n"


def test_a_comma_of_another_dialect_makes_no_new_field():
    assert len(TextRows(plain_text(b"1|2,5|x\n", "|"), ("a", "b", "c"))) == 1


def test_the_separator_is_the_most_frequent():
    assert [separator_of(line) for line in (b"a,b;c,d", b"a;b;c,d", b"a\tb\tc", b"one")] == [",", ";", "\t", " "]


def test_headers_that_repeat_hide_nothing():
    names, rest = split_header(b"\n t , x,x\n1,2,3\n")
    assert distinct_names(names) == ("t", "x", "x (column 3)")
    assert rest == b"1,2,3\n"


def test_rows_know_their_text():
    rows, text = joined_rows([b"", b"1,2\n", b"\n", b"3,4\n5\n"], ("x", "y"))
    assert (text.tolist(), len(rows.wrong)) == ([1, 3], 1)


def test_blocks_are_the_text(monkeypatch):
    monkeypatch.setattr("cndts.datasets._text_rows._BATCH_BYTES", 10)
    text = b"".join(b"%d,%d\n" % (i, i * i) for i in range(50)) + b"no line feed"
    blocks = list(in_blocks(text))
    assert b"".join(blocks) == text and len(blocks) > 10
    assert all(block.endswith(b"\n") for block in blocks[:-1])
    assert list(in_blocks(b"")) == [b""]
