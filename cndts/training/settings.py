"""Settings of the training."""

from sklearn.base import BaseEstimator


class Training(BaseEstimator):
    """How a neural forecaster is fitted.

    Parameters
    ----------
    members : int, default=2
        Networks fitted one after the other from different seeds; their forecasts are averaged.
    epochs : int or None, default=None
        Passes of each member over the training records. None takes 20, and up to 100 where records are few, so that
        about 760 steps are made.
    batch_size : int or None, default=None
        Records a step. None takes 64, and as few as 8 where records are few, so that an epoch has eight steps.
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
        asked. The other steps use the context and targets as given. Only where all targets follow the context.
    patience : int or None, default=None
        Epochs without a better validation score after which training stops; None runs all epochs. The weights of the
        best epoch are kept either way.
    validation_fraction : float, default=0.1
        Share of training records held out for that score where `fit` gets no validation records; 0 keeps the last
        weights.

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
