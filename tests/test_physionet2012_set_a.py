"""Set a of PhysioNet 2012 as published: its known counts, and agreement with a plain row-by-row reading."""

import tarfile

import numpy as np
import pytest

from cndts.datasets import read_physionet2012
from cndts.datasets._physionet2012_format import CHANNELS


@pytest.fixture(scope="module")
def set_a(physionet2012_folder):
    return read_physionet2012(
        physionet2012_folder / "set-a.tar.gz",
        physionet2012_folder / "Outcomes-a.txt",
        cache=False,
        return_report=True,
    )


def test_set_a_has_the_published_counts(set_a):
    panel, report = set_a

    assert len(panel) == 4000
    assert report.n_rows == 1_757_980
    assert report.empty_records == (140501, 140936, 141264)
    assert sum(report.repeated.values()) == report.n_merged == 3744
    assert report.unknown_descriptors == {"Gender": 3, "Height": 1894, "Weight": 326}
    assert report.missing_codes == {"Weight": 326}
    assert report.n_unforeseen == 0
    assert panel.outcomes["In-hospital_death"].sum() == 554
    assert panel.records.is_monotonic_increasing
    assert set(np.unique(panel.channel)) == set(range(37))
    assert panel.time.max() == 48.0
    assert report.n_rows == report.n_observations + report.n_merged + report.n_descriptors + report.n_left_out
    assert report.n_observations == panel.n_events


def test_set_a_agrees_with_a_plain_reading(set_a, physionet2012_folder):
    """Every hundredth record, row by row."""
    panel, _ = set_a
    with tarfile.open(physionet2012_folder / "set-a.tar.gz") as archive:
        for position, member in enumerate(archive):
            if position % 100 == 0:
                one = panel[int(panel.records.get_loc(int(member.name[-10:-4])))]
                got = dict(zip(zip(one.time.tolist(), one.channel.tolist(), strict=True), one.value, strict=True))
                assert got == _plain(archive.extractfile(member).read().decode())


def _plain(text):
    values = {}
    for line in text.splitlines()[1:]:
        time, name, value = line.split(",")
        if name in CHANNELS and float(value) != -1:
            key = int(time[:2]) + int(time[3:]) / 60, CHANNELS.index(name)
            values.setdefault(key, []).append(float(value))
    return {key: np.float32(np.mean(each)) for key, each in values.items()}


def test_set_a_comes_back_from_the_cache(set_a, physionet2012_folder, tmp_path):
    for again in (False, True):
        panel, report = read_physionet2012(physionet2012_folder / "set-a.tar.gz", cache=tmp_path, return_report=True)
        assert report.from_cache == again
        np.testing.assert_array_equal(panel.value, set_a[0].value)
        np.testing.assert_array_equal(panel.time, set_a[0].time)
        np.testing.assert_array_equal(panel.offsets, set_a[0].offsets)
