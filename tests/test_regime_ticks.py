"""Generated quotes: regimes, arrivals and prices have the statistics that the truth says."""

import numpy as np
import pytest
from scipy.linalg import expm

from cndts.datasets import RegimeTruth, make_regime_ticks


@pytest.fixture(scope="module")
def market():
    return make_regime_ticks(150, n_regimes=3, noise=0.0, return_truth=True)


def test_seeds_decide_everything():
    one, again, other = (make_regime_ticks(3, random_state=seed) for seed in (3, 3, 4))

    assert one.equals(again)
    assert not one.equals(other)


@pytest.mark.parametrize("n_regimes", [1, 2, 3])
@pytest.mark.parametrize("n_records", [0, 1])
def test_few_records(n_records, n_regimes):
    panel, truth = make_regime_ticks(n_records, n_regimes=n_regimes, return_truth=True)

    assert len(panel) == n_records
    assert len(truth.mid) == panel.n_events


def test_settings_are_checked():
    with pytest.raises(ValueError, match="n_regimes must be 1, 2 or 3; got 4"):
        make_regime_ticks(n_regimes=4)
    with pytest.raises(ValueError, match="must be positive seconds; got 0 and 3600"):
        make_regime_ticks(mean_stay=0)


def test_bid_and_ask_lie_around_the_price(market):
    panel, truth = market
    bid, ask = panel.value[::2], panel.value[1::2]

    np.testing.assert_array_equal(panel.channel[::2], 0)
    np.testing.assert_allclose((bid + ask) / 2, truth.mid[::2], atol=1e-3)
    assert (bid < ask).all()


def test_quotes_arrive_as_often_as_the_regime_says(market):
    panel, truth = market
    grid = np.linspace(0, 3599.9, 2000)
    spent = np.bincount(truth.regime_at(np.arange(150)[:, None], grid).ravel()) / 2000 * 3600
    quotes = np.bincount(truth.regime_at(panel.record[::2], panel.time[::2]))

    np.testing.assert_allclose(quotes / spent, [0.1, 0.6, 0.3], rtol=0.05)


def test_the_price_moves_as_far_as_the_regime_says(market):
    """Squared steps within one stay, beside the volatility of its regime."""
    panel, truth = market
    record, time, price = panel.record[::2], panel.time[::2], truth.mid[::2]
    stay = np.searchsorted(
        np.repeat(np.arange(150), np.diff(truth.offsets)) + 1j * truth.begin, record + 1j * time, side="right"
    )
    within = (np.diff(record) == 0) & (np.diff(stay) == 0)
    regime = truth.regime_at(record, time)[1:][within]
    gap, step = np.diff(time)[within], np.diff(price)[within]
    for k, (volatility, drift) in enumerate(zip([0.15, 0.8, 0.3], [0, 0, 0.05], strict=True)):
        here = regime == k
        scaled = (step[here] - drift * gap[here]) / np.sqrt(gap[here])
        assert scaled.std() == pytest.approx(volatility, rel=0.05)
        assert scaled.mean() == pytest.approx(0, abs=4 * volatility / np.sqrt(here.sum()))


def test_stays_are_as_long_as_asked(market):
    _, truth = market
    stays = np.diff(truth.begin)[np.diff(np.repeat(np.arange(150), np.diff(truth.offsets))) == 0]

    # stays that the end of the record cuts are missing, which favours short ones
    assert 220 < stays.mean() < 300
    assert (np.diff(truth.regime)[np.diff(truth.begin) > 0] != 0).all()


def test_the_price_over_many_stays_has_the_expected_variance():
    """The variance is integrated across stays, and starts at 0; without a trending regime nothing else moves the price."""
    panel, truth = make_regime_ticks(300, noise=0.0, return_truth=True)
    first, last = panel.offsets[:-1], panel.offsets[1:] - 1
    regime = truth.regime_at(np.arange(300), np.zeros(300))
    expected = 1e8 * truth.expected_variance(regime, panel.time[last]).mean()

    assert np.mean(truth.mid[last] ** 2) == pytest.approx(expected, rel=0.3)
    assert np.mean(truth.mid[first] ** 2) < 0.02 * expected
    np.testing.assert_array_equal(truth.expected_move([0, 1], 60.0), 0)


@pytest.mark.parametrize("n_regimes", [1, 2, 3])
def test_expectations_are_integrals_of_the_matrix_exponential(n_regimes):
    drift = np.array([0.3, -1.0, 2.0])[:n_regimes]
    truth = RegimeTruth(np.array([0, 1]), np.zeros(1), np.zeros(1, int), np.zeros(0), drift, drift, 50.0, 600.0)
    leave = 1 / 50
    generator = np.full((n_regimes, n_regimes), leave / max(n_regimes - 1, 1))
    np.fill_diagonal(generator, -leave if n_regimes > 1 else 0.0)
    times = np.linspace(0, 120, 1001)
    path = expm(generator * times[:, None, None]) @ drift

    integral = np.trapezoid(path, times, axis=0)
    np.testing.assert_allclose(truth.expected_move(np.arange(n_regimes), 120.0), integral, rtol=1e-4, atol=1e-3)
    assert truth.expected_move(0, 0.0) == 0
