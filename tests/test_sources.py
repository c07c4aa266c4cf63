"""What readers say of a path that is none, and of files of another kind."""

import pytest

from cndts.datasets import make_icu, read_air_quality, read_batteryless, read_physionet2012, read_ticks

READERS = pytest.mark.parametrize("read", [read_air_quality, read_batteryless, read_physionet2012, read_ticks])


@READERS
@pytest.mark.parametrize(
    ("given", "got"), [(make_icu(1), "IrregularPanel"), (["a.csv", make_icu(1)], "IrregularPanel"), (3, "3")]
)
def test_what_is_no_path_is_named_by_its_kind(read, given, got):
    """The repr of a panel has seven lines."""
    with pytest.raises(TypeError, match=rf"path must be a path or a list of paths; got {got}\.$"):
        read(given)


def test_nothing_is_no_path():
    with pytest.raises(TypeError, match="list of paths; got None"):
        read_physionet2012(None)


@READERS
def test_an_empty_path_is_not_the_working_folder(read):
    with pytest.raises(ValueError, match="got an empty path for path; give a file, folder or archive"):
        read("")
    with pytest.raises(ValueError, match="got an empty list for path"):
        read([])


def test_archives_are_spoken_of_where_there_are_some(tmp_path):
    for name in "abcd":
        (tmp_path / f"{name}.csv").touch()
    with pytest.raises(ValueError, match=r"and 1 more file; check path and reader\.$"):
        read_batteryless(tmp_path)
    (tmp_path / "S1.zip").touch()
    with pytest.raises(
        ValueError, match=r"and 2 more files; archives in a folder are not opened, pass them directly\.$"
    ):
        read_batteryless(tmp_path)


def test_a_file_with_another_name_than_those_that_are_read(tmp_path):
    (tmp_path / "table.txt").write_text("Date;Time")
    with pytest.raises(ValueError, match=r"table.txt is neither .* nor named like the files that are read here; give"):
        read_air_quality(tmp_path / "table.txt")
