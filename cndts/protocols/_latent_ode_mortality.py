"""The classification protocol of Latent ODE on PhysioNet 2012: death in hospital from 48 hours."""

from __future__ import annotations

import textwrap
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._latent_ode import PATIENTS, scaled_stays
from cndts.protocols._parts import in_parts
from cndts.protocols._published_latent_ode import latent_ode_mortality
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._words import LATENT_ODE_DATA
from cndts.queries import Queries
from cndts.targets import Targets

LABEL, _END = "In-hospital_death", 48.0
CAUTION = f"{PATIENTS} Sources differ in what they train on: Latent ODE 80 % of the stays, mTAN 64 % beside 16 % for validation, as here."


class LatentODEMortality(Protocol):
    """Classification protocol of Latent ODE (Rubanova et al., NeurIPS 2019) on PhysioNet 2012; see :meth:`describe`.

    The label is a target like others: the value, 0 or 1, of the channel ``In-hospital_death`` at 48 h, one for each record,
    so that ``np.asarray(y)`` is what a classifier of records takes.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("latent-ode/physionet2012-mortality")
    >>> print(rules.describe().splitlines()[0])
    latent-ode/physionet2012-mortality: 48 h of context, death in hospital as target.
    >>> float(rules.published().loc["mTAND-Full", "auroc"])
    0.858
    """

    name: ClassVar[str] = "latent-ode/physionet2012-mortality"
    data: ClassVar[str] = "physionet2012"

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test stays, scaled, with one label each.

        Parameters
        ----------
        panel : IrregularPanel
            What :func:`cndts.datasets.read_physionet2012` gives with ``outcomes=``, in the units of the source. Stays
            without a label are left out; the record order of the others decides who is tested.

        Returns
        -------
        ProtocolSplit
            Values scaled, times in hours on a grid of 0.016 h; 41 variables and, never observed, the label.

        Raises
        ------
        ValueError
            If the panel is not PhysioNet 2012 as read, has no labels, or under five records have one.
        """
        label = _labels(panel)
        known = ~np.isnan(label)
        events, records, offset, scale = scaled_stays(panel[known])
        labels = pd.Series(label[known], events.records)
        events = events.with_channels((*events.channels, LABEL))

        def cut(part: IrregularPanel) -> tuple[IrregularPanel, Targets]:
            n_records = len(part)
            queries = Queries(
                np.arange(n_records + 1),
                np.full(n_records, _END),
                np.full(n_records, len(part.channels) - 1, dtype=np.int32),
            )
            value = labels.loc[part.records].to_numpy()
            return part.with_queries(queries=queries), Targets(queries, value, part.records, part.channels)

        return in_parts(events, records, cut, np.append(offset, 0.0), np.append(scale, 1.0))

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """Areas under two curves, and the errors of a probability.

        Parameters
        ----------
        y : Targets
            Labels, 0 or 1.
        y_hat : Targets or array-like of shape (n_records,)
            Predicted probabilities of death, or any score that rises with it.

        Returns
        -------
        dict
            ``auroc`` (the published one), ``auprc`` (average precision); ``mse``, which is the Brier score, and ``mae``.
            The areas are NaN where all labels are the same.
        """
        from sklearn.metrics import average_precision_score, roc_auc_score

        truth, guess = y.value, np.asarray(y_hat, dtype=np.float64)
        both = len(np.unique(truth)) == 2
        return {
            "auroc": float(roc_auc_score(truth, guess)) if both else float("nan"),
            "auprc": float(average_precision_score(truth, guess)) if both else float("nan"),
        } | errors(y, guess, self.average)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        return textwrap.dedent(f"""\
            {self.name}: 48 h of context, death in hospital as target.

            {LATENT_ODE_DATA.replace("sets a and b in this order (8,000 stays)", "set a (4,000 stays, the labelled ones)")}
            Task: context all values of the stay, target whether the patient died in hospital: one query a record, for the channel
            {LABEL} at 48 h, which the context never holds. (latent_ode: physionet.py, lib/parse_datasets.py)
            Score: area under the receiver operating characteristic; area under precision and recall, Brier score beside it.
            (latent_ode: lib/utils.py)
            Training in the source: Adamax, rate 0.01 falling to 0.001 by 0.999 a step, batches of 50, 100 passes, no stopping; variational
            bound plus 100 times the cross entropy. (latent_ode: run_models.py, lib/base_models.py, README.md)

            Traps
            - {CAUTION}
            - The published scale uses the test records. It changes units and nothing else.
            - The sources train on reconstruction and labels together; here a model sees the stays and the labels.
            - Of 800 test stays about 110 die: the area has a standard error near 0.02, more than published deviations over seeds.
            - Raindrop's "P12" is another task (stays of more than three days) on other splits; its areas do not compare.
            """)

    def published(self) -> pd.DataFrame:
        """Published areas under the receiver operating characteristic; see ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std (not published), auroc, auroc_std, and source.
        """
        table = latent_ode_mortality()
        table.attrs["caution"] = CAUTION
        return table


def _labels(panel: IrregularPanel) -> np.ndarray:
    if LABEL not in panel.outcomes.columns or panel.outcomes[LABEL].isna().all():
        raise ValueError(
            f"the protocol needs the outcome {LABEL}; the panel has {list(panel.outcomes.columns) or 'no outcomes'}. Read it with "
            'read_physionet2012(..., outcomes="Outcomes-a.txt").'
        )
    return panel.outcomes[LABEL].to_numpy(np.float64)
