"""Streams: stepping equals batch, cost and size stay constant, nothing is lost by a mistake."""

import copy
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cndts import Extrapolation, IrregularPanel
from cndts.dynamics import Solver
from cndts.estimators import HybridMemoryForecaster, IrregularForecaster, LastValueForecaster
from cndts.estimators._neural_forecaster import NeuralForecaster
from cndts.memory import Memory
from cndts.streaming import Session, predict_sessions
from cndts.streaming import session as module_of_session
from cndts.streaming import snapshot as module_of_snapshot
from cndts.training import Training

CHANNELS = ("a", "b", "c")
LEVELS = [0.9, 0.05, 0.5]
TOLERANCE = 1e-5  # of a deviation, and of values many deviations out: single precision has seven digits

SMALL = {"window": 3, "timescales": 3, "contents": 4, "episodic_slots": 4, "cycles": (5.0,)}
MEMORIES = {
    "whole": {},
    "no window": {"window": 0},
    "no accumulators": {"timescales": 0},
    "no episodes": {"episodic_slots": 0},
    "none": {"window": 0, "timescales": 0, "episodic_slots": 0},
    "open gates": {"write_gate": False, "read_gate": False, "forget_gate": False},
    "no forget gate": {"forget_gate": False},
    "one round": {"second_round": False},
    "clearing": {"long_term": "clearing"},
    "regression": {"regression": True},
}


def training_panel(n_records: int = 8) -> IrregularPanel:
    """Records with ties, duplicates and a static feature of each kind."""
    rng = np.random.default_rng(0)
    record = np.repeat(np.arange(n_records), 30)
    time = rng.integers(0, 60, size=len(record)) / 4
    order = np.lexsort((time, record))
    static = pd.DataFrame({"age": rng.normal(60, 9, n_records), "ward": rng.choice(["x", "y"], n_records)})
    channel = rng.integers(0, len(CHANNELS), len(record))
    value = rng.normal(size=len(record)) * 10.0**channel + 50 * channel
    offsets = np.arange(n_records + 1) * 30
    return IrregularPanel(offsets, time[order], channel, value, channels=CHANNELS, static=static)


def fitted(model: NeuralForecaster) -> NeuralForecaster:
    """A model with weights that are nowhere zero, so that every part has a say."""
    model.fit(*Extrapolation(observe=9, horizon=6).split(training_panel()))
    torch.manual_seed(1)
    with torch.no_grad():
        for weight in model.network_.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return model


def hybrid(head: str = "quantile", members: int = 2, **memory: Any) -> HybridMemoryForecaster:
    training = Training(epochs=1, members=members)
    settings = Memory(**SMALL | memory)
    return fitted(HybridMemoryForecaster(settings, Solver(), training, head=head, width=8, layers=1, random_state=0))


class Streamed(dict[str, NeuralForecaster]):
    """Fits a model of each kind when it is first asked for."""

    def __missing__(self, kind: str) -> NeuralForecaster:
        self[kind] = self.fit(kind)
        return self[kind]

    def fit(self, kind: str) -> NeuralForecaster:
        if kind == "gru-d":
            return fitted(IrregularForecaster(kind, training=Training(epochs=1, members=2), width=8, random_state=0))
        return hybrid("gaussian") if kind == "gaussian" else hybrid(**MEMORIES[kind])


@pytest.fixture(scope="module")
def models() -> Streamed:
    """One model of each kind that is streamed."""
    return Streamed()


@pytest.fixture(scope="module")
def model(models: Streamed) -> NeuralForecaster:
    return models["whole"]


KINDS = [*MEMORIES, "gaussian", "gru-d"]

events = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.0, 0.25, 1.0, 7.3]),  # gaps: ties are common
        st.integers(0, len(CHANNELS) - 1),
        st.sampled_from([-3.0, 0.0, 0.1, 1.0, 1.0, 40.0]),
    ),
    max_size=25,
)


