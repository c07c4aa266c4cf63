"""The interpolation protocol of mTAN on PhysioNet 2012: whole rows hidden, everything reconstructed."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.metrics import mean_absolute_error, mean_squared_error
from cndts.metrics._average import Average
from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._mtan_published import mtan_physionet2012
from cndts.protocols._mtan_rows import batched_mean_squared_error, hidden_events
from cndts.protocols._scales import min_and_max
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._t_patchgnn import check_panel, with_static_events
from cndts.targets import Targets
from cndts.tasks import RecordSplit
from cndts.tasks._context import context_and_targets

_TIME_STEP = 0.016
_PATIENTS = (
    "The test patients differ: the authors' record order is that of a directory listing, ours is that of the ids."
)
_COPYING = (
    "Published models smoothed what they saw; an interpolator that passes through it errs on hidden values alone."
)


@dataclass(frozen=True)
class MTANPhysioNet2012(Protocol):
    """Interpolation protocol of mTAN (Shukla and Marlin, ICLR 2021) on PhysioNet 2012; see :meth:`describe`.

    Parameters
    ----------
    observed : float, default=0.5
        Share of a record's non-empty rows that the model sees; the paper has 0.5, 0.6, 0.7, 0.8 and 0.9.
    random_state : int, default=0
        Seed of the draw of rows. Rows seen at one share are also seen at every larger one.
    scale : {"all", "seen"}, default="all"
        Records that minimum and maximum are taken from: all of them, as published, or training and validation only.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("mtan/physionet2012", observed=0.9)
    >>> print(rules.describe().splitlines()[0])
    mtan/physionet2012: 90 % of the rows of a record as context, all values as targets.
    >>> rules.published()["mse"]
    model
    mTAND-Full    0.004798
    L-ODE-ODE     0.007142
    Name: mse, dtype: float64
    """

    name: ClassVar[str] = "mtan/physionet2012"
    data: ClassVar[str] = "physionet2012"
    # By value, as the score is, Gender, the same at all times, would decide half of what tells models apart.
    average: ClassVar[Average] = "channel"

    observed: float = 0.5
    random_state: int = 0
    scale: Literal["all", "seen"] = "all"

    def __post_init__(self) -> None:
        if not 0 < self.observed < 1:
            raise ValueError(f"observed must lie between 0 and 1 (both excluded); got {self.observed!r}.")
        if self.scale not in ("all", "seen"):
            raise ValueError(f'scale must be "all" or "seen"; got {self.scale!r}.')

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test records, scaled: the visible rows, and all values as targets.

        Parameters
        ----------
        panel : IrregularPanel
            What :func:`cndts.datasets.read_physionet2012` gives, in the units of the source: measurements as
            channels, the five descriptors as static features. Its record order decides who is tested; read the sets in
            the order a, b, each in the order of the ids.

        Returns
        -------
        ProtocolSplit
            Values scaled, times in hours on a grid of 0.016 h. The context holds the visible rows; its queries are the
            places of all values, visible ones included, and :meth:`hidden` tells which are not. Neither outcomes
            nor static features are left, as the latter have become events at time 0.

        Raises
        ------
        ValueError
            If channels are unknown, statics are missing, times are not hours from zero on, or there are under five
            records.
        """
        check_panel(panel)
        events = with_static_events(on_grid(panel))
        records = split_records(panel.records)
        seen = events.records.get_indexer(records.train.append(records.validation))
        offset, scale = min_and_max(events if self.scale == "all" else events[seen])
        events = events.scale_values(offset, scale)
        train, validation, test = (self._cut(part) for part in records.apply(events))
        return ProtocolSplit(train, validation, test, records, offset, scale)

    def _cut(self, panel: IrregularPanel) -> tuple[IrregularPanel, Targets]:
        is_hidden = hidden_events(panel, self.observed, self.random_state)
        return context_and_targets(panel, ~is_hidden, np.ones(panel.n_events, dtype=bool))

    def hidden(self, y: Targets) -> NDArray[np.bool_]:
        """Which targets are not in the context.

        Parameters
        ----------
        y : Targets
            Those that :meth:`split` gave, or whole records of them: the draw depends on the record's id and rows.

        Returns
        -------
        ndarray of bool, shape (n_targets,)
        """
        return hidden_events(y, self.observed, self.random_state)

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """The published error over all values, and the errors over the hidden ones.

        Parameters
        ----------
        y : Targets
            True values on the protocol's scale, for whole records, in the order of :meth:`split`.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions on the same scale.

        Returns
        -------
        dict
            ``mse`` and ``mae`` over all values, seen ones included: the published measure, in batches of 32 records
            for the former (papers print it times 1e3). ``mse_hidden`` and ``mae_hidden`` over hidden values only, all
            weighing alike; ``mse_hidden_by_channel`` and ``mae_hidden_by_channel`` averaged within each variable
            first.
        """
        guess = y.with_values(np.asarray(y_hat, dtype=np.float32))
        asked = y.with_values(np.where(self.hidden(y), y.value, np.nan))
        return {
            "mse": batched_mean_squared_error(y, guess),
            "mae": mean_absolute_error(y, guess, average="observation"),
            "mse_hidden": mean_squared_error(asked, guess, average="observation"),
            "mae_hidden": mean_absolute_error(asked, guess, average="observation"),
            "mse_hidden_by_channel": mean_squared_error(asked, guess, average="channel"),
            "mae_hidden_by_channel": mean_absolute_error(asked, guess, average="channel"),
        }

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        where = "all records, test included" if self.scale == "all" else "the training and validation records"
        return textwrap.dedent(f"""\
            {self.name}: {100 * self.observed:g} % of the rows of a record as context, all values as targets.

            Source: Shukla and Marlin, Multi-Time Attention Networks for Irregularly Sampled Time Series, ICLR 2021 (mTAN), and
            its published code, https://github.com/reml-lab/mTAN; the data are prepared as in Rubanova et al., Latent ODEs for
            Irregularly-Sampled Time Series, NeurIPS 2019.

            Data: PhysioNet/CinC Challenge 2012, sets a and b in this order (8,000 stays). 41 variables: Age, Gender,
            Height, ICUType and Weight as recorded at admission, where -1 stands for unknown and counts as a value of Gender,
            Height and Weight, and 36 measurements; Weight is also measured again. Times are hours since admission, rounded to
            multiples of 0.016 h, which is less than a minute and merges nothing. Several values of a variable at one time are
            averaged. (mTAN: src/physionet.py, README.md)
            Split: shuffled 80/20 with random state 42. The source has no validation part; here it is a fifth of the first
            part, shuffled with random state 11, as in the source's classification task: 64/16/20. (mTAN: src/utils.py)
            Scale: (x - min) / max of each variable, not divided by the range, over {where}; a maximum of zero counts
            as 1. Times are left in hours (the source divides by the largest). (mTAN: src/physionet.py, src/utils.py)
            Task: of the n non-empty rows (times) of a record, floor({self.observed:g} n) are drawn and seen with all their
            values. The model is asked for all values of all rows. Seed {self.random_state}, the record's id and
            the number of its rows decide the draw; it is the same for every model and at every evaluation. (mTAN: src/utils.py)
            Score: mse is the published measure, over all values, seen ones included: the mean over the values of 32
            records at a time, averaged over such batches by their records. Papers print it times 1e3. mse_hidden
            is the mean over hidden values alone, mse_hidden_by_channel their mean within each variable and then over variables.
            (mTAN: src/utils.py)
            Training in the source: Adam, rate 1e-3, batches of 32, 500 passes, no stopping; importance-weighted bound with 5 samples a
            stay, noise 0.01, weight of the divergence rising after 10 passes. (mTAN: src/tan_interpolation.py, README.md)

            Traps
            - The published measure includes what the model was shown. Who copies it errs nowhere there, and the more is seen
              the better; a model that smooths pays for every value. Compare models by mse_hidden.
            - {_PATIENTS}
            - The published scale uses the test records. It changes the unit of the errors, variable by variable, and nothing
              else; scale="seen" keeps the test records out of it.
            - Divided by the maximum instead of the range, variables with a high floor (Temp, pH, Na) hardly count and those
              with values around zero count most.
            - The five descriptors stand in the row at time 0, which is hidden like any other, and little else tells them. On set
              a with half of the rows hidden, Age, Gender, Height and ICUType carry a quarter of mse_hidden, Gender a sixth.
            - Queries tell which variables were measured at a hidden time; mTAN's encoder knew only the times.
            - The source draws other rows at every epoch and at every evaluation. Training targets here hold all values, so an
              estimator can redraw in training; the test rows stay.
            - HeTVAE and RoMAE interpolate PhysioNet on another scale and score hidden values only (near 0.56); Latent ODE averages
              by patient and attribute (near 2e-3). None of these compares with either number here.
            """)

    def published(self) -> pd.DataFrame:
        """Published results for this share of observed rows, with their sources; see ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = mtan_physionet2012(self.observed)
        table.attrs["caution"] = f"{_PATIENTS} {_COPYING}"
        return table


def split_records(records: pd.Index) -> RecordSplit:
    """80/20 with random state 42 as published, then 80/20 with random state 11 as in mTAN's classification task."""
    from sklearn.model_selection import train_test_split

    seen, test = train_test_split(np.arange(len(records)), train_size=0.8, random_state=42, shuffle=True)
    train, validation = train_test_split(seen, train_size=0.8, random_state=11, shuffle=True)
    return RecordSplit(records[train], records[validation], records[test])


def on_grid(panel: IrregularPanel) -> IrregularPanel:
    """Times rounded to multiples of the source's step."""
    return IrregularPanel._trusted(panel, time=np.round(panel.time / _TIME_STEP) * _TIME_STEP, queries=None)
