"""Metrics over the known targets of ragged records, with the averaging rule always spelled out.

Every metric takes ``average``, because published numbers differ by this rule:

- ``"observation"``: the mean over all targets (micro average);
- ``"channel"``: the mean within each channel over all records, then the plain mean over the channels that have a
  target (macro average);
- ``"record"``: the mean within each record, then the plain mean over the records that have a target.

Targets that are NaN are not known and are skipped. Where no target is known, the result is NaN. Predictions that
are not finite at a known target are an error, since skipping them would reward a model for failing.
"""

from cndts.metrics._bootstrap import paired_bootstrap, paired_bootstrap_by_channel
from cndts.metrics._bootstrap_difference import BootstrapDifference
from cndts.metrics._gap_widths import gap_widths
from cndts.metrics._point import mean_absolute_error, mean_squared_error, root_mean_squared_error
from cndts.metrics._probabilistic import (
    crps,
    interval_coverage,
    interval_width,
    negative_log_likelihood,
    pinball_loss,
)
from cndts.metrics._quantile_scorer import quantile_scorer
from cndts.metrics._scorers import error_scorer
from cndts.metrics._tables import by_distance, by_horizon, channel_means, channel_table, mean_skill

__all__ = [
    "BootstrapDifference",
    "by_distance",
    "by_horizon",
    "channel_means",
    "channel_table",
    "crps",
    "error_scorer",
    "gap_widths",
    "interval_coverage",
    "interval_width",
    "mean_absolute_error",
    "mean_skill",
    "mean_squared_error",
    "negative_log_likelihood",
    "paired_bootstrap",
    "paired_bootstrap_by_channel",
    "pinball_loss",
    "quantile_scorer",
    "root_mean_squared_error",
]
