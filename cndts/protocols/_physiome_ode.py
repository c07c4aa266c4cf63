"""The protocol of Physiome-ODE: complete trajectories made sparse and noisy, the second half from the first."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.datasets import make_physiome
from cndts.datasets._physiome_models import PHYSIOME_MODELS
from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._parts import check_records, in_parts, record_split, without_tables
from cndts.protocols._published_simulated import PHYSIOME_SETS, physiome_ode, physiome_ode_ranks
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.targets import Targets
from cndts.tasks import Extrapolation

_NOISE, _KEPT, _EXTREME, _N_CHANNELS, _MIDDLE = 0.05, 0.2, 10.0, 10, 0.5
_SIMULATED = ", ".join(sorted(PHYSIOME_MODELS))
CAUTION = (
    "The published folds were drawn by torch in an order of files that a directory listing gave; the same steps are drawn anew "
    "here. Only the released tensors are the published test. Trajectories made here have the published draws of constants and "
    "states, but own equations after the same models and another build of the solver."
)


@dataclass(frozen=True)
class PhysiomeODE(Protocol):
    """Protocol of Physiome-ODE (Klötergens et al., ICLR 2025); :meth:`describe` tells what it does.

    Parameters
    ----------
    data_set : str, optional
        Name of the set, such as ``"HOD01"``, for the published results beside ours and for :meth:`generate`; twelve of the
        fifty have results here, and eleven of these are simulated.
    fold : int, default=0
        Seed of the draws, 0 to 4 in the source; publish the mean over all.
    rows : {"odd", "any"}, default="odd"
        Rows that stay: those with an odd number of values, as in the released data, or all with a value, as intended.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("physiome-ode", data_set="HOD01")
    >>> print(rules.describe().splitlines()[0])
    physiome-ode: the first half of sparse noisy trajectories as context, the second as targets; fold 0.
    >>> float(rules.published().loc["CRU", "mse"])
    0.409
    """

    name: ClassVar[str] = "physiome-ode"
    data: ClassVar[str] = "trajectories"

    data_set: str | None = None
    fold: int = 0
    rows: Literal["odd", "any"] = "odd"

    def __post_init__(self) -> None:
        if self.rows not in ("odd", "any"):
            raise ValueError(f'rows must be "odd" or "any"; got {self.rows!r}.')
        if self.fold < 0:
            raise ValueError(f"fold is a seed, 0 or more; got {self.fold!r}.")

    def generate(self) -> IrregularPanel:
        """The 2,000 trajectories of the named set, by :func:`cndts.datasets.make_physiome`.

        Returns
        -------
        IrregularPanel
            What :meth:`split` takes.

        Raises
        ------
        ValueError
            If no set is named, or one that is not simulated here.
        """
        if self.data_set not in PHYSIOME_MODELS:
            return super().generate()
        return make_physiome(self.data_set)

    def describe_data(self) -> str:
        """Which reader gives the data, in a few words."""
        return f"{super().describe_data()}; with data_set, {_SIMULATED} are simulated"

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test instances, made sparse and noisy, cut at half of the span.

        Parameters
        ----------
        panel : IrregularPanel
            Complete trajectories without noise: every channel of every record at the same times, which start at 0.

        Returns
        -------
        ProtocolSplit
            Values in deviations with noise, times as shares of the span (``"span"``). Channels all stay; targets are of at
            most ten. Instances with an extreme value are left out.

        Raises
        ------
        ValueError
            If a value is missing, there are under two times or under five records.
        """
        values, times = _complete(panel)
        mean, deviation = _moments(values)
        values = (values - mean) / deviation
        tame = np.flatnonzero(np.abs(values).max(axis=(1, 2)) <= _EXTREME)
        values, records = values[tame], panel.records[tame]
        asked = self._asked(panel.channels, values)
        random = np.random.default_rng(self.fold)
        values = values + _NOISE * random.standard_normal(values.shape)
        share = times / times[-1]
        seen = self._seen(values.shape, share, asked, random)
        sparse = IrregularPanel.from_array(
            np.where(seen, values, np.nan), share, records=records, channels=panel.channels, time_unit="span"
        )
        check_records(sparse)
        cut = Extrapolation(observe=np.nextafter(_MIDDLE, 1), horizon=np.inf)  # the middle itself is context
        order = random.permutation(len(records))
        n_train, n_validation = int(0.7 * len(order)), int(0.2 * len(order))
        which = tuple(np.split(order, [n_train, n_train + n_validation]))
        return in_parts(sparse, record_split(records, which), cut.split, mean, deviation)

    def _asked(self, channels: tuple[str, ...], values: NDArray[np.float64]) -> NDArray[np.int64]:
        """Positions of the channels to forecast: those of the source where the set is known, else by the source's score."""
        model = PHYSIOME_MODELS.get(self.data_set or "")
        names = [name.split(" in component ")[0] for name in channels]  # as the source's files call them
        if model is not None and model.asked and names == list(model.start):
            return np.flatnonzero(np.isin(names, model.asked))
        return np.argsort(gradient_deviation(values), kind="stable")[-_N_CHANNELS:]

    def _seen(
        self, shape: tuple[int, ...], share: NDArray[np.float64], asked: NDArray[np.int64], random: np.random.Generator
    ) -> NDArray[np.bool_]:
        """Which entries are left: one in five, after the middle of the channels asked for, in rows that stay."""
        seen = random.random(shape) < _KEPT
        late = share > _MIDDLE
        is_asked = np.isin(np.arange(shape[2]), asked)
        seen &= ~late[:, None] | is_asked
        seen[:, share >= 1] = False  # the source asks for times before the end
        counts = seen.sum(axis=2)
        return seen & ((counts % 2 == 1) if self.rows == "odd" else (counts > 0))[..., None]

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """MSE and MAE over all targets alike.

        Parameters
        ----------
        y : Targets
            True values with noise, on the protocol's scale.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions on the same scale.

        Returns
        -------
        dict
            ``mse`` and ``mae``; the former cannot be much below 0.0025, the variance of the noise of the targets.
        """
        return errors(y, y_hat, self.average)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        return textwrap.dedent(f"""\
            {self.name}: the first half of sparse noisy trajectories as context, the second as targets; fold {
            self.fold
        }.

            Source: Klötergens et al., Physiome-ODE: A Benchmark for Irregularly Sampled Multivariate Time-Series Forecasting
            Based on Biological ODEs, ICLR 2025, and its published code, https://github.com/kloetergensc/Physiome-ODE.

            Data: the source has 50 sets of 2,000 trajectories of biological models, 100 equidistant steps, up to about 60 channels. Of
            these {_SIMULATED} are made by generate() with data_set, as the source made them. Any other
            complete trajectories on one grid take the same steps: the source's raw files, or generated ones. (Physiome-ODE:
            data_creation/generate_raw_data.py)
            Steps: each channel z-scored over all instances and times; instances with a value beyond 10 deviations left out; noise with
            deviation 0.05 added, to targets too; every value kept with probability 0.2; as targets only the ten channels with the
            largest gradient deviation (all, if there are fewer): the mean over instances of the deviation of steps over time,
            times the mean over time of the deviation of steps over instances. (Physiome-ODE: data_creation/generate_imts.py,
            resources/Top50_final.csv)
            Rows: {
            "with an odd number of values, which is what the source's expression comes to"
            if self.rows == "odd"
            else "with at least one value, which is what the source meant"
        }. (Physiome-ODE: data_creation/generate_imts.py)
            Split: 70/20/10 at random, drawn with the fold's seed. (Physiome-ODE: data_creation/generate_imts.py)
            Scale: z-scores over all instances, test included. Times are shares of the span. (Physiome-ODE: data_creation/generate_imts.py)
            Task: context t <= 0.5, targets 0.5 < t < 1. (Physiome-ODE: data_creation/generate_imts.py)
            Score: MSE over all targets alike (micro average), mean and standard deviation over five folds. (Physiome-ODE:
            experiments/training/train_grafiti.py)
            Training in the source: AdamW, at most 45 epochs, stops after 10 without a better validation MSE; settings of each model by
            random search over a few. (Physiome-ODE: experiments/training/train_grafiti.py; paper: hyperparameter search)

            Traps
            - {CAUTION}
            - The released tensors are pickled Python objects, which this package does not load. Export them as arrays in an
              environment of your own and make panels with IrregularPanel.from_array; their rows and masks are as above.
            - Simulated sets repeat the source's draws of constants and states: channel scores of each set's first hundred seeds are
              the published ones to five digits or more. Sparse values, noise and parts are other draws of the same kind, so compare
              means over five folds.
            - The other models are not part of this package. Trajectories of other models compare forecasters with each other, not
              with the table.
            - z-scores, the choice of channels and the removal of extremes use test instances too, as published.
            - Targets carry noise: no model can be much below an MSE of 0.0025.
            - Channels after the middle that are not asked for are neither seen nor scored.
            """)

    def published(self) -> pd.DataFrame:
        """Published results for the named set, with their source; empty for a set that is not written down here.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source. Without a named
            set no errors, but wins (how many of the fifty sets, ties counted) and average_rank among the six models.
        """
        table = physiome_ode_ranks() if self.data_set is None else physiome_ode(self.data_set)
        known = "" if self.data_set in PHYSIOME_SETS else f" Known sets: {', '.join(PHYSIOME_SETS)}."
        table.attrs["caution"] = CAUTION + known
        return table


def gradient_deviation(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score of every channel: how much steps differ over time, times how much they differ between instances.

    Parameters
    ----------
    values : ndarray of shape (n_instances, n_times, n_channels)

    Returns
    -------
    ndarray of shape (n_channels,)
    """
    steps = np.diff(values, axis=1)
    return steps.std(axis=1).mean(axis=0) * steps.std(axis=0).mean(axis=0)


def _complete(panel: IrregularPanel) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    values, times = without_tables(panel).to_array()
    if np.isnan(values).any() or len(times) < 2 or times[0] < 0:
        raise ValueError(
            "the protocol needs complete trajectories: every channel of every record at the same two or more times from 0 on. "
            f"The panel has {len(times)} different times and lacks {int(np.isnan(values).sum())} values of {values.size}."
        )
    return values.astype(np.float64), times


def _moments(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation (of a sample) of every channel; 1 for a channel that does not vary."""
    flat = values.reshape(-1, values.shape[2])
    deviation = flat.std(axis=0, ddof=1)
    return flat.mean(axis=0), np.where(deviation > 0, deviation, 1.0)
