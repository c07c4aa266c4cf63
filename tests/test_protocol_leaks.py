"""Poisoned test records: what a protocol says must not change does not, and what its source leaks is said and bounded."""

import numpy as np
import pytest

from cndts import protocol

# name, settings, panel: nothing of training, validation and scale may change
TIGHT = [
    ("t-patchgnn/physionet2012", {}, "stays"),
    ("mtan/physionet2012", {"scale": "seen"}, "stays"),
    ("t-patchgnn/human-activity", {}, "recordings"),
    ("pyomnits/human-activity", {}, "recordings"),
    ("t-patchgnn/ushcn", {}, "sporadic"),
    ("grafiti/ushcn", {"fold": 2}, "sporadic"),
    ("pyomnits/ushcn", {}, "sporadic"),
]
# the source scales by all records: training may change by offset and factor of each channel, and by nothing else
SCALED_BY_ALL = [
    ("mtan/physionet2012", {}, "stays", 3.0),
    ("latent-ode/physionet2012-interpolation", {}, "stays", 3.0),
    ("latent-ode/physionet2012-extrapolation", {}, "stays", 3.0),
    ("latent-ode/physionet2012-mortality", {}, "stays", 3.0),
    ("grafiti/physionet2012", {}, "stays", 1.02),
    ("pyomnits/physionet2012", {}, "stays", 1.02),
    ("physiome-ode", {}, "trajectories", 1.01),
]


def same_bytes(before, after):
    for one, other in zip(before, after, strict=True):
        for field in ("offsets", "time", "channel", "value"):
            assert getattr(one, field).tobytes() == getattr(other, field).tobytes()


def test_all_protocols_are_tested_for_leaks():
    """A new protocol has to say which kind it is."""
    from cndts.protocols import available_protocols

    tested = {name for name, *_ in [*TIGHT, *SCALED_BY_ALL]} | {"contiformer/spirals", "cru/pendulum"}
    assert tested == set(available_protocols())


@pytest.mark.parametrize(("name", "settings", "make"), TIGHT, ids=[entry[0] for entry in TIGHT])
def test_nothing_of_the_test_records_reaches_training(panels, name, settings, make):
    """Not one bit of context, targets, scale or parts; test targets do change."""
    panel, rules = getattr(panels, make)(), protocol(name, **settings)
    clean = rules.split(panel)
    sources = sources_of(clean.records.test, panel)
    value = np.where(sources[panel.record], panel.value * -1e3 + 7, panel.value)
    poisoned = rules.split(panels.with_value(panel, value))
    same_bytes(clean.train, poisoned.train)
    same_bytes(clean.validation, poisoned.validation)
    assert clean.offset.tobytes() == poisoned.offset.tobytes()
    assert clean.scale.tobytes() == poisoned.scale.tobytes()
    assert clean.records.train.equals(poisoned.records.train)
    assert not np.array_equal(clean.test[1].value, poisoned.test[1].value)


@pytest.mark.parametrize(("name", "settings", "make", "factor"), SCALED_BY_ALL, ids=[e[0] for e in SCALED_BY_ALL])
def test_scales_over_all_records_change_units_alone(panels, name, settings, make, factor):
    """As published, and as the description says: undone, the training values are what they were."""
    panel, rules = getattr(panels, make)(), protocol(name, **settings)
    clean = rules.split(panel)
    sources = sources_of(clean.records.test, panel)
    value = np.where(sources[panel.record], panel.value * factor, panel.value)
    poisoned = rules.split(panels.with_value(panel, value))
    assert not np.array_equal(clean.scale, poisoned.scale)
    assert "test included" in rules.describe() or "use the test records" in rules.describe()
    for before, after in zip(clean.train, poisoned.train, strict=True):
        for field in ("offsets", "time", "channel"):
            assert getattr(before, field).tobytes() == getattr(after, field).tobytes()
        # Physiome-ODE adds its noise to deviations, so that it is undone with another factor
        atol = 5e-3 if name == "physiome-ode" else 1e-3
        np.testing.assert_allclose(undone(clean, before), undone(poisoned, after), rtol=2e-4, atol=atol)


def test_hourly_extremes_are_removed_from_test_targets_too(panels):
    """Beyond five deviations nothing is scored, whoever it belongs to; the description says so."""
    panel, rules = panels.stays(), protocol("grafiti/physionet2012")
    clean = rules.split(panel)
    is_test = panel.records.isin(clean.records.test)[panel.record]
    poisoned = rules.split(panels.with_value(panel, np.where(is_test & (panel.time > 37), 1e9, panel.value)))
    assert len(poisoned.test[1].value) < len(clean.test[1].value)
    assert "removes test targets as well" in " ".join(rules.describe().split())


def test_preparing_weather_uses_all_stations_for_the_unit_alone(panels):
    """From daily values: other draws do not follow from other values, z-scores do, by offset and factor."""
    panel, rules = panels.daily(16), protocol("grafiti/ushcn")
    clean = rules.split(panel)
    is_test = panel.records.isin(clean.records.test)[panel.record]
    poisoned = rules.split(panels.with_value(panel, np.where(is_test, panel.value * 5, panel.value)))
    for before, after in zip(clean.train, poisoned.train, strict=True):
        assert before.time.tobytes() == after.time.tobytes()
        assert before.channel.tobytes() == after.channel.tobytes()
        for channel in range(5):
            mine = before.channel == channel
            if mine.sum() > 2:
                line = np.polyfit(before.value[mine], after.value[mine], 1)
                np.testing.assert_allclose(np.polyval(line, before.value[mine]), after.value[mine], atol=1e-3)
                assert line[0] < 0.999
    assert "test included" in rules.describe()


def test_pendulums_and_spirals(panels):
    """Pendulums are not scaled; spirals are scaled by all clean curves, noise and points do not depend on values."""
    rules = protocol("cru/pendulum", n_train=5, n_test=2)
    panel = rules.generate()
    clean = rules.split(panel)
    is_test = panel.record >= 5
    poisoned = rules.split(panels.with_value(panel, np.where(is_test, 1 - panel.value, panel.value)))
    same_bytes(clean.train, poisoned.train)
    same_bytes(clean.validation, poisoned.validation)

    rules = protocol("contiformer/spirals")
    panel = rules.generate()
    clean = rules.split(panel)
    poisoned = rules.split(panels.with_value(panel, np.where(panel.record >= 200, panel.value * 2, panel.value)))
    for before, after in zip(clean.train, poisoned.train, strict=True):
        assert before.time.tobytes() == after.time.tobytes()
        np.testing.assert_allclose(undone(clean, before), undone(poisoned, after), atol=1e-4)
    assert not np.array_equal(clean.scale, poisoned.scale)
    assert "test included" in rules.describe()


def undone(split, part):
    """Values in the units of the source."""
    return part.value * split.scale[part.channel] + split.offset[part.channel]


def sources_of(test_records, panel):
    """Which records of the panel the test records, or chunks, come from."""
    names = {str(record).split(" from ")[0] for record in test_records}
    return panel.records.astype(str).isin(names)
