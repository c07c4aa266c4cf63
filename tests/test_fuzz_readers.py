"""Every reader on damaged files: a clear error, or a panel whose report accounts for every row; never a crash or a silence."""

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cndts.datasets import (
    DataWarning,
    read_air_quality,
    read_batteryless,
    read_beijing_air,
    read_ghcn_daily,
    read_human_activity,
    read_light_curves,
    read_lobster,
    read_mimic,
    read_physionet2012,
    read_physionet2019,
    read_physionet_style,
    read_ticks,
    read_ushcn_legacy,
    read_wfdb,
)
from cndts.datasets._air_quality import CHANNELS as ROAD

DAMAGES = 12


@dataclass(frozen=True)
class Reader:
    """A reader, a valid file for it, and how its report counts."""

    read: Callable[..., Any]
    name: str
    text: str
    options: dict[str, Any] = field(default_factory=dict)
    per_entry: int = 1  # events of one entry of the report; 0 where it varies
    lines_are_entries: bool = True  # every line below the header is at least one entry that is found

    def __str__(self) -> str:
        return f"{self.read.__name__} {self.name}"


GROUPS = "-9999   " * 28
READERS = [
    Reader(
        read_physionet2012,
        "132539.txt",
        "Time,Parameter,Value\n00:00,RecordID,132539\n00:00,Age,54\n00:07,HR,73\n00:07,HR,75\n00:37,Temp,-35.1\n",
        {"cache": False},
    ),
    Reader(
        read_physionet2019,
        "p000001.psv",
        "HR|O2Sat|Temp|Age|ICULOS|SepsisLabel\n80|NaN|36.6|61|1|0\n81|97|NaN|61|2|0\nNaN|-2.5|1e1|61|3|1\n",
        lines_are_entries=False,
    ),
    Reader(
        read_ghcn_daily,
        "USC00011084.dly",
        f"USC00011084199601TMAX  170  0  250 I0  -30  0{GROUPS}\nUSC00011084199602PRCP    0T 0   12  0    5  0{GROUPS}\n",
        lines_are_entries=False,
    ),
    Reader(
        read_ushcn_legacy,
        "state37_RI.txt",
        f"370896189307TMAX   83  0   85  0   -3  0{GROUPS}\n370896189308PRCP    0T 0   12  0    5  0{GROUPS}\n",
        lines_are_entries=False,
    ),
    Reader(
        read_ticks, "20140501_eurusd_tick_quote.csv", "0,1.38676,1.38686\n920.5,1.3,1.4\n921,1.5,1.4\n", per_entry=0
    ),
    Reader(
        read_ticks,
        "trades.csv",
        "when,symbol,price,size\n20240301 09:30:00.123456,AB,10.5,100\n20240301 09:30:01.5,CD,,200\n",
        {
            "columns": ("time", "symbol", "price", "size"),
            "time_format": "%Y%m%d %H:%M:%S.%f",
            "time_zone": "Europe/Berlin",
        },
        per_entry=0,
    ),
    Reader(
        read_batteryless,
        "d1p01M",
        "0,0.272,1.0082,-0.0821,1,-63.5,2.4252,924.25,1\n0.5,0.25,1,-0.5,4,-63,4.75,921.75,3\n",
        per_entry=7,
    ),
    Reader(
        read_human_activity,
        "ConfLongDemo_JSI.txt",
        "A01,010-000-024-033,633790226051280329,27.05.2009 14:03:25:127,4.06,1.89,0.51,walking\n"
        "A01,020-000-033-111,633790226051820913,27.05.2009 14:03:25:183,4.29,1.78,-1.34,lying down\n",
        per_entry=3,
    ),
    Reader(
        read_beijing_air,
        "PRSA_Data_Huairou.csv",
        '"No","year","month","day","hour","PM2.5","PM10","SO2","NO2","CO","O3","TEMP","PRES","DEWP","RAIN","wd","WSPM","station"\n'
        '1,2013,3,1,0,7,7,3,2,100,91,-2.3,1020.3,-20.7,0,"WNW",3.1,"Huairou"\n'
        '2,2013,3,1,1,4,4,3,NA,100,92,-2.7,1020.8,-20.5,0,NA,1.5,"Huairou"\n',
    ),
    Reader(
        read_air_quality,
        "AirQualityUCI.csv",
        "Date;Time;"
        + ";".join(ROAD)
        + ";;\n10/03/2004;18.00.00;2,6;1360;150;11,9;1046;166;1056;113;1692;1268;13,6;48,9;0,7578;;\n"
        "11/03/2004;19:00:00;-200;1;2;3;4;5;6;7;8;9;10;11;-200,0;;\n",
    ),
    Reader(
        read_lobster,
        "AAPL_2012-06-21_34200000_57600000_message_10.csv",
        "34200.004241176,1,16113575,18,5853300,1\n34200.1,7,0,0,-1,-1\n34300.5,3,7,100,5859400,-1\n",
        per_entry=4,
    ),
    Reader(
        read_light_curves,
        "curves.csv",
        "object_id,mjd,passband,flux,flux_err\n615,59750.4229,2,-544.8,3.6\n615,59750.4306,1,-816.4,5.5\n13,1,2,3,-1\n",
        per_entry=0,
    ),
    Reader(
        read_mimic,
        "complete_tensor.csv",
        ",UNIQUE_ID,LABEL_CODE,TIME_STAMP,VALUENUM,MEAN,STD,VALUENORM\n0,7,3,4,88.0,80.0,8.0,1.0\n1,8,1,0,-1.5,1,1,0.5\n",
    ),
    Reader(
        read_mimic,
        "full_dataset.csv",
        "hadm_id,time_stamp,Value_label_0,Mask_label_0,Value_label_1,Mask_label_1\n9,30,5.5,1,0,0\n9,90,1,1,-2,1\n",
        lines_are_entries=False,
    ),
    Reader(read_physionet_style, "a.csv", "t,c,v\n1,HR,80\n1,HR,90\n2.5,Temp,-36.6\n", {"duplicates": "keep"}),
    Reader(
        read_physionet_style,
        "a.txt",
        "when;HR;Temp\n01.02.2024 10:30;80,5;36,6\n01.02.2024 11:30;;37\n",
        {"layout": "wide", "decimal": ",", "time_format": "%d.%m.%Y %H:%M"},
    ),
]


