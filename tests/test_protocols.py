"""Protocols: the rules of the source, and that nothing of the test records leaks."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

from cndts import IrregularPanel, protocol
from cndts.metrics import mean_absolute_error, mean_squared_error
from cndts.protocols import available_protocols

NAME = "t-patchgnn/physionet2012"
STATICS = ["Age", "Gender", "Height", "ICUType", "Weight"]
# fmt: off
VARIABLES = [
    "Age", "Gender", "Height", "ICUType", "Weight", "Albumin", "ALP", "ALT", "AST", "Bilirubin", "BUN",
    "Cholesterol", "Creatinine", "DiasABP", "FiO2", "GCS", "Glucose", "HCO3", "HCT", "HR", "K", "Lactate", "Mg",
    "MAP", "MechVent", "Na", "NIDiasABP", "NIMAP", "NISysABP", "PaCO2", "PaO2", "pH", "Platelets", "RespRate",
    "SaO2", "SysABP", "Temp", "TroponinI", "TroponinT", "Urine", "WBC",
]
# fmt: on
PARTS = ("train", "validation", "test")
# mTAN publishes errors on the scale of all records; tests of its own look at that
LEAK_FREE = [protocol(NAME), protocol("mtan/physionet2012", scale="seen")]


def stays(n_records=40, seed=0, channels=("HR", "Temp", "Weight"), **changes) -> IrregularPanel:
    """Stays like those of the reader: three channels, five descriptors with NaN where not known, labels."""
    rng = np.random.default_rng(seed)
    record = np.sort(rng.integers(n_records, size=20 * n_records))
    time = rng.integers(1, 97, len(record)) / 2  # half hours, so that some coincide
    order = np.lexsort((time, record))
    ids = pd.Index(np.arange(n_records) * 3 + 132539, name="RecordID")
    static = pd.DataFrame(rng.integers(1, 90, (n_records, 5)).astype(float), ids, STATICS)
    static.loc[ids[::4], ["Gender", "Height", "Weight"]] = np.nan
    static.loc[ids[1], "Age"] = np.nan
    fields = {
        "offsets": np.searchsorted(record, np.arange(n_records + 1)),
        "time": time[order],
        "channel": rng.integers(len(channels), size=len(record)),
        "value": rng.normal(size=len(record)) * 20 + 80,
        "records": ids,
        "channels": channels,
        "static": static,
        "outcomes": pd.DataFrame({"In-hospital_death": rng.integers(0, 2, n_records)}, ids),
        "units": {"HR": "1/min"},
    }
    return IrregularPanel(**fields | changes)


def written_as_in_the_source(panel: IrregularPanel) -> list[dict[tuple[float, str], float]]:
    """Every record as {(time, variable): value}, as the authors' parser reads the file: running means at one time."""
    records = []
    for i in range(len(panel)):
        cells: dict[tuple[float, str], list[float]] = {}
        for name, value in panel.static.iloc[i].items():
            unknown = np.isnan(value)
            if not unknown or name in ("Gender", "Height", "Weight"):
                cells.setdefault((0.0, name), []).append(-1.0 if unknown else value)
        for event in range(panel.offsets[i], panel.offsets[i + 1]):
            key = float(panel.time[event]), panel.channels[panel.channel[event]]
            cells.setdefault(key, []).append(float(panel.value[event]))
        records.append({key: float(np.mean(values)) for key, values in cells.items()})
    return records


def cells(part) -> list[dict[tuple[float, str], float]]:
    X, y = part
    found: list[dict[tuple[float, str], float]] = [{} for _ in range(len(X))]
    for source in (X, y):
        for i, time, channel, value in zip(source.record, source.time, source.channel, source.value, strict=True):
            found[i][float(time), source.channels[channel]] = float(value)
    return found


