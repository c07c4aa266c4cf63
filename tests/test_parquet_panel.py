"""Panels on disk, read by shard and by record, and training on them in bounded memory."""

import multiprocessing
import pickle
import resource
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cndts import Extrapolation, IrregularPanel, ParquetPanel
from cndts.datasets import make_icu, make_oscillators
from cndts.estimators import IrregularForecaster
from cndts.estimators._streamed_fit import held_out_records, sampled_records
from cndts.training import Training
from cndts.training.streamed_samples import StreamedSamples

pytest.importorskip("pyarrow")


def icu(n_records: int = 20, seed: int = 0) -> IrregularPanel:
    """With static features, outcomes, units and groups."""
    panel = make_icu(n_records, random_state=seed)
    ids = pd.Index([f"p{seed}-{i}" for i in range(n_records)])
    tables = {name: getattr(panel, name).set_axis(ids, axis=0) for name in ("static", "outcomes")}
    labels = np.array([f"ward {'x' * (i % 3)}" for i in range(n_records)])
    return IrregularPanel._trusted(panel, records=ids, groups=labels, **tables)


@pytest.fixture(scope="module")
def shards() -> list[IrregularPanel]:
    return [icu(20, 0), icu(5, 1), icu(12, 2)]


@pytest.fixture(scope="module")
def source(shards: list[IrregularPanel], tmp_path_factory: pytest.TempPathFactory) -> ParquetPanel:
    return ParquetPanel.write(tmp_path_factory.mktemp("panel") / "icu.parquet", iter(shards))


def same_labels(panel: IrregularPanel) -> IrregularPanel:
    """Labels of several lengths come back as objects."""
    return panel.with_groups(None if panel.groups is None else panel.groups.astype(str))


# ---- reading -------------------------------------------------------------------------------------


def test_shards_come_back_as_they_were(source, shards):
    for read, written in zip(source.shards(), shards, strict=True):
        assert same_labels(read).equals(same_labels(written))
    assert source.n_shards == 3
    assert (len(source), source.n_events) == (37, sum(shard.n_events for shard in shards))
    assert source.channels == shards[0].channels


@pytest.mark.parametrize(
    "key", [3, slice(2, 30, 5), [36, 0, 0, 21], np.arange(37) % 7 == 0, [], slice(20, 25)], ids=str
)
def test_keys_select_what_they_select_in_memory(source, shards, key):
    whole = IrregularPanel.concat(shards)

    assert same_labels(source[key]).equals(same_labels(whole[key]))


def test_keys_are_checked(source):
    with pytest.raises(IndexError, match="record position 37 is out of range for 37 records"):
        source[[37]]


def test_only_the_shards_that_are_needed_are_read(source, monkeypatch):
    read = []
    monkeypatch.setattr(
        ParquetPanel, "shard", lambda self, n, shard=ParquetPanel.shard: read.append(n) or shard(self, n)
    )
    source[[30, 1, 2]]

    assert read == [0, 2]


def test_a_random_order_is_seeded_and_complete(source):
    first = [shard.records[0] for shard in source.shards(random_state=3)]

    assert sorted(first) == ["p0-0", "p1-0", "p2-0"]
    assert first == [shard.records[0] for shard in source.shards(random_state=3)]


def test_small_things_stay_in_memory(source, shards):
    whole = IrregularPanel.concat(shards)

    assert source.records.equals(whole.records)
    np.testing.assert_array_equal(source.counts, whole.counts)
    np.testing.assert_array_equal(source.groups, whole.groups)
    np.testing.assert_array_equal(np.bincount(source.shard_of_record), [20, 5, 12])
    assert pickle.loads(pickle.dumps(source))[[0]].equals(source[[0]])


def test_several_files_and_folders_are_one_panel(shards, tmp_path: Path):
    for number, shard in enumerate(shards):
        shard.to_parquet(tmp_path / f"part-{number}.parquet")
    (tmp_path / "notes.txt").write_text("not mine")
    source = ParquetPanel(tmp_path)

    assert source.n_shards == 3
    assert same_labels(source[25:30]).equals(same_labels(IrregularPanel.concat(shards)[25:30]))
    assert len(ParquetPanel([tmp_path / "part-2.parquet", tmp_path / "part-0.parquet"])) == 32


def test_one_file_of_many_shards_is_an_ordinary_panel_file(source, shards):
    whole = IrregularPanel.from_parquet(source._files[0])

    assert same_labels(whole).equals(same_labels(IrregularPanel.concat(shards)))


# ---- writing -------------------------------------------------------------------------------------


