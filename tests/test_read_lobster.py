"""LOBSTER messages: four events each, nanoseconds kept, halts and nonsense counted."""

import warnings

import numpy as np
import pytest

from cndts.datasets import DataWarning, read_lobster

NAME = "AAPL_2012-06-21_34200000_57600000_message_10.csv"
ROWS = [
    "34200.004241176,1,16113575,18,5853300,1",
    "34200.004241176,4,16113575,8,5853300,-1",
    "34300.5,3,7,100,5859400,1",
]


def write(folder, *rows, name=NAME, ending="\n"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes("".join(row + ending for row in rows).encode("latin-1"))
    return folder / name


def read(path, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        panel, report = read_lobster(path, return_report=True, **options)
    assert report.n_found == report.n_kept + report.n_left_out
    assert panel.n_events == 4 * report.n_kept
    return panel, report


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_messages_become_four_events(tmp_path, ending):
    panel, report = read(write(tmp_path, *ROWS, ending=ending))

    assert panel.records.tolist() == ["AAPL 2012-06-21"]
    assert panel.channels == ("type", "size", "price", "direction")
    assert panel.units["price"] == "USD"
    assert panel.time[::4].tolist() == [34200.004241176, 34200.004241176, 34300.5]
    np.testing.assert_array_equal(
        panel.value.reshape(3, 4), np.float32([[1, 18, 585.33, 1], [4, 8, 585.33, -1], [3, 100, 585.94, 1]])
    )
    assert str(panel.origin) == "2012-06-21 00:00:00-04:00"
    assert panel.groups.tolist() == ["2012-06-21"]
    assert report.noticed == {"the time of the row above": 1}


def test_halts_are_documented_and_nonsense_is_not(tmp_path):
    bad = ["34201,7,0,0,-1,-1", "34201,8,1,1,100,1", "34201,1,1,1,100,0", "34201,1,1,0,100,1", "34201,1,1,1,-5,1"]
    panel, report = read(write(tmp_path, *ROWS, *bad, "1,2", "x,1,1,1,100,1"))

    assert report.documented == {"a trading halt": 1}
    assert report.unforeseen == {
        "another number of fields": 1,
        "an unreadable time": 1,
        "an unknown type of event": 1,
        "an unknown direction": 1,
        "a price or size not above zero": 2,
    }
    assert report.n_found == 10 and panel.n_events == 12


def test_messages_end_with_the_day(tmp_path):
    panel, report = read(
        write(tmp_path, *ROWS, "86399.999999999,1,1,1,100,1", "86400,1,1,1,100,1", "1e305,1,1,1,100,1")
    )
    assert report.unforeseen == {"a time outside the day": 2} and panel.time[-1] < 86_400


def test_a_seventh_field_is_skipped(tmp_path):
    """Newer exports have one, and not always in every row."""
    plain, _ = read(write(tmp_path / "six", *ROWS))
    for more in (["", ",null", ",GSCO"], [",null"] * 3, [","] * 3):
        rows = [row + extra for row, extra in zip(ROWS, more, strict=True)]
        panel, report = read(write(tmp_path / "seven", *rows, ROWS[0] + ",null,1"))
        assert panel.equals(plain)
        assert report.unforeseen == {"another number of fields": 1}


def test_a_header_line_is_noticed(tmp_path):
    panel, report = read(write(tmp_path, "Time,Type,ID,Size,Price,Direction", *ROWS))
    assert panel.n_events == 12 and report.noticed["a header line"] == 1


def test_days_and_symbols(tmp_path):
    write(tmp_path, *ROWS)
    write(tmp_path, *ROWS, name=NAME.replace("AAPL", "BRK.B").replace("06-21", "06-22"))
    write(tmp_path, "5859400,200,5853300,18", name=NAME.replace("message", "orderbook"))
    write(tmp_path, name=NAME.replace("AAPL", "ZZZ"))
    panel, report = read(tmp_path)
    assert panel.records.tolist() == ["AAPL 2012-06-21", "BRK.B 2012-06-22", "ZZZ 2012-06-21"]
    assert panel[1].time[0] == pytest.approx(86_400 + 34200.004241176, abs=1e-9)
    assert report.other_files == (NAME.replace("message", "orderbook"),)
    assert report.empty_records == ("ZZZ 2012-06-21",)

    whole, _ = read(tmp_path, by="symbol")
    assert whole.records.tolist() == ["AAPL", "BRK.B", "ZZZ"]


def test_basis_points_count_from_the_first_price(tmp_path):
    panel, _ = read(write(tmp_path, *ROWS), prices="bp")
    price = panel.value[panel.channel == 2]
    np.testing.assert_allclose(price, [0, 0, 1e4 * np.log(585.94 / 585.33)], rtol=1e-6)
    assert panel.units["price"] == "bp" and panel.static["Reference"].tolist() == [pytest.approx(585.33)]


def test_wrong_sources_and_options_are_named(tmp_path):
    write(tmp_path, *ROWS, name="messages.csv")
    with pytest.raises(ValueError, match="wanted files named like AAPL_2012-06-21.* got 'messages.csv'"):
        read_lobster(tmp_path)
    with pytest.raises(ValueError, match="by must be one of 'day', 'symbol'; got 'hour'"):
        read_lobster(tmp_path, by="hour")
    with pytest.raises(ValueError, match="prices must be one of"):
        read_lobster(tmp_path, prices="log")
