"""What every published evaluation protocol offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.metrics import negative_log_likelihood
from cndts.metrics._average import Average
from cndts.panel import IrregularPanel
from cndts.protocols._split import ProtocolSplit
from cndts.targets import Targets

READERS = {
    "physionet2012": "for example with cndts.datasets.read_physionet2012",
    "ushcn": "for example with cndts.protocols.read_sporadic_csv or cndts.datasets.read_ushcn_legacy",
    "human-activity": "for example with cndts.datasets.read_human_activity",
    "trajectories": "one file of complete trajectories for each record, or make them",
}


class Protocol(ABC):
    """A published way to split, scale and score, so that numbers can be compared.

    Attributes
    ----------
    name : str
        The name that :func:`cndts.protocols.protocol` knows it by.
    data : str
        The data set that it is about, by which ``cndts benchmark`` chooses the reader.
    average : {"observation", "channel", "record"}
        What ``cndts benchmark`` averages differences between models over: of the three the nearest to :meth:`score`, or the one
        that tells models apart best.
    """

    name: ClassVar[str]
    data: ClassVar[str]
    average: ClassVar[Average] = "observation"

    def generate(self) -> IrregularPanel:
        """The data set, where the protocol itself says how it is made.

        Returns
        -------
        IrregularPanel
            What :meth:`split` takes.

        Raises
        ------
        ValueError
            If the protocol is about data that others publish.
        """
        raise ValueError(f"{self.name} is about published data; read them, {self.describe_data()}.")

    def describe_data(self) -> str:
        """Which reader gives the data, in a few words."""
        return READERS[self.data]

    @abstractmethod
    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test, each as context and targets on the protocol's scale.

        Parameters
        ----------
        panel : IrregularPanel
            The data set as its reader gives it, in the units of the source.

        Returns
        -------
        ProtocolSplit

        Raises
        ------
        ValueError
            If the panel is not the data set that the protocol is made for.
        """

    @abstractmethod
    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """The protocol's own metrics under its own averaging rule.

        Parameters
        ----------
        y : Targets
            True values on the protocol's scale.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions on the same scale.

        Returns
        -------
        dict
            Value by name of the metric; ``mse`` and ``mae`` at least.
        """

    def score_normal(self, y: Targets, mean: Targets | ArrayLike, std: ArrayLike) -> dict[str, float]:
        """Negative log-likelihood of normal forecasts, averaged as :attr:`average` says.

        GRU-ODE-Bayes (De Brouwer et al., NeurIPS 2019) reports it beside the MSE.

        Parameters
        ----------
        y : Targets
            True values on the protocol's scale; NaN is left out, as ``cndts benchmark`` does with what the context holds.
        mean : Targets or array-like of shape (n_targets,)
            Predicted means on the same scale.
        std : array-like of shape (n_targets,)
            Predicted standard deviations, 0 or more.

        Returns
        -------
        dict
            ``nll``, in nats a target; infinite where a target that counts was told without any spread.
        """
        if (np.asarray(std)[~np.isnan(y.value)] == 0).any():
            return {"nll": np.inf}
        return {"nll": negative_log_likelihood(y, mean, std, average=self.average)}

    def hidden(self, y: Targets) -> NDArray[np.bool_]:
        """Which targets are not in the context that they were split from; only these tell models apart.

        Parameters
        ----------
        y : Targets
            Targets of a part, as :meth:`split` gives them.

        Returns
        -------
        ndarray of bool, shape (n_targets,)
            All true, unless the protocol asks for observed values too.
        """
        return np.ones(len(y.value), dtype=bool)

    @abstractmethod
    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""

    @abstractmethod
    def published(self) -> pd.DataFrame:
        """Published results under this protocol.

        Returns
        -------
        DataFrame
            One row a model, with columns mse, mse_std, mae, mae_std (NaN where not published; std over the seeds or
            folds of the source), further metrics of :meth:`score` where they are what the source prints, and source.
            ``attrs["caution"]`` says what keeps these numbers from being comparable with ours.
        """

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"
