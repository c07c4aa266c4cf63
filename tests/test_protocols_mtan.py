"""The interpolation protocol of mTAN: the rules of the source, what is hidden, and both errors."""

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from cndts import IrregularPanel, RecordSplit, protocol
from cndts.benchmarking import run_benchmark
from cndts.datasets import make_icu, read_physionet2012
from cndts.estimators import ChannelMeanForecaster, LinearInterpolator
from cndts.metrics import mean_squared_error

NAME = "mtan/physionet2012"
PARTS = ("train", "validation", "test")


def stays(n_records=60, **changes) -> IrregularPanel:
    """Generated stays under the names of PhysioNet 2012; some values are taken together, one height is unknown."""
    panel = make_icu(n_records, density=0.5, random_state=0)
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
        "time_unit": "h",
    }
    return IrregularPanel(**fields | changes).deduplicate("mean")


@pytest.fixture(scope="module")
def panel() -> IrregularPanel:
    return stays()


def raw(split, part):
    return part.value * split.scale[part.channel] + split.offset[part.channel]


def rows_of(part, i):
    """Values of record i by time, then channel."""
    rows: dict[float, dict[str, float]] = {}
    inside = part.record == i
    for time, channel, value in zip(part.time[inside], part.channel[inside], part.value[inside], strict=True):
        rows.setdefault(float(time), {})[part.channels[channel]] = float(value)
    return rows


# ---- the rules of the source -------------------------------------------------------------------------


def test_split_equals_the_source_step_by_step(panel):
    """Records, grid of times, descriptors, scale and number of visible rows, recomputed with plain loops."""
    split = protocol(NAME, observed=0.7).split(panel)
    seen, test = train_test_split(list(range(60)), train_size=0.8, random_state=42, shuffle=True)
    train, validation = train_test_split(seen, train_size=0.8, random_state=11, shuffle=True)
    source = []
    for i in range(60):
        rows: dict[float, dict[str, float]] = {0.0: {}}
        for name, value in panel.static.iloc[i].items():
            if not np.isnan(value) or name == "Height":
                rows[0.0][name] = -1.0 if np.isnan(value) else value
        one = panel[i]
        for time, channel, value in zip(one.time, one.channel, one.value, strict=True):
            rows.setdefault(round(time / 0.016) * 0.016, {})[panel.channels[channel]] = float(value)
        source.append(rows)
    every = {}
    for rows in source:
        for row in rows.values():
            for name, value in row.items():
                every.setdefault(name, []).append(value)
    for part, records in zip(PARTS, (train, validation, test), strict=True):
        X, y = getattr(split, part)
        assert X.records.tolist() == y.records.tolist() == panel.records[records].tolist()
        for position, i in enumerate(records):
            context, targets = rows_of(X, position), rows_of(y, position)
            assert targets.keys() == source[i].keys()
            assert len(context) == int(0.7 * len(source[i]))
            for time, row in source[i].items():
                scaled = {name: (v - min(every[name])) / (max(every[name]) or 1.0) for name, v in row.items()}
                assert targets[time] == pytest.approx(scaled, abs=1e-5)
                assert time not in context or context[time] == targets[time]


def test_every_value_is_asked_for_at_its_place(panel):
    """Queries stand where all values are, seen ones included, and models get neither labels nor descriptors."""
    X, y = protocol(NAME).split(panel).test
    assert y.queries is X.queries
    assert X.outcomes.shape[1] == X.static.shape[1] == 0
    assert X.time_unit == "h"
    assert {"Age", "Gender", "Height", "ICUType", "Weight"} <= {y.channels[c] for c in np.unique(y.channel)}


