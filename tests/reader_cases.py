"""A valid file for every reader, and the events that each of its lines stands for, written down by hand."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import reader_damage as damage

from cndts import datasets

Row = tuple[str, float, dict[str, float]]  # record; time in the panel's unit, or in seconds since 1970; values


@dataclass(frozen=True)
class Reader:
    """A reader, a file that it reads, and what is in it.

    Parameters
    ----------
    read : callable
    name : str
        Of the file.
    lines : dict from str to list of Row
        Events of each line below the header.
    header : str, default=""
    about : str, default=""
        Tells entries of the same reader apart.
    options : dict
    per_entry : int, default=1
        Events of one entry of the report; 0 where it varies.
    counts_lines : bool, default=True
        Every line below the header is at least one entry that the report has found.
    header_says : bool, default=True
        What the cells mean stands in the header, so that nothing can be said of the lines below a damaged one.
    named_by : bytes, default=b""
        The one record has its name from a line that holds this, so that damage may rename it.
    from_first : bool, default=False
        Times count from the first reading of the record, so that damage may shift all of them.
    folds : str, default=""
        Why the entry of an untouched line may be left out or merged: what the report calls it, or "merged".
    """

    read: Callable[..., Any]
    name: str
    lines: dict[str, list[Row]]
    header: str = ""
    about: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    per_entry: int = 1
    counts_lines: bool = True
    header_says: bool = True
    named_by: bytes = b""
    from_first: bool = False
    folds: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.read.__name__, self.name, self.about)))

    @property
    def parts(self) -> tuple[bytes, bytes]:
        """The header line and the lines below."""
        return damage.parts(self.header, self.lines)

    @property
    def content(self) -> bytes:
        """The file."""
        return b"".join(self.parts)


def at(time: str) -> float:
    """Seconds since 1970."""
    return pd.Timestamp(time).timestamp()


def table(rows: Sequence[tuple[str, Row | None]]) -> dict[str, list[Row]]:
    """Lines of one row each, or of none."""
    return {line: [] if row is None else [row] for line, row in rows}


@functools.wraps(datasets.read_physionet2012)
def from_folder(path: Path, **options: Any) -> Any:
    """The reader of PhysioNet 2012, which takes folders; the file must be alone in its own."""
    return datasets.read_physionet2012(path.parent, **options)


STAY = table(
    [
        ("00:00,RecordID,132539", None),
        ("00:00,Age,54", None),
        ("00:07,HR,73", ("132539", 7 / 60, {"HR": 73})),
        ("00:37,Temp,-35.1", ("132539", 37 / 60, {"Temp": -35.1})),
        ("01:00,Weight,71.5", ("132539", 1, {"Weight": 71.5})),
        ("23:30,GCS,15", ("132539", 23.5, {"GCS": 15})),
        ("47:59,Urine,1.2e2", ("132539", 47 + 59 / 60, {"Urine": 120})),
    ]
)
SEPSIS = {
    "80|NaN|36.6|61|1|0": {"HR": 80, "Temp": 36.6},
    "81|97|NaN|61|2|0": {"HR": 81, "O2Sat": 97},
    "NaN|-2.5|1e1|61|3|0": {"O2Sat": -2.5, "Temp": 10},
    "79.5|NaN|36.9|61|4|1": {"HR": 79.5, "Temp": 36.9},
    "NaN|95|NaN|61|5|1": {"O2Sat": 95},
}
HOURS = [(line, ("p000001", float(line[-3]), values)) for line, values in SEPSIS.items()]
LABELLED = [
    (line, (record, time, {**values, "SepsisLabel": float(line[-1])})) for line, (record, time, values) in HOURS
]


def month(head: str, *days: str) -> str:
    """A line of daily values, the days that are not given missing."""
    return head + "".join(days) + "-9999   " * (31 - len(days))


def daily(station: str, start: str, element: str, *values: float | None) -> list[Row]:
    """The days of a month, None for one without a value that is kept."""
    first = at(start)
    return [(station, first + 86_400 * day, {element: value}) for day, value in enumerate(values) if value is not None]


WEATHER = {
    month("USC00011084199601TMAX", "  170  0", "  250 I0", "  -30  0"): daily(
        "USC00011084", "1996-01-01", "TMAX", 17, None, -3
    ),
    month("USC00011084199602PRCP", "    0T 0", "   12  0", "    5  0"): daily(
        "USC00011084", "1996-02-01", "PRCP", 0, 1.2, 0.5
    ),
    month("USC00011084199701SNOW", "-9999   ", "    7  0"): daily("USC00011084", "1997-01-01", "SNOW", None, 7),
    month("USW00094728199603TMIN", "  -55  0", "   11  0"): daily("USW00094728", "1996-03-01", "TMIN", -5.5, 1.1),
}
OLD_WEATHER = {
    month("370896189307TMAX", "   83  0", "   85  0", "   -4  0"): daily(
        "370896", "1893-07-01", "TMAX", 51 / 1.8, 53 / 1.8, -20
    ),
    month("370896189308PRCP", "    0T 0", "   12  0", "    5  0"): daily(
        "370896", "1893-08-01", "PRCP", 0, 3.048, 1.27
    ),
    month("370896190001SNWD", "-9999   ", "    2  0"): daily("370896", "1900-01-01", "SNWD", None, 50.8),
    month("376698189307TMIN", "   41  0", "   50 X0"): daily("376698", "1893-07-01", "TMIN", 5, None),
}


def quote(line: str) -> tuple[str, Row]:
    """A quote of OANDA's layout, whose file name says the day."""
    time, bid, ask = map(float, line.split(","))
    values = {"bid": bid, "ask": ask, "mid": (bid + ask) / 2}
    return line, ("eurusd 2014-05-01", at("2014-05-01") + time / 1000, values)


