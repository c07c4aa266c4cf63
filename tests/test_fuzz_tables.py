"""Damaged files that lie beside the events: outcomes, stations, objects, admissions; and tables and signals without a report.

A clear error, or a table in which the rows that the damage spared are as they were written down by hand.
"""

import csv
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pytest
import reader_damage as damage

from cndts.datasets import DataWarning, read_ghcn_daily, read_light_curves, read_mimic, read_physionet2012
from cndts.protocols import read_sporadic_csv

Cells = dict[str, float | str]


@dataclass(frozen=True)
class Table:
    """A table, what its lines say, and what a reader makes of it.

    Parameters
    ----------
    label : str
    name : str
        Of the file.
    header : str
    lines : dict from str to (record, cells)
        NaN for a cell that stands for nothing.
    read : callable
        From the folder and the file to the rows by record.
    owner : callable
        The record that a damaged line may have become a row of, None where that cannot be told.
    """

    label: str
    name: str
    header: str
    lines: dict[str, tuple[str, Cells]]
    read: Callable[[Path, Path], dict[str, Cells]]
    owner: Callable[[str], str | None]

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """The header line and the lines below."""
        return damage.parts(self.header, self.lines)

    def __str__(self) -> str:
        return self.label


def by_record(table: pd.DataFrame | None) -> dict[str, Cells]:
    if table is None:
        return {}
    return {str(record): dict(table.loc[record]) for record in table.index}


# ---- the record of a line ------------------------------------------------------------------------


def whole(cell: str) -> str | None:
    """A number as readers of ids take it, other text as it is; None for what a reader may take for some number."""
    try:
        number = float(cell)
    except ValueError:
        return None if any(letter.isdigit() for letter in cell) else cell.strip()
    return str(int(number)) if number.is_integer() else cell.strip()


def in_column(place: int) -> Callable[[str], str | None]:
    """The record of a line that names it in a column."""

    def owner(line: str) -> str | None:
        cells = next(csv.reader([line], skipinitialspace=True))
        return whole(cells[place]) if len(cells) > place else None

    return owner


def at_time(line: str) -> str | None:
    """The record and time of a line of the prepared USHCN table."""
    record, time = in_column(0)(line), next(csv.reader([line], skipinitialspace=True))[1:2]
    try:
        return f"{record} {float(*time):.3f}"
    except (TypeError, ValueError):
        return None


# ---- the tables ----------------------------------------------------------------------------------


def stays(folder: Path, path: Path) -> dict[str, Cells]:
    for record in (132539, 132540, 132541, 132543):
        (folder / "set" / f"{record}.txt").write_text(f"Time,Parameter,Value\n00:00,RecordID,{record}\n00:07,HR,73\n")
    return by_record(read_physionet2012(folder / "set", path, cache=False).outcomes)


SCORES = ("SAPS-I", "SOFA", "Length_of_stay", "Survival", "In-hospital_death")
NAN = math.nan
OUTCOMES = {
    "132539,6,1,5,-1,0": ("132539", dict(zip(SCORES, (6, 1, 5, -1, 0), strict=True))),
    "132540,16,8,8,-1,0": ("132540", dict(zip(SCORES, (16, 8, 8, -1, 0), strict=True))),
    "132541,-1,11,19,-1,0": ("132541", dict(zip(SCORES, (NAN, 11, 19, -1, 0), strict=True))),
    "132543,7,-1,9,575,1": ("132543", dict(zip(SCORES, (7, NAN, 9, 575, 1), strict=True))),
}


def weather(folder: Path, path: Path) -> dict[str, Cells]:
    line = "199601TMAX  170  0" + "-9999   " * 30
    for station in PLACES.values():
        (folder / "set" / f"{station[0]}.dly").write_text(station[0] + line + "\n")
    return by_record(read_ghcn_daily(folder / "set", path).static)


def station(line: str, *where: float) -> tuple[str, tuple[str, Cells]]:
    return line, (line[:11], dict(zip(("Latitude", "Longitude", "Elevation"), where, strict=True)))


PLACES = dict(
    [
        station("USC00011084  31.0581  -87.0547   25.9 AL BREWTON 3 SSE          HCN      ", 31.0581, -87.0547, 25.9),
        station("USC00012813  30.5467  -87.8808    7.0 AL FAIRHOPE 2 NE          HCN 72223", 30.5467, -87.8808, 7),
        station("USW00094728  40.7789  -73.9692 -999.9 NY NEW YORK CNTRL PK TWR  HCN 72506", 40.7789, -73.9692, NAN),
    ]
)