def test_hidden_targets_are_those_that_the_context_lacks(panel):
    """Also for some of the records, in another order."""
    rules = protocol(NAME, observed=0.6)
    X, y = rules.split(panel).test
    context = set(zip(X.record.tolist(), X.time.tolist(), X.channel.tolist(), strict=True))
    asked = zip(y.record.tolist(), y.time.tolist(), y.channel.tolist(), strict=True)
    assert rules.hidden(y).tolist() == [place not in context for place in asked]
    some = [7, 2, 5]
    expected = np.concatenate([rules.hidden(y)[y.offsets[i] : y.offsets[i + 1]] for i in some])
    np.testing.assert_array_equal(rules.hidden(y[some]), expected)


def test_rows_seen_at_one_share_are_seen_at_larger_ones(panel):
    """So that shares are compared on nested contexts."""
    hidden = [protocol(NAME, observed=share).hidden for share in (0.5, 0.6, 0.7, 0.8, 0.9)]
    _, y = protocol(NAME).split(panel).train
    for fewer, more in pairwise(rule(y) for rule in hidden):
        assert (more <= fewer).all()
        assert more.sum() < fewer.sum()


def test_draw_is_the_same_everywhere(panel):
    """Rows of one record, pinned; another seed draws others."""
    _, y = protocol(NAME).split(panel).test
    first = protocol(NAME).hidden(y)
    again = protocol(NAME).hidden(protocol(NAME).split(stays()).test[1])
    np.testing.assert_array_equal(first, again)
    assert (first != protocol(NAME, random_state=1).hidden(y)).any()
    line = IrregularPanel(
        [0, 0, 0, 0, 0, 8],
        np.arange(8.0),
        np.zeros(8, int),
        np.ones(8),
        channels=["HR"],
        records=[f"patient {i}" for i in range(5)],
        static=pd.DataFrame(1.0, [f"patient {i}" for i in range(5)], ["Age", "Gender", "Height", "ICUType", "Weight"]),
        time_unit="h",
    )
    split = protocol(NAME).split(line)
    parts = [getattr(split, part)[0] for part in PARTS]
    times = next(part[i].time for part in parts for i in range(len(part)) if part.records[i] == "patient 4")
    assert np.unique(np.round(times)).tolist() == [0, 2, 6, 7]


def test_saved_records_come_back(panel, tmp_path):
    """The ids of the parts are a split that can be saved and applied."""
    split = protocol(NAME).split(panel)
    split.records.save(tmp_path / "split.json")
    train, _, test = RecordSplit.load(tmp_path / "split.json").apply(panel)
    assert train.records.equals(split.train[0].records)
    assert test.records.equals(split.test[0].records)


# ---- nothing leaks -----------------------------------------------------------------------------------


def test_test_records_change_the_unit_of_errors_alone(panel):
    """Poisoned test records move training values by another offset and factor, as published, and no draw."""
    clean = protocol(NAME).split(panel)
    is_test = panel.records.isin(clean.records.test)[panel.record]
    poisoned = protocol(NAME).split(stays(value=np.where(is_test, panel.value * 3, panel.value), **_events(panel)))
    assert not np.array_equal(clean.scale, poisoned.scale)
    for before, after in zip(clean.train, poisoned.train, strict=True):
        np.testing.assert_allclose(raw(clean, before), raw(poisoned, after), rtol=1e-4, atol=1e-3)
        for field in ("offsets", "time", "channel"):
            assert getattr(before, field).tobytes() == getattr(after, field).tobytes()


def test_hidden_values_are_not_in_the_context(panel):
    """Other values in the hidden rows of test records change no bit of what a model reads."""
    rules = protocol(NAME, scale="seen")
    clean = rules.split(panel)
    hidden = rules.hidden(clean.test[1])
    y = clean.test[1]
    records = panel.records.get_indexer(y.records)[y.record[hidden]]
    places = set(zip(records.tolist(), np.round(y.time[hidden], 6).tolist(), strict=True))
    grid = np.round(np.round(panel.time / 0.016) * 0.016, 6)
    is_hidden = [place in places for place in zip(panel.record.tolist(), grid.tolist(), strict=True)]
    poisoned = rules.split(stays(value=np.where(is_hidden, 1e6, panel.value), **_events(panel)))
    assert clean.test[0].value.tobytes() == poisoned.test[0].value.tobytes()
    assert (clean.test[1].value != poisoned.test[1].value).sum() > 100