def test_panels_are_written_as_they_come(tmp_path: Path):
    """The second is asked for only after the first was let go."""
    alive = []

    def panels():
        for seed in range(3):
            panel = make_oscillators(4, random_state=seed)
            alive.append(panel)
            yield panel

    source = ParquetPanel.write(tmp_path / "a.parquet", panels(), ignore_records=True)
    assert source.records.tolist() == list(range(12))
    np.testing.assert_array_equal(source.shard(2).value, alive[2].value)


def test_what_does_not_fit_is_refused_and_leaves_no_file(tmp_path: Path):
    one, path = make_oscillators(3), tmp_path / "a.parquet"
    for others, text in (
        ([one], r"panel 1 repeats the record 0; .* Number them anew with ignore_records=True"),
        (
            [make_oscillators(3, n_channels=3)],
            r"panel 1 does not fit into the file: its channels is \['x0', 'x1', 'x2'\]",
        ),
        ([one.with_units({"x0": "m"})], "its units is {'x0': 'm'}, that of the first panel {}"),
        ([one.with_static(pd.DataFrame({"age": [1, 2, 3]}))], "its tables is"),
    ):
        with pytest.raises(ValueError, match=text):
            ParquetPanel.write(path, [one, *others])
    with pytest.raises(ValueError, match="no panel with a record to write"):
        ParquetPanel.write(path, [one[:0]])
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_refused(tmp_path: Path, shards):
    with pytest.raises(FileNotFoundError, match=r"wanted a Parquet file, or a folder with files that end in \.parquet"):
        ParquetPanel(tmp_path)
    with pytest.raises(FileNotFoundError, match="none.parquet: wanted"):
        ParquetPanel(tmp_path / "none.parquet")
    pd.DataFrame({"x": [1]}).to_parquet(tmp_path / "table.parquet")
    with pytest.raises(ValueError, match="is a Parquet file but holds no panel"):
        ParquetPanel(tmp_path / "table.parquet")
    a, b, c = tmp_path / "a.parquet", tmp_path / "b.parquet", tmp_path / "c.parquet"
    shards[0].to_parquet(a)
    shards[0].to_parquet(b)
    make_oscillators(3).to_parquet(c)
    with pytest.raises(ValueError, match="the record 'p0-0' occurs twice"):
        ParquetPanel([a, b])
    with pytest.raises(
        ValueError, match=r"c\.parquet has the channels \['x0', 'x1'\].*files that are read together must agree"
    ):
        ParquetPanel([a, c])


# ---- training ------------------------------------------------------------------------------------

QUICK = {"training": Training(epochs=1, members=1, batch_size=8), "width": 8, "random_state": 0}
TASK = Extrapolation(observe=6, horizon=2)


@pytest.fixture(scope="module")
def oscillators(tmp_path_factory: pytest.TempPathFactory) -> ParquetPanel:
    path = tmp_path_factory.mktemp("panel") / "oscillators.parquet"
    return ParquetPanel.write(path, (make_oscillators(25, random_state=seed) for seed in range(6)), ignore_records=True)