def curves(folder: Path, path: Path) -> dict[str, Cells]:
    table = "object_id,mjd,passband,flux\n615,1,2,3\n713,2,2,4\n730,3,1,5\n745,3,1,5\n"
    (folder / "set" / "training_set.csv").write_text(table)
    panel = read_light_curves(folder / "set", objects=path)
    static, outcomes = by_record(panel.static), by_record(panel.outcomes)
    return {str(each): {**static.get(each, {}), **outcomes.get(each, {})} for each in panel.records}


OBJECTS = {
    "615,349.046,-61.943,92": ("615", {"ra": 349.046, "decl": -61.943, "target": 92}),
    "713,53.085,-27.784,88": ("713", {"ra": 53.085, "decl": -27.784, "target": 88}),
    "730,33.574,,42": ("730", {"ra": 33.574, "decl": NAN, "target": 42}),
    "745,0.189,4.5e1,90": ("745", {"ra": 0.189, "decl": 45, "target": 90}),
}


def admissions(which: str) -> Callable[[Path, Path], dict[str, Cells]]:
    def read(folder: Path, path: Path) -> dict[str, Cells]:
        rows = "".join(f"{place},{record},3,4,88\n" for place, record in enumerate((7, 8, 10, 12)))
        (folder / "set" / "complete_tensor.csv").write_text(",UNIQUE_ID,LABEL_CODE,TIME_STAMP,VALUENUM\n" + rows)
        return by_record(getattr(read_mimic(folder / "set", **{which: path}), which))

    return read


PEOPLE = {
    "0,7,54,M,1.5": ("7", {"AGE": 54, "GENDER": "M", "SCORE": 1.5}),
    "1,8,61,F,-2": ("8", {"AGE": 61, "GENDER": "F", "SCORE": -2}),
    "2,10,89,F,": ("10", {"AGE": 89, "GENDER": "F", "SCORE": NAN}),
    "3,12,33,M,7e1": ("12", {"AGE": 33, "GENDER": "M", "SCORE": 70}),
}
DEATHS = {
    f"{place},{record},{place % 2}": (str(record), {"Value": place % 2}) for place, record in enumerate((7, 8, 10, 12))
}


def sporadic(folder: Path, path: Path) -> dict[str, Cells]:
    events = read_sporadic_csv(path).to_long()
    rows: dict[str, Cells] = {}
    for record, time, channel, value in events[["record", "time", "channel", "value"]].itertuples(index=False):
        rows.setdefault(f"{record} {time:.3f}", {})[channel] = value
    return rows


SPORADIC = {
    "7,0.5,0,0,1.5,0,0,0,0,1,0,0": ("7 0.500", {"Value_2": 1.5}),
    "7,1.2,0.25,0,0,0,-1,1,0,0,0,1": ("7 1.200", {"Value_0": 0.25, "Value_4": -1}),
    "8,0,0,2,0,0,0,0,1,0,0,0": ("8 0.000", {"Value_1": 2}),
    "9,199.9,0,0,0,3.5,0,0,0,0,1,0": ("9 199.900", {"Value_3": 3.5}),
}
FIVE = ",".join(f"{kind}_{place}" for kind in ("Value", "Mask") for place in range(5))
TABLES = [
    Table("outcomes", "Outcomes-a.txt", f"RecordID,{','.join(SCORES)}", OUTCOMES, stays, in_column(0)),
    Table("stations", "ghcnd-stations.txt", "", PLACES, weather, lambda line: line[:11]),
    Table("objects", "training_set_metadata.csv", "object_id,ra,decl,target", OBJECTS, curves, in_column(0)),
    Table(
        "covariates",
        "complete_covariates.csv",
        ",UNIQUE_ID,AGE,GENDER,SCORE",
        PEOPLE,
        admissions("static"),
        in_column(1),
    ),
    Table("deaths", "complete_death_tags.csv", ",UNIQUE_ID,Value", DEATHS, admissions("outcomes"), in_column(1)),
    Table("sporadic", "small_chunked_sporadic.csv", f"ID,Time,{FIVE}", SPORADIC, sporadic, at_time),
]