def test_split_equals_the_source_step_by_step():
    """Records, order, scale, cut and values of all three parts, recomputed from the description with plain loops."""
    panel = stays()
    split = protocol(NAME).split(panel)

    source = written_as_in_the_source(panel)
    seen, test = train_test_split(list(range(len(panel))), train_size=0.8, random_state=42, shuffle=True)
    train, validation = train_test_split(seen, train_size=0.75, random_state=42, shuffle=False)
    low, high = dict.fromkeys(VARIABLES, np.inf), dict.fromkeys(VARIABLES, -np.inf)
    for i in seen:
        for (_, name), value in source[i].items():
            low[name], high[name] = min(low[name], value), max(high[name], value)
    for part, rows in zip(PARTS, (train, validation, test), strict=True):
        X, y = getattr(split, part)
        assert X.channels == y.channels == tuple(VARIABLES)
        assert X.records.tolist() == y.records.tolist() == getattr(split.records, part).tolist()
        assert X.records.tolist() == panel.records[rows].tolist()
        assert (X.time < 24).all()
        assert (y.time >= 24).all()
        for found, i in zip(cells((X, y)), rows, strict=True):
            assert found.keys() == source[i].keys()
            for (time, name), value in source[i].items():
                scaled = (value - low[name]) / (high[name] - low[name])
                assert found[time, name] == pytest.approx(scaled, abs=1e-6)


def test_labels_do_not_reach_models():
    """Neither outcomes nor descriptors nor raw units are left on what models see."""
    for X, _ in map(protocol(NAME).split(stays()).__getattribute__, PARTS):
        assert X.outcomes.shape[1] == X.static.shape[1] == 0
        assert X.units == {}
        assert X.time_unit == "h"


def test_sizes_are_sixty_twenty_twenty():
    """For one set 2,400, 800 and 800; for all three 7,200, 2,400 and 2,400."""
    for n_records in (4000, 12_000):
        empty = stays(n_records, offsets=np.zeros(n_records + 1), time=[], channel=[], value=[])
        split = protocol(NAME).split(empty)
        sizes = [len(getattr(split, part)[0]) for part in PARTS]
        assert sizes == [0.6 * n_records, 0.2 * n_records, 0.2 * n_records]


@pytest.mark.parametrize("rules", LEAK_FREE, ids=repr)
def test_nothing_of_the_test_records_leaks(rules):
    """Poisoned test records change no bit of training, validation and scale; their own context is only rescaled."""
    panel = stays(60)
    clean = rules.split(panel)
    is_test = panel.records.isin(clean.records.test)
    poisoned_value = np.where(is_test[panel.record], panel.value * -1e6 + 7, panel.value)
    static = panel.static.copy()
    static.loc[is_test] = 1e9
    poisoned = rules.split(stays(60, value=poisoned_value, static=static))
    for part in ("train", "validation"):
        for before, after in zip(getattr(clean, part), getattr(poisoned, part), strict=True):
            for field in ("offsets", "time", "channel", "value"):
                assert getattr(before, field).tobytes() == getattr(after, field).tobytes()
    assert clean.offset.tobytes() == poisoned.offset.tobytes()
    assert clean.scale.tobytes() == poisoned.scale.tobytes()
    assert not np.array_equal(clean.test[1].value, poisoned.test[1].value)