QUOTES = ["0,1.38676,1.38686", "920.5,1.3,1.4", "921,1.5,1.4", "60000,1.25,1.5", "36e5,1.12,1.25", "86399999,1.2,1.3"]
TRADES = [
    (
        "20240301 09:30:00.123456,AB,10.5,100",
        ("AB 2024-03-01", at("2024-03-01T08:30:00.123456"), {"price": 10.5, "size": 100}),
    ),
    ("20240301 09:30:01.5,CD,,200", ("CD 2024-03-01", at("2024-03-01T08:30:01.5"), {"size": 200})),
    ("20240302 00:10:00.0,AB,10.75,50", ("AB 2024-03-02", at("2024-03-01T23:10"), {"price": 10.75, "size": 50})),
    ("20240701 12:00:00.25,CD,7,1", ("CD 2024-07-01", at("2024-07-01T10:00:00.25"), {"price": 7, "size": 1})),
    ("20240702 12:00:00.0,CD,7.5,", ("CD 2024-07-02", at("2024-07-02T10:00"), {"price": 7.5})),
]


def reading(line: str) -> tuple[str, Row]:
    """A row of the batteryless sensor."""
    time, *values, _ = map(float, line.split(","))
    names = ("frontal", "vertical", "lateral", "antenna", "rssi", "phase", "frequency")
    return line, ("d1p01M", time, dict(zip(names, values, strict=True)))


READINGS = [
    reading("0,0.272,1.0082,-0.0821,1,-63.5,2.4252,924.25,1"),
    reading("0.5,0.25,1,-0.5,4,-63,4.75,921.75,3"),
    reading("0.575,0.26,1.01,-0.25,2,-61.5,3.125,922.25,3"),
    reading("12,-0.5,0.9,0.75,3,-58,0,920.25,2"),
    reading("300.025,0,1e-2,0.125,1,-60,6.25,925.75,4"),
]
ACTIVE = [(line, (record, time, {**values, "activity": float(line[-1])})) for line, (record, time, values) in READINGS]


def place(name: str, tag: str, ticks: int, where: str, first: int, prefix: str) -> tuple[str, Row]:
    """A position of a tag, in seconds since the first of the sequence."""
    line = f"{name},{tag},{ticks},27.05.2009 14:03:25:127,{where},walking"
    values = {f"{prefix}_{axis}": float(number) for axis, number in zip("xyz", where.split(","), strict=True)}
    return line, (name, (ticks - first) / 1e7, values)


FIRST, OTHER = 633_790_226_051_280_329, 633_790_300_000_000_000
POSITIONS = [
    place("A01", "010-000-024-033", FIRST, "4.06,1.89,0.51", FIRST, "ankle_left"),
    place("A01", "020-000-033-111", FIRST + 540_584, "4.29,1.78,-1.34", FIRST, "chest"),
    place("A01", "020-000-032-221", FIRST + 1_000_000, "4.36,1.83,0.97", FIRST, "belt"),
    place("B02", "010-000-030-096", OTHER, "3.5,2.25,0.11", OTHER, "ankle_right"),
    place("B02", "020-000-033-111", OTHER + 20_000_000, "3.75,2.5,1.25", OTHER, "chest"),
]
BEIJING_HEADER = '"No","year","month","day","hour","PM2.5","PM10","SO2","NO2","CO","O3","TEMP","PRES","DEWP","RAIN","wd","WSPM","station"'


