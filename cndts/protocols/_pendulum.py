"""The pendulum regression of CRU: sine and cosine of an angle from noisy pictures at irregular times."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._parts import in_parts, record_split, without_tables
from cndts.protocols._pendulum_frames import N_STEPS, SIDE, clearness, frames, swings
from cndts.protocols._published_simulated import pendulum
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.targets import Targets
from cndts.tasks._context import context_and_targets

TARGETS = ("sin", "cos")
PIXELS = tuple(f"p{row:02d}_{column:02d}" for row in range(SIDE) for column in range(SIDE))
N_KEPT, _SEED, _BLOCK = N_STEPS // 2, 42, 50
CAUTION = (
    "The pendulums differ: the same steps, drawn by another generator and painted by other means. Published models saw the "
    "evaluation part while they were developed; there is no third part in the source."
)


@dataclass(frozen=True)
class CRUPendulum(Protocol):
    """Pendulum regression of CRU (Schirmer et al., ICML 2022), also S5's; :meth:`describe` tells what it does.

    Parameters
    ----------
    n_train, n_test : int, default=2000, 1000
        Sequences to train (validation included) and to test. In full the panel has 86 million pixels and takes 1.5 GB.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("cru/pendulum", n_train=5, n_test=2)
    >>> X, y = rules.split(rules.generate()).test
    >>> X.n_events, len(X.channels), len(y.value)
    (57600, 578, 200)
    """

    name: ClassVar[str] = "cru/pendulum"
    data: ClassVar[str] = "pendulum"

    n_train: int = 2000
    n_test: int = 1000

    def __post_init__(self) -> None:
        if self.n_train < 2 or self.n_test < 1:
            raise ValueError(f"n_train must be 2 or more and n_test 1 or more; got {self.n_train} and {self.n_test}.")

    def generate(self) -> IrregularPanel:
        """Swing, paint, blur with noise, and keep half of the steps of every sequence.

        Returns
        -------
        IrregularPanel
            Channels ``p00_00`` to ``p23_23`` (brightness from 0 to 1, row and column), ``sin`` and ``cos`` of the angle from
            hanging down; times as steps of 0.01 s.
        """
        n_records = self.n_train + self.n_test
        random = np.random.default_rng(_SEED)
        angle, clear = swings(n_records, random), clearness(n_records, random)
        kept = np.sort(
            [np.random.default_rng([_SEED, i]).permutation(N_STEPS)[:N_KEPT] for i in range(n_records)], axis=1
        )
        values = np.empty((n_records, N_KEPT, len(PIXELS) + 2), dtype=np.float32)
        for first in range(0, n_records, _BLOCK):
            block = slice(first, min(first + _BLOCK, n_records))
            at = np.take_along_axis(angle[block], kept[block], axis=1)
            share = np.take_along_axis(clear[block], kept[block], axis=1)[..., None]
            noise = random.random((*at.shape, len(PIXELS)))
            values[block, :, :-2] = share * frames(at) + (1 - share) * noise
            values[block, :, -2], values[block, :, -1] = np.sin(at), np.cos(at)
        n_channels = values.shape[2]
        return IrregularPanel(
            np.arange(n_records + 1) * N_KEPT * n_channels,
            np.repeat(kept.ravel().astype(np.float64), n_channels),
            np.tile(np.arange(n_channels, dtype=np.int32), n_records * N_KEPT),
            values.ravel(),
            channels=(*PIXELS, *TARGETS),
            time_unit="step",
        )

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """The first sequences to train and choose, the last to test; pictures as context, sine and cosine as targets.

        Parameters
        ----------
        panel : IrregularPanel
            What :meth:`generate` gives, or records of other channels with ``sin`` and ``cos`` among them.

        Returns
        -------
        ProtocolSplit
            Values as given, times in steps. The context holds the pictures of all kept steps, those after a query included.

        Raises
        ------
        ValueError
            If ``sin`` or ``cos`` is missing, or the number of records is not ``n_train + n_test``.
        """
        missing = [name for name in TARGETS if name not in panel.channels]
        if missing or len(panel) != self.n_train + self.n_test:
            raise ValueError(
                f"the protocol needs {self.n_train} + {self.n_test} records with the channels sin and cos; got {len(panel)} records, "
                f"{'without ' + ' and '.join(missing) if missing else 'with both'}. Make them with generate()."
            )
        rows = np.arange(len(panel))
        train, test = rows[: self.n_train], rows[self.n_train :]
        is_validation = train % 5 == 4
        records = record_split(panel.records, (train[~is_validation], train[is_validation], test))
        return in_parts(without_tables(panel), records, _cut)

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """MSE and MAE over all steps, sine and cosine alike.

        Parameters
        ----------
        y : Targets
            Sine and cosine at the kept steps.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions.

        Returns
        -------
        dict
            ``mse`` (papers print it times 1e3) and ``mae``.
        """
        return errors(y, y_hat, self.average)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        return textwrap.dedent(f"""\
            {self.name}: sine and cosine of a pendulum's angle from noisy pictures at irregular times.

            Source: Schirmer et al., Modeling Irregular Time Series with Continuous Recurrent Units, ICML 2022 (CRU), and its
            published code, https://github.com/boschresearch/Continuous-Recurrent-Units, after Becker et al., Recurrent Kalman
            Networks, ICML 2019; also in Smith et al., Simplified State Space Layers for Sequence Modeling, ICLR 2023 (S5).

            Data: made by generate(): {self.n_train + self.n_test} rods of 1 m that start at rest at a random angle, 100 steps of
            0.01 s, friction 0.1, kicks of 0.1 rad/s at every step, seed 42; pictures of 24 x 24 pixels; noise that comes and goes (a
            random walk between picture and noise), the first five pictures clear; 50 of the 100 steps kept, drawn for every
            sequence by its own seed. (Continuous-Recurrent-Units: lib/pendulum_generation.py, lib/data_utils.py)
            Split: {self.n_train} sequences to train, {self.n_test} to test. The source has no third part; here every fifth training
            sequence is for validation. (Continuous-Recurrent-Units: lib/data_utils.py; ours: the validation part)
            Scale: brightness from 0 to 1. Times are numbers of steps. (Continuous-Recurrent-Units: lib/data_utils.py)
            Task: context the pictures at all kept steps, targets sine and cosine at the same steps: 576 channels seen, two asked for
            and never seen. (Continuous-Recurrent-Units: lib/CRU.py, readme.MD)
            Score: MSE over steps and both targets alike (micro average; the source averages batches of 50, all of one size). Papers
            print it times 1e3. (Continuous-Recurrent-Units: lib/losses.py, lib/CRU.py)
            Training in the source: Adam, rate 1e-3 (5e-3 for f-CRU), batches of 50, 100 epochs, no stopping; likelihood of a normal
            distribution as loss, 30 latent dimensions. (Continuous-Recurrent-Units: run_experiment.py, lib/CRU.py, readme.MD)

            Traps
            - {CAUTION}
            - Recurrent models of the source see the pictures up to the step that they are asked for. The context here holds later
              ones too, which a smoother may use; a forecaster that reads the past alone keeps to the source.
            - 576 channels at 50 steps are 28,800 events a sequence, so that models that take events one by one are slow in full size.
              Take fewer sequences (--set protocol:n_train=200 --set protocol:n_test=100; no published result compares), or reduce
              pictures to a few components fitted to training sequences: split() takes any channels beside sin and cos.
            - Sine and cosine follow from one clear picture; the difficulty is the noise, not the irregular times.
            """)

    def published(self) -> pd.DataFrame:
        """Published results, with their sources; see ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = pendulum()
        table.attrs["caution"] = CAUTION
        return table


def _cut(panel: IrregularPanel) -> tuple[IrregularPanel, Targets]:
    is_target = np.isin(np.array(panel.channels), TARGETS)[panel.channel]
    return context_and_targets(panel, ~is_target, is_target)
