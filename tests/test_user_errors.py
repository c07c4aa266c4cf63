"""What goes wrong by hand is told: what was got, what was wanted, and what to do. One row a mistake."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from cndts import Extrapolation, Interpolation, IrregularPanel, protocol
from cndts.datasets import make_oscillators
from cndts.dynamics import Solver
from cndts.estimators import (
    BoostedTreesForecaster,
    ConformalForecaster,
    HybridMemoryClassifier,
    HybridMemoryEncoder,
    HybridMemoryForecaster,
    HybridMemoryInterpolator,
    HybridMemoryRegressor,
    InterpolatedTable,
    IrregularForecaster,
    LastValueForecaster,
    LinearInterpolator,
    RecordSummary,
    RidgeForecaster,
    TransformedTargetForecaster,
)
from cndts.memory import Memory
from cndts.metrics import error_scorer, mean_squared_error, quantile_scorer
from cndts.training import Training
from cndts.transforms import ChannelRobustScaler, ValueClipper

CLIPPED = make_pipeline(ValueClipper(), ChannelRobustScaler())
PANEL = make_oscillators(8, random_state=0)
X, Y = Extrapolation(observe=6, horizon=2).split(PANEL)
FRAME = PANEL.to_long()
LAST = LastValueForecaster().fit(X, Y)
ON_ARRAYS = LastValueForecaster().fit(np.eye(4), np.zeros(4))


def sktime():
    """The adapters, where sktime is installed."""
    return pytest.importorskip("cndts.estimators.sktime", reason="the adapters need sktime")


def fit(**settings):
    return HybridMemoryForecaster(**settings).fit(X, Y)


def train(**settings):
    return fit(training=Training(**settings))


def solve(**settings):
    return fit(training=Training(epochs=1, members=1), width=8, solver=Solver(**settings))


SHAPES = {
    "table to fit": (
        lambda: LastValueForecaster().fit(FRAME, Y),
        "X must be an IrregularPanel; got DataFrame. Build one with",
    ),
    "table of events as array": (
        lambda: LastValueForecaster().fit(FRAME, np.zeros(len(FRAME))),
        r"got a DataFrame with the columns \['record', 'time', 'channel', 'value'\]. Build a panel from a table of events with",
    ),
    "table to a record estimator": (
        lambda: RecordSummary().fit(FRAME),
        "got a DataFrame with the columns .*from_long",
    ),
    "table to predict": (lambda: LAST.predict(FRAME), "X must be an IrregularPanel; got DataFrame. Build one with"),
    "array to a model of panels": (
        lambda: LAST.predict(np.eye(3)),
        "X must be an IrregularPanel; got ndarray. Build one",
    ),
    "arguments swapped": (lambda: LastValueForecaster().fit(Y, X), "got Targets. fit.X, y. takes the panel first"),
    "several channels as array": (
        lambda: LastValueForecaster().fit(np.zeros((3, 2, 2)), np.zeros(3)),
        r"shape \(3, 2, 2\); a plain array holds one channel, .* IrregularPanel.from_array\(X\)",
    ),
    "no targets": (
        lambda: LastValueForecaster().fit(X, None),
        "y must be Targets aligned with X.queries; got NoneType. Use",
    ),
    "labels for targets": (
        lambda: LastValueForecaster().fit(X, [0] * 8),
        "y must be Targets .*; got list. Use Extrapolation",
    ),
    "targets of other records": (lambda: LastValueForecaster().fit(X, Y[:3]), "8 records .* 3 records .* Slice both"),
    "array without y": (
        lambda: LastValueForecaster().fit(np.eye(3), None),
        "requires y to be passed, but the target y is None",
    ),
    "array of other width": (lambda: ON_ARRAYS.predict(np.eye(3)), "X has 3 features, but .* is expecting 4 features"),
    "y of other width": (
        lambda: ON_ARRAYS.score(np.eye(4), np.eye(4)),
        r"y has 4 steps ahead for each record, the model was fitted on 1; give y of shape \(4, 1\)",
    ),
    "one record as array": (
        lambda: IrregularPanel.from_array(np.zeros(3)),
        r"\(n_records, n_times\) .* Use values\[None, :\]",
    ),
    "empty array to fill": (
        lambda: LinearInterpolator().fit(np.full((2, 2), np.nan)),
        "X holds no value in its 2 records",
    ),
    "panel without queries": (lambda: LAST.predict(PANEL), r"X has no queries.* Use Extrapolation\(...\).split"),
    "filling without queries": (lambda: LinearInterpolator().fit(PANEL).transform(PANEL), "X has no queries"),
    "unknown channel": (
        lambda: LAST.predict(X.with_channels([*X.channels, "HR"])),
        r"not fitted on: \['HR'\]. Known channels: \['x0', 'x1'\]. Leave them out or rename",
    ),
    "unknown queried channel": (
        lambda: PANEL.with_queries([1.0], "HR"),
        r"no channels \['HR'\]; its channels are \['x0', 'x1'\]",
    ),
    "labels of other records": (
        lambda: HybridMemoryClassifier().fit(PANEL, [0, 1]),
        "inconsistent numbers of samples: .8, 2",
    ),
    "one class": (
        lambda: HybridMemoryClassifier().fit(PANEL, ["a"] * 8),
        "y holds one class, .* a classifier needs at least two",
    ),
    "predictions of other length": (
        lambda: mean_squared_error(Y, np.zeros(3), average="record"),
        r"y_hat must have shape \(\d+,\), one row per target; got shape \(3,\)",
    ),
    "arrays to a metric": (
        lambda: mean_squared_error([1.0], [1.0], average="record"),
        "y must be Targets, .*; got list",
    ),
    "column of a panel": (
        lambda: PANEL["age"],
        r"one axis \(records\) and no columns, indexed by position; got the key 'age'. Select .* panel.static\[",
    ),
    "columns of a panel": (
        lambda: PANEL[["x0", "x1"]],
        r"got the key \['x0', 'x1'\]. Select channels with panel.where",
    ),
    "second axis of a panel": (
        lambda: PANEL[:, 0],
        r"one axis \(records\) and no columns; got the key \(slice\(None, None, None\), 0\). Select",
    ),
    "number of columns of a panel": (lambda: PANEL.shape[1], r"no columns; got shape\[1\]. What picks columns"),
    "targets that were flattened": (
        lambda: LastValueForecaster().fit(X, Y.value),
        "without their records. StackingRegressor",
    ),
    "missing column": (lambda: IrregularPanel.from_long(FRAME, record="patient"), "patient"),
}

TIMES = {
    "horizon below zero": (
        lambda: Extrapolation(observe=6, horizon=-1).split(PANEL),
        "horizon must be zero or more; got -1",
    ),
    "text for a duration": (
        lambda: Extrapolation(observe="6h", horizon=2).split(PANEL),
        "observe must be a number in the panel's unit or a pandas.Timedelta; got '6h'",
    ),
    "nothing after the cut": (
        lambda: LastValueForecaster().fit(*Extrapolation(observe=600, horizon=2).split(PANEL)),
        "y holds no known value: 0 targets over 8 records.* check the times of the split",
    ),
    "missing time": (
        lambda: LAST.predict(PANEL, times=[np.nan]),
        r"query time 0 has no time \(nan\); fill it in or drop",
    ),
    "text for a time": (
        lambda: LAST.predict(PANEL, times=["noon"]),
        "the text 'noon' as its time. Parse the column first",
    ),
    "date without origin": (
        lambda: LAST.predict(PANEL, times=[pd.Timestamp("2024-01-01")]),
        "got calendar times .* without an origin; give numbers, or build the panel with origin=",
    ),
    "times of a stranger": (
        lambda: LAST.predict(PANEL, times={"nobody": [1.0]}),
        "no record 'nobody'; query its own records",
    ),
    "times of too few records": (
        lambda: LAST.predict(PANEL, times=np.zeros((3, 2))),
        r"one row per record \(8\); got 3 rows",
    ),
    "times of a table": (
        lambda: InterpolatedTable("daily").fit(PANEL),
        "times must be distinct finite numbers .* got 'daily'",
    ),
    "other unit": (
        lambda: LAST.predict(IrregularPanel.from_long(FRAME, time_unit="min").with_queries([9.0])),
        "X has times in 'min', the forecaster was fitted on times in 's'; build both panels with the same time_unit",
    ),
    "share above one": (
        lambda: Interpolation(observed=1.5),
        r"observed must lie between 0 and 1 \(both excluded\); got 1.5",
    ),
    "unknown pattern": (lambda: Interpolation(pattern="block"), 'pattern must be "points" or "blocks"; got .block.'),
    "unknown protocol": (lambda: protocol("t-patchgnn/physionet2021"), "t-patchgnn/physionet2012"),
}

ANSWERS = {
    "per cent for quantiles": (
        lambda: LAST.predict_quantiles(X, [10, 90]),
        r"strictly between 0 and 1; got \[10, 90\]. Use \[0.1",
    ),
    "text for quantiles": (lambda: LAST.predict_quantiles(X, "median"), "strictly between 0 and 1; got 'median'. Use"),
    "no quantiles": (lambda: LAST.predict_quantiles(X, []), r"strictly between 0 and 1; got \[\]. Use"),
    "per cent for coverage": (
        lambda: LAST.predict_interval(X, coverage=95),
        "coverage must lie .*; got 95. Use 0.9 for 90 %",
    ),
    "text for coverage": (
        lambda: LAST.predict_interval(X, coverage="95%"),
        "coverage must lie .*; got '95%'. Use 0.9 for 90 %",
    ),
    "unknown average": (
        lambda: mean_squared_error(Y, Y, average="micro"),
        'average must be "observation", "channel" or "record"; got .micro.',
    ),
    "unknown score": (
        lambda: error_scorer("mape", average="record"),
        "metric must be one of mae, mse, rmse; got 'mape'",
    ),
    "unknown quantile score": (
        lambda: quantile_scorer("mae", average="record"),
        "metric must be one of crps, pinball; got 'mae'",
    ),
    "falling levels": (
        lambda: quantile_scorer("crps", [0.9, 0.1], average="record"),
        r"levels must rise .*; got \[0.9, 0.1\]",
    ),
}

SETTINGS = {
    "regressor to calibrate": (
        lambda: ConformalForecaster(HybridMemoryRegressor()).fit(PANEL, np.arange(8.0)),
        "forecaster must be .*; got HybridMemoryRegressor, which answers for whole records .* has predict_interval and",
    ),
    "classifier to calibrate": (
        lambda: ConformalForecaster(HybridMemoryClassifier()).calibrate(X, Y),
        "got HybridMemoryClassifier, which answers for whole records .* CalibratedClassifierCV",
    ),
    "stranger to calibrate": (
        lambda: ConformalForecaster(Ridge()).fit(X, Y),
        r"got Ridge. Use RidgeForecaster\(\), HybridMemoryForecaster",
    ),
    "members": (lambda: train(members=0), "training__members must be 1 or more; got 0"),
    "epochs": (lambda: train(epochs=0), "training__epochs must be 1 or more, or None; got 0"),
    "part of an epoch": (
        lambda: train(epochs=1.5),
        "training__epochs must be a whole number, 1 or more, or None; got 1.5",
    ),
    "batch_size": (lambda: train(batch_size=0), "training__batch_size must be 1 or more, or None; got 0"),
    "patience": (lambda: train(patience=0), "training__patience must be 1 or more, or None; got 0"),
    "learning_rate": (lambda: train(learning_rate=0), "training__learning_rate must be above 0, and finite; got 0"),
    "text for a rate": (
        lambda: train(learning_rate="fast"),
        "training__learning_rate must be above 0, and finite; got 'fast'",
    ),
    "weight_decay": (lambda: train(weight_decay=-1), "training__weight_decay must be 0 or more, and finite; got -1"),
    "averaging": (lambda: train(averaging=1.0), "training__averaging must be 0 or more and below 1; got 1.0"),
    "cut_share": (lambda: train(cut_share=2), "training__cut_share must be between 0 and 1; got 2"),
    "validation_fraction": (
        lambda: train(validation_fraction=1),
        "training__validation_fraction must be 0 or more and below 1; got 1",
    ),
    "channel_balance": (
        lambda: train(channel_balance=float("nan")),
        "training__channel_balance must be 0 or more, .*; got nan",
    ),
    "settings as a dict": (
        lambda: fit(training={"epochs": 3}),
        r"training must be a Training or None for its defaults; got \{'epochs': 3\}, a dict. Use training=Training\(",
    ),
    "settings as text": (
        lambda: fit(solver="rk4"),
        "solver must be a Solver or None .*; got 'rk4', a str. Use solver=Solver",
    ),
    "solver method": (lambda: solve(method="midpiont"), r"solver__method must be one of \(.*; got 'midpiont'"),
    "solver steps": (lambda: solve(steps=0), "solver__steps must be 1 or more; got 0"),
    "solver tolerance": (lambda: solve(method="dopri5", rtol=-1), "solver__rtol must be above 0; got -1"),
    "solver field": (lambda: solve(field="gatd"), r"solver__field must be one of \(.*; got 'gatd'"),
    "memory window": (lambda: fit(memory=Memory(window=-1)), "memory__window must be an integer of 0 or more; got -1"),
    "width": (lambda: fit(width=7), "width must be a positive multiple of 4; got 7"),
    "part of a width": (lambda: fit(width=8.5), "width must be a whole number; got 8.5"),
    "layers": (lambda: fit(layers=-1), "layers must be 0 or more; got -1"),
    "dropout": (lambda: fit(dropout=1.5), "dropout must be 0 or more and below 1; got 1.5"),
    "head": (lambda: fit(head="gausian"), r"head must be one of \['gaussian', 'quantile'\]; got 'gausian'"),
    "device": (
        lambda: fit(device="graphics"),
        "device must be a name that torch knows, such as 'cpu' .*; got 'graphics'",
    ),
    "random_state": (lambda: fit(random_state="zero"), "'zero' cannot be used to seed"),
    "backbone": (lambda: IrregularForecaster("grud").fit(X, Y), "backbone must be one of .*; got 'grud'"),
    "of an interpolator": (
        lambda: HybridMemoryInterpolator(dropout=2).fit(X, Y),
        "dropout must be 0 or more and below 1; got 2",
    ),
    "of a classifier": (lambda: HybridMemoryClassifier(dropout=2).fit(PANEL, [0, 1] * 4), "dropout must be .*; got 2"),
    "of a regressor": (
        lambda: HybridMemoryRegressor(training=Training(epochs=-1)).fit(PANEL, [0.0, 1.0] * 4),
        "training__epochs must be 1 or more, or None; got -1",
    ),
    "of an encoder": (
        lambda: HybridMemoryEncoder(n_components=0).fit(PANEL),
        "n_components must be 1 or more, or None .* got 0",
    ),
    "features": (
        lambda: RidgeForecaster(features="every").fit(X, Y),
        r"features must be one of \['own', .*; got 'every'",
    ),
    "loss": (
        lambda: BoostedTreesForecaster(loss="mse").fit(X, Y),
        "loss must be 'squared_error' or 'absolute_error'; got 'mse'",
    ),
}

NAMES = {
    "nested": (
        lambda: HybridMemoryForecaster().set_params(training__learnign_rate=1),
        "did you mean 'training__learning_rate'?",
    ),
    "in the wrong place": (
        lambda: HybridMemoryForecaster().set_params(learning_rate=1),
        "did you mean 'training__learning_rate'?",
    ),
    "one underscore": (lambda: HybridMemoryForecaster().set_params(memory_window=1), "did you mean 'memory__window'?"),
    "wrong part": (lambda: HybridMemoryForecaster().set_params(trainign__epochs=1), "did you mean 'training__epochs'?"),
    "top level": (lambda: HybridMemoryForecaster().set_params(widht=8), "did you mean 'width'?"),
    "settings object": (lambda: Training().set_params(epoch=1), "did you mean 'epochs'?"),
    "solver": (lambda: Solver().set_params(methods="rk4"), "did you mean 'method'?"),
    "interpolator": (lambda: HybridMemoryInterpolator().set_params(memory__windw=1), "did you mean 'memory__window'?"),
    "classifier": (lambda: HybridMemoryClassifier().set_params(class_weights=None), "did you mean 'class_weight'?"),
    "encoder": (
        lambda: HybridMemoryEncoder().set_params(forecaster__training__epoch=1),
        "did you mean 'forecaster__training__epochs'?",
    ),
    "baseline": (lambda: RidgeForecaster().set_params(penalty=1), "did you mean 'penalties'?"),
    "transform": (lambda: ValueClipper().set_params(quantle=1), "did you mean 'quantiles'?"),
    "scaler": (lambda: ChannelRobustScaler().set_params(quantile_rnge=1), "did you mean 'quantile_range'?"),
    "sktime forecaster": (lambda: sktime().SktimeForecaster().set_params(ncuts=1), "did you mean 'n_cuts'?"),
    "sktime forecaster, its model left out": (
        lambda: sktime().SktimeForecaster().set_params(forecaster__widht=1),
        "did you mean 'forecaster__width'?",
    ),
    "sktime forecaster, in the wrong place": (
        lambda: sktime().SktimeForecaster().set_params(training__epochs=1),
        "did you mean 'forecaster__training__epochs'?",
    ),
    "sktime classifier": (
        lambda: sktime().SktimeClassifier().set_params(classifier__class_weights=None),
        "did you mean 'classifier__class_weight'?",
    ),
    "sktime imputer": (
        lambda: sktime().SktimeImputer().set_params(interpolator__memory__windw=1),
        "did you mean 'interpolator__memory__window'?",
    ),
    "sktime splitter": (lambda: sktime().TimeCutSplitter(3).set_params(cut=4), "did you mean 'cuts'?"),
    "sktime metric": (lambda: sktime().AlignedPinballLoss().set_params(alphas=0.5), "did you mean 'alpha'?"),
    "step of a pipeline": (
        lambda: TransformedTargetForecaster(None, CLIPPED).set_params(transformer__valueclipper__margins=1),
        "did you mean 'transformer__valueclipper__margin'?",
    ),
    "nothing near": (lambda: RidgeForecaster().set_params(colour=1), r"estimator RidgeForecaster: Valid parameters of"),
    "part of a text": (
        lambda: HybridMemoryForecaster(training="fast").set_params(training__epochs=1),
        "training is 'fast', which has no parameters of its own; set training to an object that has 'epochs' first",
    ),
}


def rows(*tables):
    return [pytest.param(*row, id=name) for table in tables for name, row in table.items()]


@pytest.mark.parametrize(("mistake", "told"), rows(SHAPES, TIMES, ANSWERS, SETTINGS, NAMES))
def test_mistake_is_told(mistake, told):
    """The text names what was got and wanted, and where it can be said, what to do."""
    with pytest.raises((TypeError, ValueError, LookupError), match=told):
        mistake()


def test_a_suggestion_is_a_name_that_works():
    """Whatever is suggested can be set."""
    model = HybridMemoryForecaster()
    for name in model.set_params(memory=Memory(), solver=Solver(), training=Training()).get_params(deep=True):
        with pytest.raises(ValueError, match="Invalid parameter") as told:
            HybridMemoryForecaster().set_params(**{name + "z": None})
        meant = str(told.value).partition("did you mean '")[2].partition("'")[0]
        HybridMemoryForecaster().set_params(**{meant: 1})


def test_names_of_steps_and_of_parts_left_out_work():
    """Steps of a pipeline inside an estimator, and settings of sktime's adapters whose model was left at its default."""
    model = TransformedTargetForecaster(None, clone(CLIPPED)).set_params(transformer__valueclipper__margin=2.0)
    assert model.transformer[0].margin == 2.0
    adapter = sktime().SktimeForecaster().set_params(forecaster__memory__window=3, n_cuts=2)
    assert (adapter.forecaster.memory.window, adapter.n_cuts) == (3, 2)
    assert (
        adapter.set_params(width=8).forecaster.width == 8
    )  # sktime takes the last part of a name where it is the only one
