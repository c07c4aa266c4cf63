"""What can be seen of a fitted model agrees with its panel, its state and its equations."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.exceptions import NotFittedError

from cndts import Extrapolation, IrregularPanel
from cndts.estimators import HybridMemoryForecaster, IrregularForecaster, LastValueForecaster
from cndts.inspect import (
    episodic_events,
    episodic_reads,
    gate_trace,
    half_lives,
    jacobian_spectrum,
    lyapunov_exponents,
    plot_gates,
    plot_reads,
    read_gates,
    solver_cost,
    working_reads,
)
from cndts.inspect._episodic_events import held_events
from cndts.inspect._subject import Subject
from cndts.memory import Memory
from cndts.targets import Targets
from cndts.training import Training

N_SLOTS, WINDOW, N_MEMBERS = 5, 3, 2
Pair = tuple[IrregularPanel, Targets]


def records(n_records: int = 12, seed: int = 0, **options: Any) -> IrregularPanel:
    """Two channels with their own scales and units, at irregular times; one record is empty, one has one channel."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(6, 20, n_records)
    counts[2] = 0
    time = np.concatenate([np.sort(rng.uniform(0, 8, n)) for n in counts])
    channel = rng.integers(0, 2, len(time))
    channel[counts[:3].sum() : counts[:4].sum()] = 0
    value = np.where(channel == 0, 80 + 10 * np.sin(time), 36 + 0.5 * np.cos(time)) + rng.normal(0, 0.1, len(time))
    offsets = np.concatenate([[0], np.cumsum(counts)])
    ids = [f"p{i}" for i in range(n_records)]
    return IrregularPanel(offsets, time, channel, value, channels=["HR", "Temp"], records=ids, **options)


def fit(X: IrregularPanel, y: Targets, **options: Any) -> HybridMemoryForecaster:
    """A model that fits in a moment, with gates that say something."""
    given: dict[str, Any] = {
        "memory": Memory(episodic_slots=N_SLOTS, window=WINDOW, timescales=2),
        "training": Training(epochs=1, batch_size=4, members=N_MEMBERS),
        "width": 8,
        "layers": 1,
        "random_state": 0,
    } | options
    model = HybridMemoryForecaster(**given).fit(X, y)
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.network_.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model


@pytest.fixture(scope="module")
def pair() -> Pair:
    return Extrapolation(observe=6, horizon=2).split(records())


@pytest.fixture(scope="module")
def fitted(pair: Pair) -> HybridMemoryForecaster:
    return fit(*pair)


def with_chunks(model: HybridMemoryForecaster, size: int) -> None:
    for member in model.network_.members:
        member.backbone.chunk = size


# ---- which events are held ---------------------------------------------------------------------------