# ---- the check -----------------------------------------------------------------------------------


def same(one: float | str, two: float | str | None) -> bool:
    """Equal, or both no number; numbers of a column with damage in another row may be text."""
    if isinstance(one, str):
        return one == two
    number = math.nan if two is None else float(two)
    return math.isnan(one) and math.isnan(number) or math.isclose(one, number, rel_tol=1e-6)


def check(table: Table, folder: Path, content: bytes) -> bool:
    """Whether the file could be read and something of it was compared."""
    path = folder / table.name
    path.write_bytes(content)
    (folder / "set").mkdir(exist_ok=True)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            rows = table.read(folder, path)
        except ValueError as error:
            assert path.name in str(error), error
            assert content != b"".join(table.parts)
            return False
    assert {each.category for each in told} <= {DataWarning}
    lines = [line.decode("utf-8", "replace") for line in damage.lines_of(content)]
    if table.header and lines[:1] != [table.header]:
        return False
    spared = [table.lines[line] for line in lines if line in table.lines]
    # the first row of a record counts, or the last: a damaged line may have become another row of it
    touched = {table.owner(line) for line in lines if line not in table.lines and line != table.header}
    for record, cells in spared:
        if record not in touched:
            assert record in rows, record
            for name, value in cells.items():
                assert same(value, rows[record].get(name)), (record, name, value, rows[record])
    if None not in touched:
        names = {name for _, cells in table.lines.values() for name in cells}
        told = {record for record, cells in rows.items() if any(not pd.isna(cells.get(name)) for name in names)}
        assert told <= touched | {record for record, _ in spared}, (told, touched)
    return bool(spared)


def check_damaged(table: Table, folder: Path, count: int) -> None:
    """Some damage leaves something to compare: an error for all of it would be too easy."""
    assert check(table, folder, b"".join(table.parts))
    compared = []
    for kind in damage.KINDS:
        for content in damage.damages(*table.parts, kind, str(table), count):
            with damage.alarm(content):
                compared.append(check(table, folder, content) and content != b"".join(table.parts))
    assert sum(compared) >= len(compared) / 10, "too much is refused"


each_table = pytest.mark.parametrize("table", TABLES, ids=str)


@each_table
def test_damaged_tables_keep_the_rows_that_were_spared(tmp_path: Path, table: Table) -> None:
    check_damaged(table, tmp_path, 12)


@pytest.mark.slow
@each_table
def test_much_damaged_tables_keep_the_rows_that_were_spared(tmp_path: Path, table: Table) -> None:
    check_damaged(table, tmp_path, 300)


# ---- the check of the check ----------------------------------------------------------------------


@each_table
def test_readers_that_refuse_all_damage_are_caught(tmp_path: Path, table: Table) -> None:
    def refuses(folder: Path, path: Path) -> dict[str, Cells]:
        if path.read_bytes() != b"".join(table.parts):
            raise ValueError(f"{path.name} is damaged")
        return table.read(folder, path)

    with pytest.raises(AssertionError, match="too much is refused"):
        check_damaged(replace(table, read=refuses), tmp_path, 4)


@each_table
def test_rows_from_nowhere_are_caught(tmp_path: Path, table: Table) -> None:
    def invents(folder: Path, path: Path) -> dict[str, Cells]:
        return {**table.read(folder, path), "99": dict.fromkeys(next(iter(table.lines.values()))[1], 1.0)}

    with pytest.raises(AssertionError, match="'99'"):
        check(replace(table, read=invents), tmp_path, b"".join(table.parts))


def test_lines_in_a_quoted_cell_are_missed(tmp_path: Path) -> None:
    """Two lone quotation marks, and a reader that takes the lines between them for a cell that no mask points at."""
    table = TABLES[-1]

    def swallows(folder: Path, path: Path) -> dict[str, Cells]:
        pd.read_csv(path, dtype=str).replace("\n", " ", regex=True).to_csv(path, index=False)
        return table.read(folder, path)

    first, second, third, fourth = table.lines
    damaged = [first.replace(",0,0,", ',"0,0,', 1), second, third.replace(",0,2,", ',"0,2,', 1), fourth]
    content = "\n".join([table.header, *damaged]).encode()
    assert not check(table, tmp_path, content)
    with pytest.raises(AssertionError, match="7 1.200"):
        check(replace(table, read=swallows), tmp_path, content)
