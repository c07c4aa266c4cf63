"""States and files of estimators around an ensemble of networks."""

import copy
from abc import abstractmethod
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from torch import nn

from cndts._parameters import left_out
from cndts._storable import Storable
from cndts.estimators._nested_settings import NestedSettings


class StoredNetwork(Storable, NestedSettings):
    """Keeps ``network_`` by its weights, and all settings by their values.

    The same state goes into files of cndts, into pickles and to skops: arrays and settings, from which the networks are
    built again. A subclass lists in ``_left_open`` the settings objects whose None it interprets itself.
    """

    _left_open: ClassVar[tuple[str, ...]] = ()

    device: str
    _built_with: dict[str, Any]

    @abstractmethod
    def _new_ensemble(self) -> nn.Module:
        """Networks of the kind that was fitted, with weights of any kind."""

    def _keep_network(self, network: nn.Module) -> None:
        """Take over a fitted network, and remember its settings: parameters may be set to others before the next fit."""
        self.network_: Any = network.eval()
        self._built_with = clone(self)._stored_parameters()

    def _drop_network(self) -> None:
        """Part with the network of an earlier fit, which need not suit what is being fitted."""
        self.__dict__.pop("network_", None)

    # ---- states --------------------------------------------------------------------------------

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Copy networks as they are: in one process nothing has to be built again."""
        copied = memo[id(self)] = object.__new__(type(self))
        copied.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return copied

    def __getstate__(self) -> dict[str, Any]:
        """Plain arrays in place of networks, for pickle and joblib, and for skops, which takes no torch apart."""
        return self._with_weights(super().__getstate__())

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Build the networks again, on the device they were on."""
        super().__setstate__({name: part for name, part in state.items() if name != "network_"})
        if "network_" in state:
            self.network_ = self._built_again(state["network_"]).to(self.device)

    def _with_weights(self, state: dict[str, Any]) -> dict[str, Any]:
        if "network_" not in state:
            return dict(state)
        weights = {name: weight.detach().cpu().numpy() for name, weight in state["network_"].state_dict().items()}
        return state | {"network_": weights}

    def _built_again(self, weights: dict[str, NDArray]) -> nn.Module:
        """Networks with these weights, for what is fitted and the settings of the fit."""
        builder: Any = object.__new__(type(self))
        builder.__dict__.update(self.__dict__ | self._built_with)
        with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and replaced at once
            network = builder._new_ensemble()
        # joblib hands over arrays that are read-only, which torch wants to be copied first
        network.load_state_dict({name: torch.from_numpy(np.array(weight)) for name, weight in weights.items()})
        return network.eval()

    # ---- files ---------------------------------------------------------------------------------

    def _stored_parameters(self) -> dict[str, Any]:
        # defaults may change in later versions, the weights in a file do not
        return super()._stored_parameters() | left_out(self)

    def _stored_parts(self) -> dict[str, Any]:
        return self._with_weights(super()._stored_parts())

    def _take_parts(self, parts: dict[str, Any]) -> None:
        weights = parts.pop("network_", None)
        super()._take_parts(parts)
        if weights is None:
            return
        try:
            self.network_ = self._built_again(weights)
        except (AttributeError, RuntimeError) as error:
            raise ValueError(
                f"its weights are not those of a {type(self).__name__} of this version of cndts; if an earlier one wrote "
                f"it, fit and save it again: {error}"
            ) from error