def arrays_of(drawn: list[tuple[float, int, float]], start: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    gaps, channel, value = (np.array([row[k] for row in drawn]) for k in range(3))
    channel = channel.astype(np.int64)
    return start + np.cumsum(gaps), channel, value * 10.0**channel + 50 * channel


def panel_of(time: np.ndarray, channel: np.ndarray, value: np.ndarray, static: pd.DataFrame | None) -> IrregularPanel:
    return IrregularPanel([0, len(time)], time, channel, value, channels=CHANNELS, static=static)


def asked(panel: IrregularPanel, last: float) -> IrregularPanel:
    return panel.with_queries([last, last + 0.4, last + 30.0])


def largest_difference(model: NeuralForecaster, session: Session, panel: IrregularPanel) -> float:
    """Of point forecasts and quantiles, in deviations of the channels; further out than one from the mean, relative to that."""
    last = session.last_time if session.n_events else 2.0
    X, times = asked(panel, last), [last, last + 0.4, last + 30.0]
    mean, unit = (np.tile(part, len(times))[:, None] for part in (model.scaling_.mean, model.scaling_.std))
    point = session.predict(times)[:, None], np.asarray(model.predict(X))[:, None]
    bands = session.predict_quantiles(times, quantiles=LEVELS), model.predict_quantiles(X, LEVELS)
    return max(
        (np.abs(found - expected) / np.maximum(np.abs(expected - mean), unit)).max()
        for found, expected in (point, bands)
    )


STATIC = [{"age": 71.0, "ward": "y"}, {"age": np.nan, "ward": "new"}]

# ---- stepping equals batch ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@given(drawn=events, static=st.sampled_from(STATIC), every=st.integers(1, 9), start=st.sampled_from([0.0, 1e5]))
@settings(max_examples=12)
def test_any_prefix_equals_the_panel(
    models: Streamed,
    kind: str,
    drawn: list[tuple[float, int, float]],
    static: dict[str, Any],
    every: int,
    start: float,
) -> None:
    """After any prefix a session says what the model says of the panel of that prefix, however often it was asked."""
    model, session = models[kind], models[kind].session(static)
    time, channel, value = arrays_of(drawn, start)
    for k in range(len(drawn) + 1):
        if k % every == 0 or k == len(drawn):
            panel = panel_of(time[:k], channel[:k], value[:k], pd.DataFrame([static]))
            assert largest_difference(model, session, panel) < TOLERANCE
        if k < len(drawn):
            session.observe(time=float(time[k]), channel=CHANNELS[channel[k]], value=float(value[k]))


@given(drawn=events, cut=st.integers(0, 25), most_waiting=st.sampled_from([1, 4, 256]))
@settings(max_examples=25)
def test_many_at_once_equals_one_by_one(
    model: NeuralForecaster, drawn: list[tuple[float, int, float]], cut: int, most_waiting: int
) -> None:
    """Sequences, panels and single events lead to the same forecasts, however visits are written."""
    time, channel, value = arrays_of(drawn)
    first, second = model.session(), model.session()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module_of_session, "_MOST_WAITING", most_waiting)
        patch.setattr(module_of_snapshot, "_PIECE", 3)
        for t, c, v in zip(time, channel, value, strict=True):
            first.observe(float(t), CHANNELS[c], float(v))
        second.observe(time[:cut], [CHANNELS[c] for c in channel[:cut]], value[:cut])
        second.observe_panel(panel_of(time[cut:], channel[cut:], value[cut:], None))
    assert first.n_events == second.n_events == len(drawn)
    last = first.last_time if len(drawn) else 0.0
    at = [
        last + 0.4,
        last + 30.0,
    ]  # much further out, the flow of random weights makes a rounding error a hundred times larger
    unit = np.tile(model.scaling_.std, len(at))
    np.testing.assert_allclose(first.predict(at) / unit, second.predict(at) / unit, rtol=TOLERANCE, atol=TOLERANCE)