def test_held_events_are_events_of_the_record(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """Every row is found in the panel, none twice, and no record holds more than it has or than there are slots."""
    held, events = episodic_events(fitted, pair[0]), pair[0].without_queries().to_long()
    keys = ["record", "time", "channel", "value"]
    assert held.merge(events, on=keys, how="left", indicator=True)["_merge"].eq("both").all()
    assert not held.duplicated(["member", *keys]).any()
    sizes = held.groupby(["record", "member"]).size()
    counts = dict(zip(pair[0].records, pair[0].counts, strict=True))
    assert sizes.to_dict() == {
        (record, member): min(counts[record], N_SLOTS)
        for record in pair[0].records
        for member in range(N_MEMBERS)
        if counts[record]
    }


def test_held_events_are_the_most_salient(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """With fading common to a record, strength falls with the slot; at the last event nothing has faded."""
    held = episodic_events(fitted, pair[0])
    by_slot = held.groupby(["record", "member"])["strength"]
    assert by_slot.apply(lambda strength: strength.is_monotonic_decreasing).all()
    assert (held["strength"] <= held["salience"] + 1e-5).all()
    last = held["time"].to_numpy() == pair[0].last_time[pair[0].records.get_indexer(held["record"])]
    assert last.any()
    np.testing.assert_allclose(held["strength"][last], held["salience"][last], atol=1e-6)
    assert (held["strength"][~last] < held["salience"][~last]).all()


@pytest.mark.parametrize("chunk", [32_768, 17])
def test_rows_agree_with_the_state(pair: Pair, chunk: int) -> None:
    """Following events by their rows gives the state that the model itself writes, also when it writes in pieces."""
    model = fit(*pair)
    with_chunks(model, chunk)
    subject = Subject(model, pair[0])
    (piece,) = subject.pieces()
    for backbone in subject.backbones:
        with torch.no_grad():
            own = backbone.write(piece.batch).episodic
            state, row = held_events(backbone, piece)
        for name in ("encoded", "strength", "channel"):
            torch.testing.assert_close(getattr(state, name), getattr(own, name), atol=1e-5, rtol=0)
        torch.testing.assert_close(state.facts[..., [0, 2]], own.facts[..., [0, 2]], atol=1e-5, rtol=0)
        is_held = row >= 0
        np.testing.assert_array_equal(is_held, own.is_held.numpy())
        np.testing.assert_array_equal(piece.batch.channel.numpy()[row[is_held]], own.channel.numpy()[is_held])
        for fact, part in enumerate((piece.batch.value, piece.batch.score)):
            np.testing.assert_array_equal(part.numpy()[row[is_held]], own.facts[..., fact].numpy()[is_held])


def test_many_batches_are_one(fitted: HybridMemoryForecaster, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seams between batches do not show in any table."""
    looks = (episodic_events, episodic_reads, working_reads, gate_trace, read_gates, solver_cost, jacobian_spectrum)
    whole = [look(fitted, pair[0]) for look in looks]
    monkeypatch.setattr("cndts.inspect._subject._ROWS_PER_BATCH", 20)
    assert len(list(Subject(fitted, pair[0]).pieces())) > 3
    for look, table in zip(looks, whole, strict=True):
        pd.testing.assert_frame_equal(look(fitted, pair[0]), table, atol=1e-4, rtol=1e-3)


def test_calendar_times_come_back(pair: Pair) -> None:
    """Where the panel came with dates, tables speak of dates, and missing ones stay missing."""
    origin = pd.Timestamp("2024-03-01 06:00", tz="Europe/Paris")
    X, y = Extrapolation(observe=6, horizon=2).split(records(origin=origin))
    model = fit(X, y)
    held = episodic_events(model, X)
    events = X.without_queries().to_long()
    assert held["time"].dtype == events["time"].dtype
    assert set(zip(held["record"], held["time"], strict=True)) <= set(
        zip(events["record"], events["time"], strict=True)
    )
    reads = episodic_reads(model, X)
    assert reads["time"].isna().sum() == len(reads.groupby(["record", "asked"]))


# ---- what was read -----------------------------------------------------------------------------------


@pytest.mark.parametrize("look", [episodic_reads, working_reads])
def test_shares_sum_to_one(fitted: HybridMemoryForecaster, pair: Pair, look: Any) -> None:
    """Over events and nothing, for each member and on average; the average is the mean of the members."""
    apart, together = look(fitted, pair[0], average=False), look(fitted, pair[0])
    assert apart.groupby(["record", "asked", "member"])["share"].sum().to_numpy() == pytest.approx(1, abs=1e-5)
    assert together.groupby(["record", "asked"])["share"].sum().to_numpy() == pytest.approx(1, abs=1e-5)
    keys = ["record", "asked", "time", "channel", "value"]
    mean = apart.groupby(keys, dropna=False)["share"].sum() / N_MEMBERS
    found = together.set_index(keys)["share"].sort_index()
    pd.testing.assert_series_equal(found, mean.sort_index(), atol=1e-6, check_index_type=False)
    order = together.groupby(["record", "asked"])["share"].apply(lambda share: share.is_monotonic_decreasing)
    assert order.all()
    assert together["share"].nunique() > 10


def test_reads_are_of_held_events(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """Slots mean the same in both tables, and every asked channel of a record reads them all and nothing."""
    held, reads = episodic_events(fitted, pair[0]), episodic_reads(fitted, pair[0], average=False)
    asked = {
        (record, pair[0].channels[c])
        for record, c in zip(pair[0].records[pair[0].queries.record], pair[0].queries.channel, strict=True)
    }
    assert set(zip(reads["record"], reads["asked"], strict=True)) == asked
    events = reads[reads["slot"] >= 0].drop(columns=["asked", "share"]).drop_duplicates()
    columns = ["record", "member", "slot", "time", "channel", "value"]
    expected = held[columns][held["record"].isin({record for record, _ in asked})]
    pd.testing.assert_frame_equal(
        events[columns].sort_values(columns, ignore_index=True), expected.sort_values(columns, ignore_index=True)
    )
    nothing = reads[reads["slot"] == -1]
    assert len(nothing) == len(asked) * N_MEMBERS
    assert nothing[["time", "channel", "value"]].isna().all(axis=None)


def test_shares_are_those_of_the_forecast(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """The memory's own answer to the same nodes has the same shares."""
    X = pair[0][[4]].with_queries([7.0])
    backbone = fitted.network_.members[1].backbone
    (piece,) = Subject(fitted, X).pieces()
    seen: list[torch.Tensor] = []
    recall = backbone.memory.episodic.recall
    backbone.memory.episodic.recall = lambda state, asked: seen.append(recall(state, asked)[1]) or recall(state, asked)
    try:
        with torch.no_grad():
            backbone.encode(piece.batch)
    finally:
        del backbone.memory.episodic.recall
    reads = episodic_reads(fitted, X, average=False)
    for k, name in enumerate(X.channels):
        table = reads[(reads["member"] == 1) & (reads["asked"] == name)].set_index("slot")["share"]
        expected = seen[0][0, k].mean(0).numpy()
        np.testing.assert_allclose(table.loc[[*range(N_SLOTS), -1]], expected, atol=1e-6)


def test_working_reads_are_the_last_events(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """The newest events of the channel itself, slot by slot."""
    reads = working_reads(fitted, pair[0], average=False)
    events = pair[0].without_queries().to_long()
    for (record, asked, _), rows in reads.groupby(["record", "asked", "member"]):
        own = events[(events["record"] == record) & (events["channel"] == asked)]
        rows = rows.sort_values("slot")
        np.testing.assert_array_equal(rows["time"], own["time"].to_numpy()[::-1][:WINDOW])
        np.testing.assert_array_equal(rows["value"], own["value"].to_numpy()[::-1][:WINDOW])
    assert "p2" not in set(reads["record"])


def test_record_without_events_reads_nothing(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """All of the share goes to nothing, and nothing is held, also in a panel without any event."""
    X = pair[0][[2]].with_queries([7.0])
    reads = episodic_reads(fitted, X)
    assert reads["share"].tolist() == [1.0, 1.0]
    assert reads["time"].isna().all()
    assert len(episodic_events(fitted, X)) == len(working_reads(fitted, X)) == len(gate_trace(fitted, X)) == 0
    assert len(episodic_reads(fitted, pair[0][:0])) == len(episodic_events(fitted, pair[0][:0])) == 0


# ---- gates -------------------------------------------------------------------------------------------


def test_trace_is_causal(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """Later events leave the readings of earlier ones as they were."""
    X = pair[0].without_queries()
    early = X.where(X.time <= 3.0)
    before, after = gate_trace(fitted, early), gate_trace(fitted, X)
    assert 0 < len(before) < len(after)
    kept = after[after["time"] <= 3.0].reset_index(drop=True)
    pd.testing.assert_frame_equal(before, kept, atol=1e-5, rtol=0)


def test_trace_reads_every_gate_of_every_event(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    """Two long-term gates on two scales, two working gates, pace and salience of the episodic memory; within their bounds."""
    trace = gate_trace(fitted, pair[0])
    sizes = trace.groupby(["memory", "gate", "part"]).size()
    assert set(sizes) == {pair[0].n_events * N_MEMBERS}
    assert len(sizes) == 2 * 2 + 2 + 2
    write, forget = (trace.loc[trace["gate"] == gate, "reading"] for gate in ("write", "forget"))
    assert write.between(math.exp(-3), math.exp(3)).all()
    assert forget.between(0, 2).all()
    assert write.nunique() > 10 < forget.nunique()
    one = gate_trace(fitted, pair[0], record="p5", average=True)
    apart = trace[trace["record"] == "p5"]
    keys = ["time", "channel", "memory", "gate", "part"]
    mean = apart.groupby(keys)["reading"].mean()
    pd.testing.assert_series_equal(one.set_index(keys)["reading"].sort_index(), mean, check_names=False, rtol=1e-5)


def test_salience_of_the_trace_is_that_of_the_slots(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    trace = gate_trace(fitted, pair[0])
    salience = trace[trace["gate"] == "salience"]
    keys = ["record", "member", "time", "channel", "value"]
    both = episodic_events(fitted, pair[0]).merge(salience, on=keys, how="left")
    np.testing.assert_allclose(both["salience"], both["reading"], atol=1e-6)


def test_gates_that_were_left_out(pair: Pair) -> None:
    """They stand at 1, and a half-life without a forget gate has no range."""
    settings = Memory(episodic_slots=2, timescales=2, window=2, write_gate=False, read_gate=False, forget_gate=False)
    model = fit(*pair, memory=settings)
    trace = gate_trace(model, pair[0])
    assert (trace.loc[trace["gate"] != "salience", "reading"] == 1).all()
    assert (read_gates(model, pair[0])["opening"] == 1).all()
    table = half_lives(model)
    assert set(table["memory"]) == {"long-term", "episodic"}
    assert (table["shortest"] == table["half_life"]).all() and (table["longest"] == table["half_life"]).all()


def test_read_gates_of_hand_set_weights(pair: Pair) -> None:
    """A gate with no weights and bias ln 3 opens to 1.5; memories of a channel without events have no row."""
    model = fit(*pair)
    with torch.no_grad():
        for member in model.network_.members:
            gate = member.backbone.memory.second_gate.layer
            gate.weight.zero_()
            gate.bias.copy_(torch.tensor([math.log(3), -math.log(3)]))
    table = read_gates(model, pair[0].without_queries(), average=False)
    second = table[table["round"] == 2]
    openings = second.groupby("memory")["opening"].agg(["min", "max"])
    assert openings.loc["working"].tolist() == pytest.approx([1.5, 1.5])
    assert openings.loc["episodic"].tolist() == pytest.approx([0.5, 0.5])
    empty = table[table["record"] == "p2"]
    assert set(empty["memory"]) == {"episodic"}
    single = table[(table["record"] == "p3") & (table["channel"] == "Temp")]
    assert set(single["memory"]) == {"episodic"}


# ---- half-lives --------------------------------------------------------------------------------------


def test_half_lives_of_hand_set_rates(pair: Pair) -> None:
    """With ln 2 over the rate, in the panel's unit; the forget gate halves it or stops it."""
    model = fit(*pair)
    rate = torch.tensor([[1.0, 0.5], [4.0, 0.25]])
    with torch.no_grad():
        for member in model.network_.members:
            member.backbone.memory.compressed.log_rate.copy_(rate.log())
            member.backbone.memory.episodic.log_power.copy_(torch.tensor(0.5).log())
    table, unit = half_lives(model), model.scaling_.time_scale
    assert unit != 1
    for member in range(N_MEMBERS):
        own = table[table["member"] == member]
        long_term = own[own["memory"] == "long-term"]
        assert long_term[["channel", "part"]].values.tolist() == [["HR", 0], ["HR", 1], ["Temp", 0], ["Temp", 1]]
        expected = unit * math.log(2) * np.array([1.0, 2.0, 0.25, 4.0])
        np.testing.assert_allclose(long_term["half_life"], expected, rtol=1e-6)
        episodic = own[own["memory"] == "episodic"].iloc[0]
        assert episodic["half_life"] == pytest.approx(unit * (2**2 - 1) / 10)
        working = own[own["memory"] == "working"].iloc[0]
        assert working["half_life"] == pytest.approx(unit * math.log(2))
    np.testing.assert_allclose(table["shortest"], table["half_life"] / 2)
    assert np.isinf(table["longest"]).all()


@pytest.mark.parametrize(("kind", "n_rates"), [("clearing", 4), ("oscillating", 4), ("legendre", 0)])
def test_other_long_term_memories(pair: Pair, kind: str, n_rates: int) -> None:
    """Those that know rates have half-lives; the gates of all are traced."""
    model = fit(*pair, memory=Memory(episodic_slots=2, timescales=2, long_term=kind))
    table = half_lives(model)
    assert (table["memory"] == "long-term").sum() == N_MEMBERS * n_rates
    trace = gate_trace(model, pair[0])
    forgetting = "keep" if kind == "clearing" else "forget"
    assert set(trace.loc[trace["memory"] == "long-term", "gate"]) == {"write", forgetting}
    assert trace.loc[trace["gate"] == "keep", "reading"].between(0, 1).all()
    if kind == "clearing":
        long_term = table[table["memory"] == "long-term"]
        assert (long_term["longest"] == long_term["half_life"]).all()


def test_half_life_halves_the_mass(pair: Pair) -> None:
    """What the accumulators hold of an event is half of it after the half-life, at pace 1."""
    model = fit(*pair)
    backbone = model.network_.members[0].backbone
    with torch.no_grad():
        backbone.memory.compressed.forget_gate.layer.weight.zero_()
        backbone.memory.compressed.forget_gate.layer.bias.zero_()
        backbone.memory.compressed.write_gate.layer.weight.zero_()
        backbone.memory.compressed.write_gate.layer.bias.zero_()
    table = half_lives(model)
    row = table[(table["member"] == 0) & (table["memory"] == "long-term") & (table["channel"] == "HR")].iloc[0]
    X = IrregularPanel([0, 2], [0.0, row["half_life"]], [0, 0], [80.0, 81.0], channels=["HR", "Temp"])
    (piece,) = Subject(model, X).pieces()
    with torch.no_grad():
        mass = backbone.write(piece.batch).compressed.mass
    assert mass[0, int(row["part"])].item() == pytest.approx(1.5, abs=1e-5)


# ---- what is refused ---------------------------------------------------------------------------------

LOOKS = (episodic_events, episodic_reads, working_reads, gate_trace, read_gates, solver_cost, jacobian_spectrum)


@pytest.mark.parametrize(
    "look", [*LOOKS, lyapunov_exponents, plot_reads, plot_gates, lambda model, X: half_lives(model)]
)
def test_models_that_cannot_be_looked_into(pair: Pair, look: Any) -> None:
    """Unfitted models, and those with another backbone or none."""
    with pytest.raises(NotFittedError, match="HybridMemoryForecaster instance is not fitted yet"):
        look(HybridMemoryForecaster(), pair[0])
    with pytest.raises(TypeError, match="models with a hybrid-memory backbone; got a LastValueForecaster. Use Hybrid"):
        look(LastValueForecaster().fit(*pair), pair[0])


def test_other_backbones(pair: Pair) -> None:
    """The same backbone in the general estimator is fine, another one is named."""
    options: dict[str, Any] = {"training": Training(epochs=1, members=1), "width": 8, "random_state": 0}
    same = IrregularForecaster(backbone="hybrid-memory", **options).fit(*pair)
    assert len(episodic_events(same, pair[0])) > 0
    other = IrregularForecaster(backbone="gru-d", **options).fit(*pair)
    with pytest.raises(TypeError, match="got a IrregularForecaster with a GruDBackbone"):
        half_lives(other)


def test_two_sided_models(fitted: HybridMemoryForecaster, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an interpolator reads is not told as if it came from the past alone."""
    monkeypatch.setattr(fitted.network_.members[0].backbone, "later_side", torch.nn.Identity())
    for look in LOOKS:
        with pytest.raises(TypeError, match="reads its memories on both sides of every gap"):
            look(fitted, pair[0])
    assert len(half_lives(fitted)) > 0


@pytest.mark.parametrize("look", LOOKS)
def test_panels_that_do_not_fit(fitted: HybridMemoryForecaster, pair: Pair, look: Any) -> None:
    with pytest.raises(TypeError, match="X must be an IrregularPanel; got list"):
        look(fitted, [1, 2])
    other = IrregularPanel([0, 1], [0.0], [0], [1.0], channels=["SpO2"]).with_queries([2.0])
    with pytest.raises(ValueError, match=r"channels that the model was not fitted on: \['SpO2'\]"):
        look(fitted, other)
    days = IrregularPanel([0, 1], [0.0], [0], [1.0], channels=["HR"], time_unit="D").with_queries([2.0])
    with pytest.raises(ValueError, match="X has times in 'D', the model was fitted on times in 'h'"):
        look(fitted, days)


def test_queries_inside_the_span_are_refused(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    X = pair[0].without_queries().with_queries([1.0])
    for look in (episodic_reads, working_reads, solver_cost, lyapunov_exponents):
        with pytest.raises(ValueError, match=r"record 'p0' is asked at 1, before its last .* X.where\(X.time <= 1\)"):
            look(fitted, X)


def test_parts_that_a_model_lacks(pair: Pair) -> None:
    """What was left out of the model is named as the user left it out."""
    bare = fit(*pair, memory=Memory(episodic_slots=0, window=0, timescales=2))
    for look in (episodic_events, episodic_reads):
        with pytest.raises(ValueError, match="no episodic memory: it was fitted with memory__episodic_slots=0"):
            look(bare, pair[0])
    with pytest.raises(ValueError, match="no working memory: it was fitted with memory__window=0"):
        working_reads(bare, pair[0])
    assert set(half_lives(bare)["memory"]) == {"long-term"}
    assert set(gate_trace(bare, pair[0])["memory"]) == {"long-term"}
    once = fit(*pair, memory=Memory(episodic_slots=2, window=2, second_round=False))
    for look in (episodic_reads, working_reads):
        with pytest.raises(
            ValueError, match="never reads its slots by attention: it was fitted with memory__second_round"
        ):
            look(once, pair[0])


def test_what_is_not_asked(fitted: HybridMemoryForecaster, pair: Pair) -> None:
    X = pair[0].without_queries()
    for look, what in ((solver_cost, "solve"), (lyapunov_exponents, "follow"), (plot_reads, "draw")):
        with pytest.raises(ValueError, match=f"X has no queries, so there is .* to {what}"):
            look(fitted, X)
    with pytest.raises(ValueError, match="X has no record 'p99'"):
        gate_trace(fitted, X, record="p99")
    asked = X.with_queries([8.0], "HR")
    with pytest.raises(ValueError, match="record 'p5' is not asked for 'Temp'"):
        plot_reads(fitted, asked, record="p5", channel="Temp")
    with pytest.raises(ValueError, match=r"no channel 'SpO2'; its channels are \['HR', 'Temp'\]"):
        plot_reads(fitted, asked, record="p5", channel="SpO2")
    with pytest.raises(ValueError, match=r"memory must be one of \('episodic', 'working'\); got 'long-term'"):
        plot_reads(fitted, asked, memory="long-term")
    with pytest.raises(ValueError, match="no events to draw gates of"):
        plot_gates(fitted, X, record="p2")
