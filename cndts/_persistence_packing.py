"""Python values as JSON and tensors, and back; classes come from a closed list."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# An object with this key is no plain dict: the key says what it is.
TAG = "!"
_STORABLE = {"bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"}


class StoredClass(NamedTuple):
    """How objects of a class are taken apart and put together again.

    Parameters
    ----------
    kind : type
        The class; its subclasses are not meant.
    take : callable
        From an object to a dict of values that can be packed.
    make : callable
        From such a dict to an object.
    """

    kind: type
    take: Callable[[Any], dict[str, Any]]
    make: Callable[[dict[str, Any]], Any]


def by_fields(kind: type) -> StoredClass:
    """A dataclass, by what its constructor takes."""
    names = [field.name for field in fields(kind)]
    return StoredClass(kind, lambda value: {name: getattr(value, name) for name in names}, lambda part: kind(**part))


def by_parameters(kind: type) -> StoredClass:
    """Settings of scikit-learn's kind, by their parameters."""
    return StoredClass(kind, lambda value: value.get_params(deep=False), lambda part: kind(**part))


def by_attributes(kind: type) -> StoredClass:
    """An object without any secrets, by its attributes."""

    def make(part: dict[str, Any]) -> Any:
        value: Any = object.__new__(kind)
        vars(value).update(part)
        return value

    return StoredClass(kind, lambda value: dict(vars(value)), make)


class Packer:
    """Turns values into JSON, with arrays beside it.

    Parameters
    ----------
    classes : mapping of str to StoredClass
        What may be stored beside numbers, texts, lists, tuples, dicts, arrays and tensors.

    Attributes
    ----------
    tensors : dict of str to Tensor
        The arrays so far, named after where they were found.

    Examples
    --------
    >>> packer = Packer({})
    >>> tree = packer.pack({"levels": (0.1, 0.9), "table": np.zeros(2)}, "model")
    >>> tree["levels"], packer.tensors["model.table"].tolist()
    ({'!': 'tuple', 'of': [0.1, 0.9]}, [0.0, 0.0])
    >>> Unpacker({}, packer.tensors).unpack(tree, "model")
    {'levels': (0.1, 0.9), 'table': array([0., 0.])}
    """

    def __init__(self, classes: Mapping[str, StoredClass]) -> None:
        self.names = {known.kind: name for name, known in classes.items()}
        self.classes = classes
        self.tensors: dict[str, Tensor] = {}

    def pack(self, value: Any, place: str) -> Any:
        """JSON for a value that was found at ``place``, such as ``"model.scaling_"``.

        Raises
        ------
        TypeError
            If the value, or one inside it, is of a kind that a file cannot hold.
        """
        if value is None or type(value) in (bool, int, float, str):
            return value
        if isinstance(value, np.generic):
            return self.pack(value.item(), place)
        if isinstance(value, (np.ndarray, Tensor)):
            return self._array(value, place)
        if type(value) in (list, tuple):
            inside = [self.pack(part, f"{place}.{k}") for k, part in enumerate(value)]
            return inside if type(value) is list else {TAG: "tuple", "of": inside}
        if type(value) is dict:
            return self._dict(value, place)
        if type(value) not in self.names:
            raise TypeError(
                f"a model file cannot hold {place}: a parameter or attribute of type {type(value).__name__}, {value!r:.60}. "
                "It holds numbers, texts, arrays and classes of cndts; see 'Saving and loading' in the documentation."
            )
        name = self.names[type(value)]
        return {TAG: "object", "class": name, "of": self._dict(self.classes[name].take(value), place)}

    def _dict(self, value: dict[Any, Any], place: str) -> Any:
        if all(type(key) is str for key in value) and TAG not in value:
            return {key: self.pack(part, f"{place}.{key}") for key, part in value.items()}
        pairs = [[self.pack(key, place), self.pack(part, f"{place}.{key}")] for key, part in value.items()]
        return {TAG: "dict", "of": pairs}

    def _array(self, value: NDArray | Tensor, place: str) -> Any:
        if isinstance(value, Tensor):
            self.tensors[place] = value.detach().cpu().clone()
            return {TAG: "tensor", "at": place}
        if value.dtype.kind in "OUT":
            inside = [self.pack(part, place) for part in value.flat]
            return {TAG: "objects", "shape": list(value.shape), "text": value.dtype.kind == "U", "of": inside}
        if value.dtype.name not in _STORABLE:
            raise TypeError(f"a model file cannot hold {place}: an array of type {value.dtype}.")
        self.tensors[place] = torch.from_numpy(np.array(value, order="C"))
        return {TAG: "array", "at": place}


class Unpacker:
    """Turns JSON and tensors back into values.

    Parameters
    ----------
    classes : mapping of str to StoredClass
        What may be made.
    tensors : dict of str to Tensor
        The arrays.
    """

    def __init__(self, classes: Mapping[str, StoredClass], tensors: Mapping[str, Tensor]) -> None:
        self.classes, self.tensors = classes, tensors

    def unpack(self, tree: Any, place: str) -> Any:
        """The value that a tree stands for.

        Raises
        ------
        ValueError
            If the tree asks for a class that is not known, or is no tree of a `Packer`.
        """
        if isinstance(tree, list):
            return [self.unpack(part, f"{place}.{k}") for k, part in enumerate(tree)]
        if not isinstance(tree, dict):
            return tree
        if TAG not in tree:
            return {key: self.unpack(part, f"{place}.{key}") for key, part in tree.items()}
        made = {
            "tuple": self._tuple,
            "dict": self._pairs,
            "array": self._array,
            "tensor": self._tensor,
            "objects": self._objects,
            "object": self._object,
        }.get(tree[TAG])
        if made is None:
            raise ValueError(
                f"{place} is of a kind that this version of cndts does not know: {tree[TAG]!r}. Update cndts."
            )
        try:
            return made(tree, place)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{place} is damaged, or of another version of cndts: {error}.") from error

    def _tuple(self, tree: dict, place: str) -> tuple:
        return tuple(self.unpack(tree["of"], place))

    def _pairs(self, tree: dict, place: str) -> dict:
        return {self.unpack(key, place): self.unpack(part, f"{place}.{key}") for key, part in tree["of"]}

    def _array(self, tree: dict, place: str) -> NDArray:
        return self.tensors[tree["at"]].numpy()

    def _tensor(self, tree: dict, place: str) -> Tensor:
        return self.tensors[tree["at"]]

    def _objects(self, tree: dict, place: str) -> NDArray:
        flat = np.empty(len(tree["of"]), dtype=object)
        flat[:] = self.unpack(tree["of"], place)
        return (flat.astype(str) if tree["text"] else flat).reshape(tree["shape"])

    def _object(self, tree: dict, place: str) -> Any:
        if tree["class"] not in self.classes:
            raise ValueError(
                f"{place} is a {tree['class']!r}, which this version of cndts does not load; it knows "
                f"{', '.join(sorted(self.classes))}."
            )
        return self.classes[tree["class"]].make(self.unpack(tree["of"], place))
