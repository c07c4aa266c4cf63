"""Panels of noisy observations of a solved differential equation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from cndts._ragged import offsets_from_lengths
from cndts.datasets._ode_truth import OdeTruth
from cndts.datasets._scattered_times import scattered_times
from cndts.panel import IrregularPanel


def observed_solution(
    truth: OdeTruth,
    n_records: int,
    n_channels: int,
    n_observations: float,
    noise: ArrayLike,
    rng: np.random.Generator,
    *,
    is_relative: bool = False,
    **fields: Any,
) -> IrregularPanel:
    """The first channels of the truth at scattered times, with normal noise.

    Parameters
    ----------
    truth : OdeTruth
        What is observed.
    n_records, n_channels : int
        How many records there are, and how many channels are observed.
    n_observations : float
        Mean number of observations of a channel in a record.
    noise : float or array-like of shape (n_channels,)
        Standard deviation, of all channels or by channel.
    rng : Generator
        Source of times and noise.
    is_relative : bool
        Whether values are multiplied by the exponential of the noise, not added to it.
    **fields
        Further fields of the panel.
    """
    record, channel, time = scattered_times(rng, n_records, n_channels, n_observations, truth.duration)
    value = truth(record, channel, time)
    errors = np.broadcast_to(noise, n_channels)[channel] * rng.standard_normal(len(time))
    value = value * np.exp(errors) if is_relative else value + errors
    offsets = offsets_from_lengths(np.bincount(record, minlength=n_records))
    return IrregularPanel(offsets, time, channel, value, channels=truth.channels[:n_channels], **fields)