def air(line: str, time: str, degrees: float | None) -> tuple[str, Row]:
    """An hour of a station in Beijing."""
    cells = dict(zip(BEIJING_HEADER.replace('"', "").split(","), line.replace('"', "").split(","), strict=True))
    values = {
        name: float(cells[name])
        for name in ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "WSPM")
        if cells[name] != "NA"
    }
    return line, (cells["station"], at(f"{time}+08:00"), values | ({} if degrees is None else {"WD": degrees}))


AIR = [
    air('1,2013,3,1,0,7,7,3,2,100,91,-2.3,1020.3,-20.7,0,"WNW",3.1,"Huairou"', "2013-03-01T00", 292.5),
    air('2,2013,3,1,1,4,5,3,NA,110,92,-2.7,1020.8,-20.5,0,NA,1.5,"Huairou"', "2013-03-01T01", None),
    air('3,2013,12,31,23,14,15,NA,8,120,93,-12,1021,-19,0,"N",0.5,"Huairou"', "2013-12-31T23", 0),
    air('4,2016,2,29,12,24,25,6,9,130,94,2.5,1022,-18,0.5,"SE",2,"Gucheng"', "2016-02-29T12", 135),
]
ROAD = (
    "CO(GT);PT08.S1(CO);NMHC(GT);C6H6(GT);PT08.S2(NMHC);NOx(GT);PT08.S3(NOx);NO2(GT);PT08.S4(NO2);PT08.S5(O3);T;RH;AH"
)


def road(line: str, time: str) -> tuple[str, Row]:
    """An hour beside the road, with decimal commas and -200 for missing."""
    numbers = [float(cell.replace(",", ".")) for cell in line.split(";")[2:-2]]
    values = {name: number for name, number in zip(ROAD.split(";"), numbers, strict=True) if number != -200}
    return line, ("AirQualityUCI", at(time), values)


ROADSIDE = [
    road("10/03/2004;18.00.00;2,6;1360;150;11,9;1046;166;1056;113;1692;1268;13,6;48,9;0,7578;;", "2004-03-10T18"),
    road("11/03/2004;19:00:00;-200;1;2;3;4;5;6;7;8;9;10;11;-200,0;;", "2004-03-11T19"),
    road("12/03/2004;00.00.00;0,5;21;22;23;24;25;26;27;28;29;-1,5;31;0,25;;", "2004-03-12"),
    road("04/04/2005;14.00.00;3;41;42;43;44;45;46;47;48;49;28,5;51;0,5;;", "2005-04-04T14"),
]


def message(line: str, time: str) -> tuple[str, Row]:
    """A message of LOBSTER."""
    _, kind, _, size, price, direction, *_ = line.split(",")
    values = {"type": float(kind), "size": float(size), "price": float(price) / 1e4, "direction": float(direction)}
    return line, ("AAPL 2012-06-21", at(f"2012-06-21T{time}-04:00"), values)


MESSAGES = [
    message("34200.004241176,1,16113575,18,5853300,1", "09:30:00.004241176"),
    ("34200.1,7,0,0,-1,-1", None),
    message("34300.5,3,7,100,5859400,-1,null", "09:31:40.5"),
    message("34300.5,4,8,20,5859500,1", "09:31:40.5"),
    message("57599.25,5,9,7,5860000,-1", "15:59:59.25"),
]
CURVES = [
    ("615,59750.4229,2,-544.8,3.6", ("615", 59750.4229, {"2": -544.8, "2 error": 3.6})),
    ("615,59750.4306,1,-816.4,5.5", ("615", 59750.4306, {"1": -816.4, "1 error": 5.5})),
    ("13,1,2,3,-1", ("13", 1, {"2": 3})),
    ("13,2.5,1,-7e2,0.25", ("13", 2.5, {"1": -700, "1 error": 0.25})),
    ("713,59751,u,12,1.5", ("713", 59751, {"u": 12, "u error": 1.5})),
]
TENSOR = [
    ("0,7,3,4,88.0,80.0,8.0,1.0", ("7", 2, {"label 3": 88})),
    ("1,8,1,0,-1.5,1,1,0.5", ("8", 0, {"label 1": -1.5})),
    ("2,8,3,5,89,80.0,8.0,1.1", ("8", 2.5, {"label 3": 89})),
    ("3,9,0,95,0.125,0,1,0.125", ("9", 47.5, {"label 0": 0.125})),
    ("4,9,1,96,7e1,1,1,69", ("9", 48, {"label 1": 70})),
]
FULL = [
    ("9,30,5.5,1,0,0", ("9", 0.5, {"label 0": 5.5})),
    ("9,90,1,1,-2,1", ("9", 1.5, {"label 0": 1, "label 1": -2})),
    ("10,0,0,0,4.5,1", ("10", 0, {"label 1": 4.5})),
    ("11,2880,8,1,0.25,1", ("11", 48, {"label 0": 8, "label 1": 0.25})),
]
LONG = [
    ("1,HR,80", ("a", 1, {"HR": 80})),
    ("1,HR,90", ("a", 1, {"HR": 90})),
    ("2.5,Temp,-36.6", ("a", 2.5, {"Temp": -36.6})),
    ("30,SpO2,97", ("a", 30, {"SpO2": 97})),
    ("31,HR,8e1", ("a", 31, {"HR": 80})),
]
WIDE = [
    ("01.02.2024 10:30;80,5;36,6", ("a", at("2024-02-01T10:30"), {"HR": 80.5, "Temp": 36.6})),
    ("01.02.2024 11:30;;37", ("a", at("2024-02-01T11:30"), {"Temp": 37})),
    ("02.02.2024 00:00;79;", ("a", at("2024-02-02"), {"HR": 79})),
    ("29.02.2024 23:59;78,25;-1,5", ("a", at("2024-02-29T23:59"), {"HR": 78.25, "Temp": -1.5})),
]
STEPS = ("time", "symbol", "price", "size")
SEPSIS_HEADER = "HR|O2Sat|Temp|Age|ICULOS|SepsisLabel"
BOOK = "AAPL_2012-06-21_34200000_57600000_message_10.csv"
REPEATED = "a station, day and element given before"