@pytest.mark.parametrize("name", [NAME, "mtan/physionet2012"])
def test_validation_enters_through_the_scale_alone(name):
    """Poisoned validation records move training values only by another offset and range, as the source does it."""
    panel = stays(60)
    clean = protocol(name).split(panel)
    is_validation = panel.records.isin(clean.records.validation)
    poisoned = protocol(name).split(
        stays(60, value=np.where(is_validation[panel.record], panel.value * 10, panel.value))
    )
    assert not np.array_equal(clean.scale, poisoned.scale)
    raw = [
        part.value * split.scale[part.channel] + split.offset[part.channel]
        for split in (clean, poisoned)
        for part in split.train
    ]
    np.testing.assert_allclose(raw[0], raw[2], rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(raw[1], raw[3], rtol=1e-4, atol=1e-3)
    assert clean.train[0].time.tobytes() == poisoned.train[0].time.tobytes()


def test_weight_at_admission():
    """Known weights count once though the reader gives them twice; an unknown one is averaged with a real one."""
    ids = pd.Index(range(5))
    static = pd.DataFrame(1.0, ids, STATICS)
    static["Weight"] = [80.0, np.nan, 80.0, np.nan, 80.0]
    panel = IrregularPanel(
        [0, 1, 2, 3, 3, 3],
        [0.0, 0.0, 0.0],
        [0, 0, 0],
        [80.0, 91.0, 85.0],  # the second was noted beside -1, the third is a mean with the descriptor in it
        records=ids,
        channels=["Weight"],
        static=static,
    )
    split = protocol(NAME).split(panel)
    weights = {}
    for X, _ in map(split.__getattribute__, PARTS):
        weight = X.channel == VARIABLES.index("Weight")
        raw = X.value * split.scale[X.channel] + split.offset[X.channel]
        weights |= dict(zip(X.records[X.record[weight]].tolist(), raw[weight].round(3).tolist(), strict=True))
    assert weights == {0: 80.0, 1: 45.0, 2: 85.0, 3: -1.0, 4: 80.0}


def test_constant_and_absent_variables():
    """A range of zero becomes 1e-8, as in the source; a variable never seen stays as it is."""
    n_records = 20
    panel = stays(n_records, channels=("HR", "Temp", "Weight"), value=np.full(20 * n_records, 37.0))
    split = protocol(NAME).split(panel)
    heart, lactate = VARIABLES.index("HR"), VARIABLES.index("Lactate")
    assert (split.offset[heart], split.scale[heart]) == (37.0, 1e-8)
    assert (split.offset[lactate], split.scale[lactate]) == (0.0, 1.0)
    assert (split.test[1].value[split.test[1].channel == heart] == 0).all()


def test_records_without_context_or_targets_stay():
    """They cannot change the score, and dropping them would move the split."""
    panel = stays(40, offsets=np.zeros(41), time=[], channel=[], value=[])
    split = protocol(NAME).split(panel)
    assert sum(len(getattr(split, part)[0]) for part in PARTS) == 40
    assert np.isnan(protocol(NAME).score(split.test[1], [])["mse"])


def test_score_is_the_macro_average():
    """Mean within each variable, then over variables with a target."""
    _, y = protocol(NAME).split(stays()).test
    y_hat = np.zeros(len(y.value))
    score = protocol(NAME).score(y, y.with_values(y_hat))
    assert score == {
        "mse": mean_squared_error(y, y_hat, average="channel"),
        "mae": mean_absolute_error(y, y_hat, average="channel"),
    }
    by_hand = [np.mean(np.abs(y.value[y.channel == c])) for c in np.unique(y.channel)]
    assert score["mae"] == pytest.approx(np.mean(by_hand))


@pytest.mark.parametrize("name", available_protocols())
def test_every_protocol_describes_itself(name):
    """Words with the source, and published numbers with theirs and a caution."""
    rules = protocol(name, **({"data_set": "HOD01"} if name == "physiome-ode" else {}))
    words, table = rules.describe(), rules.published()
    assert words.startswith(f"{name}: ")
    assert re.search(r"(ICML|ICLR|NeurIPS|AAAI) 20\d\d", words)
    assert all(
        f"\n{heading}" in words for heading in ("Source: ", "Data: ", "Split: ", "Task: ", "Score: ", "Traps\n- ")
    )
    assert not [line for line in words.splitlines() if line.startswith("   ")]
    assert {"mse", "mse_std", "mae", "mae_std", "source"} <= set(table.columns)
    assert table["source"].str.len().min() > 10
    assert table.select_dtypes("number").notna().any(axis=1).all()
    assert not table.index.has_duplicates
    assert len(table.attrs["caution"]) > 40


@pytest.mark.parametrize(
    ("name", "settings", "model", "column", "value"),
    [
        ("t-patchgnn/human-activity", {}, "GraFITi", "mae", 3.09e-2),
        ("t-patchgnn/ushcn", {}, "IMTS-Mixer", "mse", 0.491),
        ("grafiti/ushcn", {}, "CRU", "mse_std", 0.060),
        ("grafiti/ushcn", {}, "T-LSTM", "nll_std", 0.50),
        ("grafiti/physionet2012", {}, "LinODEnet", "mse", 0.299),
        ("pyomnits/physionet2012", {}, "APN", "mae", 0.365),
        ("pyomnits/human-activity", {}, "PrimeNet", "mse", 2.684),
        ("pyomnits/ushcn", {}, "TimeCHEAT + ReIMTS", "mse", 0.162),
        ("latent-ode/physionet2012-interpolation", {}, "ODE-RNN", "mse", 2.361e-3),
        ("latent-ode/physionet2012-extrapolation", {}, "RNN-VAE", "mse_std", 0.145e-3),
        ("latent-ode/physionet2012-mortality", {}, "GRU-D", "auroc", 0.818),
        ("physiome-ode", {"data_set": "WOL03"}, "LinODENet", "mse", 0.073),
        ("cru/pendulum", {}, "S5", "mse", 3.41e-3),
        ("contiformer/spirals", {}, "Latent ODE", "rmse", 2.09e-2),
    ],
)
def test_published_numbers(name, settings, model, column, value):
    """One of each table, in plain units."""
    assert protocol(name, **settings).published().loc[model, column] == pytest.approx(value)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("grafiti/physionet2012", {"rows": 12}),
        ("grafiti/ushcn", {"rows": 10}),
        ("pyomnits/physionet2012", {"rows": 12}),
        ("pyomnits/human-activity", {"horizon": 1000}),
        ("pyomnits/ushcn", {"rows": 10}),
        ("latent-ode/physionet2012-interpolation", {"observed": 0.5}),
        ("latent-ode/physionet2012-extrapolation", {"cut": "24h"}),
        ("physiome-ode", {"data_set": "none such"}),
    ],
)
def test_variants_that_nobody_published_have_no_table(name, settings):
    """A number of another task would be compared."""
    table = protocol(name, **settings).published()
    assert len(table) == 0
    assert table.attrs["caution"]


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        ("grafiti/ushcn", {"fold": 5}, "fold must be 0 to 4; got 5"),
        ("grafiti/ushcn", {"rows": 0}, "rows must be 1 or more; got 0"),
        ("grafiti/physionet2012", {"rows": -3}, "rows must be 1 or more; got -3"),
        ("grafiti/physionet2012", {"binning": "none"}, 'binning must be "source" or "complete"; got \'none\''),
        (
            "pyomnits/physionet2012",
            {"rows": 4},
            "36 h and 3 rows, 36 h and 12 rows, 24 h and 24 rows; got observe=36, rows=4",
        ),
        ("pyomnits/human-activity", {"horizon": 1500}, "horizon must be at most 1000 ms and more than 0; got 1500"),
        ("pyomnits/ushcn", {"rows": 0}, "rows must be 1 or more; got 0"),
        ("latent-ode/physionet2012-interpolation", {"observed": 0}, "more than 0 and at most 1; got 0"),
        ("latent-ode/physionet2012-extrapolation", {"cut": "half"}, 'cut must be "union" or "24h"; got \'half\''),
        ("physiome-ode", {"rows": "even"}, 'rows must be "odd" or "any"; got \'even\''),
        ("physiome-ode", {"fold": -1}, "fold is a seed, 0 or more; got -1"),
        ("cru/pendulum", {"n_train": 1}, "n_train must be 2 or more and n_test 1 or more; got 1 and 1000"),
    ],
)
def test_settings_that_make_no_sense(name, settings, text):
    """Refused when the protocol is made, not after an hour of fitting."""
    with pytest.raises(ValueError, match=re.escape(text)):
        protocol(name, **settings)


