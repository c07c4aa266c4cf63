"""Model files: what is in them, how they fail, and that none is ever half written."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from cndts import persistence
from cndts.persistence import as_tensor, prefixed, read_model, without_prefix, write_model

CONFIG = {"params": {"width": 8, "rate": 0.5, "memory": None}, "channels": ["a", "b"], "scale": float("nan")}


def tensors() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {"net.a": torch.randn(3, 4, generator=generator), "net.b": torch.arange(5), "mean": as_tensor([1.0, np.pi])}


def test_round_trip(tmp_path: Path) -> None:
    """Config and tensors come back bit by bit, whatever the layout in memory."""
    path = tmp_path / "model.cndts"
    given = tensors() | {"turned": torch.randn(3, 4).T}
    write_model(path, "Model", CONFIG, given)
    config, found = read_model(path, "Model")
    assert {**config, "scale": None} == {**CONFIG, "scale": None}
    assert np.isnan(config["scale"])
    assert found.keys() == given.keys()
    for name, tensor in given.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


def test_file_is_plain_data(tmp_path: Path) -> None:
    """Length of a JSON header, the header, and numbers: every byte is accounted for, none can be code."""
    path = tmp_path / "model.cndts"
    write_model(path, "Model", CONFIG, tensors())
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    about = json.loads(header.pop("__metadata__")["cndts"])
    assert (about["format"], about["kind"]) == (persistence.FORMAT_VERSION, "Model")
    assert max(entry["data_offsets"][1] for entry in header.values()) == len(content) - 8 - length
    assert sum(np.diff(entry["data_offsets"])[0] for entry in header.values()) == len(content) - 8 - length
    with safe_open(path, framework="np") as file:
        assert set(file.keys()) == {"net.a", "net.b", "mean"}


def test_numpy_scalars_become_numbers(tmp_path: Path) -> None:
    """A parameter search leaves numpy scalars; other objects are refused before a file is touched."""
    path = tmp_path / "model.cndts"
    write_model(path, "Model", {"width": np.int64(8), "rate": np.float32(0.5), "on": np.bool_(True)}, {})
    assert read_model(path, "Model")[0] == {"width": 8, "rate": 0.5, "on": True}
    before = path.read_bytes()
    with pytest.raises(TypeError, match="cannot hold a parameter of type complex: "):
        write_model(path, "Model", {"rate": 1j}, {})
    assert path.read_bytes() == before


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    """Whoever may read what the user writes may read the model."""
    write_model(tmp_path / "model.cndts", "Model", {}, {})
    (tmp_path / "plain").write_bytes(b"")
    assert (tmp_path / "model.cndts").stat().st_mode == (tmp_path / "plain").stat().st_mode


def broken_replace(source: object, target: object) -> None:
    raise KeyboardInterrupt


def broken_write(path: Path, content: bytes) -> int:
    with open(path, "wb") as file:
        file.write(content[: len(content) // 2])
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("owner", "name", "broken", "error"),
    [(os, "replace", broken_replace, KeyboardInterrupt), (Path, "write_bytes", broken_write, OSError)],
)
def test_an_interrupted_save_keeps_the_old_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    owner: object,
    name: str,
    broken: object,
    error: type[BaseException],
) -> None:
    """Nothing changes, and nothing is left lying about, unless the new file is complete."""
    path = tmp_path / "model.cndts"
    write_model(path, "Model", {"version": 1}, tensors())
    monkeypatch.setattr(owner, name, broken)
    with pytest.raises(error):
        write_model(path, "Model", {"version": 2}, tensors())
    monkeypatch.undo()
    assert read_model(path, "Model")[0] == {"version": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.cndts"]


def test_missing_file(tmp_path: Path) -> None:
    """The path is named, with what writes such a file; a folder is no file."""
    with pytest.raises(
        FileNotFoundError, match=r"no model file at '.*nothing.cndts'; write one with model.save\(path\)"
    ):
        read_model(tmp_path / "nothing.cndts", "Model")
    with pytest.raises(FileNotFoundError, match="no model file at"):
        read_model(tmp_path, "Model")


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.999])
def test_truncated_file(tmp_path: Path, share: float) -> None:
    """A file cut anywhere is refused as damaged."""
    path = tmp_path / "model.cndts"
    write_model(path, "Model", CONFIG, tensors())
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match="'.*model.cndts' is not a model file of cndts, or is damaged: "):
        read_model(path, "Model")


@pytest.mark.parametrize(
    "content", [b"\x80\x04K\x01.", b"time,channel,value\n1,a,2\n" * 20, b"PK\x03\x04" + b"\0" * 100]
)
def test_other_files(tmp_path: Path, content: bytes) -> None:
    """A pickle, a table or an archive is refused without being run or read further."""
    path = tmp_path / "model.cndts"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="is not a model file of cndts, or is damaged"):
        read_model(path, "Model")


def test_other_safetensors(tmp_path: Path) -> None:
    """Somebody else's weights are told apart from damage."""
    path = tmp_path / "weights.safetensors"
    for metadata in (None, {"format": "pt"}):
        save_file({"a": torch.zeros(2)}, path, metadata)
        with pytest.raises(
            ValueError, match="is a safetensors file, but not a model of cndts; load it with safetensors"
        ):
            read_model(path, "Model")


def test_other_kind(tmp_path: Path) -> None:
    """A model of another class says which class can load it."""
    path = tmp_path / "model.cndts"
    write_model(path, "Classifier", {}, {})
    with pytest.raises(ValueError, match="holds a Classifier; load it with Classifier.load, not Forecaster.load"):
        read_model(path, "Forecaster")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (99, f"has format 99; this version of cndts reads up to {persistence.FORMAT_VERSION}. Update cndts"),
        (2, "has format 2, of an earlier version of cndts; this one reads format .*. Fit and save the Model again"),
    ],
)
def test_other_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int, text: str) -> None:
    """A file from the future asks for an update, one from the past to be written again."""
    path = tmp_path / "model.cndts"
    with monkeypatch.context() as other:
        other.setattr(persistence, "FORMAT_VERSION", written)
        write_model(path, "Model", {}, {})
    with pytest.raises(ValueError, match=text):
        read_model(path, "Model")


def test_prefixes() -> None:
    """Parts of a model share a file without mixing their names."""
    named = prefixed("net", {"a": torch.zeros(1), "b.c": torch.ones(1)}) | {
        "network": torch.ones(2),
        "net": torch.ones(3),
    }
    assert set(named) == {"net.a", "net.b.c", "network", "net"}
    assert set(without_prefix("net", named)) == {"a", "b.c"}