def bits(content: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def piece(content: bytes, chance: random.Random) -> bytes:
    """A part that is doubled, removed or put elsewhere."""
    begin = chance.randrange(len(content))
    part = content[begin : begin + chance.randint(1, 60)]
    rest = content[:begin] + content[begin + len(part) :]
    place = chance.randrange(len(rest) + 1)
    return chance.choice([content[:begin] + part + content[begin:], rest, rest[:place] + part + rest[place:]])


def field_of(content: bytes, chance: random.Random) -> bytes:
    """A field in place of which stands something huge or odd."""
    odd = [b"9" * 5000, b"1e400", b"-1e38", b"nan", b"inf", b"\x00" * 9, b'"', b'"a,b"', b"0x1F", b"1_000", b"--1", b""]
    odd += [
        "٣".encode(),
        "−5".encode(),
        b"1" + b"0" * 40,
        b"-9223372036854775808",
        b" ",
        b"\xff\xfe",
        b"a" * 70_000,
        b"1e-400",
    ]
    marks = [0, *(i + 1 for i, letter in enumerate(content) if letter in b",;|\n")]
    place = chance.randrange(len(marks) - 1)
    return content[: marks[place]] + chance.choice(odd) + content[marks[place + 1] - 1 :]


def encoded(content: bytes, chance: random.Random) -> bytes:
    text = content.decode("utf-8", "replace")
    return chance.choice(
        [
            text.encode("utf-16"),
            text.encode("utf-8-sig"),
            text.encode("utf-32"),
            text.replace("\n", "\r").encode(),
            text.replace("\n", "\r\n").encode(),
            text.replace("\n", "\n\n").encode(),
            text.replace("1", "１").encode(),
            text.encode("cp037", "replace"),
            b"\x1f\x8b" + content,
            b"",
            b"\n\n \n",
        ]
    )


def cut(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(len(content))]


KINDS = [bits, piece, field_of, encoded, cut]


def numbers(report: Any) -> tuple[int, int, int, int]:
    """Found, kept, merged and left out, in either kind of report."""
    if hasattr(report, "n_rows"):
        return report.n_rows - report.n_descriptors, report.n_observations, report.n_merged, report.n_left_out
    return report.n_found, report.n_kept, report.n_merged, report.n_left_out


def check(reader: Reader, path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            panel, report = reader.read(path, return_report=True, **reader.options)
        except ValueError as error:
            # an error that a user can act upon: what was wanted, or which file is wrong
            assert "wanted" in str(error) or path.name in str(error) or "choose" in str(error), error
            return
    assert {each.category for each in told} <= {DataWarning}
    found, kept, merged, left_out = numbers(report)
    assert found == kept + merged + left_out, report
    if reader.per_entry:
        assert panel.n_events == kept * reader.per_entry
    assert np.isfinite(panel.time).all() and np.isfinite(panel.value).all()
    assert bool(told) == bool(report.n_unforeseen)
    if reader.lines_are_entries and b"\x00" not in content:
        lines = [line for line in content.replace(b"\r", b"\n").split(b"\n") if line.strip(b" \t,;|")]
        in_report = found + (report.n_descriptors if hasattr(report, "n_descriptors") else 0)
        assert in_report >= len(lines) - 1 or report.other_files, (in_report, lines)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("reader", READERS, ids=str)
def test_damage_is_told_or_counted(
    tmp_path: Path, reader: Reader, kind: Callable[[bytes, random.Random], bytes]
) -> None:
    chance = random.Random(f"{reader} {kind.__name__}")
    valid = reader.text.encode()
    check(reader, tmp_path / reader.name, valid)
    for _ in range(DAMAGES):
        damaged = kind(valid, chance)
        if chance.random() < 0.2:
            damaged = chance.choice(KINDS)(damaged + b",\n", chance)
        try:
            check(reader, tmp_path / reader.name, damaged)
        except Exception as error:
            error.add_note(f"the file was {damaged[:2000]!r}")
            raise


def test_every_reader_is_here() -> None:
    import cndts.datasets

    public = {name for name in cndts.datasets.__all__ if name.startswith("read_")}
    assert public == {reader.read.__name__ for reader in READERS} | {"read_wfdb"}


@pytest.mark.parametrize("file", ["100.hea", "100.dat"])
def test_damaged_wfdb_records_are_told_or_counted(tmp_path: Path, file: str) -> None:
    pytest.importorskip("wfdb", reason='reading WFDB records needs wfdb: pip install "cndts[wfdb]"')
    header = b"100 2 4 4\n100.dat 16 100.0(0)/bpm 16 0 100 0 0 HR\n100.dat 16 100.0(0)/% 16 0 50 0 0 SpO2\n"
    valid = {"100.hea": header, "100.dat": np.array([[100, 50], [200, 25], [-32768, 75], [-100, 100]], "<i2").tobytes()}
    chance = random.Random(file)
    for _ in range(DAMAGES):
        for name, content in valid.items():
            damaged = chance.choice([bits, cut, piece])(content, chance) if name == file else content
            (tmp_path / name).write_bytes(damaged)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                panel, report = read_wfdb(tmp_path / "100", return_report=True)
            except ValueError as error:
                assert "no WFDB record can be read" in str(error) or "wanted" in str(error)
                continue
        assert {each.category for each in told} <= {DataWarning}
        assert report.n_found == report.n_kept + report.n_left_out == panel.n_events + report.n_left_out
        assert np.isfinite(panel.time).all() and np.isfinite(panel.value).all()