def test_published_data_are_not_generated():
    """Only protocols that say how their data are made make them."""
    with pytest.raises(ValueError, match=r"t-patchgnn/ushcn is about published data; .*read_sporadic_csv"):
        protocol("t-patchgnn/ushcn").generate()


def test_published_numbers_are_in_the_units_of_the_score():
    """Tables print MSE times 1e3 and MAE times 1e2; here they are plain."""
    best = protocol(NAME).published().loc["t-PatchGNN", ["mse", "mse_std", "mae", "mae_std"]]
    np.testing.assert_allclose(best.astype(float), [4.98e-3, 0.08e-3, 3.72e-2, 0.03e-2])


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"channels": ("HR", "Temp", "SpO2")},
            r"knows 41 variables of PhysioNet 2012; the panel has \['SpO2'\] besides",
        ),
        (
            {"static": None},
            r"needs the static features .*; the panel lacks \['Age', 'Gender', 'Height', 'ICUType', 'Weight'\]",
        ),
        ({"time_unit": "min"}, "needs times in hours; the panel's unit is 'min'"),
        ({"n_records": 4}, "needs 5 or more; got 4"),
    ],
)
def test_other_panels_are_refused(changes, text):
    """What is not this data set is named, with the remedy."""
    panel = stays(**({"units": {}} | changes))
    with pytest.raises(ValueError, match=text):
        protocol(NAME).split(panel)


