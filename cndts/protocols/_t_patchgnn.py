"""The protocol of t-PatchGNN on PhysioNet 2012: 24 h of context, the rest of the 48 h as targets."""

from __future__ import annotations

import textwrap
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from cndts.metrics._average import Average
from cndts.panel import IrregularPanel
from cndts.protocols._base import Protocol
from cndts.protocols._published_t_patchgnn import t_patchgnn_physionet2012
from cndts.protocols._scales import min_and_range
from cndts.protocols._scores import errors
from cndts.protocols._split import ProtocolSplit
from cndts.protocols._words import T_PATCHGNN_SOURCE, t_patchgnn_training
from cndts.targets import Targets
from cndts.tasks import Extrapolation, RecordSplit

STATICS = ("Age", "Gender", "Height", "ICUType", "Weight")
CODED_AS_MINUS_ONE = ("Gender", "Height", "Weight")
MEASUREMENTS = (
    "Albumin ALP ALT AST Bilirubin BUN Cholesterol Creatinine DiasABP FiO2 GCS Glucose HCO3 HCT HR K Lactate Mg MAP "
    "MechVent Na NIDiasABP NIMAP NISysABP PaCO2 PaO2 pH Platelets RespRate SaO2 SysABP Temp TroponinI TroponinT Urine WBC"
)
VARIABLES = (*STATICS, *MEASUREMENTS.split())
PARTS = ("train", "validation", "test")
CAUTION = "The test patients differ: the authors' record order is that of a directory listing, ours is that of the ids."


class TPatchGNNPhysioNet2012(Protocol):
    """Protocol of t-PatchGNN (Zhang et al., ICML 2024) on PhysioNet 2012; :meth:`describe` tells what it does.

    Examples
    --------
    >>> from cndts import protocol
    >>> rules = protocol("t-patchgnn/physionet2012")
    >>> print(rules.describe().splitlines()[0])
    t-patchgnn/physionet2012: 24 h of context, everything later as targets.
    >>> rules.published()["mae"].head(2)
    model
    DLinear     0.1552
    TimesNet    0.0614
    Name: mae, dtype: float64
    """

    name: ClassVar[str] = "t-patchgnn/physionet2012"
    data: ClassVar[str] = "physionet2012"
    average: ClassVar[Average] = "channel"

    def split(self, panel: IrregularPanel) -> ProtocolSplit:
        """Training, validation and test records, scaled, cut at 24 h.

        Parameters
        ----------
        panel : IrregularPanel
            What :func:`cndts.datasets.read_physionet2012` gives, in the units of the source: measurements as
            channels, the five descriptors as static features. Its record order decides who is tested; for the
            numbers of this project read the sets in the order a, b, c, each in the order of the ids. The source counts
            -1 as a value wherever it stands; ``missing_codes="keep"`` does so too, and makes no difference on set a.

        Returns
        -------
        ProtocolSplit
            Values scaled, times in hours. Neither outcomes nor static features are left, as the latter have become
            events at time 0.

        Raises
        ------
        ValueError
            If channels are unknown, statics are missing, times are not hours from zero on, or there are under five
            records.
        """
        check_panel(panel)
        events = with_static_events(panel)
        records = split_records(panel.records)
        rows = {part: events.records.get_indexer(getattr(records, part)) for part in PARTS}
        offset, scale = min_and_range(events[np.concatenate([rows["train"], rows["validation"]])])
        events = events.scale_values(offset, scale)
        cut = Extrapolation(observe=24, horizon=np.inf)
        train, validation, test = (cut.split(events[rows[part]]) for part in PARTS)
        return ProtocolSplit(train, validation, test, records, offset, scale)

    def score(self, y: Targets, y_hat: Targets | ArrayLike) -> dict[str, float]:
        """MSE and MAE, averaged within each variable over all records, then over the variables with a target.

        Parameters
        ----------
        y : Targets
            True values on the protocol's scale.
        y_hat : Targets or array-like of shape (n_targets,)
            Predictions on the same scale.

        Returns
        -------
        dict
            ``mse`` (papers print it times 1e3) and ``mae`` (times 1e2).
        """
        return errors(y, y_hat, self.average)

    def describe(self) -> str:
        """What the protocol does, where it comes from, and where comparisons go wrong."""
        return textwrap.dedent(f"""\
            {self.name}: 24 h of context, everything later as targets.

            {T_PATCHGNN_SOURCE}.

            Data: PhysioNet/CinC Challenge 2012, sets a, b and c in this order (12,000 stays). 41 variables: Age, Gender,
            Height, ICUType and Weight as recorded at admission, where -1 stands for unknown and counts as a value of Gender,
            Height and Weight, and 36 measurements; Weight is also measured again. Several values of a variable at one
            time are averaged. Times are hours since admission, not rounded. (t-PatchGNN: lib/physionet.py)
            Split: shuffled 80/20 with random state 42, the first part cut 75/25 without shuffling: 60/20/20.
            (t-PatchGNN: lib/parse_datasets.py)
            Scale: (x - min) / (max - min) of each variable over all values of the training and validation records, context
            and targets; a range of zero counts as 1e-8. Times are left in hours. (t-PatchGNN: lib/physionet.py, lib/utils.py)
            Task: context t < 24 h, targets t >= 24 h; only observed values are asked for. (t-PatchGNN: lib/physionet.py)
            Score: MSE and MAE within each variable, then the plain mean over variables with a target (macro average). Papers
            print MSE times 1e3 and MAE times 1e2, mean and standard deviation over five seeds of the model. (t-PatchGNN:
            lib/evaluation.py)
            {t_patchgnn_training(32)}

            Traps
            - {CAUTION}
            - The scale uses the validation records, so validation errors are not free of their own values. Test records
              touch nothing.
            - Stays without context or without targets are kept; the latter cannot change the score.
            - Age, Gender, Height and ICUType are never targets. Rare variables weigh as much as frequent ones: a few
              dozen targets of TroponinI and Cholesterol can carry a quarter of the MSE. Look at skill by channel and at paired
              intervals too.
            - Two other PhysioNet 2012 forecasting tasks are in use: 36 h with three hourly rows as targets on z-scores
              (values near 0.29), and halves of the record averaged by patient and attribute (values near 2e-3).
            """)

    def published(self) -> pd.DataFrame:
        """Published results under this protocol, one row a model, with their sources; see ``attrs["caution"]``.

        Returns
        -------
        DataFrame
            Indexed by model, with columns mse, mse_std, mae, mae_std in the units of :meth:`score`, and source.
        """
        table = t_patchgnn_physionet2012()
        table.attrs["caution"] = CAUTION
        return table