class Ordered:
    """Stands in for samples: batches are the ids of the records of a pool, in order."""

    def __init__(self, panel: IrregularPanel) -> None:
        self.records = panel.records

    def shuffled(self, batch_size, cut_share, random):
        yield from np.array_split(self.records, max(1, len(self.records) // batch_size))


def streamed(source: ParquetPanel, n_records: int, is_used=None, pool_events: int = 3000) -> StreamedSamples:
    used = np.ones(len(source), dtype=bool) if is_used is None else is_used
    return StreamedSamples(source, used, Ordered, n_records=n_records, pool_events=pool_events)


def test_a_pass_draws_every_record_that_is_used_once(oscillators):
    used = np.arange(150) % 3 > 0
    batches = list(streamed(oscillators, 100, used, pool_events=10**9).shuffled(10, 0, np.random.default_rng(0)))

    assert len(batches) == 10
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.flatnonzero(used))


@pytest.mark.parametrize("n_records", [8, 80, 150, 1000])
def test_an_epoch_has_as_many_batches_as_its_records_fill(oscillators, n_records):
    """Shorter than a pass or longer: the schedule of the learning rate counts on it."""
    assert len(list(streamed(oscillators, n_records).shuffled(8, 0, np.random.default_rng(0)))) == n_records // 8


def test_pools_mix_shards_in_random_order_and_stay_small(oscillators):
    pools = list(streamed(oscillators, 150).pools(np.random.default_rng(1)))
    together = [sorted(set(oscillators.shard_of_record[pool.records])) for pool in pools]

    assert max(pool.n_events for pool in pools) < 3000 + 2000
    order = [shard for shards in together for shard in shards]
    assert sorted(order) == list(range(6))
    assert order != list(range(6))
    assert len(pools) == 3


def test_nothing_to_learn_is_an_error(oscillators):
    empty = StreamedSamples(oscillators, np.ones(150, dtype=bool), lambda pool: None, n_records=50, pool_events=3000)
    with pytest.raises(ValueError, match="a whole pass over the records on disk gave nothing to learn"):
        list(empty.shuffled(8, 0, np.random.default_rng(0)))


def test_held_out_records_and_samples_keep_their_bounds(source):
    random = np.random.RandomState(0)
    held = held_out_records(source, 0.4, 10**9, random)

    assert set(source.groups[held]) < set(source.groups), "whole groups"
    assert np.isin(source.groups, source.groups[held]).sum() == len(held)
    sample = sampled_records(source, np.arange(37), 2000, random)
    assert 0.5 * 2000 < source.counts[sample].sum() <= 2000
    assert len(sampled_records(source, np.arange(37), 1, random)) == 1


def test_training_from_disk_learns_what_training_in_memory_does(oscillators):
    """The same records, once in pools of a third: both beat the mean on new records."""
    X_val, y_val = TASK.split(make_oscillators(20, random_state=99))
    options = QUICK | {"training": Training(epochs=2, members=1, batch_size=8)}
    model = IrregularForecaster("gru-d", **options).fit_stream(
        oscillators, TASK, X_val=X_val, y_val=y_val, events_in_memory=3000
    )
    whole = IrregularForecaster("gru-d", **options).fit(*TASK.split(oscillators[:]), X_val=X_val, y_val=y_val)

    assert model.n_records_in_ == 150
    assert [len(each.fit_results_[0].history) for each in (model, whole)] == [2, 2]
    assert model.score(X_val, y_val) == pytest.approx(whole.score(X_val, y_val), abs=0.15)
    assert model.fit_results_[0].history[-1]["train_loss"] < model.fit_results_[0].history[0]["train_loss"]
    assert "_stream" not in vars(model)


def test_fit_stream_is_reproducible_and_holds_records_out(oscillators):
    one, again = (
        IrregularForecaster("gru-d", **QUICK).fit_stream(oscillators, TASK, records_per_epoch=40, events_in_memory=3000)
        for _ in range(2)
    )
    X, _ = TASK.split(make_oscillators(5, random_state=7))

    np.testing.assert_array_equal(one.predict(X).value, again.predict(X).value)
    assert 130 <= one.n_records_in_ < 150
    assert np.isfinite(one.fit_results_[0].best_score)


def test_arguments_are_checked(oscillators):
    model = IrregularForecaster("gru-d", **QUICK)
    with pytest.raises(TypeError, match=r"source must be a ParquetPanel; got IrregularPanel\. Open one with"):
        model.fit_stream(oscillators[:5], TASK)
    with pytest.raises(TypeError, match=r"task must have split\(panel\); got 24"):
        model.fit_stream(oscillators, 24)
    with pytest.raises(ValueError, match="events_in_memory must be 1 or more; got 0"):
        model.fit_stream(oscillators, TASK, events_in_memory=0)
    with pytest.raises(ValueError, match="records_per_epoch must be 1 or more; got -1"):
        model.fit_stream(oscillators, TASK, records_per_epoch=-1)
    assert model._stream is None


# ---- memory --------------------------------------------------------------------------------------


def resident_growth(path: str, queue) -> None:
    """In a process of its own: peak resident size after drawing a pass in small pools, less that after one pool, in MB."""
    from cndts.estimators._streamed_fit import _Stream

    source = ParquetPanel(path)
    model = IrregularForecaster("gru-d", **QUICK)
    used = np.ones(len(source), dtype=bool)
    X, y = TASK.split(source.shard(0))
    model._stream = _Stream(source, TASK, used, len(source), 100_000)
    model.time_unit_in_, model.channels_in_ = source.time_unit, source.channels
    model.scaling_, model.static_ = model._measure(X, y), _no_statics(X)
    lessons = model._lessons(X, y, model.training)
    drawn = lessons.shuffled(64, 0.5, np.random.default_rng(0))
    for _ in range(12):
        next(drawn)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    n_batches = 12 + sum(1 for _ in drawn)
    queue.put((n_batches, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024))


def _no_statics(X: IrregularPanel):
    from cndts.static_features import StaticEncoding

    return StaticEncoding.fit(X.static)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux alone")
def test_a_million_events_pass_through_little_memory(tmp_path: Path):
    """1e6 events in pools of 1e5: the whole, prepared at once, would take some 200 MB more."""
    path = tmp_path / "many.parquet"
    shards = (make_oscillators(250, n_observations=100, random_state=seed) for seed in range(20))
    source = ParquetPanel.write(path, shards, ignore_records=True)
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    worker = context.Process(target=resident_growth, args=(str(path), queue))
    worker.start()
    n_batches, growth = queue.get(timeout=300)
    worker.join()

    assert source.n_events > 990_000
    assert n_batches == 5000 // 64
    assert growth < 60
