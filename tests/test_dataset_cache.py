"""The cache of readers: checked, atomic, safe to delete."""

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cndts.datasets._cache import ArrayCache, cache_folder

ARRAYS = {
    "time": np.arange(50, dtype=np.int32),
    "value": np.linspace(0, 1, 50, dtype=np.float32),
    "nothing": np.zeros((0, 5)),
    "table": np.arange(6.0).reshape(3, 2),
}
HEADER = {"n_rows": 50, "names": ["a", "b"], "counts": {"HR": 3}}


def assert_same(loaded):
    arrays, header = loaded
    assert header == HEADER
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    cache = ArrayCache(tmp_path_factory.mktemp("stored"))
    cache.store("key", ARRAYS, HEADER)
    return cache.path("key").read_bytes()


def test_what_was_stored_comes_back(tmp_path):
    cache = ArrayCache(tmp_path / "new" / "folder")

    assert cache.load("key") is None
    cache.store("key", ARRAYS, HEADER)
    assert_same(cache.load("key"))
    assert [file.name for file in cache.folder.iterdir()] == ["key.npz"]


@given(position=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_never_changes_what_comes_back(stored, tmp_path_factory, position, bit):
    cache = ArrayCache(tmp_path_factory.mktemp("flip"))
    content = bytearray(stored)
    content[int(position * len(content))] ^= 1 << bit
    cache.path("key").write_bytes(content)

    loaded = cache.load("key")
    if loaded is not None:
        assert_same(loaded)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_cut_file_counts_as_absent(stored, tmp_path, share):
    cache = ArrayCache(tmp_path)
    cache.path("key").write_bytes(stored[: int(share * len(stored))])

    assert cache.load("key") is None


def test_a_file_of_another_key_counts_as_absent(stored, tmp_path):
    """A renamed file does not stand in for another source."""
    cache = ArrayCache(tmp_path)
    cache.path("other").write_bytes(stored)

    assert cache.load("other") is None


def test_changed_arrays_under_an_old_checksum_count_as_absent(stored, tmp_path):
    """The checksum inside is what counts, not only that of the zip container."""
    cache = ArrayCache(tmp_path)
    cache.path("key").write_bytes(stored)
    with np.load(cache.path("key")) as file:
        arrays = dict(file)
    arrays["value"] = arrays["value"] + 1
    np.savez(cache.path("key"), **arrays)

    assert cache.load("key") is None


def test_nothing_is_pickled(tmp_path):
    cache = ArrayCache(tmp_path)

    with pytest.raises(TypeError, match="only plain numbers can be cached; 'x' holds Python objects"):
        cache.store("key", {"x": np.array([object()])}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_only_logged(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    ArrayCache(blocked).store("key", ARRAYS, HEADER)
    assert "cannot keep read data in" in caplog.text


def test_concurrent_writers_and_readers_see_whole_files(tmp_path):
    cache = ArrayCache(tmp_path)
    cache.store("key", ARRAYS, HEADER)
    wrong = []

    def work():
        for _ in range(20):
            cache.store("key", ARRAYS, HEADER)
            if cache.load("key") is None:
                wrong.append("absent or torn")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert [file.name for file in tmp_path.iterdir()] == ["key.npz"]


def test_where_the_cache_lies(tmp_path, monkeypatch):
    monkeypatch.setenv("CNDTS_CACHE", str(tmp_path))
    assert cache_folder(True) == tmp_path
    assert cache_folder(tmp_path / "x") == tmp_path / "x"
    assert cache_folder(False) is None

    monkeypatch.delenv("CNDTS_CACHE")
    assert cache_folder(True).name == "cndts"
