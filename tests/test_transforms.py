"""Transformers on panels: what scikit-learn's own do on a column, per channel; undone exactly; fitted on training records alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sklearn import preprocessing
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from cndts import IrregularPanel, Queries, Targets
from cndts.datasets import make_icu, make_oscillators
from cndts.transforms import (
    ChannelLogTransformer,
    ChannelMinMaxScaler,
    ChannelQuantileTransformer,
    ChannelRobustScaler,
    ChannelStandardScaler,
    DuplicateMerger,
    GapStatistics,
    GridResampler,
    LimitFilter,
    TimeFeatures,
    ValueClipper,
)

SCALERS = [
    ChannelStandardScaler(),
    ChannelRobustScaler(),
    ChannelMinMaxScaler((-1, 3)),
    ChannelQuantileTransformer(),
    ChannelQuantileTransformer(7, "uniform"),
    ChannelLogTransformer(),
]
OTHERS = [
    ValueClipper((0.1, 0.9)),
    LimitFilter({"HR": (60, 100)}),
    DuplicateMerger(),
    TimeFeatures(),
    GridResampler(0.5),
]
every_scaler = pytest.mark.parametrize("scaler", SCALERS, ids=str)
every_transformer = pytest.mark.parametrize("transformer", [*SCALERS, *OTHERS], ids=str)


@pytest.fixture(scope="module")
def panel() -> IrregularPanel:
    return make_icu(40, random_state=0).with_queries(30.0)


def of_channel(panel: IrregularPanel, name: str) -> np.ndarray:
    return panel.value[panel.channel == panel.channels.index(name)]


# ---- what all of them promise --------------------------------------------------------------------


@every_transformer
def test_a_panel_comes_out_and_the_old_one_stays(panel, transformer):
    before = panel.to_long()
    found = clone(transformer).fit(panel).transform(panel)

    assert isinstance(found, IrregularPanel)
    assert found.records.equals(panel.records)
    assert found.queries is panel.queries
    pd.testing.assert_frame_equal(panel.to_long(), before)
    found.to_long()  # every array fits the others
    IrregularPanel(found.offsets, found.time, found.channel, found.value, channels=found.channels)  # sorted, finite


@every_transformer
def test_records_are_transformed_one_by_one(panel, transformer):
    """What becomes of a record does not depend on the others beside it."""
    fitted = clone(transformer).fit(panel)

    assert fitted.transform(panel[3:9]).equals(fitted.transform(panel)[3:9])


@every_transformer
def test_channels_are_matched_by_name(panel, transformer):
    fitted = clone(transformer).fit(panel)
    turned = panel.with_channels(panel.channels[::-1])
    a, b = (fitted.transform(each).to_long().sort_values(["record", "time", "channel"]) for each in (panel, turned))

    np.testing.assert_array_equal(a["value"], b["value"])
    with pytest.raises(ValueError, match=r"not fitted on: \['Foo'\]. Known channels: \['HR'"):
        fitted.transform(panel.with_channels([*panel.channels, "Foo"]))


@every_transformer
def test_scikit_learn_knows_what_comes_out(panel, transformer):
    pipeline = make_pipeline(clone(transformer), GapStatistics()).set_output(transform="pandas").fit(panel)
    table = pipeline.transform(panel)

    assert isinstance(table, pd.DataFrame)
    assert list(table.columns) == list(pipeline.get_feature_names_out())
    assert pipeline[0].get_feature_names_out()[: len(panel.channels)].tolist() == list(panel.channels)


@pytest.mark.parametrize("transformer", [*SCALERS, *OTHERS, GapStatistics()], ids=str)
def test_wrong_input_is_refused(panel, transformer):
    with pytest.raises(NotFittedError):
        clone(transformer).transform(panel)
    with pytest.raises(TypeError, match=r"X must be an IrregularPanel; got ndarray\. Build one"):
        clone(transformer).fit(np.zeros((3, 2)))


@pytest.mark.parametrize("transformer", [*SCALERS, *OTHERS[:1], *OTHERS[2:], GapStatistics()], ids=str)
def test_empty_panels_and_records_are_fine(transformer):
    nothing = IrregularPanel([0, 0, 1], [2.0], [1], [5.0], channels=["a", "b", "c"])

    assert len(clone(transformer).fit(nothing).transform(nothing)) == 2
    assert len(clone(transformer).fit(nothing).transform(nothing[:1])) == 1


# ---- scalers -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ChannelStandardScaler(), preprocessing.StandardScaler()),
        (ChannelRobustScaler(), preprocessing.RobustScaler()),
        (ChannelRobustScaler((10, 90)), preprocessing.RobustScaler(quantile_range=(10, 90))),
        (ChannelMinMaxScaler((-1, 3)), preprocessing.MinMaxScaler((-1, 3))),
    ],
    ids=str,
)
def test_scalers_agree_with_scikit_learn_on_every_channel(panel, ours, theirs):
    scaled = ours.fit(panel).transform(panel)
    for name in panel.channels:
        column = of_channel(panel, name).astype(np.float64)[:, None]
        np.testing.assert_allclose(of_channel(scaled, name), theirs.fit_transform(column)[:, 0], rtol=1e-5, atol=1e-5)


def test_quantiles_become_normal(panel):
    scaled = ChannelQuantileTransformer().fit(panel).transform(panel)
    for name in ("HR", "MAP", "Glucose"):
        values = of_channel(scaled, name)
        np.testing.assert_allclose(np.quantile(values, [0.16, 0.5, 0.84]), [-1, 0, 1], atol=0.06)


@every_scaler
def test_scaling_is_undone_for_panels_targets_and_arrays(panel, scaler):
    scaler = clone(scaler).fit(panel)
    scaled = scaler.transform(panel)
    back = scaler.inverse_transform(scaled)

    np.testing.assert_allclose(back.value, panel.value, rtol=2e-5)
    assert (scaled.units, back.units) == ({}, panel.units)
    y = Targets(Queries([0, 3], [1.0, 2.0, 3.0], [0, 5, 7]), [80.0, 9.0, np.nan], panel.records[:1], panel.channels)
    scaled_y = scaler.transform_targets(y)
    np.testing.assert_allclose(scaler.inverse_transform(scaled_y).value, y.value, rtol=2e-5)
    twice = np.stack([scaled_y.value, scaled_y.value], axis=1)
    np.testing.assert_allclose(scaler.inverse_values(y.channel, twice)[:, 1], y.value, rtol=2e-5)


@every_scaler
@settings(max_examples=10)
@given(values=st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=30), later=st.floats(1, 1e5, width=32))
@example(values=[1.0], later=32768.0)
def test_maps_rise_and_can_be_undone_beyond_the_training_range(scaler, values, later):
    panel = IrregularPanel([0, len(values)], np.arange(len(values)), np.zeros(len(values), int), values)
    scaler = clone(scaler).fit(panel)
    finest = 8 * np.spacing(np.float32(later))  # values are float32, which tells nothing closer apart
    span = max(np.ptp(panel.value), 1e-3 * np.abs(panel.value).max(), 1e-3, finest)
    channel, asked = np.zeros(3, int), np.array([later, later + span, later + 3 * span])
    there = scaler._forward(channel, asked)

    assert (np.diff(there) > 0).all()
    np.testing.assert_allclose(scaler.inverse_values(channel, there), asked, rtol=1e-6, atol=1e-6 * span)


@every_scaler
def test_constant_and_unseen_channels_survive(scaler):
    panel = IrregularPanel([0, 3], [0.0, 1.0, 2.0], [0, 0, 0], [7.0, 7.0, 7.0], channels=["flat", "never"])
    scaler = clone(scaler).fit(panel)
    later = IrregularPanel([0, 2], [0.0, 1.0], [0, 1], [7.0, 3.0], channels=["flat", "never"])
    there = scaler.transform(later)

    assert np.isfinite(there.value).all()
    assert there.value[1] == 3.0
    np.testing.assert_allclose(scaler.inverse_transform(there).value, later.value, rtol=1e-6)


@every_transformer
def test_no_statistic_of_test_records_reaches_training(panel, transformer):
    """Poisoned test records change nothing, and neither do targets."""
    train, test = panel[:20], panel[20:]
    poisoned = IrregularPanel._trusted(test, value=test.value * np.float32(1e6))
    fitted, again = clone(transformer).fit(train), clone(transformer).fit(train, y="ignored")
    again.transform(poisoned)

    assert fitted.transform(train).equals(again.transform(train))


def test_settings_of_scalers_are_checked(panel):
    for scaler, text in (
        (ChannelRobustScaler((75, 25)), r"two rising percentages; got \(75, 25\)"),
        (ChannelMinMaxScaler((1, 0)), r"value_range must rise; got \(1, 0\)"),
        (ChannelQuantileTransformer(1), "n_quantiles must be 2 or more; got 1"),
        (ChannelQuantileTransformer(5, "cauchy"), 'must be "normal" or "uniform"; got \'cauchy\''),
        (ChannelLogTransformer(["Foo"]), r"channels names unknown channels \['Foo'\]; the panel has"),
    ):
        with pytest.raises(ValueError, match=text):
            scaler.fit(panel)


def test_logarithms_of_positive_channels_alone():
    panel = IrregularPanel([0, 4], range(4), [0, 0, 1, 1], [1.0, 4.0, -2.0, 3.0], channels=["CRP", "BE"])
    log = ChannelLogTransformer().fit(panel)
    later = IrregularPanel([0, 2], [0, 1], [0, 1], [-5.0, -7.0], channels=["CRP", "BE"])

    np.testing.assert_allclose(log.transform(panel).value, [0, np.log(4), -2, 3], rtol=1e-6)
    np.testing.assert_allclose(log.transform(later).value, [np.log(0.5), -7.0], rtol=1e-6)
    with pytest.raises(ValueError, match="channel 'BE' has the training value -2, and only positive"):
        ChannelLogTransformer(["BE"]).fit(panel)


# ---- cleaning ------------------------------------------------------------------------------------


def test_clipping_counts_what_it_clips(panel):
    clipper = ValueClipper((0.05, 0.95), limits={"HR": (None, 90.0)}).fit(panel)
    clipped = clipper.transform(panel)
    heart, pressure = of_channel(panel, "HR"), of_channel(panel, "MAP")

    np.testing.assert_array_equal(of_channel(clipped, "HR"), np.minimum(heart, 90))
    np.testing.assert_allclose(
        of_channel(clipped, "MAP"), np.clip(pressure, *np.quantile(pressure, [0.05, 0.95])), rtol=1e-6
    )
    row = clipper.report_.loc["HR"]
    assert row[["n_events", "n_below", "n_above"]].tolist() == [len(heart), 0, (heart > 90).sum()]
    assert row["share"] == pytest.approx((heart > 90).mean())
    assert clipper.report(panel[:3])["n_events"].sum() == panel[:3].n_events


def test_a_margin_widens_the_limits():
    panel = IrregularPanel([0, 3], range(3), [0, 0, 0], [0.0, 1.0, 2.0])
    clipper = ValueClipper((0.0, 1.0), 0.5).fit(panel)

    assert (clipper.lower_[0], clipper.upper_[0]) == (-1.0, 3.0)


@pytest.mark.parametrize("action", ["drop", "clip"])
def test_limits_of_channels_and_units(action):
    values = [-5.0, 50.0, 120.0, 300.0, 20.0]
    panel = IrregularPanel(
        [0, 5], range(5), [0, 0, 0, 1, 2], values, channels=["SpO2", "FiO2", "T"], units={"SpO2": "%", "FiO2": "%"}
    )
    keep = LimitFilter({"FiO2": (None, 400)}, by_unit={"%": (0, 100)}, action=action).fit(panel)

    expected = [50, 300, 20] if action == "drop" else [0, 50, 100, 300, 20]
    np.testing.assert_array_equal(keep.transform(panel).value, expected)
    assert keep.report_[["n_below", "n_above"]].to_numpy().tolist() == [[1, 1], [0, 0], [0, 0]]


def test_limits_that_units_have_by_nature():
    """What cannot be goes; what is strange but possible, or has a unit without bounds, stays."""
    names, values = ["SpO2", "pH", "Temp", "BaseExcess"], [101.0, 7.4, -17.8, -5.0, 97.0, 735.0, -300.0, -9.0]
    units = {"SpO2": "%", "pH": "pH", "Temp": "°C", "BaseExcess": "mmol/L"}
    panel = IrregularPanel([0, 8], range(8), [0, 1, 2, 3] * 2, values, channels=names, units=units)
    clean = LimitFilter({"pH": (6, 8)}, by_unit="physical").fit(panel)
    np.testing.assert_allclose(clean.transform(panel).value, [7.4, -17.8, -5.0, 97.0, -9.0])
    assert (clean.lower_[1], clean.upper_[1]) == (6, 8)  # limits of a channel go before those of its unit


def test_settings_of_cleaners_are_checked(panel):
    for cleaner, text in (
        (ValueClipper((0.9, 0.1)), "two rising shares; got"),
        (ValueClipper(margin=-1), "margin must be 0 or more; got -1"),
        (ValueClipper(limits={"Foo": (0, 1)}), r"limits names unknown channels \['Foo'\]"),
        (ValueClipper(limits={"HR": (2, 1)}), "the limits of 'HR' must rise; got 2 and 1"),
        (LimitFilter(), "there are no limits; give limits="),
        (LimitFilter(by_unit={"furlong": (0, 1)}), r"no channel has the units \['furlong'\]"),
        (LimitFilter(by_unit="usual"), "must be a mapping or \"physical\"; got 'usual'"),
        (LimitFilter({"HR": (0, 1)}, action="flag"), 'must be "drop" or "clip"; got \'flag\''),
        (DuplicateMerger("median"), "policy must be one of 'mean'.*got 'median'"),
        (GridResampler(0), "step must be a positive number of 'h'; got 0"),
        (GridResampler(1, how="mode"), "how must be one of 'mean'.*got 'mode'"),
        (GridResampler(1, label="middle"), 'must be "end" or "begin"; got \'middle\''),
        (TimeFeatures(add="queries"), 'must be "channels" or "static"; got \'queries\''),
        (TimeFeatures({"day": 0}), "the period 'day' must be positive and finite; got 0"),
    ):
        with pytest.raises(ValueError, match=text):
            cleaner.fit(panel)


def test_duplicates_are_counted_and_merged():
    panel = IrregularPanel([0, 4, 6], [1, 1, 1, 2, 1, 1], [0, 1, 0, 0, 0, 0], [1.0, 9.0, 3.0, 5.0, 7.0, 8.0])
    merger = DuplicateMerger("last").fit(panel)

    assert merger.report_.tolist() == [2, 0]
    assert merger.transform(panel).equals(panel.deduplicate("last"))


# ---- time ----------------------------------------------------------------------------------------


def test_phases_follow_the_clock_on_the_wall():
    """On the day that clocks go forward in Paris, midday stays midday."""
    stamps = pd.to_datetime(["2024-03-30 06:00", "2024-03-30 12:00", "2024-03-31 12:00"]).tz_localize("Europe/Paris")
    frame = pd.DataFrame({"record": 0, "time": stamps, "channel": "HR", "value": [1.0, 2.0, 3.0]})
    dated = TimeFeatures({"day": pd.Timedelta("1D"), "week": pd.Timedelta("7D")}).fit_transform(
        IrregularPanel.from_long(frame)
    )
    table = dated.to_wide()

    np.testing.assert_allclose(table["day_sin"], [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(table["day_cos"], [0, -1, -1], atol=1e-6)
    saturday_noon = 2 * np.pi * 5.5 / 7
    np.testing.assert_allclose(table["week_sin"].iloc[1], np.sin(saturday_noon), atol=1e-6)
    assert table["HR"].tolist() == [1, 2, 3]


def test_phases_as_static_features_cost_no_events():
    panel = IrregularPanel([0, 1, 1], [6.0], [0], [1.0], records=["a", "b"])
    dated = TimeFeatures(add="static").fit(panel).transform(panel)

    assert dated.n_events == 1
    np.testing.assert_allclose(dated.static.loc["a"], [1, 0], atol=1e-7)
    assert dated.static.loc["b"].isna().all()
    with pytest.raises(ValueError, match=r"has \['day_sin', 'day_cos'\] already"):
        TimeFeatures(add="static").fit(dated)


def test_a_timedelta_needs_a_unit_of_time():
    with pytest.raises(ValueError, match="the panel counts in 'step'; give a number"):
        TimeFeatures().fit(IrregularPanel.from_array([[1.0, 2.0]]))


@pytest.mark.parametrize("how", ["mean", "last", "first", "min", "max"])
def test_the_grid_agrees_with_pandas(panel, how):
    moved = GridResampler(2.0, how=how).fit(panel).transform(panel)
    frame = panel.without_queries().to_long()
    frame["cell"] = np.ceil(frame["time"] / 2) * 2
    expected = frame.groupby(["record", "cell", "channel"])["value"].agg(how)
    found = moved.without_queries().to_long().set_index(["record", "time", "channel"])["value"]

    np.testing.assert_allclose(found.sort_index(), expected.sort_index(), rtol=1e-5)


def test_events_never_move_back_and_those_on_the_grid_stay():
    panel = IrregularPanel([0, 4], [0.0, 0.1, 0.3, 0.31], [0, 0, 0, 0], [1.0, 2.0, 3.0, 4.0])

    np.testing.assert_allclose(GridResampler(0.1).fit_transform(panel).time, [0, 0.1, 0.3, 0.4])
    np.testing.assert_allclose(GridResampler(0.1, label="begin").fit_transform(panel).time, [0, 0.1, 0.3])


def test_the_loss_tells_what_is_gone():
    """Two pairs in one cell each: all variance within one channel, none in the other."""
    panel = IrregularPanel(
        [0, 8],
        [0.2, 0.2, 0.8, 0.8, 1.2, 1.2, 1.8, 1.8],
        [0, 1] * 4,
        [1, 5, -1, 5, 1, 7, -1, 7],
        channels=["fast", "slow"],
    )
    loss = GridResampler(1.0).fit(panel).loss_

    assert loss["lost_variance"].tolist() == [1.0, 0.0]
    assert loss.loc["fast", ["n_events", "n_cells", "merged", "filled"]].tolist() == [4, 2, 1.0, 1.0]
    assert loss["mean_shift"].tolist() == pytest.approx([0.5, 0.5])
    fine = GridResampler(0.2).fit(panel).loss_
    assert fine["lost_variance"].tolist() == [0.0, 0.0]
    assert fine["filled"].tolist() == pytest.approx([4 / 9, 4 / 9])


# ---- gap statistics ------------------------------------------------------------------------------


def test_gap_statistics_by_hand():
    panel = IrregularPanel([0, 5, 5], [0.0, 2.0, 2.0, 3.0, 7.0], [0, 0, 1, 0, 1], np.zeros(5), channels=["a", "b", "c"])
    table = GapStatistics().set_output(transform="pandas").fit(panel).transform(panel)
    row = table.iloc[0]

    assert row[["n_events", "n_visits", "span", "mean_gap", "max_gap"]].tolist() == [5, 4, 7, 7 / 3, 4]
    assert row["gap_cv"] == pytest.approx(np.std([2, 1, 4]) / (7 / 3))
    assert row[["a__count", "a__mean_gap", "a__max_gap", "a__age", "a__share"]].tolist() == [3, 1.5, 2, 4, 0.75]
    assert row[["b__count", "b__mean_gap", "b__age", "b__share"]].tolist() == [2, 5, 0, 0.5]
    assert row[["c__count", "c__share"]].tolist() == [0, 0]
    assert np.isnan(row["c__age"])
    empty = table.iloc[1]
    assert empty[["n_events", "n_visits", "a__count"]].tolist() == [0, 0, 0]
    assert empty[["span", "mean_gap", "a__age", "a__share"]].isna().all()


def test_a_poisson_process_has_a_variation_of_one():
    rng = np.random.default_rng(0)
    panel = IrregularPanel([0, 5000], np.sort(rng.uniform(0, 1, 5000)), np.zeros(5000, int), np.zeros(5000))

    assert GapStatistics().fit_transform(panel)[0, 5] == pytest.approx(1, abs=0.05)


def test_gap_statistics_feed_a_pipeline():
    """How dense a record is, is in the table."""
    dense, sparse = make_oscillators(20, n_observations=40), make_oscillators(20, n_observations=10)
    both = IrregularPanel.concat([dense, sparse], ignore_records=True)
    model = make_pipeline(GapStatistics(), SimpleImputer(), preprocessing.StandardScaler(), LinearRegression())

    assert model.fit(both, np.repeat([1.0, 0.0], 20)).score(both, np.repeat([1.0, 0.0], 20)) > 0.9


def test_words_for_lengths_are_refused():
    panel = make_oscillators(2)
    with pytest.raises(ValueError, match=r"step must be a positive number of 's'; got '1h'"):
        GridResampler("1h").fit(panel)
    with pytest.raises(TypeError, match=r"periods must map names to lengths, such as .*; got 'day'"):
        TimeFeatures("day").fit(panel)
