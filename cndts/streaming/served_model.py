"""What a stream needs of a fitted model."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Protocol, Self, cast

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cndts.backbones import HybridMemoryBackbone, SteppedBackbone
from cndts.event_batch import EventBatch
from cndts.scaling import Scaling
from cndts.static_features import StaticEncoding
from cndts.streaming.hybrid_stepper import HybridStepper
from cndts.streaming.stepper import Stepper
from cndts.streaming.visit_stepper import VisitStepper
from cndts.training import Ensemble, Network


class FittedModel(Protocol):
    """A neural forecaster after ``fit`` or ``load``."""

    network_: Ensemble
    scaling_: Scaling
    static_: StaticEncoding
    channels_in_: tuple[str, ...]
    time_unit_in_: str
    device: str


@dataclass(frozen=True, eq=False)
class ServedModel:
    """The parts of a fitted model, held fast: fitting the estimator again leaves its sessions as they are.

    Parameters
    ----------
    network : Ensemble
        In evaluation mode.
    steppers : tuple of Stepper
        One for each member.
    scaling, static, channels, time_unit, device
        Of the model.
    """

    network: Ensemble
    steppers: tuple[Stepper, ...]
    scaling: Scaling
    static: StaticEncoding
    channels: tuple[str, ...]
    time_unit: str
    device: str

    @classmethod
    def of(cls, model: FittedModel) -> Self:
        """Take the parts of a fitted model.

        Raises
        ------
        TypeError
            If it has no network, reads later events, or its backbone cannot be carried from event to event.
        """
        if not hasattr(model, "network_") or getattr(model, "reads_later_events", False):
            raise TypeError(
                f"a session needs a fitted neural forecaster; got {type(model).__name__}. Use HybridMemoryForecaster().fit(X, y)."
            )
        network = model.network_.eval()
        steppers = tuple(_stepper(member.backbone) for member in network.members)
        return cls(
            network, steppers, model.scaling_, model.static_, model.channels_in_, model.time_unit_in_, model.device
        )

    @cached_property
    def members(self) -> list[Network]:
        """The networks of the ensemble."""
        return [cast(Network, member) for member in self.network.members]

    @cached_property
    def position(self) -> dict[str, int]:
        """Position of each channel."""
        return {name: k for k, name in enumerate(self.channels)}

    @cached_property
    def fingerprint(self) -> str:
        """Tells models apart by their weights, channels, units and encoding of static features."""
        digest = hashlib.sha256()
        plain = (self.channels, self.time_unit, float(self.scaling.time_scale), asdict(self.static))
        digest.update(repr(plain).encode())
        weights = {name: part.cpu().numpy() for name, part in self.network.state_dict().items()}
        arrays = {"mean": self.scaling.mean, "std": self.scaling.std, "knots": self.scaling.ranks.knots}
        for name, array in sorted((weights | arrays).items()):
            digest.update(f"{name}{array.dtype}{array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    def is_same(self, other: "ServedModel") -> bool:
        """Whether both have the same weights and units."""
        return self.network is other.network or self.fingerprint == other.fingerprint

    def positions(self, channels: str | Sequence[str] | None) -> np.ndarray:
        """Positions of the named channels, all of them for None."""
        if channels is None:
            return np.arange(len(self.channels))
        names = [channels] if isinstance(channels, str) else list(channels)
        unknown = sorted({str(name) for name in names if name not in self.position})
        if unknown:
            raise ValueError(
                f"the model was not fitted on the channels {unknown}. Known channels: {list(self.channels)}. "
                "Leave them out or rename them."
            )
        return np.array([self.position[name] for name in names], dtype=np.int64)

    def encode_static(self, static: Mapping[str, Any] | pd.Series | pd.DataFrame | None) -> Tensor:
        """Static features of one record, shape (1, n_static); all unknown for None."""
        if static is None:
            static = dict.fromkeys((*self.static.numeric, *self.static.categorical), np.nan)
        table = static if isinstance(static, pd.DataFrame) else pd.DataFrame([dict(static)])
        if len(table) != 1:
            raise ValueError(
                f"a session is one record, so static needs one row; got {len(table)}. Use static.loc[[record]]."
            )
        return torch.from_numpy(self.static.transform(table)).to(self.device)

    def move(self, batch: EventBatch) -> EventBatch:
        """A batch on the device of the model."""
        return batch if self.device == "cpu" else batch.to(self.device)


def _stepper(backbone: Any) -> Stepper:
    if isinstance(backbone, HybridMemoryBackbone):
        return HybridStepper(backbone)
    if isinstance(backbone, SteppedBackbone):
        return VisitStepper(backbone)
    raise TypeError(
        f"{type(backbone).__name__} cannot be carried from event to event, so it has no sessions; got a model with this "
        "backbone. Use model.predict(panel), or a model with the backbone 'hybrid-memory' or 'gru-d'."
    )