def _events(panel):
    return {name: getattr(panel, name) for name in ("offsets", "time", "channel")}


# ---- scores ------------------------------------------------------------------------------------------


def test_score_by_hand(panel):
    """All values in batches of 32 records; hidden values alone, alike and by variable."""
    rules = protocol(NAME)
    _, y = rules.split(panel).train  # 38 records: a batch of 32 and one of 6
    error = np.random.default_rng(0).normal(size=len(y.value)) * (1 + y.record)
    score, hidden = rules.score(y, y.value + error), rules.hidden(y)
    early = y.record < 32
    batched = (32 * np.mean(error[early] ** 2) + 6 * np.mean(error[~early] ** 2)) / 38
    by_channel = [np.mean(error[hidden & (y.channel == c)] ** 2) for c in np.unique(y.channel[hidden])]
    assert score["mse"] == pytest.approx(batched, rel=1e-4)
    assert score["mae"] == pytest.approx(np.mean(np.abs(error)), rel=1e-4)
    assert score["mse_hidden"] == pytest.approx(np.mean(error[hidden] ** 2), rel=1e-4)
    assert score["mae_hidden"] == pytest.approx(np.mean(np.abs(error[hidden])), rel=1e-4)
    assert score["mse_hidden_by_channel"] == pytest.approx(np.mean(by_channel), rel=1e-4)
    assert score["mse"] != pytest.approx(np.mean(error**2), rel=1e-4)


def test_differences_are_means_over_channels(panel):
    """What benchmarks compare models by is not the published score, of which a constant channel makes half."""
    rules = protocol(NAME)
    _, y = rules.split(panel).train
    y_hat = y.with_values(y.value + np.random.default_rng(0).normal(size=len(y.value)) * (1 + y.channel))
    asked = y.with_values(np.where(rules.hidden(y), y.value, np.nan))
    mse = mean_squared_error(asked, y_hat, average=rules.average)
    assert mse == pytest.approx(rules.score(y, y_hat)["mse_hidden_by_channel"])


def test_copying_lowers_the_published_error_only(panel):
    """An interpolator that passes through the context errs on hidden values alone."""
    rules = protocol(NAME)
    split = rules.split(panel)
    model = LinearInterpolator().fit(*split.train)
    _, y = split.test
    score, y_hat = rules.score(y, model.predict(split.test[0])), np.asarray(model.predict(split.test[0]))
    np.testing.assert_array_equal(y_hat[~rules.hidden(y)], y.value[~rules.hidden(y)])
    share = rules.hidden(y).mean()
    assert score["mse"] == pytest.approx(share * score["mse_hidden"], rel=1e-4)  # 12 records are one batch
    mean = ChannelMeanForecaster().fit(*split.train).predict(split.test[0])
    assert score["mse_hidden"] < rules.score(y, mean)["mse_hidden"]


def test_published_numbers_belong_to_a_share():
    """In the units of the score; none where nothing was published."""
    at = {share: protocol(NAME, observed=share).published() for share in (0.5, 0.6, 0.7, 0.8, 0.9)}
    assert at[0.5].loc["mTAND-Full", ["mse", "mse_std"]].tolist() == pytest.approx([4.139e-3, 0.029e-3])
    assert [round(table.loc["L-ODE-ODE", "mse"] * 1e3, 3) for table in at.values()] == [
        6.721,
        6.816,
        6.798,
        6.85,
        7.142,
    ]
    empty = protocol(NAME, observed=0.3).published()
    assert len(empty) == 0
    assert list(empty.columns) == list(at[0.5].columns)
    assert "test patients differ" in empty.attrs["caution"]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"observed": 1.0}, "observed must lie between 0 and 1"),
        ({"observed": float("nan")}, "observed must lie between 0 and 1"),
        ({"scale": "train"}, 'scale must be "all" or "seen"; got \'train\''),
        ({"share": 0.5}, "mtan/physionet2012 has no setting 'share'; it has observed, random_state, scale"),
    ],
)
def test_refuses(settings, text):
    """Settings that make no sense, and those that do not exist."""
    with pytest.raises(ValueError, match=text):
        protocol(NAME, **settings)


