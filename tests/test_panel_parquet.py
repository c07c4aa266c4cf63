"""A panel in one Parquet file, read back whole or mapped."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cndts import _panel_parquet
from cndts.panel import IrregularPanel

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


def rich_panel() -> IrregularPanel:
    """Everything that a panel can hold."""
    times = pd.DatetimeIndex(["2024-03-01", "2024-03-01 10:00:00.000001", "2024-04-02", "2024-03-31 02:00"])
    frame = pd.DataFrame(
        {
            "record": ["b", "b", "b", "a"],
            "time": times.tz_localize("America/New_York"),
            "channel": ["HR", "Temp", "HR", "Temp"],
            "value": [80.0, 36.9, None, 37.1],
        }
    )
    static = pd.DataFrame(
        {
            "age": [50, 61, 70],
            "sex": pd.Categorical(["f", None, "m"], categories=["x", "m", "f"], ordered=True),
            "unit.name": ["icu", None, "ward"],
            "seen": pd.to_datetime(["2024", "2023", None]),
            "weight": [None, 80.5, 70.0],
            5: [True, False, True],
        },
        index=["b", "a", "empty"],
    )
    return IrregularPanel.from_long(
        frame,
        channels=["Temp", "never", "HR"],
        static=static,
        outcomes=static[["age"]].rename(columns={"age": "died"}),
        units={"HR": "bpm", "Temp": "°C"},
        groups=["x", "yy", "x"],
    )


@pytest.mark.parametrize("memory_map", [False, True])
def test_everything_comes_back(tmp_path: Path, memory_map: bool):
    """Events, names, units, tables with their dtypes, clock, groups, queries."""
    panel = rich_panel()
    panel.to_parquet(tmp_path / "panel.parquet")
    back = IrregularPanel.from_parquet(tmp_path / "panel.parquet", memory_map=memory_map)
    assert back.equals(panel)
    pd.testing.assert_frame_equal(back.static, panel.static)
    assert back.origin.tz.tzname(None) == panel.origin.tz.tzname(None)
    assert back.to_long().equals(panel.to_long())
    assert back[::-1].where(back[::-1].channel == 0).n_events == 2


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lengths=st.lists(st.integers(0, 5), max_size=5),
    data=st.data(),
    compression=st.sampled_from(["none", "zstd"]),
    numbers=st.booleans(),
)
def test_round_trip_is_exact(tmp_path: Path, lengths: list[int], data, compression: str, numbers: bool):
    """Any events, in any compression; uncompressed files mapped as well."""
    n = sum(lengths)
    panel = IrregularPanel(
        np.concatenate([[0], np.cumsum(lengths)]).astype(int),
        np.concatenate(
            [np.sort(data.draw(hnp.arrays(float, k, elements=st.floats(-1e9, 1e9)))) for k in lengths] or [[]]
        ),
        data.draw(hnp.arrays(int, n, elements=st.integers(0, 2))),
        data.draw(hnp.arrays(np.float32, n, elements=st.floats(-9, 9, width=32))),
        records=None if numbers else [f"r{i}" for i in range(len(lengths))],
        channels="abc",
        time_unit=data.draw(st.sampled_from(["h", "step"])),
    )
    if data.draw(st.booleans()):
        panel = panel.with_queries(data.draw(st.lists(st.floats(-9, 9), max_size=3)))
    panel.to_parquet(tmp_path / "panel", compression=compression)
    assert IrregularPanel.from_parquet(tmp_path / "panel").equals(panel)
    if compression == "none":
        assert IrregularPanel.from_parquet(tmp_path / "panel", memory_map=True).equals(panel)


def large_panel() -> IrregularPanel:
    random = np.random.default_rng(0)
    offsets = np.sort(random.integers(0, 400_000, 1001))
    offsets[0], offsets[-1] = 0, 400_000
    time = np.concatenate([np.sort(random.random(n)) for n in np.diff(offsets)])
    return IrregularPanel(offsets, time, random.integers(0, 9, 400_000), random.random(400_000))


def test_mapped_events_stay_on_disk(tmp_path: Path):
    """The arrays are windows into the file: read-only, sliced without a copy, and changed only by the file."""
    panel = large_panel()
    path = tmp_path / "panel.parquet"
    panel.to_parquet(path)
    mapped = IrregularPanel.from_parquet(path, memory_map=True)
    assert mapped.equals(panel)
    assert np.shares_memory(mapped[10:20].value, mapped.value)
    with pytest.raises(ValueError, match="read-only"):
        mapped.value[:1] = 0
    # a byte of the last value, changed on disk, shows through the map
    with open(path, "r+b") as file:
        data = file.read()
        at = data.rindex(panel.value.tobytes()) + 4 * 399_999
        file.seek(at)
        file.write(np.float32(7).tobytes())
    assert mapped.value[-1] == 7


def test_mapped_panels_can_be_written(tmp_path: Path):
    """Numbers in a map may lie at odd addresses."""
    large_panel().to_parquet(tmp_path / "one")
    IrregularPanel.from_parquet(tmp_path / "one", memory_map=True).to_parquet(tmp_path / "two")
    assert IrregularPanel.from_parquet(tmp_path / "two").equals(large_panel())


def test_other_tools_read_the_file(tmp_path: Path):
    """One row per record with list columns."""
    rich_panel().to_parquet(tmp_path / "panel.parquet")
    table = pq.read_table(tmp_path / "panel.parquet")
    assert table["record"].to_pylist() == ["b", "a", "empty"]
    assert table["n_events"].to_pylist() == [2, 1, 0]
    assert table["value"].to_pylist()[1] == [np.float32(37.1)]
    assert table["static/age"].to_pylist() == [50, 61, 70]


def test_files_that_cannot_be_mapped(tmp_path: Path):
    """Compressed files, several pages or row groups: said, and readable otherwise."""
    path = tmp_path / "panel.parquet"
    panel = large_panel()
    panel.to_parquet(path, compression="zstd")
    with pytest.raises(ValueError, match=r"cannot be memory-mapped: column 'time' is compressed.*memory_map=False"):
        IrregularPanel.from_parquet(path, memory_map=True)
    table = pq.read_table(path)
    pq.write_table(table, path, compression="none", use_dictionary=False)
    with pytest.raises(ValueError, match="column 'time' has several pages"):
        IrregularPanel.from_parquet(path, memory_map=True)
    pq.write_table(table, path, compression="none", row_group_size=100)
    with pytest.raises(ValueError, match="it has several row groups"):
        IrregularPanel.from_parquet(path, memory_map=True)
    assert IrregularPanel.from_parquet(path).equals(panel)


def test_a_damaged_panel_is_checked(tmp_path: Path):
    """Values that another tool wrote into the file pass the same checks as any others."""
    path = tmp_path / "panel.parquet"
    panel = rich_panel().without_queries()
    panel.to_parquet(path)
    table = pq.read_table(path)
    broken = [[1.0, np.nan], [2.0], []]
    at = table.column_names.index("value")
    table = table.set_column(
        at, table.schema.field(at), pa.chunked_array([pa.array(broken, table.schema.field(at).type)])
    )
    pq.write_table(table, path)
    with pytest.raises(ValueError, match="record 'b', row 1 has the value nan"):
        IrregularPanel.from_parquet(path)


def test_other_files_are_refused(tmp_path: Path):
    """No file, no Parquet, no panel, a panel from the future."""
    path = tmp_path / "panel.parquet"
    with pytest.raises(FileNotFoundError, match="panel.parquet"):
        IrregularPanel.from_parquet(path)
    path.write_bytes(b"record,time,channel,value\n")
    with pytest.raises(ValueError, match="panel.parquet is no Parquet file"):
        IrregularPanel.from_parquet(path)
    pd.DataFrame({"a": [1]}).to_parquet(path)
    with pytest.raises(ValueError, match=r"holds no panel; read a table of events with IrregularPanel.from_long"):
        IrregularPanel.from_parquet(path)
    table = pa.table({"a": [1]}).replace_schema_metadata({b"cndts.panel": b'{"version": 99}'})
    pq.write_table(table, path)
    with pytest.raises(ValueError, match="has panel version 99, and this cndts reads up to 1"):
        IrregularPanel.from_parquet(path)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch):
    """Whole or not at all, and no litter."""
    path = tmp_path / "panel.parquet"
    rich_panel().to_parquet(path)
    before = path.read_bytes()

    def fail(*args, **kwargs):
        Path(args[1]).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        rich_panel().to_parquet(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["panel.parquet"]


def test_what_parquet_cannot_hold(tmp_path: Path):
    """Ids of mixed type are named instead of turned into text."""
    panel = IrregularPanel([0, 0, 0], [], [], [], records=pd.Index([1, "a"], dtype=object))
    with pytest.raises(TypeError, match="the records cannot be written to Parquet.*Give each column one type"):
        panel.to_parquet(tmp_path / "panel")
    assert os.listdir(tmp_path) == []


def test_pyarrow_is_asked_for(monkeypatch):
    """Without pyarrow the error names the extra."""
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r'pip install "cndts\[arrow\]"'):
        _panel_parquet._pyarrow()


@pytest.mark.parametrize("name", ["nowhere.parquet", "."])
def test_what_is_no_file_is_refused(tmp_path, name):
    with pytest.raises(
        FileNotFoundError, match=r"there is no file .*; write panels with to_parquet\(\), and open folders"
    ):
        IrregularPanel.from_parquet(tmp_path / name)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    """And not the unfinished file, whose name says nothing to anybody."""
    panel = IrregularPanel.from_long({"record": [0], "time": [0.0], "channel": ["a"], "value": [1.0]})
    with pytest.raises(
        FileNotFoundError, match=r"there is no folder '.*nowhere' to write 'x.parquet' to; make it first"
    ):
        panel.to_parquet(tmp_path / "nowhere" / "x.parquet")