def test_long_streams_do_not_drift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decays nearer to 1 than single precision resolves, written one by one, give the sum of exponentials that they should."""
    monkeypatch.setattr(module_of_session, "_MOST_WAITING", 1)
    model = hybrid(members=1, write_gate=False, forget_gate=False)
    rate = model.network_.members[0].backbone.memory.compressed.log_rate[0].double().exp().detach().numpy()
    gap = 2.5e-8 / rate.min()  # in model time: of the slowest accumulator, e^-2.5e-8 is 1 in single precision
    session, time = model.session(), np.arange(800) * gap * model.scaling_.time_scale
    for t in time.tolist():
        session.observe(t, "a", 1.0)
    age = (time[-1] - time[:, None]) / model.scaling_.time_scale
    mass = session._snapshot().states[0].compressed.mass[0].numpy()
    np.testing.assert_allclose(mass, np.exp(-rate * age).sum(0), rtol=3e-6)


@pytest.mark.parametrize("method", ["direct", "linear", "rk4", "dopri5"])
def test_every_kind_of_solver(method: str) -> None:
    """A session solves as its model does."""
    solved = HybridMemoryForecaster(
        Memory(**SMALL), Solver(method), Training(epochs=1, members=1), width=8, layers=1, random_state=0
    )
    model = fitted(solved)
    panel = training_panel(2)[[1]]
    assert largest_difference(model, Session.from_panel(model, panel), panel) < TOLERANCE


def test_a_record_from_its_history(model: NeuralForecaster) -> None:
    """History and static features of a panel, whose channels may be fewer and in another order."""
    panel = training_panel(3)[[2]]
    kept = panel.where(panel.channel != 1)
    static = kept.static.reset_index(drop=True)
    channel = np.where(kept.channel == 0, 1, 0)
    fewer = IrregularPanel(kept.offsets, kept.time, channel, kept.value, channels=("c", "a"), static=static)
    assert largest_difference(model, Session.from_panel(model, fewer), kept) < TOLERANCE


def test_unknown_static_features(model: NeuralForecaster) -> None:
    """Nothing said of static features means that they are unknown."""
    panel = panel_of(np.array([1.0]), np.array([0]), np.array([2.0]), pd.DataFrame({"age": [np.nan], "ward": [None]}))
    session = model.session()
    session.observe_panel(panel)
    assert largest_difference(model, session, panel) < TOLERANCE


def test_interval_is_made_of_quantiles(model: NeuralForecaster) -> None:
    """The central interval, and quantiles in the order asked for."""
    session = Session.from_panel(model, training_panel(1))
    times = [session.last_time + 1.0]
    bands = session.predict_quantiles(times, ["b"], [0.95, 0.05])
    np.testing.assert_array_equal(session.predict_interval(times, "b", 0.9), bands[:, ::-1])
    assert bands.shape == (1, 2)
    assert bands[0, 0] > bands[0, 1]


# ---- cost --------------------------------------------------------------------------------------


def test_size_does_not_grow(model: NeuralForecaster) -> None:
    """The state after twenty thousand events takes the room of the state after two hundred."""
    rng = np.random.default_rng(0)
    session, sizes = model.session(), []
    for n in (200, 20_000):
        time = (0 if n == 200 else session.last_time + 1) + np.arange(n) / 10
        session.observe(time, [CHANNELS[c] for c in rng.integers(0, 3, n)], rng.normal(size=n))
        session.predict(session.last_time)
        sizes.append(sum(part.nbytes for part in all_tensors(session._snapshot().states)))
    assert sizes[0] == sizes[1]
    assert session.state_bytes < sizes[1] + 10_000


def all_tensors(state: Any) -> list[torch.Tensor]:
    if state is None:
        return []
    return [state] if isinstance(state, torch.Tensor) else list(itertools.chain(*map(all_tensors, state)))


def test_work_does_not_grow(model: NeuralForecaster, monkeypatch: pytest.MonkeyPatch) -> None:
    """No write ever sees more events than may wait, and a visit is not written again once time moved on."""
    session, written = model.session(), []
    original = module_of_snapshot.Ledger.advanced

    def advanced(self: Any, time: np.ndarray, *rest: Any) -> Any:
        written.append(len(time))
        return original(self, time, *rest)

    monkeypatch.setattr(module_of_snapshot.Ledger, "advanced", advanced)
    for k in range(1000):
        session.observe(float(k), "a", 1.0)
    assert max(written) <= module_of_session._MOST_WAITING
    session.predict(1000.0)
    written.clear()
    for k in range(1000, 1020):
        session.observe(float(k), "a", 1.0)
        session.predict(k + 1.0)
        session.predict_interval(k + 2.0)
    assert written == [1] * 20


# ---- mistakes ----------------------------------------------------------------------------------

WRONG = [
    ({"time": 3.0, "channel": "a", "value": 1.0}, "at 3 h comes after one at 4 h; a session does not go back in time"),
    ({"time": 5.0, "channel": "z", "value": 1.0}, r"not fitted on the channels \['z'\]. Known channels: \['a'"),
    ({"time": 5.0, "channel": "a", "value": np.nan}, r"channel 'a' at 5 h\) has the value nan; values must be finite"),
    ({"time": 5.0, "channel": "a", "value": 1e39}, "has the value inf; values must be finite in single precision"),
    ({"time": 5.0, "channel": "a", "value": "high"}, "values must be numbers, one for each observation; got 'high'"),
    ({"time": np.inf, "channel": "a", "value": 1.0}, "time 0 is inf; times must be finite numbers"),
    ({"time": np.nan, "channel": "a", "value": 1.0}, "time 0 is nan; times must be finite numbers"),
    ({"time": [5.0, 6.0], "channel": ["a"], "value": [1.0, 2.0]}, "got 2 times, 1 channels, 2 values"),
    ({"time": [6.0, 5.0], "channel": "a", "value": [1.0, 2.0]}, "observation 1 at 5 h follows one at 6 h"),
    ({"time": [5.0, 6.0], "channel": ["a", "z"], "value": [1.0, 2.0]}, r"not fitted on the channels \['z'\]"),
    ({"time": [5.0, 6.0], "channel": "a", "value": [1.0, np.inf]}, r"observation 1 \(channel 'a' at 6 h\)"),
    ({"time": pd.Timestamp("2024-01-01"), "channel": "a", "value": 1.0}, "counts elapsed h from numbers"),
]


@pytest.mark.parametrize(("given_", "message"), WRONG)
def test_a_refused_observation_changes_nothing(model: NeuralForecaster, given_: dict[str, Any], message: str) -> None:
    session = model.session()
    session.observe(time=4.0, channel="a", value=2.0)
    before = session.predict(9.0)
    with pytest.raises(ValueError, match=message):
        session.observe(**given_)
    assert session.n_events == 1
    np.testing.assert_array_equal(session.predict(9.0), before)
    session.observe(time=4.0, channel="b", value=2.0)
    assert (session.n_events, session.last_time) == (2, 4.0)


def test_refused_queries(model: NeuralForecaster) -> None:
    session = model.session()
    assert session.predict([-5.0, 5.0], ["a"]).shape == (2,)  # nothing observed: any time will do
    session.observe(time=4.0, channel="a", value=2.0)
    assert session.predict([]).shape == (0,)
    with pytest.raises(ValueError, match="query time 3.5 h lies before the last observation at 4 h"):
        session.predict([5.0, 3.5])
    with pytest.raises(ValueError, match=r"not fitted on the channels \['z'\]"):
        session.predict([5.0], ["a", "z"])
    with pytest.raises(ValueError, match="time 1 is nan; times must be finite"):
        session.predict([5.0, np.nan])
    with pytest.raises(ValueError, match=r"strictly between 0 and 1; got \[0.5, 1.0\]"):
        session.predict_quantiles([5.0], quantiles=[0.5, 1.0])
    with pytest.raises(ValueError, match="coverage must lie strictly between 0 and 1; got 90"):
        session.predict_interval([5.0], coverage=90)


def test_refused_panels(model: NeuralForecaster) -> None:
    panel = training_panel(2)
    session = model.session()
    with pytest.raises(ValueError, match="a session is one record; got a panel of 2"):
        session.observe_panel(panel)
    with pytest.raises(TypeError, match="must be an IrregularPanel; got DataFrame"):
        session.observe_panel(pd.DataFrame())  # type: ignore[arg-type]
    days = IrregularPanel([0, 1], [1.0], [0], [1.0], channels=CHANNELS, time_unit="D")
    with pytest.raises(ValueError, match="the panel has times in 'D', the model was fitted on times in 'h'"):
        session.observe_panel(days)
    session.observe(time=100.0, channel="a", value=1.0)
    with pytest.raises(ValueError, match="does not go back in time"):
        session.observe_panel(panel[[0]])
    assert session.n_events == 1
    with pytest.raises(ValueError, match=r"lacks the columns \['ward'\]"):
        model.session({"age": 3.0})
    with pytest.raises(ValueError, match="static needs one row; got 2"):
        model.session(panel.static)


def test_models_without_sessions() -> None:
    """A backbone that reads backward in time cannot be carried forward; other estimators have no network."""
    latent = IrregularForecaster("latent-ode", training=Training(epochs=1, members=1), width=8, random_state=0)
    latent.fit(*Extrapolation(observe=9, horizon=6).split(training_panel()))
    with pytest.raises(TypeError, match="LatentOdeBackbone cannot be carried from event to event"):
        latent.session()
    with pytest.raises(TypeError, match="needs a fitted neural forecaster; got LastValueForecaster"):
        Session(LastValueForecaster())  # type: ignore[arg-type]


# ---- times -------------------------------------------------------------------------------------


def test_datetimes_count_from_the_first(model: NeuralForecaster) -> None:
    """Datetimes, timedeltas and numbers of the same instants give the same forecast."""
    numbers, dates = model.session(), model.session()
    start = pd.Timestamp("2024-03-31 00:30", tz="Europe/Paris")
    for hours, value in ((0.0, 1.0), (0.25, 2.0), (3.0, -1.0)):
        numbers.observe(7.0 + hours, "a", value)
        dates.observe(start + pd.Timedelta(hours=hours), "a", value)
    assert dates.origin == start
    asked_at = pd.DatetimeIndex([start + pd.Timedelta(hours=5)])
    np.testing.assert_array_equal(dates.predict(asked_at), numbers.predict([12.0]))
    np.testing.assert_array_equal(dates.predict(5.0), numbers.predict(12.0))


def test_panels_with_an_origin(model: NeuralForecaster) -> None:
    """A session that counts from one instant takes a panel that counts from another."""
    start = pd.Timestamp("2024-01-01")
    frame = pd.DataFrame({"time": start + pd.to_timedelta([1.0, 2.0], "h"), "channel": "a", "value": [1.0, 2.0]})
    panel = IrregularPanel.from_long(frame, record=None, channels=CHANNELS)
    session = model.session(origin=start)
    session.observe(time=start, channel="b", value=3.0)
    session.observe_panel(panel)
    assert session.last_time == 2.0
    counted = model.session()
    counted.observe(time=0.0, channel="b", value=3.0)
    with pytest.raises(ValueError, match="counts elapsed h from numbers; got a panel that counts from 2024-01-01"):
        counted.observe_panel(panel)
    with pytest.raises(ValueError, match="use one kind of time"):
        model.session(origin=pd.Timedelta(0)).observe_panel(panel)


# ---- forks, files, many sessions ---------------------------------------------------------------


def test_forks_are_independent(model: NeuralForecaster) -> None:
    """What a copy observes does not reach the original, nor the other way."""
    session = Session.from_panel(model, training_panel(1))
    at = session.last_time + 2.0
    before = session.predict(at)
    fork, deep = session.fork(), copy.deepcopy(session.fork())
    fork.observe(fork.last_time, "a", 30.0)
    fork.observe(fork.last_time + 1.0, "b", 30.0)
    assert np.abs(fork.predict(at) - before).max() > 0.01
    np.testing.assert_array_equal(session.predict(at), before)
    session.observe(session.last_time, "c", 9.0)
    np.testing.assert_array_equal(deep.predict(at), before)
    assert fork.n_events == deep.n_events + 2


@pytest.mark.parametrize("kind", KINDS)
def test_files(models: Streamed, kind: str, tmp_path: Path) -> None:
    """A session read back goes on as if nothing had happened, with a model that was itself read back."""
    model, path = models[kind], tmp_path / "bed-7.session"
    session = Session.from_panel(model, training_panel(1))
    session.save(path)
    model.save(tmp_path / "model.cndts")
    again = Session.load(path, type(model).load(tmp_path / "model.cndts"))
    for one in (session, again):
        one.observe(40.0, "b", 60.0)
        one.observe(41.5, "a", 1.0)
    assert again.n_events == session.n_events
    np.testing.assert_array_equal(again.predict([41.5, 50.0]), session.predict([41.5, 50.0]))


@pytest.mark.parametrize(
    "origin",
    [None, pd.Timestamp("2024-05-01 08:00"), pd.Timestamp("2024-05-01", tz="Europe/Paris"), pd.Timedelta("1s")],
)
def test_files_keep_origin_and_emptiness(model: NeuralForecaster, origin: Any, tmp_path: Path) -> None:
    session = model.session(STATIC[0], origin=origin)
    session.save(tmp_path / "s")
    again = Session.load(tmp_path / "s", model)
    assert again.origin == session.origin
    assert again.n_events == 0
    assert np.isnan(again.last_time)
    np.testing.assert_array_equal(again.predict(3.0), session.predict(3.0))


def test_files_of_others(models: Streamed, tmp_path: Path) -> None:
    model = models["whole"]
    session = model.session()
    session.save(tmp_path / "s")
    with pytest.raises(ValueError, match="a session of a model with other weights or units"):
        Session.load(tmp_path / "s", models["gaussian"])
    panel = training_panel().with_channels((*CHANNELS, "d"))
    wider = HybridMemoryForecaster(Memory(**SMALL), training=Training(epochs=1, members=1), width=8)
    wider.fit(*Extrapolation(observe=9, horizon=6).split(panel))
    with pytest.raises(
        ValueError, match=r"over the channels \['a', 'b', 'c'\]; the model was fitted on \['a', 'b', 'c', 'd'\]"
    ):
        Session.load(tmp_path / "s", wider)
    model.save(tmp_path / "m")
    with pytest.raises(ValueError, match="holds a HybridMemoryForecaster"):
        Session.load(tmp_path / "m", model)


@pytest.mark.parametrize("kind", ["whole", "none", "gru-d"])
def test_sessions_answered_together(models: Streamed, kind: str) -> None:
    """A ward in one computation says what its beds say alone, an empty one included."""
    model, panel = models[kind], training_panel(3)
    sessions = [Session.from_panel(model, panel[[k]]) for k in range(3)] + [model.session(STATIC[1])]
    common = [20.0, 31.0]
    alone = np.stack([session.predict(common, ["b", "a"]) for session in sessions])
    unit = np.tile(model.scaling_.std[[1, 0]], 2)
    together = predict_sessions(sessions, common, ["b", "a"])
    np.testing.assert_allclose(together / unit, alone / unit, rtol=TOLERANCE, atol=TOLERANCE)
    own = [[session.last_time + 1 if session.n_events else 1.0] for session in sessions]
    alone = np.stack([session.predict(times) for session, times in zip(sessions, own, strict=True)])
    np.testing.assert_allclose(
        predict_sessions(sessions, own) / model.scaling_.std, alone / model.scaling_.std, rtol=TOLERANCE, atol=TOLERANCE
    )


def test_sessions_that_do_not_fit_together(models: Streamed) -> None:
    sessions = [models["whole"].session(), models["gaussian"].session()]
    with pytest.raises(ValueError, match="session 1 belongs to another model than session 0"):
        predict_sessions(sessions, [1.0])
    with pytest.raises(ValueError, match="needs at least one session"):
        predict_sessions([], [1.0])
    with pytest.raises(ValueError, match=r"for each session \(1\); got 2"):
        predict_sessions(sessions[:1], [[1.0], [2.0]])
    with pytest.raises(ValueError, match=r"equally many times; got \[1, 2\]"):
        predict_sessions([sessions[0], sessions[0].fork()], [[1.0], [2.0, 3.0]])


def test_repr(model: NeuralForecaster) -> None:
    session = model.session()
    assert repr(session).startswith("Session: 3 channels, 0 events (none yet), ")
    session.observe(time=4.5, channel="a", value=1.0)
    assert repr(session).startswith("Session: 3 channels, 1 events (last at 4.5 h), ")
    assert session.channels == CHANNELS
