"""The elements of GHCN-Daily and of the older USHCN-Daily: units, and how to get to them from the integers in the files."""

from __future__ import annotations

from dataclasses import dataclass

CORE = ("PRCP", "SNOW", "SNWD", "TMAX", "TMIN")

INCH, FAHRENHEIT = 25.4, 5 / 9


@dataclass(frozen=True)
class Element:
    """One kind of daily value: ``stored * scale + offset`` is in ``unit``.

    Parameters
    ----------
    unit : str
    scale, offset : float
    is_clock : bool
        Stored as ``HHMM``; becomes hours.
    """

    unit: str
    scale: float = 1.0
    offset: float = 0.0
    is_clock: bool = False


_TENTH_MM, _MM, _CM, _KM = Element("mm", 0.1), Element("mm"), Element("cm"), Element("km")
_TENTH_C, _PERCENT, _DEGREES = Element("°C", 0.1), Element("%"), Element("°")
_WIND, _DAYS, _MINUTES, _CLOCK = Element("m/s", 0.1), Element("d"), Element("min"), Element("h", is_clock=True)
_PRESSURE, _YES = Element("hPa", 0.1), Element("0/1")

_BY_KIND = {
    _TENTH_MM: "PRCP EVAP MDEV MDPR THIC WESD WESF",
    _MM: "SNOW SNWD MDSF",
    _TENTH_C: "TMAX TMIN TAVG TAXN TOBS MDTN MDTX MNPN MXPN ADPT AWBT",
    _PERCENT: "ACMC ACMH ACSC ACSH PSUN RHAV RHMN RHMX",
    _DEGREES: "AWDR WDF1 WDF2 WDF5 WDFG WDFI WDFM",
    _WIND: "AWND WSF1 WSF2 WSF5 WSFG WSFI WSFM",
    _DAYS: "DAEV DAPR DASF DATN DATX DAWM DWPR",
    _CLOCK: "FMTM PGTM",
    _CM: "FRGB FRGT FRTH GAHT",
    _KM: "MDWM WDMV",
    _MINUTES: "TSUN",
    _PRESSURE: "ASLP ASTP",
}
_SOIL = [f"{kind}{cover}{depth}" for kind in ("SN", "SX") for cover in range(9) for depth in range(1, 8)]
_WEATHER = [f"WT{number:02d}" for number in range(1, 23)] + [f"WV{number:02d}" for number in range(1, 21)]

GHCN_ELEMENTS: dict[str, Element] = {
    **{name: element for element, names in _BY_KIND.items() for name in names.split()},
    **dict.fromkeys(_SOIL, _TENTH_C),
    **dict.fromkeys(_WEATHER, _YES),
}

LEGACY_METRIC = {
    "PRCP": Element("mm", 0.01 * INCH),
    "SNOW": Element("mm", 0.1 * INCH),
    "SNWD": Element("mm", INCH),
    "TMAX": Element("°C", FAHRENHEIT, -32 * FAHRENHEIT),
    "TMIN": Element("°C", FAHRENHEIT, -32 * FAHRENHEIT),
}
LEGACY_US = {
    "PRCP": Element("in", 0.01),
    "SNOW": Element("in", 0.1),
    "SNWD": Element("in"),
    "TMAX": Element("°F"),
    "TMIN": Element("°F"),
}