READERS = [
    Reader(
        from_folder,
        "132539.txt",
        STAY,
        "Time,Parameter,Value",
        options={"cache": False},
        header_says=False,
        named_by=b"RecordID",
        folds="merged",
    ),
    Reader(datasets.read_physionet2019, "p000001.psv", table(HOURS), SEPSIS_HEADER, counts_lines=False),
    Reader(
        datasets.read_physionet2019,
        "p000001.psv",
        table(LABELLED),
        SEPSIS_HEADER,
        about="labels",
        options={"labels": "channel"},
    ),
    Reader(datasets.read_ghcn_daily, "USC00011084.dly", WEATHER, counts_lines=False, folds=REPEATED),
    Reader(datasets.read_ushcn_legacy, "state37_RI.txt", OLD_WEATHER, counts_lines=False, folds=REPEATED),
    Reader(
        datasets.read_ticks, "20140501_eurusd_tick_quote.csv", table(map(quote, QUOTES)), per_entry=0, folds="merged"
    ),
    Reader(
        datasets.read_ticks,
        "trades.csv",
        table(TRADES),
        "when,symbol,price,size",
        options={"columns": STEPS, "time_format": "%Y%m%d %H:%M:%S.%f", "time_zone": "Europe/Berlin"},
        per_entry=0,
        header_says=False,
        folds="merged",
    ),
    Reader(datasets.read_batteryless, "d1p01M", table(READINGS), per_entry=7),
    Reader(
        datasets.read_batteryless,
        "d1p01M",
        table(ACTIVE),
        about="labels",
        options={"labels": "channel"},
        per_entry=8,
    ),
    Reader(datasets.read_human_activity, "ConfLongDemo_JSI.txt", table(POSITIONS), per_entry=3, from_first=True),
    Reader(datasets.read_beijing_air, "PRSA_Data_Huairou.csv", table(AIR), BEIJING_HEADER),
    Reader(datasets.read_air_quality, "AirQualityUCI.csv", table(ROADSIDE), f"Date;Time;{ROAD};;"),
    Reader(datasets.read_lobster, BOOK, table(MESSAGES), per_entry=4),
    Reader(
        datasets.read_light_curves, "curves.csv", table(CURVES), "object_id,mjd,passband,flux,flux_err", per_entry=0
    ),
    Reader(
        datasets.read_mimic,
        "complete_tensor.csv",
        table(TENSOR),
        ",UNIQUE_ID,LABEL_CODE,TIME_STAMP,VALUENUM,MEAN,STD,VALUENORM",
    ),
    Reader(
        datasets.read_mimic,
        "full_dataset.csv",
        table(FULL),
        "hadm_id,time_stamp,Value_label_0,Mask_label_0,Value_label_1,Mask_label_1",
        counts_lines=False,
    ),
    Reader(datasets.read_physionet_style, "a.csv", table(LONG), "t,c,v", options={"duplicates": "keep"}),
    Reader(
        datasets.read_physionet_style,
        "a.txt",
        table(WIDE),
        "when;HR;Temp",
        options={"layout": "wide", "decimal": ",", "time_format": "%d.%m.%Y %H:%M"},
        folds="merged",
    ),
]