# ---- benchmark and real data -------------------------------------------------------------------------


def test_benchmark_reports_both_errors(panel, tmp_path):
    """The runner knows the protocol's settings; skill, coverage and comparisons leave seen values out."""
    result = run_benchmark(
        NAME, panel, ["linear-interpolator", "channel-mean"], protocol_settings={"observed": 0.8}, n_resamples=20
    )
    result.save(tmp_path / "out.json")
    content = json.loads((tmp_path / "out.json").read_text())
    assert content["protocol_settings"] == {"observed": 0.8}
    run = content["runs"][0]
    rules = protocol(NAME, observed=0.8)
    split = rules.split(panel)
    model = LinearInterpolator().fit(*split.train, X_val=split.validation[0], y_val=split.validation[1])
    here = rules.score(split.test[1], model.predict(split.test[0]))
    assert {name: run[name] for name in here} == pytest.approx(here, rel=1e-6)
    hidden = rules.hidden(split.test[1])
    assert content["data"]["test_hidden_targets"] == hidden.sum() < content["data"]["test_targets"]
    assert sum(row["count"] for row in content["channels"] if row["model"] == "channel-mean") == hidden.sum()
    assert 0.8 < run["coverage_90"] < 0.98
    assert list(result.summary()["mse_hidden"]["mean"]) == [entry["mse_hidden"] for entry in content["runs"]]


def test_straight_lines_on_set_a(physionet2012_folder):
    """Sizes of the parts, the floor of the visible rows, and the errors of two baselines on real stays."""
    rules = protocol(NAME)
    split = rules.split(read_physionet2012(physionet2012_folder / "set-a.tar.gz"))
    assert [len(getattr(split, part)[0]) for part in PARTS] == [2560, 640, 800]
    X, y = split.test
    rows = [np.unique(part.time[part.offsets[0] : part.offsets[1]]).size for part in (X, y)]
    assert rows[0] == rows[1] // 2
    score = rules.score(y, LinearInterpolator().fit(*split.train).predict(X))
    assert score["mse"] == pytest.approx(1.967e-3, rel=1e-3)
    assert score["mse_hidden"] == pytest.approx(3.909e-3, rel=1e-3)
    mean = rules.score(y, ChannelMeanForecaster().fit(*split.train).predict(X))
    assert mean["mse_hidden"] == pytest.approx(8.665e-3, rel=1e-3)


def test_normal_interpolators_are_benchmarked(panel):
    """What the context shows is certain to them, with a deviation of 0, and is no part of the likelihood."""
    small = {"head": "gaussian", "width": 8, "training__epochs": 1, "training__members": 1}
    found = run_benchmark(NAME, panel, ["gru-d-interpolator"], settings={"gru-d-interpolator": small}, n_resamples=2)
    # weights of the test panel never vary, so that some hidden ones are told without any spread
    assert found.runs[0]["nll"] == np.inf
    assert found.to_dict()["runs"][0]["nll"] is None
    rules = protocol(NAME)
    _, y = rules.split(panel).test
    hidden = rules.hidden(y)
    asked, std = y.with_values(np.where(hidden, y.value, np.nan)), np.where(hidden, 2.0, 0.0)
    by_hand = 0.5 * np.log(2 * np.pi) + np.log(2.0)
    assert rules.score_normal(asked, y.value, std)["nll"] == pytest.approx(by_hand)
