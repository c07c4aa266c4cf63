"""The forecasting tasks of the ablation: three real data sets, cut into records and split by patient, station or trial."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cndts import Extrapolation, IrregularPanel, Targets, protocol
from cndts.datasets import read_batteryless, read_ghcn_daily, read_physionet2012
from cndts.tasks import RecordSplit

N_STATIONS, KEPT = 200, 0.1
MOVEMENTS = ("frontal", "vertical", "lateral", "rssi")


class Parts(NamedTuple):
    """Context and targets of each part."""

    train: tuple[IrregularPanel, Targets]
    validation: tuple[IrregularPanel, Targets]
    test: tuple[IrregularPanel, Targets]


def physionet2012(paths: list[str]) -> Parts:
    """The second day of ICU stays from the first: the protocol t-patchgnn/physionet2012."""
    split = protocol("t-patchgnn/physionet2012").split(read_physionet2012(paths))
    return Parts(split.train, split.validation, split.test)


def ushcn(paths: list[str]) -> Parts:
    """Thirty days of weather after a year of it, of which one value in ten is known.

    200 stations drawn with seed 0; each year and month that follows begins half a year after the one before. Stations
    are split, not years: 60 % train, 20 % choose, 20 % test.
    """
    daily = read_ghcn_daily(paths, years=(1996, 2000))
    random = np.random.default_rng(0)
    n_drawn = min(N_STATIONS, len(daily))
    stations = daily[np.sort(random.choice(len(daily), n_drawn, replace=False))]
    sparse = stations.where(random.random(stations.n_events) < KEPT)
    return forecasts(windows(sparse, length=395, stride=182), observe=365, horizon=30)


def batteryless(paths: list[str]) -> Parts:
    """Five seconds of movement after a minute of it, read whenever the tag had power.

    Three accelerations and the signal strength; a new minute begins every ten seconds. Trials are split.
    """
    trials = read_batteryless(paths)
    movement = trials.where(np.isin(np.array(trials.channels)[trials.channel], MOVEMENTS)).with_channels(MOVEMENTS)
    return forecasts(windows(movement, length=65, stride=10), observe=60, horizon=5)


TASKS: dict[str, Callable[[list[str]], Parts]] = {
    "physionet2012": physionet2012,
    "ushcn": ushcn,
    "batteryless": batteryless,
}


def windows(panel: IrregularPanel, length: float, stride: float) -> IrregularPanel:
    """Stretches of every record, each a record that starts at time 0 and belongs to the group of its source."""
    rows, times, names, sources = [], [], [], []
    for record, (first, end) in enumerate(zip(panel.offsets[:-1], panel.offsets[1:], strict=True)):
        time = panel.time[first:end]
        for start in _starts(time, length, stride):
            low, high = np.searchsorted(time, (start, start + length))
            rows.append(np.arange(first + low, first + high))
            times.append(time[low:high] - start)
            names.append(f"{panel.records[record]} from {start:g}")
            sources.append(str(panel.records[record]))
    taken = np.concatenate(rows)
    return IrregularPanel(
        np.cumsum([0, *map(len, rows)]),
        np.concatenate(times),
        panel.channel[taken],
        panel.value[taken],
        records=names,
        channels=panel.channels,
        units=panel.units,
        time_unit=panel.time_unit,
        groups=np.array(sources),
    )


def _starts(time: NDArray[np.float64], length: float, stride: float) -> NDArray[np.float64]:
    if not len(time):
        return np.zeros(0)
    return np.arange(np.floor(time[0]), time[-1] - length + 1, stride)


def forecasts(panel: IrregularPanel, observe: float, horizon: float) -> Parts:
    """Split by group, in deviations of the training records' channels; stretches without a question are left out."""
    X, y = Extrapolation(observe, horizon).split(panel)
    asked = panel[np.flatnonzero((np.diff(y.offsets) > 0) & (np.diff(X.offsets) > 0))]
    parts = RecordSplit.draw(asked, random_state=0).apply(asked)
    mean, deviation = moments(parts[0])
    return Parts(*(Extrapolation(observe, horizon).split(part.scale_values(mean, deviation)) for part in parts))


def moments(panel: IrregularPanel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of each channel; 0 and 1 where it does not vary."""
    n_channels = len(panel.channels)
    count = np.maximum(np.bincount(panel.channel, minlength=n_channels), 1)
    value = panel.value.astype(np.float64)
    mean = np.bincount(panel.channel, value, minlength=n_channels) / count
    square = np.bincount(panel.channel, (value - mean[panel.channel]) ** 2, minlength=n_channels) / count
    return mean, np.where(square > 0, np.sqrt(square), 1.0)
