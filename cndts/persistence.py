"""Models in one safetensors file with a JSON header: written whole or not at all, never unpickled."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from cndts._whole_file import whole_file

FORMAT_VERSION = 3
_KEY = "cndts"


def write_model(path: str | os.PathLike[str], kind: str, config: dict[str, Any], tensors: dict[str, Tensor]) -> None:
    """Write a model file, replacing an older one only when the new one is complete.

    Parameters
    ----------
    path : path-like
        Where to write.
    kind : str
        Class name that `read_model` will ask for.
    config : dict
        Anything that JSON can hold; numpy scalars become plain numbers.
    tensors : dict of str to Tensor
        Weights and arrays.
    """
    header = json.dumps({"format": FORMAT_VERSION, "kind": kind, "config": config}, default=_plain)
    content = to_bytes({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, {_KEY: header})
    with whole_file(path) as unfinished:
        unfinished.write_bytes(content)


def read_model(path: str | os.PathLike[str], kind: str | None = None) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what `write_model` wrote.

    Parameters
    ----------
    path : path-like
        The file.
    kind : str, optional
        Class name that the file must hold; any by default, and then ``config["kind"]`` says which it is.

    Returns
    -------
    config : dict
        As given to `write_model`.
    tensors : dict of str to Tensor
        On the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is not a model file, holds another class, or was written by an earlier or newer version.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f"no model file at {str(path)!r}; write one with model.save(path).")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            header = json.loads((file.metadata() or {}).get(_KEY, "null"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, json.JSONDecodeError) as error:
        raise ValueError(f"{str(path)!r} is not a model file of cndts, or is damaged: {error}.") from error
    if header is None:
        raise ValueError(f"{str(path)!r} is a safetensors file, but not a model of cndts; load it with safetensors.")
    if header["format"] > FORMAT_VERSION:
        raise ValueError(
            f"{str(path)!r} has format {header['format']}; this version of cndts reads up to {FORMAT_VERSION}. Update cndts."
        )
    if header["format"] < FORMAT_VERSION:
        raise ValueError(
            f"{str(path)!r} has format {header['format']}, of an earlier version of cndts; this one reads format {FORMAT_VERSION}. "
            f"Fit and save the {header['kind']} again."
        )
    if kind is None:
        return header["config"] | {"kind": header["kind"]}, tensors
    if header["kind"] != kind:
        raise ValueError(
            f"{str(path)!r} holds a {header['kind']}; load it with {header['kind']}.load, not {kind}.load."
        )
    return header["config"], tensors


def _plain(value: object) -> object:
    """A search over a numpy range leaves numpy scalars in the parameters, which JSON does not know."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a model file cannot hold a parameter of type {type(value).__name__}: {value!r}.")


def prefixed(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Tensors under a common prefix, for `write_model`."""
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def without_prefix(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that carry a prefix, without it."""
    start = f"{prefix}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}


def as_tensor(values: Any) -> Tensor:
    """An array as a float64 tensor, for `write_model`."""
    return torch.as_tensor(values, dtype=torch.float64).clone()
