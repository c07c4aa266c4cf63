"""Stopping the training of a trial that cannot win."""

from typing import Any

from skorch.callbacks import Callback
from skorch.net import NeuralNet


class PruneTrial(Callback):
    """Reports the validation score of a trial's first member after every epoch, and stops the trial where it is hopeless.

    Parameters
    ----------
    trial : optuna.Trial
        Whom to report to.
    """

    def __init__(self, trial: Any) -> None:
        self.trial = trial
        self.is_first_member = True

    def on_epoch_end(self, net: NeuralNet, **kwargs: object) -> None:
        """Report, and raise ``optuna.TrialPruned`` if the pruner says so."""
        if not self.is_first_member or "valid_score" not in net.history[-1]:
            return
        from optuna import TrialPruned

        self.trial.report(net.history[-1]["valid_score"], step=len(net.history))
        if self.trial.should_prune():
            raise TrialPruned(f"hopeless after epoch {len(net.history)}")

    def on_train_end(self, net: NeuralNet, **kwargs: object) -> None:
        """Later members are not reported: their scores would stand for epochs that are over."""
        self.is_first_member = False
