"""Settings of the training."""

from math import inf
from numbers import Integral, Real
from typing import Any

from cndts._parameters import NamedParameters


class Training(NamedParameters):
    """How a neural forecaster is fitted.

    Parameters
    ----------
    members : int, default=2
        Networks fitted from different seeds; their forecasts are averaged.
    epochs : int or None, default=None
        Passes of each member over the training records. None takes at least 20, and up to 100 where records are few, so that
        about 2000 steps are made.
    batch_size : int or None, default=None
        Records a step. None takes 32, and as few as 8 where records are few, so that an epoch has eight steps.
    learning_rate : float, default=2e-3
        Peak of the one-cycle schedule (Smith and Topin, 2019) of AdamW.
    weight_decay : float, default=0.2
        Of AdamW.
    averaging : float, default=0.99
        Decay of the exponential average of the weights, which is what predicts.
    absolute_weight : float, default=2.0
        Weight of the absolute beside the squared error of the mean. Both are in training standard deviations of the
        channel; the absolute error keeps outliers from ruling.
    channel_balance : float, default=0.5
        Targets of a channel with n training targets weigh max(n, 1000)^-channel_balance: 0 counts observations, 1
        channels, as far as they have targets enough not to be learned by heart.
    cut_share : float, default=0.75
        Share of steps in which records are cut at random times: what comes before is context, what comes after is
        asked, and up to 40 % of the context is left out. The other steps use the context and targets as given. Only where
        all targets follow the context. 0 is better where all records are asked at the same place in a calendar.
    patience : int or None, default=None
        Epochs without a better validation score after which training stops; None runs all epochs. The weights of the
        best epoch are kept either way.
    validation_fraction : float, default=0.1
        Share of training records held out for that score where `fit` gets no validation records; 0 keeps the last
        weights.
    n_jobs : int or None, default=None
        Processes in which members are fitted side by side, sharing torch's threads between them: a core each is faster
        than all cores for one after the other. -1 takes as many as there are threads. None does so where the fit is long enough to
        repay the start of processes, unless ``verbose`` is set or records are streamed from disk. A search that follows the
        epochs, or another device than the CPU, means one process in any case.

    Examples
    --------
    >>> Training(epochs=5).get_params()["epochs"]
    5
    """

    def __init__(
        self,
        *,
        members: int = 2,
        epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float = 2e-3,
        weight_decay: float = 0.2,
        averaging: float = 0.99,
        absolute_weight: float = 2.0,
        channel_balance: float = 0.5,
        cut_share: float = 0.75,
        patience: int | None = None,
        validation_fraction: float = 0.1,
        n_jobs: int | None = None,
    ) -> None:
        self.members = members
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.averaging = averaging
        self.absolute_weight = absolute_weight
        self.channel_balance = channel_balance
        self.cut_share = cut_share
        self.patience = patience
        self.validation_fraction = validation_fraction
        self.n_jobs = n_jobs


_COUNTS = {"members": False, "epochs": True, "batch_size": True, "patience": True}
# lowest and highest, and whether these two are allowed themselves
_RANGES = {
    "learning_rate": (0.0, inf, "above 0, and finite"),
    "weight_decay": (0.0, inf, "0 or more, and finite"),
    "averaging": (0.0, 1.0, "0 or more and below 1"),
    "absolute_weight": (0.0, inf, "0 or more, and finite"),
    "channel_balance": (0.0, inf, "0 or more, and finite"),
    "cut_share": (0.0, 1.0, "between 0 and 1"),
    "validation_fraction": (0.0, 1.0, "0 or more and below 1"),
}


def check_training(settings: Training) -> None:
    """Refuse settings that no network can be trained with.

    Parameters
    ----------
    settings : Training
        To be checked.

    Raises
    ------
    ValueError
        If a number is out of range, or no number.

    Examples
    --------
    >>> check_training(Training(epochs=0))
    Traceback (most recent call last):
        ...
    ValueError: training__epochs must be 1 or more, or None; got 0.
    """
    for name, may_be_none in _COUNTS.items():
        value = getattr(settings, name)
        if value is None and may_be_none:
            continue
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            whole = "" if isinstance(value, Integral) else "a whole number, "
            raise ValueError(f"training__{name} must be {whole}1 or more{', or None' * may_be_none}; got {value!r}.")
    _check_jobs(settings.n_jobs)
    for name, (low, high, wanted) in _RANGES.items():
        value = getattr(settings, name)
        number = isinstance(value, Real) and not isinstance(value, bool)
        if not number or not low <= value <= high or not _allows(wanted, value, low, high):
            raise ValueError(f"training__{name} must be {wanted}; got {value!r}.")


def _check_jobs(jobs: Any) -> None:
    is_whole = isinstance(jobs, Integral) and not isinstance(jobs, bool)
    if jobs is not None and not (is_whole and (jobs == -1 or jobs >= 1)):
        raise ValueError(f"training__n_jobs must be 1 or more, -1 for one a thread, or None; got {jobs!r}.")


def _allows(wanted: str, value: float, low: float, high: float) -> bool:
    return (value > low or "above" not in wanted) and (value < high or wanted == "between 0 and 1")
