"""Many sessions answered in one computation."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from cndts.streaming.session import Session
from cndts.streaming.snapshot import forecast, ready_for_queries


def predict_sessions(
    sessions: Sequence[Session], times: Any, channels: str | Sequence[str] | None = None
) -> NDArray[np.float64]:
    """Forecast several records at once, as ``session.predict`` does one by one.

    Parameters
    ----------
    sessions : sequence of n_sessions Session
        Of one model.
    times : number, datetime, sequence of n_times, or one such sequence for each session
        At or after the last observation of each session. A nested sequence gives each session times of its own, equally many.
    channels : str or sequence of n_channels str, optional
        By default every channel of the model.

    Returns
    -------
    ndarray of shape (n_sessions, n_times * n_channels)
        Each row as `Session.predict` gives it.

    Raises
    ------
    ValueError
        If the sessions belong to different models, or a time lies before the last observation of its session.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_icu
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=24, horizon=24).split(make_icu(20, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> ward = [Session.from_panel(model, X[[k]]) for k in range(3)]
    >>> predict_sessions(ward, times=[25.0, 30.0], channels=X.channels[:2]).shape
    (3, 4)
    """
    sessions = list(sessions)
    if not sessions:
        raise ValueError("predict_sessions needs at least one session; got none.")
    served = sessions[0]._served
    other = [k for k, session in enumerate(sessions) if not session._served.is_same(served)]
    if other:
        raise ValueError(f"session {other[0]} belongs to another model than session 0; predict them apart.")
    asked = served.positions(channels)
    own_times = times if _is_nested(times) else [times] * len(sessions)
    if len(own_times) != len(sessions):
        raise ValueError(f"give one sequence of times for each session ({len(sessions)}); got {len(own_times)}.")
    horizons = [session._horizons(own) for session, own in zip(sessions, own_times, strict=True)]
    if len({len(own) for own in horizons}) > 1:
        raise ValueError(f"every session needs equally many times; got {[len(own) for own in horizons]}.")
    horizon = np.stack(horizons)
    channel = np.tile(asked, horizon.size)
    record = np.repeat(np.arange(len(sessions)), len(asked) * horizon.shape[1])
    with torch.inference_mode():
        snapshots = [session._snapshot() for session in sessions]
        ready = ready_for_queries(served, snapshots, torch.cat([session._static for session in sessions]))
        node = record * len(served.channels) + channel
        answer = forecast(served, ready, node, channel, np.repeat(horizon.ravel(), len(asked)))
    values = served.scaling.restore(channel, answer.mean.cpu().double().numpy())
    return values.reshape(len(sessions), -1)


def _is_nested(times: Any) -> bool:
    if isinstance(times, (list, tuple)):  # perhaps of unequal lengths, which numpy refuses
        return any(np.ndim(own) for own in times)
    return np.ndim(times) > 1
