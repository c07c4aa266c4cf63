"""Cost and growth rates of the ODE behind forecasts, against known equations."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.linalg import expm

from cndts import Extrapolation, IrregularPanel
from cndts.datasets import make_oscillators
from cndts.dynamics import Solver
from cndts.estimators import HybridMemoryForecaster
from cndts.inspect import (
    field_jacobian,
    finite_time_exponents,
    jacobian_spectrum,
    lyapunov_exponents,
    solver_cost,
)
from cndts.inspect._subject import Subject
from cndts.memory import Memory
from cndts.targets import Targets
from cndts.training import Training

N_MEMBERS = 2
Pair = tuple[IrregularPanel, Targets]


def fit(X: IrregularPanel, y: Targets, **options: Any) -> HybridMemoryForecaster:
    """A model that fits in a moment."""
    training = Training(epochs=1, batch_size=8, members=N_MEMBERS)
    settings = {"memory": Memory(episodic_slots=2, window=2, timescales=2), "width": 8, "layers": 1, "random_state": 0}
    return HybridMemoryForecaster(**(settings | {"training": training} | options)).fit(X, y)


@pytest.fixture(scope="module")
def pair() -> Pair:
    """Ten records that end before hour 6, asked up to hour 8."""
    return Extrapolation(observe=6, horizon=2).split(make_oscillators(10, random_state=0))


# ---- cost --------------------------------------------------------------------------------------------


def test_cost_of_fixed_steps(pair: Pair) -> None:
    """Two stages a step and one more for the dense output, once per node that is asked."""
    model = fit(*pair, solver=Solver("midpoint", steps=4))
    X = pair[0].without_queries()[[0, 3]].with_queries([6.5, 7.0])
    cost = solver_cost(model, X)
    assert cost[["record", "member"]].values.tolist() == [[0, 0], [0, 1], [3, 0], [3, 1]]
    assert set(cost["method"]) == {"midpoint"}
    for name, value in {"queries": 4, "calls": 9, "evaluations": 18, "accepted": 4, "rejected": 0}.items():
        assert (cost[name] == value).all(), name


def test_cost_of_an_adaptive_method_is_the_records_own(pair: Pair) -> None:
    """It does not depend on the other records, and dopri5 spends six calls a step after the first two."""
    model = fit(*pair, solver=Solver("dopri5", rtol=1e-6, atol=1e-7))
    together = solver_cost(model, pair[0])
    assert (together["rejected"] >= 0).all() and (together["accepted"] > 0).all()
    np.testing.assert_array_equal(together["calls"], 2 + 6 * (together["accepted"] + together["rejected"]))
    np.testing.assert_array_equal(together["evaluations"], together["calls"] * together["queries"])
    one = solver_cost(model, pair[0][[5]])
    expected = together[together["record"] == 5].reset_index(drop=True)
    pd.testing.assert_frame_equal(one, expected)


# ---- dynamics ----------------------------------------------------------------------------------------


def linear(matrix: np.ndarray) -> Any:
    generator = torch.from_numpy(matrix)
    return lambda t, z: z @ generator.T


def test_exponents_of_a_linear_field() -> None:
    """The logarithms of the singular values of exp(A T) over T, for a matrix that is not normal."""
    matrix = np.array([[-0.5, 3.0, 0.0], [-1.0, 0.2, 0.4], [0.0, 0.0, -4.0]])
    duration = torch.tensor([0.7, 2.0], dtype=torch.double)
    found = finite_time_exponents(linear(matrix), torch.randn(2, 3, dtype=torch.double), duration, steps=400)
    for row, length in enumerate(duration.tolist()):
        expected = np.log(np.linalg.svd(expm(matrix * length), compute_uv=False)) / length
        np.testing.assert_allclose(found[row], expected, atol=1e-6)


def test_exponents_follow_the_path() -> None:
    """For dz/dt = -z^3 a displacement shrinks by (1 + 2 z0^2 t)^(-3/2), more the further out it starts."""
    z0, duration = torch.tensor([[0.5], [2.0]], dtype=torch.double), torch.tensor([1.0, 1.5])
    found = finite_time_exponents(lambda t, z: -(z**3), z0, duration, steps=500)[:, 0]
    expected = -1.5 * torch.log1p(2 * z0[:, 0] ** 2 * duration.double()) / duration.double()
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)


def test_exponents_converge_with_order_four() -> None:
    matrix = np.array([[-0.3, 2.0], [-2.0, 0.1]])
    z0, one = torch.ones(1, 2, dtype=torch.double), torch.ones(1)
    expected = np.log(np.linalg.svd(expm(matrix), compute_uv=False))
    errors = [
        np.abs(finite_time_exponents(linear(matrix), z0, one, steps=n)[0].numpy() - expected).max() for n in (4, 8)
    ]
    assert 12 < errors[0] / errors[1] < 40


def test_wrong_durations() -> None:
    with pytest.raises(
        ValueError, match="durations must be positive and steps 1 or more; got a shortest duration of 0 and"
    ):
        finite_time_exponents(linear(np.eye(2)), torch.ones(1, 2, dtype=torch.double), torch.zeros(1))


def test_jacobian_agrees_with_autograd() -> None:
    torch.manual_seed(0)
    layer = torch.nn.Linear(3, 3).double()
    field, z = (lambda t, z: torch.tanh(layer(z)) * t), torch.randn(4, 3, dtype=torch.double)
    t = torch.rand(4, 1, dtype=torch.double)
    found = field_jacobian(field, t, z)
    for row in range(4):
        own = torch.autograd.functional.jacobian(lambda one, r=row: field(t[r : r + 1], one[None])[0], z[row])
        torch.testing.assert_close(found[row], own)


def test_linear_read_out_has_known_spectra(pair: Pair) -> None:
    """Its growth rates are minus its decays and its frequencies its turning, at the start and along every forecast."""
    X, _ = pair
    model = fit(*pair, solver=Solver("linear"))
    unit = model.scaling_.time_scale
    spectrum, exponents = jacobian_spectrum(model, X), lyapunov_exponents(model, X, steps=300)
    for member in range(N_MEMBERS):
        flow = model.network_.members[member].backbone.readout.flow
        decay = flow.log_decay.exp().detach().double()
        expected = (-decay.repeat_interleave(2) / unit).sort(descending=True).values.numpy()
        for _, modes in spectrum[spectrum["member"] == member].groupby(["record", "channel"]):
            np.testing.assert_allclose(modes["growth"], expected, rtol=1e-5)
            turning = np.abs(np.sort(flow.frequency.detach().numpy())) / (2 * np.pi * unit)
            np.testing.assert_allclose(
                np.sort(modes["frequency"].abs()), np.sort(np.repeat(turning, 2)), rtol=1e-4, atol=1e-7
            )
        for _, ranks in exponents[exponents["member"] == member].groupby(["record", "channel"]):
            np.testing.assert_allclose(ranks["exponent"], expected, rtol=1e-3)
    queries = X.queries
    asked = pd.DataFrame(
        {"record": queries.record, "channel": np.array(X.channels)[queries.channel], "time": queries.time}
    )
    horizon = asked.groupby(["record", "channel"])["time"].max()
    horizon = horizon - X.last_time[horizon.index.get_level_values("record")]
    found = exponents.groupby(["record", "channel"])["horizon"].agg(["min", "max"])
    for name in found:
        pd.testing.assert_series_equal(found[name], horizon, check_names=False, rtol=1e-5)


@pytest.mark.parametrize("field", ["gated", "time", "hyper"])
def test_spectra_of_every_field(pair: Pair, field: str) -> None:
    """With augmentation: growth rates sum to the trace of the Jacobian, and over a short horizon exponents do too (Liouville)."""
    model = fit(*pair, solver=Solver("rk4", field=field, augment=2))
    one = pair[0][[4]]
    X = one.with_queries([one.last_time[0] + 1e-4], one.channels[0])
    spectrum, exponents = jacobian_spectrum(model, X), lyapunov_exponents(model, X, steps=8)
    assert len(spectrum) == len(exponents) == N_MEMBERS * 10
    (piece,) = Subject(model, X).pieces()
    for member, network in enumerate(model.network_.members):
        readout = network.backbone.readout
        z = torch.nn.functional.pad(network.backbone.encode(piece.batch).nodes[:1].detach(), (0, 2))
        own = torch.autograd.functional.jacobian(lambda one, f=readout.field: f(torch.zeros(1, 1), one)[0], z)
        trace = own[:, 0].trace().item() / model.scaling_.time_scale
        assert abs(trace) > 1e-3
        for table, name in ((spectrum, "growth"), (exponents, "exponent")):
            assert table.loc[table["member"] == member, name].sum() == pytest.approx(trace, rel=2e-2, abs=1e-4)
    assert exponents.groupby("member")["exponent"].apply(lambda exponent: exponent.is_monotonic_decreasing).all()


def test_direct_decoding_has_no_field(pair: Pair) -> None:
    model = fit(*pair, solver=Solver("direct"))
    for look in (jacobian_spectrum, lyapunov_exponents):
        with pytest.raises(
            ValueError, match=r"decodes its forecasts directly \(solver__method='direct'\): there is no"
        ):
            look(model, pair[0])
    assert (solver_cost(model, pair[0])["evaluations"] == 0).all()
