"""Files of estimators around an ensemble of networks."""

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import nn

from cndts.estimators._nested_settings import NestedSettings
from cndts.estimators._storable import Storable


class StoredNetwork(Storable, NestedSettings):
    """Keeps ``network_`` by its weights, and all settings by their values.

    A subclass lists in ``_left_open`` the settings objects whose None it interprets itself.
    """

    _left_open: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def _new_ensemble(self) -> nn.Module:
        """Networks of the kind that was fitted, with weights of any kind."""

    def _stored_parameters(self) -> dict[str, Any]:
        found = super()._stored_parameters()
        # defaults may change in later versions, the weights in a file do not
        filled = {name: found[name] or kind() for name, kind in self._settings.items() if name not in self._left_open}
        return found | filled

    def _stored_parts(self) -> dict[str, Any]:
        parts = super()._stored_parts()
        return parts | ({"network_": dict(parts["network_"].state_dict())} if "network_" in parts else {})

    def _take_parts(self, parts: dict[str, Any]) -> None:
        weights = parts.pop("network_", None)
        super()._take_parts(parts)
        if weights is None:
            return
        with torch.random.fork_rng(devices=[]):  # initial weights are drawn, and replaced at once
            self.network_ = self._new_ensemble()
        try:
            self.network_.load_state_dict(weights)
        except RuntimeError as error:
            raise ValueError(
                f"its weights are not those of a {type(self).__name__} of this version of cndts; if an earlier one wrote "
                f"it, fit and save it again: {error}"
            ) from error
        self.network_.eval()
