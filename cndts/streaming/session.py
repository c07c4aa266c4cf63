"""One record as a stream: observe, predict, at constant cost."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from cndts._panel_time import Origin
from cndts.panel import IrregularPanel
from cndts.streaming.clock import Clock
from cndts.streaming.observations import read_many, read_record
from cndts.streaming.served_model import FittedModel, ServedModel
from cndts.streaming.session_file import Waiting, as_arrays, read_session, state_bytes, write_session
from cndts.streaming.snapshot import Snapshot, forecast, ready_for_queries

# Past visits that were not asked about wait until there are so many events, and are then written at once.
_MOST_WAITING = 256


class Session:
    """The memories of one record, kept between observations.

    ``observe`` and ``predict`` cost the same after ten events and after a million, and so does the room that a session
    takes. Whatever was observed, ``predict`` gives what ``model.predict`` gives for a panel with the same events.

    Events with the same time are one visit and see each other. So a visit stays open until a later time is observed, and is
    written anew to a copy of the memories when a forecast is asked for in between. Several values of one channel
    at one time all count, as in a panel that keeps its duplicates.

    A session does not learn. It holds the weights that the model has when it starts.

    Parameters
    ----------
    model : HybridMemoryForecaster or IrregularForecaster
        A fitted model whose backbone can be carried from event to event: ``"hybrid-memory"`` or ``"gru-d"``.
    static : mapping, Series or DataFrame of one row, optional
        Static features of the record, by name. None: all unknown.
    origin : Timestamp or Timedelta, optional
        Calendar time of ``time == 0``. Without it the first datetime that is observed becomes the origin.

    Raises
    ------
    TypeError
        If the backbone has no sessions.
    ValueError
        If ``static`` lacks features that the model was fitted with.

    Examples
    --------
    >>> from cndts import Extrapolation
    >>> from cndts.datasets import make_icu
    >>> from cndts.estimators import HybridMemoryForecaster
    >>> from cndts.training import Training
    >>> X, y = Extrapolation(observe=24, horizon=24).split(make_icu(20, random_state=0))
    >>> model = HybridMemoryForecaster(width=8, training=Training(epochs=1), random_state=0).fit(X, y)
    >>> session = Session(model)
    >>> session.observe(time=3.5, channel=X.channels[0], value=88.0)
    >>> session.observe(time=[4.0, 4.0], channel=list(X.channels[:2]), value=[91.0, 120.0])
    >>> session.predict(times=[4.5, 6.0], channels=[X.channels[0]]).shape
    (2,)
    >>> what_if = session.fork()
    >>> what_if.observe(time=5.0, channel=X.channels[0], value=140.0)
    >>> session.n_events, what_if.n_events
    (3, 4)
    """

    _served: ServedModel
    _static: torch.Tensor
    _clock: Clock
    _past: Snapshot
    _waiting: Waiting
    _since: float
    _present: Snapshot | None
    _ready: list[Any] | None

    def __init__(
        self,
        model: FittedModel,
        static: Mapping[str, Any] | pd.Series | pd.DataFrame | None = None,
        *,
        origin: Origin = None,
    ) -> None:
        self._served = ServedModel.of(model)
        self._static = self._served.encode_static(static)
        self._clock = Clock(self._served.time_unit, origin)
        with torch.inference_mode():
            self._past = Snapshot.empty(self._served, self._static)
        self._reset(([], [], []))

    @classmethod
    def from_panel(cls, model: FittedModel, panel: IrregularPanel) -> Self:
        """Start from a record's history and its static features.

        Parameters
        ----------
        model : HybridMemoryForecaster or IrregularForecaster
            The fitted model.
        panel : IrregularPanel of one record
            Channels are matched by name; queries are left aside.
        """
        known = len(panel.static.columns) if isinstance(panel, IrregularPanel) and len(panel) == 1 else 0
        session = cls(model, panel.static if known else None)
        session.observe_panel(panel)
        return session

    # ---- observe -------------------------------------------------------------------------------

    def observe(self, time: Any, channel: str | Sequence[str], value: Any) -> None:
        """Take in one observation, or several in the order of their times.

        Parameters
        ----------
        time : number, datetime or sequence of n
            In the model's time unit; not before the last observation.
        channel : str or sequence of n str
            One of the channels that the model was fitted on; one name may stand for all.
        value : float or sequence of n float
            In the unit of the channel.

        Raises
        ------
        ValueError
            If a channel is unknown, a time or value not finite, a time before the last observation or before its
            predecessor. The session is then as it was.
        """
        if isinstance(value, (float, int)) and isinstance(time, (float, int)) and isinstance(channel, str):
            position = self._served.position.get(channel, -1)
            if not (position >= 0 and math.isfinite(time) and time >= self._since and abs(value) < 3e38):
                read_many(self._served, self._clock, time, channel, value, self._since)  # says what is wrong
            self._append(float(time), position, value)
        else:
            self._observe_many(*read_many(self._served, self._clock, time, channel, value, self._since))

    def observe_panel(self, panel: IrregularPanel) -> None:
        """Take in the events of a panel with one record, from the last observation on.

        Parameters
        ----------
        panel : IrregularPanel of one record
            Channels are matched by name; its static features and queries are left aside.
        """
        self._observe_many(*read_record(self._served, self._clock, panel, self._since))

    def _append(self, time: float, position: int, value: float) -> None:
        times, channels, values = self._waiting
        if time > self._since:
            if self._present is not None:
                self._past = self._present
                self._reset(([], [], []))
                times, channels, values = self._waiting
            elif len(times) >= _MOST_WAITING:
                self._write_waiting()
                times, channels, values = self._waiting
            self._since = time
        times.append(time)
        channels.append(position)
        values.append(value)
        self._present, self._ready = None, None

    def _observe_many(
        self, clock: Clock, time: NDArray[np.float64], channel: NDArray[np.int64], value: NDArray[np.float32]
    ) -> None:
        if not len(time):
            return
        old = as_arrays(self._waiting)
        time, channel, value = (np.concatenate([old[k], new]) for k, new in enumerate((time, channel, value)))
        past, opened = self._past, 0
        if len(time) > _MOST_WAITING:
            opened = int(np.searchsorted(time, time[-1]))
            with torch.inference_mode():
                past = past.written(self._served, time[:opened], channel[:opened], value[:opened])
        self._past, self._clock = past, clock
        self._reset((time[opened:].tolist(), channel[opened:].tolist(), value[opened:].tolist()))

    def _write_waiting(self) -> None:
        with torch.inference_mode():
            self._past = self._past.written(self._served, *as_arrays(self._waiting))
        self._reset(([], [], []))

    def _reset(self, waiting: Waiting) -> None:
        """Other waiting events on top of the past; what was prepared for queries no longer holds."""
        self._waiting = waiting
        self._present, self._ready = None, None
        last = waiting[0][-1] if waiting[0] else self._past.ledger.last_time
        self._since = -math.inf if math.isnan(last) else last

    # ---- predict -------------------------------------------------------------------------------

    def predict(self, times: Any, channels: str | Sequence[str] | None = None) -> NDArray[np.float64]:
        """Forecast channels at times.

        Parameters
        ----------
        times : number, datetime or sequence of n_times
            At or after the last observation, in any order.
        channels : str or sequence of n_channels str, optional
            By default every channel of the model.

        Returns
        -------
        ndarray of shape (n_times * n_channels,)
            In the units of the channels; all channels at the first time, then at the second, in the order in which
            ``panel.with_queries(times, channels)`` asks.

        Raises
        ------
        ValueError
            If a channel is unknown, or a time not finite or before the last observation.
        """
        answer, channel = self._answer(times, channels)
        return self._served.scaling.restore(channel, answer.mean.cpu().double().numpy())

    def predict_quantiles(
        self, times: Any, channels: str | Sequence[str] | None = None, quantiles: ArrayLike = (0.1, 0.5, 0.9)
    ) -> NDArray[np.float64]:
        """Quantiles of the forecast distribution.

        Parameters
        ----------
        times, channels
            As in `predict`.
        quantiles : sequence of float
            Probabilities strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_times * n_channels, n_quantiles)
            Rows as in `predict`.
        """
        levels = np.atleast_1d(np.asarray(quantiles, dtype=np.float64))
        if levels.ndim != 1 or not levels.size or not ((levels > 0) & (levels < 1)).all():
            raise ValueError(f"quantiles must lie strictly between 0 and 1; got {quantiles!r}. Use [0.1, 0.5, 0.9].")
        answer, channel = self._answer(times, channels)
        order = np.argsort(levels)
        with torch.inference_mode():
            bands = self._served.network.head.quantiles(answer, levels[order].tolist())
        return self._served.scaling.restore(channel, bands.cpu().double().numpy()[:, np.argsort(order)])

    def predict_interval(
        self, times: Any, channels: str | Sequence[str] | None = None, coverage: float = 0.9
    ) -> NDArray[np.float64]:
        """Central interval that should hold the value with probability ``coverage``.

        Parameters
        ----------
        times, channels
            As in `predict`.
        coverage : float, default=0.9
            Probability strictly between 0 and 1.

        Returns
        -------
        ndarray of shape (n_times * n_channels, 2)
            Lower and upper bound; rows as in `predict`.
        """
        if not 0 < coverage < 1:
            raise ValueError(f"coverage must lie strictly between 0 and 1; got {coverage!r}. Use 0.9 for 90 %.")
        return self.predict_quantiles(times, channels, [(1 - coverage) / 2, (1 + coverage) / 2])

    def _answer(self, times: Any, channels: str | Sequence[str] | None) -> tuple[Any, NDArray[np.int64]]:
        asked = self._served.positions(channels)
        horizon = self._horizons(times)
        channel = np.tile(asked, len(horizon))
        with torch.inference_mode():
            if self._ready is None:
                self._ready = ready_for_queries(self._served, [self._snapshot()], self._static)
            answer = forecast(self._served, self._ready, channel, channel, np.repeat(horizon, len(asked)))
        return answer, channel

    def _horizons(self, times: Any) -> NDArray[np.float64]:
        """Model time from the last observation to each of some times; 0 where nothing was observed."""
        time, _ = self._clock.read(times, is_started=True)
        if not math.isfinite(self._since):
            return np.zeros(len(time))
        if (time < self._since).any():
            raise ValueError(
                f"query time {self._clock.as_text(time.min())} lies before the last observation at "
                f"{self._clock.as_text(self._since)}; a session answers from there on. For earlier times use "
                "model.predict(panel), or session.fork() before you observe."
            )
        return (time - self._since) / self._served.scaling.time_scale

    def _snapshot(self) -> Snapshot:
        """Everything observed, the open visit included."""
        if self._present is None:
            self._present = self._past
            if self._waiting[0]:
                with torch.inference_mode():
                    self._present = self._past.written(self._served, *as_arrays(self._waiting))
        return self._present

    # ---- copies and files ----------------------------------------------------------------------

    def fork(self) -> "Session":
        """An independent copy, to try what would follow from other observations; it shares what neither will write."""
        copy = Session.__new__(Session)
        copy.__dict__.update(self.__dict__)
        copy._waiting = tuple(list(part) for part in self._waiting)  # type: ignore[assignment]
        return copy

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the session, without its model, to one file (safetensors with a JSON header).

        Parameters
        ----------
        path : path-like
            Where to write; an older file is replaced only when the new one is complete.
        """
        write_session(path, self._served, self._clock, self._static, self._past, self._waiting)

    @classmethod
    def load(cls, path: str | os.PathLike[str], model: FittedModel) -> "Session":
        """Read a session that `save` wrote.

        Parameters
        ----------
        path : path-like
            The file.
        model : HybridMemoryForecaster or IrregularForecaster
            The model that made the session, or the same loaded from its file.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is no session, or one of a model with other weights.
        """
        session = cls.__new__(cls)
        session._served = ServedModel.of(model)
        with torch.inference_mode():
            session._clock, session._static, session._past, waiting = read_session(path, session._served)
        session._reset(waiting)
        return session

    # ---- what it holds -------------------------------------------------------------------------

    @property
    def channels(self) -> tuple[str, ...]:
        """Channels that can be observed and asked for."""
        return self._served.channels

    @property
    def n_events(self) -> int:
        """Observations so far."""
        return self._past.ledger.n_events + len(self._waiting[0])

    @property
    def last_time(self) -> float:
        """Time of the last observation as a number; NaN before the first."""
        return self._since if math.isfinite(self._since) else math.nan

    @property
    def origin(self) -> Origin:
        """Calendar time of ``time == 0``, where there is one."""
        return self._clock.origin

    @property
    def state_bytes(self) -> int:
        """Bytes of memories, facts and waiting events; what is prepared for queries takes about as much again."""
        return state_bytes(self._past) + 20 * len(self._waiting[0])

    def __repr__(self) -> str:
        last = f"last at {self._clock.as_text(self._since)}" if math.isfinite(self._since) else "none yet"
        return (
            f"Session: {len(self.channels)} channels, {self.n_events} events ({last}), {self.state_bytes / 1000:.0f} kB"
        )
