"""Members of an ensemble: the same one after the other and side by side, and nothing of what happens to them is lost."""

import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from skorch.callbacks import Callback

from cndts import Extrapolation
from cndts.datasets import make_oscillators
from cndts.dynamics import SolverError, SolverWarning
from cndts.estimators import HybridMemoryForecaster, HybridMemoryRegressor
from cndts.memory import Memory
from cndts.training import FitResult, Training, fit_members, n_processes
from cndts.training.streamed_samples import StreamedSamples

RESULT = FitResult(1, 1, 0.0, [])


class Stand:
    """Training records by number alone."""

    def __init__(self, n_records: int) -> None:
        self.n_records = n_records


def forecaster(n_jobs: int | None) -> HybridMemoryForecaster:
    training = Training(members=3, epochs=2, batch_size=9, n_jobs=n_jobs)
    return HybridMemoryForecaster(
        Memory(window=3, timescales=2, contents=2), training=training, width=8, layers=1, random_state=0
    )


def test_side_by_side_is_one_after_the_other() -> None:
    """Three members in two processes are those of one process, to the last bit where each has one thread."""
    X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(9, n_observations=12, random_state=0))
    alone, together = forecaster(1).fit(X, y), forecaster(2).fit(X, y)
    np.testing.assert_allclose(together.predict(X).value, alone.predict(X).value, rtol=1e-6, atol=1e-6)
    losses = [[result.history[-1]["train_loss"] for result in model.fit_results_] for model in (alone, together)]
    np.testing.assert_allclose(*losses, rtol=1e-6)
    assert len(set(losses[0])) == 3


def test_record_estimators_too() -> None:
    """A regressor on whole records."""
    panel = make_oscillators(12, n_observations=12, random_state=0)
    outcome = np.arange(12.0)
    predictions = [
        HybridMemoryRegressor(
            Memory(window=3, timescales=2, contents=2),
            training=Training(epochs=2, batch_size=6, n_jobs=n_jobs),
            width=8,
            layers=1,
            random_state=0,
        )
        .fit(panel, outcome)
        .predict(panel)
        for n_jobs in (1, 2)
    ]
    np.testing.assert_allclose(*predictions, rtol=1e-6, atol=1e-6)


def test_threads_are_shared() -> None:
    """Four threads among two processes are two each, while the fit lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        idle = Parallel(2, backend="loky")(delayed(torch.get_num_threads)() for _ in range(2))
        members = fit_members(lambda seed: ((seed, torch.get_num_threads()), RESULT), [7, 8], 2)
        later = Parallel(2, backend="loky")(delayed(torch.get_num_threads)() for _ in range(2))
    finally:
        torch.set_num_threads(before)
    assert members == [((7, 2), RESULT), ((8, 2), RESULT)]
    assert later == idle


def test_warnings_arrive() -> None:
    """What a member warns of is heard in the calling process, from each member, with its class."""

    def fit_one(seed: int) -> tuple[int, FitResult]:
        warnings.warn(f"member {seed} fell back.", SolverWarning, stacklevel=1)
        return seed, RESULT

    with pytest.warns(SolverWarning) as told:
        fit_members(fit_one, [1, 2], 2)
    assert [str(warning.message) for warning in told] == ["member 1 fell back.", "member 2 fell back."]


def test_errors_arrive_whole() -> None:
    """A solve that fails names the record from another process, too; nothing is left to predict with."""

    def fit_one(seed: int) -> tuple[int, FitResult]:
        raise SolverError("dopri5", "it broke", [3, 1], 7, "Do this.")

    with pytest.raises(SolverError, match="'dopri5' failed for rows 1, 3 of 7: it broke. Do this.") as caught:
        fit_members(fit_one, [1, 2], 2)
    assert caught.value.rows == (1, 3)
    again = pickle.loads(pickle.dumps(caught.value))
    assert vars(again) == vars(caught.value)
    assert str(again) == str(caught.value)

    X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(9, n_observations=12, random_state=0))
    model = forecaster(2).set_params(training__learning_rate=1e30)
    with pytest.raises(FloatingPointError, match="training diverged: the loss became nan"):
        model.fit(X, y)
    assert not [name for name in vars(model) if name.endswith("_")]


def test_interrupt_ends_all() -> None:
    """Ctrl-C in a member ends the fit as it does in one process."""

    def fit_one(seed: int) -> tuple[int, FitResult]:
        raise KeyboardInterrupt(f"fitting {seed} was interrupted")

    with pytest.raises(KeyboardInterrupt, match="was interrupted"):
        fit_members(fit_one, [1, 2], 2)


@pytest.mark.parametrize(
    ("n_jobs", "n_events", "verbose", "device", "expected"),
    [
        (None, 60_000, 0, "cpu", 3),  # 20 epochs of 60,000 events are long enough
        (None, 40_000, 0, "cpu", 1),
        (None, 60_000, 1, "cpu", 1),
        (None, 60_000, 0, "cuda:0", 1),
        (1, 60_000, 0, "cpu", 1),
        (2, 10, 1, "cpu", 2),
        (2, 10, 0, "cuda:0", 1),
        (-1, 10, 0, "cpu", 3),
        (8, 10, 0, "cpu", 3),
    ],
)
def test_how_many_processes(
    monkeypatch: pytest.MonkeyPatch, n_jobs: int | None, n_events: int, verbose: int, device: str, expected: int
) -> None:
    """As many as asked, at most one a member; by default where the fit is long and nobody follows it."""
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    training = Training(members=3, epochs=20, n_jobs=n_jobs)
    assert n_processes(training, Stand(100), n_events, device=device, verbose=verbose) == expected


def test_one_process_by_default_for_one_thread_and_for_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that has given each process one thread gets no more of them, and records on disk are read once."""
    training = Training(epochs=20)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert n_processes(training, Stand(100), 10**9, device="cpu", verbose=0) == 1
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    streamed = object.__new__(StreamedSamples)
    streamed.n_records = 100
    assert n_processes(training, streamed, 10**9, device="cpu", verbose=0) == 1


def test_callbacks_see_every_member() -> None:
    """What follows the epochs, as a search does, does so in its own process, whatever ``n_jobs`` says."""

    class Count(Callback):
        epochs = 0

        def on_epoch_end(self, *_: object, **__: object) -> None:
            self.epochs += 1

    X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(9, n_observations=12, random_state=0))
    model, count = forecaster(2), Count()
    model._epoch_callbacks = (("count", count),)
    model.fit(X, y)
    assert count.epochs == 3 * 2


@pytest.mark.parametrize("jobs", [0, -2, 1.5, True, "all"])
def test_other_numbers_are_refused(jobs: object) -> None:
    """With what may be given."""
    X, y = Extrapolation(observe=6, horizon=2).split(make_oscillators(9, n_observations=12, random_state=0))
    with pytest.raises(ValueError, match="training__n_jobs must be 1 or more, -1 for one a thread, or None; got"):
        forecaster(jobs).fit(X, y)  # type: ignore[arg-type]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems do not list what a process has started")
def test_peak_memory_counts_other_processes() -> None:
    """What a process holds that was started counts as much as one's own."""
    code = """if True:
        import subprocess, sys
        from cndts.benchmarking._resources import peak_mb

        before = peak_mb()
        held = "held = b'1' * 100_000_000; print(1, flush=True); input()"
        child = subprocess.Popen([sys.executable, "-c", held], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        print(peak_mb() - before)
        child.communicate(b"1")
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) >= 100
