"""Published tables: what each number rests on, and which numbers do not compare."""

import pytest

from cndts import protocol


def test_recalled_likelihoods_say_so():
    """Rows with a likelihood name where it comes from; rows without do not speak of one."""
    table = protocol("grafiti/ushcn").published()
    recalled = table["source"].str.contains("nll: GRU-ODE-Bayes paper .* quoted from memory, not checked")
    assert recalled.tolist() == table["nll"].notna().tolist()
    assert recalled.sum() == 6
    assert "nll" not in table.loc["LinODEnet (own paper)", "source"]


def test_results_on_data_that_were_corrected_are_marked():
    """PyOmniTS 2.0.0 replaced the USHCN table; the best result on the table of today is another one."""
    table = protocol("pyomnits/ushcn").published()
    other_data = table["source"].str.contains("not comparable")
    assert table.index[other_data].tolist() == ["HyperIMTS", "ASTGI", "Hi-Patch (ASTGI)"]
    assert table.loc[~other_data, "mse"].idxmin() == "TimeCHEAT + ReIMTS"
    for data in ("physionet2012", "human-activity"):
        assert not protocol(f"pyomnits/{data}").published()["source"].str.contains("not comparable").any()


@pytest.mark.parametrize(
    ("name", "model", "column", "value"),
    [
        ("t-patchgnn/physionet2012", "TimeCHEAT", "mae", 3.89e-2),
        ("t-patchgnn/human-activity", "t-PatchGNN (KAFNet)", "mse", 2.76e-3),
        ("t-patchgnn/ushcn", "Warpformer (KAFNet)", "mae", 0.323),
        ("pyomnits/physionet2012", "Hi-Patch (ASTGI)", "mse", 0.3071),
        ("pyomnits/human-activity", "Hi-Patch (ASTGI)", "mse", 0.0435),
        ("cru/pendulum", "Mamba (worst of several)", "mse", 13.4e-3),
    ],
)
def test_reruns_are_rows_of_their_own(name, model, column, value):
    """A rerun does not stand for the model's own paper."""
    table = protocol(name).published()
    assert table.loc[model, column] == pytest.approx(value)
    assert "secondary source" in table.loc[model, "source"]


def test_physiome_ode_over_all_sets():
    """Without a named set, sets won and average rank; errors belong to a set."""
    table = protocol("physiome-ode").published()
    assert table.loc["LinODENet", ["wins", "average_rank"]].tolist() == [25, 2.10]
    assert table[["mse", "mae"]].isna().all(axis=None)
    assert "wins" not in protocol("physiome-ode", data_set="HOD01").published()