def test_times_before_admission_are_refused():
    """The descriptors are events at time 0, so nothing may lie before."""
    panel = stays()
    with pytest.raises(ValueError, match="counts hours since admission; the panel has the time -1"):
        protocol(NAME).split(stays(time=panel.time - panel.time.min() - 1))


def test_unknown_protocol():
    """The nearest name is suggested, and the known names are listed."""
    with pytest.raises(
        ValueError,
        match=r"no protocol 'mtan/physionet' \(did you mean 'mtan/physionet2012'\?\); the known ones are contiformer/spirals, cru/pendulum, .*t-patchgnn/ushcn",
    ):
        protocol("mtan/physionet")


def test_set_a_has_the_sizes_of_the_source(physionet2012_folder, tmp_path):
    """The real set A: record and target counts, and the errors of two forecasts that need no model."""
    from cndts.datasets import read_physionet2012

    panel = read_physionet2012(physionet2012_folder / "set-a.tar.gz", cache=tmp_path)
    split = protocol(NAME).split(panel)
    assert [len(getattr(split, part)[0]) for part in PARTS] == [2400, 800, 800]
    assert [len(getattr(split, part)[1].value) for part in PARTS] == [467_115, 156_606, 156_248]
    X, y = split.test
    y_train = split.train[1]
    assert len(np.unique(y.channel)) == 37
    means = np.bincount(y_train.channel, y_train.value, 41) / np.maximum(np.bincount(y_train.channel, minlength=41), 1)
    last = np.full((len(X), 41), np.nan)
    last[X.record, X.channel] = X.value
    last = np.where(np.isnan(last), means, last)
    assert protocol(NAME).score(y, means[y.channel]) == pytest.approx({"mse": 14.109e-3, "mae": 6.783e-2}, rel=1e-3)
    assert protocol(NAME).score(y, last[y.record, y.channel]) == pytest.approx(
        {"mse": 6.99e-3, "mae": 4.164e-2}, rel=1e-2
    )


def test_the_page_names_every_protocol():
    """A protocol that the documentation leaves out would not be found."""
    page = (Path(__file__).parents[1] / "docs" / "protocols.rst").read_text(encoding="utf-8")
    assert [name for name in available_protocols() if f"``{name}``" not in page] == []