def check_panel(panel: IrregularPanel) -> None:
    """Refuse what is not PhysioNet 2012 as read from its files."""
    source = "Pass the panel of read_physionet2012 as it is."
    unknown = sorted(set(panel.channels) - set(VARIABLES))
    if unknown or not panel.channels:
        raise ValueError(
            f"the protocol knows 41 variables of PhysioNet 2012; the panel has {unknown} besides. {source}"
        )
    missing = [name for name in STATICS if name not in panel.static.columns]
    if missing:
        raise ValueError(f"the protocol needs the static features {list(STATICS)}; the panel lacks {missing}. {source}")
    if panel.time_unit != "h":
        raise ValueError(f"the protocol needs times in hours; the panel's unit is {panel.time_unit!r}. {source}")
    if (panel.time < 0).any():
        raise ValueError(
            f"the protocol counts hours since admission; the panel has the time {panel.time.min():g}. {source}"
        )
    if len(panel) < 5:
        raise ValueError(f"the protocol splits records into three parts and needs 5 or more; got {len(panel)}.")


def split_records(records: pd.Index) -> RecordSplit:
    """80/20 shuffled with random state 42, then 75/25 in the shuffled order."""
    from sklearn.model_selection import train_test_split

    seen, test = train_test_split(np.arange(len(records)), train_size=0.8, random_state=42, shuffle=True)
    train, validation = train_test_split(seen, train_size=0.75, shuffle=False)
    return RecordSplit(records[train], records[validation], records[test])


def with_static_events(panel: IrregularPanel) -> IrregularPanel:
    """The 41 variables as channels, statics as events at time 0, several values at one time averaged."""
    panel = panel.with_channels(VARIABLES)
    static = panel.static[list(STATICS)].to_numpy(np.float64)
    static = np.where(np.isnan(static) & np.isin(STATICS, CODED_AS_MINUS_ONE), -1.0, static)
    static[weighed_at_zero(panel), STATICS.index("Weight")] = np.nan
    patient, variable = np.nonzero(~np.isnan(static))
    front = panel.offsets[patient]  # no measurement lies before time 0
    return IrregularPanel(
        panel.offsets + np.searchsorted(patient, np.arange(len(panel) + 1)),
        np.insert(panel.time, front, 0.0),
        np.insert(panel.channel, front, variable),
        np.insert(panel.value, front, static[patient, variable]),
        records=panel.records,
        channels=VARIABLES,
        groups=panel.groups,
    ).deduplicate("mean")


def weighed_at_zero(panel: IrregularPanel) -> NDArray[np.bool_]:
    """Whether the known weight at admission is among the events already, as the reader puts it there."""
    weighed = (panel.time == 0) & (panel.channel == VARIABLES.index("Weight"))
    return (
        np.bincount(panel.record[weighed], minlength=len(panel)).astype(bool)
        & panel.static["Weight"].notna().to_numpy()
    )
