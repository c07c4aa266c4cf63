"""Small panels that look like the data of the protocols."""

import numpy as np
import pandas as pd

from cndts import IrregularPanel
from cndts.datasets import make_icu

TAGS = ("ankle_left", "ankle_right", "chest", "belt")
ELEMENTS = ("PRCP", "SNOW", "SNWD", "TMAX", "TMIN")


def recordings(n_records: int = 25, seconds: float = 20.0, value=None) -> IrregularPanel:
    """Four tags that answer in turn every 30 ms or so, three coordinates each; times in seconds."""
    random = np.random.default_rng(0)
    time, tag, offsets = [], [], [0]
    for _ in range(n_records):
        ticks = np.cumsum(random.integers(200_000, 500_000, int(seconds / 0.035)))  # of 100 ns
        ticks -= ticks[0]
        time.append(np.repeat(ticks / 1e7, 3))
        tag.append(np.repeat(random.integers(4, size=len(ticks)), 3))
        offsets.append(offsets[-1] + 3 * len(ticks))
    time, tag = np.concatenate(time), np.concatenate(tag)
    channel = 3 * tag + np.tile([0, 1, 2], len(tag) // 3)
    if value is None:
        value = random.normal(size=len(time)) + channel
    names = [f"{person}0{again}" for person in "ABCDE" for again in range(1, 6)][:n_records]
    return IrregularPanel(
        offsets,
        time,
        channel,
        value,
        records=names,
        channels=[f"{place}_{axis}" for place in TAGS for axis in "xyz"],
        units={f"{place}_x": "m" for place in TAGS},
        static=pd.DataFrame({"Person": [name[0] for name in names]}, index=names),
        time_unit="s",
        groups=np.array([name[0] for name in names]),
    )


def sporadic(n_records: int = 40, value=None) -> IrregularPanel:
    """The prepared USHCN table: 0 to 200 steps, tenths, five channels in deviations."""
    random = np.random.default_rng(1)
    n = 120
    time = np.sort(random.integers(0, 2001, (n_records, n)), axis=1).ravel() / 10
    channel = random.integers(5, size=n_records * n)
    panel = IrregularPanel(
        np.arange(n_records + 1) * n,
        time,
        channel,
        random.normal(size=n_records * n) if value is None else value,
        channels=[f"Value_{i}" for i in range(5)],
        time_unit="step",
    )
    return panel.deduplicate("last") if value is None else panel


def daily(n_stations: int = 8, first_year: int = 1960, last_year: int = 2003, value=None) -> IrregularPanel:
    """Daily weather of stations, one element a day in turn; every fourth station stops in 1999."""
    random = np.random.default_rng(2)
    start, end = pd.Timestamp(first_year, 1, 1), pd.Timestamp(last_year, 12, 31)
    days = [
        np.arange(((pd.Timestamp("1999-12-31") if i % 4 == 3 else end) - start).days + 1.0) for i in range(n_stations)
    ]
    time = np.concatenate(days)
    channel = np.concatenate([np.arange(len(each)) % 5 for each in days])
    record = np.repeat(np.arange(n_stations), [len(each) for each in days])
    if value is None:
        value = random.normal(size=len(time)) * (1 + channel) + 10 * channel + record
    return IrregularPanel(
        np.searchsorted(record, np.arange(n_stations + 1)),
        time,
        channel,
        value,
        records=[f"37000{i}" for i in range(n_stations)],
        channels=ELEMENTS,
        units={"TMAX": "°C"},
        time_unit="D",
        origin=start,
    )


def stays(n_records: int = 60, **changes) -> IrregularPanel:
    """Generated stays under the names of PhysioNet 2012, with labels; some values are taken together."""
    panel = make_icu(n_records, density=0.5, random_state=0)
    random = np.random.default_rng(3)
    static = panel.static.assign(Height=170.0, Weight=80.0)
    static.loc[static.index[0], "Height"] = np.nan
    fields = {
        "offsets": panel.offsets,
        "time": np.round(panel.time * 12) / 12,
        "channel": panel.channel,
        "value": panel.value,
        "records": panel.records,
        "channels": [{"SpO2": "SaO2"}.get(name, name) for name in panel.channels],
        "static": static,
        "outcomes": pd.DataFrame({"In-hospital_death": random.integers(0, 2, n_records)}, index=panel.records),
        "time_unit": "h",
    }
    return IrregularPanel(**fields | changes).deduplicate("mean")


def trajectories(n_records: int = 40, n_channels: int = 12, value=None) -> IrregularPanel:
    """Complete waves on one grid of 41 times, of different strength."""
    random = np.random.default_rng(4)
    time = np.linspace(0, 8, 41)
    phase, speed = random.uniform(0, 6, (2, n_records, 1, n_channels))
    waves = np.sin(phase + (0.2 + speed / 3) * time[:, None]) * (1 + np.arange(n_channels))
    if value is not None:
        waves = value.reshape(waves.shape)
    return IrregularPanel.from_array(waves, time, channels=[f"c{i}" for i in range(n_channels)], time_unit="s")


def with_value(panel: IrregularPanel, value) -> IrregularPanel:
    """The same events with other values."""
    return IrregularPanel(
        panel.offsets,
        panel.time,
        panel.channel,
        value,
        records=panel.records,
        channels=panel.channels,
        static=panel.static,
        outcomes=panel.outcomes,
        time_unit=panel.time_unit,
        origin=panel.origin,
        groups=panel.groups,
    )
